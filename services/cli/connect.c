/* The command line's connection to the deployment, and its options. */

#include "services/cli/cli.h"

#include <string.h>
#include <zmq.h>

#include "common/base/uuid.h"
#include "common/shards/shards.h"
#include "registry/v1/tenants.pb-c.h"

static struct status
add_service(struct cli *cli, const char *name, const char *endpoints)
{
    char public_key[KEY_TEXT_SIZE] = "";

    if (cli->settings.curve)
        TRY(key_public_load(cli->settings.key_folder, name, cli->arena, public_key));

    char *kept = arena_copy(cli->arena, public_key);

    TRY(need(kept));
    return rpc_client_add(cli->rpc, name, endpoints, cli->settings.curve ? kept : NULL,
                          cli->arena);
}

struct status
cli_connect(struct cli *cli)
{
    if (cli->rpc)
        return OK;
    if (cli->settings.curve)
        TRY(key_pair_load(cli->settings.key_folder, cli->settings.key_name, cli->arena,
                          &cli->key));
    TRY(need(cli->zmq_context = zmq_ctx_new()));
    TRY(resolver_create(cli->arena, &cli->resolver));

    const struct rpc_client_config config = {.zmq_context = cli->zmq_context,
                                             .resolver = cli->resolver,
                                             .clock = cli->clock,
                                             .curve = cli->settings.curve,
                                             .own = &cli->key};

    TRY(rpc_client_create(&config, cli->arena, &cli->rpc));
    TRY(add_service(cli, "registry", cli->settings.registry_endpoints));
    TRY(add_service(cli, "matching", cli->settings.matching_endpoints));
    TRY(add_service(cli, "events", cli->settings.events_endpoints));
    return add_service(cli, "notifications", cli->settings.notifications_endpoints);
}

void
cli_disconnect(struct cli *cli)
{
    if (cli->rpc)
        rpc_client_destroy(&cli->rpc);
    if (cli->resolver)
        resolver_destroy(&cli->resolver);
    if (cli->zmq_context)
        (void)zmq_ctx_term(cli->zmq_context);
    cli->zmq_context = NULL;
}

struct status
cli_call(struct cli *cli, const char *method, const ProtobufCMessage *request,
         const ProtobufCMessageDescriptor *reply_descriptor, const char *idempotency_key,
         struct arena *arena, ProtobufCMessage **ret)
{
    struct cli_actor operator= {.account_id = "",
                                .person_id = "",
                                .organisation_id = "",
                                .roles = {WIRE__V1__ROLE__OPERATOR},
                                .role_count = 1};
    struct cli_actor actor = cli->actor ? *cli->actor : operator;
    Wire__V1__Principal principal = WIRE__V1__PRINCIPAL__INIT;
    char fresh_key[UUID_SIZE];

    TRY(cli_connect(cli));
    uuid_v7(cli->clock, fresh_key);
    principal.kind = *actor.account_id ? WIRE__V1__PRINCIPAL__KIND__PERSON
                                       : WIRE__V1__PRINCIPAL__KIND__SERVICE;
    principal.subject_id = *actor.account_id ? actor.account_id : "operator";
    principal.tenant_id = cli->tenant ? cli->tenant : "";
    principal.person_id = actor.person_id;
    principal.organisation_id = actor.organisation_id;
    principal.roles = actor.roles;
    principal.n_roles = actor.role_count;

    const struct rpc_options options = {
        .principal = &principal,
        .idempotency_key = idempotency_key ? idempotency_key : fresh_key,
        .language = cli->lang,
        .deadline = mono_add_ms(clock_mono(cli->clock), cli->deadline_ms)};

    return shards_call(cli->rpc, cli->clock, method, request, reply_descriptor, &options, arena,
                       ret);
}

struct status
cli_find_tenant(struct cli *cli)
{
    Registry__V1__GetTenantRequest request = REGISTRY__V1__GET_TENANT_REQUEST__INIT;
    const char *wanted = cli->tenant;
    ProtobufCMessage *reply;

    if (!wanted || uuid_valid(wanted))
        return OK;
    cli->tenant = NULL;
    request.tenant_id = wanted;
    TRY(cli_call(cli, "registry.v1.Tenants/GetTenant", &request.base,
                 &registry__v1__get_tenant_reply__descriptor, NULL, cli->arena, &reply));
    cli->tenant = ((Registry__V1__GetTenantReply *)reply)->tenant->tenant_id;
    return OK;
}

static int
find_word(int count, char **words, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(words[i], name) == 0)
            return i;
    return -1;
}

static void
remove_words(int *count, char **words, int at, int how_many)
{
    memmove(words + at, words + at + how_many,
            (size_t)(*count - at - how_many) * sizeof *words);
    *count -= how_many;
}

struct status
cli_option(struct cli *cli, int *count, char **words, const char *name, const char **ret)
{
    const int at = find_word(*count, words, name);

    if (at < 0) {
        *ret = NULL;
        return OK;
    }
    if (at + 1 >= *count)
        return FAIL_FIELD(cli->arena, name, "needs a value");
    *ret = words[at + 1];
    remove_words(count, words, at, 2);
    return OK;
}

bool
cli_flag(int *count, char **words, const char *name)
{
    const int at = find_word(*count, words, name);

    if (at < 0)
        return false;
    remove_words(count, words, at, 1);
    return true;
}

struct status
cli_no_more_options(struct cli *cli, int count, char **words)
{
    for (int i = 0; i < count; i++)
        if (strncmp(words[i], "--", 2) == 0)
            return FAIL_FIELD(cli->arena, words[i], "is not an option of this command");
    return OK;
}
