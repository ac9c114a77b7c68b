#include "services/matching/search.h"

#define BLOCK_PROFILES 4096u /* sums of a block stay in the nearest cache */

int
hit_compare(const struct hit *a, const struct hit *b)
{
    if (a->score.total != b->score.total)
        return a->score.total > b->score.total ? -1 : 1;
    return uid_compare(&a->profile->id, &b->profile->id);
}

/* The best so far; a heap with the worst on top. */
struct best {
    struct hit *items;
    size_t count, limit;
};

static void
sift_down(struct best *best, size_t at)
{
    for (;;) {
        size_t worst = 2 * at + 1;
        struct hit swapped;

        if (worst >= best->count)
            return;
        if (worst + 1 < best->count &&
            hit_compare(&best->items[worst + 1], &best->items[worst]) > 0)
            worst++;
        if (hit_compare(&best->items[worst], &best->items[at]) <= 0)
            return;
        swapped = best->items[at];
        best->items[at] = best->items[worst];
        best->items[worst] = swapped;
        at = worst;
    }
}

static void
keep_best(struct best *best, const struct hit *hit)
{
    if (best->count == best->limit) {
        if (hit_compare(hit, &best->items[0]) >= 0)
            return;
        best->items[0] = *hit;
        sift_down(best, 0);
        return;
    }
    best->items[best->count++] = *hit;
    for (size_t at = best->count - 1; at > 0;) {
        const size_t parent = (at - 1) / 2;
        const struct hit swapped = best->items[parent];

        if (hit_compare(&best->items[at], &swapped) <= 0)
            return;
        best->items[parent] = best->items[at];
        best->items[at] = swapped;
        at = parent;
    }
}

static bool
wanted(const struct search *search, const struct profile *other)
{
    if (search->kinds && !(search->kinds >> other->kind & 1))
        return false;
    if (search->nuts && strncmp(other->nuts, search->nuts, strlen(search->nuts)) != 0)
        return false;
    if (other->kind != KIND_PERSON || search->person_kind_count == 0)
        return true;
    for (size_t i = 0; i < search->person_kind_count; i++)
        if (strcmp(other->person_kind, search->person_kinds[i]) == 0)
            return true;
    return false;
}

bool
search_admits(const struct search *search, const struct profile *other)
{
    const struct profile *subject = search->subject;
    const bool seeks = profile_kind_seeks((enum kind)subject->kind);
    const struct profile *seeker = seeks ? subject : other;
    const struct profile *offer = seeks ? other : subject;

    if (!wanted(search, other))
        return false;
    if (search->viewer ? !profile_visible(other, search->viewer)
                       : !profile_visible(offer, &seeker->tenant))
        return false;
    return score_admits(search->context, seeker, offer);
}

static void
consider(const struct search *search, const struct profile *other, const struct score *score,
         struct best *best)
{
    const struct hit hit = {other, *score};

    if (score->total >= search->least_total)
        keep_best(best, &hit);
}

/* A term's list in a segment, and how far it is read. */
struct cursor {
    const uint32_t *at, *end;
    uint32_t points;
    enum lane lane;
};

static struct status
open_cursors(const struct query *query, const struct segment *segment, struct arena *arena,
             struct cursor **ret, size_t *ret_count)
{
    struct cursor *cursors;
    size_t count = 0;
    size_t room = 1;

    for (size_t lane = 0; lane < LANE_COUNT; lane++)
        room += query->term_count[lane];
    cursors = ARENA_ARRAY(arena, struct cursor, room);
    TRY(need(cursors));
    for (size_t lane = 0; lane < LANE_COUNT; lane++) {
        for (size_t i = 0; i < query->term_count[lane]; i++) {
            uint32_t size;
            const uint32_t *list = segment_list(segment, query->terms[lane][i].term, &size);

            if (size > 0)
                cursors[count++] = (struct cursor){
                    list, list + size, query->terms[lane][i].points, (enum lane)lane};
        }
    }
    *ret = cursors;
    *ret_count = count;
    return OK;
}

/* Adds up what the lists hold of the profiles [first, end). */
static void
add_block(struct cursor *cursors, size_t count, uint32_t first, uint32_t end,
          uint32_t (*sums)[LANE_COUNT])
{
    for (size_t i = 0; i < count; i++) {
        struct cursor *cursor = &cursors[i];

        while (cursor->at < cursor->end && TERM_OF(*cursor->at) < end) {
            sums[TERM_OF(*cursor->at) - first][cursor->lane] +=
                query_points(cursor->points, *cursor->at);
            cursor->at++;
        }
    }
}

