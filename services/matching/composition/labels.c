#include "services/matching/composition/labels.h"

#include <stdlib.h>
#include <string.h>

#include "services/matching/composition/plan.h"

#define NO_LABEL UINT32_MAX
#define NODE_BLOCK (1u << 16)
#define NODE_BLOCKS_MAX 4096u
#define CLOCK_EVERY 4096u /* labels between two looks at the clock */

/* A partial set: what it counts, and its last member in the history. */
struct label {
    uint64_t key, groups;
    int64_t value; /* cost, and the multipliers on what is still needed; scaled */
    uint32_t node;
    uint32_t next; /* another with the same key; in the table's chain */
};

/* The history: a member and those before it. */
struct node {
    uint32_t before; /* 0: none */
    uint32_t item;
};

struct search {
    const struct labels_ask *ask;
    struct arena *arena;
    struct shelf *shelf;
    struct plan plan;
    struct label *labels;
    size_t count, room;
    struct label *fresh;
    size_t fresh_count;
    uint32_t *table; /* heads of the chains */
    size_t table_mask;
    struct node *blocks[NODE_BLOCKS_MAX];
    uint32_t node_count;
    int64_t ceiling; /* scaled: a bound above it cannot beat the target */
    struct labels_answer answer;
    uint64_t look_at;
    bool stopped;
};

static void
renew_ceiling(struct search *search)
{
    search->ceiling = (shelf_target(search->shelf) - 1) * RELAX_SCALE;
}

/* The number of a new node, or 0 when there is no room. */
static uint32_t
add_node(struct search *search, uint32_t before, uint32_t item)
{
    const uint32_t at = search->node_count + 1, block = at / NODE_BLOCK;

    if (block >= NODE_BLOCKS_MAX)
        return 0;
    if (!search->blocks[block])
        search->blocks[block] = ARENA_ARRAY(search->arena, struct node, NODE_BLOCK);
    if (!search->blocks[block])
        return 0;
    search->blocks[block][at % NODE_BLOCK] = (struct node){before, item};
    return search->node_count = at;
}

static int
compare_items(const void *left, const void *right)
{
    const uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

    return (a > b) - (a < b);
}

static void
put_on_shelf(struct search *search, const struct label *label, uint32_t item)
{
    struct pool_set set = {.count = 1, .members = {item}};
    uint32_t node = label->node;

    for (; node && set.count < POOL_SET_MAX; set.count++) {
        const struct node *at = &search->blocks[node / NODE_BLOCK][node % NODE_BLOCK];
        set.members[set.count] = at->item;
        node = at->before;
    }
    if (node)
        return;
    qsort(set.members, set.count, sizeof set.members[0], compare_items);
    if (pool_holds(search->ask->pool, &set, &set.cost))
        shelf_put(search->shelf, &set);
    renew_ceiling(search);
}

/* `from` with the item; false when that is forbidden, useless or too dear. */
static inline bool
extend(const struct search *search, const struct plan_item *item, size_t next,
       const struct label *from, struct label *ret)
{
    const struct plan *plan = &search->plan;
    uint64_t key = from->key | item->bits;
    int64_t value = from->value + item->cost;

    if (item->group & from->groups)
        return false;
    for (uint64_t rest = item->bits & ~from->key; rest; rest &= rest - 1)
        value -= plan->bit_multipliers[__builtin_ctzll(rest)];
    for (uint64_t rest = item->fields; rest; rest &= rest - 1) {
        const struct plan_field *field = &plan->fields[__builtin_ctzll(rest)];
        const unsigned found = (unsigned)(key >> field->shift & field->mask);

        if (found < field->cap)
            key += UINT64_C(1) << field->shift;
        else if (field->limited)
            return false;
        if (found < field->need)
            value -= field->multiplier;
    }
    if (item->counts && !(key & PLAN_OPEN)) {
        value -= (int64_t)plan->pool->class_bonus * RELAX_SCALE;
        if (plan_classes_needed(plan, key))
            key += UINT64_C(1) << PLAN_CLASSES_SHIFT;
        key |= PLAN_OPEN;
    }
    if (key == from->key || value + plan_rest(plan, next, key) > search->ceiling)
        return false;
    *ret = (struct label){.key = key,
                          .groups = (from->groups | item->group) & item->groups_live,
                          .value = value,
                          .node = from->node};
    return true;
}

static size_t
place_of(const struct search *search, const struct label *label)
{
    const uint64_t mixed = (label->key ^ label->groups * UINT64_C(0xff51afd7ed558ccd)) *
                           UINT64_C(0x9e3779b97f4a7c15);

    return (size_t)(mixed >> 32) & search->table_mask;
}

