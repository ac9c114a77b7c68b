#include "services/gateway/route.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/utf8.h"
#include "registry/v1/sessions.pb-c.h"
#include "services/gateway/own.h"

#define ROUTES_BYTES ((size_t)1 << 20)

static const struct route_line lines[] = {
#define UNASKED ROUTE_UNASKED
#define PUBLIC ROUTE_PUBLIC
#define SIGNED_IN ROUTE_SIGNED_IN
#define READS ROUTE_READS
#define WRITES ROUTE_WRITES
#define ROUTE(method, path, rpc, kind, location, cached_until)                                 \
    {HTTP_##method, path, rpc, kind, location, cached_until, NULL, ROUTE_SIGNED_IN},
#define OWN(method, path, handler, access)                                                     \
    {HTTP_##method, path, NULL, ROUTE_READS, NULL, NULL, own_##handler, access},
#include "services/gateway/routes.def"
#undef OWN
#undef ROUTE
#undef WRITES
#undef READS
#undef SIGNED_IN
#undef PUBLIC
#undef UNASKED
};

#define LINES COUNT_OF(lines)

struct routes {
    struct arena arena;
    struct json_schema *schema;
    struct route table[LINES];
};

static const char *const method_names[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};

enum http_method
http_method_parse(const char *name)
{
    for (size_t i = 0; i < COUNT_OF(method_names); i++)
        if (strcmp(name, method_names[i]) == 0)
            return (enum http_method)i;
    if (strcmp(name, "HEAD") == 0)
        return HTTP_GET;
    return strcmp(name, "OPTIONS") == 0 ? HTTP_OPTIONS : HTTP_OTHER;
}

/* The descriptors of "registry.v1.Needs/GetNeed"; NULL: the contract has no such method. */
static const ProtobufCMethodDescriptor *
find_method(const char *rpc)
{
    const char *const slash = strchr(rpc, '/');

    for (size_t i = 0; slash && i < contract_service_count; i++) {
        const ProtobufCServiceDescriptor *service = contract_services[i];

        if (strlen(service->name) == (size_t)(slash - rpc) &&
            strncmp(service->name, rpc, (size_t)(slash - rpc)) == 0)
            return protobuf_c_service_descriptor_get_method_by_name(service, slash + 1);
    }
    return NULL;
}

static int
field_of(const struct json_plan *plan, const char *name)
{
    return json_plan_field(plan, name, strlen(name));
}

/* The reply's first singular message that has a version: what the ETag is about. */
static int
find_resource(const ProtobufCMessageDescriptor *reply)
{
    for (unsigned i = 0; i < reply->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &reply->fields[i];

        if (field->type == PROTOBUF_C_TYPE_MESSAGE &&
            field->label != PROTOBUF_C_LABEL_REPEATED &&
            protobuf_c_message_descriptor_get_field_by_name(field->descriptor, "version"))
            return (int)i;
    }
    return -1;
}

static struct status
bind_variables(struct route *route, struct arena *arena)
{
    const char *at = route->line.path;

    route->lead_bytes = strcspn(at, "{");
    while ((at = strchr(at, '{'))) {
        const size_t size = strcspn(++at, "}");
        const size_t i = route->variable_count++;

        if (i == ROUTE_VALUES_MAX)
            return FAIL(arena, INTERNAL, "%s has too many variables", route->line.path);
        TRY(need(route->variables[i] = arena_copy_n(arena, at, size)));
    }
    return OK;
}

static struct status
bind_rpc(struct route *route, const struct json_schema *schema, struct arena *arena)
{
    const ProtobufCMethodDescriptor *method = find_method(route->line.rpc);
    const int *const closed[] = {&route->expected_version, &route->update_fields};

    route->contract = contract_find_rpc(route->line.rpc);
    if (!method || !route->contract)
        return FAIL(arena, INTERNAL, "no rpc %s", route->line.rpc);
    route->request = json_schema_find(schema, method->input);
    route->reply = json_schema_find(schema, method->output);
    for (size_t i = 0; i < route->variable_count; i++) {
        route->variable_fields[i] = field_of(route->request, route->variables[i]);
        if (route->variable_fields[i] < 0)
            return FAIL(arena, INTERNAL, "%s has no field %s", route->line.rpc,
                        route->variables[i]);
        json_fields_add(&route->closed, (unsigned)route->variable_fields[i]);
    }
    route->expected_version = field_of(route->request, "expected_version");
    route->update_fields = field_of(route->request, "update_fields");
    route->page_size = field_of(route->request, "page_size");
    route->page_token = field_of(route->request, "page_token");
    route->list = field_of(route->reply, "next_page_token") >= 0;
    route->resource = find_resource(method->output);
    route->access = (route->contract->role_mask >> WIRE__V1__ROLE__ANYONE) & 1
                        ? ROUTE_PUBLIC
                        : ROUTE_SIGNED_IN;
    /* What a header or the list of members says must not be said twice. */
    for (size_t i = 0; i < COUNT_OF(closed); i++)
        if (*closed[i] >= 0 && route->line.method != HTTP_POST)
            json_fields_add(&route->closed, (unsigned)*closed[i]);
    return OK;
}

/* The messages of every rpc that a route names, and those the gateway's own answers use. */
static struct status
make_schema(struct routes *routes, struct arena *arena)
{
    const ProtobufCMessageDescriptor *roots[2 * LINES + 3];
    size_t count = 0;

    for (size_t i = 0; i < LINES; i++) {
        const ProtobufCMethodDescriptor *method =
            lines[i].rpc ? find_method(lines[i].rpc) : NULL;

        if (!method)
            continue;
        roots[count++] = method->input;
        roots[count++] = method->output;
    }
    roots[count++] = &registry__v1__sign_in_request__descriptor;
    roots[count++] = &registry__v1__resolve_credential_reply__descriptor;
    roots[count] = NULL;
    return json_schema_create(roots, arena, &routes->schema);
}

struct status
routes_create(struct arena *arena, struct routes **ret)
{
    scoped(routes_destroy) struct routes *routes = calloc(1, sizeof *routes);

    TRY(need(routes));
    arena_init(&routes->arena, ROUTES_BYTES);
    TRY(make_schema(routes, arena));
    for (size_t i = 0; i < LINES; i++) {
        struct route *route = &routes->table[i];

        *route = (struct route){.line = lines[i], .number = (unsigned)i, .resource = -1};
        route->access = lines[i].access;
        TRY(bind_variables(route, &routes->arena));
        if (lines[i].rpc)
            TRY(bind_rpc(route, routes->schema, &routes->arena));
    }
    *ret = take(&routes);
    return OK;
}

void
routes_destroy(struct routes **routes)
{
    if (!*routes)
        return;
    json_schema_destroy(&(*routes)->schema);
    arena_fini(&(*routes)->arena);
    free(take(routes));
}

const struct json_schema *
routes_schema(const struct routes *routes)
{
    return routes->schema;
}

const struct route *
routes_at(const struct routes *routes, size_t number)
{
    return number < LINES ? &routes->table[number] : NULL;
}

static int
hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    digit = (char)(digit | 0x20);
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

struct status
percent_decode(const char *from, size_t size, bool form, struct arena *arena, const char **ret)
{
    char *text, *at;

    TRY(need(text = at = arena_alloc(arena, size + 1)));
    for (size_t i = 0; i < size; i++) {
        if (from[i] == '%') {
            const int high = size - i > 2 ? hex_value(from[i + 1]) : -1;
            const int low = size - i > 2 ? hex_value(from[i + 2]) : -1;

            if (high < 0 || low < 0)
                return FAIL(arena, INVALID_ARGUMENT, "the URL holds a bad percent escape");
            *at++ = (char)(high << 4 | low);
            i += 2;
        } else {
            *at++ = form && from[i] == '+' ? ' ' : from[i];
        }
    }
    if (!utf8_text(text, (size_t)(at - text)))
        return FAIL(arena, INVALID_ARGUMENT, "the URL is not UTF-8 or holds a NUL");
    *ret = text;
    return OK;
}

/* Whether the path fits the pattern; ret gets the raw slices of the variables. */
static bool
fits(const struct route *route, const char *path, const char *starts[ROUTE_VALUES_MAX],
     size_t sizes[ROUTE_VALUES_MAX])
{
    const char *pattern = route->line.path + route->lead_bytes;
    size_t count = 0;

    if (strncmp(path, route->line.path, route->lead_bytes) != 0)
        return false;
    path += route->lead_bytes;
    while (*pattern) {
        if (*pattern != '{') {
            if (*pattern++ != *path++)
                return false;
            continue;
        }
        starts[count] = path;
        sizes[count] = strcspn(path, "/");
        if (sizes[count] == 0)
            return false;
        path += sizes[count++];
        pattern += strcspn(pattern, "}") + 1;
    }
    return *path == '\0';
}

static struct status
decode_values(const struct route *route, const char *const *starts, const size_t *sizes,
              struct arena *arena, struct route_values *ret)
{
    for (size_t i = 0; i < route->variable_count; i++) {
        if (sizes[i] > ROUTE_VALUE_BYTES)
            return FAIL(arena, INVALID_ARGUMENT, "a part of the path is too long");
        TRY(percent_decode(starts[i], sizes[i], false, arena, &ret->text[i]));
    }
    return OK;
}

struct status
routes_find(const struct routes *routes, enum http_method method, const char *path,
            struct arena *arena, const struct route **ret, struct route_values *ret_values,
            const char **ret_allow)
{
    const char *starts[ROUTE_VALUES_MAX];
    size_t sizes[ROUTE_VALUES_MAX];
    const char *allow = NULL;

    for (size_t i = 0; i < LINES; i++) {
        const struct route *route = &routes->table[i];
        const char *name = method_names[route->line.method];

        if (!fits(route, path, starts, sizes))
            continue;
        if (route->line.method == method) {
            TRY(decode_values(route, starts, sizes, arena, ret_values));
            *ret = route;
            return OK;
        }
        if (!allow || !strstr(allow, name))
            TRY(need(allow = allow ? arena_printf(arena, "%s, %s", allow, name)
                                   : arena_copy(arena, name)));
    }
    if (!allow)
        return FAIL(arena, UNIMPLEMENTED, "there is nothing at this path");
    *ret_allow = allow;
    return FAIL(arena, METHOD_NOT_ALLOWED, "this path answers to %s", allow);
}

void
percent_encode(struct buffer *into, const char *text)
{
    for (; *text; text++) {
        const unsigned char byte = (unsigned char)*text;

        if ((byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
            (byte >= 'a' && byte <= 'z') || byte == '-' || byte == '_' || byte == '.' ||
            byte == '~')
            buffer_putc(into, (char)byte);
        else
            buffer_printf(into, "%%%02X", byte);
    }
}
