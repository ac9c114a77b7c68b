/* Signing in and out: registry keeps the sessions, the gateway keeps the cookie. */

#include <string.h>

#include "registry/v1/sessions.pb-c.h"
#include "services/gateway/csrf.h"
#include "services/gateway/limit.h"
#include "services/gateway/own.h"
#include "services/gateway/serve.h"

#define SESSION_BYTES ((size_t)64 << 10)

/* A sign-in or sign-out that a foreign page caused would be forgery too. */
static struct status
check_origin(struct exchange *exchange)
{
    const struct csrf_request request = {
        .sec_fetch_site = exchange_header(exchange, "Sec-Fetch-Site"),
        .origin = exchange_header(exchange, "Origin"),
        .host = exchange_header(exchange, "Host"),
        .public_url = exchange->gateway->settings->public_url,
    };

    if (csrf_allowed(&request))
        return OK;
    return FAIL(&exchange->arena, PERMISSION_DENIED, "this must come from our own pages");
}

static void
answer_session(struct exchange *exchange, unsigned http_status,
               const Registry__V1__ResolveCredentialReply *session, const char *cookie)
{
    const struct json_plan *plan =
        json_schema_find(routes_schema(exchange->gateway->routes), session->base.descriptor);
    scoped(buffer_fini) struct buffer body = {0};
    struct MHD_Response *response;
    struct status status;

    buffer_init(&body, SESSION_BYTES);
    status = json_write(plan, &session->base, &exchange->arena, &body);
    response = failed(status) ? NULL : response_of_buffer(&body, "application/json");
    if (!response) {
        exchange_refuse(exchange, failed(status) ? status : need(NULL), 0);
        return;
    }
    (void)MHD_add_response_header(response, "Vary", "Authorization, Cookie");
    if (cookie)
        (void)MHD_add_response_header(response, "Set-Cookie", cookie);
    if (http_status == 201)
        (void)MHD_add_response_header(response, "Location", "/v1/session");
    exchange_answer(exchange, http_status, response);
}

static struct status
take_sign_in(struct exchange *exchange, const struct rpc_answer *answer)
{
    Registry__V1__ResolveCredentialReply session = REGISTRY__V1__RESOLVE_CREDENTIAL_REPLY__INIT;
    const Registry__V1__SignInReply *reply;
    ProtobufCMessage *message;
    const char *cookie;

    TRY(answer->status);
    TRY(wire_unpack(&registry__v1__sign_in_reply__descriptor, answer->packed, &exchange->arena,
                    &message));
    reply = (const Registry__V1__SignInReply *)message;
    TRY(auth_set_cookie(exchange, reply->credential, reply->expires_unix_ms, &cookie));
    session.principal = reply->principal;
    session.expires_unix_ms = reply->expires_unix_ms;
    session.display_name = reply->display_name;
    session.language = reply->language;
    answer_session(exchange, 201, &session, cookie);
    return OK;
}

static void
on_sign_in(void *context, const struct rpc_answer *answer)
{
    struct exchange *exchange = context;
    struct status status;

    exchange->gateway->working--;
    status = take_sign_in(exchange, answer);
    if (failed(status))
        exchange_refuse(exchange, status, answer->head ? answer->head->retry_after_ms : 0);
}

static struct status
call(struct exchange *exchange, const char *method, const ProtobufCMessage *request,
     const Wire__V1__Principal *principal,
     void (*done)(void *context, const struct rpc_answer *answer))
{
    const struct rpc_options options = {.principal = principal,
                                        .idempotency_key = exchange->request_id,
                                        .traceparent = exchange->traceparent,
                                        .language = lang_tag(exchange->lang),
                                        .id = exchange->request_id,
                                        .deadline = exchange->deadline};
    struct bytes packed;

    TRY(wire_pack(request, &exchange->arena, &packed));
    TRY(rpc_start(exchange->gateway->rpc, method, packed, &options, done, exchange,
                  &exchange->arena));
    exchange->gateway->working++;
    return OK;
}

