#pragma once

/* The parameters of the event routes. */

#include "io/cloudevents/v1/cloudevents.pb-c.h"
#include "services/gateway/ring.h"
#include "services/gateway/serve.h"

struct event_query {
    struct event_filter filter; /* texts live in the exchange's arena */
    bool has_after;
    uint64_t after;
    uint32_t limit; /* 0: not given */
};

/* The filter's parameters by their names in a query; each takes terms joined by commas. */
struct event_parameter {
    const char *name;
    enum event_term_kind kind;
};
extern const struct event_parameter event_parameters[EVENT_TERM_KINDS];

/* Adds the terms of one parameter; *ret_known is false when there is no such one.
 * INVALID_ARGUMENT: too many, too long. */
must_use struct status event_filter_set(struct arena *arena, const char *name,
                                        const char *value, struct event_filter *filter,
                                        bool *ret_known);
/* Appends the filter as parameters, "&types=a,b&nuts=SE3". */
void event_filter_put(const struct event_filter *filter, struct buffer *into);

/* Reads after, limit and the filter from the query, and the tenant from the identity. */
must_use struct status event_query_read(struct exchange *exchange, struct event_query *ret);

/* A whole number of at most `most`; INVALID_ARGUMENT names the parameter. */
must_use struct status event_number_read(struct arena *arena, const char *name,
                                         const char *value, uint64_t most, uint64_t *ret);
/* The traits are the event's own texts. */
struct event_traits event_traits_of(const Io__Cloudevents__V1__CloudEvent *event);

/* Asks the log for a page.  `done` as for rpc_start; the page is a packed ReadReply. */
must_use struct status
event_read_start(struct gateway *gateway, const Wire__V1__Principal *principal,
                 const struct event_filter *filter, uint64_t after, uint32_t limit,
                 struct mono deadline,
                 void (*done)(void *context, const struct rpc_answer *answer), void *context,
                 struct arena *arena);

/* The gateway's own principal, for pages that serve a stream; the caller filters. */
void event_own_principal(struct identity_principal *ret);

/* A page, unpacked. */
struct event_page {
    uint64_t through, head;
    const Io__Cloudevents__V1__CloudEventBatch *events;
};
must_use struct status event_page_unpack(struct bytes packed, struct arena *arena,
                                         struct event_page *ret);
