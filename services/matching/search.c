#include "services/matching/search.h"

#include "services/matching/facts.h"
#include "services/matching/index.h"

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

/* The offers that a scan finds, scored exactly. */
struct offers {
    const struct search *search;
    const struct query *query;
    const struct facts_scan *scan;
    struct best *best;
};

/* What a score must reach now. */
static uint32_t
least_total(const struct offers *offers)
{
    const struct best *best = offers->best;
    const uint32_t least = offers->search->least_total;

    if (best->count == best->limit && best->items[0].score.total > least)
        return best->items[0].score.total;
    return least;
}

static uint16_t
least_of(const struct offers *offers)
{
    return facts_least(offers->scan, least_total(offers));
}

/* The scan knows nothing of wishes and breadth, and little of regions: most of those it shows
 * cannot reach what is asked for.  To see that costs much less than to look the terms up. */
static bool
may_reach_least(const struct offers *offers, const struct profile *other, uint16_t terms)
{
    struct score most;

    return score_most(offers->search->context, offers->query, other,
                      facts_substance(offers->scan, terms), &most) &&
           most.total >= least_total(offers);
}

static void
score_offer(struct scan_sink *sink, const struct scan_hit *hit)
{
    const struct offers *offers = sink->context;
    const struct profile *other = place_item(&hit->place);
    struct score score;

    if (!search_admits(offers->search, other) || !may_reach_least(offers, other, hit->terms) ||
        !score_pair(offers->search->context, offers->query, other, &score))
        return;
    consider(offers->search, other, &score, offers->best);
    sink->least = least_of(offers);
    sink->full = offers->best->count == offers->best->limit;
}

/* The subject seeks: a scan bounds the points of every offer, and those that may be among the
 * best are scored. */
static struct status
search_offers(const struct snapshot *snapshot, const struct search *search, struct arena *arena,
              struct best *best)
{
    const struct score_statistics statistics = snapshot_statistics(snapshot);
    struct scan_scratch *scratch;
    struct status scanned;
    struct facts_scan *scan = ARENA_NEW(arena, struct facts_scan);
    struct query query;

    TRY(need(scan));
    TRY(query_make(search->subject, &statistics, arena, &query));
    facts_scan(search, &query, snapshot->regions, snapshot->region_count, scan);
    struct offers offers = {search, &query, scan, best};
    struct scan_sink sink = {.keep = score_offer,
                             .context = &offers,
                             .wanted = (uint32_t)search->limit,
                             .least = least_of(&offers)};

    TRY(index_take_scratch(snapshot->index, &scratch));
    scanned = scan_run(snapshot->version, &scan->query, scratch, &sink);
    index_give_scratch(snapshot->index, &scratch);
    return scanned;
}

/* The seekers of a snapshot, asked one by one. */
struct seekers {
    const struct search *search;
    struct score_statistics statistics;
    struct arena scratch;
    struct best *best;
    struct status status;
    uint64_t *offered; /* a bit for each term of the subject */
    uint32_t offered_count, rest;
};

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

static struct status
set_offered(struct seekers *seekers, struct arena *arena)
{
    const struct profile *subject = seekers->search->subject;
    const uint32_t *terms = subject->terms;

    /* Sorted: the last is the greatest. */
    seekers->offered_count =
        subject->term_count ? TERM_OF(terms[subject->term_count - 1]) + 1 : 0;
    seekers->offered = arena_calloc(arena, seekers->offered_count / 64u + 1, sizeof(uint64_t));
    TRY(need(seekers->offered));
    for (uint32_t i = 0; i < subject->term_count; i++)
        seekers->offered[TERM_OF(terms[i]) / 64] |= UINT64_C(1) << (TERM_OF(terms[i]) % 64);
    return OK;
}

static bool
offers_term(const struct seekers *seekers, uint32_t term)
{
    return term < seekers->offered_count && (seekers->offered[term / 64] >> (term % 64) & 1);
}

