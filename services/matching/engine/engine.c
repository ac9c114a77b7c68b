#include "services/matching/engine/engine.h"

#include "services/matching/engine/merge.h"

/* A base is merged with all that came after it when it is not more than so many times larger,
 * or when one in DEAD_SHARE of it is dead. */
#define LARGER 8u
#define DEAD_SHARE 8u
/* Sealed tails that wait for a merge before the writer waits as well. */
#define SEALED_MAX 12u
/* Documents that come before a merge that failed is tried again. */
#define PAUSE 1024u

/* An item that nobody may have any more once versions up to `sequence` are given back. */
struct grave {
    void *item;
    uint64_t sequence;
};

struct engine {
    struct engine_options options;
    struct version now; /* the units of the next version */
    uint32_t term_limit;
    uint64_t sequence; /* of the last version */
    struct version *oldest, *newest;
    struct grave *graves; /* in the order of their sequences */
    size_t grave_first, grave_count, grave_room;
    struct merge *merge; /* NULL: none is under way */
    uint32_t pause;
    bool purge; /* the next merge takes all that is dead */
    uint64_t merges, waited;
};

static uint32_t
alive_in(const struct unit *unit)
{
    return (unit->base ? unit->base->document_count : unit->places) - unit->dead_count;
}

/* ---- versions, and items that none of them has any more ---- */

static void
empty_graves(struct engine *engine)
{
    while (engine->grave_count > 0) {
        const struct grave *grave = &engine->graves[engine->grave_first];

        if (engine->oldest && engine->oldest->sequence <= grave->sequence)
            return;
        if (engine->options.drop && grave->item)
            engine->options.drop(grave->item);
        engine->grave_first++;
        engine->grave_count--;
    }
    engine->grave_first = 0;
}

static struct status
grave_room(struct engine *engine)
{
    struct grave *grown;
    size_t room;

    if (engine->grave_first + engine->grave_count < engine->grave_room)
        return OK;
    if (engine->grave_first > engine->grave_room / 2) {
        memmove(engine->graves, &engine->graves[engine->grave_first],
                engine->grave_count * sizeof *engine->graves);
        engine->grave_first = 0;
        return OK;
    }
    room = engine->grave_room ? engine->grave_room * 2 : 64;
    grown = realloc(engine->graves, room * sizeof *grown);
    TRY(need(grown));
    engine->graves = grown;
    engine->grave_room = room;
    return OK;
}

struct status
engine_version(struct engine *engine, struct version **ret)
{
    struct version *version = calloc(1, sizeof *version);

    TRY(need(version));
    version->unit_count = engine->now.unit_count;
    version->live = engine->now.live;
    memcpy(version->units, engine->now.units, version->unit_count * sizeof version->units[0]);
    for (uint32_t i = 0; i < version->unit_count; i++)
        unit_hold(&version->units[i]);
    version->sequence = ++engine->sequence;
    version->older = engine->newest;
    version->newer = NULL;
    if (engine->newest)
        engine->newest->newer = version;
    else
        engine->oldest = version;
    engine->newest = version;
    *ret = version;
    return OK;
}

void
engine_give_back(struct engine *engine, struct version **version)
{
    struct version *gone = take(version);

    if (!gone)
        return;
    for (uint32_t i = 0; i < gone->unit_count; i++)
        unit_drop(&gone->units[i]);
    if (gone->older)
        gone->older->newer = gone->newer;
    else
        engine->oldest = gone->newer;
    if (gone->newer)
        gone->newer->older = gone->older;
    else
        engine->newest = gone->older;
    free(gone);
    empty_graves(engine);
}

/* ---- merges ---- */

static void
merge_free(struct engine *engine)
{
    struct merge *merge = take(&engine->merge);

    for (uint32_t i = 0; i < merge->count; i++)
        unit_drop(&merge->units[i]);
    base_drop(merge->made);
    free(merge);
}

struct same {
    const struct base *base;
    const void *item;
};

static bool
is_same(void *context, uint32_t place)
{
    const struct same *same = context;

    return !same->base->items || same->base->items[place] == same->item;
}

/* Whoever died while the merge was under way is dead in what it made, too. */
static struct status
bury_late(const struct unit *before, const struct unit *now, struct unit *made)
{
    const uint32_t blocks = unit_block_count(before);

    for (uint32_t block = 0; block < blocks; block++) {
        uint64_t who = unit_live(before, block) & dead_word(now->dead, block);

        for (; who; who &= who - 1) {
            const struct place old = {now, block * 64 + (uint32_t)__builtin_ctzll(who)};
            struct same same = {made->base, place_item(&old)};
            const uint32_t place = base_find(made->base, place_id(&old), is_same, &same);

            TRY(dead_set(&made->dead, place));
            made->dead_count++;
        }
    }
    return OK;
}

