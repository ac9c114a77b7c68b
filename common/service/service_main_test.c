/* The whole frame as a process: probe_test.c, started, asked, signalled. */

#include "common/service/probe_stage_test.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "events/v1/log.pb-c.h"
#include "wire/v1/admin.pb-c.h"

static void
the_admin_port_tells_life_readiness_and_metrics(void **state)
{
    struct probe *stage = *state;
    static char page[PROBE_PAGE_BYTES];

    probe_start(stage, NULL);
    assert_int_equal(probe_http(stage, "GET", "/livez", page), 200);
    assert_int_equal(probe_http(stage, "GET", "/startupz", page), 200);
    assert_int_equal(probe_http(stage, "GET", "/readyz", page), 200);
    assert_int_equal(probe_http(stage, "GET", "/metrics", page), 200);
    assert_non_null(strstr(page, "samverka_events_ready 1"));
    assert_non_null(strstr(page, "text/plain; version=0.0.4"));
    assert_int_equal(probe_http(stage, "GET", "/secrets", page), 404);
    assert_int_equal(probe_http(stage, "POST", "/livez", page), 405);
    assert_int_equal(probe_stop(stage), 0);
}

static void
an_operator_pings_and_learns_what_the_service_is(void **state)
{
    struct probe *stage = *state;
    Wire__V1__PingRequest ping = WIRE__V1__PING_REQUEST__INIT;
    Wire__V1__PingReply *pong;
    Wire__V1__InfoReply *info;
    const Wire__V1__InfoRequest ask = WIRE__V1__INFO_REQUEST__INIT;

    probe_start(stage, NULL);
    probe_connect_client(stage);
    ping.payload.data = (uint8_t *)stage->folder;
    ping.payload.len = 8;
    assert_int_equal(probe_call_as(stage, 0, "wire.v1.Admin/Ping", &ping.base,
                                   &wire__v1__ping_reply__descriptor, &pong)
                         .code,
                     CODE_OK);
    assert_int_equal(pong->payload.len, 8);
    assert_memory_equal(pong->payload.data, stage->folder, 8);
    assert_int_equal(probe_call_as(stage, WIRE__V1__ROLE__OPERATOR, "wire.v1.Admin/Info",
                                   &ask.base, &wire__v1__info_reply__descriptor, &info)
                         .code,
                     CODE_OK);
    assert_string_equal(info->service, "events");
    assert_true(info->ready);
    assert_int_equal(info->n_methods, 8);
    assert_string_equal(info->methods[0], "events.v1.Log/Head");
    assert_int_equal(probe_stop(stage), 0);
}

static void
roles_decide_who_may_call(void **state)
{
    struct probe *stage = *state;
    const Wire__V1__InfoRequest info = WIRE__V1__INFO_REQUEST__INIT;
    const Events__V1__ReadRequest read_request = EVENTS__V1__READ_REQUEST__INIT;
    void *reply;

    probe_start(stage, NULL);
    probe_connect_client(stage);
    assert_int_equal(probe_call_as(stage, 0, "wire.v1.Admin/Info", &info.base,
                                   &wire__v1__info_reply__descriptor, &reply)
                         .code,
                     CODE_UNAUTHENTICATED);
    assert_int_equal(probe_call_as(stage, WIRE__V1__ROLE__STUDENT, "events.v1.Log/Read",
                                   &read_request.base, &events__v1__read_reply__descriptor,
                                   &reply)
                         .code,
                     CODE_PERMISSION_DENIED);
    assert_int_equal(probe_call_as(stage, WIRE__V1__ROLE__SYSTEM, "events.v1.Log/Read",
                                   &read_request.base, &events__v1__read_reply__descriptor,
                                   &reply)
                         .code,
                     CODE_OK);
    assert_int_equal(probe_stop(stage), 0);
}

