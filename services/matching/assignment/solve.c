#include "services/matching/assignment/solve.h"

#include <stdlib.h>

#include "services/matching/assignment/deferred.h"
#include "services/matching/assignment/flow.h"

/* A topic that both of a pair chose, by the positions in their lists. */
struct joint {
    uint32_t position[2];
};

struct pair {
    uint32_t student[2];
    uint32_t first, count; /* joints, best first */
    uint32_t at;           /* the one that is tried; count: they are separated */
};

struct work {
    const struct assignment_instance *instance;
    struct assignment_result *result;
    struct assignment_plan plan;
    struct deferred *deferred; /* one of the two */
    struct flow *flow;
    struct pair *pairs;
    struct joint *joints;
    uint32_t pair_count, joint_count;
    uint32_t runs_max;
    uint32_t *load; /* by unit */
};

/* STABLE takes next to nothing. */
static uint32_t
runs_allowed(const struct assignment_instance *instance)
{
    const uint64_t work = (uint64_t)instance->student_count * instance->choice_count;
    const uint64_t runs = ASSIGNMENT_WORK_MAX / (work + 1);

    if (instance->objective == ASSIGNMENT_STABLE || runs > ASSIGNMENT_RUNS_MAX)
        return ASSIGNMENT_RUNS_MAX;
    return runs < 3 ? 3 : (uint32_t)runs;
}

static void
run(struct work *work)
{
    if (work->flow)
        flow_run(work->flow, &work->plan, work->result->topic);
    else
        deferred_run(work->deferred, &work->plan, work->result->topic);
    work->result->runs++;
}

/* Pairs */

static int
better_joint(const void *left, const void *right)
{
    const struct joint *a = left, *b = right;
    const uint64_t sum_a = (uint64_t)a->position[0] + a->position[1];
    const uint64_t sum_b = (uint64_t)b->position[0] + b->position[1];

    if (sum_a != sum_b)
        return sum_a < sum_b ? -1 : 1;
    return a->position[0] < b->position[0] ? -1 : a->position[0] > b->position[0];
}

static uint32_t
topic_at(const struct assignment_instance *instance, uint32_t student, uint32_t position)
{
    return instance->choices[instance->students[student].first + position].topic;
}

static bool
room_for_two(const struct assignment_instance *instance, uint32_t topic)
{
    for (uint32_t u = topic; u != ASSIGNMENT_NONE; u = instance->units[u].parent)
        if (instance->units[u].capacity < 2)
            return false;
    return true;
}

/* The topics that both chose; where one is pinned, only that one. */
static void
join(struct work *work, struct pair *pair)
{
    const struct assignment_instance *instance = work->instance;
    const uint32_t a = pair->student[0], b = pair->student[1];
    const uint32_t pinned_a = instance->students[a].pinned;
    const uint32_t pinned =
        pinned_a != ASSIGNMENT_NONE ? pinned_a : instance->students[b].pinned;

    pair->first = work->joint_count;
    for (uint32_t i = 0; i < instance->students[a].count; i++) {
        const uint32_t topic = topic_at(instance, a, i);
        const uint32_t other = assignment_position(instance, b, topic);

        if (other != ASSIGNMENT_NONE && room_for_two(instance, topic) &&
            (pinned == ASSIGNMENT_NONE || pinned == topic))
            work->joints[work->joint_count++] = (struct joint){{i, other}};
    }
    pair->count = work->joint_count - pair->first;
    qsort(work->joints + pair->first, pair->count, sizeof *work->joints, better_joint);
}

static struct status
make_pairs(struct work *work, struct arena *arena)
{
    const struct assignment_instance *instance = work->instance;
    uint64_t joints = 0;

    for (uint32_t s = 0; s < instance->student_count; s++)
        if (instance->students[s].partner != ASSIGNMENT_NONE &&
            instance->students[s].partner > s) {
            work->pair_count++;
            joints += instance->students[s].count;
        }
    TRY(need(work->pairs = ARENA_ARRAY(arena, struct pair, (size_t)work->pair_count + 1)));
    TRY(need(work->joints = ARENA_ARRAY(arena, struct joint, joints + 1)));
    work->pair_count = 0;
    /* By lottery, so that of several pairs in each other's way the last drawn gives way. */
    for (uint32_t i = 0; i < instance->student_count; i++) {
        const uint32_t s = work->result->lottery.order[i];
        const uint32_t partner = instance->students[s].partner;

        if (partner == ASSIGNMENT_NONE || work->result->lottery.number[partner] < i)
            continue;
        work->pairs[work->pair_count] = (struct pair){.student = {s, partner}};
        join(work, &work->pairs[work->pair_count++]);
    }
    return OK;
}

