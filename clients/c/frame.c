#include "clients/c/frame.h"

#define SERVER(name) EVENTS__V1__SERVER_FRAME__FRAME_##name
#define TAG_EVENT 0x0a /* CloudEventBatch.events: field 1, with a length */
#define LENGTH_BYTES_MOST 4

bool
smv_frame_next_event(const uint8_t **rest, size_t *left, const uint8_t **ret_event,
                     size_t *ret_size)
{
    size_t length = 0, at = 1;

    if (!*left || (*rest)[0] != TAG_EVENT)
        return false;
    for (unsigned shift = 0;; shift += 7, at++) {
        if (at > LENGTH_BYTES_MOST || at >= *left)
            return false;
        length |= (size_t)((*rest)[at] & 0x7f) << shift;
        if (!((*rest)[at] & 0x80))
            break;
    }
    at++;
    if (length > *left - at)
        return false;
    *ret_event = *rest + at;
    *ret_size = length;
    *rest += at + length;
    *left -= at + length;
    return true;
}

/* How many events there are; -1: it is no batch. */
static int
count_events(const uint8_t *body, size_t left)
{
    const uint8_t *event;
    size_t size;
    int count = 0;

    while (left > 0) {
        if (count == SMV_EVENTS_MOST || !smv_frame_next_event(&body, &left, &event, &size))
            return -1;
        count++;
    }
    return count;
}

static bool
read_batch(const uint8_t *body, size_t left, struct smv_pool *pool, struct smv_frame *ret)
{
    const Events__V1__Batch *batch = ret->server->batch;
    const int count = count_events(body, left);
    struct samverka_event *events;
    uint64_t last = batch->after;

    if (count < 0 || (uint32_t)count != batch->count || batch->through < batch->after ||
        batch->head < batch->through)
        return false;
    events = smv_pool_alloc(pool, (size_t)count * sizeof *events);
    ret->events = smv_pool_alloc(pool, (size_t)count * sizeof(struct samverka_event *));
    if (!events || !ret->events)
        return false;
    for (int i = 0; i < count; i++) {
        const uint8_t *packed;
        uint64_t position;
        size_t size;

        if (!smv_frame_next_event(&body, &left, &packed, &size) ||
            !smv_event_read(packed, size, pool, &events[i]))
            return false;
        position = samverka_event_position(&events[i]);
        if (position <= last || position > batch->through)
            return false;
        last = position;
        ret->events[i] = &events[i];
    }
    ret->count = (size_t)count;
    return true;
}

bool
smv_frame_read(const uint8_t *head, size_t head_size, const uint8_t *body, size_t body_size,
               struct smv_pool *pool, struct smv_frame *ret)
{
    ProtobufCAllocator allocator = smv_pool_allocator(pool);

    *ret = (struct smv_frame){0};
    if (head_size > SMV_HEAD_BYTES || body_size > SMV_BODY_BYTES)
        return false;
    ret->server = (const Events__V1__ServerFrame *)protobuf_c_message_unpack(
        &events__v1__server_frame__descriptor, &allocator, head_size, head);
    if (!ret->server)
        return false;
    return ret->server->frame_case != SERVER(BATCH) || read_batch(body, body_size, pool, ret);
}
