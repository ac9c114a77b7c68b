#include "services/registry/placements/store_applications.h"

#include "services/registry/placements/placements_sql.h"

struct status
store_application_insert(struct pg_tx *tx, struct arena *arena,
                         const Registry__V1__Application *application)
{
    const struct status inserted =
        pg_query(tx, &SQL_APPLY,
                 PG_IN(pg_text(tx->scope.tenant_id), pg_text(application->application_id),
                       pg_text(application->placement_id), pg_text(application->person_id),
                       pg_text(application->motivation)),
                 NULL);

    if (inserted.code == CODE_ALREADY_EXISTS)
        return FAIL(arena, ALREADY_EXISTS, "you have applied to this placement already");
    return inserted;
}

/* *ret is NULL after the last row. */
static struct status
next_row(struct pg_rows *rows, struct arena *arena, Registry__V1__Application **ret)
{
    Registry__V1__Application *application = ARENA_NEW(arena, Registry__V1__Application);
    int32_t state, reason;

    TRY(need(application));
    registry__v1__application__init(application);
    if (!pg_next_row(
            rows, arena,
            PG_OUT(pg_to_text(&application->application_id),
                   pg_to_text(&application->placement_id), pg_to_text(&application->person_id),
                   pg_to_text(&application->motivation), pg_to_i32(&state), pg_to_i32(&reason),
                   pg_to_u64(&application->version), pg_to_u64(&application->created_unix_ms),
                   pg_to_u64(&application->reviewed_unix_ms)))) {
        *ret = NULL;
        return pg_rows_status(rows);
    }
    application->state = (Registry__V1__ApplicationState)state;
    application->reason = (Registry__V1__ApplicationReason)reason;
    *ret = application;
    return OK;
}

struct status
store_application_get(struct pg_tx *tx, struct arena *arena, const char *id,
                      Registry__V1__Application **ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    Registry__V1__Application *application;

    TRY(pg_query(tx, &SQL_APPLICATION, PG_IN(pg_text(tx->scope.tenant_id), pg_text(id)),
                 &rows));
    TRY(next_row(&rows, arena, &application));
    if (!application)
        return FAIL(arena, NOT_FOUND, "there is no application %s", id);
    *ret = application;
    return OK;
}

struct status
store_application_decide(struct pg_tx *tx, struct arena *arena,
                         Registry__V1__Application *application, uint64_t expected_version)
{
    uint64_t touched;

    TRY(pg_execute(tx, &SQL_DECIDE,
                   PG_IN(pg_text(tx->scope.tenant_id), pg_text(application->application_id),
                         pg_i64((int64_t)expected_version), pg_i64(application->state),
                         pg_i64(application->reason)),
                   &touched));
    if (touched == 0)
        return FAIL(arena, VERSION_MISMATCH, "the application has changed since version %llu",
                    (unsigned long long)expected_version);
    application->version = expected_version + 1;
    return OK;
}

struct status
store_application_reject_others(struct pg_tx *tx, struct arena *arena, const char *placement_id,
                                const char *but_id, Registry__V1__ApplicationReason reason,
                                const char ***ret_ids, size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    const char **ids;
    size_t count = 0;

    TRY(pg_query(tx, &SQL_REJECT_OTHERS,
                 PG_IN(pg_text(tx->scope.tenant_id), pg_text(placement_id),
                       pg_text_or_null(but_id), pg_i64(reason)),
                 &rows));
    TRY(need(ids = ARENA_ARRAY(arena, const char *, rows.count + 1)));
    while (pg_next_row(&rows, arena, PG_OUT(pg_to_text(&ids[count]))))
        count++;
    TRY(pg_rows_status(&rows));
    *ret_ids = ids;
    *ret_count = count;
    return OK;
}

struct status
store_application_list(struct pg_tx *tx, struct arena *arena, const char *placement_id,
                       const char *after_id, const char *person_id, uint32_t limit,
                       Registry__V1__Application ***ret, size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    Registry__V1__Application **list;
    size_t count = 0;

    TRY(need(list = ARENA_ARRAY(arena, Registry__V1__Application *, limit)));
    TRY(pg_query(tx, &SQL_APPLICATIONS,
                 PG_IN(pg_text(tx->scope.tenant_id), pg_text(placement_id),
                       pg_text_or_null(after_id), pg_text_or_null(person_id), pg_i64(limit)),
                 &rows));
    while (count < limit) {
        TRY(next_row(&rows, arena, &list[count]));
        if (!list[count])
            break;
        count++;
    }
    *ret = list;
    *ret_count = count;
    return OK;
}