static void
what_fails_inside_stays_inside(void **state)
{
    struct probe *stage = *state;
    const Events__V1__HeadRequest request = EVENTS__V1__HEAD_REQUEST__INIT;
    const Events__V1__AppendRequest empty = EVENTS__V1__APPEND_REQUEST__INIT;
    struct status status;
    void *reply;

    probe_start(stage, NULL);
    probe_connect_client(stage);
    status = probe_call_as(stage, WIRE__V1__ROLE__OPERATOR, "events.v1.Log/Head", &request.base,
                           &events__v1__head_reply__descriptor, &reply);
    assert_int_equal(status.code, CODE_INTERNAL);
    assert_null(strstr(status.detail, "secret"));
    probe_await_log(stage, "the secret of table x");
    status = probe_call_as(stage, WIRE__V1__ROLE__OPERATOR, "events.v1.Log/Append", &empty.base,
                           &events__v1__append_reply__descriptor, &reply);
    assert_int_equal(status.code, CODE_INVALID_ARGUMENT);
    assert_string_equal(status.field, "batch");
    assert_int_equal(probe_stop(stage), 0);
}

/* Keeps what an answer said. */
static void
note(void *context, const struct rpc_answer *answer)
{
    *(int *)context = (int)answer->status.code;
}

static void
start_slow_read(struct probe *stage, uint64_t ms, int *ret_code)
{
    Events__V1__ReadRequest request = EVENTS__V1__READ_REQUEST__INIT;
    Wire__V1__Principal principal = WIRE__V1__PRINCIPAL__INIT;
    Wire__V1__Role role = WIRE__V1__ROLE__OPERATOR;
    struct bytes packed;

    request.after = ms;
    principal.roles = &role;
    principal.n_roles = 1;
    *ret_code = -1;
    assert_int_equal(wire_pack(&request.base, &stage->arena, &packed).code, CODE_OK);
    assert_int_equal(
        rpc_start(stage->client, "events.v1.Log/Read", packed,
                  &(struct rpc_options){.principal = &principal, .deadline = probe_soon()},
                  note, ret_code, &stage->arena)
            .code,
        CODE_OK);
}

static void
a_drain_finishes_what_is_under_way_and_ends_with_zero(void **state)
{
    struct probe *stage = *state;
    const struct mono deadline = probe_soon();
    static char page[PROBE_PAGE_BYTES];
    static int code; /* told when the client ends, after the test */

    probe_start(stage, NULL);
    probe_connect_client(stage);
    start_slow_read(stage, 300, &code);
    /* Under way once the server has counted it: ask Stats through the same client. */
    for (bool taken = false; !taken && probe_patient(deadline);) {
        rpc_client_poll(stage->client);
        taken = rpc_client_instances(stage->client, (struct rpc_instance[1]){0}, 1) == 1;
        struct rpc_instance instance = {0};
        (void)rpc_client_instances(stage->client, &instance, 1);
        taken = instance.connected && instance.outstanding == 1;
    }
    (void)poll(NULL, 0,
               100); /* for the frame to cross loopback; the read lasts three times that */
    (void)kill(stage->pid, SIGTERM);
    probe_await_log(stage, "\"event\":\"draining\"");
    assert_int_equal(probe_http(stage, "GET", "/livez", page), 200);
    assert_int_equal(probe_http(stage, "GET", "/readyz", page), 503);
    assert_non_null(strstr(page, "draining"));
    while (code == -1 && probe_patient(deadline))
        rpc_client_poll(stage->client);
    assert_int_equal(code, CODE_OK);
    assert_int_equal(probe_await_end(stage->pid), 0);
    stage->pid = 0;
}

static void
a_second_signal_does_not_wait(void **state)
{
    struct probe *stage = *state;
    const struct mono deadline = probe_soon();
    static int code; /* told when the client ends, after the test */

    probe_start(stage, NULL);
    probe_connect_client(stage);
    start_slow_read(stage, 60000, &code);
    while (!strstr(probe_read_file(stage->log), "draining") && probe_patient(deadline)) {
        struct rpc_instance instance = {0};

        rpc_client_poll(stage->client);
        (void)rpc_client_instances(stage->client, &instance, 1);
        if (instance.outstanding == 1 && probe_patient(deadline))
            (void)kill(stage->pid, SIGTERM);
    }
    (void)kill(stage->pid, SIGINT);
    assert_in_range(probe_await_end(stage->pid), 128 + SIGINT, 128 + SIGTERM);
    stage->pid = 0;
}

