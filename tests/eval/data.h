#pragma once

/* Published data as the tests draw from it. */

#include "common/base/lang.h"
#include "common/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct eval_concept {
    const char *uri;
    const char *label[LANG_COUNT]; /* "": none */
    const char **broader;          /* URIs */
    size_t broader_count;
};

struct eval_occupation {
    uint32_t *skills; /* essential ones: numbers of concepts */
    size_t count;
};

struct eval_data {
    struct eval_concept *concepts; /* by URI */
    size_t concept_count;
    size_t skill_count; /* ESCO: of them no groups */
    uint32_t *skills;   /* numbers of those */
    struct eval_occupation *occupations;
    size_t occupation_count;
};

/* The path of a file of the data; NULL: it is not there. */
const char *eval_path(struct arena *arena, const char *fallback, const char *name);

/* Skills, groups, relations, and the occupations with at least `least` essential skills. */
must_use struct status eval_read_esco(struct arena *arena, const char *english,
                                      const char *relations, size_t least,
                                      struct eval_data *ret);
/* `files` by enum lang. */
must_use struct status eval_read_yso(struct arena *arena, const char *const files[LANG_COUNT],
                                     struct eval_data *ret);

/* SplitMix64. */
uint64_t eval_random(uint64_t *state);
