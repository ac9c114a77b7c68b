#include "services/matching/explain.h"

#include "common/wire/message.h"
#include "services/matching/explain_parts.h"

struct status
explaining_add(struct explaining *explaining, enum part part, Matching__V1__ReasonSource source,
               uint32_t points, Matching__V1__Reason **ret)
{
    Matching__V1__Reason *reason = ARENA_NEW(explaining->arena, Matching__V1__Reason);

    TRY(need(reason));
    matching__v1__reason__init(reason);
    reason->part = (Matching__V1__ScorePart)part;
    reason->source = source;
    reason->score_thousandths = points;
    if ((points > 0 || part == PART_WISHES) && explaining->count < REASONS_MAX)
        explaining->items[explaining->count++] = reason;
    *ret = reason;
    return OK;
}

struct status
explaining_set_text(struct arena *arena, const char **field, const char *text)
{
    char *copy = arena_copy(arena, text);

    TRY(need(copy));
    *field = copy;
    return OK;
}

/* By points, then by letters: the same in every replica. */
static int
by_worth(const void *a, const void *b)
{
    const struct shared_word *left = a;
    const struct shared_word *right = b;

    if (left->points != right->points)
        return left->points > right->points ? -1 : 1;
    return strcmp(left->word, right->word);
}

struct status
explaining_set_words(struct explaining *explaining, struct shared_word *shared, size_t count,
                     Matching__V1__Reason *reason)
{
    if (count > 0)
        qsort(shared, count, sizeof *shared, by_worth);
    TRY(need(reason->words = ARENA_ARRAY(explaining->arena, const char *, EXPLAIN_WORDS_MAX)));
    for (size_t i = 0; i < count && i < EXPLAIN_WORDS_MAX; i++)
        TRY(explaining_set_text(explaining->arena, &reason->words[reason->n_words++],
                                shared[i].word));
    return OK;
}

static uint32_t
points_of(const struct query *query, enum lane lane, uint32_t term)
{
    size_t low = 0;
    size_t high = query->term_count[lane];

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (query->terms[lane][middle].term < term)
            low = middle + 1;
        else
            high = middle;
    }
    return low < query->term_count[lane] && query->terms[lane][low].term == term
               ? query->terms[lane][low].points
               : 0;
}

/* The words that the texts share. */
static struct status
set_shared_words(struct explaining *explaining, enum lane lane, Matching__V1__Reason *reason)
{
    const struct profile_text *text = &explaining->query->seeker->text[lane - LANE_TEXT];
    struct shared_word shared[PROFILE_STEMS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < text->stem_count; i++) {
        const uint32_t points = points_of(explaining->query, lane, text->stems[i].term);

        if (points > 0 && profile_find_term(explaining->offer, text->stems[i].term))
            shared[count++] = (struct shared_word){points, text->stems[i].word};
    }
    return explaining_set_words(explaining, shared, count, reason);
}

static struct status
explain_text(struct explaining *explaining, enum lane lane, uint32_t points)
{
    Matching__V1__Reason *reason;

    if (points == 0)
        return OK;
    TRY(explaining_add(explaining, PART_TEXT, MATCHING__V1__REASON_SOURCE__FROM_WORDS, points,
                       &reason));
    TRY(explaining_set_text(explaining->arena, &reason->language,
                            lang_tag((enum lang)(lane - LANE_TEXT))));
    return set_shared_words(explaining, lane, reason);
}

static struct status
explain_facts(struct explaining *explaining, const struct score *score)
{
    const struct profile *seeker = explaining->query->seeker;
    const struct profile *offer = explaining->offer;
    const Matching__V1__ReasonSource facts = MATCHING__V1__REASON_SOURCE__FROM_FACTS;
    Matching__V1__Reason *reason;
    const char *code = "";
    size_t size;
    char name[8];

    size = score_field_digits(seeker, offer, &code);
    TRY(explaining_add(explaining, PART_FIELD, facts, score->parts[PART_FIELD], &reason));
    TRY(need(reason->name = arena_copy_n(explaining->arena, code, size)));
    (void)snprintf(name, sizeof name, "%u", (unsigned)offer->eqf);
    TRY(explaining_add(explaining, PART_LEVEL, facts, score->parts[PART_LEVEL], &reason));
    TRY(explaining_set_text(explaining->arena, &reason->name, name));
    size = score_region_level(seeker, offer);
    TRY(explaining_add(explaining, PART_REGION, facts, score->parts[PART_REGION], &reason));
    TRY(need(reason->name = arena_copy_n(explaining->arena, offer->nuts, size)));
    for (size_t i = 0; i < seeker->tag_count; i++) {
        if (!score_has_tag(offer, seeker->tags[i].key))
            continue;
        TRY(explaining_add(explaining, PART_FOCUS, facts, score_tag_points(seeker), &reason));
        TRY(explaining_set_text(explaining->arena, &reason->name, seeker->tags[i].name));
    }
    return explaining_add(explaining, PART_FRESHNESS, facts, score->parts[PART_FRESHNESS],
                          &reason);
}

