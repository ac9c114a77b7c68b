#include "services/gateway/exchange.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/metric.h"
#include "common/base/uuid.h"
#include "services/gateway/own.h"
#include "services/gateway/page.h"
#include "services/gateway/problem.h"
#include "services/gateway/trace.h"

#define POOL_KEEP 256 /* idle exchanges kept with their first memory */

struct exchange_pool {
    struct gateway *gateway;
    struct exchange *idle;
    unsigned idle_count;
};

static struct metric requests =
    METRIC("http_requests_total", METRIC_COUNTER, "Requests answered, by route and status.",
           "route", "status");
static struct metric seconds =
    METRIC("http_request_seconds", METRIC_HISTOGRAM,
           "Time from a request's head to its answer.", "route", NULL);

struct status
exchange_pool_create(struct gateway *gateway, struct arena *arena, struct exchange_pool **ret)
{
    struct exchange_pool *pool = calloc(1, sizeof *pool);

    (void)arena;
    TRY(need(pool));
    pool->gateway = gateway;
    *ret = pool;
    return OK;
}

void
exchange_pool_destroy(struct exchange_pool **pool)
{
    if (!*pool)
        return;
    while ((*pool)->idle) {
        struct exchange *exchange = (*pool)->idle;

        (*pool)->idle = exchange->next;
        arena_fini(&exchange->arena);
        free(exchange);
    }
    free(take(pool));
}

struct exchange *
exchange_begin(struct exchange_pool *pool, const char *uri)
{
    struct exchange *exchange = pool->idle;
    struct arena arena;
    const size_t path_size = strcspn(uri, "?");

    if (exchange) {
        pool->idle = exchange->next;
        pool->idle_count--;
        arena = exchange->arena;
    } else {
        exchange = malloc(sizeof *exchange);
        if (!exchange)
            return NULL;
        arena_init(&arena, ARENA_CALL_BYTES);
    }
    memset(exchange, 0, sizeof *exchange);
    exchange->gateway = pool->gateway;
    exchange->arena = arena;
    exchange->lang = LANG_EN;
    exchange->request_id = "";
    buffer_init(&exchange->body, EXCHANGE_BODY_BYTES);
    exchange->started = clock_mono(pool->gateway->clock);
    exchange->path = arena_copy_n(&exchange->arena, uri, path_size);
    exchange->query = arena_copy(&exchange->arena, uri[path_size] ? uri + path_size + 1 : "");
    return exchange;
}

void
exchange_end(struct exchange *exchange)
{
    struct exchange_pool *pool = exchange->gateway->pool;

    if (exchange->response)
        MHD_destroy_response(exchange->response);
    buffer_fini(&exchange->body);
    if (pool->idle_count >= POOL_KEEP) {
        arena_fini(&exchange->arena);
        free(exchange);
        return;
    }
    arena_reset(&exchange->arena);
    exchange->next = pool->idle;
    pool->idle = exchange;
    pool->idle_count++;
}

static bool
is_stream(const struct exchange *exchange)
{
    return exchange->route && exchange->route->line.own == own_events_stream;
}

void
exchange_slim(struct exchange *exchange)
{
    buffer_fini(&exchange->body);
    if (is_stream(exchange)) {
        exchange->path = exchange->query = exchange->address = exchange->request_id = "";
        exchange->identity = NULL;
        arena_fini(&exchange->arena);
    }
}

