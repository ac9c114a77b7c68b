#include "services/registry/concepts/store.h"

#include <string.h>

#include "common/base/uuid.h"
#include "services/registry/concepts/concepts.h"
#include "services/registry/concepts/concepts_sql.h"

#define FIRST_ID "00000000-0000-0000-0000-000000000000"

const struct pg_statement *const *const concepts_statements = SQL_STATEMENTS;

/* The columns of put.sql, one item for each concept. */
enum column {
    COLUMN_ID,
    COLUMN_URI,
    COLUMN_LABEL,
    COLUMN_ALTERNATIVES = COLUMN_LABEL + LANG_COUNT,
    COLUMN_SORT = COLUMN_ALTERNATIVES + LANG_COUNT,
    COLUMN_BROADER = COLUMN_SORT + LANG_COUNT,
    COLUMN_FOLDED,
    COLUMN_HASH,
    COLUMN_COUNT
};

struct concept_columns {
    const char **texts[COLUMN_COUNT];
    int64_t *kinds;
};

struct languages_of_concept {
    const char *labels[LANG_COUNT];
    const char **alternatives[LANG_COUNT];
    size_t alternative_counts[LANG_COUNT];
};

static struct status
add_text(struct arena *arena, Registry__V1__LocalText **list, size_t *count, enum lang lang,
         const char *value)
{
    Registry__V1__LocalText *text = ARENA_NEW(arena, Registry__V1__LocalText);

    TRY(need(text));
    registry__v1__local_text__init(text);
    text->lang = lang_tag(lang);
    text->value = value;
    list[(*count)++] = text;
    return OK;
}

static struct status
read_languages(struct arena *arena, const struct languages_of_concept *from,
               Registry__V1__Concept *concept)
{
    size_t alternatives = 0;

    for (int lang = 0; lang < LANG_COUNT; lang++)
        alternatives += from->alternative_counts[lang];
    TRY(need(concept->labels = ARENA_ARRAY(arena, Registry__V1__LocalText *, LANG_COUNT)));
    TRY(need(concept->alternatives =
                 ARENA_ARRAY(arena, Registry__V1__LocalText *, alternatives + 1)));
    for (int lang = 0; lang < LANG_COUNT; lang++) {
        if (*from->labels[lang])
            TRY(add_text(arena, concept->labels, &concept->n_labels, (enum lang)lang,
                         from->labels[lang]));
        for (size_t i = 0; i < from->alternative_counts[lang]; i++)
            TRY(add_text(arena, concept->alternatives, &concept->n_alternatives,
                         (enum lang)lang, from->alternatives[lang][i]));
    }
    return OK;
}

/* Reads a row of get.sql or list.sql; ret->concept is NULL after the last. */
static struct status
next_row(struct pg_rows *rows, struct arena *arena, struct concept_row *ret)
{
    Registry__V1__Concept *concept = ARENA_NEW(arena, Registry__V1__Concept);
    struct languages_of_concept languages;
    struct concept_row row = {.concept = concept};
    int32_t kind;
    bool active;

    TRY(need(concept));
    registry__v1__concept__init(concept);
    if (!pg_next_row(rows, arena,
                     PG_OUT(pg_to_text(&concept->concept_id), pg_to_text(&concept->uri),
                            pg_to_text(&concept->vocabulary),
                            pg_to_text(&concept->vocabulary_version), pg_to_i32(&kind),
                            pg_to_text(&languages.labels[LANG_SV]),
                            pg_to_text(&languages.labels[LANG_FI]),
                            pg_to_text(&languages.labels[LANG_EN]),
                            pg_to_texts(&languages.alternatives[LANG_SV],
                                        &languages.alternative_counts[LANG_SV]),
                            pg_to_texts(&languages.alternatives[LANG_FI],
                                        &languages.alternative_counts[LANG_FI]),
                            pg_to_texts(&languages.alternatives[LANG_EN],
                                        &languages.alternative_counts[LANG_EN]),
                            pg_to_texts(&concept->broader_ids, &concept->n_broader_ids),
                            pg_to_bool(&active), pg_to_text(&row.sort)))) {
        ret->concept = NULL;
        return pg_rows_status(rows);
    }
    concept->kind = (Registry__V1__ConceptKind)kind;
    concept->active = active;
    TRY(read_languages(arena, &languages, concept));
    *ret = row;
    return OK;
}

struct status
store_concept_get(struct pg_tx *tx, struct arena *arena, const char *id_or_uri,
                  Registry__V1__Concept **ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct concept_row row;

    TRY(pg_query(tx, &SQL_GET,
                 PG_IN(pg_text(id_or_uri), pg_text(uuid_valid(id_or_uri) ? id_or_uri : NULL)),
                 &rows));
    TRY(next_row(&rows, arena, &row));
    if (!row.concept)
        return FAIL(arena, NOT_FOUND, "there is no such concept");
    *ret = row.concept;
    return OK;
}

struct status
store_concept_list(struct pg_tx *tx, struct arena *arena, const struct concept_filter *filter,
                   struct concept_row **ret, size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct concept_row *list;
    size_t count = 0;

    TRY(need(list = ARENA_ARRAY(arena, struct concept_row, filter->limit)));
    TRY(pg_query(tx, &SQL_LIST,
                 PG_IN(pg_text(filter->after_sort),
                       pg_text(*filter->after_id ? filter->after_id : FIRST_ID),
                       pg_text_or_null(filter->label), pg_text(lang_tag(filter->lang)),
                       pg_i64(filter->kind), pg_text_or_null(filter->vocabulary),
                       pg_i64(filter->limit)),
                 &rows));
    while (count < filter->limit) {
        TRY(next_row(&rows, arena, &list[count]));
        if (!list[count].concept)
            break;
        count++;
    }
    *ret = list;
    *ret_count = count;
    return OK;
}

