/* Frames of rpc: parting head and body loses nothing that protobuf-c would find, and a head
 * that was accepted keeps every promise that handlers rely on. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/wire/rpc_head.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The short way of reading a reply's head finds what protobuf-c finds, and packs as it packs.
 */
static void
compare_reply(struct bytes packed, struct arena *arena)
{
    Wire__V1__ReplyHead head;
    const Wire__V1__ReplyHead *same;
    const struct rpc_body empty = {0};
    ProtobufCMessage *message;
    zmq_msg_t frame;
    struct bytes ours, theirs;

    if (failed(rpc_head_read_reply(packed, arena, &head)))
        return;
    if (failed(wire_unpack(&wire__v1__reply_head__descriptor, packed, arena, &message)))
        abort();
    same = (const Wire__V1__ReplyHead *)message;
    if (strcmp(head.id, same->id) != 0 || head.code != same->code ||
        strcmp(head.detail, same->detail) != 0 || strcmp(head.field, same->field) != 0 ||
        head.draining != same->draining || head.replayed != same->replayed)
        abort();
    if (same->base.n_unknown_fields > 0 || same->body.len > 0 ||
        failed(wire_pack(&same->base, arena, &theirs)) ||
        failed(rpc_head_pack_reply(&head, &empty, &frame)))
        return;
    ours = (struct bytes){zmq_msg_data(&frame), zmq_msg_size(&frame)};
    if (ours.size != theirs.size || memcmp(ours.data, theirs.data, ours.size) != 0)
        abort();
    (void)zmq_msg_close(&frame);
}

/* Against protobuf-c, which unpacks head and body as one message. */
static void
compare_body(struct bytes frame, struct bytes body, struct arena *arena)
{
    ProtobufCMessage *message;
    const Wire__V1__RequestHead *head;

    if (failed(wire_unpack(&wire__v1__request_head__descriptor, frame, arena, &message)))
        return;
    head = (const Wire__V1__RequestHead *)message;
    if (head->body.len != body.size ||
        (body.size > 0 && memcmp(head->body.data, body.data, body.size) != 0))
        abort();
}

static void
check_head(const Wire__V1__RequestHead *head, struct bytes packed, struct arena *arena)
{
    const Wire__V1__Principal *principal;
    Wire__V1__RequestHead *again;
    char trace[RPC_TRACEPARENT_SIZE], id[UUID_SIZE];

    if (!uuid_valid(head->id) || head->remaining_ms < 1 ||
        head->remaining_ms > RPC_REMAINING_MAX_MS || strlen(head->idempotency_key) > 128)
        abort();
    if (rpc_head_find_id(packed, id) && !uuid_valid(id))
        abort();
    rpc_head_traceparent(head->id, trace);
    if (strlen(trace) != RPC_TRACEPARENT_SIZE - 1)
        abort();
    if (failed(rpc_head_again(packed, arena, &again)) || strcmp(again->id, head->id) != 0)
        abort();
    if (failed(rpc_head_principal(head, "service:x", true, arena, &principal)) || !principal)
        abort();
    if (failed(rpc_head_principal(head, "system:x", false, arena, &principal)) ||
        strcmp(principal->subject_id, "x") != 0)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct bytes frame = {data, size};
    struct bytes head_packed, body;
    Wire__V1__RequestHead *head;
    struct arena arena;

    arena_init(&arena, ARENA_CALL_BYTES);
    if (!failed(rpc_head_split(frame, &arena, &head_packed, &body))) {
        compare_body(frame, body, &arena);
        if (!failed(rpc_head_read(head_packed, &arena, &head)))
            check_head(head, head_packed, &arena);
        compare_reply(head_packed, &arena);
    }
    arena_fini(&arena);
    return 0;
}
