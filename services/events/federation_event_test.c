#include "services/events/federation_event.h"

#include <inttypes.h>
#include <string.h>

#include "io/cloudevents/v1/cloudevents.pb-c.h"
#include "services/events/federation_peer.h"
#include "services/events/test_sample.h"

#define PEER "https://lund.example"
#define OWN "https://dalarna.example"
#define FOREIGN_TYPE "com.example.opened.v1" /* that this version does not know */
#define KEY "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7"

static const struct federation_roots roots = {.peer = PEER, .own = OWN};
static const struct federation_range range = {.after = 6, .through = 9};
static struct arena arena;

static int
setup(void **state)
{
    (void)state;
    arena_init(&arena, (size_t)16 << 20);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static struct sample
good(void)
{
    return (struct sample){.source = PEER "/tenants/" SAMPLE_TENANT,
                           .type = FOREIGN_TYPE,
                           .tenant_id = SAMPLE_TENANT,
                           .audience = "public",
                           .subject = "s-1",
                           .data_bytes = 40};
}

static struct bytes
concatenate(struct bytes a, struct bytes b)
{
    uint8_t *data = arena_alloc(&arena, a.size + b.size + 1);

    if (a.size)
        memcpy(data, a.data, a.size);
    memcpy(data + a.size, b.data, b.size);
    return (struct bytes){data, a.size + b.size};
}

/* As the peer's log stores it: numbers behind the event's own bytes. */
static struct bytes
stored(struct bytes event, uint64_t position)
{
    uint8_t *numbers =
        arena_alloc(&arena, PACKED_SEQUENCE_BYTES + PACKED_TENANT_SEQUENCE_BYTES);
    size_t size = packed_put_sequence(numbers, position);

    size += packed_put_tenant_sequence(numbers + size, 3);
    return concatenate(event, (struct bytes){numbers, size});
}

static struct status
take_in(struct bytes foreign, struct federation_event *ret)
{
    return federation_event_take(&roots, range, foreign, &arena, ret);
}

#define assert_refused(foreign, reason)                                                        \
    do {                                                                                       \
        struct federation_event refused_;                                                      \
        assert_fails(take_in((foreign), &refused_), INVALID_ARGUMENT, reason);                 \
    } while (0)

static void
an_event_keeps_every_byte_but_its_numbers(void **state)
{
    const struct bytes event = sample_pack(&arena, good());
    struct federation_event taken;
    uint8_t origin[PACKED_ORIGIN_BYTES];

    (void)state;
    assert_ok(take_in(stored(event, 7), &taken));
    assert_int_equal(packed_put_origin(origin, 7), PACKED_ORIGIN_BYTES);
    assert_int_equal(taken.packed.size, event.size + sizeof origin);
    assert_memory_equal(taken.packed.data, event.data, event.size);
    assert_memory_equal(taken.packed.data + event.size, origin, sizeof origin);
    assert_int_equal(taken.position, 7);
    assert_string_equal(taken.tenant_id, SAMPLE_TENANT);
    assert_true(bytes_are(taken.parts.audience, "public"));
    assert_string_equal(sample_attribute(&arena, taken.packed, "originsequence"),
                        "0000000000000000007");
    assert_string_equal(sample_attribute(&arena, taken.packed, "sequence"), "");
    assert_string_equal(sample_attribute(&arena, taken.packed, "tenantsequence"), "");
    assert_string_equal(sample_attribute(&arena, taken.packed, "subject"), "s-1");
}

/* Golden bytes: what is stored once is stored for ever. */
static void
the_new_attribute_has_these_bytes(void **state)
{
    static const char golden[] = "\x2a\x27\x0a\x0eoriginsequence\x12\x15\x1a\x13"
                                 "0000000000000000042";
    uint8_t origin[PACKED_ORIGIN_BYTES];

    (void)state;
    assert_int_equal(packed_put_origin(origin, 42), sizeof golden - 1);
    assert_memory_equal(origin, golden, sizeof golden - 1);
}

/* Wherever the numbers stand among the fields, the rest stays in its order. */
static void
numbers_are_found_wherever_they_stand(void **state)
{
    uint8_t sequence[PACKED_SEQUENCE_BYTES], tenant[PACKED_TENANT_SEQUENCE_BYTES];
    const struct bytes event = sample_pack(&arena, good());
    const struct bytes unknown = {(const uint8_t *)"\x7a\x02hi", 4}; /* field 15 */
    const struct bytes numbers[] = {
        {sequence, packed_put_sequence(sequence, 9)},
        {tenant, packed_put_tenant_sequence(tenant, 4)},
    };
    const struct bytes pieces[][5] = {
        {numbers[0], numbers[1], event, unknown, {0}},
        {numbers[1], event, unknown, numbers[0], {0}},
        {numbers[0], event, numbers[1], unknown, {0}},
        {event, unknown, numbers[0], {0}, {0}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        const struct bytes wanted = concatenate(event, unknown);
        struct bytes foreign = {0};
        struct federation_event taken;

        for (size_t j = 0; pieces[i][j].data; j++)
            foreign = concatenate(foreign, pieces[i][j]);
        assert_ok(take_in(foreign, &taken));
        assert_int_equal(taken.packed.size, wanted.size + PACKED_ORIGIN_BYTES);
        assert_memory_equal(taken.packed.data, wanted.data, wanted.size);
    }
}

static void
an_attribute_that_json_or_a_header_would_misread_is_refused(void **state)
{
    static const char *const bad[] = {"id",   "source", "specversion",   "type", "data",
                                      "Nuts", "a-b",    "x\r\nx-evil:1", "a\"b", "å"};
    struct sample sample = good();
    struct federation_event taken;

    (void)state;
    sample.extra_text = "x";
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        sample.extra_name = bad[i];
        assert_refused(stored(sample_pack(&arena, sample), 7), "form");
    }
    sample.extra_name = "iscedf2013";
    assert_ok(take_in(stored(sample_pack(&arena, sample), 7), &taken));
}

static void
only_public_events_of_the_peer_itself_are_taken(void **state)
{
    static const char *const audiences[] = {NULL,     "",         "internal",
                                            "Public", "public,x", SAMPLE_TENANT};
    static const char *const strangers[] = {"https://lund.example.org/tenants/x", "/samverka",
                                            "https://lund.exampl"};
    struct sample sample;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(audiences); i++) {
        sample = good();
        sample.audience = audiences[i];
        assert_refused(stored(sample_pack(&arena, sample), 7), "audience");
    }
    for (size_t i = 0; i < COUNT_OF(strangers); i++) {
        sample = good();
        sample.source = strangers[i];
        assert_refused(stored(sample_pack(&arena, sample), 7), "source");
    }
    sample = good();
    sample.source = OWN "/tenants/" SAMPLE_TENANT;
    assert_refused(stored(sample_pack(&arena, sample), 7), "own");
}

