#include "services/gateway/serve.h"

#include <string.h>
#include <strings.h>

#define PARAMETERS_MAX 64
#define KEY_BYTES 128
#define PAGE_MAX 200

struct status
request_check_type(const struct exchange *exchange)
{
    const char *type = exchange_header(exchange, "Content-Type");
    const size_t size = type ? strcspn(type, "; \t") : 0;

    if (!type && exchange->body_seen == 0)
        return OK;
    if (size != strlen("application/json") || strncasecmp(type, "application/json", size) != 0)
        return FAIL(&((struct exchange *)(uintptr_t)exchange)->arena, UNSUPPORTED_MEDIA_TYPE,
                    "the body must be application/json");
    return OK;
}

struct status
request_each_parameter(struct exchange *exchange,
                       struct status (*set)(void *context, const char *name, const char *value),
                       void *context)
{
    struct arena *arena = &exchange->arena;
    int count = 0;

    for (const char *at = exchange->query; *at;) {
        const size_t size = strcspn(at, "&");
        const char *equals = memchr(at, '=', size);
        const size_t name_size = equals ? (size_t)(equals - at) : size;
        const char *name, *value;

        if (++count > PARAMETERS_MAX)
            return FAIL(arena, INVALID_ARGUMENT, "more than %d parameters", PARAMETERS_MAX);
        TRY(percent_decode(at, name_size, true, arena, &name));
        TRY(percent_decode(equals ? equals + 1 : "", equals ? size - name_size - 1 : 0, true,
                           arena, &value));
        if (*name)
            TRY(set(context, name, value));
        at += size + (at[size] == '&');
    }
    return OK;
}

struct filling {
    struct exchange *exchange;
    ProtobufCMessage *message;
    bool seen_limit, seen_cursor;
};

/* `limit` and `cursor` are the names of paging over HTTP. */
static struct status
set_parameter(void *context, const char *name, const char *value)
{
    struct filling *filling = context;
    struct exchange *exchange = filling->exchange;
    const struct route *route = exchange->route;
    struct arena *arena = &exchange->arena;
    uint32_t number = 0;

    if (strcmp(name, "limit") == 0 && route->page_size >= 0) {
        for (const char *at = value; *at >= '0' && *at <= '9' && number <= PAGE_MAX; at++)
            number = number * 10 + (uint32_t)(*at - '0');
        if (number < 1 || number > PAGE_MAX || strspn(value, "0123456789") != strlen(value))
            return FAIL_FIELD(arena, "limit", "must be a number from 1 to %d", PAGE_MAX);
        return json_set_text(route->request, (unsigned)route->page_size, value, name, arena,
                             filling->message);
    }
    if (strcmp(name, "cursor") == 0 && route->page_token >= 0)
        return json_set_text(route->request, (unsigned)route->page_token, value, name, arena,
                             filling->message);
    return json_set_path(route->request, name, value, &route->closed, arena, filling->message);
}

static struct status
set_variables(const struct exchange *exchange, struct arena *arena, ProtobufCMessage *message)
{
    const struct route *route = exchange->route;

    for (size_t i = 0; i < route->variable_count; i++)
        TRY(json_set_text(route->request, (unsigned)route->variable_fields[i],
                          exchange->values.text[i], route->variables[i], arena, message));
    return OK;
}

static void *
member(const ProtobufCMessage *message, int field)
{
    return (char *)(uintptr_t)message + message->descriptor->fields[field].offset;
}

