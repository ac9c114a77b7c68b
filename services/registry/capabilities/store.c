#include "services/registry/capabilities/store.h"

#include "services/registry/capabilities/capabilities.h"
#include "services/registry/capabilities/capabilities_sql.h"
#include "services/registry/values/columns.h"

const struct pg_statement *const *const capabilities_statements = SQL_STATEMENTS;

struct status
store_capability_insert(struct pg_tx *tx, struct arena *arena,
                        const Registry__V1__Capability *c)
{
    struct text_columns texts, benefits;
    struct skill_columns skills;
    int64_t *focus, *themes;

    TRY(text_columns_make(arena, c->text, c->n_text, &texts));
    TRY(text_columns_make(arena, c->benefit, c->n_benefit, &benefits));
    TRY(skill_columns_make(arena, c->skills, c->n_skills, &skills));
    TRY(enum_column_make(arena, (const int *)c->focus, c->n_focus, &focus));
    TRY(enum_column_make(arena, (const int *)c->themes, c->n_themes, &themes));
    return pg_query(tx, &SQL_INSERT,
                    PG_IN(pg_text(tx->scope.tenant_id), pg_text(c->capability_id),
                          pg_text(c->organisation_id), pg_i64(c->kind), PG_TEXT_COLUMNS(texts),
                          PG_TEXT_COLUMNS(benefits), pg_i64(c->trl),
                          pg_i64s(themes, c->n_themes), pg_i64s(focus, c->n_focus),
                          PG_SKILL_COLUMNS(skills), pg_text_or_null(c->nuts),
                          pg_text_or_null(c->valid_until), pg_i64(c->visibility),
                          pg_texts(c->shared_with, c->n_shared_with)),
                    NULL);
}

struct status
store_capability_withdraw(struct pg_tx *tx, struct arena *arena,
                          Registry__V1__Capability *capability, uint64_t expected_version)
{
    uint64_t touched;

    TRY(pg_execute(tx, &SQL_WITHDRAW,
                   PG_IN(pg_text(tx->scope.tenant_id), pg_text(capability->capability_id),
                         pg_i64((int64_t)expected_version)),
                   &touched));
    if (touched == 0)
        return FAIL(arena, VERSION_MISMATCH, "the capability has changed since version %llu",
                    (unsigned long long)expected_version);
    capability->withdrawn = true;
    capability->version = expected_version + 1;
    return OK;
}

/* Reads a row of get.sql or list.sql; ret->capability is NULL after the last. */
static struct status
next_row(struct pg_rows *rows, struct arena *arena, struct capability_row *ret)
{
    Registry__V1__Capability *c = ARENA_NEW(arena, Registry__V1__Capability);
    struct capability_row row = {.capability = c};
    struct text_columns texts, benefits;
    struct skill_columns skills;
    int64_t *focus_column, *theme_column;
    int32_t kind, visibility;
    int *focus, *themes;
    bool withdrawn;

    TRY(need(c));
    registry__v1__capability__init(c);
    if (!pg_next_row(rows, arena,
                     PG_OUT(pg_to_text(&c->capability_id), pg_to_text(&row.tenant_id),
                            pg_to_text(&c->organisation_id), pg_to_i32(&kind),
                            PG_TO_TEXT_COLUMNS(texts), PG_TO_TEXT_COLUMNS(benefits),
                            pg_to_u32(&c->trl), pg_to_i64s(&theme_column, &c->n_themes),
                            pg_to_i64s(&focus_column, &c->n_focus), PG_TO_SKILL_COLUMNS(skills),
                            pg_to_text(&c->nuts), pg_to_text(&c->valid_until),
                            pg_to_i32(&visibility),
                            pg_to_texts(&c->shared_with, &c->n_shared_with),
                            pg_to_bool(&withdrawn), pg_to_u64(&c->version)))) {
        ret->capability = NULL;
        return pg_rows_status(rows);
    }
    c->kind = (Registry__V1__CapabilityKind)kind;
    c->visibility = (Registry__V1__Visibility)visibility;
    c->withdrawn = withdrawn;
    TRY(text_columns_read(arena, &texts, &c->text, &c->n_text));
    TRY(text_columns_read(arena, &benefits, &c->benefit, &c->n_benefit));
    TRY(skill_columns_read(arena, &skills, &c->skills, &c->n_skills));
    TRY(enum_column_read(arena, focus_column, c->n_focus, &focus));
    TRY(enum_column_read(arena, theme_column, c->n_themes, &themes));
    c->focus = (Registry__V1__FocusArea *)focus;
    c->themes = (Registry__V1__Theme *)themes;
    *ret = row;
    return OK;
}

struct status
store_capability_get(struct pg_tx *tx, struct arena *arena, const char *id,
                     struct capability_row *ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct capability_row row;

    TRY(pg_query(tx, &SQL_GET, PG_IN(pg_text(id)), &rows));
    TRY(next_row(&rows, arena, &row));
    if (!row.capability)
        return FAIL(arena, NOT_FOUND, "there is no capability %s", id);
    *ret = row;
    return OK;
}

struct status
store_capability_list(struct pg_tx *tx, struct arena *arena,
                      const struct capability_filter *filter, struct capability_row **ret,
                      size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct capability_row *list;
    size_t count = 0;

    TRY(need(list = ARENA_ARRAY(arena, struct capability_row, filter->limit)));
    TRY(pg_query(tx, &SQL_LIST,
                 PG_IN(pg_text_or_null(filter->before_id),
                       pg_text_or_null(filter->organisation_id),
                       pg_text_or_null(filter->contact_for), pg_i64(filter->limit)),
                 &rows));
    while (count < filter->limit) {
        TRY(next_row(&rows, arena, &list[count]));
        if (!list[count].capability)
            break;
        count++;
    }
    *ret = list;
    *ret_count = count;
    return OK;
}