struct status
store_concept_known(struct pg_tx *tx, struct arena *arena, const struct concept_entry *entries,
                    size_t count, struct concept_known **ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct concept_known *known;
    const char **uris;
    size_t i = 0;

    TRY(need(known = ARENA_ARRAY(arena, struct concept_known, count + 1)));
    TRY(need(uris = ARENA_ARRAY(arena, const char *, count + 1)));
    for (size_t j = 0; j < count; j++)
        uris[j] = entries[j].uri;
    TRY(pg_query(tx, &SQL_KNOWN, PG_IN(pg_texts(uris, count)), &rows));
    while (i < count &&
           pg_next_row(&rows, arena,
                       PG_OUT(pg_to_text(&known[i].hash), pg_to_text(&known[i].vocabulary)))) {
        if (!*known[i].hash)
            known[i] = (struct concept_known){0};
        i++;
    }
    TRY(pg_rows_status(&rows));
    *ret = known;
    return OK;
}

static struct status
make_columns(struct arena *arena, const struct clock *clock,
             const struct concept_entry *const *entries, size_t count,
             struct concept_columns *ret)
{
    struct concept_columns columns;

    TRY(need(columns.kinds = ARENA_ARRAY(arena, int64_t, count + 1)));
    for (int column = 0; column < COLUMN_COUNT; column++)
        TRY(need(columns.texts[column] = ARENA_ARRAY(arena, const char *, count + 1)));
    for (size_t i = 0; i < count; i++) {
        const struct concept_entry *entry = entries[i];
        char id[UUID_SIZE];

        uuid_v7(clock, id);
        TRY(need(columns.texts[COLUMN_ID][i] = arena_copy(arena, id)));
        columns.kinds[i] = entry->kind;
        columns.texts[COLUMN_URI][i] = entry->uri;
        columns.texts[COLUMN_BROADER][i] = entry->broader_uris;
        columns.texts[COLUMN_FOLDED][i] = entry->folded;
        columns.texts[COLUMN_HASH][i] = entry->hash;
        for (int lang = 0; lang < LANG_COUNT; lang++) {
            columns.texts[COLUMN_LABEL + lang][i] = entry->labels[lang];
            columns.texts[COLUMN_ALTERNATIVES + lang][i] = entry->alternatives[lang];
            columns.texts[COLUMN_SORT + lang][i] = entry->sorts[lang];
        }
    }
    *ret = columns;
    return OK;
}

#define TEXTS(column) pg_texts(columns.texts[column], count)
#define TEXTS_IN_LANGUAGES(column)                                                             \
    TEXTS((column) + LANG_SV), TEXTS((column) + LANG_FI), TEXTS((column) + LANG_EN)

struct status
store_concept_put(struct pg_tx *tx, struct arena *arena, const struct clock *clock,
                  const char *vocabulary, const char *version,
                  const struct concept_entry *const *entries, size_t count,
                  const char ***ret_ids, bool *ret_active)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct concept_columns columns = {0};
    bool active = false, one;
    const char **ids;
    size_t i = 0;

    TRY(need(ids = ARENA_ARRAY(arena, const char *, count + 1)));
    TRY(make_columns(arena, clock, entries, count, &columns));
    TRY(pg_query(tx, &SQL_PUT,
                 PG_IN(pg_text(vocabulary), pg_text(version), TEXTS(COLUMN_ID),
                       TEXTS(COLUMN_URI), pg_i64s(columns.kinds, count),
                       TEXTS_IN_LANGUAGES(COLUMN_LABEL),
                       TEXTS_IN_LANGUAGES(COLUMN_ALTERNATIVES), TEXTS_IN_LANGUAGES(COLUMN_SORT),
                       TEXTS(COLUMN_BROADER), TEXTS(COLUMN_FOLDED), TEXTS(COLUMN_HASH)),
                 &rows));
    while (i < count &&
           pg_next_row(&rows, arena, PG_OUT(pg_to_text(&ids[i]), pg_to_bool(&one)))) {
        active |= one;
        i++;
    }
    TRY(pg_rows_status(&rows));
    *ret_ids = ids;
    *ret_active = active;
    return OK;
}

struct status
store_concept_activate(struct pg_tx *tx, struct arena *arena, const char *vocabulary,
                       bool beside, uint32_t *ret_active)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    uint32_t active;

    TRY(pg_query(tx, &SQL_ACTIVATE, PG_IN(pg_text(vocabulary), pg_bool(beside)), &rows));
    TRY(pg_one_row(&rows, arena, PG_OUT(pg_to_u32(&active))));
    if (active == 0)
        return FAIL(arena, NOT_FOUND, "there is no vocabulary %s", vocabulary);
    *ret_active = active;
    return OK;
}

struct status
store_concept_labels(struct pg_tx *tx, struct arena *arena, enum lang lang,
                     const char *const *ids, size_t count, const char ***ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    const char **labels;
    bool found;
    size_t i = 0;

    TRY(need(labels = ARENA_ARRAY(arena, const char *, count + 1)));
    if (count > 0)
        TRY(pg_query(tx, &SQL_LABELS, PG_IN(pg_texts(ids, count), pg_text(lang_tag(lang))),
                     &rows));
    while (i < count &&
           pg_next_row(&rows, arena, PG_OUT(pg_to_bool(&found), pg_to_text(&labels[i])))) {
        if (!found)
            labels[i] = NULL;
        i++;
    }
    if (count > 0)
        TRY(pg_rows_status(&rows));
    *ret = labels;
    return OK;
}
