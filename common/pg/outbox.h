#pragma once

/* Events leave with the transaction that makes them true: a row in events.outbox, taken from
 * there by the sequencer alone. */

#include <protobuf-c/protobuf-c.h>

#include "common/pg/pg_tx.h"

/* What is known of an event besides its data.  All texts but the subject may be NULL. */
struct outbox_event {
    const ProtobufCMessage *data; /* a message with the (wire.v1.event) option */
    const char *subject;          /* object id */
    const char *tenant_id;        /* NULL: the transaction's tenant */
    const char *audience;         /* NULL: the tenant; "public"; or tenants, comma-separated */
    const char *partition_key;    /* NULL: the subject */
    const char *traceparent;
    const char *correlation_id; /* the request's id */
    const char *programme;      /* filter keys: "KTP", "SE312", ... */
    const char *organisation_type;
    const char *nuts;
    const char *nace;
    const char *isced_f;
    const char *esco; /* concept ids, comma-separated, at most 16 */
};

extern const struct pg_statement *const outbox_statements[];

/* Set once at start: "https://host" or "/samverka", the root of every event's source.  Below a
 * URL the gateway serves the schema that the event's `dataschema` names; else that is a URN. At
 * most 255 bytes; slashes at the end are left out. */
void outbox_set_source(const char *root);

/* Packs a CloudEvent (UUIDv7 id, RFC 3339 time, type from the contract, source
 * "<root>/tenants/<tenant>") and inserts it, with the
 * next statement or the commit.  TOO_LARGE beyond 16 KiB.  Internal events carry
 * audience "internal". */
must_use struct status outbox_put(struct pg_tx *tx, const struct outbox_event *event);
