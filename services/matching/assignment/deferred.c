#include "services/matching/assignment/deferred.h"

#include <string.h>

/* A unit's claims.  From the time it was full first, a heap with the worst claim on top. */
struct place {
    uint32_t capacity; /* no more than can come */
    uint32_t count;
    uint32_t parent;
    uint32_t offset; /* of its claims */
    uint32_t level;
    bool heaped;
};

struct seat {
    uint32_t next, end; /* the choices that are left to propose to */
    uint32_t topic;     /* held */
};

/* Within, a student is its lottery number: the low half of a claim. */
struct deferred {
    const struct assignment_instance *instance;
    const struct assignment_lottery *lottery;
    struct place *places;
    uint64_t *claims;
    uint32_t (*position)[ASSIGNMENT_LEVELS]; /* in the claims of its unit of that level */
    struct seat *seats;
};

/* How many can come to each unit at most, into `capacity`. */
static void
count_applicants(const struct assignment_instance *instance, struct place *places)
{
    for (uint32_t i = 0; i < instance->choice_count; i++)
        places[instance->choices[i].topic].capacity++;
    for (uint32_t s = 0; s < instance->student_count; s++)
        if (instance->students[s].pinned != ASSIGNMENT_NONE)
            places[instance->students[s].pinned].capacity++;
    for (uint32_t u = 0; u < instance->unit_count; u++) {
        struct place *place = &places[u];

        place->parent = instance->units[u].parent;
        if (place->parent != ASSIGNMENT_NONE) {
            struct place *parent = &places[place->parent];
            const uint32_t come = place->capacity < instance->units[u].capacity
                                      ? place->capacity
                                      : instance->units[u].capacity;

            parent->capacity += come;
            if (parent->level <= place->level)
                parent->level = place->level + 1;
        }
    }
}

struct status
deferred_create(const struct assignment_instance *instance,
                const struct assignment_lottery *lottery, struct arena *arena,
                struct deferred **ret)
{
    const size_t students = (size_t)instance->student_count + 1;
    struct deferred *deferred;
    uint64_t claims = 0;

    TRY(need(deferred = ARENA_NEW(arena, struct deferred)));
    *deferred = (struct deferred){.instance = instance, .lottery = lottery};
    TRY(need(deferred->places =
                 ARENA_ARRAY(arena, struct place, (size_t)instance->unit_count + 1)));
    count_applicants(instance, deferred->places);
    for (uint32_t u = 0; u < instance->unit_count; u++) {
        struct place *place = &deferred->places[u];

        if (place->capacity > instance->units[u].capacity)
            place->capacity = instance->units[u].capacity;
        place->offset = (uint32_t)claims; /* at most choices and pins, in each level */
        claims += place->capacity;
    }
    TRY(need(deferred->claims = ARENA_ARRAY(arena, uint64_t, claims + 1)));
    TRY(need(deferred->position = arena_calloc(arena, students, sizeof *deferred->position)));
    TRY(need(deferred->seats = ARENA_ARRAY(arena, struct seat, students)));
    *ret = deferred;
    return OK;
}

static inline void
put(struct deferred *deferred, const struct place *place, uint32_t i, uint64_t claim)
{
    deferred->claims[place->offset + i] = claim;
    deferred->position[(uint32_t)claim][place->level] = i;
}

static void
sift_down(struct deferred *deferred, const struct place *place, uint32_t i, uint64_t claim)
{
    const uint64_t *claims = deferred->claims + place->offset;

    for (;;) {
        uint32_t child = 2 * i + 1;

        if (child >= place->count)
            break;
        child += child + 1 < place->count && claims[child + 1] > claims[child];
        if (claims[child] <= claim)
            break;
        put(deferred, place, i, claims[child]);
        i = child;
    }
    put(deferred, place, i, claim);
}

