#include "services/notifications/webhooks/rules.h"

#include <stdio.h>
#include <string.h>

#include "common/base/test.h"

#define OWN "0193a000-0000-7000-8000-000000000001"
#define OTHER "0193a000-0000-7000-8000-000000000002"
#define THIRD "0193a000-0000-7000-8000-000000000003"

typedef Io__Cloudevents__V1__CloudEvent__AttributesEntry Entry;
typedef Io__Cloudevents__V1__CloudEvent__CloudEventAttributeValue Value;

static struct arena arena;

/* An event whose attributes are set one by one. */
static struct {
    Io__Cloudevents__V1__CloudEvent event;
    Entry entries[8], *list[8];
    Value values[8];
} sample;

static void
set(const char *name, const char *text)
{
    const size_t i = sample.event.n_attributes++;

    io__cloudevents__v1__cloud_event__attributes_entry__init(&sample.entries[i]);
    io__cloudevents__v1__cloud_event__cloud_event_attribute_value__init(&sample.values[i]);
    sample.values[i].attr_case =
        IO__CLOUDEVENTS__V1__CLOUD_EVENT__CLOUD_EVENT_ATTRIBUTE_VALUE__ATTR_CE_STRING;
    sample.values[i].ce_string = text;
    sample.entries[i].key = name;
    sample.entries[i].value = &sample.values[i];
    sample.list[i] = &sample.entries[i];
}

static const Io__Cloudevents__V1__CloudEvent *
event_of(const char *tenant_id, const char *audience)
{
    io__cloudevents__v1__cloud_event__init(&sample.event);
    sample.event.attributes = sample.list;
    sample.event.id = "0193a000-0000-7000-8000-0000000000ff";
    sample.event.source = "/samverka";
    sample.event.type = "org.samverka.need.published.v1";
    set("tenantid", tenant_id);
    set("audience", audience);
    return &sample.event;
}

