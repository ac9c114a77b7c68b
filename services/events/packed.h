#pragma once

/* A packed CloudEvent as bytes: what the log looks at without unpacking, and what it appends.
 *
 * Protobuf messages may be concatenated, so a map entry put behind a packed event is an
 * attribute of it.  Because an event is never unpacked here, one that two readers could
 * understand differently (a repeated single field, an attribute given twice) is refused.
 */

#include <stdbool.h>

#include "common/wire/message.h"
#include "services/events/bytes.h"

#define PACKED_EVENT_BYTES ((size_t)16 << 10) /* of an event as its producer made it */
#define PACKED_BATCH_EVENTS 1000              /* of one Append */
#define PACKED_TEXT_BYTES 512 /* of an id, a source, a type, an attribute used here */

/* Bytes that the numbers add to an event. */
#define PACKED_SEQUENCE_BYTES ((size_t)35)
#define PACKED_TENANT_SEQUENCE_BYTES ((size_t)41)
#define PACKED_TENANT_BYTES ((size_t)52)
#define PACKED_ORIGIN_BYTES ((size_t)41)
/* Tag and length of an event in a batch. */
#define PACKED_FRAME_BYTES ((size_t)11)

/* Where the parts stand in the event's bytes; absent ones are empty. */
struct packed_event {
    struct bytes id, source, type;
    /* attributes */
    struct bytes tenant_id, audience, subject, partition_key;
    struct bytes programme, nuts, concepts; /* concepts: ids with commas between */
    bool numbered;                          /* has sequence, tenantsequence or originsequence */
};

/* Finds the parts.  The bytes need not have passed wire_check.
 * INVALID_ARGUMENT: not an event, or one that can be read in two ways; names the part. */
must_use struct status packed_scan(struct bytes event, struct arena *arena,
                                   struct packed_event *ret);

/* All that an outbox row must fulfil to enter the log: size, the wire guard, id, source, type
 * and version, its row's tenant, audience "internal" exactly when the row says so, no numbers
 * yet. */
must_use struct status packed_check_outbox(struct bytes event, const char *tenant_id,
                                           bool internal, struct arena *arena,
                                           struct packed_event *ret);

/* All that an event of Append must fulfil: as above, but tenant, audience and numbers are the
 * log's to give, and its source begins with `source`. */
must_use struct status packed_check_append(struct bytes event, const char *source,
                                           struct arena *arena, struct packed_event *ret);

/* Whether an event of the log, with tag and length, came by Append; gives its producer's bytes.
 */
bool packed_appended(struct bytes framed, struct bytes *ret);

/* Takes the next event of a packed batch from `*rest` and moves it on; false at the end.
 * Unknown fields are skipped.  ret_broken says whether the end came too early. */
bool packed_next(struct bytes *rest, struct bytes *ret_event, bool *ret_broken);

/* A field of an event as it stands in its bytes. */
struct packed_field {
    struct bytes whole; /* with tag and length */
    struct bytes name;  /* of the attribute it is; empty: another field */
    struct bytes text;  /* the attribute's; data NULL: it is no text */
};

/* Takes the next field of an event that packed_scan has passed; false at the end. */
bool packed_next_field(struct bytes *rest, struct packed_field *ret);

/* Writers return the bytes written; the room is named above. */
size_t packed_put_frame(uint8_t *into, size_t event_size);
size_t packed_put_sequence(uint8_t *into, uint64_t position);
size_t packed_put_tenant_sequence(uint8_t *into, uint64_t number);
size_t packed_put_tenant(uint8_t *into, const char *tenant_id); /* 36 characters */
/* The number that an event of another deployment has there. */
size_t packed_put_origin(uint8_t *into, uint64_t position);

/* Links of hash chains and checksums: BLAKE2b-256. */
#define PACKED_HASH_BYTES 32
void packed_chain_start(const char *tenant_id, uint8_t ret[PACKED_HASH_BYTES]);
void packed_chain_extend(uint8_t chain[PACKED_HASH_BYTES], struct bytes event);
void packed_hash(struct bytes data, uint8_t ret[PACKED_HASH_BYTES]);
