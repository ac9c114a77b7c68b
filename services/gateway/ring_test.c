#include "common/base/test.h"

#include <stdlib.h>
#include <string.h>

#include "registry/v1/needs.pb-c.h"
#include "services/gateway/feed.h"
#include "services/gateway/ring.h"

static const char *const mine = "0193a5f1-7c1e-7b3a-9d2e-5f1c2b3a4d5e";
static const char *const theirs = "0193a5f1-7c1e-7b3a-9d2e-5f1c2b3a4d5f";

static struct event_filter
filter_of(const char *tenant, const char *type)
{
    struct event_filter filter = {0};

    memcpy(filter.tenant_id, tenant, strlen(tenant));
    if (type)
        filter.terms[filter.term_count++] = (struct event_term){EVENT_TERM_TYPE, type};
    return filter;
}

static bool
sees(const struct event_filter *filter, const char *type, const char *tenant,
     const char *audience)
{
    return event_visible(filter,
                         &(struct event_traits){type, tenant, audience, "", "", "", ""});
}

static void
one_sees_the_own_the_public_and_the_shared_but_nothing_internal(void **context)
{
    const struct event_filter nobody = filter_of("", NULL);
    struct event_filter me = filter_of(mine, NULL);
    char shared[100];

    (void)context;
    snprintf(shared, sizeof shared, "x,%s", mine);
    assert_true(sees(&me, "t", mine, ""));
    assert_false(sees(&me, "t", theirs, ""));
    assert_true(sees(&me, "t", theirs, "public"));
    assert_true(sees(&me, "t", theirs, shared));
    assert_false(sees(&me, "t", mine, "internal"));
    assert_false(sees(&nobody, "t", "", ""));
    assert_false(sees(&nobody, "t", mine, ""));
    assert_false(sees(&nobody, "t", mine, shared));
    assert_true(sees(&nobody, "t", mine, "public"));
    me.own_only = true;
    assert_true(sees(&me, "t", mine, "public"));
    assert_false(sees(&me, "t", theirs, "public"));
    assert_false(sees(&me, "t", theirs, shared));
    me.own_only = false;
    shared[strlen(shared) - 1] = '\0'; /* a part of an id is not the id */
    assert_false(sees(&me, "t", theirs, shared));
}

static void
types_are_chosen_by_their_beginning(void **context)
{
    const struct event_filter filter = filter_of(mine, "org.samverka.need.");

    (void)context;
    assert_true(sees(&filter, "org.samverka.need.published.v1", mine, ""));
    assert_false(sees(&filter, "org.samverka.needle.v1", mine, ""));
    assert_false(sees(&filter, "org.samverka.match.accepted.v1", mine, "public"));
}

/* Whether an event about x, in KTP and SE312, of a and b, passes these terms. */
static bool
passes(const struct event_term *terms, size_t count)
{
    const struct event_traits traits = {"t", mine, "", "x", "KTP", "SE312", "a,b"};
    struct event_filter filter = filter_of(mine, NULL);

    memcpy(filter.terms, terms, count * sizeof *terms);
    filter.term_count = count;
    return event_visible(&filter, &traits);
}

static void
one_term_of_each_kind_must_fit(void **context)
{
    const struct event_term good[] = {
        {EVENT_TERM_SUBJECT, "y"}, {EVENT_TERM_SUBJECT, "x"}, {EVENT_TERM_PROGRAMME, "KTP"},
        {EVENT_TERM_NUTS, "FI"},   {EVENT_TERM_NUTS, "SE3"},  {EVENT_TERM_CONCEPT, "c"},
        {EVENT_TERM_CONCEPT, "b"},
    };
    const struct event_term bad[] = {{EVENT_TERM_SUBJECT, "xx"},
                                     {EVENT_TERM_PROGRAMME, "KT"},
                                     {EVENT_TERM_NUTS, "SE3122"},
                                     {EVENT_TERM_CONCEPT, "a,"},
                                     {EVENT_TERM_CONCEPT, "A"}};

    (void)context;
    assert_true(passes(good, COUNT_OF(good)));
    assert_false(passes(good, 1));
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        const struct event_term both[] = {good[1], bad[i]};

        assert_false(passes(&bad[i], 1));
        assert_int_equal(passes(both, 2), bad[i].kind == EVENT_TERM_SUBJECT);
    }
}

static struct ring_event *
make_event(uint64_t position, size_t cost)
{
    struct ring_event *event = calloc(1, sizeof *event);

    assert_non_null(event);
    event->position = position;
    event->traits = (struct event_traits){"", "", "", "", "", "", ""};
    event->frame = event->json = "";
    event->cost_bytes = cost;
    return event;
}

static void
the_ring_keeps_what_fits_and_knows_from_where_it_is_whole(void **context)
{
    struct ring *ring;
    const struct mono now = {1000000000};

    (void)context;
    assert_false(failed(ring_create(1000, NULL, &ring)));
    assert_false(ring_live(ring, now));
    ring_restart(ring, 10);
    for (uint64_t position = 11; position <= 20; position += 2)
        ring_add(ring, make_event(position, 300));
    ring_advance(ring, 25, 30, now);
    assert_int_equal(ring_after(ring), 13);
    assert_int_equal(ring_through(ring), 25);
    assert_int_equal(ring_head(ring), 30);
    assert_int_equal(ring_next(ring, 0)->position, 15);
    assert_int_equal(ring_next(ring, 15)->position, 17);
    assert_int_equal(ring_next(ring, 18)->position, 19);
    assert_null(ring_next(ring, 19));
    assert_true(ring_live(ring, mono_add_ms(now, RING_LIVE_MS - 1)));
    assert_false(ring_live(ring, mono_add_ms(now, RING_LIVE_MS + 1)));
    ring_restart(ring, 100);
    assert_null(ring_next(ring, 0));
    assert_int_equal(ring_after(ring), 100);
    ring_destroy(&ring);
}

