#include "services/registry/partnerships/store.h"

#include <string.h>

#include "common/wire/message.h"
#include "services/registry/partnerships/partnerships.h"
#include "services/registry/partnerships/partnerships_sql.h"
#include "services/registry/partnerships/rules.h"

const struct pg_statement *const *const partnerships_statements = SQL_STATEMENTS;

struct status
store_partnership_insert(struct pg_tx *tx, const Registry__V1__Partnership *p)
{
    return pg_query(
        tx, &SQL_INSERT,
        PG_IN(pg_text(tx->scope.tenant_id), pg_text(p->partnership_id), pg_text(p->title),
              pg_text(p->programme_code), pg_text_or_null(p->start), pg_text_or_null(p->end),
              pg_text_or_null(p->follow_up), pg_texts(p->activities, p->n_activities),
              pg_text(p->sustainability_plan), pg_i64((int64_t)p->outreach_target)),
        NULL);
}

struct status
store_partnership_update(struct pg_tx *tx, struct arena *arena, Registry__V1__Partnership *p,
                         uint64_t expected_version)
{
    uint64_t touched;

    TRY(pg_execute(
        tx, &SQL_UPDATE,
        PG_IN(pg_text(tx->scope.tenant_id), pg_text(p->partnership_id),
              pg_i64((int64_t)expected_version), pg_text(p->title), pg_text_or_null(p->start),
              pg_text_or_null(p->end), pg_text_or_null(p->follow_up),
              pg_texts(p->activities, p->n_activities), pg_text(p->sustainability_plan),
              pg_i64((int64_t)p->outreach_target), pg_i64(p->state), pg_i64(p->eligibility)),
        &touched));
    if (!touched)
        return FAIL(arena, VERSION_MISMATCH, "the partnership has changed since version %llu",
                    (unsigned long long)expected_version);
    p->version = expected_version + 1;
    return OK;
}

struct status
store_member_put(struct pg_tx *tx, const char *partnership_id,
                 const Registry__V1__PartnershipMember *member)
{
    return pg_query(tx, &SQL_PUT_MEMBER,
                    PG_IN(pg_text(tx->scope.tenant_id), pg_text(partnership_id),
                          pg_text(member->organisation_id), pg_i64(member->role),
                          pg_i64(member->state), pg_text(member->task),
                          pg_text(member->benefit), pg_text(member->added_value),
                          pg_text(member->reason)),
                    NULL);
}

/* The members of all of them in one go; both lists are looked up by id. */
static struct status
read_members(struct pg_tx *tx, struct arena *arena, Registry__V1__Partnership **list,
             size_t count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    const char **ids = ARENA_ARRAY(arena, const char *, count + 1);
    const char *partnership_id;
    size_t at = 0;

    TRY(need(ids));
    for (size_t i = 0; i < count; i++)
        ids[i] = list[i]->partnership_id;
    TRY(pg_query(tx, &SQL_MEMBERS, PG_IN(pg_text(tx->scope.tenant_id), pg_texts(ids, count)),
                 &rows));
    for (size_t i = 0; i < rows.count; i++) {
        Registry__V1__PartnershipMember *member =
            ARENA_NEW(arena, Registry__V1__PartnershipMember);
        int32_t role, state;

        TRY(need(member));
        registry__v1__partnership_member__init(member);
        if (!pg_next_row(&rows, arena,
                         PG_OUT(pg_to_text(&partnership_id),
                                pg_to_text(&member->organisation_id), pg_to_i32(&role),
                                pg_to_i32(&state), pg_to_text(&member->task),
                                pg_to_text(&member->benefit), pg_to_text(&member->added_value),
                                pg_to_text(&member->reason))))
            break;
        member->role = (Registry__V1__MemberRole)role;
        member->state = (Registry__V1__MemberState)state;
        for (at = 0; strcmp(list[at]->partnership_id, partnership_id) != 0;)
            at++;
        if (!list[at]->members)
            TRY(need(list[at]->members = ARENA_ARRAY(arena, Registry__V1__PartnershipMember *,
                                                     rows.count + 2)));
        list[at]->members[list[at]->n_members++] = member;
    }
    return pg_rows_status(&rows);
}

