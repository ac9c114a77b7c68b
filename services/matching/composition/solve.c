#include "services/matching/composition/solve.h"

#include <inttypes.h>
#include <sodium.h>
#include <string.h>

#include "services/matching/composition/model.h"
#include "services/matching/texts.h"

struct status
solve_pack(struct arena *arena, const ProtobufCMessage *message, const uint8_t **ret,
           size_t *ret_size)
{
    const size_t size = protobuf_c_message_get_packed_size(message);
    uint8_t *packed = arena_alloc(arena, size + 1);

    TRY(need(packed));
    *ret_size = protobuf_c_message_pack(message, packed);
    *ret = packed;
    return OK;
}

/* BLAKE2b-256 of a packed message, hexadecimal. */
static struct status
hash_message(struct arena *arena, const ProtobufCMessage *message, const char **ret)
{
    uint8_t digest[crypto_generichash_BYTES];
    char *text = arena_alloc(arena, 2 * sizeof digest + 1);
    const uint8_t *packed;
    size_t size;

    TRY(need(text));
    TRY(solve_pack(arena, message, &packed, &size));
    crypto_generichash(digest, sizeof digest, packed, size, NULL, 0);
    *ret = sodium_bin2hex(text, 2 * sizeof digest + 1, digest, sizeof digest);
    return OK;
}

static struct status
describe_addition(struct arena *arena, const Matching__V1__CompositionFacts__Party *party,
                  Matching__V1__CompositionAddition **ret)
{
    Matching__V1__CompositionAddition *addition =
        ARENA_NEW(arena, Matching__V1__CompositionAddition);

    TRY(need(addition));
    matching__v1__composition_addition__init(addition);
    addition->organisation_id = party->organisation_id;
    addition->name = party->name;
    addition->type = party->type;
    addition->country = party->country;
    addition->fit = party->fit;
    addition->reliability = party->reliability;
    addition->novelty = party->novelty;
    addition->cost = party->cost;
    *ret = addition;
    return OK;
}

static uint32_t
mean(uint32_t sum, size_t count)
{
    return count ? sum / (uint32_t)count : 1000;
}

/* Kinds among all members, in thousandths of the three there are. */
static uint32_t
spread_of(const Matching__V1__CompositionFacts *facts, const Matching__V1__CompositionSet *set)
{
    unsigned kinds = 0;

    for (size_t i = 0; i < facts->n_board; i++)
        kinds |= 1u << model_kind(facts->board[i]->type);
    for (size_t i = 0; i < set->n_additions; i++)
        kinds |= 1u << model_kind(set->additions[i]->type);
    return (uint32_t)__builtin_popcount(kinds) * 1000 / 3;
}

static bool
country_is_new(const Matching__V1__CompositionFacts *facts,
               const Matching__V1__CompositionSet *set, size_t at)
{
    const char *country = set->additions[at]->country;

    for (size_t i = 0; i < facts->n_board; i++)
        if (!strcmp(facts->board[i]->country, country))
            return false;
    for (size_t i = 0; i < at; i++)
        if (!strcmp(set->additions[i]->country, country))
            return false;
    return true;
}

static struct status
describe_set(struct arena *arena, const Matching__V1__CompositionFacts *facts,
             const struct model *model, const struct pool_set *found,
             Matching__V1__CompositionSet **ret)
{
    Matching__V1__CompositionSet *set = ARENA_NEW(arena, Matching__V1__CompositionSet);
    uint32_t fit = 0, reliability = 0, novelty = 0;

    TRY(need(set));
    matching__v1__composition_set__init(set);
    TRY(need(set->additions =
                 ARENA_ARRAY(arena, Matching__V1__CompositionAddition *, found->count + 1)));
    for (size_t i = 0; i < found->count; i++) {
        const Matching__V1__CompositionFacts__Party *party =
            facts->candidates[model->parties[found->members[i]]];

        TRY(describe_addition(arena, party, &set->additions[i]));
        set->n_additions++;
        set->new_countries += country_is_new(facts, set, i);
        fit += party->fit;
        reliability += party->reliability;
        novelty += party->novelty;
    }
    set->objective = found->cost;
    set->fit = mean(fit, found->count);
    set->reliability = mean(reliability, found->count);
    set->novelty = mean(novelty, found->count);
    set->spread = spread_of(facts, set);
    *ret = set;
    return OK;
}

