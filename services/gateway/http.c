#include "services/gateway/http.h"

#include <netdb.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "services/gateway/exchange.h"

/* Of one connection, for its head: a longer one is answered by libmicrohttpd itself, with 431.
 */
#define MEMORY_BYTES ((size_t)16 << 10)
#define BACKLOG 1024u

/* The request line has come.  MHD frees nothing of what is returned here. */
static void *
on_line(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct gateway *gateway = context;

    (void)connection;
    return exchange_begin(gateway->pool, uri);
}

/* Paths and parameters are decoded by ourselves, part by part: MHD would make %2F a slash. */
static size_t
keep_escapes(void *context, struct MHD_Connection *connection, char *text)
{
    (void)context;
    (void)connection;
    return strlen(text);
}

static void
on_completed(void *context, struct MHD_Connection *connection, void **exchange,
             enum MHD_RequestTerminationCode code)
{
    (void)context;
    (void)connection;
    (void)code;
    if (*exchange)
        exchange_end(*exchange);
    *exchange = NULL;
}

static enum MHD_Result
queue(struct exchange *exchange)
{
    enum MHD_Result result;

    if (!exchange->response)
        return MHD_NO;
    result =
        MHD_queue_response(exchange->connection, exchange->http_status, exchange->response);
    /* From here on only the response is needed; a stream may keep it for days. */
    exchange_slim(exchange);
    return result;
}

static void
take_body(struct exchange *exchange, const char *data, size_t size)
{
    exchange->body_seen += size;
    if (exchange->body_seen <= EXCHANGE_BODY_BYTES)
        buffer_put(&exchange->body, data, size);
    else
        buffer_fini(&exchange->body);
}

/* A body that is much too large is not waited for. */
static bool
declares_too_much(const struct exchange *exchange)
{
    const char *length = exchange_header(exchange, MHD_HTTP_HEADER_CONTENT_LENGTH);

    return length &&
           (strlen(length) > 12 || strtoull(length, NULL, 10) > EXCHANGE_SWALLOW_BYTES);
}

static enum MHD_Result
on_head(struct exchange *exchange, struct MHD_Connection *connection, const char *method)
{
    const struct status status = exchange_open(exchange, connection, method);

    if (failed(status))
        return MHD_NO; /* no memory for the head */
    if (!declares_too_much(exchange))
        return MHD_YES;
    exchange_refuse(exchange,
                    FAIL(&exchange->arena, TOO_LARGE, "the body is larger than %zu bytes",
                         EXCHANGE_BODY_BYTES),
                    0);
    return queue(exchange);
}

/* Called for the head, for each part of the body, and at its end; and again after a resume. */
static enum MHD_Result
on_request(void *context, struct MHD_Connection *connection, const char *url,
           const char *method, const char *version, const char *data, size_t *data_size,
           void **state)
{
    struct exchange *exchange = *state;

    (void)context;
    (void)url;
    (void)version;
    if (!exchange)
        return MHD_NO; /* no memory for an exchange */
    if (!exchange->connection)
        return on_head(exchange, connection, method);
    if (*data_size > 0) {
        take_body(exchange, data, *data_size);
        *data_size = 0;
        return exchange->body_seen > EXCHANGE_SWALLOW_BYTES ? MHD_NO : MHD_YES;
    }
    if (exchange->phase == EXCHANGE_RECEIVING)
        exchange_run(exchange);
    if (exchange->phase == EXCHANGE_ANSWERED)
        return queue(exchange);
    exchange->suspended = true;
    MHD_suspend_connection(connection);
    return MHD_YES;
}

static void __attribute__((format(printf, 2, 0)))
on_log(void *context, const char *format, va_list args)
{
    char text[512];

    (void)context;
    vsnprintf(text, sizeof text, format, args);
    text[strcspn(text, "\n")] = '\0';
    log_debug("libmicrohttpd", KV("text", (const char *)text));
}

/* "127.0.0.1:8080" or "[::1]:8080", numeric. */
static struct status
parse_address(const char *text, struct arena *arena, struct sockaddr_storage *ret)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                                   .ai_socktype = SOCK_STREAM};
    const char *colon = strrchr(text, ':');
    struct addrinfo *found = NULL;
    char *host;

    if (!colon)
        return FAIL_FIELD(arena, "http_bind", "must be an address and a port");
    TRY(need(host = arena_copy_n(arena, text, (size_t)(colon - text))));
    if (host[0] == '[' && host[strlen(host) - 1] == ']') {
        host[strlen(host) - 1] = '\0';
        host++;
    }
    if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
        return FAIL_FIELD(arena, "http_bind", "must be a numeric address and a port");
    memset(ret, 0, sizeof *ret);
    memcpy(ret, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    return OK;
}

static void
tell_address(const struct gateway *gateway)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(gateway->daemon, MHD_DAEMON_INFO_BIND_PORT);

    log_info("listening", KV("http_bind", gateway->settings->http_bind),
             KV("port", info ? (unsigned)info->port : 0u),
             KV("public_url", gateway->settings->public_url));
}

struct status
http_start(struct gateway *gateway, struct arena *arena)
{
    const struct gateway_settings *settings = gateway->settings;
    struct sockaddr_storage address;
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;

    TRY(parse_address(settings->http_bind, arena, &address));
    if (address.ss_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    gateway->daemon = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, gateway, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
        MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&address, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        MEMORY_BYTES, MHD_OPTION_CONNECTION_LIMIT, (unsigned)settings->http_connections,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)settings->http_connections_per_address,
        MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(settings->http_timeout_ms + 999) / 1000,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_LISTENING_ADDRESS_REUSE, 1u,
        MHD_OPTION_LISTEN_BACKLOG_SIZE, BACKLOG, MHD_OPTION_URI_LOG_CALLBACK, on_line, gateway,
        MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, gateway, MHD_OPTION_END);
    if (!gateway->daemon)
        return FAIL(arena, UNAVAILABLE, "cannot listen at %s", settings->http_bind);
    tell_address(gateway);
    return OK;
}

int
http_fd(const struct gateway *gateway)
{
    return MHD_get_daemon_info(gateway->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

void
http_run(struct gateway *gateway)
{
    (void)MHD_run(gateway->daemon); /* fails only when the daemon is of another kind */
}

int
http_next_ms(const struct gateway *gateway)
{
    MHD_UNSIGNED_LONG_LONG ms;

    if (MHD_get_timeout(gateway->daemon, &ms) != MHD_YES)
        return -1;
    return ms > 60000 ? 60000 : (int)ms;
}

void
http_quiesce(struct gateway *gateway)
{
    const MHD_socket listener = MHD_quiesce_daemon(gateway->daemon);

    if (listener != MHD_INVALID_SOCKET)
        (void)close(listener);
}

unsigned
http_connections(const struct gateway *gateway)
{
    return MHD_get_daemon_info(gateway->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)
        ->num_connections;
}

void
http_stop(struct gateway *gateway)
{
    if (gateway->daemon)
        MHD_stop_daemon(take(&gateway->daemon));
}
