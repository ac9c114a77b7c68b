#pragma once

/* Skills name concepts; here they get the labels that people read.  For every aggregate that
 * has skills. */

#include "common/base/lang.h"
#include "common/pg/pg_tx.h"
#include "registry/v1/types.pb-c.h"

struct skill_list {
    Registry__V1__Skill **skills;
    size_t count;
};

/* The first skill whose concept does not exist. */
struct skill_missing {
    bool any;
    size_t list, item;
};

/* Fills every label in `lang` (or the nearest language there is), for a whole page in one round
 * trip.  A concept that does not exist leaves "". `ret_missing` may be NULL. */
must_use struct status skills_label(struct pg_tx *tx, struct arena *arena, enum lang lang,
                                    const struct skill_list *lists, size_t count,
                                    struct skill_missing *ret_missing);

/* As skills_label for one list.  FAILED_PRECONDITION, field "skills[3].concept_id": there is no
 * such concept. */
must_use struct status skills_require(struct pg_tx *tx, struct arena *arena, enum lang lang,
                                      const char *field, Registry__V1__Skill **skills,
                                      size_t count);

/* The failure that skills_require gives. */
must_use struct status skills_unknown(struct arena *arena, const char *field, size_t item,
                                      const char *concept_id);

/* The first 16 concept ids joined by commas: an event's filter key. */
must_use struct status skills_key(struct arena *arena, Registry__V1__Skill *const *skills,
                                  size_t count, const char **ret);
