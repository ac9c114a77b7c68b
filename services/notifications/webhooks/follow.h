#pragma once

/* The thread that hears the log for webhooks.  Its position stands in the table `listener` as
 * "webhooks" and is moved in the transaction that writes the deliveries, so that of several
 * instances exactly one writes them. */

#include "common/service/service.h"

struct follower;
struct webhooks;

/* `webhooks` must outlive it. */
must_use struct status follower_start(struct webhooks *webhooks, struct service_frame *frame,
                                      struct arena *arena, struct follower **ret);
/* Asks it to end and waits.  Accepts NULL. */
void follower_stop(struct follower **follower);