static struct status
make_unit(struct engine *engine, struct unit *made)
{
    struct merge *merge = engine->merge;

    TRY(merge->done);
    if (!merge->made)
        return OK;
    made->dead = dead_create(merge->made->place_count);
    TRY(need(made->dead));
    made->base = take(&merge->made);
    for (uint32_t i = 0; i < merge->count; i++)
        TRY(bury_late(&merge->units[i], &engine->now.units[merge->first + i], made));
    return OK;
}

/* Puts what a merge made in place of its units. */
static void
adopt(struct engine *engine)
{
    struct merge *merge = engine->merge;
    struct version *now = &engine->now;
    struct unit made = {0};
    uint32_t kept = 0;

    merge_join(merge);
    if (failed(make_unit(engine, &made))) {
        unit_drop(&made);
        merge_free(engine);
        engine->pause = PAUSE;
        return;
    }
    for (uint32_t i = 0; i < merge->count; i++)
        unit_drop(&now->units[merge->first + i]);
    if (made.base)
        now->units[merge->first + kept++] = made;
    memmove(&now->units[merge->first + kept], &now->units[merge->first + merge->count],
            (now->unit_count - merge->first - merge->count) * sizeof now->units[0]);
    now->unit_count -= merge->count - kept;
    engine->merges++;
    merge_free(engine);
}

/* The units that may be merged: all but a tail that still has room. */
static uint32_t
settled_units(const struct engine *engine)
{
    const struct version *now = &engine->now;
    const struct unit *last = now->unit_count ? &now->units[now->unit_count - 1] : NULL;

    return last && last->tail && !last->sealed && last->places < last->tail->room
               ? now->unit_count - 1
               : now->unit_count;
}

/* The first unit that should be merged with all after it, up to `end`; `end`: none. */
static uint32_t
first_due(const struct engine *engine, uint32_t end, bool purge)
{
    uint32_t first = end;
    uint64_t after = 0;

    for (uint32_t i = end; i > 0; i--) {
        const struct unit *unit = &engine->now.units[i - 1];
        const uint64_t alive = alive_in(unit);

        if (unit->tail || alive <= LARGER * after ||
            (uint64_t)unit->dead_count * DEAD_SHARE > alive + unit->dead_count ||
            (purge && unit->dead_count > 0))
            first = i - 1;
        after += alive;
    }
    return first;
}

/* NULL in engine->merge afterwards: nothing is due. */
static struct status
plan(struct engine *engine, bool purge)
{
    const uint32_t end = purge ? engine->now.unit_count : settled_units(engine);
    const uint32_t first = first_due(engine, end, purge || engine->purge);
    struct merge *merge;

    if (first == end) {
        engine->purge = false;
        return OK;
    }
    merge = calloc(1, sizeof *merge);
    TRY(need(merge));
    merge->first = first;
    merge->term_limit = engine->term_limit;
    merge->class_count = engine->options.class_count;
    merge->with_items = engine->options.with_items;
    for (uint32_t i = first; i < end; i++) {
        unit_hold(&engine->now.units[i]);
        merge->units[merge->count++] = engine->now.units[i];
    }
    engine->purge = false;
    engine->merge = merge;
    return OK;
}

void
engine_tend(struct engine *engine)
{
    if (engine->merge) {
        if (!atomic_load_explicit(&engine->merge->ready, memory_order_acquire))
            return;
        adopt(engine);
    }
    if (engine->pause > 0) {
        engine->pause--;
        return;
    }
    if (failed(plan(engine, false)) || !engine->merge)
        return; /* without memory it is tried again with the next document */
    if (failed(merge_start(engine->merge))) {
        merge_free(engine);
        engine->pause = PAUSE;
    }
}

void
engine_purge(struct engine *engine)
{
    struct version *now = &engine->now;

    if (now->unit_count > 0 && now->units[now->unit_count - 1].tail)
        now->units[now->unit_count - 1].sealed = true;
    engine->purge = true;
    engine_tend(engine);
}

struct status
engine_settle(struct engine *engine, bool purge)
{
    if (engine->merge)
        adopt(engine);
    for (;;) {
        TRY(plan(engine, purge));
        if (!engine->merge)
            return OK;
        merge_run(engine->merge);
        const struct status done = engine->merge->done;
        adopt(engine);
        TRY(done);
    }
}

/* ---- documents ---- */

struct status
engine_create(const struct engine_options *options, struct engine **ret)
{
    struct engine *engine = calloc(1, sizeof *engine);

    TRY(need(engine));
    engine->options = *options;
    *ret = engine;
    return OK;
}

