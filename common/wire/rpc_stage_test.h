#pragma once

/* A server with its loop in a thread, and a client, for the tests of rpc.
 *
 * The service is wire.v1.Admin, run by workers; the first byte of a Ping's payload says what
 * the handler does.
 */

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/test.h"
#include "common/base/uuid.h"
#include "common/wire/rpc_client.h"
#include "common/wire/rpc_server.h"

#define STAGE_PATIENCE_MS 10000
#define PING "wire.v1.Admin/Ping"

struct stage_server {
    void *context;
    struct zap *zap;
    struct rpc_server *server;
    struct arena arena;
    pthread_t thread;
    int stop_fd;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool open;              /* lets 'g' handlers go on */
    _Atomic uint32_t begun; /* handlers that have begun */
};

struct stage_client {
    void *context;
    struct resolver *resolver;
    struct rpc_client *client;
    struct arena arena;
    struct key_pair pair;
};

struct stage_options {
    const struct key_pair *key; /* NULL: without CURVE */
    const struct zap_peer *peers;
    size_t peer_count;
    uint32_t workers, queue_limit; /* 0: 2 and 100 */
    bool on_loop;                  /* Admin is answered on the loop */
    const char *bind;              /* NULL: any free port */
};

struct mono stage_soon(void);
bool stage_over(struct mono deadline);
void stage_open_gate(struct stage_server *stage);
void stage_server_start(struct stage_server *stage, struct stage_options options);
/* Ends the loop and the server; with CURVE also the key table. */
void stage_server_stop(struct stage_server *stage);
/* A client of the service "wire" at these endpoints. */
void stage_client_start(struct stage_client *stage, const char *endpoints,
                        const char *server_public, uint32_t in_flight_limit);
void stage_client_stop(struct stage_client *stage);
/* Waits for input of the client and polls it. */
void stage_client_turn(struct stage_client *stage, int most_ms);
struct status stage_ping(struct stage_client *stage, const char *payload,
                         const struct rpc_options *given, const char **ret);
