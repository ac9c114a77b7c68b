/* What a hostile server may send: two bytes that say how long the head is, the head, the body.
 * What is accepted keeps to the limits and to the range that its head names. */

#include <stdlib.h>
#include <string.h>

#include "clients/c/error.h"
#include "clients/c/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_event(const struct samverka_event *event, struct samverka_chain *chain)
{
    struct samverka_error error;
    size_t size, packed_size;
    const char *data = samverka_event_data(event, &size);
    const char *packed = samverka_event_packed(event, &packed_size);

    if (size > packed_size || packed_size > SMV_EVENT_BYTES || (size && !data) ||
        (packed_size && !packed) || !smv_utf8(samverka_event_id(event)) ||
        !smv_utf8(samverka_event_source(event)) || !smv_utf8(samverka_event_type(event)) ||
        !smv_utf8(samverka_event_subject(event)) ||
        !smv_utf8(samverka_event_data_type(event)) || samverka_event_time_unix_ms(event) < 0)
        abort();
    (void)samverka_chain_add(chain, event, &error);
}

static void
check_batch(const struct smv_frame *frame)
{
    const Events__V1__Batch *batch = frame->server->batch;
    struct samverka_chain chain;
    struct samverka_error error;
    uint64_t last = batch->after;

    if (samverka_chain_begin("0193a000-0000-7000-8000-000000000001", &chain, &error) !=
        SAMVERKA_OK)
        abort();
    if (frame->count != batch->count || batch->head < batch->through)
        abort();
    for (size_t i = 0; i < frame->count; i++) {
        const uint64_t position = samverka_event_position(frame->events[i]);

        if (position <= last || position > batch->through)
            abort();
        last = position;
        check_event(frame->events[i], &chain);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct smv_frame frame;
    struct smv_pool pool;
    size_t head_size;

    if (size < 2)
        return 0;
    head_size = (size_t)data[0] << 8 | data[1];
    data += 2;
    size -= 2;
    if (head_size > size)
        head_size = size;
    smv_pool_init(&pool, SMV_POOL_BYTES);
    if (smv_frame_read(data, head_size, data + head_size, size - head_size, &pool, &frame) &&
        frame.server->frame_case == EVENTS__V1__SERVER_FRAME__FRAME_BATCH)
        check_batch(&frame);
    if (pool.used > SMV_POOL_BYTES)
        abort();
    smv_pool_fini(&pool);
    return 0;
}
