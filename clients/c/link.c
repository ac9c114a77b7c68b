#include "clients/c/link.h"

#include <errno.h>
#include <poll.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "clients/c/error.h"

#define SILENCE_MS 3000 /* a heartbeat comes each second */
#define PAUSE_FIRST_MS 50
#define PAUSE_MOST_MS 1000
#define ENDPOINTS_BYTES 4096

int64_t
smv_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool
key_valid(const char *key)
{
    uint8_t raw[32];
    const bool valid =
        key && strlen(key) == SAMVERKA_KEY_SIZE - 1 && zmq_z85_decode(raw, key) != NULL;

    sodium_memzero(raw, sizeof raw);
    return valid;
}

static enum samverka_code
take_keys(struct smv_link *link, const struct samverka_place *place,
          struct samverka_error *error)
{
    link->curve = place->server_key != NULL;
    if (!link->curve)
        return SAMVERKA_OK;
    if (!key_valid(place->server_key))
        return smv_fail(error, SAMVERKA_INVALID, "server_key is no key of 40 characters");
    if (!place->keys || !key_valid(place->keys->public_key) ||
        !key_valid(place->keys->secret_key))
        return smv_fail(error, SAMVERKA_INVALID, "keys is no pair of keys");
    memcpy(link->server_key, place->server_key, sizeof link->server_key);
    link->keys = *place->keys;
    return SAMVERKA_OK;
}

static enum samverka_code
take_endpoints(struct smv_link *link, const char *text, struct samverka_error *error)
{
    char *rest, *one;

    if (!text || strnlen(text, ENDPOINTS_BYTES) == ENDPOINTS_BYTES)
        return smv_fail(error, SAMVERKA_INVALID, "endpoints are missing or too long");
    if (!(link->endpoint_text = strdup(text)))
        return smv_no_memory(error);
    rest = link->endpoint_text;
    while ((one = strsep(&rest, ", \n"))) {
        if (!*one)
            continue;
        if (link->count == SMV_ENDPOINTS_MOST)
            return smv_fail(error, SAMVERKA_INVALID, "at most %d endpoints",
                            SMV_ENDPOINTS_MOST);
        if (strncmp(one, "tcp://", 6) != 0)
            return smv_fail(error, SAMVERKA_INVALID, "%.100s does not begin with tcp://", one);
        link->endpoints[link->count++] = one;
    }
    if (!link->count)
        return smv_fail(error, SAMVERKA_INVALID, "endpoints are missing");
    return SAMVERKA_OK;
}

enum samverka_code
smv_link_open(struct smv_link *link, const struct samverka_place *place,
              struct samverka_error *error)
{
    enum samverka_code code;

    *link = (struct smv_link){.not_before_ms = smv_now_ms()};
    if ((code = take_keys(link, place, error)) != SAMVERKA_OK ||
        (code = take_endpoints(link, place->endpoints, error)) != SAMVERKA_OK) {
        smv_link_close(link, 0);
        return code;
    }
    link->turn = randombytes_uniform((uint32_t)link->count); /* spread over the instances */
    link->context = zmq_ctx_new();
    if (!link->context) {
        smv_link_close(link, 0);
        return smv_fail(error, SAMVERKA_SYSTEM, "ZeroMQ does not start: %s",
                        zmq_strerror(errno));
    }
    return SAMVERKA_OK;
}

static void
close_socket(struct smv_link *link)
{
    if (link->socket)
        (void)zmq_close(link->socket); /* fails only for what is no socket */
    link->socket = NULL;
}

void
smv_link_close(struct smv_link *link, int linger_ms)
{
    if (link->socket)
        (void)zmq_setsockopt(link->socket, ZMQ_LINGER, &linger_ms, sizeof linger_ms);
    close_socket(link);
    while (link->context && zmq_ctx_term(link->context) != 0 && errno == EINTR)
        ;
    sodium_memzero(&link->keys, sizeof link->keys);
    free(link->endpoint_text);
    *link = (struct smv_link){0};
}

void
smv_link_leave(struct smv_link *link)
{
    close_socket(link);
    link->turn++;
    link->not_before_ms = smv_now_ms();
}

void
smv_link_leave_failed(struct smv_link *link)
{
    link->pause_ms = link->pause_ms ? link->pause_ms * 2 : PAUSE_FIRST_MS;
    if (link->pause_ms > PAUSE_MOST_MS)
        link->pause_ms = PAUSE_MOST_MS;
    link->alive = false;
    smv_link_leave(link);
    link->not_before_ms += link->pause_ms;
}

