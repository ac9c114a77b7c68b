#include "services/matching/assignment/audit.h"

/* The claim by which a student holds its topic, pinned or not. */
static uint64_t
held_claim(const struct assignment_audit *audit, uint32_t student)
{
    const uint32_t position = audit->result->position[student];
    const struct assignment_student *row = &audit->instance->students[student];

    return assignment_claim(position == ASSIGNMENT_NONE
                                ? ASSIGNMENT_RANK_MAX
                                : audit->instance->choices[row->first + position].rank,
                            audit->result->lottery.number[student]);
}

static void
count(struct assignment_audit *audit)
{
    const struct assignment_instance *instance = audit->instance;

    for (uint32_t s = 0; s < instance->student_count; s++) {
        const uint32_t topic = audit->result->topic[s];
        const uint32_t position = audit->result->position[s];

        audit->voters += instance->students[s].count > 0;
        if (topic == ASSIGNMENT_NONE) {
            audit->without++;
            continue;
        }
        audit->placed++;
        audit->filled += audit->result->basis[s] == ASSIGNMENT_BY_FILL;
        if (position != ASSIGNMENT_NONE) {
            audit->profile[position]++;
            audit->rank_sum += position + 1;
            if (audit->profile_count <= position)
                audit->profile_count = position + 1;
        }
        assignment_load(instance, audit->load, topic);
        for (uint32_t u = topic; u != ASSIGNMENT_NONE; u = instance->units[u].parent)
            if (audit->worst[u] < held_claim(audit, s))
                audit->worst[u] = held_claim(audit, s);
    }
    for (uint32_t t = 0; t < instance->topic_count; t++)
        audit->short_topics += audit->load[t] > 0 && audit->load[t] < instance->topics[t].least;
}

uint32_t
audit_preferred(const struct assignment_audit *audit, uint32_t student)
{
    const uint32_t position = audit->result->position[student];

    return position == ASSIGNMENT_NONE ? audit->instance->students[student].count : position;
}

/* Why a pair that blocks was not made. */
static enum assignment_barrier
cause(const struct assignment_audit *audit, uint32_t student, uint32_t topic, uint32_t full)
{
    const struct assignment_instance *instance = audit->instance;

    if (audit->result->closed[topic])
        return ASSIGNMENT_CLOSED;
    if (instance->students[student].pinned != ASSIGNMENT_NONE)
        return ASSIGNMENT_OWN_PIN;
    if (audit->result->basis[student] == ASSIGNMENT_BY_PAIR)
        return ASSIGNMENT_OWN_PAIR;
    if (full != ASSIGNMENT_NONE) {
        const uint32_t last = audit->result->lottery.order[(uint32_t)audit->worst[full]];

        if (instance->students[last].pinned != ASSIGNMENT_NONE)
            return ASSIGNMENT_OTHER_PIN;
    }
    return instance->objective == ASSIGNMENT_STABLE ? ASSIGNMENT_UNKNOWN : ASSIGNMENT_OBJECTIVE;
}

enum assignment_barrier
audit_barrier(const struct assignment_audit *audit, uint32_t student, uint32_t position,
              uint32_t *ret_unit)
{
    const struct assignment_instance *instance = audit->instance;
    const struct assignment_choice *choice =
        &instance->choices[instance->students[student].first + position];
    const uint64_t claim =
        assignment_claim(choice->rank, audit->result->lottery.number[student]);
    const uint32_t full = assignment_full(instance, audit->load, choice->topic);

    *ret_unit = full;
    if (full != ASSIGNMENT_NONE && instance->units[full].capacity == 0)
        return ASSIGNMENT_NO_ROOM;
    if (full == ASSIGNMENT_NONE || audit->worst[full] >= claim)
        return cause(audit, student, choice->topic, full);
    return audit->worst[full] >> 32 == claim >> 32 ? ASSIGNMENT_LOTTERY : ASSIGNMENT_OUTRANKED;
}

static void
find_blocking(struct assignment_audit *audit, uint32_t student)
{
    const struct assignment_student *row = &audit->instance->students[student];
    const uint32_t preferred = audit_preferred(audit, student);
    uint32_t unit;

    for (uint32_t i = 0; i < preferred; i++) {
        const enum assignment_barrier barrier = audit_barrier(audit, student, i, &unit);

        audit->cause_count[barrier]++;
        if (barrier < ASSIGNMENT_CLOSED)
            continue;
        if (audit->blocking_listed < ASSIGNMENT_BLOCKING_MAX)
            audit->blocking[audit->blocking_listed++] = (struct assignment_blocking){
                student, audit->instance->choices[row->first + i].topic, barrier};
        audit->blocking_count++;
    }
}

struct status
audit_make(const struct assignment_instance *instance, const struct assignment_result *result,
           struct arena *arena, struct assignment_audit *ret)
{
    const size_t units = (size_t)instance->unit_count + 1;
    struct assignment_audit audit = {.instance = instance, .result = result};
    uint32_t longest = 0;

    for (uint32_t s = 0; s < instance->student_count; s++)
        if (instance->students[s].count > longest)
            longest = instance->students[s].count;
    TRY(need(audit.load = ARENA_ARRAY(arena, uint32_t, units)));
    TRY(need(audit.worst = ARENA_ARRAY(arena, uint64_t, units)));
    TRY(need(audit.profile = ARENA_ARRAY(arena, uint32_t, (size_t)longest + 1)));
    TRY(need(audit.blocking =
                 ARENA_ARRAY(arena, struct assignment_blocking, ASSIGNMENT_BLOCKING_MAX)));
    count(&audit);
    for (uint32_t s = 0; s < instance->student_count; s++)
        find_blocking(&audit, s);
    *ret = audit;
    return OK;
}
