#pragma once

/* What registry's aggregates share while the process runs: call->state. */

#include <stdint.h>

struct password_gate;
struct programmes;

struct registry_state {
    struct password_gate *passwords;
    struct programmes *programmes; /* constant */
    uint64_t session_idle_ms;
    uint64_t session_absolute_ms;
};
