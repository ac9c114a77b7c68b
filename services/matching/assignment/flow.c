#include "services/matching/assignment/flow.h"

#include "services/matching/assignment/cost.h"

/* Nodes: students, units, the sink.  Where a student has no place, its unit of flow goes
 * straight to the sink.  Residual arcs are read from `topic` and `load`; none are stored. */
struct flow {
    const struct assignment_instance *instance;
    const struct assignment_lottery *lottery;
    const struct assignment_plan *plan;
    struct cost_layout layout;
    struct cost without;      /* a student's without a place */
    struct cost *choice_cost; /* by position in the list */
    uint32_t units_at, sink;  /* nodes */
    struct cost *potential, *distance;
    uint32_t *from;    /* the node before, on the shortest path */
    uint32_t *heap_at; /* position in the heap, or one of the two below */
    uint32_t *heap;    /* nodes; the nearest on top */
    uint32_t *reached; /* nodes that this search has touched */
    uint32_t heap_count, reached_count;
    uint32_t *topic;                  /* by student */
    uint32_t *load;                   /* by unit */
    uint32_t *first, *after, *before; /* students of a topic: head, and links by student */
    uint32_t *child, *sibling;        /* units under a unit */
};

#define UNSEEN UINT32_MAX
#define DONE (UINT32_MAX - 1)

static uint32_t
longest_list(const struct assignment_instance *instance)
{
    uint32_t longest = 0;

    for (uint32_t s = 0; s < instance->student_count; s++)
        if (instance->students[s].count > longest)
            longest = instance->students[s].count;
    return longest;
}

/* Most choices of one student that a profile of `students` can tell apart. */
static uint32_t
ranks_max(uint32_t students)
{
    return COST_PROFILE_LIMBS * cost_layout(students, 0).each;
}

/* What each position in a list costs, and having no place. */
static void
set_costs(struct flow *flow, uint32_t longest)
{
    const enum assignment_objective objective = flow->instance->objective;

    flow->without.limb[objective == ASSIGNMENT_RANK_MAXIMAL ? 1 : 0] = 1;
    for (uint32_t i = 0; i < longest; i++) {
        struct cost *cost = &flow->choice_cost[i];

        switch (objective) {
        case ASSIGNMENT_GENEROUS:
            cost_count(&flow->layout, cost, longest - 1 - i, 1);
            break;
        case ASSIGNMENT_LEAST_TOTAL:
            cost->limb[1] = i + 1;
            break;
        default: /* a gain; the one before it keeps the whole above zero */
            cost->limb[1] = 1;
            cost_count(&flow->layout, cost, i, -1);
        }
    }
}

static struct status
make_nodes(struct flow *flow, struct arena *arena)
{
    const size_t students = (size_t)flow->instance->student_count + 1;
    const size_t units = (size_t)flow->instance->unit_count + 1;
    const size_t nodes = students + units;
    uint32_t **const by_node[] = {&flow->from, &flow->heap_at, &flow->heap, &flow->reached};
    uint32_t **const by_student[] = {&flow->topic, &flow->after, &flow->before};
    uint32_t **const by_unit[] = {&flow->load, &flow->first, &flow->child, &flow->sibling};

    TRY(need(flow->potential = ARENA_ARRAY(arena, struct cost, nodes)));
    TRY(need(flow->distance = ARENA_ARRAY(arena, struct cost, nodes)));
    for (size_t i = 0; i < COUNT_OF(by_node); i++)
        TRY(need(*by_node[i] = ARENA_ARRAY(arena, uint32_t, nodes)));
    for (size_t i = 0; i < COUNT_OF(by_student); i++)
        TRY(need(*by_student[i] = ARENA_ARRAY(arena, uint32_t, students)));
    for (size_t i = 0; i < COUNT_OF(by_unit); i++)
        TRY(need(*by_unit[i] = ARENA_ARRAY(arena, uint32_t, units)));
    return OK;
}

