#include "services/matching/composition/simplex.h"

#include <math.h>

#define EPSILON 1e-7
#define PIVOT_LEAST 1e-9
#define ITERATIONS_PER_ROW 60u
#define LOOK_EVERY 200000u /* columns priced between two looks at the clock */
#define NO_ROW UINT32_MAX

/* Columns, in this order: the items (at most 1), a shown class each (at most 1), a forfeit for
 * each row (at most 1; 0 when hard), a surplus for each row, an artificial for each row. */
struct tableau {
    const struct pool *pool;
    const struct relax_items *items;
    size_t rows; /* of the pool with a need, one for the classes, one for each class */
    size_t columns;
    size_t classes_at, forfeits_at, surplus_at, artificial_at; /* first columns */
    size_t class_count;
    uint32_t row_of[POOL_ROWS_MAX]; /* NO_ROW: needs nothing */
    size_t pool_rows;               /* rows that stand for rows of the pool */
    uint32_t class_row[POOL_CLASSES_MAX + 1];
    double *inverse; /* rows x rows */
    double *values;  /* of the basic variables */
    double *duals, *column;
    uint32_t *basis; /* column of each row */
    uint8_t *state;  /* of each column */
    double dear;     /* cost of an artificial */
};

enum { AT_LOWER, AT_UPPER, BASIC };

/* The entries of a column: at most POOL_ROWS_MAX + 1. */
struct entries {
    size_t count;
    uint32_t rows[POOL_ROWS_MAX + 1];
    double values[POOL_ROWS_MAX + 1];
};

static void
add_entry(struct entries *entries, uint32_t row, double value)
{
    entries->rows[entries->count] = row;
    entries->values[entries->count++] = value;
}

static void
item_entries(const struct tableau *t, size_t at, struct entries *ret)
{
    const struct pool_candidate *candidate = &t->pool->candidates[t->items->items[at]];

    for (uint64_t rest = candidate->rows; rest; rest &= rest - 1) {
        const uint32_t row = t->row_of[__builtin_ctzll(rest)];
        if (row != NO_ROW)
            add_entry(ret, row, 1);
    }
    if (candidate->class)
        add_entry(ret, t->class_row[candidate->class], 1);
}

static void
entries_of(const struct tableau *t, size_t column, struct entries *ret)
{
    ret->count = 0;
    if (column < t->classes_at) {
        item_entries(t, column, ret);
    } else if (column < t->forfeits_at) {
        add_entry(ret, (uint32_t)(t->pool_rows + 1 + column - t->classes_at), -1);
        add_entry(ret, (uint32_t)t->pool_rows, 1);
    } else if (column < t->surplus_at) {
        add_entry(ret, (uint32_t)(column - t->forfeits_at), 1);
    } else if (column < t->artificial_at) {
        add_entry(ret, (uint32_t)(column - t->surplus_at), -1);
    } else {
        add_entry(ret, (uint32_t)(column - t->artificial_at), 1);
    }
}

static const struct pool_row *
pool_row_at(const struct tableau *t, size_t row)
{
    for (size_t r = 0; r < t->pool->row_count; r++)
        if (t->row_of[r] == row)
            return &t->pool->rows[r];
    return NULL;
}

static double
cost_of(const struct tableau *t, size_t column)
{
    if (column < t->classes_at)
        return t->pool->candidates[t->items->items[column]].cost;
    if (column < t->forfeits_at)
        return -(double)t->pool->class_bonus;
    if (column < t->surplus_at)
        return pool_row_at(t, column - t->forfeits_at)->forfeit;
    return column < t->artificial_at ? 0 : t->dear;
}

static double
upper_of(const struct tableau *t, size_t column)
{
    if (column < t->forfeits_at)
        return 1;
    if (column < t->surplus_at)
        return pool_row_at(t, column - t->forfeits_at)->forfeit ? 1 : 0;
    return HUGE_VAL;
}

