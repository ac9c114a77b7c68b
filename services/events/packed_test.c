#include "services/events/packed.h"

#include <sodium.h>
#include <string.h>

#include "io/cloudevents/v1/cloudevents.pb-c.h"
#include "services/events/test_sample.h"

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

static struct bytes
concatenate(struct bytes a, const void *more, size_t size)
{
    uint8_t *data = arena_alloc(&arena, a.size + size + 1);

    memcpy(data, a.data, a.size);
    memcpy(data + a.size, more, size);
    return (struct bytes){data, a.size + size};
}

static struct bytes
good(void)
{
    return sample_pack(&arena, (struct sample){.tenant_id = SAMPLE_TENANT,
                                               .audience = "public",
                                               .subject = "s-1",
                                               .data_bytes = 40});
}

static void
the_parts_of_an_event_are_found_where_they_stand(void **state)
{
    const struct bytes event = good();
    struct packed_event parts;

    (void)state;
    assert_ok(packed_check_outbox(event, SAMPLE_TENANT, false, &arena, &parts));
    assert_true(bytes_are(parts.type, SAMPLE_TYPE));
    assert_true(bytes_are(parts.tenant_id, SAMPLE_TENANT));
    assert_true(bytes_are(parts.audience, "public"));
    assert_true(bytes_are(parts.subject, "s-1"));
    assert_false(parts.numbered);
    assert_in_range((uintptr_t)parts.type.data, (uintptr_t)event.data,
                    (uintptr_t)event.data + event.size);
}

static void
appended_numbers_are_attributes_of_the_event_for_any_reader(void **state)
{
    uint8_t numbers[PACKED_SEQUENCE_BYTES + PACKED_TENANT_SEQUENCE_BYTES + PACKED_TENANT_BYTES];
    const struct bytes event = sample_pack(&arena, (struct sample){.subject = "s-1"});
    struct bytes stored;
    struct packed_event parts;
    size_t size = packed_put_tenant(numbers, SAMPLE_TENANT);

    (void)state;
    assert_int_equal(size, PACKED_TENANT_BYTES);
    assert_int_equal(packed_put_sequence(numbers + size, 42), PACKED_SEQUENCE_BYTES);
    size += PACKED_SEQUENCE_BYTES;
    assert_int_equal(packed_put_tenant_sequence(numbers + size, INT64_MAX),
                     PACKED_TENANT_SEQUENCE_BYTES);
    stored = concatenate(event, numbers, sizeof numbers);
    assert_string_equal(sample_attribute(&arena, stored, "sequence"), "0000000000000000042");
    assert_string_equal(sample_attribute(&arena, stored, "tenantsequence"),
                        "9223372036854775807");
    assert_string_equal(sample_attribute(&arena, stored, "tenantid"), SAMPLE_TENANT);
    assert_string_equal(sample_attribute(&arena, stored, "subject"), "s-1");
    assert_ok(packed_scan(stored, &arena, &parts));
    assert_true(parts.numbered);
    assert_true(bytes_are(parts.tenant_id, SAMPLE_TENANT));
}

static void
an_event_without_its_required_parts_is_refused_by_name(void **state)
{
    struct packed_event parts;

    (void)state;
#define REFUSED(path, ...)                                                                     \
    assert_fails(packed_check_outbox(sample_pack(&arena, (struct sample){__VA_ARGS__}),        \
                                     SAMPLE_TENANT, false, &arena, &parts),                    \
                 INVALID_ARGUMENT, path)
    REFUSED("id", .tenant_id = SAMPLE_TENANT, .id = "");
    REFUSED("source", .tenant_id = SAMPLE_TENANT, .source = "");
    REFUSED("type", .tenant_id = SAMPLE_TENANT, .type = "");
    REFUSED("spec_version", .tenant_id = SAMPLE_TENANT, .version = "0.3");
    REFUSED("attributes.tenantid", .audience = "public");
    REFUSED("attributes.tenantid", .tenant_id = SAMPLE_OTHER_TENANT);
    REFUSED("attributes.audience", .tenant_id = SAMPLE_TENANT, .audience = "internal");
    REFUSED("attributes.sequence", .tenant_id = SAMPLE_TENANT, .extra_name = "sequence",
            .extra_text = "0000000000000000001");
    REFUSED("attributes.sequence", .tenant_id = SAMPLE_TENANT, .extra_name = "tenantsequence",
            .extra_text = "1");
}

