#include "services/registry/values/columns.h"

struct status
text_columns_make(struct arena *arena, Registry__V1__LocalText *const *texts, size_t count,
                  struct text_columns *ret)
{
    struct text_columns columns = {
        .langs_count = count, .values_count = count, .translated_count = count};

    TRY(need(columns.langs = ARENA_ARRAY(arena, const char *, count + 1)));
    TRY(need(columns.values = ARENA_ARRAY(arena, const char *, count + 1)));
    TRY(need(columns.translated = ARENA_ARRAY(arena, const char *, count + 1)));
    for (size_t i = 0; i < count; i++) {
        columns.langs[i] = texts[i]->lang;
        columns.values[i] = texts[i]->value;
        columns.translated[i] = texts[i]->translated ? "t" : "f";
    }
    *ret = columns;
    return OK;
}

struct status
text_columns_read(struct arena *arena, const struct text_columns *columns,
                  Registry__V1__LocalText ***ret, size_t *ret_count)
{
    const size_t count = columns->langs_count;
    Registry__V1__LocalText **texts;

    if (columns->values_count != count || columns->translated_count != count)
        return FAIL(arena, INTERNAL, "the columns of a text differ in length");
    TRY(need(texts = ARENA_ARRAY(arena, Registry__V1__LocalText *, count + 1)));
    for (size_t i = 0; i < count; i++) {
        TRY(need(texts[i] = ARENA_NEW(arena, Registry__V1__LocalText)));
        registry__v1__local_text__init(texts[i]);
        texts[i]->lang = columns->langs[i];
        texts[i]->value = columns->values[i];
        texts[i]->translated = columns->translated[i][0] == 't';
    }
    *ret = texts;
    *ret_count = count;
    return OK;
}

struct status
skill_columns_make(struct arena *arena, Registry__V1__Skill *const *skills, size_t count,
                   struct skill_columns *ret)
{
    struct skill_columns columns = {.ids_count = count, .weights_count = count};

    TRY(need(columns.ids = ARENA_ARRAY(arena, const char *, count + 1)));
    TRY(need(columns.weights = ARENA_ARRAY(arena, int64_t, count + 1)));
    for (size_t i = 0; i < count; i++) {
        columns.ids[i] = skills[i]->concept_id;
        columns.weights[i] = skills[i]->weight;
    }
    *ret = columns;
    return OK;
}

struct status
skill_columns_read(struct arena *arena, const struct skill_columns *columns,
                   Registry__V1__Skill ***ret, size_t *ret_count)
{
    const size_t count = columns->ids_count;
    Registry__V1__Skill **skills;

    if (columns->weights_count != count)
        return FAIL(arena, INTERNAL, "the columns of skills differ in length");
    TRY(need(skills = ARENA_ARRAY(arena, Registry__V1__Skill *, count + 1)));
    for (size_t i = 0; i < count; i++) {
        TRY(need(skills[i] = ARENA_NEW(arena, Registry__V1__Skill)));
        registry__v1__skill__init(skills[i]);
        skills[i]->concept_id = columns->ids[i];
        skills[i]->weight = (uint32_t)columns->weights[i];
    }
    *ret = skills;
    *ret_count = count;
    return OK;
}

struct status
enum_column_make(struct arena *arena, const int *values, size_t count, int64_t **ret)
{
    int64_t *column;

    TRY(need(column = ARENA_ARRAY(arena, int64_t, count + 1)));
    for (size_t i = 0; i < count; i++)
        column[i] = values[i];
    *ret = column;
    return OK;
}

struct status
enum_column_read(struct arena *arena, const int64_t *values, size_t count, int **ret)
{
    int *list;

    TRY(need(list = ARENA_ARRAY(arena, int, count + 1)));
    for (size_t i = 0; i < count; i++)
        list[i] = (int)values[i];
    *ret = list;
    return OK;
}
