#pragma once

/* Durable consumers at this instance: the groups of follows that share one, their positions
 * from the table and back.  Only the leader serves them, so that two instances never share one
 * out. The stream's thread. */

#include "services/events/delivery.h"

#define CONSUMERS_MAX 1000 /* served at the same time; then RESOURCE_EXHAUSTED */

/* The follow takes part in its consumer; alone, or it takes over, unless both sides share.
 * UNAVAILABLE: not the leader.  RESOURCE_EXHAUSTED: too many. */
must_use struct status consumers_join(struct delivery *delivery, struct follower *follower,
                                      const Events__V1__Follow *follow);
void consumers_ack(struct delivery *delivery, struct follower *follower, uint64_t acknowledged);
/* Whether the follow may be sent something; moves it to where its lanes begin. */
bool consumers_ready(struct follower *follower);

/* What the reader says of a consumer. */
void consumers_take_answer(struct delivery *delivery, struct reader_item *answer);
/* Now and then: keeps positions, ends who does not acknowledge, or all when this instance leads
 * no longer. */
void consumers_tick(struct delivery *delivery, struct mono now);
/* The last thing: every position is on its way to the table. */
void consumers_flush(struct delivery *delivery);
void consumers_fini(struct delivery *delivery);
