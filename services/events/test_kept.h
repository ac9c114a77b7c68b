#pragma once

/* A log on a real Postgres that can be rolled, trimmed and damaged, for tests. */

#include "services/events/retention.h"
#include "services/events/test_log.h"

/* What a test has; one at a time. */
struct kept {
    struct sequencer *sequencer; /* leads; rolls nothing of itself */
    struct pg *writer, *pg;      /* as app_registry and as app_events */
    struct events_state state;
    Wire__V1__Principal principal;
    struct arena arena; /* of the test */
};
extern struct kept kept;

int kept_start(void **state); /* set-up of a test: an empty log */
int kept_stop(void **state);

/* `count` events of a tenant, each with this much data; back when they are in the log. */
void kept_write(const char *tenant_id, size_t count, size_t data_bytes);
/* The open partition ends behind the head. */
struct status kept_roll(uint64_t head);
struct status kept_trim(uint64_t through, uint32_t keep_days, uint64_t *ret_first_kept);
/* A call of an rpc by one with this role, in this tenant; the caller is the operator at first.
 */
struct call kept_call(Wire__V1__Role *role, const char *tenant_id);
/* Looks at the whole log, as an operator would: again and again. */
void kept_verify(Events__V1__VerifyBlocksReply *ret);
