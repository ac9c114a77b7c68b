#include "services/gateway/serve.h"

#include <sodium.h>
#include <string.h>

#include "services/gateway/answers.h"

#define REPLY_BYTES ((size_t)8 << 20)

static const ProtobufCMessage *
resource_of(const struct route *route, const ProtobufCMessage *reply)
{
    const ProtobufCFieldDescriptor *field;

    if (route->resource < 0)
        return NULL;
    field = &reply->descriptor->fields[route->resource];
    return *(const ProtobufCMessage *const *)(const void *)((const char *)reply +
                                                            field->offset);
}

/* A field of a message by name, of a type that is known by the contract. */
static const void *
field_at(const ProtobufCMessage *message, const char *name)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);

    return field ? (const char *)message + field->offset : NULL;
}

/* The version of the resource, or else a digest of the text. */
static struct status
make_etag(struct exchange *exchange, const ProtobufCMessage *resource,
          const struct buffer *body, const char **ret)
{
    unsigned char digest[16];
    char hex[33];

    if (resource) {
        const uint64_t *version = field_at(resource, "version");

        TRY(need(*ret =
                     arena_printf(&exchange->arena, "\"%llu\"", (unsigned long long)*version)));
        return OK;
    }
    (void)crypto_generichash(digest, sizeof digest, body->data, body->size, NULL, 0);
    sodium_bin2hex(hex, sizeof hex, digest, sizeof digest);
    TRY(need(*ret = arena_printf(&exchange->arena, "\"%s\"", hex)));
    return OK;
}

/* "/v1/needs/{need_id}" with the fields of the resource. */
static struct status
make_location(struct exchange *exchange, const ProtobufCMessage *resource, const char **ret)
{
    const char *at = exchange->route->line.location;
    scoped(buffer_fini) struct buffer text = {0};

    buffer_init(&text, 4096);
    while (resource && *at) {
        const size_t plain = strcspn(at, "{");
        char name[64] = "";
        const char *const *value;
        size_t size;

        buffer_put(&text, at, plain);
        at += plain;
        if (!*at)
            break;
        size = strcspn(++at, "}");
        if (size >= sizeof name)
            return FAIL(&exchange->arena, INTERNAL,
                        "a location names a field that is too long");
        memcpy(name, at, size);
        value = field_at(resource, name);
        if (!value)
            return FAIL(&exchange->arena, INTERNAL, "a location names no field: %s", name);
        buffer_puts(&text, *value);
        at += size + 1;
    }
    TRY(buffer_check(&text, &exchange->arena));
    TRY(need(*ret = text.data ? arena_copy_n(&exchange->arena, text.data, text.size) : ""));
    return OK;
}

/* The query without its cursor. */
static void
put_query(struct buffer *into, const char *query)
{
    const char *separator = "?";

    while (*query) {
        const size_t size = strcspn(query, "&");

        if (size > 0 && strncmp(query, "cursor=", 7) != 0 &&
            strncmp(query, "page_token=", 11) != 0 && strncmp(query, "pageToken=", 10) != 0) {
            buffer_puts(into, separator);
            buffer_put(into, query, size);
            separator = "&";
        }
        query += size + (query[size] == '&');
    }
}

/* Link: first always, next when there are more (RFC 8288). */
static void
add_links(struct exchange *exchange, const ProtobufCMessage *reply,
          struct MHD_Response *response)
{
    const char *const *token = field_at(reply, "next_page_token");
    scoped(buffer_fini) struct buffer link = {0};
    size_t start;

    buffer_init(&link, 16 << 10);
    buffer_printf(&link, "<%s", exchange->path);
    put_query(&link, exchange->query);
    buffer_puts(&link, ">; rel=\"first\"");
    if (token && **token) {
        buffer_printf(&link, ", <%s", exchange->path);
        start = link.size;
        put_query(&link, exchange->query);
        buffer_puts(&link, link.size > start ? "&cursor=" : "?cursor=");
        percent_encode(&link, *token);
        buffer_puts(&link, ">; rel=\"next\"");
    }
    if (!link.broken)
        (void)MHD_add_response_header(response, "Link", (const char *)link.data);
}

static void
add_reply_headers(struct exchange *exchange, const Wire__V1__ReplyHead *head,
                  const ProtobufCMessage *reply, const char *etag,
                  struct MHD_Response *response)
{
    char position[24];

    (void)MHD_add_response_header(response, "Vary", "Accept-Language, Authorization, Cookie");
    if (etag)
        (void)MHD_add_response_header(response, "ETag", etag);
    if (exchange->method == HTTP_GET) {
        (void)MHD_add_response_header(response, "Cache-Control", "private, no-cache");
        if (exchange->position > 0) {
            snprintf(position, sizeof position, "%llu", (unsigned long long)exchange->position);
            (void)MHD_add_response_header(response, "Samverka-Position", position);
        }
    }
    if (exchange->route->list)
        add_links(exchange, reply, response);
    if (head && head->replayed)
        (void)MHD_add_response_header(response, "Idempotency-Replayed", "true");
}

static struct status
answer(struct exchange *exchange, const Wire__V1__ReplyHead *head,
       const ProtobufCMessage *reply)
{
    const struct route *route = exchange->route;
    const ProtobufCMessage *resource = resource_of(route, reply);
    scoped(buffer_fini) struct buffer body = {0};
    const char *etag = NULL, *location = NULL;
    struct MHD_Response *response;
    unsigned http_status = 200;

    buffer_init(&body, REPLY_BYTES);
    TRY(json_write(route->reply, reply, &exchange->arena, &body));
    if (resource || exchange->method == HTTP_GET)
        TRY(make_etag(exchange, resource, &body, &etag));
    if (route->line.location) {
        http_status = 201;
        TRY(make_location(exchange, resource, &location));
    }
    if (exchange->cache_key && exchange->cache_live)
        answers_keep(exchange->gateway->answers, exchange, &body, etag);
    if (exchange->method == HTTP_GET &&
        etag_matches(exchange_header(exchange, "If-None-Match"), etag)) {
        http_status = 304;
        buffer_clear(&body);
    }
    response = response_of_buffer(&body, "application/json");
    TRY(need(response));
    (void)MHD_add_response_header(response, "Content-Language", lang_tag(exchange->lang));
    add_reply_headers(exchange, head, reply, etag, response);
    if (location && *location)
        (void)MHD_add_response_header(response, "Location", location);
    exchange_answer(exchange, http_status, response);
    return OK;
}

void
reply_answer(struct exchange *exchange, const Wire__V1__ReplyHead *head,
             const ProtobufCMessage *reply)
{
    const struct status status = answer(exchange, head, reply);

    if (failed(status))
        exchange_refuse(exchange, status, 0);
}
