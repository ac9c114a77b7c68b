#pragma once

/* The heads of requests and replies, for rpc_server alone: what must hold, and how they are
 * made. */

#include <zmq.h>

#include "common/base/uuid.h"
#include "common/wire/message.h"
#include "wire/v1/envelope.pb-c.h"

#define RPC_HEAD_BYTES 4096 /* of a head without its body */
#define RPC_REMAINING_MAX_MS 60000
#define RPC_KEY_BYTES 128

/* Parts a frame into the head's own fields and the body, so that each gets its own guard and
 * the body is not copied: packed in the usual order, the body comes last and both lie in the
 * frame. In another order the head is put together in the arena.  INVALID_ARGUMENT: not a
 * message. */
must_use struct status rpc_head_split(struct bytes frame, struct arena *arena,
                                      struct bytes *ret_head, struct bytes *ret_body);

#define RPC_BODY_TAG_BYTES 6 /* at most, before a body */

/* Writes what stands between a packed head and its body; nothing for an empty one.  The bytes
 * written. */
size_t rpc_head_put_body_tag(uint8_t *into, size_t body_size);

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

#define RPC_TRACEPARENT_SIZE 56

/* The trace that a request without one begins: named after its id, which is unique. */
void rpc_head_traceparent(const char *id, char ret[RPC_TRACEPARENT_SIZE]);

/* Guards and unpacks a reply's head; its texts live in the arena. */
must_use struct status rpc_head_read_reply(struct bytes packed, struct arena *arena,
                                           Wire__V1__ReplyHead *ret);

/* The body of a reply: a message, or one that is packed already. */
struct rpc_body {
    const ProtobufCMessage *message; /* NULL: see packed */
    struct bytes packed;
    size_t size;
};

/* Makes `ret` (not yet initialised) a frame of the head and the body. */
must_use struct status rpc_head_pack_reply(const Wire__V1__ReplyHead *head,
                                           const struct rpc_body *body, zmq_msg_t *ret);
