#pragma once

/* What a webhook may point at, so that nobody uses it to reach what is inside.  Pure.
 *
 * A URL is read here alone and written anew, so that libcurl cannot understand it otherwise.  A
 * name says nothing about where it leads: every address is checked when it is connected to. */

#include <stdbool.h>
#include <sys/socket.h>

#include "common/base/arena.h"
#include "common/base/status.h"

#define GUARD_URL_BYTES 1000

/* `loopback`: for tests and demonstrations: addresses of this machine are allowed too, there by
 * http as well, at any port.  *ret is the URL as it may be used, in `arena`. INVALID_ARGUMENT,
 * field url, says what is wrong. */
must_use struct status guard_url(const char *url, bool loopback, struct arena *arena,
                                 const char **ret);

/* Whether an address may be connected to: only public unicast ones. */
bool guard_address(const struct sockaddr *address, bool loopback);