static bool
concepts_meet(const struct seekers *seekers, const struct profile *seeker)
{
    const struct vocabulary *vocabulary = seekers->statistics.vocabulary;

    for (size_t i = 0; i < seeker->concept_count; i++) {
        uint32_t node = seeker->concepts[i].concept;

        for (int near = NEAR_SAME; near < NEAR_COUNT && node != VOCABULARY_NONE; near++) {
            if (offers_term(seekers, node))
                return true;
            node = vocabulary_broader(vocabulary, node);
        }
    }
    return false;
}

static bool
names_meet(const struct seekers *seekers, const struct profile *seeker)
{
    const struct vocabulary *vocabulary = seekers->statistics.vocabulary;

    for (size_t i = 0; i < seeker->concept_count; i++) {
        const struct label_word_list *words =
            vocabulary_words(vocabulary, seeker->concepts[i].concept);

        for (uint32_t j = 0; j < words->count; j++)
            if (offers_term(seekers, vocabulary_word_term(vocabulary, words->numbers[j])))
                return true;
    }
    return false;
}

static bool
texts_meet(const struct seekers *seekers, const struct profile *seeker)
{
    for (size_t lang = 0; lang < LANG_COUNT; lang++) {
        const struct profile_text *text = &seeker->text[lang];

        for (size_t i = 0; i < text->stem_count; i++)
            if (offers_term(seekers, text->stems[i].term))
                return true;
        for (size_t i = 0; i < text->gram_count; i++)
            if (offers_term(seekers, text->grams[i]))
                return true;
    }
    return false;
}

/* Whether the score can reach what is asked for. A lane none of whose terms the subject offers
 * gives no points, whatever the terms are worth: such seekers need no query. */
static bool
may_reach(const struct seekers *seekers, const struct profile *seeker)
{
    const uint32_t concepts = concepts_meet(seekers, seeker) ? SCORE_CONCEPTS_MAX
                              : names_meet(seekers, seeker)  ? SCORE_NAMES_MAX
                                                             : 0;
    const uint32_t substance = concepts + (texts_meet(seekers, seeker) ? SCORE_TEXT_MAX : 0);

    return substance >= seekers->search->context->rules->substance_min &&
           substance + seekers->rest >= seekers->search->least_total;
}

static bool
ask_seeker(void *context, const struct profile *seeker)
{
    struct seekers *seekers = context;
    const struct search *search = seekers->search;
    struct query query;
    struct score score;

    if (!search_admits(search, seeker) || !may_reach(seekers, seeker))
        return true;
    arena_reset(&seekers->scratch);
    seekers->status = query_make(seeker, &seekers->statistics, &seekers->scratch, &query);
    if (failed(seekers->status))
        return false;
    if (score_pair(search->context, &query, search->subject, &score))
        consider(search, seeker, &score, seekers->best);
    return true;
}

/* The subject offers: each seeker has a query of its own, so each that can reach is asked. */
static struct status
search_seekers(const struct snapshot *snapshot, const struct search *search,
               struct arena *arena, struct best *best)
{
    struct seekers seekers = {.search = search,
                              .statistics = snapshot_statistics(snapshot),
                              .best = best,
                              .rest = most_of_the_rest(search->context->rules)};
    struct status status;

    TRY(set_offered(&seekers, arena));
    arena_init(&seekers.scratch, ARENA_CALL_BYTES);
    snapshot_each(snapshot, 1u << KIND_NEED | 1u << KIND_PLACEMENT, ask_seeker, &seekers);
    status = seekers.status;
    arena_fini(&seekers.scratch);
    /* Its detail lived in the scratch. */
    return failed(status) ? status_make(NULL, status.code, "a seeker could not be asked") : OK;
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
            TRY(search_seekers(snapshot, search, arena, &best));
    }
    qsort(best.items, best.count, sizeof *best.items, compare_hits);
    *ret = (struct hits){best.items, best.count};
    return OK;
}
