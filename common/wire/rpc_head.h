#pragma once

/* The heads of requests and replies, for rpc_server alone: what must hold, and how they are
 * made. */

#include <zmq.h>

#include "common/base/uuid.h"
#include "common/wire/message.h"
#include "wire/v1/envelope.pb-c.h"

#define RPC_HEAD_BYTES 4096
#define RPC_REMAINING_MAX_MS 60000
#define RPC_KEY_BYTES 128

/* Guards, unpacks and checks a request's head.  INVALID_ARGUMENT names the field. */
must_use struct status rpc_head_read(struct bytes packed, struct arena *arena,
                                     Wire__V1__RequestHead **ret);

/* Unpacks a head that rpc_head_read has accepted before. */
must_use struct status rpc_head_again(struct bytes packed, struct arena *arena,
                                      Wire__V1__RequestHead **ret);

/* The id of a head that may be broken elsewhere; false when none can be read. */
bool rpc_head_find_id(struct bytes packed, char ret[UUID_SIZE]);

/* On whose behalf a request runs.  `trusted`: without CURVE, or the peer is one of ours; then
 * the head's principal is believed, and without one the peer acts for itself. */
must_use struct status rpc_head_principal(const Wire__V1__RequestHead *head, const char *peer,
                                          bool trusted, struct arena *arena,
                                          const Wire__V1__Principal **ret);

/* Whether a connection's name may speak for others: "service:..." or "operator:...". */
bool rpc_head_peer_trusted(const char *peer);

/* Makes `ret` (not yet initialised) a message that holds the packed reply head. */
must_use struct status rpc_head_pack_reply(const Wire__V1__ReplyHead *head, zmq_msg_t *ret);
