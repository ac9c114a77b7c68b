#include "services/registry/infrastructure/store.h"

#include "common/base/utf8.h"
#include "services/registry/infrastructure/infrastructure.h"
#include "services/registry/infrastructure/infrastructure_sql.h"
#include "services/registry/values/columns.h"

#define FIRST_ID "00000000-0000-0000-0000-000000000000"

const struct pg_statement *const *const infrastructure_statements = SQL_STATEMENTS;

struct status
store_equipment_insert(struct pg_tx *tx, struct arena *arena, const Registry__V1__Equipment *e)
{
    struct text_columns names, texts, terms;
    struct skill_columns skills;
    char *sort = utf8_fold(arena, e->names[0]->value);

    TRY(need(sort));
    TRY(text_columns_make(arena, e->names, e->n_names, &names));
    TRY(text_columns_make(arena, e->description, e->n_description, &texts));
    TRY(text_columns_make(arena, e->access_terms, e->n_access_terms, &terms));
    TRY(skill_columns_make(arena, e->skills, e->n_skills, &skills));
    return pg_query(tx, &SQL_INSERT,
                    PG_IN(pg_text(tx->scope.tenant_id), pg_text(e->equipment_id),
                          pg_text(e->organisation_id), pg_i64(e->type), PG_TEXT_COLUMNS(names),
                          pg_text(sort), PG_TEXT_COLUMNS(texts), pg_text(e->manufacturer),
                          pg_text(e->model), pg_text(e->department), PG_TEXT_COLUMNS(terms),
                          PG_SKILL_COLUMNS(skills), pg_text_or_null(e->nuts),
                          pg_i64(e->hours_open_per_week), pg_i64(e->visibility),
                          pg_texts(e->shared_with, e->n_shared_with)),
                    NULL);
}

struct status
store_equipment_delist(struct pg_tx *tx, struct arena *arena,
                       Registry__V1__Equipment *equipment, uint64_t expected_version)
{
    uint64_t touched;

    TRY(pg_execute(tx, &SQL_DELIST,
                   PG_IN(pg_text(tx->scope.tenant_id), pg_text(equipment->equipment_id),
                         pg_i64((int64_t)expected_version)),
                   &touched));
    if (touched == 0)
        return FAIL(arena, VERSION_MISMATCH, "the equipment has changed since version %llu",
                    (unsigned long long)expected_version);
    equipment->delisted = true;
    equipment->version = expected_version + 1;
    return OK;
}

/* Reads a row of get.sql or list.sql; ret->equipment is NULL after the last. */
static struct status
next_row(struct pg_rows *rows, struct arena *arena, struct equipment_row *ret)
{
    Registry__V1__Equipment *e = ARENA_NEW(arena, Registry__V1__Equipment);
    struct equipment_row row = {.equipment = e};
    struct text_columns names, texts, terms;
    struct skill_columns skills;
    int32_t type, visibility;
    bool delisted;

    TRY(need(e));
    registry__v1__equipment__init(e);
    if (!pg_next_row(
            rows, arena,
            PG_OUT(pg_to_text(&e->equipment_id), pg_to_text(&row.tenant_id),
                   pg_to_text(&e->organisation_id), pg_to_i32(&type), PG_TO_TEXT_COLUMNS(names),
                   PG_TO_TEXT_COLUMNS(texts), pg_to_text(&e->manufacturer),
                   pg_to_text(&e->model), pg_to_text(&e->department), PG_TO_TEXT_COLUMNS(terms),
                   PG_TO_SKILL_COLUMNS(skills), pg_to_text(&e->nuts),
                   pg_to_u32(&e->hours_open_per_week), pg_to_i32(&visibility),
                   pg_to_texts(&e->shared_with, &e->n_shared_with), pg_to_bool(&delisted),
                   pg_to_u64(&e->version), pg_to_text(&row.name_sort)))) {
        ret->equipment = NULL;
        return pg_rows_status(rows);
    }
    e->type = (Registry__V1__EquipmentType)type;
    e->visibility = (Registry__V1__Visibility)visibility;
    e->delisted = delisted;
    TRY(text_columns_read(arena, &names, &e->names, &e->n_names));
    TRY(text_columns_read(arena, &texts, &e->description, &e->n_description));
    TRY(text_columns_read(arena, &terms, &e->access_terms, &e->n_access_terms));
    TRY(skill_columns_read(arena, &skills, &e->skills, &e->n_skills));
    *ret = row;
    return OK;
}

struct status
store_equipment_get(struct pg_tx *tx, struct arena *arena, const char *id,
                    struct equipment_row *ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct equipment_row row;

    TRY(pg_query(tx, &SQL_GET, PG_IN(pg_text(id)), &rows));
    TRY(next_row(&rows, arena, &row));
    if (!row.equipment)
        return FAIL(arena, NOT_FOUND, "there is no equipment %s", id);
    *ret = row;
    return OK;
}

struct status
store_equipment_list(struct pg_tx *tx, struct arena *arena,
                     const struct equipment_filter *filter, struct equipment_row **ret,
                     size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct equipment_row *list;
    size_t count = 0;

    TRY(need(list = ARENA_ARRAY(arena, struct equipment_row, filter->limit)));
    TRY(pg_query(tx, &SQL_LIST,
                 PG_IN(pg_text(filter->after_name),
                       pg_text(*filter->after_id ? filter->after_id : FIRST_ID),
                       pg_text_or_null(filter->organisation_id), pg_i64(filter->limit)),
                 &rows));
    while (count < filter->limit) {
        TRY(next_row(&rows, arena, &list[count]));
        if (!list[count].equipment)
            break;
        count++;
    }
    *ret = list;
    *ret_count = count;
    return OK;
}