static void
append(struct search *search, const struct label *label, size_t place)
{
    struct label *into = &search->labels[search->count];

    *into = *label;
    into->next = search->table[place];
    search->table[place] = (uint32_t)search->count++;
}

/* Keeps `label` unless enough others with the same future are as cheap. */
static void
insert(struct search *search, const struct label *label, uint32_t item)
{
    const size_t place = place_of(search, label);
    struct label *dearest = NULL;
    size_t alike = 0;
    struct label kept = *label;

    for (uint32_t at = search->table[place]; at != NO_LABEL; at = search->labels[at].next) {
        struct label *other = &search->labels[at];
        if (other->key != label->key || other->groups != label->groups)
            continue;
        alike++;
        if (!dearest || other->value > dearest->value)
            dearest = other;
    }
    if (alike >= search->shelf->wanted && dearest->value <= label->value)
        return;
    kept.node = add_node(search, label->node, item);
    if (!kept.node) {
        search->stopped = true;
        return;
    }
    if (alike >= search->shelf->wanted) {
        kept.next = dearest->next;
        *dearest = kept;
    } else {
        append(search, &kept, place);
    }
}

static int64_t
bound_of(const struct search *search, const struct label *label, size_t next)
{
    return label->value + plan_rest(&search->plan, next, label->key);
}

static void
lose(struct search *search, int64_t bound)
{
    if (bound <= search->ceiling && bound < search->answer.lost)
        search->answer.lost = bound;
}

/* How many of the needs a label has met. */
static unsigned
progress_of(const struct plan *plan, uint64_t key)
{
    unsigned met = (unsigned)__builtin_popcountll(key & ((UINT64_C(1) << plan->bit_count) - 1));

    for (size_t f = 0; f < plan->field_count; f++) {
        const struct plan_field *field = &plan->fields[f];
        const unsigned found = (unsigned)(key >> field->shift & field->mask);
        met += found < field->need ? found : field->need;
    }
    return met + (unsigned)(key >> PLAN_CLASSES_SHIFT & PLAN_CLASSES_MASK);
}

struct ranked {
    int64_t bound;
    uint32_t label;
    uint32_t progress;
};

static int
compare_ranked(const void *left, const void *right)
{
    const struct ranked *a = left, *b = right;

    if (a->progress != b->progress)
        return a->progress < b->progress ? -1 : 1;
    if (a->bound != b->bound)
        return a->bound < b->bound ? -1 : 1;
    return (a->label > b->label) - (a->label < b->label);
}

/* Marks the labels that do not fit: each step of progress has the same share of the width,
 * because labels that have put everything off have the lowest bounds. */
static void
narrow(struct search *search, size_t next)
{
    struct ranked *ranked = (struct ranked *)(void *)search->fresh;
    size_t steps = 1, rank = 0, share;

    for (size_t i = 0; i < search->count; i++)
        ranked[i] = (struct ranked){bound_of(search, &search->labels[i], next), (uint32_t)i,
                                    progress_of(&search->plan, search->labels[i].key)};
    qsort(ranked, search->count, sizeof *ranked, compare_ranked);
    for (size_t i = 1; i < search->count; i++)
        steps += ranked[i].progress != ranked[i - 1].progress;
    share = search->ask->width / steps + 1;
    for (size_t i = 0; i < search->count; i++) {
        rank = i && ranked[i].progress == ranked[i - 1].progress ? rank + 1 : 0;
        if (rank < share)
            continue;
        lose(search, ranked[i].bound);
        search->labels[ranked[i].label].node = NO_LABEL;
    }
}

/* Drops labels that cannot win any more and those beyond the width; renews the table. */
static void
compact(struct search *search, size_t next, bool new_class)
{
    const size_t old = search->count;

    if (old > search->ask->width)
        narrow(search, next);
    memset(search->table, 0xff, (search->table_mask + 1) * sizeof *search->table);
    search->count = 0;
    for (size_t i = 0; i < old; i++) {
        struct label label = search->labels[i];

        if (label.node == NO_LABEL || bound_of(search, &label, next) > search->ceiling)
            continue;
        if (new_class)
            label.key &= ~PLAN_OPEN;
        append(search, &label, place_of(search, &label));
    }
}

