#include "services/matching/assignment/timetable.h"

#include <stdlib.h>

#define SWEEPS_MAX 8 /* over all meetings, to shorten waiting */

struct plan {
    const struct timetable *timetable;
    uint32_t (*at)[TIMETABLE_SLOTS_MAX]; /* by participant and slot: the meeting, or none */
    uint32_t *taken;                     /* tables, by slot */
    uint32_t *order;                     /* meetings as they are placed */
};

struct status
timetable_check(const struct timetable *timetable, struct arena *arena)
{
    if (timetable->participant_count > TIMETABLE_PARTICIPANTS_MAX)
        return FAIL_FIELD(arena, "participants", "at most %d", TIMETABLE_PARTICIPANTS_MAX);
    if (timetable->meeting_count > TIMETABLE_MEETINGS_MAX)
        return FAIL_FIELD(arena, "meetings", "at most %d", TIMETABLE_MEETINGS_MAX);
    if (timetable->slot_count == 0 || timetable->slot_count > TIMETABLE_SLOTS_MAX)
        return FAIL_FIELD(arena, "slots", "1 to %d", TIMETABLE_SLOTS_MAX);
    for (uint32_t m = 0; m < timetable->meeting_count; m++) {
        const struct timetable_meeting *meeting = &timetable->meetings[m];

        if (meeting->participant[0] == meeting->participant[1] ||
            meeting->participant[0] >= timetable->participant_count ||
            meeting->participant[1] >= timetable->participant_count)
            return FAIL_FIELD(arena, arena_printf(arena, "meetings[%u].participants", m),
                              "must be two of the participants");
        if (meeting->slot != TIMETABLE_NONE && meeting->slot >= timetable->slot_count)
            return FAIL_FIELD(arena, arena_printf(arena, "meetings[%u].slot", m),
                              "is no slot of the day");
    }
    return OK;
}

static bool
here(const struct timetable *timetable, uint32_t participant, uint32_t slot)
{
    return timetable->tables[slot] > 0 && !(timetable->away[participant] >> slot & 1);
}

static bool
free_at(const struct plan *plan, uint32_t participant, uint32_t slot)
{
    return here(plan->timetable, participant, slot) &&
           plan->at[participant][slot] == TIMETABLE_NONE;
}

static void
put(struct plan *plan, uint32_t m, uint32_t slot)
{
    struct timetable_meeting *meeting = &plan->timetable->meetings[m];

    meeting->slot = slot;
    plan->at[meeting->participant[0]][slot] = m;
    plan->at[meeting->participant[1]][slot] = m;
    plan->taken[slot]++;
}

static void
lift(struct plan *plan, uint32_t m)
{
    struct timetable_meeting *meeting = &plan->timetable->meetings[m];

    plan->at[meeting->participant[0]][meeting->slot] = TIMETABLE_NONE;
    plan->at[meeting->participant[1]][meeting->slot] = TIMETABLE_NONE;
    plan->taken[meeting->slot]--;
    meeting->slot = TIMETABLE_NONE;
}

static bool
fits(const struct plan *plan, uint32_t m, uint32_t slot)
{
    const struct timetable_meeting *meeting = &plan->timetable->meetings[m];

    return plan->taken[slot] < plan->timetable->tables[slot] &&
           free_at(plan, meeting->participant[0], slot) &&
           free_at(plan, meeting->participant[1], slot);
}

/* Slots that a participant waits beyond what is allowed, over all its waits. */
static uint32_t
waiting(const struct plan *plan, uint32_t participant)
{
    const struct timetable *timetable = plan->timetable;
    uint32_t wait = 0, excess = 0;
    bool begun = false;

    for (uint32_t slot = 0; slot < timetable->slot_count; slot++) {
        if (plan->at[participant][slot] == TIMETABLE_NONE) {
            wait += timetable->tables[slot] > 0;
            continue;
        }
        if (begun && wait > timetable->gap_max)
            excess += wait - timetable->gap_max;
        begun = true;
        wait = 0;
    }
    return excess;
}

