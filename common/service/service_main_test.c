/* The whole frame as a process: probe_test.c, started, asked, signalled. */

#include "common/service/service.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "events/v1/log.pb-c.h"
#include "wire/v1/admin.pb-c.h"

#define PATIENCE_MS 20000
#define PAGE_BYTES 65536

struct stage {
    char folder[64];
    char log[96];
    char settings[96];
    pid_t pid; /* 0: none runs */
    char endpoint[256];
    int admin_port;
    struct arena arena;
    void *context;
    struct resolver *resolver;
    struct key_pair operator_key;
    struct rpc_client *client;
};

static struct mono
soon(void)
{
    return mono_add_ms(clock_mono(clock_system()), PATIENCE_MS);
}

/* A moment between two looks; false when patience is over. */
static bool
patient(struct mono deadline)
{
    (void)poll(NULL, 0, 5);
    return mono_left_ms(deadline, clock_mono(clock_system())) > 0;
}

static char *
read_file(const char *path)
{
    static char text[PAGE_BYTES];
    FILE *file = fopen(path, "r");
    const size_t size = file ? fread(text, 1, sizeof text - 1, file) : 0;

    text[size] = '\0';
    if (file)
        (void)fclose(file);
    return text;
}

static void
write_settings(struct stage *stage, const char *rpc_bind, const char *more)
{
    FILE *file = fopen(stage->settings, "w");

    assert_non_null(file);
    (void)fprintf(file,
                  "rpc_bind = %s\nadmin_bind = 127.0.0.1:0\nkey_folder = %s\nworkers = 2\n%s",
                  rpc_bind, stage->folder, more);
    assert_int_equal(fclose(file), 0);
}

static pid_t
spawn(struct stage *stage, const char *option, const char *setting)
{
    char *arguments[] = {(char *)(uintptr_t)PROBE, (char *)(uintptr_t) "--settings-file",
                         stage->settings, (char *)(uintptr_t)option, NULL};
    posix_spawn_file_actions_t files;
    pid_t pid;

    if (setting)
        (void)setenv("PROBE_POSTGRES", setting, 1);
    else
        (void)unsetenv("PROBE_POSTGRES");
    (void)posix_spawn_file_actions_init(&files);
    (void)posix_spawn_file_actions_addopen(&files, 1, stage->log, O_WRONLY | O_CREAT | O_TRUNC,
                                           0600);
    (void)posix_spawn_file_actions_adddup2(&files, 1, 2);
    assert_int_equal(posix_spawn(&pid, PROBE, &files, NULL, arguments, environ), 0);
    (void)posix_spawn_file_actions_destroy(&files);
    return pid;
}

/* The exit code, or 128 and the signal. */
static int
await_end(pid_t pid)
{
    const struct mono deadline = soon();
    int status = 0;

    while (waitpid(pid, &status, WNOHANG) == 0)
        if (!patient(deadline))
            fail_msg("the process does not end");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void
await_log(struct stage *stage, const char *text)
{
    const struct mono deadline = soon();

    while (!strstr(read_file(stage->log), text))
        if (!patient(deadline))
            fail_msg("the log has no %s:\n%s", text, read_file(stage->log));
}

static void
start(struct stage *stage, const char *postgres)
{
    const char *at;

    stage->pid = spawn(stage, NULL, postgres);
    await_log(stage, "\"event\":\"started\"");
    at = strstr(read_file(stage->log), "\"port\":");
    assert_non_null(at);
    stage->admin_port = (int)strtol(at + strlen("\"port\":"), NULL, 10);
    at = strstr(read_file(stage->log), "\"rpc\":\"");
    assert_non_null(at);
    (void)snprintf(stage->endpoint, sizeof stage->endpoint, "%.*s", (int)strcspn(at + 7, "\""),
                   at + 7);
}

static int
stop(struct stage *stage)
{
    const pid_t pid = stage->pid;

    stage->pid = 0;
    (void)kill(pid, SIGTERM);
    return await_end(pid);
}

/* The status of the answer, 0 when there is none; the whole answer in `page`. */
static int
http(const struct stage *stage, const char *method, const char *path, char page[PAGE_BYTES])
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)stage->admin_port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const struct timeval limit = {.tv_sec = 5};
    size_t size = 0;
    ssize_t got;

    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) == 0) {
        (void)dprintf(fd, "%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", method,
                      path);
        while (size < PAGE_BYTES - 1 &&
               (got = read(fd, page + size, PAGE_BYTES - 1 - size)) > 0)
            size += (size_t)got;
    }
    (void)close(fd);
    page[size] = '\0';
    return size > 12 ? (int)strtol(page + 9, NULL, 10) : 0;
}

