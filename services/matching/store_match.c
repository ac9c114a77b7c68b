/* Remembered matches as the contract's messages: see store.h. */

#include "services/matching/store.h"

#include "services/matching/matching_sql.h"

/* A match and what is not part of its message. */
struct stored_match {
    Matching__V1__Match match; /* first */
    struct match_extra extra;
};

const struct match_extra *
store_match_extra(const Matching__V1__Match *match)
{
    return &((const struct stored_match *)(const void *)match)->extra;
}

static struct status
make(struct arena *arena, struct stored_match **ret)
{
    struct stored_match *stored = ARENA_NEW(arena, struct stored_match);
    Matching__V1__ProfileRef *query = ARENA_NEW(arena, Matching__V1__ProfileRef);
    Matching__V1__ProfileRef *candidate = ARENA_NEW(arena, Matching__V1__ProfileRef);

    TRY(need(stored));
    TRY(need(query));
    TRY(need(candidate));
    matching__v1__match__init(&stored->match);
    matching__v1__profile_ref__init(query);
    matching__v1__profile_ref__init(candidate);
    stored->match.query = query;
    stored->match.candidate = candidate;
    *ret = stored;
    return OK;
}

static bool
next_match(struct pg_rows *rows, struct arena *arena, struct stored_match *stored)
{
    Matching__V1__Match *match = &stored->match;
    uint32_t query_kind, candidate_kind, state, role, reason;

    if (!pg_next_row(
            rows, arena,
            PG_OUT(pg_to_text(&match->id), pg_to_text(&match->tenant_id),
                   pg_to_u32(&query_kind), pg_to_text(&match->query->id),
                   pg_to_text(&match->query_tenant_id),
                   pg_to_text(&match->query_organisation_id), pg_to_u32(&candidate_kind),
                   pg_to_text(&match->candidate->id), pg_to_text(&match->candidate_tenant_id),
                   pg_to_text(&match->candidate_person_kind), pg_to_u64(&match->position),
                   pg_to_u32(&match->score_thousandths), pg_to_text(&match->weights_version),
                   pg_to_bytes(&stored->extra.explanation, &stored->extra.explanation_size),
                   pg_to_bool(&stored->extra.shared), pg_to_u32(&state), pg_to_u32(&role),
                   pg_to_u32(&reason), pg_to_text(&match->note), pg_to_text(&match->decided_by),
                   pg_to_u64(&match->suggested_unix_ms), pg_to_u64(&match->decided_unix_ms),
                   pg_to_u64(&match->version))))
        return false;
    match->query->kind = (Matching__V1__ProfileKind)query_kind;
    match->candidate->kind = (Matching__V1__ProfileKind)candidate_kind;
    match->state = (Matching__V1__MatchState)state;
    match->role = (Matching__V1__MatchRole)role;
    match->decline_reason = (Matching__V1__DeclineReason)reason;
    return true;
}

struct status
store_match_get(struct pg_tx *tx, struct arena *arena, const char *match_id,
                Matching__V1__Match **ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct stored_match *stored;

    TRY(make(arena, &stored));
    TRY(pg_query(tx, &SQL_MATCH_GET, PG_IN(pg_text(match_id)), &rows));
    if (!next_match(&rows, arena, stored)) {
        TRY(pg_rows_status(&rows));
        return FAIL(arena, NOT_FOUND, "there is no match %s", match_id);
    }
    *ret = &stored->match;
    return OK;
}

struct status
store_match_list(struct pg_tx *tx, struct arena *arena, const struct match_filter *filter,
                 Matching__V1__Match ***ret, size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    const struct pg_value none = pg_text(NULL);
    Matching__V1__Match **matches;
    size_t count = 0;

    TRY(pg_query(
        tx, &SQL_MATCH_LIST,
        PG_IN(pg_i64(filter->subject_kind), pg_text_or_null(filter->subject_id),
              pg_i64(filter->state), filter->started ? pg_i64(filter->after_score) : none,
              filter->started ? pg_text(filter->after_id) : none, pg_i64(filter->limit),
              pg_text_or_null(filter->person_id), pg_text_or_null(filter->organisation_id)),
        &rows));
    TRY(need(matches = ARENA_ARRAY(arena, Matching__V1__Match *, rows.count + 1)));
    while (count < rows.count) {
        struct stored_match *stored;

        TRY(make(arena, &stored));
        if (!next_match(&rows, arena, stored))
            break;
        matches[count++] = &stored->match;
    }
    TRY(pg_rows_status(&rows));
    *ret = matches;
    *ret_count = count;
    return OK;
}
