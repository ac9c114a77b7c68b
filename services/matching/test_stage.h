#pragma once

/* Two instances of the room over one real Postgres with registry's views, for tests.  The
 * log's head is played (head_read). */

#include "common/pg/pg_test.h"
#include "common/service/rpc_test.h"
#include "matching/v1/events.pb-c.h"
#include "matching/v1/inbox.pb-c.h"
#include "services/matching/matching.h"
#include "services/matching/state.h"

#define STAGE_INSTANCES 2

/* Ids of what is published at first; see test_stage.c for what they are.  STAGE_HIDDEN is not.
 */
#define STAGE_COMPANY "0193a000-0000-7000-8aaa-000000000001"
#define STAGE_UNIVERSITY "0193a000-0000-7000-8aaa-000000000002"
#define STAGE_AREA "0193a000-0000-7000-8ccc-000000000001"
#define STAGE_WELDING "0193a000-0000-7000-8ccc-000000000003"
#define STAGE_ENERGY "0193a000-0000-7000-8ccc-000000000002"
#define STAGE_NEED "0193a000-0000-7000-8111-000000000001"
#define STAGE_RESEARCHER "0193a000-0000-7000-8222-000000000001"
#define STAGE_FINN "0193a000-0000-7000-8222-000000000002"
#define STAGE_HIDDEN "0193a000-0000-7000-8222-000000000003"
#define STAGE_FOREIGN "0193a000-0000-7000-8222-000000000004"
#define STAGE_WELDER "0193a000-0000-7000-8222-000000000005"
#define STAGE_NOBODY "0193a000-0000-7000-8222-0000000000ff"

struct stage {
    struct rpc_test test; /* an officer of TENANT_A */
    struct pg *pg[STAGE_INSTANCES];
    struct state *state[STAGE_INSTANCES];
    struct matching_settings settings;
};

/* What head_read answers. */
extern uint64_t stage_head, stage_first_kept;

void stage_begin(struct stage *stage);
void stage_end(struct stage *stage);

/* A statement by the superuser; the views' rows are those of stage.profiles and stage.concepts.
 */
void stage_sql(const char *sql);
void stage_publish_hidden(void);
void stage_publish_researcher(void);

/* Runs the inbox's start and returns where it goes on. */
uint64_t stage_start(struct stage *stage, unsigned instance);
/* Makes an instance one of a shard; its next start reads that. */
void stage_set_shard(struct stage *stage, unsigned instance, uint32_t number, uint32_t count);
/* Runs the exchange's timer of an instance and lets its listener come by. */
void stage_exchange(struct stage *stage, unsigned instance);
/* Lets an instance hear of a profile at a position. */
void stage_changed(struct stage *stage, unsigned instance, uint64_t position, const char *kind,
                   const char *id);
void stage_concepts_changed(struct stage *stage, unsigned instance, uint64_t position);

/* A method of Matches at an instance, in a transaction as the frame opens it (READ or WRITE by
 * `write`; none for FindMatches). */
struct status stage_call(struct stage *stage, unsigned instance, const char *method, bool write,
                         const ProtobufCMessage *request, ProtobufCMessage **ret);

struct status stage_call_of(struct stage *stage, const ProtobufCService *service,
                            unsigned instance, const char *method, bool write,
                            const ProtobufCMessage *request, ProtobufCMessage **ret);
/* Lets an instance hear any event. */
void stage_hear(struct stage *stage, unsigned instance, uint64_t position, const char *method,
                const ProtobufCMessage *event);

/* The same, and whatever it comes to. */
struct status stage_try_changed(struct stage *stage, unsigned instance, uint64_t position,
                                const char *kind, const char *id);

/* Rows of events.outbox whose bytes contain the type. */
int64_t stage_announced(const char *type);
