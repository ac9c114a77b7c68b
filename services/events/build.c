#include "services/events/build.h"

#include <string.h>

#define SET_MAX 512 /* tenants or types of one block: a block has at most so many events */

struct status
build_begin(struct build *build, struct arena *arena, uint64_t head,
            const struct store_stream *streams, size_t stream_count, size_t events,
            size_t bytes)
{
    *build = (struct build){.arena = arena,
                            .position = head + 1,
                            .events_left = events,
                            .bytes_left = bytes + events * BUILD_EVENT_BYTES};
    build->stream_room = stream_count + events;
    TRY(need(build->streams = ARENA_ARRAY(arena, struct store_stream, build->stream_room + 1)));
    if (stream_count)
        memcpy(build->streams, streams, stream_count * sizeof *streams);
    build->stream_count = stream_count;
    return need(build->blocks = ARENA_ARRAY(arena, struct store_block, BUILD_BLOCKS_MAX));
}

static struct store_stream *
stream_of(struct build *build, const char *tenant_id)
{
    struct store_stream *streams = build->streams;

    if (build->stream_last < build->stream_count &&
        strcmp(streams[build->stream_last].tenant_id, tenant_id) == 0)
        return &streams[build->stream_last];
    for (size_t i = 0; i < build->stream_count; i++) {
        if (strcmp(streams[i].tenant_id, tenant_id) == 0) {
            build->stream_last = i;
            return &streams[i];
        }
    }
    if (build->stream_count == build->stream_room)
        return NULL;
    build->stream_last = build->stream_count++;
    streams[build->stream_last].tenant_id = tenant_id;
    packed_chain_start(tenant_id, streams[build->stream_last].chain);
    return &streams[build->stream_last];
}

static struct status
open_block(struct build *build)
{
    struct store_block *block = &build->blocks[build->block_count];

    if (build->block_count == BUILD_BLOCKS_MAX)
        return FAIL(build->arena, INTERNAL, "more than %d blocks", BUILD_BLOCKS_MAX);
    *block = (struct store_block){.position = build->position};
    block->memory = block_begin(
        build->position, build->bytes_left < BLOCK_BYTES ? build->bytes_left : BLOCK_BYTES,
        build->events_left < SET_MAX ? (uint32_t)build->events_left : SET_MAX, &build->data);
    TRY(need(block->memory));
    TRY(need(build->tenant_ids = ARENA_ARRAY(build->arena, const char *, SET_MAX)));
    TRY(need(build->types = ARENA_ARRAY(build->arena, const char *, SET_MAX)));
    build->size = build->tenant_count = build->type_count = 0;
    return OK;
}

static void
close_block(struct build *build)
{
    struct store_block *block = &build->blocks[build->block_count++];

    block_end(block->memory, build->size);
    block->data = block->memory->data;
    block->tenant_ids = (struct texts){build->tenant_ids, build->tenant_count};
    block->types = (struct texts){build->types, build->type_count};
    build->data = NULL;
}

static void
put_tenant(struct build *build, const char *tenant_id)
{
    for (size_t i = build->tenant_count; i > 0; i--)
        if (strcmp(build->tenant_ids[i - 1], tenant_id) == 0)
            return;
    build->tenant_ids[build->tenant_count++] = tenant_id;
}

static struct status
put_type(struct build *build, struct bytes type)
{
    for (size_t i = build->type_count; i > 0; i--)
        if (bytes_are(type, build->types[i - 1]))
            return OK;
    return need(build->types[build->type_count++] =
                    arena_copy_n(build->arena, type.data, type.size));
}

/* Whether others than the event's own tenant may see it. */
static bool
is_shared(const struct build_event *event)
{
    const struct bytes audience = event->parts.audience;

    return audience.size && !event->internal && !bytes_are(audience, event->tenant_id);
}

static size_t
room_for(const struct build_event *event)
{
    return event->packed.size + BUILD_EVENT_BYTES;
}

/* What stands behind the event's own bytes; gives the tenant's number. */
static size_t
put_numbers(struct build *build, const struct build_event *event, struct store_stream *stream,
            uint8_t *into)
{
    size_t size = 0;

    if (event->give_tenant)
        size += packed_put_tenant(into, event->tenant_id);
    size += packed_put_sequence(into + size, build->position);
    if (stream)
        size += packed_put_tenant_sequence(into + size, ++stream->last);
    return size;
}

struct status
build_add(struct build *build, const struct build_event *event)
{
    uint8_t numbers[PACKED_SEQUENCE_BYTES + PACKED_TENANT_SEQUENCE_BYTES + PACKED_TENANT_BYTES];
    struct store_stream *stream = NULL;
    struct store_block *block;
    size_t numbers_size;
    struct packed_event parts = event->parts;
    uint8_t *framed, *start;

    if (build->data && (build->size + room_for(event) > BLOCK_BYTES ||
                        build->blocks[build->block_count].count == SET_MAX))
        close_block(build);
    if (!build->data)
        TRY(open_block(build));
    block = &build->blocks[build->block_count];
    TRY(put_type(build, event->parts.type));
    if (!event->internal)
        TRY(need(stream = stream_of(build, event->tenant_id)));
    put_tenant(build, event->tenant_id);
    numbers_size = put_numbers(build, event, stream, numbers);
    framed = build->data + build->size;
    start = framed + packed_put_frame(framed, event->packed.size + numbers_size);
    memcpy(start, event->packed.data, event->packed.size);
    memcpy(start + event->packed.size, numbers, numbers_size);
    build->size = (size_t)(start - build->data) + event->packed.size + numbers_size;
    if (event->give_tenant) /* it ends the attribute that was put first */
        parts.tenant_id = (struct bytes){event->packed.data + event->packed.size +
                                             PACKED_TENANT_BYTES - strlen(event->tenant_id),
                                         strlen(event->tenant_id)};
    block_add(block->memory,
              (struct bytes){framed, (size_t)(build->data + build->size - framed)}, start,
              event->packed.data, &parts);
    if (stream)
        packed_chain_extend(stream->chain,
                            (struct bytes){start, event->packed.size + numbers_size});
    block->shared = block->shared || is_shared(event);
    block->count++;
    build->position++;
    build->events_left--;
    build->bytes_left -= room_for(event);
    return OK;
}

void
build_end(struct build *build)
{
    if (build->data)
        close_block(build);
}

void
build_fini(struct build *build)
{
    for (size_t i = 0; build->blocks && i <= build->block_count && i < BUILD_BLOCKS_MAX; i++)
        block_release(&build->blocks[i].memory);
    *build = (struct build){0};
}
