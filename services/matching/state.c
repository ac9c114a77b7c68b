#include "services/matching/state.h"

#include "common/service/service.h"
#include "services/matching/rules.h"

static void
destroy_snapshot(void *version)
{
    struct snapshot *snapshot = version;

    snapshot_destroy(&snapshot);
}

void
state_destroy(void *memory)
{
    struct state *state = memory;

    if (!state)
        return;
    swap_fini(&state->snapshots);
    searches_fini(&state->searches);
    exchange_fini(&state->exchange);
    index_destroy(&state->index);
    words_destroy(&state->words);
    free(state);
}

static void
destroy_state(struct state **state)
{
    state_destroy(*state);
}

struct status
state_create(struct service_frame *frame, struct arena *arena, void **ret)
{
    const struct matching_settings *settings = frame->service->settings_values;
    scoped(destroy_state) struct state *state = calloc(1, sizeof *state);

    TRY(need(state));
    swap_init(&state->snapshots, destroy_snapshot);
    state->settings = settings;
    state->rules.substance_min = (uint32_t)settings->substance_least;
    TRY(rules_shard(arena, settings->shard, &state->shard));
    TRY(rules_boosts(arena, settings->boosts, settings->rural_nuts, &state->rules));
    TRY(words_create(arena, &state->words));
    *ret = take(&state);
    return OK;
}

const char *
state_not_ready(void *memory)
{
    struct state *state = memory;

    if (!atomic_load(&state->snapshots.current))
        return "the published profiles are not read yet";
    return atomic_load(&state->complete) ? NULL : EXCHANGE_MISSING;
}

struct status
state_hold(struct state *state, struct arena *arena, struct held *ret,
           const struct snapshot **ret_snapshot)
{
    struct held held = swap_hold(&state->snapshots);

    if (!held.version)
        return FAIL(arena, UNAVAILABLE, "the published profiles are not read yet");
    *ret = held;
    *ret_snapshot = held.version;
    return OK;
}

struct status
state_hold_complete(struct state *state, struct arena *arena, struct held *ret,
                    const struct snapshot **ret_snapshot)
{
    TRY(state_hold(state, arena, ret, ret_snapshot));
    if ((*ret_snapshot)->complete)
        return OK;
    swap_release(ret);
    return FAIL(arena, UNAVAILABLE, EXCHANGE_MISSING);
}

struct status
state_publish(struct state *state, uint64_t position)
{
    struct snapshot *snapshot;
    bool complete;

    TRY(index_snapshot(state->index, position, &snapshot));
    complete = snapshot->complete;
    if (!swap_publish(&state->snapshots, snapshot)) {
        snapshot_destroy(&snapshot);
        return FAIL(NULL, RESOURCE_EXHAUSTED, "readers hold too many old snapshots");
    }
    if (complete)
        state->exchange.unpublished = false;
    atomic_store(&state->complete, complete);
    atomic_store(&state->position, position);
    return OK;
}