static void
ping_asks_the_instance_that_the_settings_describe(void **state)
{
    struct probe *stage = *state;
    char log[96];
    pid_t pid;

    probe_start(stage, NULL);
    probe_write_settings(stage, stage->endpoint, "");
    (void)snprintf(log, sizeof log, "%s", stage->log);
    pid = probe_spawn(stage, "--ping", NULL);
    assert_int_equal(probe_await_end(pid), 0);
    assert_int_equal(probe_stop(stage), 0);
    pid = probe_spawn(stage, "--ping", NULL);
    assert_int_equal(probe_await_end(pid), 1);
}

static void
settings_are_shown_and_unknown_ones_refused(void **state)
{
    struct probe *stage = *state;

    assert_int_equal(probe_await_end(probe_spawn(stage, "--settings", NULL)), 0);
    assert_non_null(strstr(probe_read_file(stage->log), "workers"));
    probe_write_settings(stage, "tcp://127.0.0.1:*", "colour = red\n");
    assert_int_equal(probe_await_end(probe_spawn(stage, NULL, NULL)), 2);
    assert_non_null(strstr(probe_read_file(stage->log), "colour"));
    assert_int_equal(probe_await_end(probe_spawn(stage, "--no-such-option", NULL)), 2);
}

static void
without_postgres_it_lives_and_says_why_it_is_not_ready(void **state)
{
    struct probe *stage = *state;
    static char page[PROBE_PAGE_BYTES];

    probe_write_settings(stage, "tcp://127.0.0.1:*",
                         "pg_dsn = host=127.0.0.1 port=1 dbname=x user=x\n");
    probe_start(stage, "yes");
    probe_await_page(stage, "/readyz", 503);
    assert_int_equal(probe_http(stage, "GET", "/livez", page), 200);
    assert_int_equal(probe_http(stage, "GET", "/readyz", page), 503);
    assert_non_null(strstr(page, "Postgres"));
    assert_int_equal(probe_stop(stage), 0);
}

static void
a_stopped_postgres_shows_within_five_seconds_and_readiness_comes_back(void **state)
{
    struct probe *stage = *state;
    const char *host = getenv("SAMVERKA_TEST_PG_HOST"), *port = getenv("SAMVERKA_TEST_PG_PORT");
    const char *database = getenv("SAMVERKA_TEST_PG_DATABASE");
    const char *pid_text = getenv("SAMVERKA_TEST_PG_PID");
    const pid_t postgres = pid_text ? (pid_t)strtol(pid_text, NULL, 10) : 0;
    static char page[PROBE_PAGE_BYTES];
    struct mono stopped;

    if (!host || postgres <= 1)
        skip();
    probe_write_settings(stage, "tcp://127.0.0.1:*",
                         arena_printf(&stage->arena,
                                      "pg_dsn = host=%s port=%s dbname=%s user=app_events\n",
                                      host, port, database));
    probe_start(stage, "yes");
    probe_await_page(stage, "/readyz", 200);
    probe_signal_family(postgres, SIGSTOP);
    stopped = clock_mono(clock_system());
    probe_await_page(stage, "/readyz", 503);
    assert_int_equal(probe_http(stage, "GET", "/livez", page), 200);
    probe_signal_family(postgres, SIGCONT);
    assert_in_range(mono_micros_between(stopped, clock_mono(clock_system())), 0, 5500000);
    probe_await_page(stage, "/readyz", 200);
    assert_int_equal(probe_stop(stage), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, probe_set_up, probe_tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_admin_port_tells_life_readiness_and_metrics),
        TEST(an_operator_pings_and_learns_what_the_service_is),
        TEST(roles_decide_who_may_call),
        TEST(what_fails_inside_stays_inside),
        TEST(a_drain_finishes_what_is_under_way_and_ends_with_zero),
        TEST(a_second_signal_does_not_wait),
        TEST(ping_asks_the_instance_that_the_settings_describe),
        TEST(settings_are_shown_and_unknown_ones_refused),
        TEST(without_postgres_it_lives_and_says_why_it_is_not_ready),
        TEST(a_stopped_postgres_shows_within_five_seconds_and_readiness_comes_back),
    };

    return cmocka_run_group_tests_name("service_main", tests, NULL, NULL);
}