static bool
drop_item(void *context, const struct place *place)
{
    const struct engine *engine = context;
    void *item = place_item(place);

    if (item)
        engine->options.drop(item);
    return true;
}

void
engine_destroy(struct engine **engine)
{
    struct engine *gone = take(engine);

    if (!gone)
        return;
    if (gone->merge) {
        atomic_store(&gone->merge->stop, true);
        merge_join(gone->merge);
        merge_free(gone);
    }
    empty_graves(gone);
    if (gone->options.drop)
        version_each(&gone->now, 0, drop_item, gone);
    for (uint32_t i = 0; i < gone->now.unit_count; i++)
        unit_drop(&gone->now.units[i]);
    free(gone->graves);
    free(gone);
}

struct status
engine_load(struct engine *engine, const struct base_source *source, uint32_t term_limit)
{
    const struct base_options options = {term_limit, engine->options.class_count,
                                         engine->options.with_items, NULL};
    struct unit made = {0};

    if (source->count == 0)
        return OK;
    TRY(base_build(source, &options, &made.base));
    made.dead = dead_create(made.base->place_count);
    if (!made.dead) {
        base_drop(made.base);
        return need(NULL);
    }
    if (term_limit > engine->term_limit)
        engine->term_limit = term_limit;
    engine->now.units[engine->now.unit_count++] = made;
    engine->now.live += source->count;
    return OK;
}

static uint32_t
count_tails(const struct engine *engine)
{
    uint32_t tails = 0;

    for (uint32_t i = 0; i < engine->now.unit_count; i++)
        tails += engine->now.units[i].tail != NULL;
    return tails;
}

/* A tail with room at the end of the units. */
static struct status
open_tail(struct engine *engine, struct unit **ret)
{
    struct version *now = &engine->now;
    struct unit made = {0};

    if (settled_units(engine) < now->unit_count) {
        *ret = &now->units[now->unit_count - 1];
        return OK;
    }
    while (engine->merge &&
           (now->unit_count == VERSION_UNITS_MAX || count_tails(engine) >= SEALED_MAX)) {
        engine->waited++;
        adopt(engine);
        engine_tend(engine);
    }
    if (now->unit_count == VERSION_UNITS_MAX)
        return FAIL(NULL, RESOURCE_EXHAUSTED, "the index could not be merged");
    TRY(tail_create(engine->options.tail_documents, engine->options.class_count, &made.tail));
    made.dead = dead_create(made.tail->room);
    if (!made.dead) {
        tail_drop(made.tail);
        return need(NULL);
    }
    now->units[now->unit_count] = made;
    *ret = &now->units[now->unit_count++];
    return OK;
}

struct status
engine_insert(struct engine *engine, const struct document *document)
{
    struct unit *unit;

    TRY(document_check(document, engine->options.class_count));
    TRY(open_tail(engine, &unit));
    TRY(tail_put(unit->tail, document));
    unit->places = unit->tail->count;
    engine->now.live++;
    if (document->term_count > 0 &&
        document->terms[document->term_count - 1] >= engine->term_limit)
        engine->term_limit = document->terms[document->term_count - 1] + 1;
    engine_tend(engine);
    return OK;
}

bool
engine_find(const struct engine *engine, uint64_t id, bool (*is)(void *context, void *item),
            void *context, struct place *ret)
{
    return version_find(&engine->now, id, is, context, ret);
}

struct status
engine_remove(struct engine *engine, uint64_t id, bool (*is)(void *context, void *item),
              void *context)
{
    struct place place;
    struct unit *unit;

    if (!version_find(&engine->now, id, is, context, &place))
        return FAIL(NULL, NOT_FOUND, "the document is not in the index");
    unit = &engine->now.units[place.unit - engine->now.units];
    TRY(grave_room(engine));
    TRY(dead_set(&unit->dead, place.number));
    unit->dead_count++;
    engine->now.live--;
    engine->graves[engine->grave_first + engine->grave_count++] =
        (struct grave){place_item(&place), engine->sequence};
    empty_graves(engine);
    return OK;
}

struct engine_state
engine_state(const struct engine *engine)
{
    struct engine_state state = {.live = engine->now.live,
                                 .units = engine->now.unit_count,
                                 .tails = count_tails(engine),
                                 .merges = engine->merges,
                                 .waited = engine->waited};

    for (uint32_t i = 0; i < engine->now.unit_count; i++) {
        const struct unit *unit = &engine->now.units[i];

        state.bytes += unit->base ? unit->base->bytes : unit->tail->bytes;
    }
    return state;
}