struct status
flow_create(const struct assignment_instance *instance,
            const struct assignment_lottery *lottery, struct arena *arena, struct flow **ret)
{
    const uint32_t longest = longest_list(instance);
    struct flow *flow;

    TRY(need(flow = ARENA_NEW(arena, struct flow)));
    *flow = (struct flow){.instance = instance,
                          .lottery = lottery,
                          .units_at = instance->student_count,
                          .sink = instance->student_count + instance->unit_count};
    flow->layout = cost_layout(instance->student_count,
                               instance->objective == ASSIGNMENT_LEAST_TOTAL ? 0 : longest);
    if (flow->layout.limbs > COST_LIMBS)
        return FAIL_FIELD(arena, "objective",
                          "with %u students it takes lists of at most %u choices, one has %u",
                          instance->student_count, ranks_max(instance->student_count), longest);
    TRY(need(flow->choice_cost = ARENA_ARRAY(arena, struct cost, (size_t)longest + 1)));
    set_costs(flow, longest);
    TRY(make_nodes(flow, arena));
    for (uint32_t u = 0; u < instance->unit_count; u++)
        flow->child[u] = ASSIGNMENT_NONE;
    for (uint32_t u = instance->unit_count; u-- > 0;) {
        const uint32_t parent = instance->units[u].parent;

        if (parent == ASSIGNMENT_NONE)
            continue;
        flow->sibling[u] = flow->child[parent];
        flow->child[parent] = u;
    }
    *ret = flow;
    return OK;
}

/* The heap of nodes by distance. */

static bool
nearer(const struct flow *flow, uint32_t a, uint32_t b)
{
    const int order = cost_compare(&flow->layout, &flow->distance[a], &flow->distance[b]);

    return order < 0 || (order == 0 && a < b);
}

static void
heap_put(struct flow *flow, uint32_t i, uint32_t node)
{
    flow->heap[i] = node;
    flow->heap_at[node] = i;
}

