#include "matching/v1/inbox.pb-c.h"

#include "matching/v1/events.pb-c.h"
#include "services/matching/assignment/assignment.h"
#include "services/matching/find.h"
#include "services/matching/guest.h"
#include "services/matching/matching.h"
#include "services/matching/state.h"

/* Every instance takes every change into its index.  What follows from it for others is done by
 * whoever comes first: suggestions have a unique key, and the table `listener` says how far
 * they are made, so that nothing is forgotten while no instance runs.
 *
 * A shard indexes its own profiles and hears of all: it makes the suggestions whose counterpart
 * is one of its own, at most `suggest_most` for a change, and has a row in `listener` for
 * itself.  So each pair is some one shard's for each of its sides, and the unique key lets it
 * be told once.
 */

#define KEYS_MAX 500
#define KEY_BYTES ((size_t)64 << 20)  /* of what one profile's suggestions need */
#define ROW_BYTES ((size_t)128 << 20) /* of one event's profiles of other shards */

static struct status
parse_keys(struct call *call, Registry__V1__ProfileKey *const *keys, size_t count,
           struct index_change **ret, size_t *ret_count)
{
    struct index_change *changes = ARENA_ARRAY(call->arena, struct index_change, count + 1);
    size_t kept = 0;

    TRY(need(changes));
    if (count > KEYS_MAX)
        return FAIL(call->arena, INVALID_ARGUMENT, "more than %d profiles", KEYS_MAX);
    for (size_t i = 0; i < count; i++) {
        struct index_change change = {.kind = profile_kind_parse(keys[i]->kind)};
        bool known = false;

        /* A kind that a newer registry publishes is not for this version. */
        if (change.kind == KIND_NONE || !uid_parse(keys[i]->id, &change.id))
            continue;
        for (size_t j = 0; j < kept && !known; j++)
            known = changes[j].kind == change.kind && uid_equal(&changes[j].id, &change.id);
        if (!known)
            changes[kept++] = change;
    }
    *ret = changes;
    *ret_count = kept;
    return OK;
}

static struct status
emit_suggested(struct call *call, const struct found *found, const struct remembered *told)
{
    Matching__V1__MatchSuggested event = MATCHING__V1__MATCH_SUGGESTED__INIT;
    Matching__V1__ProfileRef query = MATCHING__V1__PROFILE_REF__INIT;
    Matching__V1__ProfileRef candidate = MATCHING__V1__PROFILE_REF__INIT;
    char query_tenant[UUID_SIZE], candidate_tenant[UUID_SIZE], owner[UUID_SIZE] = "";
    const char *audience = NULL;

    uid_format(&found->query->tenant, query_tenant);
    uid_format(&found->candidate->tenant, candidate_tenant);
    if (!uid_is_zero(&found->query->owner))
        uid_format(&found->query->owner, owner);
    if (!uid_equal(&found->query->tenant, &found->candidate->tenant) &&
        profile_visible(found->query, &found->candidate->tenant))
        TRY(need(audience =
                     arena_printf(call->arena, "%s,%s", query_tenant, candidate_tenant)));
    query.kind = (Matching__V1__ProfileKind)found->query->kind;
    query.id = told->query_id;
    candidate.kind = (Matching__V1__ProfileKind)found->candidate->kind;
    candidate.id = told->candidate_id;
    event.match_id = told->id;
    event.query = &query;
    event.candidate = &candidate;
    event.score_thousandths = found->score.total;
    event.query_tenant_id = query_tenant;
    event.candidate_tenant_id = candidate_tenant;
    event.query_organisation_id = owner;
    return call_emit(call,
                     (struct outbox_event){.data = &event.base,
                                           .subject = told->id,
                                           .audience = audience,
                                           .organisation_type = found->query->organisation_type,
                                           .nuts = found->query->nuts});
}

static const struct found *
found_of(const struct found_list *found, const struct remembered *told)
{
    for (size_t i = 0; i < found->count; i++) {
        char query[UUID_SIZE], candidate[UUID_SIZE];

        uid_format(&found->items[i].query->id, query);
        uid_format(&found->items[i].candidate->id, candidate);
        if (strcmp(told->query_id, query) == 0 && strcmp(told->candidate_id, candidate) == 0)
            return &found->items[i];
    }
    return NULL;
}

