#include "services/registry/concepts/skills.h"

#include "services/registry/concepts/store.h"

#define KEYS_MOST 16

struct status
skills_label(struct pg_tx *tx, struct arena *arena, enum lang lang,
             const struct skill_list *lists, size_t count, struct skill_missing *ret_missing)
{
    struct skill_missing missing = {0};
    size_t total = 0, at = 0;
    const char **ids, **labels;

    for (size_t i = 0; i < count; i++)
        total += lists[i].count;
    TRY(need(ids = ARENA_ARRAY(arena, const char *, total + 1)));
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < lists[i].count; j++)
            ids[at++] = lists[i].skills[j]->concept_id;
    TRY(store_concept_labels(tx, arena, lang, ids, total, &labels));
    at = 0;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < lists[i].count; j++, at++) {
            lists[i].skills[j]->label = labels[at] ? labels[at] : "";
            if (!labels[at] && !missing.any)
                missing = (struct skill_missing){true, i, j};
        }
    if (ret_missing)
        *ret_missing = missing;
    return OK;
}

struct status
skills_unknown(struct arena *arena, const char *field, size_t item, const char *concept_id)
{
    struct status status =
        FAIL(arena, FAILED_PRECONDITION, "there is no concept %s", concept_id);

    status.field = arena_printf(arena, "%s[%zu].concept_id", field, item);
    return status;
}

struct status
skills_require(struct pg_tx *tx, struct arena *arena, enum lang lang, const char *field,
               Registry__V1__Skill **skills, size_t count)
{
    const struct skill_list list = {skills, count};
    struct skill_missing missing;

    TRY(skills_label(tx, arena, lang, &list, 1, &missing));
    if (!missing.any)
        return OK;
    return skills_unknown(arena, field, missing.item, skills[missing.item]->concept_id);
}

struct status
skills_key(struct arena *arena, Registry__V1__Skill *const *skills, size_t count,
           const char **ret)
{
    const char *key = "";

    for (size_t i = 0; i < count && i < KEYS_MOST; i++)
        TRY(need(key = i ? arena_printf(arena, "%s,%s", key, skills[i]->concept_id)
                         : skills[i]->concept_id));
    *ret = key;
    return OK;
}
