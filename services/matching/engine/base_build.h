#pragma once

/* Making a base of documents. */

#include "services/matching/engine/base.h"

#include <stdatomic.h>

/* Where the documents come from: any number of them, read several times. */
struct base_source {
    uint32_t count;
    void *context;
    /* The region and order of a document: region << 16 | order. */
    uint32_t (*key)(void *context, uint32_t number);
    /* A document; its terms may go into `terms`. */
    void (*read)(void *context, uint32_t number, uint32_t *terms, struct document *ret);
};

struct base_options {
    uint32_t term_limit;  /* above every term */
    uint32_t class_count; /* of documents: 1..DOCUMENT_CLASSES_MAX */
    bool with_items;
    const atomic_bool *stop; /* NULL, or: give up when it becomes true */
};

/* Same documents, same base.  RESOURCE_EXHAUSTED: no memory, or more than BASE_PLACES_MAX
 * places; ABORTED: told to stop. */
must_use struct status base_build(const struct base_source *source,
                                  const struct base_options *options, struct base **ret);