/* If-Match becomes expected_version.  Only a POST may say it in the body instead. */
static struct status
set_expected_version(struct exchange *exchange, ProtobufCMessage *message)
{
    const struct route *route = exchange->route;
    const char *tag = exchange_header(exchange, "If-Match");
    struct arena *arena = &exchange->arena;
    uint64_t *version;
    char digits[24];
    size_t size;

    if (route->expected_version < 0)
        return OK;
    version = member(message, route->expected_version);
    if (!tag) {
        if (*version == 0)
            return FAIL(arena, PRECONDITION_REQUIRED,
                        "send If-Match with the ETag of the version that this changes");
        return OK;
    }
    size = strlen(tag);
    if (size < 3 || size - 2 >= sizeof digits || tag[0] != '"' || tag[size - 1] != '"')
        return FAIL(arena, VERSION_MISMATCH, "If-Match does not name a version of this");
    memcpy(digits, tag + 1, size - 2);
    digits[size - 2] = '\0';
    if (failed(json_set_text(route->request, (unsigned)route->expected_version, digits,
                             "If-Match", arena, message)) ||
        *version == 0)
        return FAIL(arena, VERSION_MISMATCH, "If-Match does not name a version of this");
    return OK;
}

/* A PATCH changes the fields that its body names. */
static struct status
set_update_fields(const struct exchange *exchange, const struct json_fields *seen,
                  struct arena *arena, ProtobufCMessage *message)
{
    const struct route *route = exchange->route;

    if (route->update_fields < 0 || exchange->method != HTTP_PATCH)
        return OK;
    for (unsigned i = 0; i < message->descriptor->n_fields; i++)
        if (json_fields_has(seen, i))
            TRY(json_set_text(route->request, (unsigned)route->update_fields,
                              message->descriptor->fields[i].name, "update_fields", arena,
                              message));
    return OK;
}

struct status
request_key(struct exchange *exchange, const char **ret)
{
    const char *key = exchange_header(exchange, "Idempotency-Key");
    struct arena *arena = &exchange->arena;

    for (size_t i = 0; key && key[i]; i++)
        if (key[i] < '!' || key[i] > '~' || i >= KEY_BYTES)
            return FAIL_FIELD(arena, "/Idempotency-Key",
                              "must be 1 to %d visible ASCII characters", KEY_BYTES);
    if (key && !*key)
        return FAIL_FIELD(arena, "/Idempotency-Key", "must not be empty");
    *ret = key;
    return OK;
}

static struct status
find_key(struct exchange *exchange, const char **ret)
{
    *ret = NULL;
    if (exchange->route->line.kind == ROUTE_READS)
        return OK;
    TRY(request_key(exchange, ret));
    if (!*ret && exchange->method == HTTP_POST)
        return FAIL_FIELD(&exchange->arena, "/Idempotency-Key",
                          "the Idempotency-Key header is needed: any text of yours, 1 to %d "
                          "visible ASCII characters, new for each new intention",
                          KEY_BYTES);
    if (!*ret)
        *ret = exchange->request_id; /* If-Match makes a repeat harmless */
    return OK;
}

struct status
request_decode(struct exchange *exchange, ProtobufCMessage **ret, const char **ret_key)
{
    const struct route *route = exchange->route;
    const ProtobufCMessageDescriptor *descriptor = json_plan_descriptor(route->request);
    const bool takes_body = exchange->method != HTTP_GET && exchange->method != HTTP_DELETE;
    struct filling filling = {.exchange = exchange};
    struct arena *arena = &exchange->arena;
    struct json_fields seen = {0};

    TRY(find_key(exchange, ret_key));
    if (exchange->body_seen > 0 && !takes_body)
        return FAIL(arena, INVALID_ARGUMENT, "this method takes no body");
    if (takes_body)
        TRY(request_check_type(exchange));
    if (exchange->body.size > 0) {
        TRY(json_read(route->request, (const char *)exchange->body.data, exchange->body.size,
                      &route->closed, arena, &filling.message, &seen));
    } else {
        TRY(need(filling.message = arena_alloc(arena, descriptor->sizeof_message)));
        descriptor->message_init(filling.message);
    }
    if (takes_body && *exchange->query)
        return FAIL(arena, INVALID_ARGUMENT, "this method takes no parameters in the query");
    TRY(request_each_parameter(exchange, set_parameter, &filling));
    TRY(set_update_fields(exchange, &seen, arena, filling.message));
    TRY(set_variables(exchange, arena, filling.message));
    TRY(set_expected_version(exchange, filling.message));
    *ret = filling.message;
    return OK;
}