static void
plan_pair(struct work *work, const struct pair *pair)
{
    for (size_t i = 0; i < 2; i++)
        work->plan.only[pair->student[i]] =
            pair->at < pair->count ? work->joints[pair->first + pair->at].position[i]
                                   : ASSIGNMENT_NONE;
}

/* Whether both work on the topic that is tried. */
static bool
pair_holds(const struct work *work, const struct pair *pair)
{
    const struct joint *joint = &work->joints[pair->first + pair->at];
    const uint32_t topic = topic_at(work->instance, pair->student[0], joint->position[0]);

    return work->result->topic[pair->student[0]] == topic &&
           work->result->topic[pair->student[1]] == topic;
}

/* Runs until every pair that is not separated works together. */
static void
run_pairs(struct work *work)
{
    for (;;) {
        const bool enough = work->result->runs >= work->runs_max;
        bool again = false;

        run(work);
        for (uint32_t i = work->pair_count; i-- > 0 && (enough || !again);) {
            struct pair *pair = &work->pairs[i];

            if (pair->at == pair->count || pair_holds(work, pair))
                continue;
            pair->at = enough ? pair->count : pair->at + 1;
            plan_pair(work, pair);
            again = true;
        }
        if (!again)
            return;
    }
}

/* Optional topics */

static void
count_load(struct work *work)
{
    const struct assignment_instance *instance = work->instance;

    for (uint32_t u = 0; u < instance->unit_count; u++)
        work->load[u] = 0;
    for (uint32_t s = 0; s < instance->student_count; s++)
        if (work->result->topic[s] != ASSIGNMENT_NONE)
            assignment_load(instance, work->load, work->result->topic[s]);
}

/* How many students an optional topic is short of running; 0: it runs, or is closed already. */
static uint32_t
short_of(const struct work *work, const bool *pinned, uint32_t topic)
{
    const struct assignment_topic *row = &work->instance->topics[topic];

    return row->optional && !pinned[topic] && work->load[topic] > 0 &&
                   work->load[topic] < row->least
               ? row->least - work->load[topic]
               : 0;
}

/* Closes the optional topic that is farthest from running, or all of them.  False: all run. */
static bool
close_topics(struct work *work, const bool *pinned, bool all)
{
    uint32_t farthest = 0, found = ASSIGNMENT_NONE;

    for (uint32_t t = 0; t < work->instance->topic_count; t++) {
        const uint32_t missing = short_of(work, pinned, t);

        if (missing > farthest) {
            farthest = missing;
            found = t;
        }
        if (missing > 0 && all)
            work->plan.closed[t] = true;
    }
    if (found != ASSIGNMENT_NONE)
        work->plan.closed[found] = true;
    return found != ASSIGNMENT_NONE;
}

static struct status
run_topics(struct work *work, struct arena *arena)
{
    const struct assignment_instance *instance = work->instance;
    bool *pinned;

    TRY(need(pinned = ARENA_ARRAY(arena, bool, (size_t)instance->topic_count + 1)));
    for (uint32_t s = 0; s < instance->student_count; s++)
        if (instance->students[s].pinned != ASSIGNMENT_NONE)
            pinned[instance->students[s].pinned] = true;
    do {
        run_pairs(work);
        count_load(work);
    } while (close_topics(work, pinned, work->result->runs >= work->runs_max));
    return OK;
}

/* What is left */

static bool
may_fill(const struct work *work, uint32_t topic)
{
    const struct assignment_topic *row = &work->instance->topics[topic];

    return !work->plan.closed[topic] && (!row->optional || work->load[topic] >= row->least) &&
           assignment_full(work->instance, work->load, topic) == ASSIGNMENT_NONE;
}

/* The next student without a place, voters first, each part by lottery; ASSIGNMENT_NONE: none.
 */
