#pragma once

/* A durable consumer: who shares it, what each was sent, what was acknowledged.
 *
 * The partition keys of events fall into GROUP_LANES lanes by hash.  Each lane belongs to one
 * member at a time and has two positions: everything up to `sent` was sent to its member,
 * everything up to `acked` is done.  A member gets the events of its lanes in order of
 * position, so events of one key stay in order.  A lane leaves a living member only when all
 * that was sent is acknowledged; when a member is gone, its lanes go back to `acked`, and what
 * lay between is sent again to another.  So each event is done at least once, and twice only
 * after a death.
 *
 * Knows no socket, no table and no clock.  The stream's thread.
 */

#include "common/base/clock.h"
#include "services/events/packed.h"

#define GROUP_LANES 64
#define GROUP_NAME_BYTES 64
#define GROUP_MEMBERS 64
#define GROUP_DELIVERIES 256 /* sent to one member and not acknowledged */

struct group;

/* A batch that a member was sent and has not acknowledged. */
struct group_delivery {
    uint64_t number, through, lanes;
    struct mono sent_at;
};

/* A follow's part in a group. */
struct group_member {
    struct group *group;
    uint64_t lanes;   /* bits: what it is sent */
    uint64_t leaving; /* bits: what it still has to acknowledge before another gets it */
    uint64_t last;    /* number of its last delivery */
    struct group_delivery ring[GROUP_DELIVERIES];
    size_t first, count;
    bool restart; /* it has got lanes: it goes on at group_member_start */
};

struct group {
    struct group *next; /* the owner's list */
    char user_id[64];   /* whose consumer */
    char name[GROUP_NAME_BYTES + 1];
    bool shared;
    bool open;      /* its positions are known */
    int64_t epoch;  /* of this opening, by which the table tells it from another's */
    uint64_t after; /* where it begins if it is new */
    uint64_t sent[GROUP_LANES], acked[GROUP_LANES];
    struct group_member *members[GROUP_MEMBERS];
    size_t member_count;
    bool dirty, saving; /* `acked` differs from the table; is on its way there */
    struct mono saved_at;
};

/* Its positions, as they were kept. */
void group_open(struct group *group, int64_t epoch, const uint64_t acked[GROUP_LANES]);

/* False: it has GROUP_MEMBERS already.  Lanes are shared out anew. */
bool group_join(struct group *group, struct group_member *member);
void group_leave(struct group_member *member);

/* Where the member's sending goes on: behind what the earliest of its lanes was sent. */
uint64_t group_member_start(const struct group_member *member);
/* Whether the event at the position is for this member and was not sent yet. */
bool group_passes(const struct group_member *member, const struct packed_event *event,
                  uint64_t position);
/* Whether every event from the position on is. */
bool group_passes_all(const struct group_member *member, uint64_t position);

/* Whether one more batch may be sent. */
bool group_has_room(const struct group_member *member);
/* A batch with events was sent; gives its number. */
uint64_t group_note_sent(struct group_member *member, uint64_t through, struct mono now);
/* Nothing up to `through` was for the member. */
void group_note_passed(struct group_member *member, uint64_t through);
/* Everything up to the delivery is done.  False: no such delivery was sent. */
bool group_ack(struct group_member *member, uint64_t delivery);

/* When its oldest delivery without an answer was sent; false: all are acknowledged. */
bool group_oldest(const struct group_member *member, struct mono *ret);
/* Everything up to here is done. */
uint64_t group_position(const struct group *group);
