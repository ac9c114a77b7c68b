#pragma once

/* The service in small for tests of the stream: sequencer and stream over a real log.  One at a
 * time in a process. */

#include "services/events/sequencer.h"
#include "services/events/stream.h"
#include "services/events/test_log.h"
#include "services/events/test_peer.h"

#define STAND_SYSTEM "0193a000-0000-7000-8000-0000000000f1"

struct stand {
    struct arena arena;
    void *context;
    struct zap *zap;
    struct key_pair server, own, system;
    struct zap_peer own_peer;
    _Atomic(struct sequencer *) sequencer; /* the stream's thread looks at it too */
    struct stream *stream;
    struct pg *writer;
    struct pg_config pg;
    char dsn[512];
    struct test_peer peers[8];
    size_t peer_count;
    unsigned events_per_second; /* what stand_publish allows the system; 0: the default */
};

extern struct stand stand;

/* For cmocka: once for the group, then around each test. */
int stand_make_table(void **state);
int stand_start_open(void **state); /* without CURVE: everybody sees everything */
int stand_start_curve(void **state);
int stand_stop(void **state);

/* Nobody numbers from now on. */
void stand_end_sequencer(void);

/* Both anew: the tail is empty, so that all comes from the log. */
void stand_restart(void);

/* What registry would publish: the system's key, types as an array's text, expiry as SQL.  NULL
 * key: nothing. */
void stand_publish(const char *key, const char *types, const char *expires);

/* Events through the outbox; back when they are in the log. */
void stand_write(size_t count, struct sample sample);

/* A peer that stand_stop closes.  NULL: without CURVE. */
struct test_peer *stand_connect(const struct key_pair *key);