/* The most that all parts but concepts and text can add. */
static uint32_t
most_of_the_rest(const struct score_rules *rules)
{
    uint32_t most = SCORE_FIELD_MAX + SCORE_LEVEL_MAX + SCORE_REGION_MAX + SCORE_FOCUS_MAX +
                    SCORE_FRESHNESS_MAX;

    for (size_t i = 0; i < rules->boost_count; i++)
        most += rules->boosts[i].points;
    return most;
}

/* The least points of concepts and text that can still make a hit. */
static uint32_t
least_substance(const struct search *search, const struct best *best, uint32_t rest)
{
    const struct score_rules *rules = search->context->rules;
    uint32_t least = search->least_total;

    if (best->count == best->limit && best->items[0].score.total > least)
        least = best->items[0].score.total;
    least = least > rest ? least - rest : 0;
    return least > rules->substance_min ? least : rules->substance_min;
}

static struct status
search_segment(const struct search *search, const struct query *query,
               const struct snapshot_segment *at, uint32_t (*sums)[LANE_COUNT],
               struct arena *arena, struct best *best)
{
    const uint32_t rest = most_of_the_rest(search->context->rules);
    struct cursor *cursors;
    size_t cursor_count;

    TRY(open_cursors(query, at->segment, arena, &cursors, &cursor_count));
    for (uint32_t first = 0; first < at->segment->count; first += BLOCK_PROFILES) {
        const uint32_t left = at->segment->count - first;
        const uint32_t size = left < BLOCK_PROFILES ? left : BLOCK_PROFILES;

        memset(sums, 0, size * sizeof *sums);
        add_block(cursors, cursor_count, first, first + size, sums);
        for (uint32_t i = 0; i < size; i++) {
            const uint32_t *lanes = sums[i];
            const struct profile *other = at->segment->profiles[first + i];
            struct score score;

            if (lanes[LANE_CONCEPTS] + lanes[score_best_text(lanes)] <
                least_substance(search, best, rest))
                continue;
            if (snapshot_is_dead(at, first + i) || !search_admits(search, other))
                continue;
            if (score_finish(search->context, search->subject, other, lanes, &score))
                consider(search, other, &score, best);
        }
    }
    return OK;
}

/* The subject seeks: its terms' lists lead to the offers. */
static struct status
search_offers(const struct snapshot *snapshot, const struct search *search, struct arena *arena,
              struct best *best)
{
    const struct score_statistics statistics = snapshot_statistics(snapshot);
    uint32_t(*sums)[LANE_COUNT] = arena_calloc(arena, BLOCK_PROFILES, sizeof *sums);
    struct query query;

    TRY(need(sums));
    TRY(query_make(search->subject, &statistics, arena, &query));
    for (size_t i = 0; i < snapshot->segment_count; i++)
        TRY(search_segment(search, &query, &snapshot->segments[i], sums, arena, best));
    return OK;
}

/* The subject offers: each seeker has a query of its own, so each is asked. */
static struct status
search_seekers(const struct snapshot *snapshot, const struct search *search, struct best *best)
{
    const struct score_statistics statistics = snapshot_statistics(snapshot);
    scoped(arena_fini) struct arena scratch;

    arena_init(&scratch, ARENA_CALL_BYTES);
    for (size_t i = 0; i < snapshot->segment_count; i++) {
        const struct snapshot_segment *at = &snapshot->segments[i];

        for (uint32_t j = 0; j < at->segment->seeker_count; j++) {
            const uint32_t place = at->segment->seekers[j];
            const struct profile *seeker = at->segment->profiles[place];
            struct query query;
            struct score score;

            if (snapshot_is_dead(at, place) || !search_admits(search, seeker))
                continue;
            arena_reset(&scratch);
            TRY(query_make(seeker, &statistics, &scratch, &query));
            if (score_pair(search->context, &query, search->subject, &score))
                consider(search, seeker, &score, best);
        }
    }
    return OK;
}

static int
compare_hits(const void *a, const void *b)
{
    return hit_compare(a, b);
}

struct status
search_run(const struct snapshot *snapshot, const struct search *search, struct arena *arena,
           struct hits *ret)
{
    struct best best = {.limit = search->limit};

    best.items = ARENA_ARRAY(arena, struct hit, search->limit ? search->limit : 1);
    TRY(need(best.items));
    if (search->limit > 0) {
        if (profile_kind_seeks((enum kind)search->subject->kind))
            TRY(search_offers(snapshot, search, arena, &best));
        else
            TRY(search_seekers(snapshot, search, &best));
    }
    qsort(best.items, best.count, sizeof *best.items, compare_hits);
    *ret = (struct hits){best.items, best.count};
    return OK;
}
