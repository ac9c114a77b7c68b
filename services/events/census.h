#pragma once

/* What this instance serves, told to the table every few seconds, so that people at any
 * instance see who follows where.  The stream's thread makes it, the reader's keeps it. */

#include "common/base/clock.h"
#include "services/events/store_census.h"

struct delivery;

/* Rows with their texts; one thread hands it to another. */
struct census {
    struct arena arena;
    struct store_census_row *rows;
    size_t count;
};

void census_destroy(struct census **census);
/* Now and then: counts the follows and hands the census to the reader. */
void census_tick(struct delivery *delivery, struct mono now);