static uint32_t
next_without(const struct work *work, uint32_t *at)
{
    const struct assignment_instance *instance = work->instance;

    for (; *at < 2 * instance->student_count; ++*at) {
        const bool voters = *at < instance->student_count;
        const uint32_t s =
            work->result->lottery.order[voters ? *at : *at - instance->student_count];

        if (work->result->topic[s] == ASSIGNMENT_NONE &&
            (instance->students[s].count > 0) == voters)
            return s;
    }
    return ASSIGNMENT_NONE;
}

/* One more for each of the topics with the fewest students, again and again. */
static void
fill(struct work *work)
{
    uint32_t at = 0, s;

    while ((s = next_without(work, &at)) != ASSIGNMENT_NONE) {
        uint32_t fewest = UINT32_MAX;

        for (uint32_t t = 0; t < work->instance->topic_count; t++)
            if (work->load[t] < fewest && may_fill(work, t))
                fewest = work->load[t];
        if (fewest == UINT32_MAX)
            return;
        for (uint32_t t = 0; t < work->instance->topic_count && s != ASSIGNMENT_NONE; t++) {
            if (work->load[t] != fewest || !may_fill(work, t))
                continue;
            work->result->topic[s] = t;
            work->result->basis[s] = ASSIGNMENT_BY_FILL;
            assignment_load(work->instance, work->load, t);
            s = next_without(work, &at);
        }
    }
}

/* By what each has its place, before filling. */
static void
set_basis(struct work *work)
{
    const struct assignment_instance *instance = work->instance;
    struct assignment_result *result = work->result;

    for (uint32_t s = 0; s < instance->student_count; s++)
        result->basis[s] = result->topic[s] == ASSIGNMENT_NONE ? ASSIGNMENT_WITHOUT
                           : instance->students[s].pinned != ASSIGNMENT_NONE
                               ? ASSIGNMENT_BY_PIN
                               : ASSIGNMENT_BY_CHOICE;
    for (uint32_t i = 0; i < work->pair_count; i++)
        for (size_t k = 0; k < 2 && work->pairs[i].at < work->pairs[i].count; k++)
            if (result->basis[work->pairs[i].student[k]] == ASSIGNMENT_BY_CHOICE)
                result->basis[work->pairs[i].student[k]] = ASSIGNMENT_BY_PAIR;
}

static struct status
prepare(struct work *work, struct arena *arena)
{
    const struct assignment_instance *instance = work->instance;
    const size_t students = (size_t)instance->student_count + 1;
    const size_t topics = (size_t)instance->topic_count + 1;
    struct assignment_result *result = work->result;

    TRY(assignment_draw(instance, arena, &result->lottery));
    TRY(need(result->topic = ARENA_ARRAY(arena, uint32_t, students)));
    TRY(need(result->position = ARENA_ARRAY(arena, uint32_t, students)));
    TRY(need(result->basis = ARENA_ARRAY(arena, enum assignment_basis, students)));
    TRY(need(result->closed = ARENA_ARRAY(arena, bool, topics)));
    TRY(need(work->plan.only = ARENA_ARRAY(arena, uint32_t, students)));
    TRY(need(work->load = ARENA_ARRAY(arena, uint32_t, (size_t)instance->unit_count + 1)));
    work->plan.closed = result->closed;
    for (uint32_t s = 0; s < instance->student_count; s++)
        work->plan.only[s] = ASSIGNMENT_NONE;
    TRY(make_pairs(work, arena));
    for (uint32_t i = 0; i < work->pair_count; i++)
        plan_pair(work, &work->pairs[i]);
    if (instance->objective == ASSIGNMENT_STABLE)
        return deferred_create(instance, &result->lottery, arena, &work->deferred);
    return flow_create(instance, &result->lottery, arena, &work->flow);
}

struct status
assignment_solve(const struct assignment_instance *instance, struct arena *arena,
                 struct assignment_result *ret)
{
    struct assignment_result result = {0};
    struct work work = {
        .instance = instance, .result = &result, .runs_max = runs_allowed(instance)};

    TRY(assignment_check(instance, arena));
    TRY(prepare(&work, arena));
    TRY(run_topics(&work, arena));
    set_basis(&work);
    if (instance->fill)
        fill(&work);
    for (uint32_t s = 0; s < instance->student_count; s++)
        result.position[s] = result.topic[s] == ASSIGNMENT_NONE
                                 ? ASSIGNMENT_NONE
                                 : assignment_position(instance, s, result.topic[s]);
    *ret = result;
    return OK;
}