static void
what_came_from_elsewhere_is_not_taken_again(void **state)
{
    struct sample sample = good();

    (void)state;
    sample.extra_name = "originsequence";
    sample.extra_text = "0000000000000000001";
    assert_refused(stored(sample_pack(&arena, sample), 7), "forwarded");
    /* Our own event, as it comes back from the peer. */
    sample.source = OWN "/tenants/" SAMPLE_TENANT;
    assert_refused(stored(sample_pack(&arena, sample), 7), "forwarded");
}

static void
a_position_comes_in_its_turn(void **state)
{
    static const char *const bad[] = {"", "7x", "-7", "9223372036854775808",
                                      "99999999999999999999"};
    struct sample sample = good();

    (void)state;
    assert_refused(sample_pack(&arena, sample), "sequence");
    assert_refused(stored(sample_pack(&arena, sample), 6), "sequence");
    assert_refused(stored(sample_pack(&arena, sample), 10), "sequence");
    sample.extra_name = "sequence";
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        sample.extra_text = bad[i];
        assert_refused(sample_pack(&arena, sample), "sequence");
    }
}

static void
the_tenant_is_a_uuid(void **state)
{
    static const char *const bad[] = {NULL, "", "lund", "0193A000-0000-7000-8000-000000000001",
                                      "0193a000-0000-7000-8000-0000000000011"};
    struct sample sample = good();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        sample.tenant_id = bad[i];
        assert_refused(stored(sample_pack(&arena, sample), 7), "tenant");
    }
}