static void
an_internal_row_must_hold_an_internal_event(void **state)
{
    const struct bytes internal = sample_pack(
        &arena, (struct sample){.tenant_id = SAMPLE_TENANT, .audience = "internal"});
    struct packed_event parts;

    (void)state;
    assert_ok(packed_check_outbox(internal, SAMPLE_TENANT, true, &arena, &parts));
    assert_fails(packed_check_outbox(good(), SAMPLE_TENANT, true, &arena, &parts),
                 INVALID_ARGUMENT, "attributes.audience");
}

static void
an_event_that_two_readers_could_read_differently_is_refused(void **state)
{
    static const uint8_t second_type[] = {0x22, 1, 'x'};
    static const uint8_t second_data[] = {0x3a, 1, 'x'};
    uint8_t second_tenant[PACKED_TENANT_BYTES];
    /* attributes: {key "zz", value {"public"}, value {"internal"}} */
    static const char two_values[] = "\x2a\x1a\x0a\x02zz\x12\x08\x1a\x06public"
                                     "\x12\x0a\x1a\x08internal";
    struct packed_event parts;

    (void)state;
    (void)packed_put_tenant(second_tenant, SAMPLE_OTHER_TENANT);
    assert_fails(
        packed_scan(concatenate(good(), second_type, sizeof second_type), &arena, &parts),
        INVALID_ARGUMENT, "type");
    assert_fails(
        packed_scan(concatenate(good(), second_data, sizeof second_data), &arena, &parts),
        INVALID_ARGUMENT, "data");
    assert_fails(
        packed_scan(concatenate(good(), second_tenant, sizeof second_tenant), &arena, &parts),
        INVALID_ARGUMENT, "attributes");
    assert_fails(
        packed_scan(concatenate(good(), two_values, sizeof two_values - 1), &arena, &parts),
        INVALID_ARGUMENT, "attributes");
}

static void
an_attribute_that_is_looked_at_must_be_a_text(void **state)
{
    static const char no_value[] = "\x2a\x0a\x0a\x08tenantid";
    static const char a_number[] = "\x2a\x0e\x0a\x08"
                                   "audience\x12\x02\x10\x01";
    const struct bytes event = sample_pack(&arena, (struct sample){.source = "/import"});
    struct packed_event parts;

    (void)state;
    assert_fails(packed_check_append(concatenate(event, no_value, sizeof no_value - 1),
                                     "/import", &arena, &parts),
                 INVALID_ARGUMENT, "attributes.tenantid");
    assert_fails(packed_check_append(concatenate(event, a_number, sizeof a_number - 1),
                                     "/import", &arena, &parts),
                 INVALID_ARGUMENT, "attributes.audience");
}

static void
unknown_fields_are_kept(void **state)
{
    static const uint8_t unknown[] = {0xa2, 0x06, 3, 'a', 'b', 'c', 0xa8, 0x06, 7};
    const struct bytes event = concatenate(good(), unknown, sizeof unknown);
    struct packed_event parts;

    (void)state;
    assert_ok(packed_check_outbox(event, SAMPLE_TENANT, false, &arena, &parts));
}

/* Each prefix stands alone on the heap, so that the sanitizer sees a byte read behind it. */
static void
a_cut_event_is_never_read_beyond_its_end(void **state)
{
    const struct bytes event = good();
    size_t refused = 0;

    (void)state;
    for (size_t size = 0; size < event.size; size++) {
        uint8_t *prefix = malloc(size ? size : 1);
        struct packed_event parts = {0};

        assert_non_null(prefix);
        memcpy(prefix, event.data, size);
        refused += failed(packed_scan((struct bytes){prefix, size}, &arena, &parts));
        free(prefix);
    }
    assert_in_range(refused, event.size - 8, event.size - 1); /* whole fields may be missing */
}

