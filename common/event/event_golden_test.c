/* What was published is read for ever: each event of tests/golden/events keeps every value, in
 * protobuf and in JSON, and what we do not know is passed on. */

#include "common/base/test.h"

#include <dirent.h>
#include <jansson.h>
#include <string.h>

#include "common/event/event_json.h"
#include "common/wire/contract.h"
#include "common/wire/follow.h"
#include "common/wire/message.h"

#define EVENT_BYTES ((size_t)64 << 10)

typedef Io__Cloudevents__V1__CloudEvent Event;

struct state {
    struct arena arena;
    struct event_json *events;
    size_t seen;
};

/* An event with the place that it came from. */
struct golden {
    struct state *state;
    const char *path; /* without .bin */
    struct bytes packed;
    const Event *event;
};

typedef void look(const struct golden *golden);

static int
setup(void **context)
{
    static struct state state;

    arena_init(&state.arena, (size_t)16 << 20);
    if (failed(event_json_create(&state.arena, &state.events)))
        return -1;
    *context = &state;
    return 0;
}

static int
teardown(void **context)
{
    struct state *state = *context;

    event_json_destroy(&state->events);
    arena_fini(&state->arena);
    return 0;
}

static struct bytes
read_file(struct state *state, const char *path)
{
    FILE *file = fopen(path, "rb");
    char *data = arena_alloc(&state->arena, EVENT_BYTES + 1);
    size_t size;

    if (!file || !data)
        fail_msg("cannot read %s", path);
    size = fread(data, 1, EVENT_BYTES, file);
    fclose(file);
    data[size] = '\0';
    return (struct bytes){(const uint8_t *)data, size};
}

static Event *
unpack(struct state *state, struct bytes packed, const char *path)
{
    ProtobufCMessage *message = NULL;
    const struct status status = wire_unpack(&io__cloudevents__v1__cloud_event__descriptor,
                                             packed, &state->arena, &message);

    if (failed(status))
        fail_msg("%s: %s %s", path, status.field, status.detail);
    return (Event *)message;
}

static struct bytes
repack(struct state *state, const Event *event)
{
    struct bytes packed = {0};

    assert_false(failed(wire_pack(&event->base, &state->arena, &packed)));
    return packed;
}

static const char *
json_of(struct state *state, const Event *event)
{
    scoped(buffer_fini) struct buffer text = {0};
    const char *copy;

    buffer_init(&text, EVENT_BYTES);
    assert_false(failed(event_json_write(state->events, event, &state->arena, &text)));
    copy = arena_copy_n(&state->arena, (const char *)text.data, text.size);
    assert_non_null(copy);
    return copy;
}

static void
look_at(struct state *state, const char *type, const char *name, look *see)
{
    const size_t stem = strlen(name) - strlen(".bin");
    struct golden golden = {.state = state};
    const char *path;

    golden.path = arena_printf(&state->arena, GOLDEN_FOLDER "/%s/%.*s", type, (int)stem, name);
    path = arena_printf(&state->arena, "%s.bin", golden.path);
    golden.packed = read_file(state, path);
    golden.event = unpack(state, golden.packed, path);
    assert_string_equal(golden.event->type, type);
    see(&golden);
    state->seen++;
    arena_reset(&state->arena);
}

static bool
ends_with(const char *text, const char *end)
{
    const size_t size = strlen(text);

    return size > strlen(end) && strcmp(text + size - strlen(end), end) == 0;
}

/* Every golden event of every type. */
static void
look_at_all(struct state *state, look *see)
{
    state->seen = 0;
    for (size_t i = 0; i < contract_event_count; i++) {
        const char *const type = contract_events[i].type;
        const size_t before = state->seen;
        char folder[512];
        DIR *dir;

        snprintf(folder, sizeof folder, GOLDEN_FOLDER "/%s", type);
        dir = opendir(folder);
        if (!dir)
            fail_msg("no golden event of %s (scripts/check-proto --accept)", type);
        for (const struct dirent *entry; (entry = readdir(dir));)
            if (ends_with(entry->d_name, ".bin"))
                look_at(state, type, entry->d_name, see);
        closedir(dir);
        if (state->seen == before)
            fail_msg("no golden event of %s", type);
    }
}

