#include "services/matching/composition/shelf.h"

#include <string.h>

#include "services/matching/composition/relax.h"

int64_t
shelf_target(const struct shelf *shelf)
{
    return shelf->count < shelf->wanted ? RELAX_NO_TARGET : shelf->sets[shelf->count - 1].cost;
}

static bool
same(const struct pool_set *left, const struct pool_set *right)
{
    return left->count == right->count &&
           memcmp(left->members, right->members, left->count * sizeof left->members[0]) == 0;
}

void
shelf_put(struct shelf *shelf, const struct pool_set *set)
{
    size_t at = 0;

    if (!shelf->wanted || set->cost >= shelf_target(shelf))
        return;
    for (size_t i = 0; i < shelf->count; i++)
        if (same(&shelf->sets[i], set))
            return;
    while (at < shelf->count && shelf->sets[at].cost <= set->cost)
        at++;
    if (shelf->count == shelf->wanted)
        shelf->count--;
    memmove(&shelf->sets[at + 1], &shelf->sets[at], (shelf->count - at) * sizeof *shelf->sets);
    shelf->sets[at] = *set;
    shelf->count++;
}
