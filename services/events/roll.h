#pragma once

/* When the leader ends the open partition of the log: by age, by events, by its rows.  On the
 * sequencer's thread and connection, in a transaction of its own between two rounds. */

#include "services/events/store_kept.h"

struct roll_config {
    uint32_t days;     /* 0: never rolls */
    uint64_t events;   /* at most, before the look that follows */
    uint32_t every_ms; /* between two looks; 0: ROLL_EVERY_MS */
};

#define ROLL_EVERY_MS 10000

struct roll {
    struct roll_config config;
    const struct clock *clock;
    struct mono due; /* zero: at once */
    bool failing;    /* the last look failed and was logged */
};

/* Looks, when it is time to, and rolls when a limit is reached.  What fails is logged and tried
 * again at the next look; the log goes on in the partition that is open. */
void roll_look(struct roll *roll, struct pg *pg, struct arena *arena);
