#include "registry/v1/accounts.pb-c.h"

#include "common/base/uuid.h"
#include "common/service/call.h"
#include "services/registry/accounts/accounts.h"
#include "services/registry/accounts/password.h"
#include "services/registry/accounts/rules.h"
#include "services/registry/accounts/store.h"
#include "services/registry/registry.h"
#include "services/registry/values/values.h"

/* Hashes outside any transaction, then stores in one of its own. */
static struct status
create_account(struct call *call, const Registry__V1__CreateAccountRequest *request,
               Registry__V1__CreateAccountReply *reply)
{
    const struct registry_state *state = call->state;
    scoped(pg_tx_end) struct pg_tx tx = {0};
    const struct pg_scope scope = {.tenant_id = call->tenant_id, .deadline = call->deadline};
    char hash[PASSWORD_HASH_SIZE], id[UUID_SIZE];
    struct account_entry entry;
    const char *account_id;

    if (!*call->tenant_id)
        return FAIL(call->arena, INVALID_ARGUMENT, "an account is created in a tenant");
    TRY(rules_account(call->arena, request, call_has_role(call, WIRE__V1__ROLE__OPERATOR),
                      &entry));
    TRY(password_hash(state->passwords, call->clock, call->deadline, call->arena,
                      request->password, hash));
    uuid_v7(call->clock, id);

    TRY(pg_tx_begin(call->pg, &scope, call->arena, &tx));
    TRY(store_account_put(&tx, call->arena, id, &entry, hash, &account_id));
    TRY(store_account_get(&tx, call->arena, account_id, &reply->account));
    return pg_tx_commit(&tx);
}

static struct status
get_account(struct call *call, const Registry__V1__GetAccountRequest *request,
            Registry__V1__GetAccountReply *reply)
{
    TRY(values_id(call->arena, "account_id", request->account_id, true));
    return store_account_get(call->tx, call->arena, request->account_id, &reply->account);
}

static struct status
set_account_roles(struct call *call, const Registry__V1__SetAccountRolesRequest *request,
                  Registry__V1__SetAccountRolesReply *reply)
{
    const bool by_operator = call_has_role(call, WIRE__V1__ROLE__OPERATOR);
    Registry__V1__Account *account;

    TRY(values_id(call->arena, "account_id", request->account_id, true));
    TRY(rules_roles(call->arena, request->roles, request->n_roles, by_operator));
    TRY(store_account_get(call->tx, call->arena, request->account_id, &account));
    for (size_t i = 0; i < account->n_roles; i++)
        if (account->roles[i] == WIRE__V1__ROLE__OPERATOR && !by_operator)
            return FAIL(call->arena, PERMISSION_DENIED, "only an operator changes operators");
    TRY(store_account_set_roles(call->tx, call->arena, request->account_id, request->roles,
                                request->n_roles, request->expected_version));
    account->roles = request->roles;
    account->n_roles = request->n_roles;
    account->version = request->expected_version + 1;
    reply->account = account;
    return OK;
}

static struct status
get_contact(struct call *call, const Registry__V1__GetContactRequest *request,
            Registry__V1__GetContactReply *reply)
{
    Registry__V1__Account *account;

    TRY(values_id(call->arena, "account_id", request->account_id, true));
    TRY(store_account_get(call->tx, call->arena, request->account_id, &account));
    reply->email = account->email;
    reply->display_name = account->display_name;
    reply->language = account->language;
    return OK;
}

static struct status
list_role_holders(struct call *call, const Registry__V1__ListRoleHoldersRequest *request,
                  Registry__V1__ListRoleHoldersReply *reply)
{
    return store_account_holders(call->tx, call->arena, request->role, &reply->account_ids,
                                 &reply->n_account_ids);
}

#define METHOD(handler, Name)                                                                  \
    RPC_METHOD(Registry__V1__Accounts_Service, handler, Registry__V1__##Name##Request,         \
               Registry__V1__##Name##Reply)

METHOD(create_account, CreateAccount)
METHOD(get_account, GetAccount)
METHOD(set_account_roles, SetAccountRoles)
METHOD(get_contact, GetContact)
METHOD(list_role_holders, ListRoleHolders)

static Registry__V1__Accounts_Service service = REGISTRY__V1__ACCOUNTS__INIT(rpc_);
const ProtobufCService *const accounts_service = &service.base;
