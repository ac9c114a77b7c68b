#include "clients/c/test_stage.h"

#include <stdio.h>

#include "clients/c/link.h"

#define TURN_MS 20       /* of the client, between two looks at the servers */
#define PATIENCE_MS 8000 /* with a silent server it takes three seconds */

void
stage_open(struct stage *stage, int count)
{
    *stage = (struct stage){0};
    for (int i = 0; i < 2; i++)
        test_server_open(&stage->servers[i]);
    (void)snprintf(stage->endpoints, sizeof stage->endpoints, "%s%s%s",
                   stage->servers[0].endpoint, count > 1 ? "," : "",
                   count > 1 ? stage->servers[1].endpoint : "");
}

void
stage_close(struct stage *stage)
{
    samverka_follow_close(stage->follow);
    samverka_append_close(stage->append);
    for (int i = 0; i < 2; i++)
        test_server_close(&stage->servers[i]);
}

void
stage_follow(struct stage *stage, const struct samverka_wish *wish)
{
    const struct samverka_place place = {.endpoints = stage->endpoints};

    assert_int_equal(samverka_follow_open(&place, wish, &stage->follow, &stage->error),
                     SAMVERKA_OK);
}

enum samverka_code
stage_turn(struct stage *stage)
{
    return stage->follow
               ? samverka_follow_next(stage->follow, TURN_MS, &stage->batch, &stage->error)
               : samverka_append_next(stage->append, TURN_MS, &stage->outcome, &stage->error);
}

bool
stage_is_waiting(enum samverka_code code)
{
    return code == SAMVERKA_TIMEOUT || code == SAMVERKA_UNREACHABLE;
}

/* The next message that the client sends to any server, while nothing comes to it. */
struct test_server *
stage_heard(struct stage *stage)
{
    const int64_t deadline_ms = smv_now_ms() + PATIENCE_MS;

    while (smv_now_ms() < deadline_ms) {
        assert_true(stage_is_waiting(stage_turn(stage)));
        for (int i = 0; i < 2; i++)
            if (test_server_take(&stage->servers[i], 0))
                return &stage->servers[i];
    }
    fail_msg("the client says nothing");
    return NULL;
}

enum samverka_code
stage_come(struct stage *stage)
{
    const int64_t deadline_ms = smv_now_ms() + PATIENCE_MS;
    enum samverka_code code = stage_turn(stage);

    while (stage_is_waiting(code) && smv_now_ms() < deadline_ms)
        code = stage_turn(stage);
    return code;
}

struct test_server *
stage_heard_follow(struct stage *stage, uint64_t after)
{
    struct test_server *server = stage_heard(stage);

    assert_int_equal(server->frame->frame_case, FRAME(FOLLOW));
    assert_int_equal(server->frame->follow->after, after);
    return server;
}
