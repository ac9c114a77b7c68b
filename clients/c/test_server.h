#pragma once

/* A server of the stream that says what a test tells it to, in the test's own thread. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "clients/c/samverka.h"
#include "events/v1/stream.pb-c.h"
#include "io/cloudevents/v1/cloudevents.pb-c.h"

#define TENANT "0193a000-0000-7000-8000-000000000001"

struct test_server {
    void *context, *socket;
    char endpoint[64];
    uint8_t peer[64]; /* whose message was taken last */
    size_t peer_size;
    Events__V1__ClientFrame *frame; /* the message */
    uint8_t *body;                  /* its second frame */
    size_t body_size;
};

void test_server_open(struct test_server *server);
void test_server_close(struct test_server *server);

/* Takes a message into server->frame; NULL when none comes in wait_ms. */
const Events__V1__ClientFrame *test_server_take(struct test_server *server, int wait_ms);

/* To the peer of the message taken last. */
void test_server_say(struct test_server *server, const Events__V1__ServerFrame *frame,
                     const void *body, size_t size);
/* Events with positions after+1..after+count, numbered alike in TENANT's stream. */
void test_server_batch(struct test_server *server, uint64_t after, uint32_t count,
                       uint64_t delivery);
void test_server_heartbeat(struct test_server *server, uint64_t through);
void test_server_ended(struct test_server *server, Wire__V1__Code code, uint64_t first_kept);
void test_server_outcome(struct test_server *server, uint64_t number, Wire__V1__Code code,
                         uint64_t first);

/* The packed event at a position; gives its size. */
size_t test_event(uint64_t position, uint64_t number, const char *subject, uint8_t into[1024]);
/* Packed events with positions after+1..after+count as a batch. */
size_t test_batch(uint64_t after, uint32_t count, uint8_t *into);
