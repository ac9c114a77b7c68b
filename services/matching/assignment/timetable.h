#pragma once

/* The company day: which meeting is when.
 *
 * Meetings are edges between participants, slots are colours: nobody has two at once, a slot
 * has no more than its tables.  A meeting without a common free slot is made room for by
 * swapping two slots along an alternating path (Koenig 1916, Kempe 1879), so that between two
 * groups, when nobody has more meetings than there are slots, every meeting is held.  Then
 * meetings are moved to shorten waiting; one that still leaves somebody waiting longer than
 * allowed is given up.
 *
 * Pure; the same input gives the same result.  Time: meetings times slots times a small number.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/status.h"

#define TIMETABLE_PARTICIPANTS_MAX 2000
#define TIMETABLE_MEETINGS_MAX 5000
#define TIMETABLE_SLOTS_MAX 64
#define TIMETABLE_NONE UINT32_MAX

struct timetable_meeting {
    uint32_t participant[2];
    uint32_t priority; /* 0 is placed first */
    uint32_t slot;     /* where it is; TIMETABLE_NONE: nowhere yet */
};

struct timetable {
    struct timetable_meeting *meetings; /* in and out */
    const uint64_t *away;               /* by participant: bits of slots it cannot come to */
    const uint32_t *tables;             /* by slot; 0: a break, which is no waiting */
    uint32_t participant_count, meeting_count, slot_count;
    uint32_t gap_max; /* slots that one may wait between two meetings */
};

enum timetable_reason {
    TIMETABLE_HELD,
    TIMETABLE_NO_COMMON_SLOT, /* the two are never free together */
    TIMETABLE_NO_TABLE,       /* where they are, every table is taken */
    TIMETABLE_WAITING,        /* somebody would wait too long */
};

/* INVALID_ARGUMENT names the entry: "meetings[3].participants". */
must_use struct status timetable_check(const struct timetable *timetable, struct arena *arena);

/* Gives every meeting a slot, or none; those that have one already keep it if they can.  So
 * after cancellations (meetings taken out, or `away` changed) the same call is a repair:
 * *ret_moved counts meetings that were held elsewhere before. */
must_use struct status timetable_plan(const struct timetable *timetable, struct arena *arena,
                                      uint32_t *ret_moved);

/* Why a meeting has no slot, in a timetable that was planned. */
enum timetable_reason timetable_reason(const struct timetable *timetable, uint32_t meeting);

/* The longest wait of a participant between two meetings, in slots. */
uint32_t timetable_gap(const struct timetable *timetable, uint32_t participant);
