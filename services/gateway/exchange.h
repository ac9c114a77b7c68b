#pragma once

/* One HTTP request and its answer.
 *
 * An exchange belongs to the loop.  While an rpc is under way its connection is suspended and
 * the exchange stays; it ends when MHD says that the request is over.  Everything it makes
 * lives in its arena; exchanges and their memory are used again.
 */

#include <microhttpd.h>

#include "common/base/buffer.h"
#include "common/base/lang.h"
#include "services/gateway/auth.h"
#include "services/gateway/gateway.h"

#define EXCHANGE_BODY_BYTES JSON_TEXT_BYTES
/* A larger body is not even read to its end. */
#define EXCHANGE_SWALLOW_BYTES ((size_t)4 << 20)
#define REQUEST_ID_BYTES 128

enum exchange_phase {
    EXCHANGE_RECEIVING,
    EXCHANGE_WORKING,  /* something will answer; suspended, or about to be */
    EXCHANGE_ANSWERED, /* `response` is there */
};

struct exchange {
    struct gateway *gateway;
    struct MHD_Connection *connection;
    struct exchange *next; /* in the pool */
    struct arena arena;
    struct buffer body;
    size_t body_seen; /* bytes that came, kept or not */
    enum exchange_phase phase;
    bool suspended;
    enum http_method method;
    bool head;           /* HEAD: the answer has no body */
    const char *path;    /* as sent, without the query */
    const char *query;   /* as sent, "" when there is none */
    const char *address; /* of the client, as text */
    const char *request_id;
    char traceparent[56];
    char trace_id[33];
    enum lang lang;
    struct mono started, deadline;
    const struct route *route;
    struct route_values values;
    struct identity *identity; /* in the arena; not `known` when anonymous */
    uint64_t position;         /* of the log, when the request began */
    bool rate_known;
    uint32_t rate_left; /* tokens left of the caller's bucket */
    uint64_t cache_generation, cache_era;
    bool stale_cookie;     /* the browser is told to forget it */
    const char *allow;     /* with METHOD_NOT_ALLOWED: what the path answers to */
    const char *cache_key; /* NULL: the answer is not stored */
    bool cache_live;       /* the log is followed: what is stored is fresh */
    struct MHD_Response *response;
    unsigned http_status;
};

struct exchange_pool;

must_use struct status exchange_pool_create(struct gateway *gateway, struct arena *arena,
                                            struct exchange_pool **ret);
void exchange_pool_destroy(struct exchange_pool **pool);

/* A fresh exchange for a request line; NULL: no memory. */
struct exchange *exchange_begin(struct exchange_pool *pool, const char *uri);
void exchange_end(struct exchange *exchange);
/* Gives back all memory but the response: what is left may last as long as a stream. */
void exchange_slim(struct exchange *exchange);

/* Reads the head: ids, language, address.  Called once, before any answer. */
must_use struct status exchange_open(struct exchange *exchange,
                                     struct MHD_Connection *connection, const char *method);

/* The request is complete: finds what answers it.  When this returns, the exchange is ANSWERED
 * or WORKING. */
void exchange_run(struct exchange *exchange);

/* A request header, or NULL. */
const char *exchange_header(const struct exchange *exchange, const char *name);

/* Ends the work: takes over the response, adds the headers that every answer has, and wakes the
 * connection. */
void exchange_answer(struct exchange *exchange, unsigned http_status,
                     struct MHD_Response *response);

/* Takes over the buffer's memory.  A broken buffer gives the INTERNAL problem. */
void exchange_answer_buffer(struct exchange *exchange, unsigned http_status,
                            const char *content_type, struct buffer *body);

/* Answers with a problem document.  `retry_after_ms` 0: the code's own. */
void exchange_refuse(struct exchange *exchange, struct status status, uint32_t retry_after_ms);

/* A response of a buffer whose memory it takes over; NULL: no memory. */
struct MHD_Response *response_of_buffer(struct buffer *body, const char *content_type);
