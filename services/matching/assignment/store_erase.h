#pragma once

/* Taking a person out of what rounds keep; rules as in store.h. */

#include "services/matching/assignment/store.h"

/* Rounds of the tenant that know the person, in their order. */
must_use struct status store_erase_find(struct pg_tx *tx, struct arena *arena,
                                        const char *person_id, const char ***ret,
                                        size_t *ret_count);
/* The limits that were the person's are nobody's, and have no title. */
must_use struct status store_erase_supervisor(struct pg_tx *tx, const char *round_id,
                                              const char *person_id);
/* The round is locked.  Everywhere `code` becomes `marker`; in a round that has not `ended` the
 * student and its wishes go, and an open objection is dismissed. */
must_use struct status store_erase_student(struct pg_tx *tx, struct arena *arena,
                                           const char *round_id, const char *code,
                                           const char *marker, bool ended);
