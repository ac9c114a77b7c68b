#pragma once

/* What the engine knows of one document: the terms it has, and the facts that filters and
 * points come from.  What the numbers mean is the caller's affair.
 */

#include "common/base/status.h"

#include <stddef.h>
#include <stdint.h>

#define DOCUMENT_TERMS_MAX 4096u
#define DOCUMENT_TERM_LIMIT ((uint32_t)1 << 23) /* above every term */
#define DOCUMENT_REGIONS_MAX 4096u
#define DOCUMENT_GRADES 32u
#define DOCUMENT_CLASSES_MAX 64u

struct document {
    uint64_t id;           /* ties are decided by it, the smaller first */
    void *item;            /* the caller's, not looked at; may be NULL */
    const uint32_t *terms; /* rising, each once */
    uint32_t term_count;   /* at most DOCUMENT_TERMS_MAX */
    uint64_t classes;      /* bit n: it is of class n */
    uint16_t region;       /* below DOCUMENT_REGIONS_MAX */
    uint16_t order;        /* documents of a region with like terms have like orders */
    uint16_t from, until;  /* days, both included */
    uint8_t grade;         /* below DOCUMENT_GRADES */
};

/* INVALID_ARGUMENT: it passes one of the limits above, or is of a class beyond the count. */
must_use struct status document_check(const struct document *document, uint32_t class_count);
