#include "services/matching/find.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "services/matching/texts.h"

#define HASH_BYTES 32
#define HASHED_BYTES 96 /* of one line that is hashed */

static struct status
explain_hit(const struct snapshot *snapshot, const struct search *search, const struct hit *hit,
            const struct query *own, struct arena *arena, struct found *ret)
{
    const bool seeks = profile_kind_seeks((enum kind)search->subject->kind);
    const struct score_statistics statistics = snapshot_statistics(snapshot);
    struct query theirs;

    *ret = (struct found){.query = seeks ? search->subject : hit->profile,
                          .candidate = seeks ? hit->profile : search->subject,
                          .other = hit->profile,
                          .score = hit->score};
    if (!seeks)
        TRY(query_make(ret->query, &statistics, arena, &theirs));
    return explain_pair(search->context, seeks ? own : &theirs, snapshot->vocabulary,
                        ret->candidate, &ret->score, arena, &ret->reasons);
}

static struct status
explain_all(const struct snapshot *snapshot, const struct search *search,
            const struct hits *hits, struct arena *arena, struct found_list *ret)
{
    const struct score_statistics statistics = snapshot_statistics(snapshot);
    struct found *found = ARENA_ARRAY(arena, struct found, hits->count + 1);
    struct query own = {0};

    TRY(need(found));
    if (profile_kind_seeks((enum kind)search->subject->kind))
        TRY(query_make(search->subject, &statistics, arena, &own));
    for (size_t i = 0; i < hits->count; i++)
        TRY(explain_hit(snapshot, search, &hits->items[i], &own, arena, &found[i]));
    *ret = (struct found_list){found, hits->count};
    return OK;
}

struct status
find_run(const struct snapshot *snapshot, const struct search *search, struct arena *arena,
         struct found_list *ret)
{
    struct hits hits;

    TRY(search_run(snapshot, search, arena, &hits));
    return explain_all(snapshot, search, &hits, arena, ret);
}

static int
compare_hits(const void *a, const void *b)
{
    return hit_compare(a, b);
}

/* false: no match. */
static struct status
score_one(const struct snapshot *snapshot, const struct search *search,
          const struct profile *other, struct arena *arena, struct hit *into, bool *ret)
{
    const struct score_statistics statistics = snapshot_statistics(snapshot);
    const bool seeks = profile_kind_seeks((enum kind)search->subject->kind);
    struct query query;

    *ret = false;
    if (profile_kind_seeks((enum kind)other->kind) == seeks || !search_admits(search, other))
        return OK;
    TRY(query_make(seeks ? search->subject : other, &statistics, arena, &query));
    into->profile = other;
    *ret = score_pair(search->context, &query, seeks ? other : search->subject, &into->score) &&
           into->score.total >= search->least_total;
    return OK;
}

struct status
find_among(const struct snapshot *snapshot, const struct search *search,
           const struct profile *const *profiles, size_t count, struct arena *arena,
           struct found_list *ret)
{
    struct hits hits = {ARENA_ARRAY(arena, struct hit, count + 1), 0};
    size_t kept = 0;
    bool fits;

    TRY(need(hits.items));
    for (size_t i = 0; i < count; i++) {
        TRY(score_one(snapshot, search, profiles[i], arena, &hits.items[hits.count], &fits));
        hits.count += fits;
    }
    qsort(hits.items, hits.count, sizeof *hits.items, compare_hits);
    for (size_t i = 0; i < hits.count; i++)
        if (kept == 0 ||
            !uid_equal(&hits.items[kept - 1].profile->id, &hits.items[i].profile->id))
            hits.items[kept++] = hits.items[i];
    hits.count = kept;
    return explain_all(snapshot, search, &hits, arena, ret);
}

struct status
find_suggestions(const struct found_list *found, const struct clock *clock, struct arena *arena,
                 struct suggestion **ret)
{
    struct suggestion *suggestions = ARENA_ARRAY(arena, struct suggestion, found->count + 1);

    TRY(need(suggestions));
    for (size_t i = 0; i < found->count; i++) {
        const struct found *item = &found->items[i];
        char id[UUID_SIZE];

        uuid_v7(clock, id);
        suggestions[i] = (struct suggestion){
            .query = item->query,
            .candidate = item->candidate,
            .score = item->score.total,
            .shared = profile_visible(item->query, &item->candidate->tenant)};
        TRY(need(suggestions[i].id = arena_copy(arena, id)));
        TRY(explain_pack(&item->reasons, arena, &suggestions[i].explanation,
                         &suggestions[i].explanation_size));
    }
    *ret = suggestions;
    return OK;
}

static struct status
id_text(struct arena *arena, const struct uid *uid, const char **ret)
{
    char text[UUID_SIZE] = "";

    if (!uid_is_zero(uid))
        uid_format(uid, text);
    return need(*ret = arena_copy(arena, text));
}

/* The match of a pair among those remembered. */
static const struct remembered *
find_known(const struct found *item, const struct remembered *known, size_t count)
{
    char query[UUID_SIZE], candidate[UUID_SIZE];

    uid_format(&item->query->id, query);
    uid_format(&item->candidate->id, candidate);
    for (size_t i = 0; i < count; i++)
        if (strcmp(known[i].query_id, query) == 0 &&
            strcmp(known[i].candidate_id, candidate) == 0)
            return &known[i];
    return NULL;
}