static void
await_page(const struct stage *stage, const char *path, int status)
{
    const struct mono deadline = soon();
    static char page[PAGE_BYTES];

    while (http(stage, "GET", path, page) != status)
        if (!patient(deadline))
            fail_msg("%s is not %d but: %s", path, status, page);
}

static void
connect_client(struct stage *stage)
{
    char public_text[KEY_TEXT_SIZE];

    assert_int_equal(key_public_load(stage->folder, "events", &stage->arena, public_text).code,
                     CODE_OK);
    assert_int_equal(
        rpc_client_create(&(struct rpc_client_config){.zmq_context = stage->context,
                                                      .resolver = stage->resolver,
                                                      .clock = clock_system(),
                                                      .curve = true,
                                                      .own = &stage->operator_key},
                          &stage->arena, &stage->client)
            .code,
        CODE_OK);
    assert_int_equal(
        rpc_client_add(stage->client, "events", stage->endpoint, public_text, &stage->arena)
            .code,
        CODE_OK);
}

static struct status
call_as(struct stage *stage, Wire__V1__Role role, const char *method,
        const ProtobufCMessage *request, const ProtobufCMessageDescriptor *reply, void *ret)
{
    Wire__V1__Principal principal = WIRE__V1__PRINCIPAL__INIT;
    ProtobufCMessage *answer = NULL;
    struct status status;

    principal.kind = WIRE__V1__PRINCIPAL__KIND__SERVICE;
    principal.subject_id = "operator";
    principal.roles = &role;
    principal.n_roles = role ? 1 : 0;
    status = rpc_call(
        stage->client, method, request, reply,
        &(struct rpc_options){.principal = &principal, .service = "events", .deadline = soon()},
        &stage->arena, &answer);
    if (!failed(status))
        memcpy(ret, (void *)&answer, sizeof(void *));
    return status;
}

static int
set_up(void **state)
{
    struct stage *stage = calloc(1, sizeof *stage);
    struct key_pair pair;

    arena_init(&stage->arena, (size_t)64 << 20);
    (void)snprintf(stage->folder, sizeof stage->folder, "/tmp/samverka-probe-XXXXXX");
    assert_non_null(mkdtemp(stage->folder));
    (void)snprintf(stage->log, sizeof stage->log, "%s/log", stage->folder);
    (void)snprintf(stage->settings, sizeof stage->settings, "%s/settings", stage->folder);
    assert_int_equal(key_pair_create(&stage->arena, &pair).code, CODE_OK);
    assert_int_equal(key_pair_store(stage->folder, "events", &pair, &stage->arena).code,
                     CODE_OK);
    assert_int_equal(key_pair_create(&stage->arena, &stage->operator_key).code, CODE_OK);
    assert_int_equal(
        key_pair_store(stage->folder, "operator", &stage->operator_key, &stage->arena).code,
        CODE_OK);
    stage->context = zmq_ctx_new();
    assert_int_equal(resolver_create(&stage->arena, &stage->resolver).code, CODE_OK);
    write_settings(stage, "tcp://127.0.0.1:*", "");
    *state = stage;
    return 0;
}

static int
tear_down(void **state)
{
    static const char *const names[] = {"log",        "settings",     "events.key",
                                        "events.pub", "operator.key", "operator.pub"};
    struct stage *stage = *state;
    char path[128];

    if (stage->pid) {
        (void)kill(stage->pid, SIGKILL);
        (void)await_end(stage->pid);
    }
    rpc_client_destroy(&stage->client);
    resolver_destroy(&stage->resolver);
    (void)zmq_ctx_term(stage->context);
    arena_fini(&stage->arena);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        (void)snprintf(path, sizeof path, "%s/%s", stage->folder, names[i]);
        (void)unlink(path);
    }
    (void)rmdir(stage->folder);
    free(stage);
    return 0;
}

static void
the_admin_port_tells_life_readiness_and_metrics(void **state)
{
    struct stage *stage = *state;
    static char page[PAGE_BYTES];

    start(stage, NULL);
    assert_int_equal(http(stage, "GET", "/livez", page), 200);
    assert_int_equal(http(stage, "GET", "/startupz", page), 200);
    assert_int_equal(http(stage, "GET", "/readyz", page), 200);
    assert_int_equal(http(stage, "GET", "/metrics", page), 200);
    assert_non_null(strstr(page, "samverka_events_ready 1"));
    assert_non_null(strstr(page, "text/plain; version=0.0.4"));
    assert_int_equal(http(stage, "GET", "/secrets", page), 404);
    assert_int_equal(http(stage, "POST", "/livez", page), 405);
    assert_int_equal(stop(stage), 0);
}

