#include "services/registry/organisations/store.h"

#include "common/base/utf8.h"
#include "services/registry/organisations/organisations.h"
#include "services/registry/organisations/organisations_sql.h"
#include "services/registry/organisations/rules.h"
#include "services/registry/values/columns.h"

#define RELATIONS_MOST 500
#define FIRST_ID "00000000-0000-0000-0000-000000000000"

const struct pg_statement *const *const organisations_statements = SQL_STATEMENTS;

struct id_columns {
    const char **schemes, **values, **verified;
    size_t schemes_count, values_count, verified_count;
};

static struct status
make_id_columns(struct arena *arena, const Registry__V1__Organisation *organisation,
                struct id_columns *ret)
{
    const size_t count = organisation->n_external_ids;
    struct id_columns columns = {
        .schemes_count = count, .values_count = count, .verified_count = count};

    TRY(need(columns.schemes = ARENA_ARRAY(arena, const char *, count + 1)));
    TRY(need(columns.values = ARENA_ARRAY(arena, const char *, count + 1)));
    TRY(need(columns.verified = ARENA_ARRAY(arena, const char *, count + 1)));
    for (size_t i = 0; i < count; i++) {
        columns.schemes[i] = organisation->external_ids[i]->scheme;
        columns.values[i] = organisation->external_ids[i]->value;
        columns.verified[i] = organisation->external_ids[i]->verified ? "t" : "f";
    }
    *ret = columns;
    return OK;
}

static struct pg_value
figure(uint64_t value, bool known)
{
    return known ? pg_i64((int64_t)value) : pg_text(NULL);
}

/* Runs insert.sql or update.sql, which share their parameters but the second. */
static struct status
put(struct pg_tx *tx, struct arena *arena, const struct pg_statement *statement,
    struct pg_value second, const Registry__V1__Organisation *o, uint64_t *ret_touched)
{
    struct text_columns names;
    const char *folded;
    char *sort = utf8_fold(arena, o->names[0]->value);

    TRY(need(sort));
    TRY(rules_organisation_names(arena, o, &folded));
    TRY(text_columns_make(arena, o->names, o->n_names, &names));
    return pg_execute(
        tx, statement,
        PG_IN(pg_text(o->organisation_id), second, PG_TEXT_COLUMNS(names), pg_text(folded),
              pg_text(sort), pg_i64(o->type), pg_i64(o->ownership), pg_i64(o->status),
              pg_text(o->country), pg_text_or_null(o->nuts), pg_text_or_null(o->nace),
              figure(o->headcount, o->headcount_known),
              figure(o->turnover_eur, o->turnover_eur), figure(o->balance_eur, o->balance_eur),
              figure(o->size_year, o->size_year), pg_bool(o->competitive_market),
              pg_text_or_null(o->website), pg_bool(o->verified)),
        ret_touched);
}

static struct status
put_external_ids(struct pg_tx *tx, struct arena *arena,
                 const Registry__V1__Organisation *organisation)
{
    struct id_columns ids;

    if (organisation->n_external_ids == 0)
        return OK;
    TRY(make_id_columns(arena, organisation, &ids));
    return pg_query(tx, &SQL_PUT_EXTERNAL_IDS,
                    PG_IN(pg_text(organisation->organisation_id),
                          pg_texts(ids.schemes, ids.schemes_count),
                          pg_texts(ids.values, ids.values_count),
                          pg_texts(ids.verified, ids.verified_count)),
                    NULL);
}

struct status
store_organisation_insert(struct pg_tx *tx, struct arena *arena, const char *tenant_id,
                          const Registry__V1__Organisation *organisation)
{
    uint64_t touched;

    TRY(put(tx, arena, &SQL_INSERT, pg_text(tenant_id), organisation, &touched));
    return put_external_ids(tx, arena, organisation);
}

struct status
store_organisation_update(struct pg_tx *tx, struct arena *arena,
                          Registry__V1__Organisation *organisation, uint64_t expected_version)
{
    uint64_t touched;

    TRY(put(tx, arena, &SQL_UPDATE, pg_i64((int64_t)expected_version), organisation, &touched));
    if (touched == 0)
        return FAIL(arena, VERSION_MISMATCH, "the organisation has changed since version %llu",
                    (unsigned long long)expected_version);
    TRY(pg_query(tx, &SQL_CLEAR_EXTERNAL_IDS, PG_IN(pg_text(organisation->organisation_id)),
                 NULL));
    TRY(put_external_ids(tx, arena, organisation));
    organisation->version = expected_version + 1;
    return OK;
}

