#include "services/gateway/serve.h"

#include <string.h>

#include "common/shards/shards.h"
#include "services/gateway/answers.h"
#include "services/gateway/csrf.h"
#include "services/gateway/limit.h"
#include "services/gateway/ring.h"

/* A service that could not answer, and may another time. */
static void
refuse_or_serve_stale(struct exchange *exchange, struct status status, uint32_t retry_ms)
{
    const bool away = status.code == CODE_UNAVAILABLE || status.code == CODE_DEADLINE_EXCEEDED;

    if (!away || !exchange->cache_key ||
        !answers_serve_stale(exchange->gateway->answers, exchange))
        exchange_refuse(exchange, status, retry_ms);
}

static void
on_reply(void *context, const struct rpc_answer *answer)
{
    struct exchange *exchange = context;
    const struct route *route = exchange->route;
    ProtobufCMessage *reply;
    struct status status = answer->status;

    exchange->gateway->working--;
    if (!failed(status))
        status = wire_unpack(json_plan_descriptor(route->reply), answer->packed,
                             &exchange->arena, &reply);
    if (failed(status)) {
        refuse_or_serve_stale(exchange, status,
                              answer->head ? answer->head->retry_after_ms : 0);
        return;
    }
    if (route->line.kind == ROUTE_WRITES)
        answers_write(exchange->gateway->answers, exchange->gateway->routes, route);
    reply_answer(exchange, answer->head, reply);
}

static struct status
call(struct exchange *exchange)
{
    struct gateway *gateway = exchange->gateway;
    struct identity_principal principal;
    struct rpc_options options = {
        .traceparent = exchange->traceparent,
        .language = lang_tag(exchange->lang),
        .id = exchange->request_id,
        .deadline = exchange->deadline,
    };
    ProtobufCMessage *request;
    struct bytes packed;

    TRY(request_decode(exchange, &request, &options.idempotency_key));
    TRY(wire_pack(request, &exchange->arena, &packed));
    identity_to_principal(exchange->identity, &principal);
    options.principal = &principal.principal;
    TRY(shards_start(gateway->rpc, gateway->clock, exchange->route->line.rpc, packed, &options,
                     on_reply, exchange, &exchange->arena));
    gateway->working++;
    return OK;
}

/* The log's position before the query, so that a list is a snapshot to follow from. */
static struct status
serve_rpc(struct exchange *exchange)
{
    struct gateway *gateway = exchange->gateway;

    exchange->position = ring_through(gateway->ring);
    TRY(answers_prepare(gateway->answers, exchange));
    exchange->cache_live = ring_live(gateway->ring, exchange->started);
    if (exchange->cache_key && exchange->cache_live &&
        answers_serve(gateway->answers, exchange))
        return OK;
    return call(exchange);
}

static struct status
check_csrf(struct exchange *exchange)
{
    const struct csrf_request request = {
        .sec_fetch_site = exchange_header(exchange, "Sec-Fetch-Site"),
        .origin = exchange_header(exchange, "Origin"),
        .host = exchange_header(exchange, "Host"),
        .public_url = exchange->gateway->settings->public_url,
    };
    const bool changes = exchange->method != HTTP_GET;

    if (!changes || !exchange->identity->by_cookie || csrf_allowed(&request))
        return OK;
    return FAIL(&exchange->arena, PERMISSION_DENIED,
                "a cookie is believed only from our own pages");
}

static struct status
check_rights(struct exchange *exchange)
{
    const struct route *route = exchange->route;
    const uint32_t mask = route->contract ? route->contract->role_mask : 0;

    if (route->access != ROUTE_SIGNED_IN)
        return OK;
    if (!exchange->identity->known)
        return FAIL(&exchange->arena, UNAUTHENTICATED, "sign in, or send a bearer token");
    if (mask && !(mask & exchange->identity->role_mask))
        return FAIL(&exchange->arena, PERMISSION_DENIED, "your roles do not allow this");
    return OK;
}

static struct status
check_rate(struct exchange *exchange, uint32_t *ret_retry_ms)
{
    const struct gateway *gateway = exchange->gateway;
    const struct identity *identity = exchange->identity;
    const struct limit limit = {gateway->settings->rate_per_second, 1000,
                                gateway->settings->rate_burst};
    const bool taken =
        identity->known
            ? limits_take(gateway->limits, 'c', (const char *)identity->credential,
                          CREDENTIAL_HASH_BYTES, limit, exchange->started, &exchange->rate_left,
                          ret_retry_ms)
            : limits_take(gateway->limits, 'a', exchange->address, strlen(exchange->address),
                          limit, exchange->started, &exchange->rate_left, ret_retry_ms);

    exchange->rate_known = true;
    return taken ? OK
                 : FAIL(&exchange->arena, RESOURCE_EXHAUSTED, "too many requests; slow down");
}

/* Who asks is known now. */
static void
serve_known(struct exchange *exchange)
{
    uint32_t retry_ms = 0;
    struct status status = check_rate(exchange, &retry_ms);

    if (exchange->identity->known && !exchange_header(exchange, "Accept-Language"))
        exchange->lang = lang_parse(exchange->identity->language);
    if (!failed(status))
        status = check_rights(exchange);
    if (!failed(status))
        status = check_csrf(exchange);
    if (!failed(status) && exchange->route->line.own) {
        exchange->route->line.own(exchange);
        return;
    }
    if (!failed(status))
        status = serve_rpc(exchange);
    if (failed(status))
        refuse_or_serve_stale(exchange, status, retry_ms);
}

static struct status
find_route(struct exchange *exchange)
{
    if (exchange->path[0] != '/')
        return FAIL(&exchange->arena, INVALID_ARGUMENT, "the request's target must be a path");
    TRY(routes_find(exchange->gateway->routes, exchange->method, exchange->path,
                    &exchange->arena, &exchange->route, &exchange->values, &exchange->allow));
    if (exchange->body_seen > EXCHANGE_BODY_BYTES)
        return FAIL(&exchange->arena, TOO_LARGE, "the body is larger than %zu bytes",
                    EXCHANGE_BODY_BYTES);
    if (exchange->body.broken)
        return FAIL(&exchange->arena, RESOURCE_EXHAUSTED, "no memory for the body");
    return OK;
}

/* OPTIONS on a path that exists says what it answers to. */
static void
answer_options(struct exchange *exchange)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);

    if (response)
        (void)MHD_add_response_header(response, "Allow", exchange->allow);
    exchange_answer(exchange, 204, response);
}

void
exchange_run(struct exchange *exchange)
{
    const char *credential = NULL;
    bool by_cookie = false;
    struct status status;

    exchange->phase = EXCHANGE_WORKING;
    status = find_route(exchange);
    if (status.code == CODE_METHOD_NOT_ALLOWED && exchange->method == HTTP_OPTIONS) {
        answer_options(exchange);
        return;
    }
    if (!failed(status) && exchange->route->access != ROUTE_UNASKED)
        status = auth_credential(exchange, &credential, &by_cookie);
    if (failed(status))
        exchange_refuse(exchange, status, 0);
    else if (credential)
        auth_resolve(exchange, credential, by_cookie, serve_known);
    else
        serve_known(exchange);
}
