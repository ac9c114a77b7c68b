#pragma once

/* Two servers that say what a test tells them to, and a client that may go to either. */

#include "clients/c/test_server.h"

#define CODE(name) WIRE__V1__CODE__##name
#define FRAME(name) EVENTS__V1__CLIENT_FRAME__FRAME_##name

/* The client has either a follow or an append. */
struct stage {
    struct test_server servers[2];
    char endpoints[160];
    struct samverka_follow *follow;
    struct samverka_append *append;
    struct samverka_batch batch;
    struct samverka_outcome outcome;
    struct samverka_error error;
};

/* `count` of the servers are told to the client. */
void stage_open(struct stage *stage, int count);
void stage_close(struct stage *stage);
void stage_follow(struct stage *stage, const struct samverka_wish *wish);

/* One short call of the client. */
enum samverka_code stage_turn(struct stage *stage);
bool stage_is_waiting(enum samverka_code code);
/* What the client is told next. */
enum samverka_code stage_come(struct stage *stage);

/* The server that the client says something to, while nothing comes to it. */
struct test_server *stage_heard(struct stage *stage);
struct test_server *stage_heard_follow(struct stage *stage, uint64_t after);
