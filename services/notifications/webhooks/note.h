#pragma once

/* What follows from the end of a request. */

#include "services/notifications/webhooks/store_send.h"

struct note {
    const struct due *due;
    struct webhook_answer answer;
    uint32_t latency_ms;
};

/* Writes it down and lets the next of its line go; the roll is held.  `thousandths` of the
 * usual times between tries. */
must_use struct status note_write(struct pg_tx *tx, struct arena *arena,
                                  const struct note *note, uint32_t thousandths);
