#include "services/registry/placements/store_facts.h"

#include "services/registry/placements/placements_sql.h"
#include "services/registry/placements/store.h"
#include "services/registry/values/columns.h"

struct status
store_fact_parties(struct pg_tx *tx, struct arena *arena, const char *const *ids, size_t count,
                   struct party_facts **ret, size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct party_facts *list;
    size_t found = 0;

    TRY(need(list = ARENA_ARRAY(arena, struct party_facts, count + 1)));
    TRY(pg_query(tx, &SQL_FACT_PARTIES, PG_IN(pg_texts(ids, count)), &rows));
    while (found < count) {
        struct party_facts *p = &list[found];

        if (!pg_next_row(&rows, arena,
                         PG_OUT(pg_to_text(&p->id), pg_to_text(&p->name), pg_to_i32(&p->type),
                                pg_to_text(&p->country), pg_to_text(&p->nuts),
                                pg_to_i32(&p->ownership), pg_to_i64(&p->headcount),
                                pg_to_bool(&p->headcount_known), pg_to_i64(&p->turnover_eur),
                                pg_to_bool(&p->turnover_known), pg_to_i64(&p->balance_eur),
                                pg_to_bool(&p->balance_known),
                                pg_to_bool(&p->competitive_market))))
            break;
        found++;
    }
    TRY(pg_rows_status(&rows));
    *ret = list;
    *ret_count = found;
    return OK;
}

struct status
store_fact_persons(struct pg_tx *tx, struct arena *arena, const char *const *ids, size_t count,
                   struct person_facts **ret, size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct person_facts *list;
    size_t found = 0;

    TRY(need(list = ARENA_ARRAY(arena, struct person_facts, count + 1)));
    TRY(pg_query(tx, &SQL_FACT_PERSONS,
                 PG_IN(pg_text(tx->scope.tenant_id), pg_texts(ids, count)), &rows));
    while (found < count) {
        struct person_facts *p = &list[found];

        if (!pg_next_row(&rows, arena,
                         PG_OUT(pg_to_text(&p->id),
                                pg_to_texts(&p->affiliations, &p->affiliation_count),
                                pg_to_i64(&p->degree_eqf), pg_to_text(&p->degree_on))))
            break;
        found++;
    }
    TRY(pg_rows_status(&rows));
    *ret = list;
    *ret_count = found;
    return OK;
}

struct status
store_fact_outcomes(struct pg_tx *tx, struct arena *arena, int64_t *ret_offered,
                    int64_t *ret_ended)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};

    TRY(pg_query(tx, &SQL_OUTCOME_COUNTS, PG_IN(pg_text(tx->scope.tenant_id)), &rows));
    return pg_one_row(&rows, arena, PG_OUT(pg_to_i64(ret_offered), pg_to_i64(ret_ended)));
}

/* What a need has that its placement may take over. */
struct need_defaults {
    struct text_columns texts;
    struct skill_columns skills;
    const char *organisation_id, *nuts;
    const char **languages;
    int64_t *focus;
    size_t language_count, focus_count;
};

static struct status
take_over(struct arena *arena, const struct need_defaults *need_has,
          Registry__V1__Placement *placement)
{
    int *focus;

    if (!*placement->host_organisation_id)
        placement->host_organisation_id = need_has->organisation_id;
    if (!*placement->nuts)
        placement->nuts = need_has->nuts;
    if (placement->n_languages == 0) {
        placement->languages = need_has->languages;
        placement->n_languages = need_has->language_count;
    }
    if (placement->n_skills == 0)
        TRY(skill_columns_read(arena, &need_has->skills, &placement->skills,
                               &placement->n_skills));
    if (placement->n_description == 0)
        TRY(text_columns_read(arena, &need_has->texts, &placement->description,
                              &placement->n_description));
    if (placement->n_focus > 0 || placement->n_unlisted_focus > 0)
        return OK;
    TRY(enum_column_read(arena, need_has->focus, need_has->focus_count, &focus));
    placement->focus = (Registry__V1__FocusArea *)focus;
    placement->n_focus = need_has->focus_count;
    return OK;
}

struct status
store_placement_from_need(struct pg_tx *tx, struct arena *arena,
                          Registry__V1__Placement *placement)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct need_defaults defaults;

    TRY(pg_query(tx, &SQL_NEED_DEFAULTS,
                 PG_IN(pg_text(tx->scope.tenant_id), pg_text(placement->need_id)), &rows));
    if (!pg_next_row(&rows, arena,
                     PG_OUT(pg_to_text(&defaults.organisation_id),
                            PG_TO_SKILL_COLUMNS(defaults.skills),
                            PG_TO_TEXT_COLUMNS(defaults.texts),
                            pg_to_texts(&defaults.languages, &defaults.language_count),
                            pg_to_text(&defaults.nuts),
                            pg_to_i64s(&defaults.focus, &defaults.focus_count)))) {
        TRY(pg_rows_status(&rows));
        return FAIL(arena, NOT_FOUND, "there is no need %s in this tenant", placement->need_id);
    }
    return take_over(arena, &defaults, placement);
}

struct status
store_placement_home(struct pg_tx *tx, struct arena *arena, const char **ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};

    TRY(pg_query(tx, &SQL_TENANT_HOME, PG_IN(pg_text(tx->scope.tenant_id)), &rows));
    return pg_one_row(&rows, arena, PG_OUT(pg_to_text(ret)));
}
