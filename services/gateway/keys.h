#pragma once

/* Clients of the other services with the gateway's key and theirs. */

#include "services/gateway/gateway.h"

/* The public key of a service as text in `into`; empty without CURVE. */
must_use struct status keys_public(const struct gateway *gateway, const char *service,
                                   struct arena *into, struct arena *arena, const char **ret);

/* A client that knows registry, matching, events and notifications.  It belongs to the calling
 * thread. */
must_use struct status keys_rpc_client(const struct gateway *gateway, struct arena *arena,
                                       struct rpc_client **ret);

/* The services it knows; NULL at the end. */
extern const char *const keys_services[];
