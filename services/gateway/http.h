#pragma once

/* libmicrohttpd inside the loop: its epoll descriptor is one poll item.  Loop thread. */

#include "services/gateway/gateway.h"

/* Listens at http_bind.  UNAVAILABLE: the address is taken; INVALID_ARGUMENT: it is no address.
 */
must_use struct status http_start(struct gateway *gateway, struct arena *arena);

/* To be polled for input. */
int http_fd(const struct gateway *gateway);
/* Takes what has come in and sends what is ready. */
void http_run(struct gateway *gateway);
/* Milliseconds until http_run is due without input; -1: not at all. */
int http_next_ms(const struct gateway *gateway);

/* Takes no new connections. */
void http_quiesce(struct gateway *gateway);
/* Connections that are open. */
unsigned http_connections(const struct gateway *gateway);
/* Ends every connection.  No exchange may be WORKING. */
void http_stop(struct gateway *gateway);