void
smv_link_check_silence(struct smv_link *link)
{
    if (link->socket && smv_now_ms() - link->heard_ms >= SILENCE_MS)
        smv_link_leave_failed(link);
}

int64_t
smv_link_due_ms(const struct smv_link *link, bool expects)
{
    if (!link->socket)
        return link->not_before_ms;
    return expects ? link->heard_ms + SILENCE_MS : INT64_MAX;
}

/* ZMQ_IMMEDIATE stays 0: with 1, libzmq drops what has come and is not yet read when the
 * connection breaks, and ends the process between two frames of a message. */
static bool
set_options(const struct smv_link *link, const char *endpoint)
{
    const struct {
        int name, value;
    } options[] = {
        {ZMQ_LINGER, 0},
        {ZMQ_SNDHWM, 1000},
        {ZMQ_RCVHWM, 1000},
        {ZMQ_HEARTBEAT_IVL, 1000},
        {ZMQ_HEARTBEAT_TIMEOUT, 3000},
        {ZMQ_RECONNECT_IVL, 100},
        {ZMQ_RECONNECT_IVL_MAX, 1000},
        {ZMQ_TCP_KEEPALIVE, 1},
        {ZMQ_SNDTIMEO, 0},
        {ZMQ_IPV6, strchr(endpoint, '[') != NULL},
    };
    const int64_t most = (int64_t)SMV_FRAME_BYTES;

    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (zmq_setsockopt(link->socket, options[i].name, &options[i].value, sizeof(int)) != 0)
            return false;
    if (zmq_setsockopt(link->socket, ZMQ_MAXMSGSIZE, &most, sizeof most) != 0)
        return false;
    return !link->curve || (zmq_setsockopt(link->socket, ZMQ_CURVE_SERVERKEY, link->server_key,
                                           SAMVERKA_KEY_SIZE) == 0 &&
                            zmq_setsockopt(link->socket, ZMQ_CURVE_PUBLICKEY,
                                           link->keys.public_key, SAMVERKA_KEY_SIZE) == 0 &&
                            zmq_setsockopt(link->socket, ZMQ_CURVE_SECRETKEY,
                                           link->keys.secret_key, SAMVERKA_KEY_SIZE) == 0);
}

bool
smv_link_join(struct smv_link *link)
{
    const char *endpoint = link->endpoints[link->turn % link->count];

    if (link->socket || smv_now_ms() < link->not_before_ms)
        return false;
    link->socket = zmq_socket(link->context, ZMQ_DEALER);
    if (!link->socket || !set_options(link, endpoint) ||
        zmq_connect(link->socket, endpoint) != 0) {
        smv_link_leave_failed(link); /* no descriptor is left, or no such address */
        return false;
    }
    link->heard_ms = smv_now_ms();
    return true;
}

bool
smv_link_send(struct smv_link *link, const void *head, size_t head_size, const void *body,
              size_t body_size)
{
    if (!link->socket)
        return false;
    /* ZeroMQ takes all frames of a message once it has taken the first. */
    if (zmq_send(link->socket, head, head_size, ZMQ_DONTWAIT | (body ? ZMQ_SNDMORE : 0)) < 0)
        return false;
    return !body || zmq_send(link->socket, body, body_size, ZMQ_DONTWAIT) >= 0;
}

static bool
more(void *socket)
{
    int value = 0;
    size_t size = sizeof value;

    return zmq_getsockopt(socket, ZMQ_RCVMORE, &value, &size) == 0 && value;
}

bool
smv_link_receive(struct smv_link *link, zmq_msg_t parts[2])
{
    zmq_msg_t extra;

    if (!link->socket || zmq_msg_recv(&parts[0], link->socket, ZMQ_DONTWAIT) < 0)
        return false;
    if (more(link->socket))
        (void)zmq_msg_recv(&parts[1], link->socket, ZMQ_DONTWAIT);
    (void)zmq_msg_init(&extra);
    while (more(link->socket) && zmq_msg_recv(&extra, link->socket, ZMQ_DONTWAIT) >= 0)
        ;
    (void)zmq_msg_close(&extra);
    link->heard_ms = smv_now_ms();
    link->alive = true;
    return true;
}

void
smv_link_wait(struct smv_link *link, int64_t until_ms)
{
    const int64_t left_ms = until_ms - smv_now_ms();
    const int ms = left_ms < 0 ? 0 : left_ms > 60000 ? 60000 : (int)left_ms;
    zmq_pollitem_t item = {.socket = link->socket, .events = ZMQ_POLLIN};

    if (link->socket)
        (void)zmq_poll(&item, 1, ms); /* a signal only ends the wait early */
    else
        (void)poll(NULL, 0, ms);
}
