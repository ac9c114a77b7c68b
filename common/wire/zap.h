#pragma once

/* Who may connect: our own ZAP handler (ZeroMQ RFC 27), a thread with a table of public keys.
 *
 * Start it before any socket binds.  A socket with CURVE and a domain asks it for every new
 * connection; the User-Id it answers with is the key's name, which the socket's owner reads from
 * every message and looks up again, so that a revoked key is neither served nor heard.
 */

#include <zmq.h>

#include "common/base/status.h"

struct zap;

/* What a key stands for. */
struct zap_peer {
    char name[64];       /* "service:matching", "operator:operator", "system:<uuid>" */
    char key[41];        /* Z85 public key */
    int64_t expires_unix_ms; /* 0: never */
};

/* One per context.  The thread ends with zap_destroy or the context. */
must_use struct status zap_create(void *zmq_context, struct arena *arena, struct zap **ret);
void zap_destroy(struct zap **zap);

/* Replaces all peers of a domain (copies them).  Any thread.  At most 10,000. */
must_use struct status zap_set_peers(struct zap *zap, const char *domain,
                                     const struct zap_peer *peers, size_t count);

/* Whether a connection made with this User-Id may go on.  Any thread. */
bool zap_peer_known(struct zap *zap, const char *domain, const char *user_id);

/* Connections refused since the start. */
uint64_t zap_refused(const struct zap *zap);
