#include "services/events/round.h"

struct status
round_memory_init(struct round_memory *memory)
{
    TRY(intake_memory_init(&memory->intake));
    return streams_create(&memory->streams);
}

void
round_memory_fini(struct round_memory *memory)
{
    intake_memory_fini(&memory->intake);
    streams_destroy(&memory->streams);
}

void
round_memory_clear(struct round_memory *memory)
{
    intake_memory_clear(&memory->intake);
    streams_clear(memory->streams);
}

/* The streams of the round's tenants that exist: as remembered, else from the table. */
static struct status
find_streams(const struct intake *intake, const struct streams *remembered, struct pg_tx *tx,
             struct store_stream **ret, size_t *ret_count)
{
    const char **unknown = ARENA_ARRAY(tx->arena, const char *, intake->tenant_count + 1);
    struct store_stream *streams =
        ARENA_ARRAY(tx->arena, struct store_stream, intake->tenant_count + 1);
    size_t count = 0, unknown_count = 0, read_count = 0;
    struct store_stream *read;

    TRY(need(unknown));
    TRY(need(streams));
    for (size_t i = 0; i < intake->tenant_count; i++) {
        const struct store_stream *known = streams_find(remembered, intake->tenant_ids[i]);

        if (known)
            streams[count++] = *known;
        else
            unknown[unknown_count++] = intake->tenant_ids[i];
    }
    if (unknown_count)
        TRY(store_streams(tx, (struct texts){unknown, unknown_count}, &read, &read_count));
    for (size_t i = 0; i < read_count; i++)
        streams[count++] = read[i];
    *ret = streams;
    *ret_count = count;
    return OK;
}

static struct status
number(struct build *build, struct pg_tx *tx, const struct intake *intake,
       const struct streams *remembered)
{
    struct store_stream *streams;
    size_t count;

    TRY(find_streams(intake, remembered, tx, &streams, &count));
    TRY(build_begin(build, tx->arena, intake->head, streams, count, intake->count));
    for (size_t i = 0; i < intake->count; i++)
        TRY(build_add(build, &intake->events[i]));
    build_end(build);
    return OK;
}

static struct status
store(struct pg_tx *tx, uint64_t head, const struct build *build)
{
    for (size_t i = 0; i < build->block_count; i++)
        TRY(store_add_block(tx, &build->blocks[i]));
    TRY(store_move_streams(tx, build->streams, build->stream_count));
    return store_move_head(tx, head, build->position - 1);
}

/* Copies for memory, made before the commit so that nothing can fail after it. */
static struct status
make_blocks(struct round *round, struct arena *arena, const struct build *build)
{
    TRY(need(round->blocks = ARENA_ARRAY(arena, struct block *, build->block_count)));
    for (size_t i = 0; i < build->block_count; i++) {
        const struct store_block *block = &build->blocks[i];

        TRY(block_create(block->position, block->count, block->data, arena, &round->blocks[i]));
        round->block_count++;
    }
    return OK;
}

struct status
round_make(struct round *round, struct round_memory *memory, struct pg_tx *tx, uint64_t head,
           const struct store_taken *taken, struct append_job **jobs, size_t job_count)
{
    size_t room = taken->count;
    struct intake intake;
    struct build build;

    round->head = head;
    for (size_t i = 0; i < job_count; i++)
        room += jobs[i]->event_count;
    TRY(intake_begin(&intake, &memory->intake, tx->arena, head, room));
    TRY(intake_rows(&intake, tx, taken));
    TRY(intake_jobs(&intake, tx, jobs, job_count));
    if (!intake.count)
        return OK;
    TRY(number(&build, tx, &intake, memory->streams));
    TRY(store(tx, head, &build));
    TRY(make_blocks(round, tx->arena, &build));
    round->head = build.position - 1;
    for (size_t i = 0; i < build.stream_count; i++)
        streams_note(memory->streams, &build.streams[i]);
    return OK;
}

void
round_fini(struct round *round)
{
    for (size_t i = 0; i < round->block_count; i++)
        block_release(&round->blocks[i]);
    *round = (struct round){0};
}
