#pragma once

/* The thread that sends what is due: many requests side by side, so that a slow receiver delays
 * no other.  A delivery is committed as SENDING, with a lease, before its request leaves; what
 * came of it is noted in the transaction that takes the next. */

#include "common/service/service.h"

struct sender;
struct webhooks;

/* `webhooks` must outlive it. */
must_use struct status sender_start(struct webhooks *webhooks, struct service_frame *frame,
                                    struct arena *arena, struct sender **ret);
/* Something is due now.  Any thread; NULL: nothing happens. */
void sender_wake(struct sender *sender);
/* Asks it to end and waits: two seconds for answers, then what is under way is given back.
 * Accepts NULL. */
void sender_stop(struct sender **sender);
