#include "tests/bench/events/stream.h"

#include "common/base/arena.h"

#define CLIENT_FRAME_BYTES 512
#define HIGH_WATER 100000 /* credit and windows are the limits that count */

void
stream_check(struct status status, const char *step)
{
    if (failed(status))
        bench_die(step, status.detail ? status.detail : code_name(status.code));
}

void *
stream_context(void)
{
    void *context = zmq_ctx_new();

    if (!context || zmq_ctx_set(context, ZMQ_MAX_SOCKETS, STREAM_SOCKETS_MAX) != 0)
        bench_die("context", "cannot be made");
    return context;
}

void *
stream_connect(void *context, const struct bench_args *args)
{
    const char *folder = bench_text(args, "key_folder", "");
    struct wire_curve curve = {.on = *folder};
    char server_public[KEY_TEXT_SIZE];
    struct key_pair own;
    struct arena arena;
    void *socket;

    arena_init(&arena, 1 << 16);
    if (curve.on) {
        stream_check(key_pair_load(folder, bench_text(args, "key", NULL), &arena, &own), "key");
        stream_check(key_public_load(folder, "events", &arena, server_public), "key of events");
        curve.own = &own;
        curve.server_public = server_public;
    }
    stream_check(socket_connect(context, ZMQ_DEALER, bench_text(args, "endpoint", NULL), &curve,
                                (struct socket_limits){.send_high_water = HIGH_WATER,
                                                       .receive_high_water = HIGH_WATER,
                                                       .reads_parts = true},
                                &arena, &socket),
                 "connect");
    arena_fini(&arena);
    return socket;
}

void
stream_send(void *socket, const Events__V1__ClientFrame *frame, zmq_msg_t *second)
{
    const size_t size = protobuf_c_message_get_packed_size(&frame->base);
    uint8_t packed[CLIENT_FRAME_BYTES];

    if (size > sizeof packed)
        bench_die("send", "the frame is larger than ever needed");
    (void)protobuf_c_message_pack(&frame->base, packed);
    if (zmq_send(socket, packed, size, ZMQ_DONTWAIT | (second ? ZMQ_SNDMORE : 0)) < 0 ||
        (second && zmq_msg_send(second, socket, ZMQ_DONTWAIT) < 0))
        bench_die("send", zmq_strerror(zmq_errno()));
}

bool
stream_receive(void *socket, struct stream_frame *ret)
{
    zmq_msg_t head;

    (void)zmq_msg_init(&head);
    if (zmq_msg_recv(&head, socket, ZMQ_DONTWAIT) < 0) {
        (void)zmq_msg_close(&head);
        return false;
    }
    (void)zmq_msg_init(&ret->body);
    if (zmq_msg_more(&head) && zmq_msg_recv(&ret->body, socket, ZMQ_DONTWAIT) < 0)
        bench_die("receive", zmq_strerror(zmq_errno()));
    ret->head = (Events__V1__ServerFrame *)protobuf_c_message_unpack(
        &events__v1__server_frame__descriptor, NULL, zmq_msg_size(&head), zmq_msg_data(&head));
    if (!ret->head || zmq_msg_more(&ret->body))
        bench_die("receive", "not a frame of the server");
    (void)zmq_msg_close(&head);
    return true;
}

void
stream_frame_free(struct stream_frame *frame)
{
    (void)zmq_msg_close(&frame->body);
    protobuf_c_message_free_unpacked(&frame->head->base, NULL);
    frame->head = NULL;
}
