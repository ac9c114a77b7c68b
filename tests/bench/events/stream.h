#pragma once

/* A connection to the stream endpoint of `events`, as an outside system has it.  Arguments:
 * endpoint=, and for CURVE key_folder= and key=, the name of the client's key in it. */

#include "common/wire/socket.h"
#include "events/v1/stream.pb-c.h"
#include "tests/bench/events/run.h"

#define STREAM_SOCKETS_MAX 4096

/* Ends the program when the step has failed. */
void stream_check(struct status status, const char *step);

void *stream_context(void);
void *stream_connect(void *context, const struct bench_args *args);

/* Sends a frame, followed by `second` unless it is NULL; takes over what that holds. */
void stream_send(void *socket, const Events__V1__ClientFrame *frame, zmq_msg_t *second);

/* A frame of the server; zmq_msg_close(&body) and free it by stream_frame_free. */
struct stream_frame {
    Events__V1__ServerFrame *head;
    zmq_msg_t body; /* empty unless the head is a batch */
};

/* False: none has come. */
bool stream_receive(void *socket, struct stream_frame *ret);
void stream_frame_free(struct stream_frame *frame);
