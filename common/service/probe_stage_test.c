#include "common/service/probe_stage_test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define PATIENCE_MS 20000

struct mono
probe_soon(void)
{
    return mono_add_ms(clock_mono(clock_system()), PATIENCE_MS);
}

/* A moment between two looks; false when patience is over. */
bool
probe_patient(struct mono deadline)
{
    (void)poll(NULL, 0, 5);
    return mono_left_ms(deadline, clock_mono(clock_system())) > 0;
}

char *
probe_read_file(const char *path)
{
    static char text[PROBE_PAGE_BYTES];
    FILE *file = fopen(path, "r");
    const size_t size = file ? fread(text, 1, sizeof text - 1, file) : 0;

    text[size] = '\0';
    if (file)
        (void)fclose(file);
    return text;
}

void
probe_write_settings(struct probe *stage, const char *rpc_bind, const char *more)
{
    FILE *file = fopen(stage->settings, "w");

    assert_non_null(file);
    (void)fprintf(file,
                  "rpc_bind = %s\nadmin_bind = 127.0.0.1:0\nkey_folder = %s\nworkers = 2\n%s",
                  rpc_bind, stage->folder, more);
    assert_int_equal(fclose(file), 0);
}

pid_t
probe_spawn(struct probe *stage, const char *option, const char *setting)
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
int
probe_await_end(pid_t pid)
{
    const struct mono deadline = probe_soon();
    int status = 0;

    while (waitpid(pid, &status, WNOHANG) == 0)
        if (!probe_patient(deadline))
            fail_msg("the process does not end");
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void
probe_await_log(struct probe *stage, const char *text)
{
    const struct mono deadline = probe_soon();

    while (!strstr(probe_read_file(stage->log), text))
        if (!probe_patient(deadline))
            fail_msg("the log has no %s:\n%s", text, probe_read_file(stage->log));
}

void
probe_start(struct probe *stage, const char *postgres)
{
    const char *at;

    stage->pid = probe_spawn(stage, NULL, postgres);
    probe_await_log(stage, "\"event\":\"started\"");
    at = strstr(probe_read_file(stage->log), "\"port\":");
    assert_non_null(at);
    stage->admin_port = (int)strtol(at + strlen("\"port\":"), NULL, 10);
    at = strstr(probe_read_file(stage->log), "\"rpc\":\"");
    assert_non_null(at);
    (void)snprintf(stage->endpoint, sizeof stage->endpoint, "%.*s", (int)strcspn(at + 7, "\""),
                   at + 7);
}

int
probe_stop(struct probe *stage)
{
    const pid_t pid = stage->pid;

    stage->pid = 0;
    (void)kill(pid, SIGTERM);
    return probe_await_end(pid);
}

/* The status of the answer, 0 when there is none; the whole answer in `page`. */
int
probe_http(const struct probe *stage, const char *method, const char *path,
           char page[PROBE_PAGE_BYTES])
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
        while (size < PROBE_PAGE_BYTES - 1 &&
               (got = read(fd, page + size, PROBE_PAGE_BYTES - 1 - size)) > 0)
            size += (size_t)got;
    }
    (void)close(fd);
    page[size] = '\0';
    return size > 12 ? (int)strtol(page + 9, NULL, 10) : 0;
}

void
probe_await_page(const struct probe *stage, const char *path, int status)
{
    const struct mono deadline = probe_soon();
    static char page[PROBE_PAGE_BYTES];

    while (probe_http(stage, "GET", path, page) != status)
        if (!probe_patient(deadline))
            fail_msg("%s is not %d but: %s", path, status, page);
}

void
probe_connect_client(struct probe *stage)
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

struct status
probe_call_as(struct probe *stage, Wire__V1__Role role, const char *method,
              const ProtobufCMessage *request, const ProtobufCMessageDescriptor *reply,
              void *ret)
{
    Wire__V1__Principal principal = WIRE__V1__PRINCIPAL__INIT;
    ProtobufCMessage *answer = NULL;
    struct status status;

    principal.kind = WIRE__V1__PRINCIPAL__KIND__SERVICE;
    principal.subject_id = "operator";
    principal.roles = &role;
    principal.n_roles = role ? 1 : 0;
    status =
        rpc_call(stage->client, method, request, reply,
                 &(struct rpc_options){
                     .principal = &principal, .service = "events", .deadline = probe_soon()},
                 &stage->arena, &answer);
    if (!failed(status))
        memcpy(ret, (void *)&answer, sizeof(void *));
    return status;
}

int
probe_set_up(void **state)
{
    struct probe *stage = calloc(1, sizeof *stage);
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
    probe_write_settings(stage, "tcp://127.0.0.1:*", "");
    *state = stage;
    return 0;
}

int
probe_tear_down(void **state)
{
    static const char *const names[] = {"log",        "settings",     "events.key",
                                        "events.pub", "operator.key", "operator.pub"};
    struct probe *stage = *state;
    char path[128];

    if (stage->pid) {
        (void)kill(stage->pid, SIGKILL);
        (void)probe_await_end(stage->pid);
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

/* A process and its children: each Postgres backend has a session of its own. */
void
probe_signal_family(pid_t parent, int number)
{
    char path[64], *at;

    (void)snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", (long)parent,
                   (long)parent);
    assert_int_equal(kill(parent, number), 0);
    at = probe_read_file(path);
    for (;;) {
        char *end;
        const long pid = strtol(at, &end, 10);

        if (end == at)
            return;
        (void)kill((pid_t)pid, number); /* it may have ended just now */
        at = end;
    }
}
