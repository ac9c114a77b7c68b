#include "services/registry/needs/store.h"

#include "services/registry/needs/needs.h"
#include "services/registry/needs/needs_sql.h"
#include "services/registry/values/columns.h"

const struct pg_statement *const *const needs_statements = SQL_STATEMENTS;

/* Runs insert.sql or update.sql, which share their parameters up to $15. */
static struct status
put(struct pg_tx *tx, struct arena *arena, const struct pg_statement *statement,
    const Registry__V1__Need *n, struct pg_value last, uint64_t *ret_touched)
{
    struct text_columns texts;
    struct skill_columns skills;
    int64_t *focus, *themes;

    TRY(text_columns_make(arena, n->text, n->n_text, &texts));
    TRY(skill_columns_make(arena, n->skills, n->n_skills, &skills));
    TRY(enum_column_make(arena, (const int *)n->focus, n->n_focus, &focus));
    TRY(enum_column_make(arena, (const int *)n->themes, n->n_themes, &themes));
    return pg_execute(tx, statement,
                      PG_IN(pg_text(tx->scope.tenant_id), pg_text(n->need_id),
                            PG_TEXT_COLUMNS(texts), pg_i64s(focus, n->n_focus),
                            pg_i64s(themes, n->n_themes), PG_SKILL_COLUMNS(skills),
                            pg_text_or_null(n->nuts), pg_texts(n->languages, n->n_languages),
                            pg_text_or_null(n->valid_until), pg_i64(n->visibility),
                            pg_texts(n->shared_with, n->n_shared_with), pg_i64(n->state), last),
                      ret_touched);
}

struct status
store_need_insert(struct pg_tx *tx, struct arena *arena, const Registry__V1__Need *need_)
{
    uint64_t touched;

    return put(tx, arena, &SQL_INSERT, need_, pg_text(need_->organisation_id), &touched);
}

struct status
store_need_update(struct pg_tx *tx, struct arena *arena, Registry__V1__Need *need_,
                  uint64_t expected_version)
{
    uint64_t touched;

    TRY(put(tx, arena, &SQL_UPDATE, need_, pg_i64((int64_t)expected_version), &touched));
    if (touched == 0)
        return FAIL(arena, VERSION_MISMATCH, "the need has changed since version %llu",
                    (unsigned long long)expected_version);
    need_->version = expected_version + 1;
    return OK;
}

/* Reads a row of get.sql or list.sql; ret->need is NULL after the last. */
static struct status
next_row(struct pg_rows *rows, struct arena *arena, struct need_row *ret)
{
    Registry__V1__Need *n = ARENA_NEW(arena, Registry__V1__Need);
    struct need_row row = {.need = n};
    struct text_columns texts;
    struct skill_columns skills;
    int64_t *focus_column, *theme_column;
    int32_t visibility, state;
    int *focus, *themes;

    TRY(need(n));
    registry__v1__need__init(n);
    if (!pg_next_row(rows, arena,
                     PG_OUT(pg_to_text(&n->need_id), pg_to_text(&row.tenant_id),
                            pg_to_text(&n->organisation_id), PG_TO_TEXT_COLUMNS(texts),
                            pg_to_i64s(&focus_column, &n->n_focus),
                            pg_to_i64s(&theme_column, &n->n_themes),
                            PG_TO_SKILL_COLUMNS(skills), pg_to_text(&n->nuts),
                            pg_to_texts(&n->languages, &n->n_languages),
                            pg_to_text(&n->valid_until), pg_to_i32(&visibility),
                            pg_to_texts(&n->shared_with, &n->n_shared_with), pg_to_i32(&state),
                            pg_to_u64(&n->version), pg_to_u64(&n->created_unix_ms)))) {
        ret->need = NULL;
        return pg_rows_status(rows);
    }
    n->visibility = (Registry__V1__Visibility)visibility;
    n->state = (Registry__V1__NeedState)state;
    TRY(text_columns_read(arena, &texts, &n->text, &n->n_text));
    TRY(skill_columns_read(arena, &skills, &n->skills, &n->n_skills));
    TRY(enum_column_read(arena, focus_column, n->n_focus, &focus));
    TRY(enum_column_read(arena, theme_column, n->n_themes, &themes));
    n->focus = (Registry__V1__FocusArea *)focus;
    n->themes = (Registry__V1__Theme *)themes;
    *ret = row;
    return OK;
}

struct status
store_need_get(struct pg_tx *tx, struct arena *arena, const char *id, struct need_row *ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct need_row row;

    TRY(pg_query(tx, &SQL_GET, PG_IN(pg_text(id)), &rows));
    TRY(next_row(&rows, arena, &row));
    if (!row.need)
        return FAIL(arena, NOT_FOUND, "there is no need %s", id);
    *ret = row;
    return OK;
}

struct status
store_need_list(struct pg_tx *tx, struct arena *arena, const struct need_filter *filter,
                struct need_row **ret, size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct need_row *list;
    size_t count = 0;

    TRY(need(list = ARENA_ARRAY(arena, struct need_row, filter->limit)));
    TRY(pg_query(tx, &SQL_LIST,
                 PG_IN(pg_text_or_null(filter->before_id), pg_i64(filter->state),
                       pg_text_or_null(filter->organisation_id),
                       pg_bool(filter->viewer.published_only),
                       pg_text_or_null(filter->viewer.contact_for), pg_i64(filter->limit)),
                 &rows));
    while (count < filter->limit) {
        TRY(next_row(&rows, arena, &list[count]));
        if (!list[count].need)
            break;
        count++;
    }
    *ret = list;
    *ret_count = count;
    return OK;
}

struct status
store_need_expire(struct pg_tx *tx, struct arena *arena, const char *today, size_t most,
                  struct need_expired **ret, size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct need_expired *list;
    size_t count = 0;

    TRY(need(list = ARENA_ARRAY(arena, struct need_expired, most)));
    TRY(pg_query(tx, &SQL_EXPIRE,
                 PG_IN(pg_text(tx->scope.tenant_id), pg_text(today), pg_i64((int64_t)most)),
                 &rows));
    while (count < most &&
           pg_next_row(
               &rows, arena,
               PG_OUT(pg_to_text(&list[count].id), pg_to_text(&list[count].nuts),
                      pg_to_i32(&list[count].visibility),
                      pg_to_texts(&list[count].shared_with, &list[count].shared_with_count))))
        count++;
    TRY(pg_rows_status(&rows));
    *ret = list;
    *ret_count = count;
    return OK;
}