static void
heap_up(struct flow *flow, uint32_t node)
{
    uint32_t i = flow->heap_at[node];

    while (i > 0 && nearer(flow, node, flow->heap[(i - 1) / 2])) {
        heap_put(flow, i, flow->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    heap_put(flow, i, node);
}

static uint32_t
heap_pop(struct flow *flow)
{
    const uint32_t top = flow->heap[0];
    const uint32_t last = flow->heap[--flow->heap_count];
    uint32_t i = 0;

    for (;;) {
        uint32_t child = 2 * i + 1;

        if (child >= flow->heap_count)
            break;
        child += child + 1 < flow->heap_count &&
                 nearer(flow, flow->heap[child + 1], flow->heap[child]);
        if (!nearer(flow, flow->heap[child], last))
            break;
        heap_put(flow, i, flow->heap[child]);
        i = child;
    }
    if (flow->heap_count > 0)
        heap_put(flow, i, last);
    flow->heap_at[top] = DONE;
    return top;
}

/* An arc from a node that is done; `cost` NULL: nothing. */
static void
relax(struct flow *flow, uint32_t from, uint32_t to, const struct cost *cost, int64_t sign)
{
    struct cost distance = flow->distance[from];

    if (flow->heap_at[to] == DONE)
        return;
    cost_add(&flow->layout, &distance, &flow->potential[from], 1);
    cost_add(&flow->layout, &distance, &flow->potential[to], -1);
    if (cost)
        cost_add(&flow->layout, &distance, cost, sign);
    if (flow->heap_at[to] == UNSEEN) {
        flow->reached[flow->reached_count++] = to;
        flow->heap_at[to] = flow->heap_count++;
    } else if (cost_compare(&flow->layout, &distance, &flow->distance[to]) >= 0) {
        return;
    }
    flow->distance[to] = distance;
    flow->from[to] = from;
    heap_up(flow, to);
}

static void
relax_student(struct flow *flow, uint32_t s)
{
    const struct assignment_student *row = &flow->instance->students[s];
    uint32_t first, end;

    plan_range(flow->plan, row, s, &first, &end);
    for (uint32_t i = first; i < end; i++) {
        const uint32_t topic = flow->instance->choices[row->first + i].topic;

        if (topic != flow->topic[s] && !flow->plan->closed[topic])
            relax(flow, s, flow->units_at + topic, &flow->choice_cost[i], 1);
    }
    relax(flow, s, flow->sink, &flow->without, 1);
}

static void
relax_unit(struct flow *flow, uint32_t u)
{
    const struct assignment_unit *unit = &flow->instance->units[u];
    const uint32_t node = flow->units_at + u;

    if (flow->load[u] < unit->capacity)
        relax(flow, node,
              unit->parent == ASSIGNMENT_NONE ? flow->sink : flow->units_at + unit->parent,
              NULL, 0);
    for (uint32_t v = flow->child[u]; v != ASSIGNMENT_NONE; v = flow->sibling[v])
        if (flow->load[v] > 0)
            relax(flow, node, flow->units_at + v, NULL, 0);
    if (u >= flow->instance->topic_count)
        return;
    for (uint32_t s = flow->first[u]; s != ASSIGNMENT_NONE; s = flow->after[s])
        relax(flow, node, s, &flow->choice_cost[assignment_position(flow->instance, s, u)], -1);
}

/* The shortest path from a student to the sink, in `from`; moves the potentials. */
static void
search(struct flow *flow, uint32_t student)
{
    uint32_t node = student;

    flow->heap_count = 0;
    flow->reached_count = 1;
    flow->reached[0] = student;
    flow->distance[student] = (struct cost){0};
    flow->heap_at[student] = DONE;
    while (node != flow->sink) { /* a student reaches it always */
        if (node < flow->units_at)
            relax_student(flow, node);
        else
            relax_unit(flow, node - flow->units_at);
        node = heap_pop(flow);
    }
    for (uint32_t i = 0; i < flow->reached_count; i++) {
        node = flow->reached[i];
        if (flow->heap_at[node] == DONE) {
            cost_add(&flow->layout, &flow->potential[node], &flow->distance[node], 1);
            cost_add(&flow->layout, &flow->potential[node], &flow->distance[flow->sink], -1);
        }
        flow->heap_at[node] = UNSEEN;
    }
}

static void
link_student(struct flow *flow, uint32_t s, uint32_t topic)
{
    const uint32_t second = flow->first[topic];

    flow->topic[s] = topic;
    flow->before[s] = ASSIGNMENT_NONE;
    flow->after[s] = second;
    flow->first[topic] = s;
    if (second != ASSIGNMENT_NONE)
        flow->before[second] = s;
}

static void
unlink_student(struct flow *flow, uint32_t s)
{
    if (flow->before[s] == ASSIGNMENT_NONE)
        flow->first[flow->topic[s]] = flow->after[s];
    else
        flow->after[flow->before[s]] = flow->after[s];
    if (flow->after[s] != ASSIGNMENT_NONE)
        flow->before[flow->after[s]] = flow->before[s];
    flow->topic[s] = ASSIGNMENT_NONE;
}

/* Sends one unit along the path that search found.  A student on it leaves its topic, if it had
 * one, for the node behind it. */
static void
augment(struct flow *flow, uint32_t student)
{
    uint32_t to = flow->sink;

    while (to != student) {
        const uint32_t from = flow->from[to];

        if (from < flow->units_at) {
            if (flow->topic[from] != ASSIGNMENT_NONE)
                unlink_student(flow, from);
            if (to != flow->sink)
                link_student(flow, from, to - flow->units_at);
        } else if (to > from) { /* parents and the sink stand behind */
            flow->load[from - flow->units_at]++;
        } else if (to >= flow->units_at) {
            flow->load[to - flow->units_at]--;
        }
        to = from;
    }
}

static void
forget(struct flow *flow)
{
    for (uint32_t node = 0; node <= flow->sink; node++) {
        flow->potential[node] = (struct cost){0};
        flow->heap_at[node] = UNSEEN;
    }
    for (uint32_t s = 0; s < flow->instance->student_count; s++)
        flow->topic[s] = ASSIGNMENT_NONE;
    for (uint32_t u = 0; u < flow->instance->unit_count; u++) {
        flow->load[u] = 0;
        flow->first[u] = ASSIGNMENT_NONE;
    }
}

void
flow_run(struct flow *flow, const struct assignment_plan *plan, uint32_t *topic)
{
    const struct assignment_instance *instance = flow->instance;

    flow->plan = plan;
    forget(flow);
    for (uint32_t s = 0; s < instance->student_count; s++)
        if (instance->students[s].pinned != ASSIGNMENT_NONE)
            assignment_load(instance, flow->load, instance->students[s].pinned);
    for (uint32_t i = 0; i < instance->student_count; i++) {
        const uint32_t s = flow->lottery->order[i];

        if (instance->students[s].pinned != ASSIGNMENT_NONE)
            continue;
        search(flow, s);
        augment(flow, s);
    }
    for (uint32_t s = 0; s < instance->student_count; s++)
        topic[s] = instance->students[s].pinned != ASSIGNMENT_NONE
                       ? instance->students[s].pinned
                       : flow->topic[s];
}