static uint32_t
waiting_of(const struct plan *plan, uint32_t m)
{
    const struct timetable_meeting *meeting = &plan->timetable->meetings[m];

    return waiting(plan, meeting->participant[0]) + waiting(plan, meeting->participant[1]);
}

/* The slot that leaves the least waiting, the first of them; TIMETABLE_NONE: none fits. */
static uint32_t
best_slot(struct plan *plan, uint32_t m, uint32_t *ret_waiting)
{
    uint32_t best = TIMETABLE_NONE, least = UINT32_MAX;

    for (uint32_t slot = 0; slot < plan->timetable->slot_count; slot++) {
        uint32_t wait;

        if (!fits(plan, m, slot))
            continue;
        put(plan, m, slot);
        wait = waiting_of(plan, m);
        lift(plan, m);
        if (wait < least) {
            least = wait;
            best = slot;
        }
    }
    *ret_waiting = least;
    return best;
}

/* The path of meetings at slots a and b in turn that begins at `participant` with one at a.  If
 * each may change to the other slot, they do; the participant is free at a then. */
static bool
swap_path(struct plan *plan, uint32_t participant, uint32_t a, uint32_t b, uint32_t *path)
{
    const struct timetable *timetable = plan->timetable;
    uint32_t count = 0, from = a, in[2] = {0, 0};

    for (uint32_t m; (m = plan->at[participant][from]) != TIMETABLE_NONE;) {
        const struct timetable_meeting *meeting = &timetable->meetings[m];
        const uint32_t to = from == a ? b : a;

        if (!here(timetable, meeting->participant[0], to) ||
            !here(timetable, meeting->participant[1], to) || count == timetable->meeting_count)
            return false;
        in[to == a]++;
        path[count++] = m;
        participant = meeting->participant[meeting->participant[0] == participant];
        from = to;
    }
    if (plan->taken[b] + in[0] - in[1] > timetable->tables[b] ||
        plan->taken[a] + in[1] - in[0] > timetable->tables[a])
        return false;
    for (uint32_t i = 0; i < count; i++) { /* the slots alternate, beginning with a */
        lift(plan, path[i]);
        timetable->meetings[path[i]].slot = i % 2 == 0 ? b : a;
    }
    for (uint32_t i = 0; i < count; i++)
        put(plan, path[i], timetable->meetings[path[i]].slot);
    return true;
}

/* Makes room: slot a is free for one of the two, b for the other; swapping them along a path
 * that begins at the other's meeting at a makes a free for both. */
static bool
make_room(struct plan *plan, uint32_t m, uint32_t *path)
{
    const struct timetable_meeting *meeting = &plan->timetable->meetings[m];

    for (uint32_t side = 0; side < 2; side++)
        for (uint32_t a = 0; a < plan->timetable->slot_count; a++) {
            const uint32_t one = meeting->participant[side];
            const uint32_t other = meeting->participant[1 - side];

            if (!free_at(plan, one, a) || !here(plan->timetable, other, a) ||
                plan->taken[a] >= plan->timetable->tables[a])
                continue;
            for (uint32_t b = 0; b < plan->timetable->slot_count; b++)
                if (b != a && free_at(plan, other, b) && swap_path(plan, other, a, b, path) &&
                    fits(plan, m, a))
                    return true;
        }
    return false;
}

/* Places what fits where it is, without anybody waiting too long. */
static void
place_quietly(struct plan *plan)
{
    for (uint32_t i = 0; i < plan->timetable->meeting_count; i++) {
        const uint32_t m = plan->order[i];
        uint32_t wait, slot;

        if (plan->timetable->meetings[m].slot != TIMETABLE_NONE)
            continue;
        slot = best_slot(plan, m, &wait);
        if (slot != TIMETABLE_NONE && wait == 0)
            put(plan, m, slot);
    }
}

