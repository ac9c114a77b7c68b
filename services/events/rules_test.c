#include "services/events/rules.h"

#include <string.h>

#include "services/events/test_sample.h"

#define SYSTEM_RIGHTS(...)                                                                     \
    ((struct rights){.tenant_ids = {(const char *const[]){SAMPLE_TENANT}, 1}, __VA_ARGS__})

static struct arena arena;

static int
setup(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_CALL_BYTES);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static struct packed_event
event(struct sample sample)
{
    struct packed_event parts;

    assert_ok(packed_scan(sample_pack(&arena, sample), &arena, &parts));
    return parts;
}

static bool
sees(const struct rights *rights, struct sample sample)
{
    const struct packed_event parts = event(sample);

    return rules_visible(rights, &parts);
}

static void
a_system_sees_its_tenants_events_and_public_ones_only(void **state)
{
    const struct rights rights = SYSTEM_RIGHTS();

    (void)state;
    assert_true(sees(&rights, (struct sample){.tenant_id = SAMPLE_TENANT}));
    assert_false(sees(&rights, (struct sample){.tenant_id = SAMPLE_OTHER_TENANT}));
    assert_true(
        sees(&rights, (struct sample){.tenant_id = SAMPLE_OTHER_TENANT, .audience = "public"}));
    assert_false(sees(&rights, (struct sample){.audience = "nobody"}));
}

static void
an_internal_event_is_for_our_own_services_alone(void **state)
{
    const struct rights system = SYSTEM_RIGHTS();
    const struct rights own = {.all = true};
    const struct sample internal = {.tenant_id = SAMPLE_TENANT, .audience = "internal"};

    (void)state;
    assert_false(sees(&system, internal));
    assert_true(sees(&own, internal));
}

static void
an_audience_of_tenants_is_for_these_and_the_events_own(void **state)
{
    const struct rights rights = SYSTEM_RIGHTS();

    (void)state;
    assert_true(
        sees(&rights, (struct sample){.tenant_id = SAMPLE_OTHER_TENANT,
                                      .audience = SAMPLE_OTHER_TENANT "," SAMPLE_TENANT}));
    assert_true(sees(&rights, (struct sample){.tenant_id = SAMPLE_OTHER_TENANT,
                                              .audience = SAMPLE_TENANT ",x"}));
    assert_false(sees(&rights, (struct sample){.tenant_id = SAMPLE_OTHER_TENANT,
                                               .audience = SAMPLE_TENANT "x,,"}));
    assert_true(sees(
        &rights, (struct sample){.tenant_id = SAMPLE_TENANT, .audience = SAMPLE_OTHER_TENANT}));
}

static void
types_of_a_key_are_prefixes_and_bind_public_events_too(void **state)
{
    const struct rights rights =
        SYSTEM_RIGHTS(.types = {(const char *const[]){"org.samverka.need."}, 1});

    (void)state;
    assert_true(sees(&rights, (struct sample){.tenant_id = SAMPLE_TENANT}));
    assert_false(sees(&rights, (struct sample){.tenant_id = SAMPLE_TENANT,
                                               .type = "org.samverka.needle.v1"}));
    assert_false(sees(&rights, (struct sample){.tenant_id = SAMPLE_OTHER_TENANT,
                                               .audience = "public",
                                               .type = "org.samverka.person.added.v1"}));
}

static void
a_filter_narrows_and_never_widens(void **state)
{
    const struct rights rights = SYSTEM_RIGHTS();
    const struct packed_event own =
        event((struct sample){.tenant_id = SAMPLE_TENANT, .subject = "s-1"});
    const struct packed_event foreign =
        event((struct sample){.tenant_id = SAMPLE_OTHER_TENANT, .subject = "s-1"});
    const char *tenants[] = {SAMPLE_OTHER_TENANT};
    const char *subjects[] = {"s-1", "s-2"};
    const char *types[] = {"org.samverka.person", "org.samverka.need"};
    Events__V1__Filter filter = EVENTS__V1__FILTER__INIT;
    scoped(rules_sieve_release) struct sieve *sieve = NULL;
    scoped(rules_sieve_release) struct sieve *narrow = NULL;

    (void)state;
    filter.tenant_ids = tenants;
    filter.n_tenant_ids = 1;
    assert_ok(rules_sieve_create(&rights, &filter, &sieve));
    assert_false(rules_passes(sieve, &own));
    assert_false(rules_passes(sieve, &foreign));
    filter.n_tenant_ids = 0;
    filter.subjects = subjects;
    filter.n_subjects = 2;
    filter.types = types;
    filter.n_types = 2;
    assert_ok(rules_sieve_create(&rights, &filter, &narrow));
    assert_true(rules_passes(narrow, &own));
    assert_false(rules_passes(narrow, &foreign));
    filter.n_types = 1;
    rules_sieve_release(&narrow);
    assert_ok(rules_sieve_create(&rights, &filter, &narrow));
    assert_false(rules_passes(narrow, &own));
}