static struct status
make_conflict(struct arena *arena, const struct model *model, const struct conflict *found,
              Matching__V1__CompositionRun *run)
{
    Matching__V1__CompositionConflict *conflict =
        ARENA_NEW(arena, Matching__V1__CompositionConflict);

    TRY(need(conflict));
    matching__v1__composition_conflict__init(conflict);
    TRY(need(conflict->rule_ids = ARENA_ARRAY(arena, const char *, CONFLICT_RULES_MAX + 1)));
    TRY(need(conflict->concept_ids = ARENA_ARRAY(arena, const char *, CONFLICT_RULES_MAX + 1)));
    run->conflict = conflict;
    conflict->minimal = true;
    if (model->broken) {
        TRY(need(conflict->rule_ids[0] = arena_copy(arena, model->broken)));
        conflict->n_rule_ids = 1;
        return OK;
    }
    conflict->minimal = found->minimal;
    for (size_t i = 0; i < model->rule_count; i++) {
        char *name;

        if (!found->in[i])
            continue;
        TRY(need(name = arena_copy(arena, model->rule_ids[i] ? model->rule_ids[i]
                                                             : model->concept_ids[i])));
        if (model->rule_ids[i])
            conflict->rule_ids[conflict->n_rule_ids++] = name;
        else
            conflict->concept_ids[conflict->n_concept_ids++] = name;
    }
    return OK;
}

/* Thousandths of the first set's objective, rounded up. */
static uint32_t
gap_of(const struct composer_answer *answer)
{
    const int64_t best = answer->shelf.count ? answer->shelf.sets[0].cost : 0;

    if (best <= 0 || answer->bound >= best)
        return 0;
    return (uint32_t)(((best - answer->bound) * 1000 + best - 1) / best);
}

static struct status
fill_run(struct arena *arena, const Matching__V1__CompositionFacts *facts,
         const struct model *model, const struct composer_answer *answer,
         Matching__V1__CompositionRun *run)
{
    run->proven = answer->end == COMPOSER_PROVEN;
    run->ranking_proven = answer->ranking_proven;
    run->bound = answer->shelf.count ? answer->bound : 0;
    run->gap_thousandths = gap_of(answer);
    run->late = answer->end == COMPOSER_LATE;
    run->work = answer->work;
    TRY(need(run->sets =
                 ARENA_ARRAY(arena, Matching__V1__CompositionSet *, answer->shelf.count + 1)));
    for (size_t i = 0; i < answer->shelf.count; i++)
        TRY(describe_set(arena, facts, model, &answer->shelf.sets[i],
                         &run->sets[run->n_sets++]));
    return OK;
}

/* What counts as the answer: the sets and the conflict, and whether they are proven; not how
 * long it took. */
static struct status
hash_answer(struct arena *arena, Matching__V1__CompositionRun *run)
{
    Matching__V1__CompositionRun answer = MATCHING__V1__COMPOSITION_RUN__INIT;

    answer.sets = run->sets;
    answer.n_sets = run->n_sets;
    answer.conflict = run->conflict;
    answer.proven = run->proven;
    answer.ranking_proven = run->ranking_proven;
    return hash_message(arena, &answer.base, &run->answer_hash);
}