static void
bytes_that_make_no_event_or_two_are_refused(void **state)
{
    const struct bytes event = stored(sample_pack(&arena, good()), 7);
    struct sample large = good();

    (void)state;
    for (size_t size = 0; size < event.size; size++) {
        struct federation_event taken;

        if (size == event.size - PACKED_TENANT_SEQUENCE_BYTES)
            continue; /* whole, without the number that nobody needs here */
        assert_int_equal(take_in((struct bytes){event.data, size}, &taken).code,
                         CODE_INVALID_ARGUMENT);
    }
    assert_refused(concatenate(event, event), "form");
    assert_refused(stored(event, 8), "form"); /* two positions */
    large.data_bytes = PACKED_EVENT_BYTES + 100;
    assert_refused(stored(sample_pack(&arena, large), 7), "size");
    /* Within the bounds of a stored event, but too large without its numbers. */
    large.data_bytes = PACKED_EVENT_BYTES - 400;
    while (sample_pack(&arena, large).size <= PACKED_EVENT_BYTES)
        large.data_bytes++;
    assert_refused(stored(sample_pack(&arena, large), 7), "size");
    large.data_bytes--;
    assert_ok(take_in(stored(sample_pack(&arena, large), 7), &(struct federation_event){0}));
}

/* An event with a message of the contract as its data. */
static struct bytes
with_data(const char *type, const char *message, const void *data, size_t size)
{
    uint8_t any[256], field[300];
    struct bytes event;
    struct sample sample = good();
    size_t at = 0;

    sample.type = type;
    event = sample_pack(&arena, sample);
    any[at++] = 0x0a;
    any[at++] = (uint8_t)strlen(message);
    memcpy(any + at, message, strlen(message));
    at += strlen(message);
    any[at++] = 0x12;
    any[at++] = (uint8_t)size;
    memcpy(any + at, data, size);
    at += size;
    field[0] = 0x42; /* proto_data */
    field[1] = (uint8_t)at;
    memcpy(field + 2, any, at);
    /* In the place of the sample's binary data, which stands last. */
    return stored(
        concatenate((struct bytes){event.data, event.size - 42}, (struct bytes){field, at + 2}),
        7);
}

static void
a_known_type_brings_its_own_message_and_no_internal_one_comes(void **state)
{
    static const char published[] = "type.googleapis.com/registry.v1.NeedPublished";
    static const char withdrawn[] = "type.googleapis.com/registry.v1.NeedWithdrawn";
    struct federation_event taken;

    (void)state;
    assert_ok(take_in(with_data("org.samverka.need.published.v1", published, "\x0a\x01x", 3),
                      &taken));
    assert_refused(with_data("org.samverka.need.published.v1", withdrawn, "\x0a\x01x", 3),
                   "data");
    assert_refused(with_data("org.samverka.need.published.v1", published, "\x0a\x05x", 3),
                   "data");
    assert_refused(with_data("org.samverka.profile.changed.v1",
                             "type.googleapis.com/registry.v1.ProfileChanged", "", 0),
                   "type");
}

static struct status
parse(const char *text, struct federation_peer *peers, size_t *count)
{
    return federation_peers_parse(text, OWN, &arena, peers, count);
}