/* Of a field that came later. */
static bool
is_default(const json_t *value)
{
    const char *text = json_string_value(value);

    if (text)
        return !*text || strcmp(text, "0") == 0 || ends_with(text, "_UNSPECIFIED");
    return json_is_null(value) || json_is_false(value) ||
           (json_is_number(value) && !(json_number_value(value) < 0) &&
            !(json_number_value(value) > 0)) ||
           (json_is_array(value) && json_array_size(value) == 0) ||
           (json_is_object(value) && json_object_size(value) == 0);
}

static void compare(const json_t *expected, const json_t *actual, const char *path);

static void
compare_objects(const json_t *expected, json_t *actual, const char *path)
{
    json_t *value;
    const char *name;

    json_object_foreach(actual, name,
                        value) if (!json_object_get(expected, name) && !is_default(value))
        fail_msg("%s: %s came from nowhere", path, name);
    for (void *at = json_object_iter((json_t *)(uintptr_t)expected); at;
         at = json_object_iter_next((json_t *)(uintptr_t)expected, at)) {
        name = json_object_iter_key(at);
        value = json_object_get(actual, name);
        if (!value)
            fail_msg("%s: %s is gone", path, name);
        compare(json_object_iter_value(at), value, path);
    }
}

static void
compare(const json_t *expected, const json_t *actual, const char *path)
{
    if (json_is_object(expected) && json_is_object(actual)) {
        compare_objects(expected, (json_t *)(uintptr_t)actual, path);
    } else if (json_is_array(expected) && json_is_array(actual)) {
        if (json_array_size(expected) != json_array_size(actual))
            fail_msg("%s: a list is not as long as it was", path);
        for (size_t i = 0; i < json_array_size(expected); i++)
            compare(json_array_get(expected, i), json_array_get(actual, i), path);
    } else if (!json_equal(expected, actual)) {
        fail_msg("%s: a value is %s", path, json_string_value(actual));
    }
}

static json_t *
parse(const char *text, const char *path)
{
    json_error_t error;
    json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);

    if (!root)
        fail_msg("%s: %s: %s", path, error.text, text);
    return root;
}

static void
json_says_what_is_written_down(const struct golden *golden)
{
    struct state *const state = golden->state;
    const char *path = arena_printf(&state->arena, "%s.json", golden->path);
    json_t *expected = parse((const char *)read_file(state, path).data, path);
    json_t *actual = parse(json_of(state, golden->event), golden->path);

    compare(expected, actual, golden->path);
    json_decref(expected);
    json_decref(actual);
}

static void
every_golden_event_gives_the_json_that_was_written_down(void **context)
{
    look_at_all(*context, json_says_what_is_written_down);
}

static void
packed_again_it_says_the_same(const struct golden *golden)
{
    struct state *const state = golden->state;
    const struct bytes again = repack(state, golden->event);

    assert_int_equal(again.size, golden->packed.size);
    assert_string_equal(json_of(state, unpack(state, again, golden->path)),
                        json_of(state, golden->event));
}

static void
the_data_is_the_same_byte_for_byte(const struct golden *golden)
{
    struct state *const state = golden->state;
    const struct contract_event *kind = contract_find_event_type(golden->event->type);
    struct bytes packed = {0};
    ProtobufCMessage *data;

    assert_false(failed(event_data(golden->event, kind->descriptor, &state->arena, &data)));
    assert_int_equal(data->n_unknown_fields, 0);
    assert_false(failed(wire_pack(data, &state->arena, &packed)));
    assert_int_equal(packed.size, golden->event->proto_data->value.len);
    assert_memory_equal(packed.data, golden->event->proto_data->value.data, packed.size);
}

static void
every_golden_event_survives_being_packed_again(void **context)
{
    look_at_all(*context, packed_again_it_says_the_same);
    look_at_all(*context, the_data_is_the_same_byte_for_byte);
}

/* Field 15000 as a number and 15001 as text: of a contract that is newer than ours. */
static const uint8_t NEWER[] = {0xc0, 0xa9, 0x07, 0x96, 0x01, 0xca, 0xa9,
                                0x07, 0x05, 'n',  'e',  'w',  'e',  'r'};

static bool
holds(struct bytes bytes, const void *part, size_t size)
{
    return memmem(bytes.data, bytes.size, part, size) != NULL;
}

