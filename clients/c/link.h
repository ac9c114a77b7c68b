#pragma once

/* A socket to one of several endpoints.  It is left when it is silent, and the next endpoint is
 * tried, after pauses that grow.  Times are milliseconds of a clock that only goes forward. */

#include <zmq.h>

#include "clients/c/samverka.h"

#define SMV_ENDPOINTS_MOST 16
#define SMV_FRAME_BYTES ((size_t)1 << 20) /* of a frame that is read; ZeroMQ refuses more */

struct smv_link {
    void *context, *socket; /* socket: NULL between two endpoints */
    char *endpoint_text;    /* cut into endpoints */
    const char *endpoints[SMV_ENDPOINTS_MOST];
    size_t count, turn;
    bool curve;
    char server_key[SAMVERKA_KEY_SIZE];
    struct samverka_keys keys;
    bool alive;            /* the endpoint has answered */
    int64_t heard_ms;      /* last time it did, or when the socket was made */
    int64_t not_before_ms; /* the next socket */
    int pause_ms;          /* grows until the owner sets it to 0, because all is well */
};

int64_t smv_now_ms(void);

enum samverka_code smv_link_open(struct smv_link *link, const struct samverka_place *place,
                                 struct samverka_error *error);
/* What was sent and has not left gets linger_ms. */
void smv_link_close(struct smv_link *link, int linger_ms);

/* Makes a socket when one is due; true: there is a fresh one, on which nothing was sent. */
bool smv_link_join(struct smv_link *link);
/* Leaves the endpoint for the next: at once, or after a pause because it failed. */
void smv_link_leave(struct smv_link *link);
void smv_link_leave_failed(struct smv_link *link);
/* Leaves when nothing has come for too long; call it only with nothing left to read. */
void smv_link_check_silence(struct smv_link *link);
/* When the next of these is due. */
int64_t smv_link_due_ms(const struct smv_link *link, bool expects);

/* One message of one or two frames; false: the socket takes none now. */
bool smv_link_send(struct smv_link *link, const void *head, size_t head_size, const void *body,
                   size_t body_size);
/* A message into two frames that have been initialised; further ones are dropped.  False: there
 * is none. */
bool smv_link_receive(struct smv_link *link, zmq_msg_t parts[2]);
/* Until something can be read or the time has come. */
void smv_link_wait(struct smv_link *link, int64_t until_ms);
