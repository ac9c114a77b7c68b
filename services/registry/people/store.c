#include "services/registry/people/store.h"

#include <stdlib.h>

#include "common/base/utf8.h"
#include "services/registry/people/people.h"
#include "services/registry/people/people_sql.h"
#include "services/registry/values/columns.h"

#define FIRST_ID "00000000-0000-0000-0000-000000000000"

const struct pg_statement *const *const people_statements = SQL_STATEMENTS;

struct career_columns {
    const char **ids, **roles, **from, **to;
    size_t ids_count, roles_count, from_count, to_count;
    const char **fields, **levels, **dates;
    size_t fields_count, levels_count, dates_count;
};

static struct status
make_career(struct arena *arena, const Registry__V1__Person *person, struct career_columns *ret)
{
    const size_t affiliations = person->n_affiliations, degrees = person->n_degrees;
    struct career_columns c = {
        .ids_count = affiliations,
        .roles_count = affiliations,
        .from_count = affiliations,
        .to_count = affiliations,
        .fields_count = degrees,
        .levels_count = degrees,
        .dates_count = degrees,
    };

    TRY(need(c.ids = ARENA_ARRAY(arena, const char *, affiliations + 1)));
    TRY(need(c.roles = ARENA_ARRAY(arena, const char *, affiliations + 1)));
    TRY(need(c.from = ARENA_ARRAY(arena, const char *, affiliations + 1)));
    TRY(need(c.to = ARENA_ARRAY(arena, const char *, affiliations + 1)));
    TRY(need(c.fields = ARENA_ARRAY(arena, const char *, degrees + 1)));
    TRY(need(c.levels = ARENA_ARRAY(arena, const char *, degrees + 1)));
    TRY(need(c.dates = ARENA_ARRAY(arena, const char *, degrees + 1)));
    for (size_t i = 0; i < affiliations; i++) {
        c.ids[i] = person->affiliations[i]->organisation_id;
        c.roles[i] = person->affiliations[i]->role;
        c.from[i] = person->affiliations[i]->valid_from;
        c.to[i] = person->affiliations[i]->valid_to;
    }
    for (size_t i = 0; i < degrees; i++) {
        c.fields[i] = person->degrees[i]->isced_f;
        TRY(need(c.levels[i] = arena_printf(arena, "%u", person->degrees[i]->eqf)));
        c.dates[i] = person->degrees[i]->awarded_on;
    }
    *ret = c;
    return OK;
}

static struct status
read_affiliations(struct arena *arena, const struct career_columns *c,
                  Registry__V1__Person *person)
{
    const size_t count = c->ids_count;
    Registry__V1__Affiliation **list;

    if (c->roles_count != count || c->from_count != count || c->to_count != count)
        return FAIL(arena, INTERNAL, "the columns of affiliations differ in length");
    TRY(need(list = ARENA_ARRAY(arena, Registry__V1__Affiliation *, count + 1)));
    for (size_t i = 0; i < count; i++) {
        TRY(need(list[i] = ARENA_NEW(arena, Registry__V1__Affiliation)));
        registry__v1__affiliation__init(list[i]);
        list[i]->organisation_id = c->ids[i];
        list[i]->role = c->roles[i];
        list[i]->valid_from = c->from[i];
        list[i]->valid_to = c->to[i];
    }
    person->affiliations = list;
    person->n_affiliations = count;
    return OK;
}

static struct status
read_degrees(struct arena *arena, const struct career_columns *c, Registry__V1__Person *person)
{
    const size_t count = c->fields_count;
    Registry__V1__Degree **list;

    if (c->levels_count != count || c->dates_count != count)
        return FAIL(arena, INTERNAL, "the columns of degrees differ in length");
    TRY(need(list = ARENA_ARRAY(arena, Registry__V1__Degree *, count + 1)));
    for (size_t i = 0; i < count; i++) {
        TRY(need(list[i] = ARENA_NEW(arena, Registry__V1__Degree)));
        registry__v1__degree__init(list[i]);
        list[i]->isced_f = c->fields[i];
        list[i]->eqf = (uint32_t)strtoul(c->levels[i], NULL, 10);
        list[i]->awarded_on = c->dates[i];
    }
    person->degrees = list;
    person->n_degrees = count;
    return OK;
}

struct wish_columns {
    struct skill_columns concepts;
    const char **nuts;
    int64_t *focus, *themes;
    size_t nuts_count, focus_count, theme_count;
};

/* Five values of a statement, and five slots of a row. */
#define PG_WISH_COLUMNS(w)                                                                     \
    PG_SKILL_COLUMNS((w).concepts), pg_texts((w).nuts, (w).nuts_count),                        \
        pg_i64s((w).focus, (w).focus_count), pg_i64s((w).themes, (w).theme_count)
#define PG_TO_WISH_COLUMNS(w)                                                                  \
    PG_TO_SKILL_COLUMNS((w).concepts), pg_to_texts(&(w).nuts, &(w).nuts_count),                \
        pg_to_i64s(&(w).focus, &(w).focus_count), pg_to_i64s(&(w).themes, &(w).theme_count)