static struct bytes
with_newer(struct state *state, const void *data, size_t size)
{
    uint8_t *bytes = arena_alloc(&state->arena, size + sizeof NEWER);

    assert_non_null(bytes);
    memcpy(bytes, data, size);
    memcpy(bytes + size, NEWER, sizeof NEWER);
    return (struct bytes){bytes, size + sizeof NEWER};
}

/* In the envelope and in the data. */
static void
what_is_newer_is_kept(const struct golden *golden)
{
    struct state *const state = golden->state;
    const char *const known = json_of(state, golden->event);
    const struct bytes envelope = with_newer(state, golden->packed.data, golden->packed.size);
    const struct contract_event *kind = contract_find_event_type(golden->event->type);
    Event *newer = unpack(state, envelope, golden->path);
    const struct bytes data =
        with_newer(state, newer->proto_data->value.data, newer->proto_data->value.len);
    struct bytes again = repack(state, newer);
    ProtobufCMessage *message;

    assert_int_equal(again.size, envelope.size);
    assert_true(holds(again, NEWER, 4) && holds(again, NEWER + 4, sizeof NEWER - 4));
    newer->proto_data->value.data = (uint8_t *)(uintptr_t)data.data;
    newer->proto_data->value.len = data.size;
    assert_string_equal(json_of(state, newer), known);
    assert_false(failed(event_data(newer, kind->descriptor, &state->arena, &message)));
    assert_int_equal(message->n_unknown_fields, 2);
    assert_false(failed(wire_pack(message, &state->arena, &again)));
    assert_int_equal(again.size, data.size);
    assert_memory_equal(again.data, data.data, data.size);
}

static void
fields_of_a_newer_contract_are_passed_on_and_do_not_disturb(void **context)
{
    look_at_all(*context, what_is_newer_is_kept);
}

/* The greatest page: a CloudEventBatch of so many events with every attribute. */
static struct bytes
page_of(struct state *state, size_t count)
{
    const struct bytes event =
        read_file(state, GOLDEN_FOLDER "/org.samverka.organisation.related.v1/1.bin");
    const size_t stride = event.size + 3;
    uint8_t *page = arena_alloc(&state->arena, count * stride);

    assert_non_null(page);
    assert_in_range(event.size, 128, 16383); /* a length of two bytes */
    for (size_t i = 0; i < count; i++) {
        uint8_t *at = page + i * stride;

        at[0] = 0x0a;
        at[1] = (uint8_t)(event.size | 0x80);
        at[2] = (uint8_t)(event.size >> 7);
        memcpy(at + 3, event.data, event.size);
    }
    return (struct bytes){page, count * stride};
}

static void
a_page_of_a_thousand_full_events_is_unpacked_whole(void **context)
{
    struct state *const state = *context;
    const struct bytes page = page_of(state, 1000);
    const Io__Cloudevents__V1__CloudEventBatch *batch;

    assert_false(failed(event_batch_unpack(page, 1000, &state->arena, &batch)));
    assert_int_equal(batch->n_events, 1000);
    assert_string_equal(batch->events[999]->type, "org.samverka.organisation.related.v1");
    assert_int_equal(event_batch_unpack(page, 999, &state->arena, &batch).code,
                     CODE_RESOURCE_EXHAUSTED);
    arena_reset(&state->arena);
}

static void
a_page_that_ends_too_early_is_refused(void **context)
{
    struct state *const state = *context;
    const Io__Cloudevents__V1__CloudEventBatch *batch;
    struct bytes page = page_of(state, 2);

    page.size -= 1;
    assert_int_equal(event_batch_unpack(page, 1000, &state->arena, &batch).code,
                     CODE_INVALID_ARGUMENT);
    page.size = 0;
    assert_false(failed(event_batch_unpack(page, 1000, &state->arena, &batch)));
    assert_int_equal(batch->n_events, 0);
    arena_reset(&state->arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_golden_event_gives_the_json_that_was_written_down),
        cmocka_unit_test(every_golden_event_survives_being_packed_again),
        cmocka_unit_test(fields_of_a_newer_contract_are_passed_on_and_do_not_disturb),
        cmocka_unit_test(a_page_of_a_thousand_full_events_is_unpacked_whole),
        cmocka_unit_test(a_page_that_ends_too_early_is_refused),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
