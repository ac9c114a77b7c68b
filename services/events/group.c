#include "services/events/group.h"

#include <string.h>

#define BIT(lane) (UINT64_C(1) << (lane))
#define ALL_LANES UINT64_MAX

static uint64_t
greater(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* By what keeps order: the partition key, or else the subject, or else the id. */
static unsigned
lane_of(const struct packed_event *event)
{
    const struct bytes key = event->partition_key.size ? event->partition_key
                             : event->subject.size     ? event->subject
                                                       : event->id;

    return (unsigned)(bytes_hash(BYTES_HASH_START, key.data, key.size) % GROUP_LANES);
}

static unsigned
count_lanes(uint64_t lanes)
{
    return (unsigned)__builtin_popcountll(lanes);
}

static void
give(struct group_member *member, unsigned lane)
{
    member->lanes |= BIT(lane);
    member->restart = true;
}

static struct group_member *
with_fewest(const struct group *group)
{
    struct group_member *fewest = NULL;

    for (size_t i = 0; i < group->member_count; i++)
        if (!fewest || count_lanes(group->members[i]->lanes) < count_lanes(fewest->lanes))
            fewest = group->members[i];
    return fewest;
}

/* Lanes that belong to nobody. */
static uint64_t
free_lanes(const struct group *group)
{
    uint64_t taken = 0;

    for (size_t i = 0; i < group->member_count; i++)
        taken |= group->members[i]->lanes | group->members[i]->leaving;
    return ~taken;
}

static void
give_free_lanes(struct group *group)
{
    const uint64_t lanes = group->member_count && group->open ? free_lanes(group) : 0;

    for (unsigned lane = 0; lane < GROUP_LANES; lane++)
        if (lanes & BIT(lane))
            give(with_fewest(group), lane);
}

/* Nothing more is sent of the lane; another gets it once all is acknowledged. */
static void
let_go(struct group_member *member, unsigned lane)
{
    const struct group *group = member->group;

    member->lanes &= ~BIT(lane);
    if (group->acked[lane] < group->sent[lane])
        member->leaving |= BIT(lane);
}

/* Nobody has more than his share. */
static void
take_from_the_rich(struct group *group)
{
    const unsigned share =
        (unsigned)((GROUP_LANES + group->member_count - 1) / group->member_count);

    for (size_t i = 0; i < group->member_count; i++) {
        struct group_member *member = group->members[i];

        for (unsigned lane = 0; lane < GROUP_LANES && count_lanes(member->lanes) > share;
             lane++)
            if (member->lanes & BIT(lane))
                let_go(member, lane);
    }
}

void
group_open(struct group *group, int64_t epoch, const uint64_t acked[GROUP_LANES])
{
    memcpy(group->acked, acked, sizeof group->acked);
    memcpy(group->sent, acked, sizeof group->sent);
    group->epoch = epoch;
    group->open = true;
    give_free_lanes(group);
}

bool
group_join(struct group *group, struct group_member *member)
{
    if (group->member_count == GROUP_MEMBERS)
        return false;
    memset(member, 0, sizeof *member);
    member->group = group;
    group->members[group->member_count++] = member;
    group->dirty = group->open; /* how many share it is kept, too */
    take_from_the_rich(group);
    give_free_lanes(group);
    return true;
}

void
group_leave(struct group_member *member)
{
    struct group *group = member->group;
    const uint64_t lanes = member->lanes | member->leaving;
    size_t at = 0;

    while (group->members[at] != member)
        at++;
    group->members[at] = group->members[--group->member_count];
    for (unsigned lane = 0; lane < GROUP_LANES; lane++)
        if (lanes & BIT(lane))
            group->sent[lane] = group->acked[lane];
    member->group = NULL;
    group->dirty = group->open;
    give_free_lanes(group);
}

uint64_t
group_member_start(const struct group_member *member)
{
    uint64_t start = UINT64_MAX;

    for (unsigned lane = 0; lane < GROUP_LANES; lane++)
        if (member->lanes & BIT(lane) && member->group->sent[lane] < start)
            start = member->group->sent[lane];
    return start;
}

bool
group_passes(const struct group_member *member, const struct packed_event *event,
             uint64_t position)
{
    const unsigned lane = lane_of(event);

    return member->lanes & BIT(lane) && position > member->group->sent[lane];
}

bool
group_passes_all(const struct group_member *member, uint64_t position)
{
    if (member->lanes != ALL_LANES)
        return false;
    for (unsigned lane = 0; lane < GROUP_LANES; lane++)
        if (position <= member->group->sent[lane])
            return false;
    return true;
}

bool
group_has_room(const struct group_member *member)
{
    return member->count < GROUP_DELIVERIES;
}

static struct group_delivery *
delivery_at(struct group_member *member, size_t i)
{
    return &member->ring[(member->first + i) % GROUP_DELIVERIES];
}

static void
raise(uint64_t positions[GROUP_LANES], uint64_t lanes, uint64_t through)
{
    for (unsigned lane = 0; lane < GROUP_LANES; lane++)
        if (lanes & BIT(lane))
            positions[lane] = greater(positions[lane], through);
}

uint64_t
group_note_sent(struct group_member *member, uint64_t through, struct mono now)
{
    raise(member->group->sent, member->lanes, through);
    *delivery_at(member, member->count++) =
        (struct group_delivery){++member->last, through, member->lanes, now};
    return member->last;
}

void
group_note_passed(struct group_member *member, uint64_t through)
{
    struct group_delivery *last = member->count ? delivery_at(member, member->count - 1) : NULL;

    if (last && last->lanes != member->lanes)
        return; /* the next delivery says it */
    raise(member->group->sent, member->lanes, through);
    if (last) {
        last->through = greater(last->through, through);
        return;
    }
    raise(member->group->acked, member->lanes, through);
    member->group->dirty = true;
}

/* Lanes whose last delivery was acknowledged go to others. */
static void
release_leaving(struct group_member *member)
{
    const struct group *group = member->group;

    for (unsigned lane = 0; lane < GROUP_LANES; lane++)
        if (member->leaving & BIT(lane) && group->acked[lane] >= group->sent[lane])
            member->leaving &= ~BIT(lane);
    give_free_lanes(member->group);
}

bool
group_ack(struct group_member *member, uint64_t delivery)
{
    if (delivery > member->last)
        return false;
    while (member->count && delivery_at(member, 0)->number <= delivery) {
        const struct group_delivery *done = delivery_at(member, 0);

        raise(member->group->acked, done->lanes, done->through);
        member->first = (member->first + 1) % GROUP_DELIVERIES;
        member->count--;
        member->group->dirty = true;
    }
    release_leaving(member);
    return true;
}

bool
group_oldest(const struct group_member *member, struct mono *ret)
{
    if (!member->count)
        return false;
    *ret = member->ring[member->first].sent_at;
    return true;
}

uint64_t
group_position(const struct group *group)
{
    uint64_t position = UINT64_MAX;

    for (unsigned lane = 0; lane < GROUP_LANES; lane++)
        if (group->acked[lane] < position)
            position = group->acked[lane];
    return position;
}