static void
lay_out(struct tableau *t)
{
    const struct pool *pool = t->pool;

    for (size_t r = 0; r < pool->row_count; r++)
        t->row_of[r] = pool->rows[r].need ? (uint32_t)t->pool_rows++ : NO_ROW;
    for (size_t i = 0; i < t->items->count; i++) {
        const struct pool_candidate *candidate = &pool->candidates[t->items->items[i]];

        if (candidate->class && !t->class_row[candidate->class])
            t->class_row[candidate->class] = (uint32_t)(t->pool_rows + 1 + t->class_count++);
        t->dear += candidate->cost > t->dear ? candidate->cost - t->dear : 0;
    }
    t->dear = t->dear * POOL_SET_MAX + 1;
    t->rows = t->pool_rows + 1 + t->class_count;
    t->classes_at = t->items->count;
    t->forfeits_at = t->classes_at + t->class_count;
    t->surplus_at = t->forfeits_at + t->pool_rows;
    t->artificial_at = t->surplus_at + t->rows;
    t->columns = t->artificial_at + t->rows;
}

static double
need_of(const struct tableau *t, size_t row)
{
    if (row < t->pool_rows)
        return pool_row_at(t, row)->need;
    return row == t->pool_rows ? t->pool->distinct_need : 0;
}

/* Artificials where something is needed, surpluses elsewhere. */
static struct status
start(struct tableau *t, struct arena *arena)
{
    TRY(need(t->inverse = ARENA_ARRAY(arena, double, t->rows * t->rows)));
    TRY(need(t->values = ARENA_ARRAY(arena, double, t->rows)));
    TRY(need(t->duals = ARENA_ARRAY(arena, double, t->rows)));
    TRY(need(t->column = ARENA_ARRAY(arena, double, t->rows)));
    TRY(need(t->basis = ARENA_ARRAY(arena, uint32_t, t->rows)));
    TRY(need(t->state = ARENA_ARRAY(arena, uint8_t, t->columns)));
    for (size_t row = 0; row < t->rows; row++) {
        const bool needed = need_of(t, row) > 0;

        t->basis[row] = (uint32_t)((needed ? t->artificial_at : t->surplus_at) + row);
        t->inverse[row * t->rows + row] = needed ? 1 : -1;
        t->values[row] = need_of(t, row);
        t->state[t->basis[row]] = BASIC;
    }
    return OK;
}

static void
find_duals(struct tableau *t)
{
    for (size_t k = 0; k < t->rows; k++)
        t->duals[k] = 0;
    for (size_t row = 0; row < t->rows; row++) {
        const double cost = cost_of(t, t->basis[row]);
        const double *inverse = &t->inverse[row * t->rows];

        if (cost != 0)
            for (size_t k = 0; k < t->rows; k++)
                t->duals[k] += cost * inverse[k];
    }
}

static inline double
item_reduced(const struct tableau *t, const double *worth, const struct pool_candidate *item)
{
    double value = item->cost;

    for (uint64_t rest = item->rows; rest; rest &= rest - 1)
        value -= worth[__builtin_ctzll(rest)];
    return item->class ? value - t->duals[t->class_row[item->class]] : value;
}

/* The column that improves fastest, or t->columns. */
static size_t
price(const struct tableau *t)
{
    double worth[POOL_ROWS_MAX], best = EPSILON;
    size_t found = t->columns;

    for (size_t r = 0; r < t->pool->row_count; r++)
        worth[r] = t->row_of[r] == NO_ROW ? 0 : t->duals[t->row_of[r]];
    for (size_t j = 0; j < t->artificial_at; j++) {
        double gain;

        if (t->state[j] == BASIC)
            continue;
        if (j < t->classes_at) {
            gain = -item_reduced(t, worth, &t->pool->candidates[t->items->items[j]]);
        } else {
            struct entries entries;
            if (upper_of(t, j) <= 0)
                continue;
            gain = -cost_of(t, j);
            entries_of(t, j, &entries);
            for (size_t e = 0; e < entries.count; e++)
                gain += t->duals[entries.rows[e]] * entries.values[e];
        }
        gain = t->state[j] == AT_UPPER ? -gain : gain;
        if (gain > best) {
            best = gain;
            found = j;
        }
    }
    return found;
}