/* Remembers pairs of one seeking tenant and tells of those that are new, in one transaction. */
static struct status
tell_tenant(struct call *call, const struct found_list *found)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    char tenant[UUID_SIZE];
    struct suggestion *suggestions;
    struct remembered *told;
    size_t told_count;

    uid_format(&found->items[0].query->tenant, tenant);
    TRY(find_suggestions(found, call->clock, call->arena, &suggestions));
    TRY(call_begin(call, tenant, false, &tx));
    TRY(store_suggest_tell(&tx, call->arena, suggestions, found->count, call->position, &told,
                           &told_count));
    for (size_t i = 0; i < told_count; i++) {
        const struct found *item = found_of(found, &told[i]);

        if (item)
            TRY(emit_suggested(call, item, &told[i]));
    }
    return call_commit(call);
}

static int
by_tenant(const void *a, const void *b)
{
    const struct found *left = a;
    const struct found *right = b;
    const int order = uid_compare(&left->query->tenant, &right->query->tenant);

    return order ? order : uid_compare(&left->query->id, &right->query->id);
}

static struct status
suggest_for(struct call *call, const struct snapshot *snapshot, const struct profile *subject)
{
    const struct state *state = call->state;
    const struct score_context context = {&state->rules, clock_wall(call->clock)};
    const struct search search = {.subject = subject,
                                  .context = &context,
                                  .nuts = "",
                                  .limit = (size_t)state->settings->suggest_most,
                                  .least_total = (uint32_t)state->settings->suggest_least};
    struct found_list found;

    TRY(find_run(snapshot, &search, call->arena, &found));
    qsort(found.items, found.count, sizeof *found.items, by_tenant);
    for (size_t first = 0; first < found.count;) {
        size_t end = first + 1;

        while (end < found.count &&
               uid_equal(&found.items[first].query->tenant, &found.items[end].query->tenant))
            end++;
        const struct found_list group = {&found.items[first], end - first};

        TRY(tell_tenant(call, &group));
        first = end;
    }
    return OK;
}

/* Ends the open suggestions with profiles that are gone, with every tenant that may have some.
 */
static struct status
withdraw(struct call *call, const struct snapshot *snapshot, const char *const *gone,
         size_t count)
{
    struct uid *tenants = ARENA_ARRAY(call->arena, struct uid, SNAPSHOT_TENANTS_MAX + 1);
    size_t tenant_count;

    if (count == 0)
        return OK;
    TRY(need(tenants));
    tenant_count = snapshot_tenants(snapshot, tenants, SNAPSHOT_TENANTS_MAX);
    if (uid_parse(call->tenant_id, &tenants[tenant_count]))
        tenant_count++;
    for (size_t i = 0; i < tenant_count; i++) {
        scoped(pg_tx_end) struct pg_tx tx = {0};
        char tenant[UUID_SIZE];

        uid_format(&tenants[i], tenant);
        TRY(call_begin(call, tenant, false, &tx));
        TRY(store_suggest_withdraw(&tx, gone, count));
        TRY(call_commit(call));
    }
    return OK;
}

static struct status
read_progress(struct call *call, uint64_t *ret)
{
    const struct state *state = call->state;
    scoped(pg_tx_end) struct pg_tx tx = {0};

    TRY(call_begin(call, NULL, true, &tx));
    TRY(store_progress(&tx, call->arena, state->shard, ret));
    return call_commit(call);
}

static struct status
move_progress(struct call *call)
{
    const struct state *state = call->state;
    scoped(pg_tx_end) struct pg_tx tx = {0};

    TRY(call_begin(call, NULL, false, &tx));
    TRY(store_progress_move(&tx, call->arena, state->shard, call->position));
    return call_commit(call);
}

/* The profiles that an event speaks of, as they are now. */
struct heard {
    struct index_change *keys;
    size_t count;
    const struct profile **subjects; /* NULL: not published */
    struct guest_maker *guests;      /* those of other shards */
    struct arena rows;               /* of the guests */
};

static void
heard_end(struct heard *heard)
{
    guest_maker_destroy(&heard->guests);
    arena_fini(&heard->rows);
}

