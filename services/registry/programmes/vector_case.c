#include "services/registry/programmes/vector_case.h"

#include <string.h>

#include "common/base/test.h"

/* jansson's iterators take the object without const, but only read it. */
static json_t *
open_object(const json_t *json)
{
    return (json_t *)(uintptr_t)json;
}

static void
allow_keys(const json_t *object, const char *const *keys)
{
    const char *key;
    json_t *value;

    json_object_foreach(open_object(object), key, value)
    {
        bool known = false;
        for (size_t i = 0; keys[i]; i++)
            known |= !strcmp(keys[i], key);
        if (!known)
            fail_msg("a vector's case does not have \"%s\"", key);
    }
}

static const char *
text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static struct rule_date
date(const json_t *object, const char *key)
{
    struct rule_date result = {0};
    const char *given = text(object, key);

    if (given)
        assert_true(rule_date_parse(given, &result));
    return result;
}

static struct rule_number
number(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return (struct rule_number){value != NULL, json_integer_value(value)};
}

static enum rule_answer
answer(const json_t *value)
{
    return !value ? RULE_NOT_GIVEN : json_is_true(value) ? RULE_YES : RULE_NO;
}

static void *
make(struct arena *arena, size_t count, size_t size)
{
    void *memory = arena_calloc(arena, count + 1, size);

    assert_non_null(memory);
    return memory;
}

static struct rule_texts
texts(const json_t *list, struct arena *arena)
{
    const char **items = make(arena, json_array_size(list), sizeof *items);

    for (size_t i = 0; i < json_array_size(list); i++)
        items[i] = json_string_value(json_array_get(list, i));
    return (struct rule_texts){list != NULL, json_array_size(list), items};
}

static struct rule_period
period(const json_t *json)
{
    return (struct rule_period){date(json, "start"), date(json, "end")};
}

static void
put_parties(const json_t *json, struct arena *arena, struct rule_case *ret)
{
    static const char *const keys[] = {
        "name",      "role",      "type",     "country", "nuts",
        "ownership", "headcount", "turnover", "balance", "competitive_market",
        "has",       NULL};
    struct rule_party *items = make(arena, json_object_size(json), sizeof *items);
    const char *id;
    json_t *value;
    size_t count = 0;

    json_object_foreach(open_object(json), id, value)
    {
        allow_keys(value, keys);
        items[count++] = (struct rule_party){
            .organisation_id = id,
            .name = text(value, "name"),
            .role = text(value, "role"),
            .type = text(value, "type"),
            .country = text(value, "country"),
            .nuts = text(value, "nuts"),
            .ownership = text(value, "ownership"),
            .headcount = number(value, "headcount"),
            .turnover_eur = number(value, "turnover"),
            .balance_eur = number(value, "balance"),
            .competitive_market = answer(json_object_get(value, "competitive_market")),
            .has = texts(json_object_get(value, "has"), arena),
        };
    }
    ret->parties = (struct rule_parties){json != NULL, count, items};
}

/* A key is a role, or role and number: "associate 2". */
static void
put_persons(const json_t *json, struct arena *arena, struct rule_case *ret)
{
    static const char *const keys[] = {"id", "affiliations", "eqf", "degree_date", NULL};
    struct rule_person *items = make(arena, json_object_size(json), sizeof *items);
    const char *key;
    json_t *value;
    size_t count = 0;

    json_object_foreach(open_object(json), key, value)
    {
        allow_keys(value, keys);
        items[count++] = (struct rule_person){
            .role = arena_copy_n(arena, key, strcspn(key, " ")),
            .person_id = text(value, "id"),
            .affiliations = texts(json_object_get(value, "affiliations"), arena),
            .degree_eqf = number(value, "eqf"),
            .degree_date = date(value, "degree_date"),
        };
    }
    ret->persons.count = count;
    ret->persons.items = items;
}

