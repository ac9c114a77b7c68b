/* samverka call METHOD [JSON] */

#include "services/cli/call.h"

#include <stdio.h>
#include <string.h>

#include "common/json/json.h"
#include "events/v1/log.pb-c.h"
#include "matching/v1/concepts.pb-c.h"
#include "matching/v1/matching.pb-c.h"
#include "notifications/v1/messages.pb-c.h"
#include "notifications/v1/subscriptions.pb-c.h"
#include "registry/v1/accounts.pb-c.h"
#include "registry/v1/capabilities.pb-c.h"
#include "registry/v1/concepts.pb-c.h"
#include "registry/v1/indicators.pb-c.h"
#include "registry/v1/infrastructure.pb-c.h"
#include "registry/v1/needs.pb-c.h"
#include "registry/v1/organisations.pb-c.h"
#include "registry/v1/people.pb-c.h"
#include "registry/v1/placements.pb-c.h"
#include "registry/v1/programmes.pb-c.h"
#include "registry/v1/sessions.pb-c.h"
#include "registry/v1/systems.pb-c.h"
#include "registry/v1/tenants.pb-c.h"
#include "wire/v1/admin.pb-c.h"

#define TEXT_BYTES ((size_t)4 << 20)
#define STDIN_BYTES ((size_t)256 << 10)

static const ProtobufCServiceDescriptor *const services[] = {
    &events__v1__log__descriptor,
    &matching__v1__matches__descriptor,
    &matching__v1__texts__descriptor,
    &notifications__v1__messages__descriptor,
    &notifications__v1__subscriptions__descriptor,
    &registry__v1__accounts__descriptor,
    &registry__v1__capabilities__descriptor,
    &registry__v1__concepts__descriptor,
    &registry__v1__indicators__descriptor,
    &registry__v1__infrastructure__descriptor,
    &registry__v1__needs__descriptor,
    &registry__v1__organisations__descriptor,
    &registry__v1__people__descriptor,
    &registry__v1__placements__descriptor,
    &registry__v1__programmes__descriptor,
    &registry__v1__sessions__descriptor,
    &registry__v1__systems__descriptor,
    &registry__v1__tenants__descriptor,
    &wire__v1__admin__descriptor,
};

struct status
call_find(struct arena *arena, const char *method, const ProtobufCMethodDescriptor **ret)
{
    const char *slash = strchr(method, '/');

    if (!slash)
        return FAIL(arena, INVALID_ARGUMENT,
                    "a method is named like registry.v1.Tenants/ListTenants");
    for (size_t i = 0; i < COUNT_OF(services); i++) {
        const size_t length = strlen(services[i]->name);

        if ((size_t)(slash - method) != length ||
            strncmp(method, services[i]->name, length) != 0)
            continue;
        *ret = protobuf_c_service_descriptor_get_method_by_name(services[i], slash + 1);
        if (*ret)
            return OK;
    }
    return FAIL(arena, UNIMPLEMENTED, "the contract has no method %s", method);
}

struct status
call_json(struct cli *cli, const char *method, const char *json, size_t size, const char *key,
          struct arena *arena, struct buffer *into)
{
    scoped(json_schema_destroy) struct json_schema *schema = NULL;
    const ProtobufCMethodDescriptor *found;
    ProtobufCMessage *request, *reply;

    TRY(call_find(arena, method, &found));

    const ProtobufCMessageDescriptor *roots[] = {found->input, found->output, NULL};

    TRY(json_schema_create(roots, arena, &schema));
    TRY(json_read(json_schema_find(schema, found->input), json, size, NULL, arena, &request,
                  NULL));
    TRY(cli_call(cli, method, request, found->output, key, arena, &reply));
    return json_write(json_schema_find(schema, found->output), reply, arena, into);
}

/* "-" reads the request from standard input. */
static struct status
read_input(struct cli *cli, const char **ret)
{
    char *text = arena_alloc(cli->arena, STDIN_BYTES + 1);
    size_t size;

    TRY(need(text));
    size = fread(text, 1, STDIN_BYTES + 1, stdin);
    if (size > STDIN_BYTES)
        return FAIL(cli->arena, TOO_LARGE, "a request has at most %zu bytes", STDIN_BYTES);
    text[size] = '\0';
    *ret = text;
    return OK;
}

struct status
call_command(struct cli *cli, int count, char **words)
{
    scoped(buffer_fini) struct buffer answer = {0};
    const char *json = count > 1 ? words[1] : "{}";

    TRY(cli_no_more_options(cli, count, words));
    if (count < 1 || count > 2)
        return FAIL(cli->arena, INVALID_ARGUMENT, "call METHOD [JSON]");
    if (strcmp(json, "-") == 0)
        TRY(read_input(cli, &json));
    TRY(cli_find_tenant(cli));
    buffer_init(&answer, TEXT_BYTES);
    TRY(call_json(cli, words[0], json, strlen(json), cli->idempotency_key, cli->arena,
                  &answer));
    printf("%s\n", (const char *)answer.data);
    return OK;
}