/* Those of other shards are read: they may fit what is here. */
static struct status
find_guests(struct call *call, const struct snapshot *snapshot, struct heard *heard)
{
    const struct state *state = call->state;
    struct index_change *keys = ARENA_ARRAY(call->arena, struct index_change, heard->count + 1);
    size_t *places = ARENA_ARRAY(call->arena, size_t, heard->count + 1);
    size_t count = 0;

    TRY(need(keys));
    TRY(need(places));
    for (size_t i = 0; i < heard->count; i++)
        if (!shard_holds(state->shard, &heard->keys[i].id)) {
            keys[count] = heard->keys[i];
            places[count++] = i;
        }
    if (count == 0)
        return OK;
    TRY(state_read(call, &heard->rows, keys, count));
    TRY(guest_maker_create(snapshot, call->arena, &heard->guests));
    for (size_t i = 0; i < count; i++)
        if (keys[i].row)
            TRY(guest_make(heard->guests, keys[i].row, &heard->rows,
                           &heard->subjects[places[i]]));
    return OK;
}

static struct status
find_subjects(struct call *call, const struct snapshot *snapshot, struct heard *heard)
{
    TRY(need(heard->subjects =
                 ARENA_ARRAY(call->arena, const struct profile *, heard->count + 1)));
    for (size_t i = 0; i < heard->count; i++)
        heard->subjects[i] = snapshot_find(snapshot, heard->keys[i].kind, &heard->keys[i].id);
    return find_guests(call, snapshot, heard);
}

/* Searches are told by the shard that has the profile. */
static struct status
tell_of(struct call *call, const struct snapshot *snapshot, const struct profile *subject)
{
    struct state *state = call->state;

    TRY(suggest_for(call, snapshot, subject));
    return shard_holds(state->shard, &subject->id)
               ? searches_tell(call, snapshot, &state->searches, subject)
               : OK;
}

static struct status
suggest_for_each(struct call *call, const struct snapshot *snapshot, const struct heard *heard)
{
    struct state *state = call->state;
    scoped(arena_fini) struct arena arena;
    struct call own = *call;

    arena_init(&arena, KEY_BYTES);
    own.arena = &arena;
    while (state->done_count < heard->count) {
        const struct profile *subject = heard->subjects[state->done_count];

        arena_reset(&arena);
        if (subject) {
            const struct status done = tell_of(&own, snapshot, subject);

            /* Its detail lives in an arena that ends here. */
            if (failed(done))
                return status_make(call->arena, done.code, "%s",
                                   done.detail ? done.detail : "");
        }
        state->done_count++;
    }
    return OK;
}

static struct status
withdraw_gone(struct call *call, const struct snapshot *snapshot, const struct heard *heard)
{
    const char **gone = ARENA_ARRAY(call->arena, const char *, heard->count + 1);
    size_t count = 0;

    TRY(need(gone));
    for (size_t i = 0; i < heard->count; i++) {
        char id[UUID_SIZE];

        if (heard->subjects[i])
            continue;
        uid_format(&heard->keys[i].id, id);
        TRY(need(gone[count++] = arena_copy(call->arena, id)));
    }
    return withdraw(call, snapshot, gone, count);
}

/* What changed profiles mean for others. */
static struct status
act(struct call *call, const struct snapshot *snapshot, struct index_change *keys, size_t count)
{
    struct state *state = call->state;
    scoped(heard_end) struct heard heard = {.keys = keys, .count = count};
    uint64_t progress;

    arena_init(&heard.rows, ROW_BYTES);
    TRY(read_progress(call, &progress));
    if (progress >= call->position)
        return OK; /* another instance has done it */
    TRY(find_subjects(call, snapshot, &heard));
    if (state->done_position != call->position) {
        TRY(withdraw_gone(call, snapshot, &heard));
        state->done_position = call->position;
        state->done_count = 0;
    }
    TRY(suggest_for_each(call, snapshot, &heard));
    return move_progress(call);
}

/* Before scores are told the counts of the other shards must be there. */
static struct status
take_others(struct state *state)
{
    bool taken;

    TRY(exchange_take(state, &taken));
    return taken ? state_publish(state, atomic_load(&state->position)) : OK;
}

static void
release(struct held *held)
{
    swap_release(held);
}

