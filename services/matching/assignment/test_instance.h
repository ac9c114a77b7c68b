#pragma once

/* Instances for tests, and oracles that know nothing of the solvers. */

#include "common/base/test.h"
#include "services/matching/assignment/audit.h"

struct made {
    struct arena arena;
    struct assignment_unit *units;
    struct assignment_topic *topics;
    struct assignment_student *students;
    struct assignment_choice *choices;
    struct assignment_instance instance;
};

struct made_size {
    uint32_t students, topics, supervisors, companies, campuses;
    uint32_t choices;  /* at most, of a student */
    uint32_t capacity; /* at most, of a topic */
    uint32_t ranks;    /* different ones; few make many ties */
};

uint64_t made_random(uint64_t *state);

/* A random instance; the same seed gives the same one. */
void made_init(struct made *made, const struct made_size *size, uint64_t seed);
/* Room for this many, to be set by the test: no parents, no choices, nobody pinned. */
void made_empty(struct made *made, uint32_t students, uint32_t units, uint32_t topics,
                uint32_t choices);
void made_fini(struct made *made);

/* Solves, and asserts that no limit is passed and everybody's topic is its own list's, its pin
 * or a fill. */
void made_solve(struct made *made, struct assignment_result *ret);

/* Pairs that block by the definition, found by trying each: students of `only` NULL or true. */
uint32_t made_blocking(const struct made *made, const struct assignment_result *result);
/* Whether `topic`, by student, keeps every limit. */
bool made_fits(const struct made *made, const uint32_t *topic);
