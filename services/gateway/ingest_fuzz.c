/* Any bytes as a body of POST /v1/events: what is taken passes the guard that the log has, and
 * comes out as JSON that is taken again and comes out the same.
 *
 * The first byte chooses: one event, a batch, or a header's value. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/event/event_json.h"
#include "common/json/json.h"
#include "services/gateway/ingest_json.h"
#include "services/gateway/ingest_request.h"

#define TEXT_BYTES ((size_t)8 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct event_json *
writer(void)
{
    static struct event_json *events;

    if (!events && failed(event_json_create(NULL, &events)))
        abort();
    return events;
}

static void
write_all(const Io__Cloudevents__V1__CloudEventBatch *batch, struct arena *arena,
          struct buffer *into)
{
    buffer_init(into, TEXT_BYTES);
    buffer_puts(into, "[");
    for (size_t i = 0; i < batch->n_events; i++) {
        buffer_puts(into, i ? "," : "");
        if (failed(event_json_write(writer(), batch->events[i], arena, into)))
            abort();
    }
    buffer_puts(into, "]");
    if (memchr(into->data, '\n', into->size) || memchr(into->data, '\r', into->size))
        abort(); /* it would end a server-sent event */
}

static void
check_round_trip(const Io__Cloudevents__V1__CloudEventBatch *batch, struct arena *arena)
{
    scoped(buffer_fini) struct buffer first = {0}, second = {0};
    Io__Cloudevents__V1__CloudEventBatch again;
    struct status status;
    struct bytes packed;

    if (failed(wire_pack(&batch->base, arena, &packed)) ||
        failed(wire_check(&io__cloudevents__v1__cloud_event_batch__descriptor, packed, arena)))
        abort();
    write_all(batch, arena, &first);
    status = ingest_json_read((const char *)first.data, first.size, true, arena, &again);
    /* Escapes make the text longer than what was read: the limits may refuse it then. */
    if (status.code == CODE_TOO_LARGE)
        return;
    if (failed(status))
        abort();
    write_all(&again, arena, &second);
    if (first.size != second.size || memcmp(first.data, second.data, first.size) != 0)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Io__Cloudevents__V1__CloudEventBatch batch;
    struct arena arena;
    const char *value;

    if (size == 0)
        return 0;
    arena_init(&arena, (size_t)64 << 20);
    if (data[0] == 'h') {
        const char *text = arena_copy_n(&arena, data + 1, size - 1);

        if (text && !failed(ingest_header_value(text, &arena, &value)) &&
            strlen(value) > strlen(text))
            abort();
    } else if (!failed(ingest_json_read((const char *)data + 1, size - 1, data[0] == 'b',
                                        &arena, &batch))) {
        check_round_trip(&batch, &arena);
    }
    arena_fini(&arena);
    return 0;
}
