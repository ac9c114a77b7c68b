#pragma once

/* Sending to one peer of the ROUTER, without ever waiting. */

#include "services/events/follower.h"

enum post { POST_SENT, POST_FULL, POST_GONE };

/* One frame. */
enum post post_frame(void *socket, const struct routing *routing, struct bytes frame);
/* Two frames; the second is copied. */
enum post post_copy(void *socket, const struct routing *routing, struct bytes frame,
                    struct bytes data);
/* Two frames; the second is the block's own bytes, held until they are sent. */
enum post post_block(void *socket, const struct routing *routing, struct bytes frame,
                     struct block *block);
