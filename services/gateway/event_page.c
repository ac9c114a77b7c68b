/* GET /v1/events: a page of the log as a CloudEvents batch, for catching up and for polling. */

#include <string.h>

#include "events/v1/log.pb-c.h"
#include "services/gateway/event_filter.h"
#include "services/gateway/feed.h"
#include "services/gateway/own.h"

#define PAGE_BYTES ((size_t)24 << 20)
#define PAGE_DEFAULT 100
#define LINK_BYTES ((size_t)16 << 10) /* every term of a filter, percent-encoded */

/* Lives in the exchange's arena. */
struct page_request {
    struct exchange *exchange;
    struct event_query query;
};

static struct status
write_page(struct page_request *asked, const struct event_page *page, struct buffer *body)
{
    struct arena *arena = &asked->exchange->arena;
    const char *separator = "";

    buffer_puts(body, "[");
    for (size_t i = 0; i < page->events->n_events; i++) {
        struct ring_event *event =
            feed_make_event(asked->exchange->gateway->events, page->events->events[i], arena);

        TRY(need(event));
        if (event_visible(&asked->query.filter, &event->traits)) {
            buffer_puts(body, separator);
            buffer_put(body, event->json, event->json_size);
            separator = ",";
        }
        free(event);
    }
    buffer_puts(body, "]");
    return buffer_check(body, arena);
}

/* The next page begins after what this one covers, also when nothing in it was visible. */
static void
add_next(struct page_request *asked, const struct event_page *page,
         struct MHD_Response *response)
{
    scoped(buffer_fini) struct buffer link = {0};
    char position[24];

    snprintf(position, sizeof position, "%llu", (unsigned long long)page->through);
    (void)MHD_add_response_header(response, "Samverka-Position", position);
    buffer_init(&link, LINK_BYTES);
    buffer_printf(&link, "</v1/events?after=%s&limit=%u", position, asked->query.limit);
    event_filter_put(&asked->query.filter, &link);
    buffer_puts(&link, ">; rel=\"next\"");
    if (!link.broken)
        (void)MHD_add_response_header(response, "Link", (const char *)link.data);
}

static struct status
answer_page(struct page_request *asked, const struct rpc_answer *answer)
{
    scoped(buffer_fini) struct buffer body = {0};
    struct exchange *exchange = asked->exchange;
    struct event_page page;
    struct MHD_Response *response;

    TRY(answer->status);
    TRY(event_page_unpack(answer->packed, &exchange->arena, &page));
    buffer_init(&body, PAGE_BYTES);
    TRY(write_page(asked, &page, &body));
    response = response_of_buffer(&body, "application/cloudevents-batch+json");
    TRY(need(response));
    add_next(asked, &page, response);
    exchange_answer(exchange, 200, response);
    return OK;
}

static void
on_page(void *context, const struct rpc_answer *answer)
{
    struct page_request *asked = context;
    struct status status;

    asked->exchange->gateway->working--;
    status = answer_page(asked, answer);
    if (failed(status))
        exchange_refuse(asked->exchange, status,
                        answer->head ? answer->head->retry_after_ms : 0);
}

static struct status
ask(struct exchange *exchange)
{
    const struct contract_rpc *rpc = contract_find_rpc("events.v1.Log/Read");
    struct identity_principal principal;
    struct page_request *asked;

    if (!(rpc->role_mask & exchange->identity->role_mask))
        return FAIL(&exchange->arena, PERMISSION_DENIED, "your roles do not allow this");
    TRY(need(asked = ARENA_NEW(&exchange->arena, struct page_request)));
    asked->exchange = exchange;
    TRY(event_query_read(exchange, &asked->query));
    if (asked->query.limit == 0)
        asked->query.limit = PAGE_DEFAULT;
    identity_to_principal(exchange->identity, &principal);
    TRY(event_read_start(exchange->gateway, &principal.principal, &asked->query.filter,
                         asked->query.after, asked->query.limit, exchange->deadline, on_page,
                         asked, &exchange->arena));
    exchange->gateway->working++;
    return OK;
}

void
own_events_page(struct exchange *exchange)
{
    const struct status status = ask(exchange);

    if (failed(status))
        exchange_refuse(exchange, status, 0);
}
