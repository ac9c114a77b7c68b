/* samverka tenant list | show NAME | new SLUG NAME [--locale L] [--host] */

#include "services/cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "registry/v1/tenants.pb-c.h"

static void
print_tenant(const Registry__V1__Tenant *tenant)
{
    printf("%s\t%s\t%s\t%s%s%s\n", tenant->tenant_id, tenant->slug, tenant->name,
           tenant->locale, tenant->host ? "\thost" : "",
           tenant->kind == REGISTRY__V1__TENANT_KIND__REMOTE ? "\tremote" : "");
}

static struct status
list_tenants(struct cli *cli)
{
    Registry__V1__ListTenantsRequest request = REGISTRY__V1__LIST_TENANTS_REQUEST__INIT;

    request.page_size = 200;
    for (;;) {
        const Registry__V1__ListTenantsReply *page;
        ProtobufCMessage *reply;

        TRY(cli_call(cli, "registry.v1.Tenants/ListTenants", &request.base,
                     &registry__v1__list_tenants_reply__descriptor, NULL, cli->arena, &reply));
        page = (const Registry__V1__ListTenantsReply *)reply;
        for (size_t i = 0; i < page->n_tenants; i++)
            print_tenant(page->tenants[i]);
        if (!*page->next_page_token)
            return OK;
        request.page_token = page->next_page_token;
    }
}

static struct status
show_tenant(struct cli *cli, const char *name)
{
    Registry__V1__GetTenantRequest request = REGISTRY__V1__GET_TENANT_REQUEST__INIT;
    ProtobufCMessage *reply;

    request.tenant_id = name;
    TRY(cli_call(cli, "registry.v1.Tenants/GetTenant", &request.base,
                 &registry__v1__get_tenant_reply__descriptor, NULL, cli->arena, &reply));
    print_tenant(((const Registry__V1__GetTenantReply *)reply)->tenant);
    return OK;
}

static struct status
new_tenant(struct cli *cli, const char *slug, const char *name, const char *locale, bool host)
{
    Registry__V1__CreateTenantRequest request = REGISTRY__V1__CREATE_TENANT_REQUEST__INIT;
    ProtobufCMessage *reply;

    request.slug = slug;
    request.name = name;
    request.locale = locale ? locale : "en";
    request.host = host;
    TRY(cli_call(cli, "registry.v1.Tenants/CreateTenant", &request.base,
                 &registry__v1__create_tenant_reply__descriptor, cli->idempotency_key,
                 cli->arena, &reply));
    print_tenant(((const Registry__V1__CreateTenantReply *)reply)->tenant);
    return OK;
}

struct status
tenant_command(struct cli *cli, int count, char **words)
{
    const bool host = cli_flag(&count, words, "--host");
    const char *locale;

    TRY(cli_option(cli, &count, words, "--locale", &locale));
    TRY(cli_no_more_options(cli, count, words));
    if (count == 1 && strcmp(words[0], "list") == 0)
        return list_tenants(cli);
    if (count == 2 && strcmp(words[0], "show") == 0)
        return show_tenant(cli, words[1]);
    if (count == 3 && strcmp(words[0], "new") == 0)
        return new_tenant(cli, words[1], words[2], locale, host);
    return FAIL(cli->arena, INVALID_ARGUMENT,
                "tenant list | show NAME | new SLUG NAME [--locale L] [--host]");
}