static struct status
take_in(struct call *call, Registry__V1__ProfileKey *const *profiles, size_t profile_count)
{
    struct state *state = call->state;
    scoped(release) struct held held = {0};
    const struct snapshot *snapshot;
    struct index_change *keys;
    size_t count = 0;

    TRY(parse_keys(call, profiles, profile_count, &keys, &count));
    if (call->position > state->covered)
        TRY(state_refresh(call, state, keys, count));
    TRY(take_others(state));
    TRY(state_hold_complete(state, call->arena, &held, &snapshot));
    return act(call, snapshot, keys, count);
}

static struct status
profiles_changed(struct call *call, const Registry__V1__ProfilesChanged *event,
                 Wire__V1__Ack *ack)
{
    (void)ack;
    return take_in(call, event->profiles, event->n_profiles);
}

static struct status
profiles_withdrawn(struct call *call, const Registry__V1__ProfilesWithdrawn *event,
                   Wire__V1__Ack *ack)
{
    (void)ack;
    return take_in(call, event->profiles, event->n_profiles);
}

static struct status
read_search(struct call *call, const char *search_id)
{
    struct state *state = call->state;
    scoped(release) struct held held = {0};
    const struct snapshot *snapshot;

    if (call->position <= state->covered)
        return OK;
    TRY(state_hold(state, call->arena, &held, &snapshot));
    return searches_refresh(call, snapshot, &state->searches, search_id);
}

static struct status
search_saved(struct call *call, const Matching__V1__SearchSaved *event, Wire__V1__Ack *ack)
{
    (void)ack;
    return read_search(call, event->search_id);
}

static struct status
search_removed(struct call *call, const Matching__V1__SearchRemoved *event, Wire__V1__Ack *ack)
{
    (void)ack;
    return read_search(call, event->search_id);
}

/* Every instance does it; after the first there is nothing left. */
static struct status
subject_erased(struct call *call, const Registry__V1__SubjectErased *event, Wire__V1__Ack *ack)
{
    (void)ack;
    return rounds_erase(call, event->person_id);
}

/* Links from words to concepts and everybody's terms depend on the vocabulary: all is read
 * again. An import tells of each batch; those that lie before the head of the log when this one
 * is heard are covered by the same reading. */
static struct status
concepts_changed(struct call *call, const Registry__V1__ConceptsChanged *event,
                 Wire__V1__Ack *ack)
{
    struct state *state = call->state;
    uint64_t head, first_kept;

    (void)event;
    (void)ack;
    if (call->position <= state->covered)
        return OK;
    return state_load(call, state, &head, &first_kept);
}

/* Suggestions that nobody has made yet lie between their progress and the head. */
static struct status
start(struct call *call, uint64_t *ret_after)
{
    uint64_t head, first_kept, progress;

    TRY(state_load(call, call->state, &head, &first_kept));
    TRY(read_progress(call, &progress));
    if (progress > head)
        progress = head;
    *ret_after = progress > first_kept ? progress : first_kept;
    return OK;
}

static void
reached(void *memory, uint64_t through, uint64_t head)
{
    struct state *state = memory;

    struct status taken;

    (void)head;
    if (through > atomic_load(&state->position))
        atomic_store(&state->position, through);
    taken = take_others(state);
    if (failed(taken)) /* the next heartbeat tries again */
        log_warn("counts of other shards not taken in", KV("code", code_name(taken.code)),
                 KV("detail", taken.detail ? taken.detail : ""));
}

#define HEARS(handler, Name)                                                                   \
    RPC_METHOD(Matching__V1__Inbox_Service, handler, Name, Wire__V1__Ack)

HEARS(profiles_changed, Registry__V1__ProfilesChanged)
HEARS(profiles_withdrawn, Registry__V1__ProfilesWithdrawn)
HEARS(search_saved, Matching__V1__SearchSaved)
HEARS(search_removed, Matching__V1__SearchRemoved)
HEARS(subject_erased, Registry__V1__SubjectErased)
HEARS(concepts_changed, Registry__V1__ConceptsChanged)

static Matching__V1__Inbox_Service service = MATCHING__V1__INBOX__INIT(rpc_);

const struct service_inbox matching_inbox = {
    .service = &service.base, .stored = false, .start = start, .reached = reached};
