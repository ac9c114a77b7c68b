#pragma once

/* Names to numeric addresses, off every loop: one thread asks getaddrinfo every two seconds.
 *
 * An endpoint list is "tcp://registry:5560,tcp://10.0.0.7:5560": every name gives all its
 * addresses.  When DNS fails the last good answer stays. */

#include "common/base/status.h"

#define RESOLVER_ENDPOINTS_MAX 64

struct resolver;

struct resolved {
    uint64_t version; /* grows with every change of the list */
    size_t count;
    char endpoints[RESOLVER_ENDPOINTS_MAX][80]; /* "tcp://10.0.0.7:5560", sorted, unique */
};

must_use struct status resolver_create(struct arena *arena, struct resolver **ret);
void resolver_destroy(struct resolver **resolver);

/* Starts to watch an endpoint list and returns its handle (>= 0); resolves it once at once.  The
 * same list gives the same handle.  INVALID_ARGUMENT: not an endpoint list. */
must_use struct status resolver_watch(struct resolver *resolver, const char *endpoint_list,
                                      struct arena *arena, int *ret_handle);
/* A copy of what is known now.  Any thread. */
void resolver_get(struct resolver *resolver, int handle, struct resolved *ret);
uint64_t resolver_version(struct resolver *resolver, int handle);
