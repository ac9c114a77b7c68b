#pragma once

/* The writing side: documents come and go, versions show them, merges put them in order.
 *
 * New documents go to a tail.  A full tail is sealed, and a thread of its own makes a base of
 * sealed tails and of bases that are small beside them or have many dead; when it is ready the
 * writer puts it in their place.  A document that is removed is dead at once: no later version
 * has it.  Its item is given back as soon as no version has it, its terms go with the next
 * merge of its unit; engine_purge makes that the next one, engine_settle with `purge` does it
 * at once.
 *
 * All functions belong to one thread.  A version may be read by any thread until it is given
 * back.
 */

#include "services/matching/engine/base_build.h"
#include "services/matching/engine/version.h"

struct engine;

struct engine_options {
    uint32_t class_count;     /* of documents: 1..DOCUMENT_CLASSES_MAX */
    uint32_t tail_documents;  /* before a tail is sealed: a multiple of 64 */
    bool with_items;          /* documents have items */
    void (*drop)(void *item); /* may be NULL; called on the writer's thread */
};

struct engine_state {
    size_t bytes; /* of all units */
    uint32_t live, units, tails;
    uint64_t merges;
    uint64_t waited; /* times that a writer waited for a merge */
};

must_use struct status engine_create(const struct engine_options *options, struct engine **ret);
/* No version may be out any more. */
void engine_destroy(struct engine **engine);

/* Makes a base of many documents at once; the engine must be empty.  Ids may repeat when
 * their documents are told apart by their items. */
must_use struct status engine_load(struct engine *engine, const struct base_source *source,
                                   uint32_t term_limit);

/* Takes the document's item over.  On failure nothing has changed.
 * INVALID_ARGUMENT: a limit of document.h is passed.  RESOURCE_EXHAUSTED: no memory. */
must_use struct status engine_insert(struct engine *engine, const struct document *document);

/* Removes the document with this id for which `is` says yes (NULL: any).  NOT_FOUND: there is
 * none. */
must_use struct status engine_remove(struct engine *engine, uint64_t id,
                                     bool (*is)(void *context, void *item), void *context);

/* The document as version_find would find it in the next version; until the next change. */
bool engine_find(const struct engine *engine, uint64_t id,
                 bool (*is)(void *context, void *item), void *context, struct place *ret);

/* What is there now, for readers; costs about a microsecond. */
must_use struct status engine_version(struct engine *engine, struct version **ret);
/* Gives a version back when no reader has it any more. */
void engine_give_back(struct engine *engine, struct version **version);

/* Takes in a merge that is ready and starts one that is due; engine_insert does so too. */
void engine_tend(struct engine *engine);

/* Wants all that is dead out of memory: the next merge takes all units that hold any. */
void engine_purge(struct engine *engine);

/* Waits for the merge that is under way, if any, then merges all that is due or, with `purge`,
 * everything that is dead or in a tail. */
must_use struct status engine_settle(struct engine *engine, bool purge);

struct engine_state engine_state(const struct engine *engine);