static void
an_operator_pings_and_learns_what_the_service_is(void **state)
{
    struct stage *stage = *state;
    Wire__V1__PingRequest ping = WIRE__V1__PING_REQUEST__INIT;
    Wire__V1__PingReply *pong;
    Wire__V1__InfoReply *info;
    const Wire__V1__InfoRequest ask = WIRE__V1__INFO_REQUEST__INIT;

    start(stage, NULL);
    connect_client(stage);
    ping.payload.data = (uint8_t *)stage->folder;
    ping.payload.len = 8;
    assert_int_equal(call_as(stage, 0, "wire.v1.Admin/Ping", &ping.base,
                             &wire__v1__ping_reply__descriptor, &pong)
                         .code,
                     CODE_OK);
    assert_int_equal(pong->payload.len, 8);
    assert_memory_equal(pong->payload.data, stage->folder, 8);
    assert_int_equal(call_as(stage, WIRE__V1__ROLE__OPERATOR, "wire.v1.Admin/Info", &ask.base,
                             &wire__v1__info_reply__descriptor, &info)
                         .code,
                     CODE_OK);
    assert_string_equal(info->service, "events");
    assert_true(info->ready);
    assert_int_equal(info->n_methods, 3);
    assert_string_equal(info->methods[0], "events.v1.Log/Head");
    assert_int_equal(stop(stage), 0);
}

static void
roles_decide_who_may_call(void **state)
{
    struct stage *stage = *state;
    const Wire__V1__InfoRequest info = WIRE__V1__INFO_REQUEST__INIT;
    const Events__V1__ReadRequest read_request = EVENTS__V1__READ_REQUEST__INIT;
    void *reply;

    start(stage, NULL);
    connect_client(stage);
    assert_int_equal(call_as(stage, 0, "wire.v1.Admin/Info", &info.base,
                             &wire__v1__info_reply__descriptor, &reply)
                         .code,
                     CODE_UNAUTHENTICATED);
    assert_int_equal(call_as(stage, WIRE__V1__ROLE__STUDENT, "events.v1.Log/Read",
                             &read_request.base, &events__v1__read_reply__descriptor, &reply)
                         .code,
                     CODE_PERMISSION_DENIED);
    assert_int_equal(call_as(stage, WIRE__V1__ROLE__SYSTEM, "events.v1.Log/Read",
                             &read_request.base, &events__v1__read_reply__descriptor, &reply)
                         .code,
                     CODE_OK);
    assert_int_equal(stop(stage), 0);
}

static void
what_fails_inside_stays_inside(void **state)
{
    struct stage *stage = *state;
    const Events__V1__HeadRequest request = EVENTS__V1__HEAD_REQUEST__INIT;
    const Events__V1__AppendRequest empty = EVENTS__V1__APPEND_REQUEST__INIT;
    struct status status;
    void *reply;

    start(stage, NULL);
    connect_client(stage);
    status = call_as(stage, WIRE__V1__ROLE__OPERATOR, "events.v1.Log/Head", &request.base,
                     &events__v1__head_reply__descriptor, &reply);
    assert_int_equal(status.code, CODE_INTERNAL);
    assert_null(strstr(status.detail, "secret"));
    assert_non_null(strstr(status.detail, "internal error, request "));
    await_log(stage, "the secret of table x");
    status = call_as(stage, WIRE__V1__ROLE__OPERATOR, "events.v1.Log/Append", &empty.base,
                     &events__v1__append_reply__descriptor, &reply);
    assert_int_equal(status.code, CODE_INVALID_ARGUMENT);
    assert_string_equal(status.field, "batch");
    assert_int_equal(stop(stage), 0);
}

/* Keeps what an answer said. */
static void
note(void *context, const struct rpc_answer *answer)
{
    *(int *)context = (int)answer->status.code;
}

static void
start_slow_read(struct stage *stage, uint64_t ms, int *ret_code)
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
                  &(struct rpc_options){.principal = &principal, .deadline = soon()}, note,
                  ret_code, &stage->arena)
            .code,
        CODE_OK);
}

static void
a_drain_finishes_what_is_under_way_and_ends_with_zero(void **state)
{
    struct stage *stage = *state;
    const struct mono deadline = soon();
    static char page[PAGE_BYTES];
    int code;

    start(stage, NULL);
    connect_client(stage);
    start_slow_read(stage, 300, &code);
    /* Under way once the server has counted it: ask Stats through the same client. */
    for (bool taken = false; !taken && patient(deadline);) {
        rpc_client_poll(stage->client);
        taken = rpc_client_instances(stage->client, (struct rpc_instance[1]){0}, 1) == 1;
        struct rpc_instance instance = {0};
        (void)rpc_client_instances(stage->client, &instance, 1);
        taken = instance.connected && instance.outstanding == 1;
    }
    (void)poll(NULL, 0,
               100); /* for the frame to cross loopback; the read lasts three times that */
    (void)kill(stage->pid, SIGTERM);
    await_log(stage, "\"event\":\"draining\"");
    assert_int_equal(http(stage, "GET", "/livez", page), 200);
    assert_int_equal(http(stage, "GET", "/readyz", page), 503);
    assert_non_null(strstr(page, "draining"));
    while (code == -1 && patient(deadline))
        rpc_client_poll(stage->client);
    assert_int_equal(code, CODE_OK);
    assert_int_equal(await_end(stage->pid), 0);
    stage->pid = 0;
}

