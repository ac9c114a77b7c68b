/* What describes the interface to programs: OpenAPI, AsyncAPI, and the schemas of events. */

#include <string.h>

#include "services/gateway/answers.h"
#include "services/gateway/asset.h"
#include "services/gateway/own.h"
#include "services/gateway/serve.h"

#define NAME_BYTES 512
/* A schema's address is in every event: who validates asks again seldom. */
#define SCHEMA_CACHE "public, max-age=300"
#define DOCUMENT_CACHE "no-cache"

const struct asset *
asset_find(const char *name)
{
    for (size_t i = 0; i < asset_count; i++)
        if (strcmp(assets[i].name, name) == 0)
            return &assets[i];
    return NULL;
}

/* Bytes that live as long as the process, unless the client has them. */
static void
serve_document(struct exchange *exchange, const char *name, const char *cache)
{
    const struct asset *asset = asset_find(name);
    struct MHD_Response *response;
    bool same;

    if (!asset) {
        exchange_refuse(exchange, FAIL(&exchange->arena, NOT_FOUND, "there is no such file"),
                        0);
        return;
    }
    same = etag_matches(exchange_header(exchange, "If-None-Match"), asset->etag);
    response = MHD_create_response_from_buffer(
        same ? 0 : asset->size, (void *)(uintptr_t)asset->data, MHD_RESPMEM_PERSISTENT);
    if (response) {
        (void)MHD_add_response_header(response, "ETag", asset->etag);
        (void)MHD_add_response_header(response, "Content-Type", asset->content_type);
        (void)MHD_add_response_header(response, "Cache-Control", cache);
        (void)MHD_add_response_header(response, "Access-Control-Allow-Origin", "*");
    }
    exchange_answer(exchange, same ? 304 : 200, response);
}

void
own_openapi(struct exchange *exchange)
{
    serve_document(exchange, "openapi.json", DOCUMENT_CACHE);
}

void
own_asyncapi(struct exchange *exchange)
{
    serve_document(exchange, "asyncapi.json", DOCUMENT_CACHE);
}

void
own_schemas(struct exchange *exchange)
{
    serve_document(exchange, "schemas/index.json", DOCUMENT_CACHE);
}

/* A file below schemas/, from the parts of its path, of which none holds a slash. */
static void
serve_schema(struct exchange *exchange, const char *folder)
{
    char name[NAME_BYTES];
    size_t size = (size_t)snprintf(name, sizeof name, "schemas%s", folder);

    for (size_t i = 0; i < exchange->route->variable_count && size < sizeof name; i++) {
        const char *const part = exchange->values.text[i];

        size = strchr(part, '/')
                   ? sizeof name
                   : size + (size_t)snprintf(name + size, sizeof name - size, "/%s", part);
    }
    serve_document(exchange, size < sizeof name ? name : "", SCHEMA_CACHE);
}

void
own_schema(struct exchange *exchange)
{
    serve_schema(exchange, "");
}

void
own_schema_proto(struct exchange *exchange)
{
    serve_schema(exchange, "/proto");
}

void
own_schema_proto_standard(struct exchange *exchange)
{
    serve_schema(exchange, "/proto");
}
