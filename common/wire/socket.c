#include "common/wire/socket.h"

#include <errno.h>
#include <string.h>

#include "common/base/arena.h"

/* libzmq 4.3 has the option also without its draft interface, but hides the name there. */
#ifndef ZMQ_ZAP_ENFORCE_DOMAIN
#define ZMQ_ZAP_ENFORCE_DOMAIN 93
#endif

#define HIGH_WATER 1000
#define HEARTBEAT_MS 1000
#define HEARTBEAT_TIMEOUT_MS 3000
#define RECONNECT_MS 100
#define RECONNECT_MAX_MS 5000
#define HANDSHAKE_MS 5000
#define BACKLOG 1024

struct option {
    int name, value;
};

void
socket_close(void **socket)
{
    if (!*socket)
        return;
    (void)zmq_close(*socket); /* fails only for what is no socket */
    *socket = NULL;
}

static struct status
refused(struct arena *arena)
{
    return FAIL(arena, INTERNAL, "a socket's option was refused: %s", zmq_strerror(errno));
}

static struct status
set_options(void *socket, int type, struct socket_limits limits, struct arena *arena)
{
    const struct option options[] = {
        {ZMQ_LINGER, limits.linger_ms},
        {ZMQ_SNDHWM, limits.send_high_water > 0 ? limits.send_high_water : HIGH_WATER},
        {ZMQ_RCVHWM, limits.receive_high_water > 0 ? limits.receive_high_water : HIGH_WATER},
        {ZMQ_IMMEDIATE, !limits.reads_parts},
        {ZMQ_HEARTBEAT_IVL, HEARTBEAT_MS},
        {ZMQ_HEARTBEAT_TIMEOUT, HEARTBEAT_TIMEOUT_MS},
        {ZMQ_HEARTBEAT_TTL, HEARTBEAT_TIMEOUT_MS},
        {ZMQ_RECONNECT_IVL, RECONNECT_MS},
        {ZMQ_RECONNECT_IVL_MAX, RECONNECT_MAX_MS},
        {ZMQ_TCP_KEEPALIVE, 1},
        {ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS},
        {ZMQ_BACKLOG, BACKLOG},
        {ZMQ_SNDTIMEO, 0},
    };
    const int64_t frame_bytes = (int64_t)SOCKET_FRAME_BYTES;
    const int mandatory = 1;

    for (size_t i = 0; i < COUNT_OF(options); i++)
        if (zmq_setsockopt(socket, options[i].name, &options[i].value,
                           sizeof options[i].value) != 0)
            return refused(arena);
    if (zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &frame_bytes, sizeof frame_bytes) != 0)
        return refused(arena);
    if (type == ZMQ_ROUTER &&
        zmq_setsockopt(socket, ZMQ_ROUTER_MANDATORY, &mandatory, sizeof mandatory) != 0)
        return refused(arena);
    return OK;
}

static struct status
set_own_keys(void *socket, const struct key_pair *own, struct arena *arena)
{
    if (!own || zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, own->public_text, KEY_TEXT_SIZE) ||
        zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, own->secret_text, KEY_TEXT_SIZE))
        return FAIL(arena, INVALID_ARGUMENT, "no key pair of our own for a socket");
    return OK;
}

/* Without a domain libzmq would let every key in: enforcing makes a forgotten one close. */
static struct status
set_server_curve(void *socket, const struct wire_curve *curve, struct arena *arena)
{
    const int on = 1;

    TRY(set_own_keys(socket, curve->own, arena));
    if (!curve->domain || !curve->domain[0])
        return FAIL(arena, INVALID_ARGUMENT, "a server's socket needs a ZAP domain");
    if (zmq_setsockopt(socket, ZMQ_CURVE_SERVER, &on, sizeof on) ||
        zmq_setsockopt(socket, ZMQ_ZAP_DOMAIN, curve->domain, strlen(curve->domain)) ||
        zmq_setsockopt(socket, ZMQ_ZAP_ENFORCE_DOMAIN, &on, sizeof on))
        return refused(arena);
    return OK;
}

static struct status
set_client_curve(void *socket, const struct wire_curve *curve, struct arena *arena)
{
    TRY(set_own_keys(socket, curve->own, arena));
    if (!key_text_valid(curve->server_public) ||
        zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, curve->server_public, KEY_TEXT_SIZE))
        return FAIL(arena, INVALID_ARGUMENT, "no public key of the server");
    return OK;
}

static struct status
set_ip_version(void *socket, const char *endpoint, struct arena *arena)
{
    const int on = 1;

    if (strchr(endpoint, '[') && zmq_setsockopt(socket, ZMQ_IPV6, &on, sizeof on) != 0)
        return refused(arena);
    return OK;
}

static struct status
create(void *zmq_context, int type, struct socket_limits limits, struct arena *arena,
       void **ret)
{
    scoped(socket_close) void *socket = zmq_socket(zmq_context, type);

    if (!socket)
        return FAIL(arena, UNAVAILABLE, "no socket: %s", zmq_strerror(errno));
    TRY(set_options(socket, type, limits, arena));
    *ret = take(&socket);
    return OK;
}

struct status
socket_bind(void *zmq_context, int type, const char *endpoint, const struct wire_curve *curve,
            struct socket_limits limits, struct arena *arena, void **ret_socket,
            char ret_endpoint[256])
{
    scoped(socket_close) void *socket = NULL;
    char real[256];
    size_t size = sizeof real;

    TRY(create(zmq_context, type, limits, arena, &socket));
    if (curve && curve->on)
        TRY(set_server_curve(socket, curve, arena));
    TRY(set_ip_version(socket, endpoint, arena));
    if (zmq_bind(socket, endpoint) != 0)
        return FAIL(arena, UNAVAILABLE, "%s: %s", endpoint, zmq_strerror(errno));
    if (zmq_getsockopt(socket, ZMQ_LAST_ENDPOINT, real, &size) != 0)
        return refused(arena);
    memcpy(ret_endpoint, real, size);
    *ret_socket = take(&socket);
    return OK;
}

struct status
socket_join(void *socket, const char *endpoint, struct arena *arena)
{
    TRY(set_ip_version(socket, endpoint, arena));
    if (zmq_connect(socket, endpoint) != 0)
        return FAIL(arena, UNAVAILABLE, "%s: %s", endpoint, zmq_strerror(errno));
    return OK;
}

void
socket_leave(void *socket, const char *endpoint)
{
    (void)zmq_disconnect(socket, endpoint); /* ENOENT: it was not connected */
}

struct status
socket_connect(void *zmq_context, int type, const char *endpoint,
               const struct wire_curve *curve, struct socket_limits limits, struct arena *arena,
               void **ret_socket)
{
    scoped(socket_close) void *socket = NULL;

    TRY(create(zmq_context, type, limits, arena, &socket));
    if (curve && curve->on)
        TRY(set_client_curve(socket, curve, arena));
    if (endpoint)
        TRY(socket_join(socket, endpoint, arena));
    *ret_socket = take(&socket);
    return OK;
}

struct status
socket_local(void *zmq_context, int type, const char *endpoint, bool bind, struct arena *arena,
             void **ret_socket)
{
    scoped(socket_close) void *socket = NULL;

    TRY(create(zmq_context, type, (struct socket_limits){0}, arena, &socket));
    if ((bind ? zmq_bind(socket, endpoint) : zmq_connect(socket, endpoint)) != 0)
        return FAIL(arena, ALREADY_EXISTS, "%s: %s", endpoint, zmq_strerror(errno));
    *ret_socket = take(&socket);
    return OK;
}
