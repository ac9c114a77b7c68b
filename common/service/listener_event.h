#pragma once

/* One event and its handler: the transaction that moves the position, the tries, the parking.
 * Everything here belongs to the listener's thread. */

#include <pthread.h>

#include "common/service/listener.h"
#include "common/service/worker.h"

struct listener {
    struct frame *frame;
    const struct service_inbox *inbox;
    const char *name;   /* "notifications.v1.Inbox" */
    const char **types; /* by method; NULL at the end; constant */
    char events_public[KEY_TEXT_SIZE];
    pthread_t thread;
    bool running; /* the thread is to be joined */
    int stop_fd;  /* readable when the end is asked for */
    atomic_bool stopping, ended;
    _Atomic uint64_t position; /* taken in; written by the thread alone */
    _Atomic uint64_t head;     /* of the log, as last told */
    /* the thread's own */
    struct worker *worker;
    struct follow *follow;
    struct arena batch;
    uint64_t stored; /* what the table holds, as far as known */
    struct mono stored_at;
    bool away; /* it has been said that events cannot be reached */
};

/* Takes in one event, however many tries that needs; gives up waiting when the end is asked
 * for. ABORTED: the stored position went back; begin again. */
must_use struct status listener_take(struct listener *listener,
                                     const Io__Cloudevents__V1__CloudEvent *event);

/* Stored: moves the table's position over events that nobody here hears, unless another
 * instance has moved it.  ABORTED: the stored position went back; begin again. */
must_use struct status listener_move(struct listener *listener, uint64_t through);

/* Stored: the position from the table, which gets a row if it has none. */
must_use struct status listener_read_position(struct listener *listener, uint64_t *ret);

/* Waits, or until the end is asked for; true: it is. */
bool listener_pause(struct listener *listener, int ms);