static struct status
read_external_ids(struct arena *arena, const struct id_columns *ids,
                  Registry__V1__Organisation *organisation)
{
    const size_t count = ids->schemes_count;
    Registry__V1__ExternalId **list;

    TRY(need(list = ARENA_ARRAY(arena, Registry__V1__ExternalId *, count + 1)));
    for (size_t i = 0; i < count; i++) {
        TRY(need(list[i] = ARENA_NEW(arena, Registry__V1__ExternalId)));
        registry__v1__external_id__init(list[i]);
        list[i]->scheme = ids->schemes[i];
        list[i]->value = ids->values[i];
        list[i]->verified = ids->verified[i][0] == 't';
    }
    organisation->external_ids = list;
    organisation->n_external_ids = count;
    return OK;
}

/* Reads a row of get.sql or list.sql; *ret_any is false after the last. */
static struct status
next_row(struct pg_rows *rows, struct arena *arena, struct organisation_row *ret, bool *ret_any)
{
    struct organisation_row row = {0};
    struct text_columns names;
    struct id_columns ids;
    int32_t type, ownership, state;
    Registry__V1__Organisation *o = ARENA_NEW(arena, Registry__V1__Organisation);
    bool known, competitive, verified;

    TRY(need(o));
    registry__v1__organisation__init(o);
    *ret_any = pg_next_row(
        rows, arena,
        PG_OUT(pg_to_text(&o->organisation_id), pg_to_text(&row.created_by_tenant),
               PG_TO_TEXT_COLUMNS(names), pg_to_i32(&type), pg_to_i32(&ownership),
               pg_to_i32(&state), pg_to_text(&o->country), pg_to_text(&o->nuts),
               pg_to_text(&o->nace), pg_to_u32(&o->headcount), pg_to_bool(&known),
               pg_to_u64(&o->turnover_eur), pg_to_u64(&o->balance_eur),
               pg_to_u32(&o->size_year), pg_to_bool(&competitive), pg_to_text(&o->website),
               pg_to_bool(&verified), pg_to_u64(&o->version), pg_to_text(&row.name_sort),
               pg_to_texts(&ids.schemes, &ids.schemes_count),
               pg_to_texts(&ids.values, &ids.values_count),
               pg_to_texts(&ids.verified, &ids.verified_count)));
    if (!*ret_any)
        return pg_rows_status(rows);
    o->type = (Registry__V1__OrganisationType)type;
    o->ownership = (Registry__V1__Ownership)ownership;
    o->status = (Registry__V1__OrganisationStatus)state;
    o->headcount_known = known;
    o->competitive_market = competitive;
    o->verified = verified;
    o->size_class = rules_organisation_size_class(o);
    TRY(text_columns_read(arena, &names, &o->names, &o->n_names));
    TRY(read_external_ids(arena, &ids, o));
    row.organisation = o;
    *ret = row;
    return OK;
}

struct status
store_organisation_get(struct pg_tx *tx, struct arena *arena, const char *id,
                       struct organisation_row *ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    bool any;

    TRY(pg_query(tx, &SQL_GET, PG_IN(pg_text(id)), &rows));
    TRY(next_row(&rows, arena, ret, &any));
    return any ? OK : FAIL(arena, NOT_FOUND, "there is no organisation %s", id);
}

struct status
store_organisation_find_known(struct pg_tx *tx, struct arena *arena,
                              const Registry__V1__Organisation *organisation,
                              const char **ret_id)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct id_columns ids;
    char *sort = utf8_fold(arena, organisation->names[0]->value);
    const char *id = NULL;

    TRY(need(sort));
    TRY(make_id_columns(arena, organisation, &ids));
    TRY(pg_query(tx, &SQL_FIND_KNOWN,
                 PG_IN(pg_texts(ids.schemes, ids.schemes_count),
                       pg_texts(ids.values, ids.values_count), pg_text(organisation->country),
                       pg_i64(organisation->type), pg_text(sort)),
                 &rows));
    if (!pg_next_row(&rows, arena, PG_OUT(pg_to_text(&id))))
        TRY(pg_rows_status(&rows));
    *ret_id = id;
    return OK;
}

