#include "common/wire/message.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/test.h"
#include "google/protobuf/descriptor.pb-c.h"
#include "io/cloudevents/v1/cloudevents.pb-c.h"
#include "wire/v1/admin.pb-c.h"
#include "wire/v1/envelope.pb-c.h"

/* Fields of wire.v1.RequestHead and Principal by hand. */
#define ID 0x0a
#define ATTEMPT 0x18
#define PRINCIPAL 0x2a
#define ROLES 0x22
#define SUBJECT 0x12

static struct arena arena;

static int
begin(void **state)
{
    (void)state;
    arena_init(&arena, ARENA_CALL_BYTES);
    return 0;
}

static int
end(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static struct status
check(const ProtobufCMessageDescriptor *descriptor, const void *data, size_t size)
{
    return wire_check(descriptor, (struct bytes){data, size}, &arena);
}

#define HEAD(...)                                                                              \
    check(&wire__v1__request_head__descriptor, (const uint8_t[]){__VA_ARGS__},                 \
          sizeof((const uint8_t[]){__VA_ARGS__}))

#define ASSERT_REFUSED(checked, field_wanted, part)                                            \
    do {                                                                                       \
        const struct status refused_ = (checked);                                              \
        assert_int_equal(refused_.code, CODE_INVALID_ARGUMENT);                                \
        if ((field_wanted)[0])                                                                 \
            assert_string_equal(refused_.field, field_wanted);                                 \
        else                                                                                   \
            assert_null(refused_.field);                                                       \
        if (!strstr(refused_.detail, part))                                                    \
            fail_msg("\"%s\" does not say \"%s\"", refused_.detail, part);                     \
    } while (0)

static void
a_good_message_passes_and_comes_back_equal(void **state)
{
    Wire__V1__RequestHead head = WIRE__V1__REQUEST_HEAD__INIT;
    Wire__V1__Principal principal = WIRE__V1__PRINCIPAL__INIT;
    Wire__V1__Role roles[] = {WIRE__V1__ROLE__STUDENT, WIRE__V1__ROLE__GRADUATE};
    const Wire__V1__RequestHead *back;
    ProtobufCMessage *message;
    struct bytes packed;

    (void)state;
    head.id = "id";
    head.method = "räksmörgås";
    head.attempt = 3000000000u;
    head.principal = &principal;
    principal.roles = roles;
    principal.n_roles = 2;
    assert_int_equal(wire_pack(&head.base, &arena, &packed).code, CODE_OK);
    assert_int_equal(
        wire_unpack(&wire__v1__request_head__descriptor, packed, &arena, &message).code,
        CODE_OK);
    back = (const Wire__V1__RequestHead *)message;
    assert_string_equal(back->method, "räksmörgås");
    assert_int_equal(back->attempt, 3000000000u);
    assert_int_equal(back->principal->n_roles, 2);
    assert_int_equal(back->principal->roles[1], WIRE__V1__ROLE__GRADUATE);
}

static void
an_empty_message_is_a_message(void **state)
{
    ProtobufCMessage *message;

    (void)state;
    assert_int_equal(wire_unpack(&wire__v1__request_head__descriptor, (struct bytes){NULL, 0},
                                 &arena, &message)
                         .code,
                     CODE_OK);
}

static void
a_message_above_one_mebibyte_is_too_large(void **state)
{
    uint8_t *large = calloc(1, WIRE_MESSAGE_BYTES + 1);
    const uint8_t start[] = {0x0a, 0xfc, 0xff, 0x3f}; /* payload of 1 MiB - 4 bytes */

    (void)state;
    assert_non_null(large);
    memcpy(large, start, sizeof start);
    assert_int_equal(check(&wire__v1__ping_request__descriptor, large, WIRE_MESSAGE_BYTES).code,
                     CODE_OK);
    assert_int_equal(
        check(&wire__v1__ping_request__descriptor, large, WIRE_MESSAGE_BYTES + 1).code,
        CODE_TOO_LARGE);
    free(large);
}

/* google.protobuf.DescriptorProto.nested_type (3) is the recursive message at hand. */
static size_t
nest(uint8_t *into, size_t room, unsigned depth)
{
    size_t at = room;

    while (depth-- > 0 && at >= 3) {
        size_t size = room - at;

        if (size >= 0x80)
            into[--at] = (uint8_t)(size >> 7);
        into[--at] = (uint8_t)(size >= 0x80 ? (size & 0x7f) | 0x80 : size);
        into[--at] = 3 << 3 | 2;
    }
    memmove(into, into + at, room - at);
    return room - at;
}

static void
sixteen_levels_pass_and_seventeen_do_not(void **state)
{
    uint8_t packed[64];
    struct status status;

    (void)state;
    assert_int_equal(check(&google__protobuf__descriptor_proto__descriptor, packed,
                           nest(packed, sizeof packed, WIRE_DEPTH - 1))
                         .code,
                     CODE_OK);
    status = check(&google__protobuf__descriptor_proto__descriptor, packed,
                   nest(packed, sizeof packed, WIRE_DEPTH));
    assert_int_equal(status.code, CODE_INVALID_ARGUMENT);
    assert_non_null(strstr(status.field, "nested_type[0].nested_type[0]"));
    assert_non_null(strstr(status.detail, "too deeply"));
}

static void
thousands_of_levels_harm_nobody(void **state)
{
    const size_t levels = 5000, room = levels * 3;
    uint8_t *packed = malloc(room);

    (void)state;
    assert_non_null(packed);
    assert_int_equal(check(&google__protobuf__descriptor_proto__descriptor, packed,
                           nest(packed, room, levels))
                         .code,
                     CODE_INVALID_ARGUMENT);
    free(packed);
}

static void
truncation_is_found_at_every_byte(void **state)
{
    Wire__V1__RequestHead head = WIRE__V1__REQUEST_HEAD__INIT;
    Wire__V1__Principal principal = WIRE__V1__PRINCIPAL__INIT;
    unsigned refused = 0;
    struct bytes packed;

    (void)state;
    head.id = "0192d5b0-0000-7000-8000-000000000001";
    head.remaining_ms = 100000;
    principal.subject_id = "somebody";
    head.principal = &principal;
    assert_int_equal(wire_pack(&head.base, &arena, &packed).code, CODE_OK);
    for (size_t size = 0; size < packed.size; size++) {
        uint8_t *copy =
            malloc(size + 1); /* of its own, so that the sanitizer sees each overrun */

        assert_non_null(copy);
        memcpy(copy, packed.data, size);
        refused += failed(check(&wire__v1__request_head__descriptor, copy, size));
        free(copy);
    }
    assert_int_equal(refused,
                     packed.size - 3); /* whole: nothing, the id, and what follows it */
}

static void
text_must_be_utf8_without_nul(void **state)
{
    (void)state;
    ASSERT_REFUSED(HEAD(ID, 2, 0xc3, 0x28), "id", "UTF-8");
    ASSERT_REFUSED(HEAD(ID, 3, 'a', 0, 'b'), "id", "NUL");
    ASSERT_REFUSED(HEAD(ID, 2, 0xc0, 0x80), "id", "UTF-8");
    ASSERT_REFUSED(HEAD(ID, 3, 0xed, 0xa0, 0x80), "id", "UTF-8");
    ASSERT_REFUSED(HEAD(PRINCIPAL, 3, SUBJECT, 1, 0xff), "principal.subject_id", "UTF-8");
    assert_int_equal(HEAD(ID, 2, 0xc3, 0xa5).code, CODE_OK);
    assert_int_equal(check(&wire__v1__ping_request__descriptor, "\x0a\x02\x00\xff", 4).code,
                     CODE_OK);
}

static void
more_than_ten_thousand_fields_are_refused(void **state)
{
    const size_t size = (size_t)(WIRE_FIELDS + 1) * 2;
    uint8_t *packed = malloc(size);

    (void)state;
    assert_non_null(packed);
    for (size_t i = 0; i < size; i += 2) {
        packed[i] = ATTEMPT;
        packed[i + 1] = 1;
    }
    assert_int_equal(check(&wire__v1__request_head__descriptor, packed, size - 2).code,
                     CODE_OK);
    ASSERT_REFUSED(check(&wire__v1__request_head__descriptor, packed, size), "", "too many");
    free(packed);
}

static void
wire_types_must_fit_their_fields(void **state)
{
    (void)state;
    ASSERT_REFUSED(HEAD(1 << 3, 1), "id", "wire type");
    ASSERT_REFUSED(HEAD(3 << 3 | 2, 1, 1), "attempt", "wire type");
    ASSERT_REFUSED(HEAD(3 << 3 | 5, 1, 0, 0, 0), "attempt", "wire type");
    ASSERT_REFUSED(HEAD(3 << 3 | 1, 1, 0, 0, 0, 0, 0, 0, 0), "attempt", "wire type");
    ASSERT_REFUSED(HEAD(ID | 1), "id", "group");
    ASSERT_REFUSED(HEAD(99 << 3 >> 3 | 3, 1), "", "group");
    ASSERT_REFUSED(HEAD(20 << 3 | 6, 1), "", "wire type");
}

static void
varints_must_end_within_ten_bytes_and_64_bits(void **state)
{
    (void)state;
    ASSERT_REFUSED(HEAD(ATTEMPT, 0x80), "attempt", "varint");
    ASSERT_REFUSED(HEAD(ATTEMPT, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1),
                   "attempt", "varint");
    ASSERT_REFUSED(HEAD(ATTEMPT, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2),
                   "attempt", "varint");
    assert_int_equal(
        HEAD(ATTEMPT, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1).code, CODE_OK);
    ASSERT_REFUSED(HEAD(0x80, 0x80, 0x80, 0x80, 0x80, 1), "", "tag");
    ASSERT_REFUSED(HEAD(0x8a, 0x80), "", "tag");
    ASSERT_REFUSED(HEAD(ID, 0x80, 0x80, 0x80, 0x80, 0x80, 1), "id", "length");
    ASSERT_REFUSED(HEAD(ID, 0xff, 0xff, 0xff, 0xff, 0x0f), "id", "truncated");
    ASSERT_REFUSED(HEAD(0x00, 1), "", "number 0");
}

static void
packed_and_single_elements_are_both_checked(void **state)
{
    (void)state;
    assert_int_equal(HEAD(PRINCIPAL, 5, ROLES, 3, 13, 14, 99).code, CODE_OK); /* open enum */
    assert_int_equal(HEAD(PRINCIPAL, 4, 4 << 3, 13, 4 << 3, 14).code, CODE_OK);
    ASSERT_REFUSED(HEAD(PRINCIPAL, 4, ROLES, 2, 13, 0x80), "principal.roles[0]", "varint");
    ASSERT_REFUSED(HEAD(PRINCIPAL, 4, 4 << 3, 13, 4 << 3, 0x80), "principal.roles[1]",
                   "varint");
}

static void
a_fault_is_named_by_its_path(void **state)
{
    Wire__V1__StatsReply reply = WIRE__V1__STATS_REPLY__INIT;
    Wire__V1__MethodStats stats[3];
    Wire__V1__MethodStats *list[3];
    struct bytes packed;

    (void)state;
    for (int i = 0; i < 3; i++) {
        wire__v1__method_stats__init(&stats[i]);
        stats[i].method = i == 2 ? "b\xff" : "good";
        list[i] = &stats[i];
    }
    reply.methods = list;
    reply.n_methods = 3;
    reply.workers = 5;
    assert_int_equal(wire_pack(&reply.base, &arena, &packed).code, CODE_OK);
    ASSERT_REFUSED(wire_check(&wire__v1__stats_reply__descriptor, packed, &arena),
                   "methods[2].method", "methods[2].method is not UTF-8");
}

static void
unknown_fields_are_skipped_but_must_be_whole(void **state)
{
    (void)state;
    assert_int_equal(HEAD(0xf8, 0x01, 7).code, CODE_OK);          /* 31: varint */
    assert_int_equal(HEAD(0xfa, 0x01, 2, 0xff, 0).code, CODE_OK); /* 31: any bytes */
    assert_int_equal(HEAD(0xfd, 0x01, 1, 2, 3, 4).code, CODE_OK); /* 31: fixed32 */
    ASSERT_REFUSED(HEAD(0xfa, 0x01, 3, 1), "", "truncated");
    ASSERT_REFUSED(HEAD(0xfd, 0x01, 1, 2, 3), "", "truncated");
}

static void
maps_and_oneofs_are_walked(void **state)
{
    /* CloudEvent.attributes (5): map; value's ce_string (3) is part of a oneof. */
    static const uint8_t good[] = {0x2a, 9, 0x0a, 1, 'a', 0x12, 4, 0x1a, 2, 'h', 'i'};
    static const uint8_t bad[] = {0x2a, 9, 0x0a, 1, 'a', 0x12, 4, 0x1a, 2, 'h', 0xff};
    ProtobufCMessage *message;

    (void)state;
    assert_int_equal(wire_unpack(&io__cloudevents__v1__cloud_event__descriptor,
                                 (struct bytes){good, sizeof good}, &arena, &message)
                         .code,
                     CODE_OK);
    ASSERT_REFUSED(check(&io__cloudevents__v1__cloud_event__descriptor, bad, sizeof bad),
                   "attributes[0].value.ce_string", "UTF-8");
}

static void
a_budget_that_is_too_small_is_told_and_never_crashes(void **state)
{
    Wire__V1__StatsReply reply = WIRE__V1__STATS_REPLY__INIT;
    Wire__V1__MethodStats stats[40];
    Wire__V1__MethodStats *list[40];
    ProtobufCMessage *message;
    struct bytes packed;
    unsigned refused = 0;

    (void)state;
    for (int i = 0; i < 40; i++) {
        wire__v1__method_stats__init(&stats[i]);
        stats[i].method = "registry.v1.Needs/PublishNeed";
        list[i] = &stats[i];
    }
    reply.methods = list;
    reply.n_methods = 40;
    assert_int_equal(wire_pack(&reply.base, &arena, &packed).code, CODE_OK);
    for (size_t limit = 0;; limit += 16) { /* every allocation fails in turn */
        struct arena small;
        struct status status;

        arena_init(&small, limit);
        status = wire_unpack(&wire__v1__stats_reply__descriptor, packed, &small, &message);
        arena_fini(&small);
        if (!failed(status))
            break;
        assert_int_equal(status.code, CODE_RESOURCE_EXHAUSTED);
        refused++;
    }
    assert_true(refused > 100);
}

static void
a_copy_lives_in_its_own_arena(void **state)
{
    Wire__V1__PingRequest ping = WIRE__V1__PING_REQUEST__INIT;
    uint8_t payload[] = "abc";
    ProtobufCMessage *copy;

    (void)state;
    ping.payload = (ProtobufCBinaryData){3, payload};
    assert_int_equal(wire_copy(&ping.base, &arena, &copy).code, CODE_OK);
    memset(payload, 'x', 3);
    assert_memory_equal(((const Wire__V1__PingRequest *)copy)->payload.data, "abc", 3);
}

static void
a_message_that_would_be_too_large_is_not_packed(void **state)
{
    Wire__V1__PingRequest ping = WIRE__V1__PING_REQUEST__INIT;
    uint8_t *large = calloc(1, WIRE_MESSAGE_BYTES);
    struct bytes packed;

    (void)state;
    assert_non_null(large);
    ping.payload = (ProtobufCBinaryData){WIRE_MESSAGE_BYTES, large};
    assert_int_equal(wire_pack(&ping.base, &arena, &packed).code, CODE_TOO_LARGE);
    free(large);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_message_passes_and_comes_back_equal),
        cmocka_unit_test(an_empty_message_is_a_message),
        cmocka_unit_test(a_message_above_one_mebibyte_is_too_large),
        cmocka_unit_test(sixteen_levels_pass_and_seventeen_do_not),
        cmocka_unit_test(thousands_of_levels_harm_nobody),
        cmocka_unit_test(truncation_is_found_at_every_byte),
        cmocka_unit_test(text_must_be_utf8_without_nul),
        cmocka_unit_test(more_than_ten_thousand_fields_are_refused),
        cmocka_unit_test(wire_types_must_fit_their_fields),
        cmocka_unit_test(varints_must_end_within_ten_bytes_and_64_bits),
        cmocka_unit_test(packed_and_single_elements_are_both_checked),
        cmocka_unit_test(a_fault_is_named_by_its_path),
        cmocka_unit_test(unknown_fields_are_skipped_but_must_be_whole),
        cmocka_unit_test(maps_and_oneofs_are_walked),
        cmocka_unit_test(a_budget_that_is_too_small_is_told_and_never_crashes),
        cmocka_unit_test(a_copy_lives_in_its_own_arena),
        cmocka_unit_test(a_message_that_would_be_too_large_is_not_packed),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