static struct status
make_candidate(const struct found *item, const struct remembered *known, struct arena *arena,
               Matching__V1__Candidate **ret)
{
    Matching__V1__Candidate *candidate = ARENA_NEW(arena, Matching__V1__Candidate);
    Matching__V1__ProfileRef *profile = ARENA_NEW(arena, Matching__V1__ProfileRef);

    TRY(need(candidate));
    TRY(need(profile));
    matching__v1__candidate__init(candidate);
    matching__v1__profile_ref__init(profile);
    profile->kind = (Matching__V1__ProfileKind)item->other->kind;
    TRY(id_text(arena, &item->other->id, &profile->id));
    candidate->profile = profile;
    TRY(id_text(arena, &item->other->tenant, &candidate->tenant_id));
    TRY(id_text(arena, &item->other->owner, &candidate->organisation_id));
    TRY(need(candidate->person_kind = arena_copy(arena, item->other->person_kind)));
    candidate->score_thousandths = item->score.total;
    TRY(explain_parts(&item->reasons, arena, &candidate->parts, &candidate->n_parts));
    candidate->reasons = item->reasons.items;
    candidate->n_reasons = item->reasons.count;
    if (known) {
        candidate->match_id = known->id;
        candidate->state = known->state;
        candidate->version = known->version;
    }
    *ret = candidate;
    return OK;
}

struct status
find_candidates(const struct found_list *found, const struct snapshot *snapshot, enum lang lang,
                const struct remembered *known, size_t known_count, struct arena *arena,
                Matching__V1__Candidate ***ret)
{
    Matching__V1__Candidate **candidates =
        ARENA_ARRAY(arena, Matching__V1__Candidate *, found->count + 1);

    TRY(need(candidates));
    for (size_t i = 0; i < found->count; i++) {
        const struct found *item = &found->items[i];

        TRY(explain_tell(&item->reasons, snapshot->vocabulary, lang, arena));
        TRY(make_candidate(item, find_known(item, known, known_count), arena, &candidates[i]));
    }
    *ret = candidates;
    return OK;
}

/* What is hashed is text, a line for each thing, so that it is the same on every machine. */
static void
hash_line(crypto_generichash_state *state, const char *line)
{
    /* Fails only behind the end. */
    (void)crypto_generichash_update(state, (const uint8_t *)line, strlen(line));
}

static void
hash_rules(crypto_generichash_state *state, const struct score_rules *rules)
{
    char line[HASHED_BYTES];

    for (size_t i = 0; i < rules->boost_count; i++) {
        const struct boost *boost = &rules->boosts[i];

        (void)snprintf(line, sizeof line, "boost %d %" PRId32 " %" PRId32 " %" PRIu32 "\n",
                       (int)boost->name, boost->first_day, boost->last_day, boost->points);
        hash_line(state, line);
    }
    for (size_t i = 0; i < rules->rural_count; i++) {
        (void)snprintf(line, sizeof line, "rural %.5s\n", rules->rural[i]);
        hash_line(state, line);
    }
}

static void
hash_question(crypto_generichash_state *state, const struct search *search)
{
    const struct profile *subject = search->subject;
    char line[4 * HASHED_BYTES], id[UUID_SIZE], viewer[UUID_SIZE] = "";

    uid_format(&subject->id, id);
    if (search->viewer)
        uid_format(search->viewer, viewer);
    (void)snprintf(line, sizeof line,
                   "subject %u %s %" PRIu64 "\nviewer %s\nkinds %u\nlimit %zu\nnuts %.8s\n"
                   "least %" PRIu32 " %" PRIu32 "\n",
                   subject->kind, id, subject->version, viewer, search->kinds, search->limit,
                   search->nuts, search->least_total, search->context->rules->substance_min);
    hash_line(state, line);
    for (size_t i = 0; i < search->person_kind_count; i++) {
        hash_line(state, search->person_kinds[i]);
        hash_line(state, "\n");
    }
}

struct status
find_input_hash(const struct search *search, struct arena *arena, const char **ret)
{
    crypto_generichash_state state;
    uint8_t hash[HASH_BYTES];
    char *text = arena_alloc(arena, 2 * HASH_BYTES + 1);

    TRY(need(text));
    (void)crypto_generichash_init(&state, NULL, 0, HASH_BYTES); /* these cannot fail */
    hash_question(&state, search);
    hash_rules(&state, search->context->rules);
    (void)crypto_generichash_final(&state, hash, HASH_BYTES);
    *ret = sodium_bin2hex(text, 2 * HASH_BYTES + 1, hash, HASH_BYTES);
    return OK;
}

const char *
find_empty_because(const struct search *search, enum lang lang)
{
    const struct profile *subject = search->subject;

    if (subject->valid_until != DAY_NONE && subject->valid_until < day_of(search->context->now))
        return text_in(TEXT_empty_expired, lang);
    if (subject->term_count == 0)
        return text_in(TEXT_empty_bare, lang);
    return text_in(TEXT_empty_nobody, lang);
}