const char *
exchange_header(const struct exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

/* The client's address as text.  Behind our edge it is the last one of X-Forwarded-For, which
 * the edge itself has added; those before it are hearsay. */
static struct status
find_address(struct exchange *exchange)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const char *forwarded = exchange->gateway->settings->behind_edge
                                ? exchange_header(exchange, "X-Forwarded-For")
                                : NULL;
    char text[INET6_ADDRSTRLEN] = "?";

    if (forwarded) {
        const char *comma = strrchr(forwarded, ',');

        forwarded = comma ? comma + 1 : forwarded;
        forwarded += strspn(forwarded, " ");
        TRY(need(exchange->address =
                     arena_copy_n(&exchange->arena, forwarded, strnlen(forwarded, 64))));
        return OK;
    }
    if (info && info->client_addr->sa_family == AF_INET)
        (void)inet_ntop(
            AF_INET, &((const struct sockaddr_in *)(const void *)info->client_addr)->sin_addr,
            text, sizeof text);
    else if (info && info->client_addr->sa_family == AF_INET6)
        (void)inet_ntop(
            AF_INET6,
            &((const struct sockaddr_in6 *)(const void *)info->client_addr)->sin6_addr, text,
            sizeof text);
    TRY(need(exchange->address = arena_copy(&exchange->arena, text)));
    return OK;
}

struct status
exchange_open(struct exchange *exchange, struct MHD_Connection *connection, const char *method)
{
    char id[UUID_SIZE];

    exchange->connection = connection;
    exchange->method = http_method_parse(method);
    exchange->head = strcmp(method, "HEAD") == 0;
    exchange->deadline =
        mono_add_ms(exchange->started, (int64_t)exchange->gateway->settings->request_ms);
    exchange->lang = lang_negotiate(exchange_header(exchange, "Accept-Language"));
    trace_continue(exchange_header(exchange, "traceparent"), exchange->traceparent,
                   exchange->trace_id);
    uuid_v7(exchange->gateway->clock, id);
    TRY(need(exchange->path));
    TRY(need(exchange->query));
    TRY(need(exchange->request_id = arena_copy(&exchange->arena, id)));
    TRY(need(exchange->identity = ARENA_NEW(&exchange->arena, struct identity)));
    return find_address(exchange);
}

static void
add_header(struct MHD_Response *response, const char *name, const char *value)
{
    (void)MHD_add_response_header(response, name, value); /* refused only for want of memory */
}

/* The headers of every answer.  A handler's own Cache-Control stands. */
static void
add_common_headers(struct exchange *exchange, struct MHD_Response *response)
{
    char rate[64];

    add_header(response, "X-Request-Id", exchange->request_id);
    add_header(response, "traceparent", exchange->traceparent);
    add_header(response, "X-Content-Type-Options", "nosniff");
    if (is_stream(exchange) && exchange->http_status == 200)
        return; /* thousands of them are kept for days */
    add_header(response, "Referrer-Policy", "same-origin");
    if (!MHD_get_response_header(response, "Content-Security-Policy"))
        add_header(response, "Content-Security-Policy",
                   "default-src 'none'; frame-ancestors 'none'");
    if (!MHD_get_response_header(response, "Cache-Control"))
        add_header(response, "Cache-Control", "no-store");
    if (exchange->rate_known) {
        snprintf(rate, sizeof rate, "\"default\";r=%u;t=1", exchange->rate_left);
        add_header(response, "RateLimit", rate);
    }
    if (gateway_is_https(exchange->gateway))
        add_header(response, "Strict-Transport-Security", "max-age=31536000");
    if (exchange->gateway->draining)
        add_header(response, "Connection", "close");
}

static void
count(const struct exchange *exchange)
{
    const struct route *route = exchange->route;
    const char *name = !route ? "none" : route->line.rpc ? route->line.rpc : route->line.path;
    const struct mono now = clock_mono(exchange->gateway->clock);
    char status[8];

    snprintf(status, sizeof status, "%u", exchange->http_status % 1000);
    metric_add(&requests, name, status, 1);
    metric_observe_seconds(&seconds, name, NULL,
                           (double)mono_micros_between(exchange->started, now) / 1e6);
}

void
exchange_answer(struct exchange *exchange, unsigned http_status, struct MHD_Response *response)
{
    exchange->http_status = http_status;
    exchange->phase = EXCHANGE_ANSWERED;
    exchange->response = response; /* NULL closes the connection: no memory to say more */
    if (response)
        add_common_headers(exchange, response);
    count(exchange);
    if (exchange->suspended) {
        exchange->suspended = false;
        MHD_resume_connection(exchange->connection);
        gateway_wake_in(exchange->gateway, 0);
    }
}