static void
put_relations(const json_t *json, struct arena *arena, struct rule_case *ret)
{
    struct rule_relation *items = make(arena, json_array_size(json), sizeof *items);

    for (size_t i = 0; i < json_array_size(json); i++) {
        const json_t *item = json_array_get(json, i);
        items[i].kind = json_string_value(json_array_get(item, 0));
        items[i].parent_id = json_string_value(json_array_get(item, 1));
        items[i].child_id = json_string_value(json_array_get(item, 2));
        items[i].share_thousandths = json_integer_value(json_array_get(item, 3));
    }
    ret->relations.count = json_array_size(json);
    ret->relations.items = items;
}

static void
put_facts(const json_t *json, struct arena *arena, struct rule_case *ret)
{
    struct rule_fact *items = make(arena, json_object_size(json), sizeof *items);
    const char *key;
    json_t *value;
    size_t count = 0;

    json_object_foreach(open_object(json), key, value) items[count++] =
        (struct rule_fact){key, texts(value, arena)};
    ret->facts.count = count;
    ret->facts.items = items;
}

static void
put_sign_offs(const json_t *json, struct arena *arena, struct rule_case *ret)
{
    struct rule_sign_off *items = make(arena, 100, sizeof *items);
    const char *item, *by;
    json_t *signers, *granted;
    size_t count = 0;

    json_object_foreach(open_object(json), item, signers)
    {
        json_object_foreach(signers, by, granted) items[count++] =
            (struct rule_sign_off){item, by, answer(granted)};
    }
    ret->sign_offs.count = count;
    ret->sign_offs.items = items;
}

static void
put_judgements(const json_t *json, struct arena *arena, struct rule_case *ret)
{
    const json_t *assessments = json_object_get(json, "assessments");
    const json_t *parts = json_object_get(json, "participations");
    struct rule_assessment *judged = make(arena, json_object_size(assessments), sizeof *judged);
    struct rule_participation *taken = make(arena, 100, sizeof *taken);
    const char *key;
    json_t *value;
    size_t count = 0;

    json_object_foreach(open_object(assessments), key, value) judged[count++] =
        (struct rule_assessment){key, answer(value)};
    ret->assessments.count = count;
    ret->assessments.items = judged;
    count = 0;
    json_object_foreach(open_object(parts), key, value)
    {
        for (size_t i = 0; i < json_array_size(value); i++)
            taken[count++] =
                (struct rule_participation){key, json_string_value(json_array_get(value, i))};
    }
    ret->participations.count = count;
    ret->participations.items = taken;
}

static void
put_money(const json_t *json, struct arena *arena, struct rule_case *ret)
{
    const json_t *budget = json_object_get(json, "budget");
    const json_t *aids = json_object_get(json, "aids");
    struct rule_budget_line *lines = make(arena, json_array_size(budget), sizeof *lines);
    struct rule_aid *given = make(arena, json_array_size(aids), sizeof *given);

    for (size_t i = 0; i < json_array_size(budget); i++) {
        const json_t *line = json_array_get(budget, i);
        lines[i].payer = json_string_value(json_array_get(line, 0));
        lines[i].organisation_id = json_string_value(json_array_get(line, 1));
        lines[i].category = json_string_value(json_array_get(line, 2));
        lines[i].amount_minor = json_integer_value(json_array_get(line, 3));
        lines[i].currency = json_string_value(json_array_get(line, 4));
    }
    ret->budget.given = budget != NULL;
    ret->budget.count = json_array_size(budget);
    ret->budget.items = lines;
    for (size_t i = 0; i < json_array_size(aids); i++) {
        const json_t *aid = json_array_get(aids, i);
        const char *decided = json_string_value(json_array_get(aid, 1));
        given[i].organisation_id = json_string_value(json_array_get(aid, 0));
        given[i].amount_eur = json_integer_value(json_array_get(aid, 2));
        if (decided)
            assert_true(rule_date_parse(decided, &given[i].decided));
    }
    ret->aids.given = aids != NULL;
    ret->aids.count = json_array_size(aids);
    ret->aids.items = given;
}