static int
set_up(void **state)
{
    (void)state;
    arena_init(&arena, (size_t)1 << 20);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static struct webhook_sieve
sieve_of_all(void)
{
    struct webhook_sieve sieve = {.webhook_id = OWN};

    notifications__v1__webhook_filter__init(&sieve.filter);
    return sieve;
}

static void
a_webhook_sees_its_tenants_events_public_ones_and_those_meant_for_it(void **state)
{
    static const struct {
        const char *tenant_id, *audience;
        bool seen;
    } cases[] = {
        {OWN, OWN, true},
        {OWN, "", true},
        {OWN, "public", true},
        {OWN, "internal", false},
        {OTHER, OTHER, false},
        {OTHER, "", false},
        {OTHER, "public", true},
        {OTHER, "internal", false},
        {OTHER, OWN, true},
        {OTHER, OTHER "," OWN, true},
        {OTHER, OWN "," OTHER, true},
        {OTHER, OTHER "," THIRD, false},
        {OTHER, OWN "x", false},
        {"", "", false},
        {"", "public", true},
        {"", "internal," OWN, true},
    };
    const struct webhook_sieve sieve = sieve_of_all();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (rules_webhook_passes(
                &sieve, OWN, event_of(cases[i].tenant_id, cases[i].audience)) != cases[i].seen)
            fail_msg("an event of '%s' for '%s'", cases[i].tenant_id, cases[i].audience);
}

static void
a_filter_restricts_what_is_seen_and_never_widens_it(void **state)
{
    const char *types[] = {"org.samverka.placement.", "org.samverka.need."};
    const char *tenants[] = {OTHER};
    struct webhook_sieve sieve = sieve_of_all();

    (void)state;
    sieve.filter.types = types;
    sieve.filter.n_types = 2;
    assert_true(rules_webhook_passes(&sieve, OWN, event_of(OWN, OWN)));
    sieve.filter.n_types = 1;
    assert_false(rules_webhook_passes(&sieve, OWN, event_of(OWN, OWN)));
    sieve.filter.n_types = 0;
    sieve.filter.tenant_ids = tenants;
    sieve.filter.n_tenant_ids = 1;
    assert_false(rules_webhook_passes(&sieve, OWN, event_of(OWN, OWN)));
    assert_false(rules_webhook_passes(&sieve, OWN, event_of(OTHER, OTHER)));
    assert_true(rules_webhook_passes(&sieve, OWN, event_of(OTHER, "public")));
}

static void
every_list_of_a_filter_counts(void **state)
{
    const char *wanted[] = {"x-1"}, *region[] = {"SE3"};
    static const char *const names[] = {"subject", "programme", "nuts", "esco"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct webhook_sieve sieve = sieve_of_all();
        const char ***lists[] = {&sieve.filter.subjects, &sieve.filter.programmes,
                                 &sieve.filter.nuts, &sieve.filter.concepts};
        size_t *counts[] = {&sieve.filter.n_subjects, &sieve.filter.n_programmes,
                            &sieve.filter.n_nuts, &sieve.filter.n_concepts};

        *lists[i] = i == 2 ? region : wanted;
        *counts[i] = 1;
        (void)event_of(OWN, OWN);
        assert_false(rules_webhook_passes(&sieve, OWN, &sample.event)); /* says nothing of it */
        set(names[i], i == 2 ? "SE312" : i == 3 ? "x-0,x-1" : "x-1");
        assert_true(rules_webhook_passes(&sieve, OWN, &sample.event));
        (void)event_of(OWN, OWN);
        set(names[i], i == 2 ? "SE213" : "x-12");
        assert_false(rules_webhook_passes(&sieve, OWN, &sample.event));
    }
}

static void
the_times_between_tries_are_those_of_standard_webhooks_within_a_tenth(void **state)
{
    static const int64_t seconds[] = {5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400};
    int64_t sum = 0;

    (void)state;
    for (uint32_t attempts = 1; attempts <= COUNT_OF(seconds); attempts++) {
        const int64_t usual = seconds[attempts - 1] * 1000;
        int64_t least = INT64_MAX, most = 0;

        for (uint32_t chance = 0; chance < 1000; chance++) {
            const int64_t ms = rules_webhook_retry_ms(attempts, chance, 1000);

            least = ms < least ? ms : least;
            most = ms > most ? ms : most;
        }
        assert_true(least == usual * 9 / 10);
        assert_true(most > usual && most <= usual * 11 / 10);
        sum += usual;
    }
    assert_true(sum / 3600000 == 75);
    assert_true(rules_webhook_retry_ms(10, 0, 1000) < 0);
    assert_true(rules_webhook_retry_ms(11, 0, 1000) < 0);
    assert_true(rules_webhook_retry_ms(UINT32_MAX, 0, 1000) < 0);
    assert_int_equal(COUNT_OF(seconds) + 1, WEBHOOK_ATTEMPTS);
    assert_true(rules_webhook_retry_ms(1, 500, 1) == 5);
}

static void
only_2xx_is_success_and_each_answer_means_one_thing(void **state)
{
    (void)state;
    for (uint32_t status = 100; status < 600; status++) {
        const struct webhook_answer answer = {.status = status, .retry_after_s = 120};
        uint32_t patience_s;
        const enum webhook_verdict verdict = rules_webhook_verdict(&answer, &patience_s);
        const bool slow = status == 429 || status == 502 || status == 503 || status == 504;

        assert_int_equal(verdict, status / 100 == 2 ? VERDICT_DELIVERED
                                  : status == 410   ? VERDICT_GONE
                                  : slow            ? VERDICT_SLOW_DOWN
                                                    : VERDICT_AGAIN);
        assert_int_equal(patience_s, slow ? 120 : 0);
    }
}

static void
a_receiver_may_ask_for_an_hour_at_most_and_no_answer_is_a_failure(void **state)
{
    uint32_t patience_s;

    (void)state;
    assert_int_equal(
        rules_webhook_verdict(&(struct webhook_answer){.status = 503, .retry_after_s = 4000000},
                              &patience_s),
        VERDICT_SLOW_DOWN);
    assert_int_equal(patience_s, 3600);
    assert_int_equal(rules_webhook_verdict(
                         &(struct webhook_answer){.error = "no answer in time"}, &patience_s),
                     VERDICT_AGAIN);
    assert_int_equal(rules_webhook_verdict(
                         &(struct webhook_answer){.status = 200, .error = "cut"}, &patience_s),
                     VERDICT_AGAIN);
}

static void
the_id_of_a_message_has_no_dot_and_fits_a_header(void **state)
{
    static const char *const odd[] = {"a.b", "a b", "a\r\nX: y", "ö", "", "a/b"};
    Io__Cloudevents__V1__CloudEvent event = *event_of(OWN, OWN);
    const char *id, *again, *other;

    (void)state;
    assert_false(failed(rules_webhook_message_id(&arena, &event, &id)));
    assert_string_equal(id, event.id);
    for (size_t i = 0; i < COUNT_OF(odd); i++) {
        event.id = odd[i];
        event.source = "/one";
        assert_false(failed(rules_webhook_message_id(&arena, &event, &id)));
        assert_false(failed(rules_webhook_message_id(&arena, &event, &again)));
        event.source = "/two";
        assert_false(failed(rules_webhook_message_id(&arena, &event, &other)));
        assert_string_equal(id, again);
        assert_string_not_equal(id, other);
        assert_int_equal(strspn(id, "evt_0123456789abcdef"), strlen(id));
        assert_int_equal(strlen(id), 36);
    }
}

static void
refused(Notifications__V1__Webhook webhook, const char *field)
{
    const struct status status = rules_webhook(&arena, false, &webhook);

    assert_int_equal(status.code, CODE_INVALID_ARGUMENT);
    assert_string_equal(status.field, field);
}

static void
what_a_webhook_may_be_is_checked_field_by_field(void **state)
{
    Notifications__V1__WebhookFilter filter = NOTIFICATIONS__V1__WEBHOOK_FILTER__INIT;
    Notifications__V1__Webhook webhook = NOTIFICATIONS__V1__WEBHOOK__INIT, good;
    char long_term[130] = {0};
    const char *terms[65];

    (void)state;
    refused(webhook, "url");
    webhook.url = "https://example.org/in";
    good = webhook;
    assert_false(failed(rules_webhook(&arena, false, &good)));
    assert_int_equal(good.mode, NOTIFICATIONS__V1__WEBHOOK_MODE__WEBHOOK_STRUCTURED);
    assert_string_equal(good.url, "https://example.org:443/in");
    assert_non_null(good.filter);
    webhook.mode = (Notifications__V1__WebhookMode)4;
    refused(webhook, "mode");
    webhook.mode = NOTIFICATIONS__V1__WEBHOOK_MODE__WEBHOOK_BATCH;
    memset(long_term, 'x', 129);
    for (size_t i = 0; i < COUNT_OF(terms); i++)
        terms[i] = "x";
    webhook.filter = &filter;
    filter.subjects = terms;
    filter.n_subjects = 65;
    refused(webhook, "filter.subjects");
    filter.n_subjects = 64;
    assert_false(failed(rules_webhook(&arena, false, &webhook)));
    terms[3] = long_term;
    refused(webhook, "filter.subjects[3]");
    terms[3] = "";
    refused(webhook, "filter.subjects[3]");
    filter.n_subjects = 0;
    filter.tenant_ids = terms;
    filter.n_tenant_ids = 1;
    refused(webhook, "filter.tenant_ids[0]");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_webhook_sees_its_tenants_events_public_ones_and_those_meant_for_it),
        cmocka_unit_test(a_filter_restricts_what_is_seen_and_never_widens_it),
        cmocka_unit_test(every_list_of_a_filter_counts),
        cmocka_unit_test(the_times_between_tries_are_those_of_standard_webhooks_within_a_tenth),
        cmocka_unit_test(only_2xx_is_success_and_each_answer_means_one_thing),
        cmocka_unit_test(a_receiver_may_ask_for_an_hour_at_most_and_no_answer_is_a_failure),
        cmocka_unit_test(the_id_of_a_message_has_no_dot_and_fits_a_header),
        cmocka_unit_test(what_a_webhook_may_be_is_checked_field_by_field),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