static struct status
check_sign_in_rate(struct exchange *exchange, uint32_t *ret_retry_ms)
{
    const uint64_t rate = exchange->gateway->settings->sign_ins_per_minute;
    const struct limit limit = {rate, 60000, rate};
    uint32_t left;

    if (limits_take(exchange->gateway->limits, 's', exchange->address,
                    strlen(exchange->address), limit, exchange->started, &left, ret_retry_ms))
        return OK;
    return FAIL(&exchange->arena, RESOURCE_EXHAUSTED,
                "too many attempts to sign in; wait a little");
}

static struct status
sign_in(struct exchange *exchange, uint32_t *ret_retry_ms)
{
    const struct json_plan *plan = json_schema_find(routes_schema(exchange->gateway->routes),
                                                    &registry__v1__sign_in_request__descriptor);
    Wire__V1__Principal nobody = WIRE__V1__PRINCIPAL__INIT;
    ProtobufCMessage *request;

    TRY(check_origin(exchange));
    TRY(request_check_type(exchange));
    TRY(json_read(plan, exchange->body.data ? (const char *)exchange->body.data : "",
                  exchange->body.size, NULL, &exchange->arena, &request, NULL));
    TRY(check_sign_in_rate(exchange, ret_retry_ms));
    return call(exchange, "registry.v1.Sessions/SignIn", request, &nobody, on_sign_in);
}

void
own_session_create(struct exchange *exchange)
{
    uint32_t retry_ms = 0;
    const struct status status = sign_in(exchange, &retry_ms);

    if (failed(status))
        exchange_refuse(exchange, status, retry_ms);
}

/* 204 when nobody is signed in: a page that asks has done nothing wrong. */
void
own_session_get(struct exchange *exchange)
{
    Registry__V1__ResolveCredentialReply session = REGISTRY__V1__RESOLVE_CREDENTIAL_REPLY__INIT;
    struct identity_principal principal;

    if (!exchange->identity->known) {
        exchange_answer(
            exchange, 204,
            MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT));
        return;
    }
    identity_to_principal(exchange->identity, &principal);
    session.principal = &principal.principal;
    session.expires_unix_ms = exchange->identity->expires_unix_ms;
    session.display_name = exchange->identity->display_name;
    session.language = exchange->identity->language;
    answer_session(exchange, 200, &session, NULL);
}

static void
answer_signed_out(struct exchange *exchange)
{
    struct MHD_Response *response =
        MHD_create_response_from_buffer(0, (void *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
    const char *cookie;

    if (response && !failed(auth_set_cookie(exchange, NULL, 0, &cookie)))
        (void)MHD_add_response_header(response, "Set-Cookie", cookie);
    exchange_answer(exchange, 204, response);
}

static void
on_sign_out(void *context, const struct rpc_answer *answer)
{
    struct exchange *exchange = context;
    const enum code code = answer->status.code;

    exchange->gateway->working--;
    /* A session that is over already is what was asked for. */
    if (code == CODE_OK || code == CODE_UNAUTHENTICATED || code == CODE_NOT_FOUND)
        answer_signed_out(exchange);
    else
        exchange_refuse(exchange, answer->status, 0);
}

static struct status
sign_out(struct exchange *exchange, bool *ret_nothing)
{
    Registry__V1__SignOutRequest request = REGISTRY__V1__SIGN_OUT_REQUEST__INIT;
    Wire__V1__Role roles[] = {WIRE__V1__ROLE__SERVICE};
    Wire__V1__Principal gateway = WIRE__V1__PRINCIPAL__INIT;
    const char *credential;
    bool by_cookie;

    TRY(auth_credential(exchange, &credential, &by_cookie));
    if (by_cookie)
        TRY(check_origin(exchange));
    *ret_nothing = !credential;
    if (!credential)
        return OK;
    auth_forget(exchange->gateway->auth, credential);
    request.credential = credential;
    gateway.kind = WIRE__V1__PRINCIPAL__KIND__SERVICE;
    gateway.subject_id = "gateway";
    gateway.roles = roles;
    gateway.n_roles = COUNT_OF(roles);
    return call(exchange, "registry.v1.Sessions/SignOut", &request.base, &gateway, on_sign_out);
}

void
own_session_delete(struct exchange *exchange)
{
    bool nothing = false;
    const struct status status = sign_out(exchange, &nothing);

    if (failed(status))
        exchange_refuse(exchange, status, 0);
    else if (nothing)
        answer_signed_out(exchange);
}