/* The entering column in terms of the basis. */
static void
transform(struct tableau *t, size_t column)
{
    struct entries entries;

    entries_of(t, column, &entries);
    for (size_t row = 0; row < t->rows; row++) {
        const double *inverse = &t->inverse[row * t->rows];
        double sum = 0;

        for (size_t e = 0; e < entries.count; e++)
            sum += inverse[entries.rows[e]] * entries.values[e];
        t->column[row] = sum;
    }
}

/* How far the entering column may move, and the row that stops it (t->rows: its own bound). */
static double
ratio(const struct tableau *t, double direction, double own, size_t *ret_row, bool *ret_upper)
{
    double least = own;

    *ret_row = t->rows;
    for (size_t row = 0; row < t->rows; row++) {
        const double change = direction * t->column[row];
        double room;

        if (change > EPSILON) {
            room = t->values[row] / change;
        } else if (change < -EPSILON) {
            const double upper = upper_of(t, t->basis[row]);
            room = isinf(upper) ? HUGE_VAL : (upper - t->values[row]) / -change;
        } else {
            continue;
        }
        room = room < 0 ? 0 : room;
        if (room < least - PIVOT_LEAST || (room <= least + PIVOT_LEAST && *ret_row < t->rows &&
                                           fabs(t->column[row]) > fabs(t->column[*ret_row]))) {
            least = room < least ? room : least;
            *ret_row = row;
            *ret_upper = change < 0;
        }
    }
    return least;
}

static void
pivot(struct tableau *t, size_t pivot_row)
{
    double *own = &t->inverse[pivot_row * t->rows];
    const double by = 1 / t->column[pivot_row];

    for (size_t k = 0; k < t->rows; k++)
        own[k] *= by;
    for (size_t row = 0; row < t->rows; row++) {
        const double factor = t->column[row];
        double *other = &t->inverse[row * t->rows];

        if (row == pivot_row || fabs(factor) < PIVOT_LEAST)
            continue;
        for (size_t k = 0; k < t->rows; k++)
            other[k] -= factor * own[k];
    }
}

/* Brings a column in; false when nothing stops it. */
static bool
enter(struct tableau *t, size_t column)
{
    const double direction = t->state[column] == AT_UPPER ? -1 : 1;
    bool at_upper = false;
    size_t leaving;
    double distance;

    transform(t, column);
    distance = ratio(t, direction, upper_of(t, column), &leaving, &at_upper);
    if (isinf(distance))
        return false;
    for (size_t row = 0; row < t->rows; row++)
        t->values[row] -= direction * distance * t->column[row];
    if (leaving == t->rows) {
        t->state[column] = direction > 0 ? AT_UPPER : AT_LOWER;
        return true;
    }
    t->state[t->basis[leaving]] = at_upper ? AT_UPPER : AT_LOWER;
    t->values[leaving] = direction > 0 ? distance : upper_of(t, column) - distance;
    t->basis[leaving] = (uint32_t)column;
    t->state[column] = BASIC;
    pivot(t, leaving);
    return true;
}

struct status
simplex_multipliers(const struct pool *pool, const struct relax_items *items,
                    struct arena *arena, const struct clock *clock, struct mono deadline,
                    struct relax *relax)
{
    struct tableau t = {.pool = pool, .items = items};
    double multipliers[POOL_ROWS_MAX] = {0};

    lay_out(&t);
    TRY(start(&t, arena));
    for (size_t i = 0, priced = 0; i < t.rows * ITERATIONS_PER_ROW; i++) {
        size_t column;

        find_duals(&t);
        column = price(&t);
        if (column == t.columns || !enter(&t, column))
            break;
        priced += t.columns;
        if (priced < LOOK_EVERY)
            continue;
        priced = 0;
        if (mono_left_ms(deadline, clock_mono(clock)) == 0)
            break;
    }
    find_duals(&t);
    for (size_t r = 0; r < pool->row_count; r++)
        if (t.row_of[r] != NO_ROW)
            multipliers[r] = t.duals[t.row_of[r]];
    relax_take(pool, items, multipliers, relax);
    return OK;
}