static void
an_event_above_16_kib_is_refused(void **state)
{
    const struct bytes large = sample_pack(
        &arena, (struct sample){.tenant_id = SAMPLE_TENANT, .data_bytes = 16 << 10});
    struct packed_event parts;

    (void)state;
    assert_fails(packed_check_outbox(large, SAMPLE_TENANT, false, &arena, &parts), TOO_LARGE,
                 NULL);
}

static void
an_append_may_not_set_what_the_log_gives(void **state)
{
    struct packed_event parts;

    (void)state;
    assert_ok(packed_check_append(sample_pack(&arena, (struct sample){.source = "/import/a"}),
                                  "/import", &arena, &parts));
    assert_fails(packed_check_append(sample_pack(&arena, (struct sample){.source = "/other"}),
                                     "/import", &arena, &parts),
                 INVALID_ARGUMENT, "source");
    assert_fails(
        packed_check_append(sample_pack(&arena, (struct sample){.source = "/import/a",
                                                                .tenant_id = SAMPLE_TENANT}),
                            "/import", &arena, &parts),
        INVALID_ARGUMENT, "attributes.tenantid");
    assert_fails(packed_check_append(sample_pack(&arena, (struct sample){.source = "/import/a",
                                                                         .audience = "public"}),
                                     "/import", &arena, &parts),
                 INVALID_ARGUMENT, "attributes.audience");
}

static void
a_batch_gives_its_events_one_by_one(void **state)
{
    const struct bytes events[] = {good(), sample_pack(&arena, (struct sample){0})};
    struct bytes batch = sample_batch(&arena, events, 2), cut = batch, event;
    bool broken = true;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_true(packed_next(&batch, &event, &broken));
        assert_memory_equal(event.data, events[i].data, events[i].size);
    }
    assert_false(packed_next(&batch, &event, &broken));
    assert_false(broken);
    cut.size--;
    assert_true(packed_next(&cut, &event, &broken));
    assert_false(packed_next(&cut, &event, &broken));
    assert_true(broken);
}

static void
the_chain_depends_on_every_byte_and_on_the_tenant(void **state)
{
    uint8_t one[PACKED_HASH_BYTES], same[PACKED_HASH_BYTES], other[PACKED_HASH_BYTES];
    uint8_t expected[PACKED_HASH_BYTES], input[PACKED_HASH_BYTES + 3];
    uint8_t changed[] = {'a', 'b', 'd'};

    (void)state;
    packed_chain_start(SAMPLE_TENANT, one);
    memcpy(input, one, sizeof one);
    memcpy(input + sizeof one, "abc", 3);
    assert_int_equal(
        crypto_generichash(expected, sizeof expected, input, sizeof input, NULL, 0), 0);
    packed_chain_start(SAMPLE_TENANT, same);
    packed_chain_start(SAMPLE_TENANT, other);
    packed_chain_extend(one, (struct bytes){(const uint8_t *)"abc", 3});
    assert_memory_equal(one, expected, sizeof one);
    packed_chain_extend(same, (struct bytes){(const uint8_t *)"abc", 3});
    assert_memory_equal(one, same, sizeof one);
    packed_chain_extend(other, (struct bytes){changed, 3});
    assert_memory_not_equal(one, other, sizeof one);
    packed_chain_start(SAMPLE_OTHER_TENANT, other);
    packed_chain_extend(other, (struct bytes){(const uint8_t *)"abc", 3});
    assert_memory_not_equal(one, other, sizeof one);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(the_parts_of_an_event_are_found_where_they_stand),
        TEST(appended_numbers_are_attributes_of_the_event_for_any_reader),
        TEST(an_event_without_its_required_parts_is_refused_by_name),
        TEST(an_internal_row_must_hold_an_internal_event),
        TEST(an_event_that_two_readers_could_read_differently_is_refused),
        TEST(an_attribute_that_is_looked_at_must_be_a_text),
        TEST(unknown_fields_are_kept),
        TEST(a_cut_event_is_never_read_beyond_its_end),
        TEST(an_event_above_16_kib_is_refused),
        TEST(an_append_may_not_set_what_the_log_gives),
        TEST(a_batch_gives_its_events_one_by_one),
        TEST(the_chain_depends_on_every_byte_and_on_the_tenant),
    };

    return cmocka_run_group_tests_name("packed", tests, NULL, NULL);
}