/* Reads a row of list.sql; false after the last. */
static bool
next_partnership(struct pg_rows *rows, struct arena *arena, Registry__V1__Partnership *p)
{
    int32_t state, eligibility;

    if (!pg_next_row(rows, arena,
                     PG_OUT(pg_to_text(&p->partnership_id), pg_to_text(&p->title),
                            pg_to_text(&p->programme_code), pg_to_i32(&state),
                            pg_to_i32(&eligibility), pg_to_text(&p->start), pg_to_text(&p->end),
                            pg_to_text(&p->follow_up),
                            pg_to_texts(&p->activities, &p->n_activities),
                            pg_to_text(&p->sustainability_plan), pg_to_u64(&p->outreach_target),
                            pg_to_u64(&p->version), pg_to_u64(&p->created_unix_ms))))
        return false;
    p->state = (Registry__V1__PartnershipState)state;
    p->eligibility = (Registry__V1__Verdict__Overall)eligibility;
    return true;
}

struct status
store_partnership_list(struct pg_tx *tx, struct arena *arena,
                       const struct partnership_filter *filter,
                       Registry__V1__Partnership ***ret, size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    Registry__V1__Partnership **list;
    size_t count = 0;

    TRY(pg_query(tx, &SQL_LIST,
                 PG_IN(pg_text(tx->scope.tenant_id), pg_text_or_null(filter->before_id),
                       pg_text_or_null(filter->id), pg_text_or_null(filter->member_id),
                       pg_i64(filter->limit)),
                 &rows));
    TRY(need(list = ARENA_ARRAY(arena, Registry__V1__Partnership *, rows.count + 1)));
    while (count < rows.count) {
        TRY(need(list[count] = ARENA_NEW(arena, Registry__V1__Partnership)));
        registry__v1__partnership__init(list[count]);
        if (!next_partnership(&rows, arena, list[count]))
            break;
        count++;
    }
    TRY(pg_rows_status(&rows));
    TRY(read_members(tx, arena, list, count));
    *ret = list;
    *ret_count = count;
    return OK;
}

struct status
store_partnership_verdict(struct pg_tx *tx, struct arena *arena, const char *id,
                          const char *partnership_id, const Registry__V1__Verdict *verdict)
{
    struct bytes packed;

    TRY(wire_pack(&verdict->base, arena, &packed));
    return pg_query(tx, &SQL_ADD_VERDICT,
                    PG_IN(pg_text(tx->scope.tenant_id), pg_text(id), pg_text(partnership_id),
                          pg_text(verdict->programme_code), pg_text(verdict->rule_set_version),
                          pg_i64(verdict->overall), pg_i64(verdict->mode),
                          pg_bytes(packed.data, packed.size), pg_text(verdict->inputs_hash)),
                    NULL);
}

struct status
store_partnership_relations(struct pg_tx *tx, struct arena *arena, const char *const *ids,
                            size_t count, struct rule_relation **ret, size_t *ret_count)
{
    static const char *const kinds[] = {"", "owns", "controls", "same_group"};
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct rule_relation *list;
    size_t found = 0;
    int32_t kind;

    TRY(pg_query(tx, &SQL_RELATIONS, PG_IN(pg_texts(ids, count), pg_i64(RULE_CASE_ITEMS)),
                 &rows));
    TRY(need(list = ARENA_ARRAY(arena, struct rule_relation, rows.count + 1)));
    while (pg_next_row(
        &rows, arena,
        PG_OUT(pg_to_text(&list[found].parent_id), pg_to_text(&list[found].child_id),
               pg_to_text(&list[found].parent_name), pg_to_text(&list[found].child_name),
               pg_to_i32(&kind), pg_to_i64(&list[found].share_thousandths))))
        list[found++].kind = kinds[kind];
    TRY(pg_rows_status(&rows));
    *ret = list;
    *ret_count = found;
    return OK;
}
