#include "services/matching/searches/store.h"

#include "services/matching/roll.h"
#include "services/matching/searches/searches.h"
#include "services/matching/searches/searches_sql.h"

#define FIRST_ID "00000000-0000-0000-0000-000000000000"

const struct pg_statement *const *const searches_statements = SQL_STATEMENTS;

struct status
store_search_count(struct pg_tx *tx, const char *account_id, uint64_t *ret_of_account,
                   uint64_t *ret_of_tenant)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};

    TRY(roll_put(tx, ROLL_SEARCHES)); /* so that they are counted by one at a time */
    TRY(pg_query(tx, &SQL_COUNT, PG_IN(pg_text(account_id)), &rows));
    (void)pg_next_row(&rows, NULL, PG_OUT(pg_to_u64(ret_of_account), pg_to_u64(ret_of_tenant)));
    return pg_rows_status(&rows);
}

struct status
store_search_insert(struct pg_tx *tx, const char *account_id,
                    const Matching__V1__Search *search)
{
    const Matching__V1__SearchTerms *terms = search->terms;
    int64_t kinds[8] = {0};
    const size_t kind_count = terms->n_kinds < COUNT_OF(kinds) ? terms->n_kinds : 0;

    for (size_t i = 0; i < kind_count; i++)
        kinds[i] = terms->kinds[i];
    return pg_query(tx, &SQL_INSERT,
                    PG_IN(pg_text(search->search_id), pg_text(account_id),
                          pg_text(search->name),
                          pg_texts(terms->required_concept_ids, terms->n_required_concept_ids),
                          pg_texts(terms->optional_concept_ids, terms->n_optional_concept_ids),
                          pg_i64(terms->optional_least), pg_i64s(kinds, kind_count),
                          pg_texts(terms->nuts, terms->n_nuts),
                          pg_texts(terms->languages, terms->n_languages),
                          pg_text_or_null(terms->available_by)),
                    NULL);
}

static struct status
make(struct arena *arena, Matching__V1__Search **ret)
{
    Matching__V1__Search *search = ARENA_NEW(arena, Matching__V1__Search);
    Matching__V1__SearchTerms *terms = ARENA_NEW(arena, Matching__V1__SearchTerms);

    TRY(need(search));
    TRY(need(terms));
    matching__v1__search__init(search);
    matching__v1__search_terms__init(terms);
    search->terms = terms;
    *ret = search;
    return OK;
}

/* ret->search is NULL after the last row. */
static struct status
next_search(struct pg_rows *rows, struct arena *arena, struct search_row *ret)
{
    struct search_row row = {0};
    Matching__V1__SearchTerms *terms;
    int64_t *kinds;

    TRY(make(arena, &row.search));
    terms = row.search->terms;
    if (!pg_next_row(
            rows, arena,
            PG_OUT(pg_to_text(&row.search->search_id), pg_to_text(&row.tenant_id),
                   pg_to_text(&row.search->name),
                   pg_to_texts(&terms->required_concept_ids, &terms->n_required_concept_ids),
                   pg_to_texts(&terms->optional_concept_ids, &terms->n_optional_concept_ids),
                   pg_to_u32(&terms->optional_least), pg_to_i64s(&kinds, &terms->n_kinds),
                   pg_to_texts(&terms->nuts, &terms->n_nuts),
                   pg_to_texts(&terms->languages, &terms->n_languages),
                   pg_to_text(&terms->available_by), pg_to_u64(&row.search->saved_unix_ms),
                   pg_to_u64(&row.search->version)))) {
        ret->search = NULL;
        return pg_rows_status(rows);
    }
    terms->kinds = ARENA_ARRAY(arena, Matching__V1__ProfileKind, terms->n_kinds + 1);
    TRY(need(terms->kinds));
    for (size_t i = 0; i < terms->n_kinds; i++)
        terms->kinds[i] = (Matching__V1__ProfileKind)kinds[i];
    *ret = row;
    return OK;
}