static void
place_all(struct plan *plan, uint32_t *path)
{
    for (uint32_t i = 0; i < plan->timetable->meeting_count; i++) {
        const uint32_t m = plan->order[i];
        uint32_t wait, slot;

        if (plan->timetable->meetings[m].slot != TIMETABLE_NONE)
            continue;
        slot = best_slot(plan, m, &wait);
        if (slot == TIMETABLE_NONE && make_room(plan, m, path))
            slot = best_slot(plan, m, &wait);
        if (slot != TIMETABLE_NONE)
            put(plan, m, slot);
    }
}

/* Moves meetings of those who wait too long, where that makes the waiting of its two less. */
static void
shorten(struct plan *plan)
{
    bool better = true;

    for (int sweep = 0; sweep < SWEEPS_MAX && better; sweep++) {
        better = false;
        for (uint32_t i = 0; i < plan->timetable->meeting_count; i++) {
            const uint32_t m = plan->order[i], slot = plan->timetable->meetings[m].slot;
            uint32_t before, after, best;

            if (slot == TIMETABLE_NONE || (before = waiting_of(plan, m)) == 0)
                continue;
            lift(plan, m);
            best = best_slot(plan, m, &after);
            put(plan, m, after < before ? best : slot);
            better |= after < before;
        }
    }
}

static bool
less_wanted(const struct plan *plan, uint32_t m, uint32_t than)
{
    return than == TIMETABLE_NONE ||
           plan->timetable->meetings[m].priority >= plan->timetable->meetings[than].priority;
}

/* The meeting to give up of a participant who waits too long: the least wanted of those without
 * which the waiting is less, or else of the first and the last, until one of these helps. */
static uint32_t
victim_of(struct plan *plan, uint32_t participant)
{
    const uint32_t wait = waiting(plan, participant);
    uint32_t helps = TIMETABLE_NONE, first = TIMETABLE_NONE, last = TIMETABLE_NONE;

    for (uint32_t slot = 0; slot < plan->timetable->slot_count; slot++) {
        const uint32_t m = plan->at[participant][slot];
        uint32_t after;

        if (m == TIMETABLE_NONE)
            continue;
        first = first == TIMETABLE_NONE ? m : first;
        last = m;
        lift(plan, m);
        after = waiting(plan, participant);
        put(plan, m, slot);
        if (after < wait && less_wanted(plan, m, helps))
            helps = m;
    }
    if (helps != TIMETABLE_NONE)
        return helps;
    return less_wanted(plan, last, first) ? last : first;
}

/* Until nobody waits too long. */
static void
bound_waiting(struct plan *plan)
{
    const struct timetable *timetable = plan->timetable;
    bool again = true;

    while (again) { /* every turn but the last gives up a meeting */
        again = false;
        for (uint32_t p = 0; p < timetable->participant_count; p++)
            while (waiting(plan, p) > 0) {
                lift(plan, victim_of(plan, p));
                again = true;
            }
    }
}

static int
by_priority(const void *left, const void *right, void *context)
{
    const struct timetable_meeting *meetings = context;
    const uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

    if (meetings[a].priority != meetings[b].priority)
        return meetings[a].priority < meetings[b].priority ? -1 : 1;
    return a < b ? -1 : a > b;
}

static struct status
make_plan(const struct timetable *timetable, struct arena *arena, struct plan *ret)
{
    *ret = (struct plan){.timetable = timetable};
    TRY(need(ret->at = arena_calloc(arena, (size_t)timetable->participant_count + 1,
                                    sizeof *ret->at)));
    TRY(need(ret->taken = ARENA_ARRAY(arena, uint32_t, timetable->slot_count)));
    TRY(need(ret->order = ARENA_ARRAY(arena, uint32_t, (size_t)timetable->meeting_count + 1)));
    for (uint32_t p = 0; p < timetable->participant_count; p++)
        for (uint32_t slot = 0; slot < TIMETABLE_SLOTS_MAX; slot++)
            ret->at[p][slot] = TIMETABLE_NONE;
    for (uint32_t m = 0; m < timetable->meeting_count; m++)
        ret->order[m] = m;
    qsort_r(ret->order, timetable->meeting_count, sizeof *ret->order, by_priority,
            timetable->meetings);
    return OK;
}