struct MHD_Response *
response_of_buffer(struct buffer *body, const char *content_type)
{
    struct MHD_Response *response;

    if (body->broken || !body->data)
        return NULL;
    response = MHD_create_response_from_buffer(body->size, body->data, MHD_RESPMEM_MUST_FREE);
    if (!response)
        return NULL;
    body->data = NULL; /* now the response's */
    buffer_fini(body);
    add_header(response, "Content-Type", content_type);
    return response;
}

void
exchange_answer_buffer(struct exchange *exchange, unsigned http_status,
                       const char *content_type, struct buffer *body)
{
    struct MHD_Response *response = response_of_buffer(body, content_type);

    if (!response) {
        exchange_refuse(exchange, FAIL(&exchange->arena, INTERNAL, "no memory for an answer"),
                        0);
        return;
    }
    add_header(response, "Content-Language", lang_tag(exchange->lang));
    add_header(response, "Vary", "Accept-Language, Authorization, Cookie");
    exchange_answer(exchange, http_status, response);
}

/* What the client should wait, in ms; 0: nothing to wait for. */
static uint32_t
retry_after(enum code code, uint32_t given_ms)
{
    const enum retry retry = code_retry(code);

    if (given_ms > 0)
        return given_ms;
    return retry == RETRY_NEVER ? 0 : retry == RETRY_LATER ? 2000 : 1000;
}

/* Who looks at a page with a browser reads what went wrong there, not JSON. */
static bool
wants_page(const struct exchange *exchange)
{
    const char *accept = exchange->connection ? exchange_header(exchange, "Accept") : NULL;

    return exchange->route && accept && strstr(accept, "text/html") &&
           (exchange->route->line.own == own_log_page ||
            exchange->route->line.own == own_log_event);
}

void
exchange_refuse(struct exchange *exchange, struct status status, uint32_t retry_after_ms)
{
    scoped(buffer_fini) struct buffer body = {0};
    const struct problem problem = {
        .status = status,
        .public_url = exchange->gateway->settings->public_url,
        .instance = exchange->path ? exchange->path : "",
        .trace_id = exchange->trace_id,
        .request_id = exchange->request_id,
        .retry_after_ms = retry_after(status.code, retry_after_ms),
        .lang = exchange->lang,
    };
    struct MHD_Response *response;
    const char *cookie;
    char wait[16];

    if (code_http(status.code) >= 500)
        log_warn("request failed", KV("request_id", exchange->request_id),
                 KV("trace_id", (const char *)exchange->trace_id),
                 KV("route", exchange->route ? exchange->route->line.path : "none"),
                 KV("code", code_name(status.code)),
                 KV("detail", status.detail ? status.detail : ""));
    response = wants_page(exchange) ? page_of_problem(exchange, status.code) : NULL;
    if (!response) {
        buffer_init(&body, 64 << 10);
        problem_write(&problem, &body);
        response = response_of_buffer(&body, "application/problem+json");
        if (response)
            add_header(response, "Content-Language", lang_tag(exchange->lang));
    }
    if (response) {
        if (problem.retry_after_ms > 0) {
            snprintf(wait, sizeof wait, "%u", (problem.retry_after_ms + 999) / 1000);
            add_header(response, "Retry-After", wait);
        }
        if (exchange->allow)
            add_header(response, "Allow", exchange->allow);
        if (status.code == CODE_UNAUTHENTICATED)
            add_header(response, "WWW-Authenticate", "Bearer");
        if (exchange->stale_cookie && !failed(auth_set_cookie(exchange, NULL, 0, &cookie)))
            add_header(response, "Set-Cookie", cookie);
    }
    exchange_answer(exchange, (unsigned)code_http(status.code), response);
}