/* Whether everybody's filter with these terms lets through an event with the attribute. */
static bool
filter_passes(Events__V1__Filter filter, const char *attribute, const char *text)
{
    const struct rights rights = {.all = true};
    const struct packed_event parts = event((struct sample){
        .tenant_id = SAMPLE_TENANT, .extra_name = attribute, .extra_text = text});
    scoped(rules_sieve_release) struct sieve *sieve = NULL;

    assert_ok(rules_sieve_create(&rights, &filter, &sieve));
    assert_false(rules_passes_all(sieve));
    return rules_passes(sieve, &parts);
}

static void
a_filter_asks_for_programmes_region_prefixes_and_concepts(void **state)
{
    const char *programmes[] = {"KA", "KTP"};
    const char *nuts[] = {"FI", "SE3"};
    const char *concepts[] = {"http://data.europa.eu/esco/skill/b"};
    Events__V1__Filter of_programmes = EVENTS__V1__FILTER__INIT;
    Events__V1__Filter of_nuts = EVENTS__V1__FILTER__INIT;
    Events__V1__Filter of_concepts = EVENTS__V1__FILTER__INIT;

    (void)state;
    of_programmes.programmes = programmes;
    of_programmes.n_programmes = 2;
    of_nuts.nuts = nuts;
    of_nuts.n_nuts = 2;
    of_concepts.concepts = concepts;
    of_concepts.n_concepts = 1;
    assert_true(filter_passes(of_programmes, "programme", "KTP"));
    assert_false(filter_passes(of_programmes, "programme", "KTPX"));
    assert_false(filter_passes(of_programmes, "nuts", "KTP"));
    assert_true(filter_passes(of_nuts, "nuts", "SE312"));
    assert_true(filter_passes(of_nuts, "nuts", "FI"));
    assert_false(filter_passes(of_nuts, "nuts", "SE"));
    assert_false(filter_passes(of_nuts, NULL, NULL));
    assert_true(filter_passes(of_concepts, "esco",
                              "http://data.europa.eu/esco/skill/a,"
                              "http://data.europa.eu/esco/skill/b"));
    assert_false(filter_passes(of_concepts, "esco", "http://data.europa.eu/esco/skill/bb"));
}

static void
a_filter_outside_its_limits_is_refused_by_the_term(void **state)
{
    const char *types[RULES_FILTER_TYPES + 1];
    const char *bad[] = {SAMPLE_TENANT, "not-a-uuid"};
    const char *empty[] = {""};
    char long_text[RULES_FILTER_TEXT_BYTES + 2];
    const char *long_subject[] = {long_text};
    Events__V1__Filter filter = EVENTS__V1__FILTER__INIT;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(types); i++)
        types[i] = "org.samverka.";
    filter.types = types;
    filter.n_types = RULES_FILTER_TYPES;
    assert_ok(rules_check_filter(&filter, &arena));
    filter.n_types++;
    assert_fails(rules_check_filter(&filter, &arena), INVALID_ARGUMENT, "filter.types");
    filter.types = empty;
    filter.n_types = 1;
    assert_fails(rules_check_filter(&filter, &arena), INVALID_ARGUMENT, "filter.types[0]");
    filter.n_types = 0;
    filter.tenant_ids = bad;
    filter.n_tenant_ids = 2;
    assert_fails(rules_check_filter(&filter, &arena), INVALID_ARGUMENT, "filter.tenant_ids[1]");
    filter.n_tenant_ids = 0;
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    filter.subjects = long_subject;
    filter.n_subjects = 1;
    assert_fails(rules_check_filter(&filter, &arena), INVALID_ARGUMENT, "filter.subjects[0]");
}

static void
a_key_expires_at_its_time_and_not_before(void **state)
{
    const struct rights rights = {.expires_unix_ms = 1000};
    const struct rights never = {0};

    (void)state;
    assert_false(rules_expired(&rights, 999));
    assert_true(rules_expired(&rights, 1000));
    assert_false(rules_expired(&never, INT64_MAX));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(a_system_sees_its_tenants_events_and_public_ones_only),
        TEST(an_internal_event_is_for_our_own_services_alone),
        TEST(an_audience_of_tenants_is_for_these_and_the_events_own),
        TEST(types_of_a_key_are_prefixes_and_bind_public_events_too),
        TEST(a_filter_narrows_and_never_widens),
        TEST(a_filter_asks_for_programmes_region_prefixes_and_concepts),
        TEST(a_filter_outside_its_limits_is_refused_by_the_term),
        TEST(a_key_expires_at_its_time_and_not_before),
    };

    return cmocka_run_group_tests_name("rules", tests, NULL, NULL);
}
