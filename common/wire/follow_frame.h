#pragma once

/* Between follow.c and follow_event.c. */

#include "common/wire/follow.h"

#define FOLLOW_EVENTS_MAX 100000 /* in a batch: the greatest credit */

/* `packed` is a CloudEventBatch of `count` events.  INVALID_ARGUMENT: it is not. */
must_use struct status follow_unpack_batch(struct bytes packed, uint32_t count,
                                           struct arena *arena,
                                           const Io__Cloudevents__V1__CloudEventBatch **ret);
