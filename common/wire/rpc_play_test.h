#pragma once

/* A client and two instances that a test plays by hand, for the tests of rpc_client. */

#include "common/wire/rpc_stage_test.h"

/* An instance played by hand on the test's thread, and the last request it has heard. */
struct fake {
    void *socket;
    char endpoint[256];
    uint8_t route[256];
    size_t route_size;
    char id[UUID_SIZE];
    char payload[64];
    char told[512]; /* method, key, language, subject and time left */
    uint32_t attempt;
};

/* What a call came to. */
struct outcome {
    int count;
    enum code code;
    char text[64]; /* payload, or the failure's detail */
};

/* A client whose time stands still unless a test moves it, and two instances. */
struct play {
    struct test_clock times;
    struct clock clock;
    void *context;
    struct resolver *resolver;
    struct rpc_client *client;
    struct arena arena;
    struct fake a, b;
    struct outcome outcomes[8];
};

int play_start(void **state);
int play_stop(void **state);
void play_note(void *context, const struct rpc_answer *answer);
struct status play_call(struct play *play, const char *payload, int64_t ms,
                        struct outcome *outcome);
/* Takes the next request; false when none comes within ms of real time. */
bool play_hears(struct play *play, struct fake *fake, int ms);
void play_answers(struct fake *fake, Wire__V1__Code code, bool draining, const char *payload);
void play_turn_until_done(struct play *play, const struct outcome *outcome);
/* Whoever hears the request first, and the other one. */
struct fake *play_first_to_hear(struct play *play, struct fake **ret_other);
void play_turn(struct play *play);
