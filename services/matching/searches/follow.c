/* What standing searches hear of: see searches.h. */

#include "common/service/call.h"
#include "matching/v1/searches.pb-c.h"
#include "services/matching/roll.h"
#include "services/matching/searches/rules.h"
#include "services/matching/searches/searches.h"
#include "services/matching/searches/store.h"

/* Searches told in one transaction: their events lie in memory until the commit. */
#define TELL_MAX 200

/* Of a page of searches while it is read. */
#define PAGE_BYTES ((size_t)16 << 20)

void
searches_fini(struct searches *searches)
{
    standing_destroy(&searches->standing);
    standing_probe_destroy(&searches->probe);
}

/* Takes a page of searches in; those that nothing can satisfy are left out. */
static struct status
put_rows(const struct snapshot *snapshot, struct standing *standing,
         const struct search_row *rows, size_t count, struct arena *arena)
{
    struct standing_search *made = ARENA_ARRAY(arena, struct standing_search, count + 1);
    struct standing_change *changes = ARENA_ARRAY(arena, struct standing_change, count + 1);
    size_t kept = 0;

    TRY(need(made));
    TRY(need(changes));
    for (size_t i = 0; i < count; i++)
        if (rules_search_terms(rows[i].search, rows[i].tenant_id, snapshot->vocabulary,
                               &made[kept])) {
            changes[kept] = (struct standing_change){made[kept].id, &made[kept]};
            kept++;
        }
    return kept > 0 ? standing_apply(standing, snapshot->profiles_with, snapshot->term_count,
                                     changes, kept)
                    : OK;
}

static struct status
load_tenant(struct call *call, const struct snapshot *snapshot, struct standing *standing,
            const char *tenant)
{
    scoped(arena_fini) struct arena arena;
    char after[UUID_SIZE] = "";
    size_t count;

    arena_init(&arena, PAGE_BYTES);
    do {
        scoped(pg_tx_end) struct pg_tx tx = {0};
        struct search_row *rows;

        arena_reset(&arena);
        TRY(call_begin(call, tenant, true, &tx));
        TRY(store_search_list(&tx, &arena, "", after, SEARCHES_PAGE, &rows, &count));
        TRY(call_commit(call));
        TRY(put_rows(snapshot, standing, rows, count, &arena));
        if (count > 0)
            (void)snprintf(after, sizeof after, "%s", rows[count - 1].search->search_id);
    } while (count == SEARCHES_PAGE);
    return OK;
}

static struct status
load_all(struct call *call, const struct snapshot *snapshot, struct standing *standing)
{
    scoped(arena_fini) struct arena arena;
    char after[UUID_SIZE] = "";
    size_t count;

    arena_init(&arena, PAGE_BYTES);
    do {
        scoped(pg_tx_end) struct pg_tx tx = {0};
        const char **tenants;

        arena_reset(&arena);
        TRY(call_begin(call, NULL, true, &tx));
        TRY(roll_list(&tx, ROLL_SEARCHES, after, &arena, &tenants, &count));
        TRY(call_commit(call));
        for (size_t i = 0; i < count; i++)
            TRY(load_tenant(call, snapshot, standing, tenants[i]));
        if (count > 0)
            (void)snprintf(after, sizeof after, "%s", tenants[count - 1]);
    } while (count == ROLL_PAGE);
    return OK;
}

struct status
searches_load(struct call *call, const struct snapshot *snapshot, struct searches *into)
{
    scoped(standing_destroy) struct standing *standing = NULL;

    if (!into->probe)
        TRY(standing_probe_create(&into->probe));
    TRY(standing_create(&standing));
    TRY(load_all(call, snapshot, standing));
    log_info("saved searches read", KV("searches", standing_count(standing)));
    standing_destroy(&into->standing);
    into->standing = take(&standing);
    return OK;
}

