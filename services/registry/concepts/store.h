#pragma once

/* Where concepts are kept.  Conventions as in organisations/store.h. */

#include "common/pg/pg_tx.h"
#include "services/registry/concepts/rules.h"

/* By id or URI.  NOT_FOUND. */
must_use struct status store_concept_get(struct pg_tx *tx, struct arena *arena,
                                         const char *id_or_uri, Registry__V1__Concept **ret);

struct concept_filter {
    const char *after_sort, *after_id; /* "" from the beginning */
    const char *label;                 /* folded and escaped for LIKE; may be "" */
    const char *vocabulary;            /* "": the one in use */
    enum lang lang;
    int kind; /* 0: any */
    uint32_t limit;
};

struct concept_row {
    Registry__V1__Concept *concept;
    const char *sort; /* the list's sort key */
};

/* Those whose label begins with what is looked for, then the others, each by label. */
must_use struct status store_concept_list(struct pg_tx *tx, struct arena *arena,
                                          const struct concept_filter *filter,
                                          struct concept_row **ret, size_t *ret_count);

/* What is known of each URI; hash NULL: nothing. */
struct concept_known {
    const char *hash, *vocabulary;
};
must_use struct status store_concept_known(struct pg_tx *tx, struct arena *arena,
                                           const struct concept_entry *entries, size_t count,
                                           struct concept_known **ret);

/* Adds or replaces all of them in one statement.  New ones are active when the vocabulary is in
 * use, or when none is.  ret_active: whether any of them is. */
must_use struct status store_concept_put(struct pg_tx *tx, struct arena *arena,
                                         const struct clock *clock, const char *vocabulary,
                                         const char *version,
                                         const struct concept_entry *const *entries,
                                         size_t count, const char ***ret_ids, bool *ret_active);

/* Exactly the concepts of `vocabulary` become active.  NOT_FOUND: it has none. */
must_use struct status store_concept_activate(struct pg_tx *tx, struct arena *arena,
                                              const char *vocabulary, bool beside,
                                              uint32_t *ret_active);

/* The label of each id in `lang`, or else in English, Swedish or Finnish; NULL: no such
 * concept. */
must_use struct status store_concept_labels(struct pg_tx *tx, struct arena *arena,
                                            enum lang lang, const char *const *ids,
                                            size_t count, const char ***ret);
