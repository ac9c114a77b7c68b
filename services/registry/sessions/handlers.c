#include "registry/v1/sessions.pb-c.h"

#include <string.h>

#include "common/base/uuid.h"
#include "common/service/call.h"
#include "services/registry/accounts/password.h"
#include "services/registry/accounts/rules.h"
#include "services/registry/accounts/store.h"
#include "services/registry/registry.h"
#include "services/registry/sessions/credential.h"
#include "services/registry/sessions/rules.h"
#include "services/registry/sessions/sessions.h"
#include "services/registry/sessions/store.h"
#include "services/registry/values/values.h"

#define PASSWORD_BYTES 1000

static struct status
begin(struct call *call, const char *tenant_id, struct pg_tx *ret)
{
    const struct pg_scope scope = {.tenant_id = tenant_id, .deadline = call->deadline};

    return pg_tx_begin(call->pg, &scope, call->arena, ret);
}

/* What a sign-in needs to know before the password is looked at. */
struct sign_in {
    struct account_login login;
    bool found;
    const char *tenant_id; /* wanted; "" for the only one, NULL: it does not exist */
};

static struct status
look_up(struct call *call, const Registry__V1__SignInRequest *request, struct sign_in *ret)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    struct sign_in known = {.tenant_id = ""};
    const char *trimmed, *folded;

    TRY(rules_email(call->arena, request->email, &trimmed, &folded));
    TRY(begin(call, NULL, &tx));
    TRY(store_account_find(&tx, call->arena, folded, &known.login, &known.found));
    if (*request->tenant) {
        TRY(store_session_tenant(&tx, call->arena, request->tenant, &known.tenant_id));
        if (!*known.tenant_id)
            known.tenant_id = NULL;
    }
    *ret = known;
    return OK;
}

/* Remembers the try, and makes the session when it was right. */
static struct status
settle(struct call *call, const struct sign_in *known, bool success, const char *tenant_id,
       Registry__V1__SignInReply *reply)
{
    const struct registry_state *state = call->state;
    Registry__V1__ResolveCredentialReply resolved =
        REGISTRY__V1__RESOLVE_CREDENTIAL_REPLY__INIT;
    scoped(pg_tx_end) struct pg_tx tx = {0};
    struct credential credential;
    char id[UUID_SIZE];

    TRY(begin(call, success ? tenant_id : NULL, &tx));
    TRY(store_account_note(&tx, known->login.id, success));
    if (!success)
        return pg_tx_commit(&tx);
    uuid_v7(call->clock, id);
    TRY(credential_create(call->arena, CREDENTIAL_SESSION, tenant_id, &reply->credential,
                          &credential));
    TRY(store_session_insert(&tx, call->arena, id, &credential, known->login.id,
                             state->session_absolute_ms, &reply->expires_unix_ms));
    TRY(store_session_resolve(&tx, call->arena, &credential, state->session_idle_ms,
                              &resolved));
    TRY(pg_tx_commit(&tx));
    reply->principal = resolved.principal;
    reply->display_name = resolved.display_name;
    reply->language = resolved.language;
    return OK;
}

static struct status
sign_in(struct call *call, const Registry__V1__SignInRequest *request,
        Registry__V1__SignInReply *reply)
{
    const struct registry_state *state = call->state;
    const char *tenant_id;
    struct sign_in known;
    bool fits;

    if (strlen(request->password) > PASSWORD_BYTES)
        return FAIL_FIELD(call->arena, "password", "is too long");
    TRY(look_up(call, request, &known));
    TRY(password_verify(state->passwords, call->clock, call->deadline, call->arena,
                        known.found ? known.login.password_hash : NULL, request->password,
                        &fits));
    if (known.found && !known.login.locked && !fits)
        TRY(settle(call, &known, false, NULL, reply));
    if (!fits || known.login.locked || !known.tenant_id)
        return FAIL(call->arena, UNAUTHENTICATED,
                    "the address, the password or the tenant is wrong");
    TRY(rules_session_tenant(call->arena, known.tenant_id, known.login.tenant_ids,
                             known.login.tenant_count, &tenant_id));
    return settle(call, &known, true, tenant_id, reply);
}

static struct status
sign_out(struct call *call, const Registry__V1__SignOutRequest *request,
         Registry__V1__SignOutReply *reply)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    struct credential credential;

    (void)reply;
    TRY(credential_parse(call->arena, request->credential, &credential));
    TRY(begin(call, credential.tenant_id, &tx));
    TRY(store_session_remove(&tx, &credential));
    return pg_tx_commit(&tx);
}

static struct status
resolve_credential(struct call *call, const Registry__V1__ResolveCredentialRequest *request,
                   Registry__V1__ResolveCredentialReply *reply)
{
    const struct registry_state *state = call->state;
    scoped(pg_tx_end) struct pg_tx tx = {0};
    struct credential credential;

    TRY(credential_parse(call->arena, request->credential, &credential));
    TRY(begin(call, credential.tenant_id, &tx));
    TRY(store_session_resolve(&tx, call->arena, &credential, state->session_idle_ms, reply));
    return pg_tx_commit(&tx);
}

static struct status
list_sessions(struct call *call, const Registry__V1__ListSessionsRequest *request,
              Registry__V1__ListSessionsReply *reply)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};

    (void)request;
    TRY(begin(call, call->tenant_id, &tx));
    return store_session_list(&tx, call->arena, call->principal->subject_id, &reply->sessions,
                              &reply->n_sessions);
}

static struct status
revoke_session(struct call *call, const Registry__V1__RevokeSessionRequest *request,
               Registry__V1__RevokeSessionReply *reply)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};

    (void)reply;
    TRY(values_id(call->arena, "session_id", request->session_id, true));
    TRY(begin(call, call->tenant_id, &tx));
    TRY(store_session_revoke(&tx, call->arena, request->session_id,
                             call->principal->subject_id));
    return pg_tx_commit(&tx);
}

#define METHOD(handler, Name)                                                                  \
    RPC_METHOD(Registry__V1__Sessions_Service, handler, Registry__V1__##Name##Request,         \
               Registry__V1__##Name##Reply)

METHOD(sign_in, SignIn)
METHOD(sign_out, SignOut)
METHOD(resolve_credential, ResolveCredential)
METHOD(list_sessions, ListSessions)
METHOD(revoke_session, RevokeSession)

static Registry__V1__Sessions_Service service = REGISTRY__V1__SESSIONS__INIT(rpc_);
const ProtobufCService *const sessions_service = &service.base;