struct status
searches_refresh(struct call *call, const struct snapshot *snapshot, struct searches *searches,
                 const char *search_id)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    struct standing_change change = {.search = NULL};
    struct standing_search made;
    struct search_row row;
    struct status status;

    if (!uid_parse(search_id, &change.id))
        return OK; /* not of this version */
    TRY(call_begin(call, call->tenant_id, true, &tx));
    status = store_search_get(&tx, call->arena, search_id, "", &row);
    if (!failed(status)) {
        if (rules_search_terms(row.search, row.tenant_id, snapshot->vocabulary, &made))
            change.search = &made;
    } else if (status.code != CODE_NOT_FOUND) {
        return status;
    }
    TRY(call_commit(call));
    return standing_apply(searches->standing, snapshot->profiles_with, snapshot->term_count,
                          &change, 1);
}

static int
by_tenant(const void *a, const void *b)
{
    const struct standing_hit *left = a;
    const struct standing_hit *right = b;
    const int order = uid_compare(left->tenant, right->tenant);

    return order ? order : uid_compare(left->id, right->id);
}

static struct status
emit_hit(struct call *call, const struct told_search *search, const struct hit_profile *profile)
{
    Matching__V1__SearchHit event = MATCHING__V1__SEARCH_HIT__INIT;
    Matching__V1__ProfileRef ref = MATCHING__V1__PROFILE_REF__INIT;

    ref.kind = (Matching__V1__ProfileKind)profile->kind;
    ref.id = profile->id;
    event.search_id = search->id;
    event.account_id = search->account_id;
    event.profile = &ref;
    event.profile_tenant_id = profile->tenant_id;
    return call_emit(call, (struct outbox_event){.data = &event.base, .subject = search->id});
}

/* Searches of one tenant: rows and events in one transaction. */
static struct status
tell_tenant(struct call *call, const struct standing_hit *hits, size_t count,
            const struct hit_profile *profile)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    const char *ids[TELL_MAX];
    struct told_search *told;
    char tenant[UUID_SIZE], id[UUID_SIZE];
    size_t told_count;

    uid_format(hits[0].tenant, tenant);
    for (size_t i = 0; i < count; i++) {
        uid_format(hits[i].id, id);
        TRY(need(ids[i] = arena_copy(call->arena, id)));
    }
    TRY(call_begin(call, tenant, false, &tx));
    TRY(store_search_tell(&tx, call->arena, ids, count, profile, &told, &told_count));
    for (size_t i = 0; i < told_count; i++)
        TRY(emit_hit(call, &told[i], profile));
    return call_commit(call);
}

static struct status
tell_all(struct call *call, const struct standing_hits *found,
         const struct hit_profile *profile)
{
    struct standing_hit *hits = ARENA_ARRAY(call->arena, struct standing_hit, found->count + 1);

    TRY(need(hits));
    if (found->count == 0)
        return OK;
    memcpy(hits, found->items, found->count * sizeof *hits);
    qsort(hits, found->count, sizeof *hits, by_tenant);
    for (size_t first = 0; first < found->count;) {
        size_t end = first + 1;

        while (end < found->count && end - first < TELL_MAX &&
               uid_equal(hits[first].tenant, hits[end].tenant))
            end++;
        TRY(tell_tenant(call, &hits[first], end - first, profile));
        first = end;
    }
    return OK;
}

struct status
searches_tell(struct call *call, const struct snapshot *snapshot, struct searches *searches,
              const struct profile *profile)
{
    uint32_t *terms = ARENA_ARRAY(call->arena, uint32_t, profile->term_count + 1);
    struct uid *tenants = ARENA_ARRAY(call->arena, struct uid, profile->shared_count + 1u);
    char id[UUID_SIZE], tenant[UUID_SIZE];
    const struct hit_profile told = {id, tenant, profile->kind, call->position};
    struct standing_document document;
    struct standing_hits found;
    struct held held;
    struct status status;

    TRY(need(terms));
    TRY(need(tenants));
    if (!rules_search_document(profile, snapshot->vocabulary, day_of(clock_wall(call->clock)),
                               terms, tenants, &document))
        return OK;
    uid_format(&profile->id, id);
    uid_format(&profile->tenant, tenant);
    held = standing_hold(searches->standing);
    status = held.version ? standing_match(&held, searches->probe, &document, &found)
                          : FAIL(call->arena, UNAVAILABLE, "no searches are read yet");
    if (!failed(status))
        status = tell_all(call, &found, &told);
    swap_release(&held);
    return status;
}