static void
peers_are_read_from_the_setting(void **state)
{
    struct federation_peer peers[FEDERATION_PEERS_MAX];
    size_t count;

    (void)state;
    assert_ok(parse("", peers, &count));
    assert_int_equal(count, 0);
    assert_ok(parse("lund=tcp://events.lund.example:5570#" KEY "@" PEER
                    "; uef=tcp://10.0.0.7:5570,tcp://10.0.0.8:5570#" KEY "@/samverka-uef",
                    peers, &count));
    assert_int_equal(count, 2);
    assert_string_equal(peers[0].name, "lund");
    assert_string_equal(peers[0].endpoints, "tcp://events.lund.example:5570");
    assert_string_equal(peers[0].key, KEY);
    assert_string_equal(peers[0].source, PEER);
    assert_string_equal(peers[1].name, "uef");
    assert_string_equal(peers[1].endpoints, "tcp://10.0.0.7:5570,tcp://10.0.0.8:5570");
    assert_string_equal(peers[1].source, "/samverka-uef");
}

static void
a_fault_of_the_setting_names_the_peer_and_its_part(void **state)
{
    static const char good_one[] = "lund=tcp://a:1#" KEY "@" PEER;
    const struct {
        const char *text, *words;
    } bad[] = {
        {"lund", "peer 1, form"},
        {"lund=tcp://a:1", "peer 1, form"},
        {"Lund=tcp://a:1#" KEY "@" PEER, "peer 1, name"},
        {"=tcp://a:1#" KEY "@" PEER, "peer 1, name"},
        {"lund=a:1#" KEY "@" PEER, "peer 1, endpoint"},
        {"lund=tcp://a:1#short@" PEER, "peer 1, key"},
        {"lund=tcp://a:1#" KEY, "peer 1, root"},
        {"lund=tcp://a:1#" KEY "@", "peer 1, root"},
        {"lund=tcp://a:1#" KEY "@" PEER "/", "peer 1, root"},
        {"lund=tcp://a:1#" KEY "@" OWN, "overlap"},
        {"lund=tcp://a:1#" KEY "@" OWN "/more", "overlap"},
        {"lund=tcp://a:1#" KEY "@" PEER ";", "peer 2, form"},
        {"lund=tcp://a:1#" KEY "@" PEER ";lund=tcp://a:1#" KEY "@/x", "peer 2, name"},
        {"lund=tcp://a:1#" KEY "@" PEER ";uef=tcp://a:1#" KEY "@" PEER, "peer 2, root"},
    };
    struct federation_peer peers[FEDERATION_PEERS_MAX];
    char many[20 * sizeof good_one] = "";
    size_t count;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        const struct status status = parse(bad[i].text, peers, &count);

        assert_int_equal(status.code, CODE_INVALID_ARGUMENT);
        assert_string_equal(status.field, "federation_peers");
        if (!strstr(status.detail, bad[i].words))
            fail_msg("%s: %s", bad[i].text, status.detail);
    }
    assert_ok(parse("lund=tcp://a:1#" KEY "@https://dalarna", peers, &count)); /* another's */
    for (int i = 0; i < 17; i++)
        (void)snprintf(many + strlen(many), sizeof many - strlen(many),
                       "%sp%d=tcp://a:1#%s@/p%d", i ? ";" : "", i, KEY, i);
    assert_fails(parse(many, peers, &count), INVALID_ARGUMENT, "federation_peers");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_event_keeps_every_byte_but_its_numbers),
        TEST(the_new_attribute_has_these_bytes),
        TEST(numbers_are_found_wherever_they_stand),
        TEST(an_attribute_that_json_or_a_header_would_misread_is_refused),
        TEST(only_public_events_of_the_peer_itself_are_taken),
        TEST(what_came_from_elsewhere_is_not_taken_again),
        TEST(a_position_comes_in_its_turn),
        TEST(the_tenant_is_a_uuid),
        TEST(bytes_that_make_no_event_or_two_are_refused),
        TEST(a_known_type_brings_its_own_message_and_no_internal_one_comes),
        TEST(peers_are_read_from_the_setting),
        TEST(a_fault_of_the_setting_names_the_peer_and_its_part),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