static void
a_second_signal_does_not_wait(void **state)
{
    struct stage *stage = *state;
    const struct mono deadline = soon();
    int code;

    start(stage, NULL);
    connect_client(stage);
    start_slow_read(stage, 60000, &code);
    while (!strstr(read_file(stage->log), "draining") && patient(deadline)) {
        struct rpc_instance instance = {0};

        rpc_client_poll(stage->client);
        (void)rpc_client_instances(stage->client, &instance, 1);
        if (instance.outstanding == 1 && patient(deadline))
            (void)kill(stage->pid, SIGTERM);
    }
    (void)kill(stage->pid, SIGINT);
    assert_in_range(await_end(stage->pid), 128 + SIGINT, 128 + SIGTERM);
    stage->pid = 0;
}

static void
ping_asks_the_instance_that_the_settings_describe(void **state)
{
    struct stage *stage = *state;
    char log[96];
    pid_t pid;

    start(stage, NULL);
    write_settings(stage, stage->endpoint, "");
    (void)snprintf(log, sizeof log, "%s", stage->log);
    pid = spawn(stage, "--ping", NULL);
    assert_int_equal(await_end(pid), 0);
    assert_int_equal(stop(stage), 0);
    pid = spawn(stage, "--ping", NULL);
    assert_int_equal(await_end(pid), 1);
}

static void
settings_are_shown_and_unknown_ones_refused(void **state)
{
    struct stage *stage = *state;

    assert_int_equal(await_end(spawn(stage, "--settings", NULL)), 0);
    assert_non_null(strstr(read_file(stage->log), "workers"));
    write_settings(stage, "tcp://127.0.0.1:*", "colour = red\n");
    assert_int_equal(await_end(spawn(stage, NULL, NULL)), 2);
    assert_non_null(strstr(read_file(stage->log), "colour"));
    assert_int_equal(await_end(spawn(stage, "--no-such-option", NULL)), 2);
}

static void
without_postgres_it_lives_and_says_why_it_is_not_ready(void **state)
{
    struct stage *stage = *state;
    static char page[PAGE_BYTES];

    write_settings(stage, "tcp://127.0.0.1:*",
                   "pg_dsn = host=127.0.0.1 port=1 dbname=x user=x\n");
    start(stage, "yes");
    await_page(stage, "/readyz", 503);
    assert_int_equal(http(stage, "GET", "/livez", page), 200);
    assert_int_equal(http(stage, "GET", "/readyz", page), 503);
    assert_non_null(strstr(page, "Postgres"));
    assert_int_equal(stop(stage), 0);
}

static void
a_stopped_postgres_shows_within_five_seconds_and_readiness_comes_back(void **state)
{
    struct stage *stage = *state;
    const char *host = getenv("SAMVERKA_TEST_PG_HOST"), *port = getenv("SAMVERKA_TEST_PG_PORT");
    const char *database = getenv("SAMVERKA_TEST_PG_DATABASE");
    const char *pid_text = getenv("SAMVERKA_TEST_PG_PID");
    const pid_t postgres = pid_text ? (pid_t)strtol(pid_text, NULL, 10) : 0;
    static char page[PAGE_BYTES];
    struct mono stopped;

    if (!host || postgres <= 1)
        skip();
    write_settings(stage, "tcp://127.0.0.1:*",
                   arena_printf(&stage->arena,
                                "pg_dsn = host=%s port=%s dbname=%s user=app_events\n", host,
                                port, database));
    start(stage, "yes");
    await_page(stage, "/readyz", 200);
    /* The postmaster is the leader of its session: the whole group stops. */
    assert_int_equal(kill(-postgres, SIGSTOP), 0);
    stopped = clock_mono(clock_system());
    await_page(stage, "/readyz", 503);
    assert_int_equal(http(stage, "GET", "/livez", page), 200);
    (void)kill(-postgres, SIGCONT);
    assert_in_range(mono_micros_between(stopped, clock_mono(clock_system())), 0, 5500000);
    await_page(stage, "/readyz", 200);
    assert_int_equal(stop(stage), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

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
