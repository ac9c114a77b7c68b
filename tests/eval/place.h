#pragma once

/* The product's index over profiles made from published data. */

#include "common/base/test.h"
#include "services/matching/index.h"
#include "services/matching/search.h"
#include "tests/eval/data.h"

struct eval_place {
    struct arena arena;
    struct words *words;
    struct index *index;
    struct snapshot *snapshot;
    struct score_rules rules;
    struct score_context context;
    const struct eval_data *data;
};

void eval_place_init(struct eval_place *place, const struct eval_data *data);
void eval_place_fini(struct eval_place *place);

/* A public profile, number `number` of its kind; `concepts` are numbers of the data. */
void eval_put(struct eval_place *place, enum kind kind, uint32_t number,
              const uint32_t *concepts, size_t count, enum lang lang, const char *text);
/* All into one base, where the kernels of the engine look; the next eval_ready shows it. */
void eval_settle(struct eval_place *place);
/* After the last. */
void eval_ready(struct eval_place *place);

/* The numbers of the best offers for a need, best first; how many. */
size_t eval_search(struct eval_place *place, uint32_t need, size_t limit, uint32_t *ret);

/* The best offers for a need by this kernel of the engine, and by a look at every profile; how
 * many: in `arena`. */
struct kernel;
struct hits eval_hits(struct eval_place *place, uint32_t need, size_t limit,
                      const struct kernel *kernel, struct arena *arena);
struct hits eval_brute_force(struct eval_place *place, uint32_t need, size_t limit,
                             struct arena *arena);
