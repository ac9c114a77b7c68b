#include "services/events/roll.h"

#include "common/base/log.h"

#define ROLL_MS 2000 /* limit of one look; below the 3 s of a stopped session */
/* Ending a partition reads its rows once while readers wait: under half a second for this. */
#define ROW_BYTES_MAX ((int64_t)128 << 20)

static struct status
look(struct roll *roll, struct pg *pg, struct arena *arena)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    const struct pg_scope scope = {.deadline = mono_add_ms(clock_mono(roll->clock), ROLL_MS)};
    const struct store_roll_limits limits = {.days = roll->config.days,
                                             .events = (int64_t)roll->config.events,
                                             .row_bytes = ROW_BYTES_MAX};
    uint64_t head, start;
    bool due;

    TRY(pg_tx_begin(pg, &scope, arena, &tx));
    TRY(store_roll_due(&tx, &limits, &head, &due));
    if (!due)
        return OK;
    TRY(store_roll(&tx, head, &start));
    TRY(pg_tx_commit(&tx));
    log_info("a partition of the log begins", KV("position", start));
    return OK;
}

static void
note(struct roll *roll, struct status status)
{
    if (failed(status) && !roll->failing)
        log_warn("the partition of the log cannot be ended now; tried again",
                 KV("code", code_name(status.code)), KV("detail", status.detail));
    if (!failed(status) && roll->failing)
        log_info("the partitions of the log can be looked at again");
    roll->failing = failed(status);
}

void
roll_look(struct roll *roll, struct pg *pg, struct arena *arena)
{
    const struct mono now = clock_mono(roll->clock);
    const uint32_t every_ms = roll->config.every_ms ? roll->config.every_ms : ROLL_EVERY_MS;

    if (!roll->config.days || mono_left_ms(roll->due, now) > 0)
        return;
    roll->due = mono_add_ms(now, every_ms);
    note(roll, look(roll, pg, arena));
    arena_reset(arena);
}
