#pragma once

/* Saved searches: the room's door, and what follows from changed profiles. */

#include <protobuf-c/protobuf-c.h>

#include "common/pg/pg.h"
#include "services/matching/snapshot.h"
#include "services/matching/standing/standing.h"

struct call;

extern const ProtobufCService *const searches_service;
extern const struct pg_statement *const *const searches_statements;

/* What a process holds of them; the listener's thread alone uses it. */
struct searches {
    struct standing *standing;
    struct standing_probe *probe;
};

void searches_fini(struct searches *searches);

/* Reads all saved searches of all tenants again, in the terms of the snapshot's vocabulary. On
 * failure `into` is as it was. */
must_use struct status searches_load(struct call *call, const struct snapshot *snapshot,
                                     struct searches *into);

/* A search of the call's tenant was saved or removed: reads it again. */
must_use struct status searches_refresh(struct call *call, const struct snapshot *snapshot,
                                        struct searches *searches, const char *search_id);

/* A profile is new or has changed: every search that it satisfies and that was not told of it
 * yet is told, each with a row that makes it unique, in one transaction for each tenant. */
must_use struct status searches_tell(struct call *call, const struct snapshot *snapshot,
                                     struct searches *searches, const struct profile *profile);
