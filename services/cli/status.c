/* samverka status: every instance of every service, asked one by one. */

#include "services/cli/cli.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "common/wire/rpc_client.h"
#include "wire/v1/admin.pb-c.h"

#define ASK_MS 2000
#define LOOK_MS 10 /* between two looks whether the names are known */

/* A client of its own for each endpoint, because a service's client chooses an instance itself.
 */
static struct status
ask(struct cli *cli, const char *service, const char *endpoint, Wire__V1__InfoReply **ret)
{
    static Wire__V1__Role roles[] = {WIRE__V1__ROLE__OPERATOR};
    Wire__V1__Principal principal = WIRE__V1__PRINCIPAL__INIT;
    Wire__V1__InfoRequest request = WIRE__V1__INFO_REQUEST__INIT;
    scoped(rpc_client_destroy) struct rpc_client *client = NULL;
    char public_key[KEY_TEXT_SIZE] = "";
    const struct rpc_client_config config = {.zmq_context = cli->zmq_context,
                                             .resolver = cli->resolver,
                                             .clock = cli->clock,
                                             .curve = cli->settings.curve,
                                             .own = &cli->key};
    ProtobufCMessage *reply;

    principal.kind = WIRE__V1__PRINCIPAL__KIND__SERVICE;
    principal.subject_id = "operator";
    principal.roles = roles;
    principal.n_roles = COUNT_OF(roles);
    if (cli->settings.curve)
        TRY(key_public_load(cli->settings.key_folder, service, cli->arena, public_key));

    const struct rpc_options options = {
        .principal = &principal, .deadline = mono_add_ms(clock_mono(cli->clock), ASK_MS)};

    TRY(rpc_client_create(&config, cli->arena, &client));
    TRY(rpc_client_add(client, "wire", endpoint, cli->settings.curve ? public_key : NULL,
                       cli->arena));
    TRY(rpc_call(client, "wire.v1.Admin/Info", &request.base, &wire__v1__info_reply__descriptor,
                 &options, cli->arena, &reply));
    *ret = (Wire__V1__InfoReply *)reply;
    return OK;
}

static void
print_info(const char *service, const char *endpoint, const Wire__V1__InfoReply *info)
{
    printf("%s\t%s\t%s\t%s\t%s", service, info->instance, endpoint, info->version,
           info->draining ? "draining"
           : info->ready  ? "ready"
                          : "not ready");
    if (info->position)
        printf("\tposition %llu", (unsigned long long)info->position);
    for (size_t i = 0; i < info->n_not_ready_because; i++)
        printf("\t%s", info->not_ready_because[i]);
    putchar('\n');
}

/* Names are asked for by the resolver's thread; numbers are known at once. */
static struct status
find_addresses(struct cli *cli, const char *endpoints, struct resolved *ret)
{
    const struct mono deadline = mono_add_ms(clock_mono(cli->clock), ASK_MS);
    int handle;

    TRY(resolver_watch(cli->resolver, endpoints, cli->arena, &handle));
    while (resolver_version(cli->resolver, handle) == 0 &&
           mono_left_ms(deadline, clock_mono(cli->clock)) > 0)
        (void)poll(NULL, 0, LOOK_MS); /* cut short by a signal: looks again */
    resolver_get(cli->resolver, handle, ret);
    return OK;
}

static struct status
ask_all(struct cli *cli, const char *service, const char *endpoints, bool *all_ready)
{
    struct resolved *resolved = ARENA_NEW(cli->arena, struct resolved);

    TRY(need(resolved));
    TRY(find_addresses(cli, endpoints, resolved));
    if (resolved->count == 0) {
        printf("%s\t-\t%s\t-\tno address\n", service, endpoints);
        *all_ready = false;
    }
    for (size_t i = 0; i < resolved->count; i++) {
        Wire__V1__InfoReply *info;
        const struct status asked = ask(cli, service, resolved->endpoints[i], &info);

        if (failed(asked)) {
            printf("%s\t-\t%s\t-\t%s\n", service, resolved->endpoints[i], asked.detail);
            *all_ready = false;
            continue;
        }
        print_info(service, resolved->endpoints[i], info);
        *all_ready &= info->ready && !info->draining;
    }
    return OK;
}

struct status
status_command(struct cli *cli, int count, char **words)
{
    const struct {
        const char *name, *endpoints;
    } services[] = {
        {"registry", cli->settings.registry_endpoints},
        {"matching", cli->settings.matching_endpoints},
        {"events", cli->settings.events_endpoints},
        {"notifications", cli->settings.notifications_endpoints},
    };
    bool all_ready = true;

    TRY(cli_no_more_options(cli, count, words));
    if (count > 0)
        return FAIL(cli->arena, INVALID_ARGUMENT, "status takes no words");
    TRY(cli_connect(cli));
    for (size_t i = 0; i < COUNT_OF(services); i++)
        TRY(ask_all(cli, services[i].name, services[i].endpoints, &all_ready));
    return all_ready ? OK : FAIL(cli->arena, UNAVAILABLE, "not every service is ready");
}
