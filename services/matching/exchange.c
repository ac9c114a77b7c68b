#include "services/matching/exchange.h"

#include "common/service/call.h"
#include "services/matching/counts.h"
#include "services/matching/state.h"
#include "services/matching/store.h"

/* Of the counts of all other shards together. */
#define READ_BYTES (COUNTS_BYTES_MAX * 8)

void
exchange_fini(struct exchange *exchange)
{
    free(atomic_exchange(&exchange->fresh, NULL));
    free(take(&exchange->current));
}

static struct status
write_counts(struct call *call, struct state *state, struct arena *arena,
             const struct snapshot *snapshot, size_t *ret_size)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    struct bytes packed;

    TRY(counts_pack(snapshot, arena, &packed));
    TRY(call_begin(call, NULL, false, &tx));
    TRY(store_counts_put(&tx, state->shard, snapshot->position, packed,
                         !state->exchange.written));
    TRY(call_commit(call));
    *ret_size = packed.size;
    return OK;
}

/* The counts of this shard, when they have changed and the last writing is long enough ago. */
static struct status
write_own(struct call *call, struct state *state, struct arena *arena)
{
    struct exchange *exchange = &state->exchange;
    const uint64_t changes = atomic_load(&exchange->own_changes);
    const struct mono now = clock_mono(call->clock);
    const struct snapshot *snapshot;
    struct status written;
    struct held held;
    size_t size;

    if ((exchange->written && changes == exchange->written_changes) ||
        now.ns < exchange->next_write.ns)
        return OK;
    TRY(state_hold(state, call->arena, &held, &snapshot));
    written = write_counts(call, state, arena, snapshot, &size);
    swap_release(&held);
    TRY(written);
    exchange->written = true;
    exchange->written_changes = changes;
    exchange->next_write = mono_add_ms(now, (int64_t)(size / EXCHANGE_BYTES_PER_MS));
    return OK;
}

static bool
all_known(const struct exchange *exchange, const struct shard_counts *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (rows[i].shard < 1 || rows[i].shard > SHARDS_MAX ||
            exchange->versions[rows[i].shard - 1] != rows[i].version)
            return false;
    return true;
}

static struct status
copy_others(const struct shard_counts *rows, size_t count, struct others **ret)
{
    size_t size = sizeof **ret;
    struct others *others;
    uint8_t *at;

    for (size_t i = 0; i < count; i++)
        size += rows[i].packed.size;
    TRY(need(others = malloc(size)));
    others->count = count;
    at = (uint8_t *)(others + 1);
    for (size_t i = 0; i < count; i++) {
        const struct bytes packed = rows[i].packed;

        if (packed.size > 0)
            memcpy(at, packed.data, packed.size);
        others->packed[i] = (struct bytes){at, packed.size};
        at += packed.size;
    }
    *ret = others;
    return OK;
}

/* Those of the others, when one of them has changed and all are there. */
static struct status
read_others(struct call *call, struct state *state, struct arena *arena)
{
    struct exchange *exchange = &state->exchange;
    const struct mono now = clock_mono(call->clock);
    scoped(pg_tx_end) struct pg_tx tx = {0};
    struct shard_counts rows[SHARDS_MAX];
    struct others *others;
    size_t count, size = 0;

    if (now.ns < exchange->next_read.ns)
        return OK;
    TRY(call_begin(call, NULL, true, &tx));
    TRY(store_counts(&tx, arena, state->shard, false, rows, &count));
    if (count + 1 < state->shard.count || all_known(exchange, rows, count))
        return OK; /* a reading rolled back is none the worse */
    TRY(store_counts(&tx, arena, state->shard, true, rows, &count));
    TRY(call_commit(call));
    for (size_t i = 0; i < count; i++) {
        uint32_t live;

        TRY(counts_check(rows[i].packed, &live));
        size += rows[i].packed.size;
    }
    TRY(copy_others(rows, count, &others));
    free(atomic_exchange(&exchange->fresh, others));
    exchange->next_read = mono_add_ms(now, (int64_t)(size / EXCHANGE_BYTES_PER_MS));
    for (size_t i = 0; i < count; i++)
        exchange->versions[rows[i].shard - 1] = rows[i].version;
    return OK;
}

struct status
exchange_run(struct call *call)
{
    struct state *state = call->state;
    scoped(arena_fini) struct arena arena;

    arena_init(&arena, READ_BYTES);
    if (shard_whole(state->shard) || !atomic_load(&state->snapshots.current))
        return OK;
    TRY(write_own(call, state, &arena));
    arena_reset(&arena);
    return read_others(call, state, &arena);
}

struct status
exchange_take(struct state *state, bool *ret_taken)
{
    struct exchange *exchange = &state->exchange;
    struct others *fresh = atomic_exchange(&exchange->fresh, NULL);

    if (fresh) {
        free(exchange->current);
        exchange->current = fresh;
        exchange->unpublished = true;
    }
    *ret_taken = exchange->unpublished;
    return exchange->unpublished ? index_set_others(state->index, exchange->current->packed,
                                                    exchange->current->count)
                                 : OK;
}
