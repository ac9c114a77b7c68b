#pragma once

/* What registry's aggregates share while the process runs: call->state. */

#include <stdint.h>

struct password_gate;

struct registry_state {
    struct password_gate *passwords;
    uint64_t session_idle_ms;
    uint64_t session_absolute_ms;
};
