/* Any bytes into the reader; what it takes must come back from the writer as the same message.
 */

#include <stdlib.h>
#include <string.h>

#include "common/json/json.h"
#include "common/wire/message.h"
#include "json_test.pb-c.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct json_plan *
sample_plan(void)
{
    static const ProtobufCMessageDescriptor *const roots[] = {
        &gateway__test__v1__sample__descriptor, NULL};
    static struct json_schema *schema;

    if (!schema && failed(json_schema_create(roots, NULL, &schema)))
        abort();
    return json_schema_find(schema, roots[0]);
}

static void
check_round_trip(const struct json_plan *plan, const ProtobufCMessage *message,
                 struct arena *arena)
{
    scoped(buffer_fini) struct buffer first = {0}, second = {0};
    ProtobufCMessage *back;
    struct status status;

    buffer_init(&first, 8 << 20);
    buffer_init(&second, 8 << 20);
    if (failed(json_write(plan, message, arena, &first)))
        abort();
    /* Defaults make the text longer than what was read: the limits may refuse it then. */
    status = json_read(plan, (const char *)first.data, first.size, NULL, arena, &back, NULL);
    if (first.size > JSON_TEXT_BYTES || (failed(status) && strstr(status.detail, "1000")))
        return;
    if (failed(status) || failed(json_write(plan, back, arena, &second)))
        abort();
    if (first.size != second.size || memcmp(first.data, second.data, first.size) != 0)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct json_plan *plan = sample_plan();
    ProtobufCMessage *message;
    struct arena arena;

    arena_init(&arena, ARENA_CALL_BYTES);
    if (!failed(json_read(plan, (const char *)data, size, NULL, &arena, &message, NULL)))
        check_round_trip(plan, message, &arena);
    arena_fini(&arena);
    return 0;
}