static struct status
make_wishes(struct arena *arena, const Registry__V1__Wishes *wishes, struct wish_columns *ret)
{
    const Registry__V1__Wishes none = REGISTRY__V1__WISHES__INIT;
    const Registry__V1__Wishes *w = wishes ? wishes : &none;

    *ret = (struct wish_columns){.nuts = w->nuts,
                                 .nuts_count = w->n_nuts,
                                 .focus_count = w->n_focus,
                                 .theme_count = w->n_themes};
    TRY(skill_columns_make(arena, w->concepts, w->n_concepts, &ret->concepts));
    TRY(enum_column_make(arena, (const int *)w->focus, w->n_focus, &ret->focus));
    return enum_column_make(arena, (const int *)w->themes, w->n_themes, &ret->themes);
}

/* Empty columns: there are no wishes. */
static struct status
read_wishes(struct arena *arena, const struct wish_columns *c, Registry__V1__Person *person)
{
    Registry__V1__Wishes *wishes;
    int *focus, *themes;

    if (c->concepts.ids_count + c->nuts_count + c->focus_count + c->theme_count == 0)
        return OK;
    TRY(need(wishes = ARENA_NEW(arena, Registry__V1__Wishes)));
    registry__v1__wishes__init(wishes);
    TRY(skill_columns_read(arena, &c->concepts, &wishes->concepts, &wishes->n_concepts));
    TRY(enum_column_read(arena, c->focus, c->focus_count, &focus));
    TRY(enum_column_read(arena, c->themes, c->theme_count, &themes));
    wishes->nuts = c->nuts;
    wishes->n_nuts = c->nuts_count;
    wishes->focus = (Registry__V1__FocusArea *)focus;
    wishes->n_focus = c->focus_count;
    wishes->themes = (Registry__V1__Theme *)themes;
    wishes->n_themes = c->theme_count;
    person->wishes = wishes;
    return OK;
}

/* Runs insert.sql or update.sql, which share their parameters up to $29. */
static struct status
put(struct pg_tx *tx, struct arena *arena, const struct pg_statement *statement,
    const Registry__V1__Person *p, struct pg_value last, uint64_t *ret_touched)
{
    const bool insert = statement == &SQL_INSERT;
    struct skill_columns skills;
    struct text_columns about;
    struct wish_columns wishes;
    struct career_columns c;
    char *sort = utf8_fold(arena, p->display_name);

    TRY(need(sort));
    TRY(make_career(arena, p, &c));
    TRY(skill_columns_make(arena, p->skills, p->n_skills, &skills));
    TRY(text_columns_make(arena, p->about, p->n_about, &about));
    TRY(make_wishes(arena, p->wishes, &wishes));

    struct pg_args args = PG_IN(
        pg_text(tx->scope.tenant_id), pg_text(p->person_id), pg_i64(p->kind),
        pg_text(p->display_name), pg_text(sort), pg_texts(p->languages, p->n_languages),
        pg_texts(c.ids, c.ids_count), pg_texts(c.roles, c.roles_count),
        pg_texts(c.from, c.from_count), pg_texts(c.to, c.to_count),
        pg_texts(c.fields, c.fields_count), pg_texts(c.levels, c.levels_count),
        pg_texts(c.dates, c.dates_count), PG_SKILL_COLUMNS(skills), PG_TEXT_COLUMNS(about),
        pg_text_or_null(p->nuts), pg_text_or_null(p->available_from), pg_i64(p->capacity),
        pg_i64(p->visibility), pg_texts(p->shared_with, p->n_shared_with),
        pg_bool(p->talent_pool), PG_WISH_COLUMNS(wishes), last, pg_text_or_null(p->account_id));

    if (!insert)
        args.count--; /* the account does not change */
    return pg_execute(tx, statement, args, ret_touched);
}

struct status
store_person_insert(struct pg_tx *tx, struct arena *arena, const Registry__V1__Person *person)
{
    uint64_t touched;

    return put(tx, arena, &SQL_INSERT, person, pg_text_or_null(person->reference), &touched);
}

struct status
store_person_update(struct pg_tx *tx, struct arena *arena, Registry__V1__Person *person,
                    uint64_t expected_version)
{
    uint64_t touched;

    TRY(put(tx, arena, &SQL_UPDATE, person, pg_i64((int64_t)expected_version), &touched));
    if (touched == 0)
        return FAIL(arena, VERSION_MISMATCH, "the profile has changed since version %llu",
                    (unsigned long long)expected_version);
    person->version = expected_version + 1;
    return OK;
}

