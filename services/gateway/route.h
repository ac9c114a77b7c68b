#pragma once

/* The table of routes.def, bound to the contract: which rpc, which fields come from where.
 *
 * Made once at start and only read afterwards.
 */

#include <protobuf-c/protobuf-c.h>

#include "common/base/buffer.h"
#include "common/base/status.h"
#include "common/json/json.h"
#include "common/wire/contract.h"

#define ROUTE_VALUES_MAX 4
#define ROUTE_VALUE_BYTES 2048 /* of one path variable, decoded */

enum http_method {
    HTTP_GET, /* and HEAD */
    HTTP_POST,
    HTTP_PUT,
    HTTP_PATCH,
    HTTP_DELETE,
    HTTP_OPTIONS,
    HTTP_OTHER,
};

enum route_kind { ROUTE_READS, ROUTE_WRITES };
enum route_access { ROUTE_UNASKED, ROUTE_PUBLIC, ROUTE_SIGNED_IN };

struct exchange;

/* A line of routes.def. */
struct route_line {
    enum http_method method;
    const char *path;
    const char *rpc; /* NULL: `own` answers */
    enum route_kind kind;
    const char *location;
    const char *cached_until;
    void (*own)(struct exchange *exchange);
    enum route_access access; /* of own ones; an rpc's stands in the contract */
};

struct route {
    struct route_line line;
    unsigned number;   /* place in the table */
    size_t lead_bytes; /* of the path before its first variable */
    size_t variable_count;
    const char *variables[ROUTE_VALUES_MAX]; /* names, in the path's order */
    enum route_access access;
    /* Only with an rpc; fields are indexes into the request, -1 where it has none. */
    const struct contract_rpc *contract;
    const struct json_plan *request, *reply;
    int variable_fields[ROUTE_VALUES_MAX];
    int expected_version, update_fields, page_size, page_token;
    struct json_fields closed; /* what a body must not set */
    bool list;                 /* the reply has next_page_token */
    int resource;              /* the reply's message with a version; -1: none */
};

struct routes;

/* INTERNAL: a line names what the contract does not have. */
must_use struct status routes_create(struct arena *arena, struct routes **ret);
void routes_destroy(struct routes **routes);
const struct json_schema *routes_schema(const struct routes *routes);
/* In the order of routes.def; NULL behind the last. */
const struct route *routes_at(const struct routes *routes, size_t number);

/* Values of the path's variables; texts live in the arena given. */
struct route_values {
    const char *text[ROUTE_VALUES_MAX];
};

/* NOT_FOUND as UNIMPLEMENTED: no such path.  METHOD_NOT_ALLOWED: the path has other methods,
 * whose names *ret_allow then lists ("GET, POST").  INVALID_ARGUMENT: a bad percent escape. */
must_use struct status routes_find(const struct routes *routes, enum http_method method,
                                   const char *path, struct arena *arena,
                                   const struct route **ret, struct route_values *ret_values,
                                   const char **ret_allow);

/* Decodes %XX of `size` bytes, and with `form` + as space.  INVALID_ARGUMENT: a bad escape, or
 * text that is not UTF-8 or holds a NUL. */
must_use struct status percent_decode(const char *from, size_t size, bool form,
                                      struct arena *arena, const char **ret);

/* Appends the text with everything but RFC 3986's unreserved characters as %XX. */
void percent_encode(struct buffer *into, const char *text);

enum http_method http_method_parse(const char *name); /* HEAD is HTTP_GET */