struct status
timetable_plan(const struct timetable *timetable, struct arena *arena, uint32_t *ret_moved)
{
    uint32_t *before, *path, moved = 0;
    bool repair = false;
    struct plan plan;

    TRY(timetable_check(timetable, arena));
    TRY(make_plan(timetable, arena, &plan));
    TRY(need(before = ARENA_ARRAY(arena, uint32_t, (size_t)timetable->meeting_count + 1)));
    TRY(need(path = ARENA_ARRAY(arena, uint32_t, (size_t)timetable->meeting_count + 1)));
    for (uint32_t i = 0; i < timetable->meeting_count; i++) {
        const uint32_t m = plan.order[i];
        const uint32_t slot = timetable->meetings[m].slot;

        before[m] = slot;
        repair |= slot != TIMETABLE_NONE;
        timetable->meetings[m].slot = TIMETABLE_NONE;
        if (slot != TIMETABLE_NONE && fits(&plan, m, slot))
            put(&plan, m, slot);
    }
    if (repair)
        place_quietly(&plan); /* what is held stays where it is */
    else
        place_all(&plan, path);
    shorten(&plan);
    bound_waiting(&plan);
    place_quietly(&plan); /* what was given up may fit elsewhere */
    for (uint32_t m = 0; m < timetable->meeting_count; m++)
        moved += before[m] != TIMETABLE_NONE && timetable->meetings[m].slot != before[m];
    *ret_moved = moved;
    return OK;
}

/* A participant's slots with a meeting, as bits. */
static uint64_t
busy(const struct timetable *timetable, uint32_t participant)
{
    uint64_t slots = 0;

    for (uint32_t m = 0; m < timetable->meeting_count; m++)
        if (timetable->meetings[m].slot != TIMETABLE_NONE &&
            (timetable->meetings[m].participant[0] == participant ||
             timetable->meetings[m].participant[1] == participant))
            slots |= (uint64_t)1 << timetable->meetings[m].slot;
    return slots;
}

enum timetable_reason
timetable_reason(const struct timetable *timetable, uint32_t meeting)
{
    const struct timetable_meeting *row = &timetable->meetings[meeting];
    const uint64_t taken =
        busy(timetable, row->participant[0]) | busy(timetable, row->participant[1]);
    enum timetable_reason reason = TIMETABLE_NO_COMMON_SLOT;

    if (row->slot != TIMETABLE_NONE)
        return TIMETABLE_HELD;
    for (uint32_t slot = 0; slot < timetable->slot_count; slot++) {
        uint32_t held = 0;

        if (!here(timetable, row->participant[0], slot) ||
            !here(timetable, row->participant[1], slot) || taken >> slot & 1)
            continue;
        for (uint32_t m = 0; m < timetable->meeting_count; m++)
            held += timetable->meetings[m].slot == slot;
        if (held < timetable->tables[slot])
            return TIMETABLE_WAITING;
        reason = TIMETABLE_NO_TABLE;
    }
    return reason;
}

uint32_t
timetable_gap(const struct timetable *timetable, uint32_t participant)
{
    const uint64_t slots = busy(timetable, participant);
    uint32_t wait = 0, longest = 0;
    bool begun = false;

    for (uint32_t slot = 0; slot < timetable->slot_count; slot++) {
        if (!(slots >> slot & 1)) {
            wait += timetable->tables[slot] > 0;
            continue;
        }
        if (begun && wait > longest)
            longest = wait;
        begun = true;
        wait = 0;
    }
    return longest;
}
