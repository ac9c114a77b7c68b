/* A person leaves the rounds for ever.  Counts and the places of others stay as they were:
 * sheets are kept with the student's code replaced by one that means nobody. */

#include "services/matching/assignment/assignment.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "common/base/uuid.h"
#include "services/matching/assignment/store_erase.h"

#define MARKER_BYTES 8

/* Nobody can tell from it who it was, nor whether two rounds mean the same one. */
static struct status
make_marker(struct arena *arena, const char **ret)
{
    unsigned char random[MARKER_BYTES];
    char digits[2 * MARKER_BYTES + 1];

    randombytes_buf(random, sizeof random);
    sodium_bin2hex(digits, sizeof digits, random, sizeof random);
    return need(*ret = arena_printf(arena, "erased-%s", digits));
}

static bool
ended(const Matching__V1__Round *round)
{
    return round->state == MATCHING__V1__ROUND_STATE__FINAL ||
           round->state == MATCHING__V1__ROUND_STATE__NOTIFIED ||
           round->state == MATCHING__V1__ROUND_STATE__CANCELLED;
}

static struct status
erase_in(struct call *call, const char *round_id, const char *person_id)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    struct cohort_student student;
    Matching__V1__Round *round;
    struct status found;
    const char *marker;

    TRY(call_begin(call, call->tenant_id, false, &tx));
    TRY(store_round_get(&tx, call->arena, round_id, STORE_LOCK, &round));
    TRY(store_erase_supervisor(&tx, round_id, person_id));
    found = store_student(&tx, call->arena, round_id, "", person_id, &student);
    if (found.code == CODE_NOT_FOUND)
        return call_commit(call);
    TRY(found);
    TRY(make_marker(call->arena, &marker));
    TRY(store_erase_student(&tx, call->arena, round_id, student.code, marker, ended(round)));
    return call_commit(call);
}

struct status
rounds_erase(struct call *call, const char *person_id)
{
    const char **rounds;
    size_t count;

    if (!uuid_valid(person_id) || !*call->tenant_id)
        return OK; /* nobody of ours */
    {
        scoped(pg_tx_end) struct pg_tx tx = {0};

        TRY(call_begin(call, call->tenant_id, true, &tx));
        TRY(store_erase_find(&tx, call->arena, person_id, &rounds, &count));
    }
    for (size_t i = 0; i < count; i++)
        TRY(erase_in(call, rounds[i], person_id));
    return OK;
}