/* Classes end: labels that differed only in having shown it have the same future. */
static void
merge(struct search *search)
{
    const size_t old = search->count;

    memset(search->table, 0xff, (search->table_mask + 1) * sizeof *search->table);
    search->count = 0;
    for (size_t i = 0; i < old; i++) {
        const struct label label = search->labels[i];
        const size_t place = place_of(search, &label);
        struct label *dearest = NULL;
        size_t alike = 0;

        for (uint32_t at = search->table[place]; at != NO_LABEL; at = search->labels[at].next) {
            struct label *other = &search->labels[at];
            if (other->key != label.key || other->groups != label.groups)
                continue;
            alike++;
            if (!dearest || other->value > dearest->value)
                dearest = other;
        }
        if (alike < search->shelf->wanted)
            append(search, &label, place);
        else if (label.value < dearest->value)
            *dearest = (struct label){.key = label.key,
                                      .groups = label.groups,
                                      .value = label.value,
                                      .node = label.node,
                                      .next = dearest->next};
    }
}

/* Looks at the clock once in a while; `done` counts what was done in a loop. */
static bool
late(struct search *search, size_t done)
{
    if (done % CLOCK_EVERY == 0 &&
        mono_left_ms(search->ask->deadline, clock_mono(search->ask->clock)) == 0)
        search->answer.late = true;
    return search->answer.late;
}

static bool
out_of_time(struct search *search)
{
    if (search->answer.work >= search->ask->work_max)
        return true;
    if (search->answer.work < search->look_at)
        return search->answer.late;
    search->look_at = search->answer.work + CLOCK_EVERY;
    return late(search, 0);
}

/* Every label with the item and without it.  Late in the middle, some are not extended. */
static void
step(struct search *search, size_t at)
{
    const struct plan_item *item = &search->plan.items[at];

    search->fresh_count = 0;
    for (size_t i = 0; i < search->count && !late(search, i + 1); i++) {
        struct label *made = &search->fresh[search->fresh_count];
        int64_t forfeits, value;

        if (!extend(search, item, at + 1, &search->labels[i], made))
            continue;
        if (plan_complete(&search->plan, made->key, &forfeits, &value) &&
            made->value - value + forfeits <= search->ceiling)
            put_on_shelf(search, made, item->item);
        search->fresh_count++;
    }
    search->answer.work += search->count;
    for (size_t i = 0; i < search->fresh_count; i++) {
        const int64_t bound = bound_of(search, &search->fresh[i], at + 1);

        search->stopped |= late(search, i + 1);
        if (bound <= search->ceiling && !search->stopped)
            insert(search, &search->fresh[i], item->item);
        if (search->stopped)
            lose(search, bound);
    }
}

static struct status
prepare(struct search *search)
{
    const size_t width = search->ask->width;
    size_t places = 1024;

    search->room = width * 4 + 16;
    while (places < search->room)
        places *= 2;
    search->table_mask = places - 1;
    TRY(plan_make(search->ask->pool, search->ask->items, search->ask->relax, search->arena,
                  &search->plan));
    TRY(need(search->labels = ARENA_ARRAY(search->arena, struct label, search->room)));
    TRY(need(search->fresh = ARENA_ARRAY(search->arena, struct label, search->room)));
    TRY(need(search->table = ARENA_ARRAY(search->arena, uint32_t, places)));
    memset(search->table, 0xff, places * sizeof *search->table);
    renew_ceiling(search);
    append(search, &(struct label){.value = search->plan.needs_value}, 0);
    return OK;
}

static void
run(struct search *search)
{
    size_t at = 0;

    for (; at < search->plan.count && search->count; at++) {
        if (out_of_time(search))
            break;
        step(search, at);
        if (late(search, 0))
            break; /* not everything was extended: `at` is still to come */
        if (search->stopped) {
            at++;
            break;
        }
        if (search->count > search->ask->width * 2 || search->plan.items[at].last_of_class)
            compact(search, at + 1, search->plan.items[at].last_of_class);
        if (search->plan.items[at].last_of_class)
            merge(search);
    }
    /* What was under way when it ended early could have led anywhere. */
    for (size_t i = 0; (search->stopped || search->answer.late || at < search->plan.count) &&
                       i < search->count;
         i++)
        lose(search, bound_of(search, &search->labels[i], at));
}

struct status
labels_search(const struct labels_ask *ask, struct arena *arena, struct shelf *shelf,
              struct labels_answer *ret)
{
    struct search *search = ARENA_NEW(arena, struct search);

    TRY(need(search));
    search->ask = ask;
    search->arena = arena;
    search->shelf = shelf;
    search->answer.lost = RELAX_INFINITE;
    TRY(prepare(search));
    run(search);
    if (search->plan.groups_lost && ask->relax->bound < search->answer.lost)
        search->answer.lost = ask->relax->bound;
    *ret = search->answer;
    return OK;
}