static void
sift_up(struct deferred *deferred, const struct place *place, uint32_t i, uint64_t claim)
{
    const uint64_t *claims = deferred->claims + place->offset;

    while (i > 0 && claims[(i - 1) / 2] < claim) {
        put(deferred, place, i, claims[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    put(deferred, place, i, claim);
}

static void
insert(struct deferred *deferred, struct place *place, uint64_t claim)
{
    const uint32_t i = place->count++;

    if (place->heaped) {
        sift_up(deferred, place, i, claim);
        return;
    }
    put(deferred, place, i, claim);
    if (place->count < place->capacity)
        return;
    place->heaped = true;
    for (uint32_t at = place->count / 2; at-- > 0;)
        sift_down(deferred, place, at, deferred->claims[place->offset + at]);
}

static void
withdraw(struct deferred *deferred, struct place *place, uint32_t student)
{
    const uint32_t i = deferred->position[student][place->level];
    const uint64_t gone = deferred->claims[place->offset + i];
    const uint64_t last = deferred->claims[place->offset + --place->count];

    if (i == place->count)
        return;
    if (!place->heaped)
        put(deferred, place, i, last);
    else if (last > gone)
        sift_up(deferred, place, i, last);
    else
        sift_down(deferred, place, i, last);
}

/* `claim` is better than that of `student`, whose place it takes. */
static void
replace(struct deferred *deferred, struct place *place, uint32_t student, uint64_t claim)
{
    const uint32_t i = deferred->position[student][place->level];

    if (place->heaped)
        sift_down(deferred, place, i, claim);
    else
        put(deferred, place, i, claim);
}

/* Returns who is without a place now: somebody else, the one who claimed, or nobody. */
static uint32_t
propose(struct deferred *deferred, uint32_t topic, uint64_t claim)
{
    struct place *places = deferred->places;
    uint32_t full = topic, loser;
    uint64_t worst;

    while (full != ASSIGNMENT_NONE && places[full].count < places[full].capacity)
        full = places[full].parent;
    if (full == ASSIGNMENT_NONE) {
        for (uint32_t u = topic; u != ASSIGNMENT_NONE; u = places[u].parent)
            insert(deferred, &places[u], claim);
        deferred->seats[(uint32_t)claim].topic = topic;
        return ASSIGNMENT_NONE;
    }
    if (places[full].capacity == 0)
        return (uint32_t)claim;
    worst = deferred->claims[places[full].offset];
    if (worst < claim)
        return (uint32_t)claim;
    loser = (uint32_t)worst;
    for (uint32_t u = deferred->seats[loser].topic; u != full; u = places[u].parent)
        withdraw(deferred, &places[u], loser);
    for (uint32_t u = topic; u != full; u = places[u].parent)
        insert(deferred, &places[u], claim);
    for (uint32_t u = full; u != ASSIGNMENT_NONE; u = places[u].parent)
        replace(deferred, &places[u], loser, claim);
    deferred->seats[(uint32_t)claim].topic = topic;
    deferred->seats[loser].topic = ASSIGNMENT_NONE;
    return loser;
}

/* The student proposes down its list; so does whoever loses a place by that. */
static void
settle(struct deferred *deferred, const struct assignment_plan *plan, uint32_t student)
{
    while (student != ASSIGNMENT_NONE) {
        struct seat *seat = &deferred->seats[student];
        const struct assignment_choice *choice;

        if (seat->next >= seat->end)
            return;
        choice = &deferred->instance->choices[seat->next++];
        if (!plan->closed[choice->topic])
            student = propose(deferred, choice->topic, assignment_claim(choice->rank, student));
    }
}

static void
begin(struct deferred *deferred, const struct assignment_plan *plan)
{
    const struct assignment_instance *instance = deferred->instance;

    for (uint32_t u = 0; u < instance->unit_count; u++) {
        deferred->places[u].count = 0;
        deferred->places[u].heaped = false;
    }
    for (uint32_t i = 0; i < instance->student_count; i++) {
        const uint32_t s = deferred->lottery->order[i];
        const struct assignment_student *row = &instance->students[s];
        uint32_t first, end;

        plan_range(plan, row, s, &first, &end);
        deferred->seats[i] =
            (struct seat){row->first + first, row->first + end, ASSIGNMENT_NONE};
    }
}

void
deferred_run(struct deferred *deferred, const struct assignment_plan *plan, uint32_t *topic)
{
    const struct assignment_instance *instance = deferred->instance;
    const uint32_t *number = deferred->lottery->number;

    begin(deferred, plan);
    for (uint32_t s = 0; s < instance->student_count; s++)
        if (instance->students[s].pinned != ASSIGNMENT_NONE)
            /* Better than any rank; there is room, or the instance was not checked. */
            (void)propose(deferred, instance->students[s].pinned, number[s]);
    for (uint32_t i = 0; i < instance->student_count; i++)
        if (instance->students[deferred->lottery->order[i]].pinned == ASSIGNMENT_NONE)
            settle(deferred, plan, i);
    for (uint32_t s = 0; s < instance->student_count; s++)
        topic[s] = deferred->seats[number[s]].topic;
}
