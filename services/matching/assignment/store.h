#pragma once

/* Where rounds are kept.
 *
 * Every function takes part in the caller's transaction, in the caller's tenant, and returns
 *   UNAVAILABLE  Postgres could not be reached or the deadline passed;
 *   ABORTED      the transaction lost a race and may be tried again;
 * besides the codes listed with it.  On failure nothing is written to `ret`.
 * Strings in results live as long as `arena`.
 */

#include "common/pg/pg_tx.h"
#include "matching/v1/assignment.pb-c.h"
#include "services/matching/assignment/import.h"

must_use struct status store_round_insert(struct pg_tx *tx, const Matching__V1__Round *round);

/* How a round is held until the transaction ends. */
enum store_hold {
    STORE_LOOK,  /* not at all */
    STORE_SHARE, /* its state stays; others may change other rows of it, too */
    STORE_LOCK,  /* for this transaction alone */
};

/* NOT_FOUND: the tenant has no such round. */
must_use struct status store_round_get(struct pg_tx *tx, struct arena *arena,
                                       const char *round_id, enum store_hold hold,
                                       Matching__V1__Round **ret);
/* Newest first; `after_id` "" starts. */
must_use struct status store_round_list(struct pg_tx *tx, struct arena *arena,
                                        const char *after_id, uint32_t limit,
                                        Matching__V1__Round ***ret, size_t *ret_count);

/* Gives a round another state; the message gets it and its version.  `days` over 0 opens the
 * window of objections for so many.
 * VERSION_MISMATCH: it has changed since `expected_version`. */
must_use struct status store_round_step(struct pg_tx *tx, struct arena *arena,
                                        Matching__V1__Round *round, uint64_t expected_version,
                                        Matching__V1__RoundState state, uint32_t days);

/* Everything that is assigned in a round. */
must_use struct status store_cohort(struct pg_tx *tx, struct arena *arena, const char *round_id,
                                    struct cohort *ret);
/* Its limits and topics alone, for checks. */
must_use struct status store_cohort_units(struct pg_tx *tx, struct arena *arena,
                                          const char *round_id, struct cohort *ret);

/* Writes the rows of a table without problems. */
must_use struct status store_import(struct pg_tx *tx, struct arena *arena, const char *round_id,
                                    enum import_part part, const struct cohort *rows);

/* Nobody is ranked by `owner` any more. */
must_use struct status store_drop_ranking(struct pg_tx *tx, const char *round_id,
                                          const char *owner);

must_use struct status store_topic_page(struct pg_tx *tx, struct arena *arena,
                                        const char *round_id, const char *after_code,
                                        uint32_t limit, Matching__V1__TopicState state,
                                        Matching__V1__Topic ***ret, size_t *ret_count);
must_use struct status store_check_topics(struct pg_tx *tx, const char *round_id,
                                          const char *const *codes, size_t count,
                                          Matching__V1__TopicState state, const char *reason,
                                          uint64_t *ret_changed);

/* By code, or by person where `code` is "".  NOT_FOUND: there is none in the round. */
must_use struct status store_student(struct pg_tx *tx, struct arena *arena,
                                     const char *round_id, const char *code,
                                     const char *person_id, struct cohort_student *ret);
/* NOT_FOUND: there is no such student in the round. */
must_use struct status store_pin(struct pg_tx *tx, struct arena *arena, const char *round_id,
                                 const char *student, const char *topic, const char *reason,
                                 const char *by);

/* An objection; student "" and id "": all. */
must_use struct status store_objection_insert(struct pg_tx *tx, const char *round_id,
                                              const Matching__V1__Objection *objection);
must_use struct status store_objections(struct pg_tx *tx, struct arena *arena,
                                        const char *round_id, const char *student,
                                        const char *id, Matching__V1__Objection ***ret,
                                        size_t *ret_count);
/* FAILED_PRECONDITION: it has been decided before. */
must_use struct status store_objection_decide(struct pg_tx *tx, struct arena *arena,
                                              const char *round_id,
                                              const Matching__V1__Objection *objection,
                                              const char *by);
