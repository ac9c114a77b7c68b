#pragma once

/* Repeated values as the array columns that keep them, and back.  Everything lives in the
 * arena. */

#include "common/pg/pg_tx.h"
#include "registry/v1/types.pb-c.h"

struct text_columns {
    const char **langs, **values, **translated;
    size_t langs_count, values_count, translated_count;
};

must_use struct status text_columns_make(struct arena *arena,
                                         Registry__V1__LocalText *const *texts, size_t count,
                                         struct text_columns *ret);
must_use struct status text_columns_read(struct arena *arena,
                                         const struct text_columns *columns,
                                         Registry__V1__LocalText ***ret, size_t *ret_count);

/* Three values of a statement. */
#define PG_TEXT_COLUMNS(columns)                                                               \
    pg_texts((columns).langs, (columns).langs_count),                                          \
        pg_texts((columns).values, (columns).values_count),                                    \
        pg_texts((columns).translated, (columns).translated_count)
/* Three slots of a row. */
#define PG_TO_TEXT_COLUMNS(columns)                                                            \
    pg_to_texts(&(columns).langs, &(columns).langs_count),                                     \
        pg_to_texts(&(columns).values, &(columns).values_count),                               \
        pg_to_texts(&(columns).translated, &(columns).translated_count)

struct skill_columns {
    const char **ids;
    int64_t *weights;
    size_t ids_count, weights_count;
};

must_use struct status skill_columns_make(struct arena *arena,
                                          Registry__V1__Skill *const *skills, size_t count,
                                          struct skill_columns *ret);
must_use struct status skill_columns_read(struct arena *arena,
                                          const struct skill_columns *columns,
                                          Registry__V1__Skill ***ret, size_t *ret_count);
#define PG_SKILL_COLUMNS(columns)                                                              \
    pg_texts((columns).ids, (columns).ids_count),                                              \
        pg_i64s((columns).weights, (columns).weights_count)
#define PG_TO_SKILL_COLUMNS(columns)                                                           \
    pg_to_texts(&(columns).ids, &(columns).ids_count),                                         \
        pg_to_i64s(&(columns).weights, &(columns).weights_count)

/* Lists of enum numbers (any enum of the contract: they share one size). */
must_use struct status enum_column_make(struct arena *arena, const int *values, size_t count,
                                        int64_t **ret);
must_use struct status enum_column_read(struct arena *arena, const int64_t *values,
                                        size_t count, int **ret);
