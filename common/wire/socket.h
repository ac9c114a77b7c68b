#pragma once

/* The one place that makes ZeroMQ sockets: all options of the house are set here (LINGER, HWM,
 * MAXMSGSIZE 1 MiB + heads, IMMEDIATE, heartbeats, reconnect, ROUTER_MANDATORY, HANDSHAKE_IVL,
 * TCP keep-alive), and CURVE with its ZAP domain.
 *
 * A socket belongs to one thread.  Hand libzmq numeric addresses only (see resolver.h): it
 * would resolve a name in its I/O thread and use the first address alone.
 */

#include <stdbool.h>
#include <zmq.h>

#include "common/base/status.h"
#include "common/wire/keys.h"

/* A frame above this ends the connection it came by.  A little more than a message may have, so
 * that a message somewhat too large gets an answer. */
#define SOCKET_FRAME_BYTES (((size_t)1 << 20) + ((size_t)64 << 10))

struct wire_curve {
    bool on;
    const struct key_pair *own; /* server: its pair; client: its pair */
    const char *server_public;  /* client only: the server's public key */
    const char *domain;         /* server only: ZAP domain */
};

struct socket_limits {
    int send_high_water; /* messages; 0 means 1000 */
    int receive_high_water;
    int linger_ms;
    /* Messages of several parts are read.  Such a socket goes without IMMEDIATE: with it libzmq
     * throws away what has come and is not yet read when a connection breaks, also between two
     * parts of a message, and then aborts the process (seen with 4.3.4). */
    bool reads_parts;
};

/* A bound socket.  `endpoint` may end in ":*"; ret_endpoint (256 bytes) gets the real one.
 * UNAVAILABLE: the address is taken or bad. */
must_use struct status socket_bind(void *zmq_context, int type, const char *endpoint,
                                   const struct wire_curve *curve, struct socket_limits limits,
                                   struct arena *arena, void **ret_socket,
                                   char ret_endpoint[256]);

/* A connecting socket.  `endpoint` may be NULL: then connect it by socket_join. */
must_use struct status socket_connect(void *zmq_context, int type, const char *endpoint,
                                      const struct wire_curve *curve,
                                      struct socket_limits limits, struct arena *arena,
                                      void **ret_socket);
must_use struct status socket_join(void *socket, const char *endpoint, struct arena *arena);
void socket_leave(void *socket, const char *endpoint);

/* A socket within this process ("inproc://..."): bound when `bind`, otherwise connected. */
must_use struct status socket_local(void *zmq_context, int type, const char *endpoint,
                                    bool bind, struct arena *arena, void **ret_socket);

void socket_close(void **socket);
