#pragma once

/* An event of another deployment on its way into this log: what it must fulfil, and its new
 * bytes.  Pure.  Nothing that a peer sends is believed.
 */

#include "services/events/packed.h"

/* "https://samverka.example" or "/samverka": the roots of the two deployments' sources. */
struct federation_roots {
    const char *peer, *own;
};

/* Positions in the peer's log that its next event may have. */
struct federation_range {
    uint64_t after, through;
};

struct federation_event {
    struct bytes packed;       /* as it enters this log, without its numbers here */
    struct packed_event parts; /* of `packed` */
    const char *tenant_id;     /* a UUID: the tenant there */
    uint64_t position;         /* there */
};

/* Everything but the numbers stays byte for byte: `sequence` becomes `originsequence`,
 * `tenantsequence` goes, whatever their places among the attributes were.  The result lives in
 * `arena`.
 *
 * INVALID_ARGUMENT: it is refused, and `field` is the reason, one of
 *     "size"       larger than an event of the log may be
 *     "form"       no CloudEvent, or one that can be read in two ways, here or as JSON
 *     "sequence"   its position is missing or out of its turn
 *     "audience"   not public
 *     "forwarded"  it came to the peer from a third deployment, or from here
 *     "own"        its source lies under our own root
 *     "source"     its source does not lie under the peer's root
 *     "tenant"     its tenant is no UUID
 *     "type"       of a type that never leaves a deployment
 *     "data"       its data is not the message of its type
 */
must_use struct status federation_event_take(const struct federation_roots *roots,
                                             struct federation_range range,
                                             struct bytes foreign, struct arena *arena,
                                             struct federation_event *ret);

/* Whether the source is the root, or lies under it. */
bool federation_under(struct bytes source, const char *root);