static struct status
explain_boosts(struct explaining *explaining)
{
    static const char *const names[BOOST_NAME_COUNT] = {
        [BOOST_RURAL] = "rural", [BOOST_SME] = "sme"};
    const struct score_context *context = explaining->context;

    for (size_t i = 0; i < context->rules->boost_count; i++) {
        const struct boost *boost = &context->rules->boosts[i];
        Matching__V1__Reason *reason;
        char until[DAY_TEXT_SIZE];

        if (!score_boost_applies(context, boost, explaining->query->seeker, explaining->offer))
            continue;
        day_format(boost->last_day, until);
        TRY(explaining_add(explaining, PART_BOOST, MATCHING__V1__REASON_SOURCE__FROM_RULE,
                           boost->points, &reason));
        TRY(explaining_set_text(explaining->arena, &reason->name, names[boost->name]));
        TRY(explaining_set_text(explaining->arena, &reason->valid_until, until));
    }
    return OK;
}

/* Greatest first; equal ones in the order of parts, then of what they say, so that the order is
 * the same everywhere. */
static int
by_points(const void *a, const void *b)
{
    const Matching__V1__Reason *left = *(Matching__V1__Reason *const *)a;
    const Matching__V1__Reason *right = *(Matching__V1__Reason *const *)b;
    int order;

    if (left->score_thousandths != right->score_thousandths)
        return left->score_thousandths > right->score_thousandths ? -1 : 1;
    if (left->part != right->part)
        return left->part < right->part ? -1 : 1;
    order = strcmp(left->concept_id, right->concept_id);
    return order ? order : strcmp(left->name, right->name);
}

static struct status
check_sums(const struct explaining *explaining, const struct score *score)
{
    uint32_t sums[PART_COUNT] = {0};

    for (size_t i = 0; i < explaining->count; i++)
        sums[explaining->items[i]->part] +=
            explaining->items[i]->part == MATCHING__V1__SCORE_PART__WISHES
                ? explaining->items[i]->deduction_thousandths
                : explaining->items[i]->score_thousandths;
    for (size_t part = 0; part < PART_COUNT; part++)
        if (sums[part] != score->parts[part])
            return FAIL(explaining->arena, INTERNAL, "the reasons of part %zu do not add up",
                        part);
    return OK;
}

struct status
explain_pair(const struct score_context *context, const struct query *query,
             const struct vocabulary *vocabulary, const struct profile *offer,
             const struct score *score, struct arena *arena, struct reasons *ret)
{
    struct explaining explaining = {.context = context,
                                    .query = query,
                                    .vocabulary = vocabulary,
                                    .offer = offer,
                                    .arena = arena};
    uint32_t lanes[LANE_COUNT];

    query_lanes(query, offer, lanes);
    explaining.by_name = score_best_concepts(lanes) == LANE_NAMES;
    TRY(need(explaining.items = ARENA_ARRAY(arena, Matching__V1__Reason *, REASONS_MAX)));
    for (size_t i = 0; i < query->concept_count; i++)
        TRY(explain_concept(&explaining, &query->concepts[i]));
    TRY(explain_text(&explaining, score_best_text(lanes), score->parts[PART_TEXT]));
    TRY(explain_facts(&explaining, score));
    TRY(explain_boosts(&explaining));
    TRY(explain_wishes(&explaining, score->parts[PART_WISHES]));
    TRY(check_sums(&explaining, score));
    qsort(explaining.items, explaining.count, sizeof explaining.items[0], by_points);
    *ret = (struct reasons){explaining.items, explaining.count};
    return OK;
}

struct status
explain_parts(const struct reasons *reasons, struct arena *arena,
              Matching__V1__PartScore ***ret, size_t *ret_count)
{
    uint32_t sums[PART_COUNT] = {0}, deductions[PART_COUNT] = {0};
    Matching__V1__PartScore **parts = ARENA_ARRAY(arena, Matching__V1__PartScore *, PART_COUNT);
    size_t count = 0;

    TRY(need(parts));
    for (size_t i = 0; i < reasons->count; i++) {
        const Matching__V1__Reason *reason = reasons->items[i];

        if ((unsigned)reason->part >= PART_COUNT)
            continue;
        sums[reason->part] += reason->score_thousandths;
        deductions[reason->part] += reason->deduction_thousandths;
    }
    for (int part = PART_NONE + 1; part < PART_COUNT; part++) {
        if (sums[part] + deductions[part] == 0)
            continue;
        TRY(need(parts[count] = ARENA_NEW(arena, Matching__V1__PartScore)));
        matching__v1__part_score__init(parts[count]);
        parts[count]->part = (Matching__V1__ScorePart)part;
        parts[count]->score_thousandths = sums[part];
        parts[count++]->deduction_thousandths = deductions[part];
    }
    *ret = parts;
    *ret_count = count;
    return OK;
}

struct status
explain_pack(const struct reasons *reasons, struct arena *arena, const uint8_t **ret,
             size_t *ret_size)
{
    Matching__V1__Explanation explanation = MATCHING__V1__EXPLANATION__INIT;
    struct bytes packed;

    explanation.n_reasons = reasons->count;
    explanation.reasons = reasons->items;
    TRY(wire_pack(&explanation.base, arena, &packed));
    *ret = packed.data;
    *ret_size = packed.size;
    return OK;
}

struct status
explain_unpack(const uint8_t *packed, size_t size, struct arena *arena, struct reasons *ret)
{
    const struct bytes bytes = {packed, size};
    ProtobufCMessage *message;
    Matching__V1__Explanation *explanation;

    TRY(wire_unpack(&matching__v1__explanation__descriptor, bytes, arena, &message));
    explanation = (Matching__V1__Explanation *)message;
    *ret = (struct reasons){explanation->reasons, explanation->n_reasons};
    return OK;
}
