#pragma once

/* Who may connect: our own ZAP handler (ZeroMQ RFC 27), a thread with a table of public keys.
 *
 * Start it before any socket binds.  A socket with CURVE and a domain asks it for every new
 * connection.  A key that is taken out of the table does not end its connections: therefore the
 * socket's owner asks zap_message_peer about every message, so that a revoked or expired key is
 * neither served nor heard.  Two keys may share a name while one replaces the other; each
 * message is judged by the key its connection was made with.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zmq.h>

#include "common/base/status.h"

struct zap;

#define ZAP_PEERS_MAX 10000
#define ZAP_DOMAINS_MAX 8

/* What a key stands for. */
struct zap_peer {
    char name[64];           /* "service:matching", "operator:operator", "system:<uuid>" */
    char key[41];            /* Z85 public key */
    int64_t expires_unix_ms; /* 0: never */
};

/* One per context.  The thread ends with zap_destroy or the context. */
must_use struct status zap_create(void *zmq_context, struct arena *arena, struct zap **ret);
void zap_destroy(struct zap **zap);

/* Replaces all peers of a domain (copies them).  Any thread.
 * INVALID_ARGUMENT: an empty name or a bad key.  RESOURCE_EXHAUSTED: more than ZAP_PEERS_MAX
 * peers or ZAP_DOMAINS_MAX domains. */
must_use struct status zap_set_peers(struct zap *zap, const char *domain,
                                     const struct zap_peer *peers, size_t count);

/* The name of the peer that sent a message (its User-Id), or NULL when its key is not, or no
 * longer, in the domain.  Lives as long as the message.  Any thread. */
const char *zap_message_peer(struct zap *zap, const char *domain, zmq_msg_t *message);

/* Whether any valid key of the domain has this name.  Any thread. */
bool zap_peer_known(struct zap *zap, const char *domain, const char *user_id);

/* Connections refused since the start. */
uint64_t zap_refused(const struct zap *zap);
