#pragma once

/* What a concept must be like, and what is kept of it.  Pure: no I/O, no clock. */

#include "common/base/arena.h"
#include "common/base/lang.h"
#include "common/base/status.h"
#include "registry/v1/concepts.pb-c.h"

#define CONCEPT_HASH_SIZE 65 /* BLAKE2b-256 in hexadecimal and a NUL */

/* A concept as it is stored.  Lists are joined by line feeds, which no item holds. */
struct concept_entry {
    const char *uri;
    int kind;
    const char *labels[LANG_COUNT];       /* "" when there is none in that language */
    const char *alternatives[LANG_COUNT]; /* joined */
    const char *sorts[LANG_COUNT];        /* the label shown in that language, folded */
    const char *broader_uris;             /* joined */
    const char *folded;                   /* all labels and alternatives, folded, joined */
    char hash[CONCEPT_HASH_SIZE];         /* of all this and the vocabulary's version */
};

/* 1..40 characters of a-z, 0-9, '.', '_' and '-'.  INVALID_ARGUMENT names the field. */
must_use struct status rules_vocabulary(struct arena *arena, const char *vocabulary);
must_use struct status rules_vocabulary_version(struct arena *arena, const char *version);

/* Checks item `index` of an import and makes what is stored.  INVALID_ARGUMENT names the
 * field. */
must_use struct status rules_concept(struct arena *arena, size_t index, const char *version,
                                     const Registry__V1__ConceptImport *concept,
                                     struct concept_entry *ret);

/* INVALID_ARGUMENT: a URI comes twice. */
must_use struct status
rules_concepts_distinct(struct arena *arena, const struct concept_entry *entries, size_t count);
