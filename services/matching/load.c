/* Reading registry's published views into the index: see state.h. */

#include <pthread.h>

#include "common/service/call.h"
#include "services/matching/head.h"
#include "services/matching/state.h"
#include "services/matching/store.h"

/* Of one page of profiles with their texts, of which two are there at a time, and of the whole
 * vocabulary while it is read. */
#define PAGE_BYTES ((size_t)128 << 20)
#define CONCEPTS_BYTES ((size_t)1 << 30)
/* For each step of a load; all of it takes as long as there are profiles. */
#define STEP_MS 60000

struct concept_list {
    struct concept_row *rows;
    size_t count, room;
};

static void
free_list(struct concept_list *list)
{
    free(list->rows);
}

static struct status
add_concepts(struct concept_list *list, const struct concept_row *rows, size_t count)
{
    if (list->count + count > list->room) {
        const size_t room = (list->count + count) * 2;
        struct concept_row *grown = realloc(list->rows, room * sizeof *grown);

        TRY(need(grown));
        list->rows = grown;
        list->room = room;
    }
    if (count > 0)
        memcpy(&list->rows[list->count], rows, count * sizeof *rows);
    list->count += count;
    return OK;
}

static struct status
load_vocabulary(struct call *call, struct state *state, struct vocabulary **ret)
{
    scoped(arena_fini) struct arena arena;
    scoped(free_list) struct concept_list list = {0};
    scoped(pg_tx_end) struct pg_tx tx = {0};
    const char *after = "";
    size_t count;

    arena_init(&arena, CONCEPTS_BYTES);
    TRY(call_begin(call, NULL, true, &tx));
    do {
        struct concept_row *rows;

        TRY(store_concepts(&tx, &arena, after, &rows, &count));
        TRY(add_concepts(&list, rows, count));
        if (count > 0)
            after = rows[count - 1].id;
    } while (count == STORE_PAGE);
    TRY(call_commit(call));
    return vocabulary_create(list.rows, list.count, state->words, call->arena, ret);
}

/* A page, read on a thread of its own while the one before it is made into profiles. */
struct page {
    struct pg_tx *tx;
    struct arena arena;
    struct profile_row *rows;
    size_t count;
    struct status status;
    pthread_t thread;
    bool started;
};

static void *
read_page(void *context)
{
    struct page *page = context;

    page->status = store_profiles_next(page->tx, &page->arena, &page->rows, &page->count);
    return NULL;
}

static struct status
begin_page(struct page *page, const struct call *call)
{
    arena_reset(&page->arena);
    page->tx->scope.deadline = call->deadline;
    if (pthread_create(&page->thread, NULL, read_page, page) != 0)
        return FAIL(NULL, RESOURCE_EXHAUSTED, "no thread to read profiles");
    page->started = true;
    return OK;
}

static struct status
end_page(struct page *page)
{
    if (page->started)
        (void)pthread_join(page->thread, NULL); /* it is ours and not yet joined */
    page->started = false;
    return page->status;
}

static void
page_fini(struct page *page)
{
    (void)end_page(page); /* whoever leaves early has a failure of his own */
    arena_fini(&page->arena);
}

/* Each page has the whole time of a step. */
static void
go_on(struct call *call)
{
    call->deadline = mono_add_ms(clock_mono(call->clock), STEP_MS);
}

/* Leaves the rows of this shard. */
static struct status
keep_own(struct shard shard, struct page *page)
{
    size_t kept = 0;

    for (size_t i = 0; i < page->count; i++) {
        struct uid id;

        if (!uid_parse(page->rows[i].id, &id))
            return FAIL(NULL, INTERNAL, "a published profile has no UUID");
        if (shard_holds(shard, &id))
            page->rows[kept++] = page->rows[i];
    }
    page->count = kept;
    return OK;
}

/* The reader may be using the call's arena, and a page's arena does not outlive it. */
static struct status
gather_page(struct index *index, struct page *page, struct page *next, struct arena *arena)
{
    const struct status made = index_gather(index, page->rows, page->count, &page->arena);

    if (!failed(made))
        return OK;
    (void)end_page(next); /* this failure came first */
    return status_make(arena, made.code, "%s", made.detail ? made.detail : "");
}

static struct status
load_kind(struct call *call, struct index *index, enum kind kind, size_t *total)
{
    const struct state *state = call->state;
    scoped(pg_tx_end) struct pg_tx tx = {0};
    scoped(page_fini) struct page one = {.tx = &tx};
    scoped(page_fini) struct page other = {.tx = &tx};
    struct page *now = &one;
    struct page *next = &other;

    arena_init(&one.arena, PAGE_BYTES);
    arena_init(&other.arena, PAGE_BYTES);
    go_on(call);
    TRY(call_begin(call, NULL, true, &tx));
    TRY(store_profiles_open(&tx, kind));
    for (bool more = true; more;) {
        go_on(call);
        if (!now->started)
            TRY(begin_page(now, call));
        TRY(end_page(now));
        more = now->count == STORE_PAGE;
        if (more)
            TRY(begin_page(next, call));
        TRY(keep_own(state->shard, now));
        TRY(gather_page(index, now, next, call->arena));
        *total += now->count;
        struct page *read = now;
        now = next;
        next = read;
    }
    return call_commit(call);
}

