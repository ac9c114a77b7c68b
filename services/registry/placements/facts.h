#pragma once

/* A placement as the rule engine sees it.  Pure: what is stored comes in, the case goes out. */

#include "services/registry/placements/store_facts.h"
#include "services/registry/programmes/case.h"

struct placement_facts {
    const struct party_facts *parties;
    size_t party_count;
    const struct person_facts *persons;
    size_t person_count;
    int64_t offered, ended; /* for the indicator rule */
};

/* The ids to look up: organisations and people that the placement names.  Lists live in
 * `arena`. */
must_use struct status facts_ids(struct arena *arena, const Registry__V1__Placement *placement,
                                 const char ***ret_organisations,
                                 size_t *ret_organisation_count, const char ***ret_people,
                                 size_t *ret_person_count);

/* `state` is the state that the case is checked for, which a step may be about to reach. */
must_use struct status facts_case(struct arena *arena, const Registry__V1__Placement *placement,
                                  Registry__V1__PlacementState state,
                                  const struct placement_facts *facts, struct rule_case *ret);