struct status
store_organisation_known(struct pg_tx *tx, struct arena *arena, const char *const *ids,
                         size_t count, bool *ret_all, size_t *ret_missing)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    uint64_t place = 0;
    bool missing;

    if (count == 0) {
        *ret_all = true;
        return OK;
    }
    TRY(pg_query(tx, &SQL_MISSING, PG_IN(pg_texts(ids, count)), &rows));
    missing = pg_next_row(&rows, arena, PG_OUT(pg_to_u64(&place)));
    TRY(pg_rows_status(&rows));
    *ret_all = !missing;
    *ret_missing = (size_t)place;
    return OK;
}

struct status
store_organisation_list(struct pg_tx *tx, struct arena *arena,
                        const struct organisation_filter *filter, struct organisation_row **ret,
                        size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct organisation_row *list;
    size_t count = 0;
    bool any = true;

    TRY(need(list = ARENA_ARRAY(arena, struct organisation_row, filter->limit)));
    TRY(pg_query(tx, &SQL_LIST,
                 PG_IN(pg_text(filter->after_name),
                       pg_text(*filter->after_id ? filter->after_id : FIRST_ID),
                       pg_text_or_null(filter->name), pg_i64(filter->type),
                       pg_text_or_null(filter->country), pg_text_or_null(filter->nuts_prefix),
                       pg_text_or_null(filter->value), pg_text_or_null(filter->scheme),
                       pg_i64(filter->limit)),
                 &rows));
    while (count < filter->limit) {
        TRY(next_row(&rows, arena, &list[count], &any));
        if (!any)
            break;
        count++;
    }
    *ret = list;
    *ret_count = count;
    return OK;
}

struct status
store_organisation_relate(struct pg_tx *tx, struct arena *arena, const char *tenant_id,
                          const Registry__V1__OrganisationRelation *relation)
{
    (void)arena;
    return pg_query(tx, &SQL_RELATE,
                    PG_IN(pg_text(relation->relation_id), pg_text(relation->parent_id),
                          pg_text(relation->child_id), pg_i64(relation->kind),
                          pg_i64(relation->share_thousandths),
                          pg_text_or_null(relation->valid_from),
                          pg_text_or_null(relation->valid_to), pg_text(relation->source),
                          pg_text(tenant_id)),
                    NULL);
}

struct status
store_organisation_relations(struct pg_tx *tx, struct arena *arena, const char *id,
                             Registry__V1__OrganisationRelation ***ret, size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    Registry__V1__OrganisationRelation **list;
    size_t count = 0;

    TRY(need(list = ARENA_ARRAY(arena, Registry__V1__OrganisationRelation *, RELATIONS_MOST)));
    TRY(pg_query(tx, &SQL_RELATIONS, PG_IN(pg_text(id)), &rows));
    while (count < RELATIONS_MOST) {
        Registry__V1__OrganisationRelation *r;
        int32_t kind;

        TRY(need(r = ARENA_NEW(arena, Registry__V1__OrganisationRelation)));
        registry__v1__organisation_relation__init(r);
        if (!pg_next_row(&rows, arena,
                         PG_OUT(pg_to_text(&r->relation_id), pg_to_text(&r->parent_id),
                                pg_to_text(&r->child_id), pg_to_i32(&kind),
                                pg_to_u32(&r->share_thousandths), pg_to_text(&r->valid_from),
                                pg_to_text(&r->valid_to), pg_to_text(&r->source))))
            break;
        r->kind = (Registry__V1__RelationKind)kind;
        list[count++] = r;
    }
    TRY(pg_rows_status(&rows));
    *ret = list;
    *ret_count = count;
    return OK;
}

struct status
store_tenant_is_host(struct pg_tx *tx, struct arena *arena, const char *tenant_id, bool *ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};

    TRY(pg_query(tx, &SQL_TENANT_IS_HOST, PG_IN(pg_text(tenant_id)), &rows));
    return pg_one_row(&rows, arena, PG_OUT(pg_to_bool(ret)));
}