static void
put_figures(const json_t *json, struct arena *arena, struct rule_case *ret)
{
    const json_t *observations = json_object_get(json, "observations");
    const json_t *measures = json_object_get(json, "measures");
    struct rule_observation *seen = make(arena, json_object_size(observations), sizeof *seen);
    struct rule_measure *measured = make(arena, json_object_size(measures), sizeof *measured);
    const char *key;
    json_t *value;
    size_t count = 0;

    json_object_foreach(open_object(observations), key, value) seen[count++] =
        (struct rule_observation){key, json_integer_value(json_array_get(value, 0)),
                                  json_integer_value(json_array_get(value, 1))};
    ret->observations.count = count;
    ret->observations.items = seen;
    count = 0;
    json_object_foreach(open_object(measures), key, value) measured[count++] =
        (struct rule_measure){key, json_integer_value(value)};
    ret->measures.count = count;
    ret->measures.items = measured;
}

/* {"KK-03.min": "0.5"} and {"KK-02": {"by": "funder", "reason": "...", "expires": "..."}}. */
static void
put_terms(const json_t *json, struct arena *arena, struct rule_case *ret)
{
    const json_t *overrides = json_object_get(json, "overrides");
    const json_t *waivers = json_object_get(json, "waivers");
    struct rule_override *set = make(arena, json_object_size(overrides), sizeof *set);
    struct rule_waiver *waived = make(arena, json_object_size(waivers), sizeof *waived);
    const char *key;
    json_t *value;
    size_t count = 0;

    json_object_foreach(open_object(overrides), key, value)
    {
        const char *dot = strchr(key, '.');
        assert_non_null(dot);
        set[count++] = (struct rule_override){arena_copy_n(arena, key, (size_t)(dot - key)),
                                              dot + 1, json_string_value(value)};
    }
    ret->overrides.count = count;
    ret->overrides.items = set;
    count = 0;
    json_object_foreach(open_object(waivers), key, value) waived[count++] =
        (struct rule_waiver){key, text(value, "by"), text(value, "reason"),
                             date(value, "expires")};
    ret->waivers.count = count;
    ret->waivers.items = waived;
}

struct rule_case
vector_case(const json_t *json, struct arena *arena)
{
    static const char *const keys[] = {
        "state",    "parties",   "persons",        "relations", "facts",
        "texts",    "sign_offs", "assessments",    "period",    "fte",
        "budget",   "aids",      "funded_project", "switches",  "observations",
        "measures", "overrides", "waivers",        "follow_up", "participations",
        NULL};
    struct rule_case facts = {
        .state = text(json, "state"),
        .period = period(json_object_get(json, "period")),
        .fte_thousandths = number(json, "fte"),
        .texts = texts(json_object_get(json, "texts"), arena),
        .switches = texts(json_object_get(json, "switches"), arena),
        .funded_project_linked = json_object_get(json, "funded_project") != NULL,
        .funded_project = period(json_object_get(json, "funded_project")),
        .follow_up = date(json, "follow_up"),
    };

    allow_keys(json, keys);
    put_parties(json_object_get(json, "parties"), arena, &facts);
    put_persons(json_object_get(json, "persons"), arena, &facts);
    put_relations(json_object_get(json, "relations"), arena, &facts);
    put_facts(json_object_get(json, "facts"), arena, &facts);
    put_sign_offs(json_object_get(json, "sign_offs"), arena, &facts);
    put_judgements(json, arena, &facts);
    put_money(json, arena, &facts);
    put_figures(json, arena, &facts);
    put_terms(json, arena, &facts);
    return facts;
}

/* As RFC 7396 has it. */
static void
apply_patch(json_t *target, const json_t *patch)
{
    const char *key;
    json_t *value;

    json_object_foreach(open_object(patch), key, value)
    {
        json_t *old = json_object_get(target, key);
        if (json_is_null(value)) {
            json_object_del(target, key);
        } else if (json_is_object(value)) {
            if (!json_is_object(old))
                json_object_set_new(target, key, json_object());
            apply_patch(json_object_get(target, key), value);
        } else {
            json_object_set(target, key, value);
        }
    }
}

json_t *
vector_patched(const json_t *base, const json_t *patch)
{
    json_t *result = json_deep_copy(base);

    assert_non_null(result);
    apply_patch(result, patch);
    return result;
}
