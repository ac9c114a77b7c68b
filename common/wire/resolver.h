#pragma once

/* Names to numeric addresses, off every loop: one thread asks getaddrinfo every two seconds.
 *
 * An endpoint list is "tcp://registry:5560,tcp://10.0.0.7:5560": every name gives all its
 * addresses.  A semicolon is a comma here (rpc_client.h parts shards by it).  When DNS fails
 * the last good answer stays.  Numbers and "localhost" are never asked for: they are known as
 * soon as the list is watched.  IPv6 numbers stand in brackets. */

#include <stddef.h>
#include <stdint.h>

#include "common/base/status.h"

#define RESOLVER_ENDPOINTS_MAX 64 /* addresses of a list */
#define RESOLVER_LISTS_MAX 64
#define RESOLVER_ENDPOINT_SIZE 80

struct resolver;

struct resolved {
    uint64_t version; /* grows with every change of the list; 0: nothing is known yet */
    size_t count;
    /* "tcp://10.0.0.7:5560", sorted, unique */
    char endpoints[RESOLVER_ENDPOINTS_MAX][RESOLVER_ENDPOINT_SIZE];
};

must_use struct status resolver_create(struct arena *arena, struct resolver **ret);
/* Waits for a question that is under way: a few seconds when DNS is dead. */
void resolver_destroy(struct resolver **resolver);

/* Starts to watch an endpoint list and returns its handle (>= 0); names are asked for at once,
 * by the thread.  The same list gives the same handle.  INVALID_ARGUMENT: not an endpoint list.
 * RESOURCE_EXHAUSTED: more than RESOLVER_LISTS_MAX lists. */
must_use struct status resolver_watch(struct resolver *resolver, const char *endpoint_list,
                                      struct arena *arena, int *ret_handle);
/* A copy of what is known now.  Any thread. */
void resolver_get(struct resolver *resolver, int handle, struct resolved *ret);
/* Its version, without a lock.  Any thread. */
uint64_t resolver_version(struct resolver *resolver, int handle);