static void
the_ring_never_holds_more_events_than_it_has_places(void **context)
{
    struct ring *ring;

    (void)context;
    assert_false(failed(ring_create((size_t)1 << 40, NULL, &ring)));
    for (uint64_t position = 1; position <= RING_EVENTS + 100; position++)
        ring_add(ring, make_event(position, 1));
    assert_int_equal(ring_after(ring), 100);
    assert_int_equal(ring_next(ring, 0)->position, 101);
    assert_int_equal(ring_next(ring, RING_EVENTS + 99)->position, RING_EVENTS + 100);
    ring_destroy(&ring);
}

/* Events as JSON */

struct sample {
    Io__Cloudevents__V1__CloudEvent event;
    Google__Protobuf__Any any;
    Io__Cloudevents__V1__CloudEvent__CloudEventAttributeValue values[3];
    Io__Cloudevents__V1__CloudEvent__AttributesEntry entries[3];
    Io__Cloudevents__V1__CloudEvent__AttributesEntry *list[3];
};

static void
set_attribute(struct sample *sample, size_t i, const char *name, const char *value)
{
    io__cloudevents__v1__cloud_event__cloud_event_attribute_value__init(&sample->values[i]);
    io__cloudevents__v1__cloud_event__attributes_entry__init(&sample->entries[i]);
    sample->values[i].attr_case =
        IO__CLOUDEVENTS__V1__CLOUD_EVENT__CLOUD_EVENT_ATTRIBUTE_VALUE__ATTR_CE_STRING;
    sample->values[i].ce_string = value;
    sample->entries[i].key = name;
    sample->entries[i].value = &sample->values[i];
    sample->list[i] = &sample->entries[i];
}

static void
make_sample(struct sample *sample, const char *type, const char *type_url, struct bytes data)
{
    io__cloudevents__v1__cloud_event__init(&sample->event);
    google__protobuf__any__init(&sample->any);
    sample->event.id = "e-1";
    sample->event.source = "/samverka";
    sample->event.spec_version = "1.0";
    sample->event.type = type;
    set_attribute(sample, 0, "sequence", "0000000000000000042");
    set_attribute(sample, 1, "tenantid", mine);
    set_attribute(sample, 2, "datacontenttype", "application/protobuf");
    sample->event.attributes = sample->list;
    sample->event.n_attributes = 3;
    sample->any.type_url = (char *)(uintptr_t)type_url;
    sample->any.value.data = (uint8_t *)(uintptr_t)data.data;
    sample->any.value.len = data.size;
    sample->event.data_case = IO__CLOUDEVENTS__V1__CLOUD_EVENT__DATA_PROTO_DATA;
    sample->event.proto_data = &sample->any;
}

static void
an_event_goes_out_with_its_data_as_json(void **context)
{
    struct arena arena;
    struct event_json *events;
    struct ring_event *made;
    struct sample sample;
    Registry__V1__NeedPublished need = REGISTRY__V1__NEED_PUBLISHED__INIT;
    struct bytes packed;

    (void)context;
    arena_init(&arena, ARENA_CALL_BYTES);
    need.need_id = "n-1";
    need.organisation_id = "o-1";
    assert_false(failed(wire_pack(&need.base, &arena, &packed)));
    make_sample(&sample, "org.samverka.need.published.v1",
                "type.googleapis.com/registry.v1.NeedPublished", packed);
    assert_false(failed(event_json_create(&arena, &events)));
    made = feed_make_event(events, &sample.event, &arena);
    assert_non_null(made);
    assert_int_equal(made->position, 42);
    assert_string_equal(made->traits.tenant_id, mine);
    assert_string_equal(made->traits.audience, "");
    assert_memory_equal(made->frame, "id: 42\ndata: {\"specversion\":\"1.0\",", 34);
    assert_memory_equal(made->frame + made->frame_size - 2, "\n\n", 2);
    assert_int_equal(made->json[made->json_size - 1], '}');
    assert_non_null(strstr(made->frame, "\"datacontenttype\":\"application/json\",\"data\":{"));
    assert_non_null(strstr(made->frame, "\"needId\":\"n-1\""));
    assert_null(strstr(made->frame, "application/protobuf"));
    free(made);
    event_json_destroy(&events);
    arena_fini(&arena);
}

static void
data_of_an_unknown_type_goes_out_as_it_is(void **context)
{
    struct arena arena;
    struct event_json *events;
    struct ring_event *made;
    struct sample sample;

    (void)context;
    arena_init(&arena, ARENA_CALL_BYTES);
    make_sample(&sample, "com.example.thing", "type.googleapis.com/com.example.Thing",
                (struct bytes){(const uint8_t *)"\x00\x01\xff", 3});
    assert_false(failed(event_json_create(&arena, &events)));
    made = feed_make_event(events, &sample.event, &arena);
    assert_non_null(made);
    assert_non_null(strstr(made->frame, "\"datacontenttype\":\"application/protobuf\","
                                        "\"data_base64\":\"AAH/\"}"));
    free(made);
    event_json_destroy(&events);
    arena_fini(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_sees_the_own_the_public_and_the_shared_but_nothing_internal),
        cmocka_unit_test(types_are_chosen_by_their_beginning),
        cmocka_unit_test(one_term_of_each_kind_must_fit),
        cmocka_unit_test(the_ring_keeps_what_fits_and_knows_from_where_it_is_whole),
        cmocka_unit_test(the_ring_never_holds_more_events_than_it_has_places),
        cmocka_unit_test(an_event_goes_out_with_its_data_as_json),
        cmocka_unit_test(data_of_an_unknown_type_goes_out_as_it_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