static struct status
search(struct arena *arena, const Matching__V1__CompositionFacts *facts,
       const struct model *model, const struct clock *clock, struct mono deadline,
       Matching__V1__CompositionRun *run)
{
    const uint32_t wanted = facts->question->sets_wanted;
    const struct composer_ask ask = {.pool = &model->pool,
                                     .sets_wanted = wanted ? wanted : 1,
                                     .work_max = SOLVE_WORK_MAX,
                                     .memory_bytes = COMPOSER_MEMORY_BYTES,
                                     .clock = clock,
                                     .deadline = deadline};
    struct composer_answer answer = {.end = COMPOSER_PROVEN};
    struct conflict conflict = {.minimal = true};

    if (!model->broken)
        TRY(composer_run(arena, &ask, &answer));
    TRY(fill_run(arena, facts, model, &answer, run));
    if (!answer.shelf.count && answer.end == COMPOSER_PROVEN) {
        struct composer_ask everybody = ask;

        everybody.pool = &model->all;
        if (!model->broken)
            TRY(conflict_find(arena, &everybody, model->rules, model->rule_count, &conflict));
        TRY(make_conflict(arena, model, &conflict, run));
    }
    return OK;
}

struct status
solve_facts(struct arena *arena, const Matching__V1__CompositionFacts *facts,
            const struct clock *clock, struct mono deadline, Matching__V1__CompositionRun **ret)
{
    Matching__V1__CompositionRun *run = ARENA_NEW(arena, Matching__V1__CompositionRun);
    const struct mono began = clock_mono(clock);
    struct model model;

    TRY(need(run));
    matching__v1__composition_run__init(run);
    TRY(hash_message(arena, &facts->base, &run->inputs_hash));
    TRY(model_make(arena, facts, &model));
    TRY(search(arena, facts, &model, clock, deadline, run));
    TRY(hash_answer(arena, run));
    run->weights_version = facts->weights_version;
    run->rule_set_version = facts->rule_set_version;
    run->candidates = (uint32_t)model.pool.count;
    run->took_ms = (uint32_t)(mono_micros_between(began, clock_mono(clock)) / 1000);
    *ret = run;
    return OK;
}

static struct status
join(struct arena *arena, const char *const *texts, size_t count, const char **ret)
{
    const char *joined = "";

    for (size_t i = 0; i < count; i++)
        TRY(need(joined = arena_printf(arena, "%s%s%s", joined, i ? ", " : "", texts[i])));
    *ret = joined;
    return OK;
}

static struct status
percent(struct arena *arena, uint32_t thousandths, const char **ret)
{
    *ret = arena_printf(arena, "%u", (thousandths + 5) / 10);
    return need(*ret);
}

static struct status
tell_set(struct arena *arena, enum lang lang, Matching__V1__CompositionSet *set)
{
    struct text_value values[] = {{"count", NULL},
                                  {"countries", NULL},
                                  {"fit", NULL},
                                  {"reliability", NULL},
                                  {"novelty", NULL}};

    TRY(need(values[0].value = arena_printf(arena, "%zu", set->n_additions)));
    TRY(need(values[1].value = arena_printf(arena, "%u", set->new_countries)));
    TRY(percent(arena, set->fit, &values[2].value));
    TRY(percent(arena, set->reliability, &values[3].value));
    TRY(percent(arena, set->novelty, &values[4].value));
    set->explanation =
        text_fill(arena, text_in(TEXT_composition_set, lang), values, COUNT_OF(values));
    return need(set->explanation);
}

struct status
solve_tell(struct arena *arena, enum lang lang, Matching__V1__CompositionRun *run)
{
    struct text_value values[] = {{"rules", NULL}, {"concepts", NULL}};

    for (size_t i = 0; i < run->n_sets; i++)
        TRY(tell_set(arena, lang, run->sets[i]));
    if (!run->conflict)
        return OK;
    TRY(join(arena, run->conflict->rule_ids, run->conflict->n_rule_ids, &values[0].value));
    TRY(need(values[1].value = arena_printf(arena, "%zu", run->conflict->n_concept_ids)));
    run->conflict->explanation =
        text_fill(arena, text_in(TEXT_composition_conflict, lang), values, COUNT_OF(values));
    return need(run->conflict->explanation);
}
