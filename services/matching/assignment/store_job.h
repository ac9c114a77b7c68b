#pragma once

/* What solving keeps, and the queue of rounds that are to be solved; rules as in store.h. */

#include "common/pg/pg_tx.h"
#include "matching/v1/assignment.pb-c.h"

/* What a student got. */
struct place_row {
    const char *student, *topic; /* topic: "" without a place */
    uint32_t choice;             /* from 1; 0: not of the list */
    uint32_t basis;              /* the contract's PlaceBasis */
    const char *barriers;        /* "barrier topic limit;..." for each better choice */
};

/* Strikes the tenant from the roll when nothing is requested any more. */
must_use struct status store_roll_tie(struct pg_tx *tx);

struct store_request {
    const char *round_id; /* NULL: nothing is due */
    uint32_t attempt;     /* from 1 */
    Matching__V1__RoundState resume;
};

must_use struct status store_take(struct pg_tx *tx, struct arena *arena, uint32_t lease_ms,
                                  struct store_request *ret);

/* The result of an attempt, and the state that follows.  *ret_stood: it was stored; otherwise
 * another attempt has taken over. */
must_use struct status
store_solved(struct pg_tx *tx, struct arena *arena, const struct store_request *request,
             Matching__V1__RoundState state, const Matching__V1__Sheet *sheet,
             const struct place_row *places, size_t place_count, bool *ret_stood);
/* Back where it was, with the reason. */
must_use struct status store_failed(struct pg_tx *tx, const struct store_request *request,
                                    const char *why);

/* NOT_FOUND: there is no such run. */
must_use struct status store_sheet(struct pg_tx *tx, struct arena *arena, const char *round_id,
                                   uint32_t run, Matching__V1__Sheet **ret);

/* An assignment with what is not part of its message. */
struct stored_place {
    Matching__V1__Assignment assignment;
    const char *barriers;
};

must_use struct status store_place_page(struct pg_tx *tx, struct arena *arena,
                                        const char *round_id, const char *after_student,
                                        uint32_t limit, struct stored_place **ret,
                                        size_t *ret_count);
/* NOT_FOUND: the round is not solved, or the student was not in it. */
must_use struct status store_place(struct pg_tx *tx, struct arena *arena, const char *round_id,
                                   const char *student, struct stored_place *ret);
