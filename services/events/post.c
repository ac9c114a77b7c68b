#include "services/events/post.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <zmq.h>

static enum post
failure(void)
{
    return errno == EAGAIN ? POST_FULL : POST_GONE;
}

/* The routing id decides: where it is taken, libzmq takes the frames behind it as well. */
static enum post
begin(void *socket, const struct routing *routing)
{
    if (zmq_send(socket, routing->bytes, routing->size, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0)
        return failure();
    return POST_SENT;
}

enum post
post_frame(void *socket, const struct routing *routing, struct bytes frame)
{
    const enum post outcome = begin(socket, routing);

    if (outcome != POST_SENT)
        return outcome;
    return zmq_send(socket, frame.data, frame.size, ZMQ_DONTWAIT) < 0 ? failure() : POST_SENT;
}

static enum post
finish(void *socket, struct bytes frame, zmq_msg_t *data)
{
    if (zmq_send(socket, frame.data, frame.size, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0 ||
        zmq_msg_send(data, socket, ZMQ_DONTWAIT) < 0) {
        const enum post outcome = failure();

        (void)zmq_msg_close(data); /* lets go of what it holds */
        return outcome;
    }
    return POST_SENT;
}

enum post
post_copy(void *socket, const struct routing *routing, struct bytes frame, struct bytes data)
{
    enum post outcome;
    zmq_msg_t message;

    if (zmq_msg_init_size(&message, data.size) != 0)
        return POST_FULL; /* no memory now */
    if (data.size)
        memcpy(zmq_msg_data(&message), data.data, data.size);
    outcome = begin(socket, routing);
    if (outcome != POST_SENT) {
        (void)zmq_msg_close(&message); /* nothing was sent */
        return outcome;
    }
    return finish(socket, frame, &message);
}

enum post
post_block(void *socket, const struct routing *routing, struct bytes frame, struct block *block)
{
    struct block *held = block_hold(block);
    enum post outcome;
    zmq_msg_t message;

    if (zmq_msg_init_data(&message, (uint8_t *)(uintptr_t)block->data.data, block->data.size,
                          block_sent, held) != 0) {
        block_release(&held);
        return POST_FULL; /* no memory now */
    }
    outcome = begin(socket, routing);
    if (outcome != POST_SENT) {
        (void)zmq_msg_close(&message); /* nothing was sent; releases the hold */
        return outcome;
    }
    return finish(socket, frame, &message);
}