/* Their terms are those of the vocabulary that is read now. */
static struct status
load_searches(struct call *call, struct state *state)
{
    const struct snapshot *snapshot;
    struct held held;
    struct status loaded;

    TRY(state_hold(state, call->arena, &held, &snapshot));
    loaded = searches_load(call, snapshot, &state->searches);
    swap_release(&held);
    return loaded;
}

/* Of this shard or whole, with what is known of the other shards. */
static struct status
make_index(struct state *state, struct vocabulary *vocabulary, struct index **ret)
{
    const struct exchange *exchange = &state->exchange;
    scoped(index_destroy) struct index *index = NULL;
    const struct status made = index_create(vocabulary, state->words, &index);

    if (failed(made)) {
        vocabulary_drop(vocabulary);
        return made;
    }
    if (!shard_whole(state->shard)) {
        index_make_shard(index);
        if (exchange->current)
            TRY(index_set_others(index, exchange->current->packed, exchange->current->count));
    }
    *ret = take(&index);
    return OK;
}

struct status
state_load(struct call *call, struct state *state, uint64_t *ret_head, uint64_t *ret_first_kept)
{
    scoped(index_destroy) struct index *index = NULL;
    struct vocabulary *vocabulary;
    struct index *old;
    const struct mono begun = clock_mono(call->clock);
    size_t total = 0;

    go_on(call);
    TRY(head_read(call, ret_head, ret_first_kept));
    TRY(load_vocabulary(call, state, &vocabulary));
    TRY(make_index(state, vocabulary, &index));
    for (int kind = KIND_PERSON; kind < KIND_COUNT; kind++)
        TRY(load_kind(call, index, (enum kind)kind, &total));
    TRY(index_fill(index));
    go_on(call);
    old = state->index;
    state->index = index;
    const struct status published = state_publish(state, *ret_head);
    if (failed(published)) {
        state->index = old;
        return published;
    }
    index = old; /* dropped at the end */
    atomic_fetch_add(&state->exchange.own_changes, 1);
    TRY(load_searches(call, state));
    state->covered = *ret_head;
    log_info(
        "profiles read", KV("profiles", total), KV("concepts", vocabulary_count(vocabulary)),
        KV("position", *ret_head),
        KV("took_ms", (uint64_t)mono_micros_between(begun, clock_mono(call->clock)) / 1000));
    return OK;
}

static const struct profile_row *
row_of(const struct profile_row *rows, size_t count, const char *id)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(rows[i].id, id) == 0)
            return &rows[i];
    return NULL;
}

/* The keys of one kind, read together. */
static struct status
read_kind(struct pg_tx *tx, struct arena *arena, enum kind kind, struct index_change *changes,
          size_t count)
{
    const char **ids = ARENA_ARRAY(arena, const char *, count + 1);
    size_t id_count = 0;
    struct profile_row *rows;
    size_t row_count;

    TRY(need(ids));
    for (size_t i = 0; i < count; i++) {
        char id[UUID_SIZE];

        if (changes[i].kind != kind)
            continue;
        uid_format(&changes[i].id, id);
        TRY(need(ids[id_count++] = arena_copy(arena, id)));
    }
    if (id_count == 0)
        return OK;
    TRY(store_profiles_by_id(tx, arena, kind, ids, id_count, &rows, &row_count));
    for (size_t i = 0, at = 0; i < count; i++) {
        if (changes[i].kind != kind)
            continue;
        changes[i].row = row_of(rows, row_count, ids[at++]);
    }
    return OK;
}

static struct status
read_kinds(struct pg_tx *tx, struct arena *arena, struct index_change *keys, size_t count)
{
    for (int kind = KIND_PERSON; kind < KIND_COUNT; kind++)
        TRY(read_kind(tx, arena, (enum kind)kind, keys, count));
    return OK;
}

struct status
state_read(struct call *call, struct arena *arena, struct index_change *keys, size_t count)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};

    if (call->tx)
        return read_kinds(call->tx, arena, keys, count);
    TRY(call_begin(call, NULL, true, &tx));
    TRY(read_kinds(&tx, arena, keys, count));
    return call_commit(call);
}

/* What a position covers can be told without a new snapshot. */
static void
cover(struct state *state, uint64_t position)
{
    if (position > atomic_load(&state->position))
        atomic_store(&state->position, position);
}

struct status
state_refresh(struct call *call, struct state *state, const struct index_change *keys,
              size_t count)
{
    const uint64_t position = call->position > state->covered ? call->position : state->covered;
    scoped(arena_fini) struct arena arena;
    struct index_change *changes;
    size_t own = 0;

    arena_init(&arena, PAGE_BYTES);
    TRY(need(changes = ARENA_ARRAY(&arena, struct index_change, count + 1)));
    for (size_t i = 0; i < count; i++)
        if (shard_holds(state->shard, &keys[i].id))
            changes[own++] = keys[i];
    if (own == 0) {
        cover(state, position);
        return OK;
    }
    TRY(state_read(call, &arena, changes, own));
    TRY(index_apply(state->index, changes, own, call->arena));
    TRY(state_publish(state, position));
    atomic_fetch_add(&state->exchange.own_changes, 1);
    return OK;
}
