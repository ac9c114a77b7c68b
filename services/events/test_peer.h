#pragma once

/* A follower for tests, which checks every range and counts. */

#include "common/wire/socket.h"
#include "events/v1/stream.pb-c.h"
#include "services/events/test_sample.h"

struct test_peer {
    void *context;
    const char *endpoint;
    const struct key_pair *key;
    const char *server_public;
    void *socket;
    uint64_t through, head;  /* of the last frame */
    uint64_t events, frames; /* received */
    uint64_t last_position;  /* of the last event */
    uint64_t gaps;           /* ranges that did not join, positions that did not grow */
    unsigned heartbeats;
    bool ended;
    Wire__V1__Code code; /* when ended */
    char detail[256];
    uint64_t ended_through, first_kept;
    /* Of the last batch that it appended. */
    unsigned outcomes;
    uint64_t outcome_batch, outcome_first, outcome_last;
    uint32_t outcome_duplicates;
};

/* `key` NULL: no CURVE. */
struct test_peer test_peer_connect(void *context, const char *endpoint,
                                   const struct key_pair *key, const char *server_public);
void test_peer_close(struct test_peer *peer);

void test_peer_send(struct test_peer *peer, const void *frame, size_t size);
void test_peer_follow(struct test_peer *peer, uint64_t after, uint32_t credit,
                      const Events__V1__Filter *filter);
void test_peer_credit(struct test_peer *peer, uint32_t events);
void test_peer_unfollow(struct test_peer *peer);
/* Appends a batch; `tenant_id` may be "". */
void test_peer_append(struct test_peer *peer, const char *tenant_id, const char *source,
                      uint64_t batch_number, struct bytes batch);
/* The next outcome; fails unless it has the code. */
void test_peer_await_outcome(struct test_peer *peer, Wire__V1__Code code);
/* Connects anew until the key is known: libzmq does not try again where it was refused. */
void test_peer_follow_when_admitted(struct test_peer *peer, uint64_t after, uint32_t credit,
                                    const Events__V1__Filter *filter);

/* Each fails after ten seconds without progress. */
void test_peer_await_through(struct test_peer *peer, uint64_t position);
void test_peer_await_heartbeat(struct test_peer *peer);
void test_peer_await_end(struct test_peer *peer, Wire__V1__Code code);
void test_peer_await_any_end(struct test_peer *peer);

/* Reads a message at a time until the follow is ended; in the pauses the other reads what
 * comes. */
void test_peer_read_slowly(struct test_peer *peer, struct test_peer *other, int pause_ms);

/* Reads on for so long, whatever comes. */
void test_peer_await_silence(struct test_peer *peer, int ms);