struct status
store_search_get(struct pg_tx *tx, struct arena *arena, const char *id, const char *account_id,
                 struct search_row *ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct search_row row;

    TRY(pg_query(tx, &SQL_GET, PG_IN(pg_text(id), pg_text_or_null(account_id)), &rows));
    TRY(next_search(&rows, arena, &row));
    if (!row.search)
        return FAIL(arena, NOT_FOUND, "there is no search %s", id);
    *ret = row;
    return OK;
}

struct status
store_search_list(struct pg_tx *tx, struct arena *arena, const char *account_id,
                  const char *after_id, size_t limit, struct search_row **ret,
                  size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct search_row *list = ARENA_ARRAY(arena, struct search_row, limit + 1);
    size_t count = 0;

    TRY(need(list));
    TRY(pg_query(tx, &SQL_LIST,
                 PG_IN(pg_text_or_null(account_id), pg_text(*after_id ? after_id : FIRST_ID),
                       pg_i64((int64_t)limit)),
                 &rows));
    while (count < limit) {
        TRY(next_search(&rows, arena, &list[count]));
        if (!list[count].search)
            break;
        count++;
    }
    *ret = list;
    *ret_count = count;
    return OK;
}

struct status
store_search_remove(struct pg_tx *tx, struct arena *arena, const char *id,
                    const char *account_id)
{
    uint64_t touched;

    TRY(pg_execute(tx, &SQL_REMOVE, PG_IN(pg_text(id), pg_text(account_id)), &touched));
    if (touched == 0)
        return FAIL(arena, NOT_FOUND, "there is no search %s", id);
    return OK;
}

struct status
store_search_hits(struct pg_tx *tx, struct arena *arena, const char *id, size_t limit,
                  Matching__V1__Hit ***ret, size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    Matching__V1__Hit **hits = ARENA_ARRAY(arena, Matching__V1__Hit *, limit + 1);
    size_t count = 0;

    TRY(need(hits));
    TRY(pg_query(tx, &SQL_HITS, PG_IN(pg_text(id), pg_i64((int64_t)limit)), &rows));
    while (count < rows.count) {
        Matching__V1__Hit *hit = ARENA_NEW(arena, Matching__V1__Hit);
        Matching__V1__ProfileRef *profile = ARENA_NEW(arena, Matching__V1__ProfileRef);
        uint32_t kind;

        TRY(need(hit));
        TRY(need(profile));
        matching__v1__hit__init(hit);
        matching__v1__profile_ref__init(profile);
        if (!pg_next_row(&rows, arena,
                         PG_OUT(pg_to_u32(&kind), pg_to_text(&profile->id),
                                pg_to_text(&hit->tenant_id), pg_to_u64(&hit->position),
                                pg_to_u64(&hit->told_unix_ms))))
            break;
        profile->kind = (Matching__V1__ProfileKind)kind;
        hit->profile = profile;
        hits[count++] = hit;
    }
    TRY(pg_rows_status(&rows));
    *ret = hits;
    *ret_count = count;
    return OK;
}

struct status
store_search_tell(struct pg_tx *tx, struct arena *arena, const char *const *search_ids,
                  size_t count, const struct hit_profile *profile, struct told_search **ret,
                  size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct told_search *told;
    size_t told_count = 0;

    TRY(pg_query(tx, &SQL_TELL,
                 PG_IN(pg_texts(search_ids, count), pg_text(profile->id), pg_i64(profile->kind),
                       pg_text(profile->tenant_id), pg_i64((int64_t)profile->position)),
                 &rows));
    TRY(need(told = ARENA_ARRAY(arena, struct told_search, rows.count + 1)));
    while (told_count < rows.count &&
           pg_next_row(&rows, arena,
                       PG_OUT(pg_to_text(&told[told_count].id),
                              pg_to_text(&told[told_count].account_id))))
        told_count++;
    TRY(pg_rows_status(&rows));
    *ret = told;
    *ret_count = told_count;
    return OK;
}
