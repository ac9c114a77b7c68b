#pragma once

/* For tests of the frame: the probe (probe_test.c) as a process of its own, with keys and
 * settings in a temporary folder, and what one does to it from outside.  Failures end the test.
 */

#include <sys/types.h>

#include "common/service/service.h"

#define PROBE_PAGE_BYTES 65536

struct probe {
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

struct mono probe_soon(void);
/* A moment between two looks; false when patience is over. */
bool probe_patient(struct mono deadline);
/* The text of a file, in a buffer that the next call uses again. */
char *probe_read_file(const char *path);

void probe_write_settings(struct probe *stage, const char *rpc_bind, const char *more);
/* `option` and `postgres` may be NULL; with `postgres` the service uses it. */
pid_t probe_spawn(struct probe *stage, const char *option, const char *postgres);
/* The exit code, or 128 and the signal. */
int probe_await_end(pid_t pid);
void probe_await_log(struct probe *stage, const char *text);
void probe_start(struct probe *stage, const char *postgres);
int probe_stop(struct probe *stage); /* the exit code */
/* A process and its children: each Postgres backend has a session of its own. */
void probe_signal_family(pid_t parent, int number);

/* The status of the answer, 0 when there is none; the whole answer in `page`. */
int probe_http(const struct probe *stage, const char *method, const char *path,
               char page[PROBE_PAGE_BYTES]);
void probe_await_page(const struct probe *stage, const char *path, int status);

void probe_connect_client(struct probe *stage);
/* As an operator's key with `role`; ROLE_UNSPECIFIED: with none. */
struct status probe_call_as(struct probe *stage, Wire__V1__Role role, const char *method,
                            const ProtobufCMessage *request,
                            const ProtobufCMessageDescriptor *reply, void *ret);

int probe_set_up(void **state);
int probe_tear_down(void **state);
