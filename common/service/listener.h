#pragma once

/* Hears the event log on a thread of its own and hands each event to the service's inbox; what
 * that promises is told at struct service_inbox in service.h. */

#include "common/service/frame.h"

struct listener;

must_use struct status listener_start(struct frame *frame, struct arena *arena,
                                      struct listener **ret);
/* Asks it to end after the event under way; does not wait. */
void listener_end(struct listener *listener);
bool listener_ended(const struct listener *listener);
/* Waits for its end.  Accepts NULL. */
void listener_stop(struct listener **listener);

/* The last position taken in; how many are known to be behind it.  Any thread. */
uint64_t listener_position(const struct listener *listener);
uint64_t listener_lag(const struct listener *listener);