/* Reads a row; ret->person is NULL after the last. */
static struct status
next_row(struct pg_rows *rows, struct arena *arena, struct person_row *ret)
{
    Registry__V1__Person *p = ARENA_NEW(arena, Registry__V1__Person);
    struct person_row row = {.person = p};
    struct skill_columns skills;
    struct text_columns about;
    struct wish_columns wishes;
    struct career_columns c;
    int32_t kind, visibility;
    bool pool;

    TRY(need(p));
    registry__v1__person__init(p);
    if (!pg_next_row(
            rows, arena,
            PG_OUT(
                pg_to_text(&p->person_id), pg_to_text(&row.tenant_id), pg_to_i32(&kind),
                pg_to_text(&p->display_name), pg_to_texts(&p->languages, &p->n_languages),
                pg_to_texts(&c.ids, &c.ids_count), pg_to_texts(&c.roles, &c.roles_count),
                pg_to_texts(&c.from, &c.from_count), pg_to_texts(&c.to, &c.to_count),
                pg_to_texts(&c.fields, &c.fields_count),
                pg_to_texts(&c.levels, &c.levels_count), pg_to_texts(&c.dates, &c.dates_count),
                PG_TO_SKILL_COLUMNS(skills), PG_TO_TEXT_COLUMNS(about), pg_to_text(&p->nuts),
                pg_to_text(&p->available_from), pg_to_u32(&p->capacity), pg_to_i32(&visibility),
                pg_to_texts(&p->shared_with, &p->n_shared_with), pg_to_bool(&pool),
                pg_to_text(&p->reference), pg_to_u64(&p->version), pg_to_text(&p->account_id),
                pg_to_text(&row.name_sort), PG_TO_WISH_COLUMNS(wishes)))) {
        ret->person = NULL;
        return pg_rows_status(rows);
    }
    p->kind = (Registry__V1__PersonKind)kind;
    p->visibility = (Registry__V1__Visibility)visibility;
    p->talent_pool = pool;
    TRY(read_affiliations(arena, &c, p));
    TRY(read_degrees(arena, &c, p));
    TRY(skill_columns_read(arena, &skills, &p->skills, &p->n_skills));
    TRY(text_columns_read(arena, &about, &p->about, &p->n_about));
    TRY(read_wishes(arena, &wishes, p));
    *ret = row;
    return OK;
}

static struct status
read_rows(struct pg_rows *rows, struct arena *arena, size_t most, struct person_row **ret,
          size_t *ret_count)
{
    struct person_row *list;
    size_t count = 0;

    TRY(need(list = ARENA_ARRAY(arena, struct person_row, most + 1)));
    while (count < most) {
        TRY(next_row(rows, arena, &list[count]));
        if (!list[count].person)
            break;
        count++;
    }
    *ret = list;
    *ret_count = count;
    return OK;
}

struct status
store_person_get(struct pg_tx *tx, struct arena *arena, const char *id, struct person_row *ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct person_row row;

    TRY(pg_query(tx, &SQL_GET, PG_IN(pg_text(id)), &rows));
    TRY(next_row(&rows, arena, &row));
    if (!row.person)
        return FAIL(arena, NOT_FOUND, "there is no person %s", id);
    *ret = row;
    return OK;
}

struct status
store_person_by_reference(struct pg_tx *tx, struct arena *arena, const char *const *references,
                          size_t count, struct person_row **ret, size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};

    TRY(pg_query(tx, &SQL_BY_REFERENCE,
                 PG_IN(pg_text(tx->scope.tenant_id), pg_texts(references, count)), &rows));
    return read_rows(&rows, arena, count, ret, ret_count);
}

struct status
store_person_link(struct pg_tx *tx, struct arena *arena, const char *account_id,
                  const char *person_id)
{
    uint64_t touched;

    TRY(pg_execute(tx, &SQL_LINK,
                   PG_IN(pg_text(tx->scope.tenant_id), pg_text(account_id), pg_text(person_id)),
                   &touched));
    return touched ? OK : FAIL(arena, ALREADY_EXISTS, "you have a profile already");
}

struct status
store_person_list(struct pg_tx *tx, struct arena *arena, const struct person_filter *filter,
                  struct person_row **ret, size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};

    TRY(pg_query(tx, &SQL_LIST,
                 PG_IN(pg_text(filter->after_name),
                       pg_text(*filter->after_id ? filter->after_id : FIRST_ID),
                       pg_text_or_null(filter->name), pg_i64(filter->kind),
                       pg_text_or_null(filter->organisation_id),
                       pg_bool(filter->only_pool_or != NULL),
                       pg_text_or_null(filter->only_pool_or), pg_i64(filter->limit)),
                 &rows));
    return read_rows(&rows, arena, filter->limit, ret, ret_count);
}

struct status
store_person_erase(struct pg_tx *tx, struct arena *arena, const char *id)
{
    const char *tenant = tx->scope.tenant_id;
    uint64_t touched;

    TRY(pg_query(tx, &SQL_ERASE_LOGIN, PG_IN(pg_text(tenant), pg_text(id)), NULL));
    TRY(pg_query(tx, &SQL_ERASE_WORDS, PG_IN(pg_text(tenant), pg_text(id)), NULL));
    TRY(pg_execute(tx, &SQL_ERASE, PG_IN(pg_text(tenant), pg_text(id)), &touched));
    return touched ? OK : FAIL(arena, NOT_FOUND, "there is no person %s", id);
}
