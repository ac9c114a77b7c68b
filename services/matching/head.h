#pragma once

/* Where the event log stands; asked of `events`. */

#include "common/service/call.h"

/* `ret_head` is the last position given, `ret_first_kept` the smallest that can be followed
 * from. UNAVAILABLE or DEADLINE_EXCEEDED: events cannot be reached. */
must_use struct status head_read(struct call *call, uint64_t *ret_head,
                                 uint64_t *ret_first_kept);
