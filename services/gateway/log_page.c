/* /events and /events/{position}: who follows the log, and its events, for an officer of their
 * tenant and for operators of all.  Made for each request; works without scripts. */

#include <string.h>

#include "services/gateway/feed.h"
#include "services/gateway/log_html.h"
#include "services/gateway/own.h"
#include "services/gateway/page.h"
#include "services/gateway/serve.h"
#include "services/gateway/text.h"

#define PARTS_BYTES ((size_t)1 << 20)       /* of one part of a page */
#define READ_ARENA_BYTES ((size_t)32 << 20) /* a page of the log, unpacked */
#define SYSTEMS_MOST 200                    /* that get their names */

/* A page while it is made; lives in the exchange's arena. */
struct view {
    struct exchange *exchange;
    bool asked; /* for a language */
    bool all;   /* tenants: an operator looks */
    bool forward;
    uint64_t place; /* of the page, or the event */
    struct event_filter filter;
    struct status followers_status;
    const Events__V1__ListFollowersReply *followers;
    const Registry__V1__ListSystemsReply *systems; /* NULL: not known */
    struct log_scan scan;
};

typedef void answered(void *context, const struct rpc_answer *answer);

/* Asks with the rights of who looks. */
static struct status
ask(struct view *view, const char *method, const ProtobufCMessage *request, answered *done)
{
    struct exchange *exchange = view->exchange;
    struct identity_principal principal;
    const struct rpc_options options = {
        .principal = &principal.principal,
        .traceparent = exchange->traceparent,
        .language = lang_tag(exchange->lang),
        .deadline = exchange->deadline,
    };
    struct bytes packed;

    identity_to_principal(exchange->identity, &principal);
    TRY(wire_pack(request, &exchange->arena, &packed));
    TRY(rpc_start(exchange->gateway->rpc, method, packed, &options, done, view,
                  &exchange->arena));
    exchange->gateway->working++;
    return OK;
}

static struct status
unpack(struct view *view, const struct rpc_answer *answer,
       const ProtobufCMessageDescriptor *descriptor, ProtobufCMessage **ret)
{
    TRY(answer->status);
    return wire_unpack(descriptor, answer->packed, &view->exchange->arena, ret);
}

static void
go_on(struct view *view, struct status status)
{
    if (failed(status))
        exchange_refuse(view->exchange, status, 0);
}

/* Only who may see the page is asked about. */
static struct status
open_view(struct exchange *exchange, struct view **ret)
{
    const bool all = identity_has_role(exchange->identity, WIRE__V1__ROLE__OPERATOR);
    struct view *view;

    if (!all && !identity_has_role(exchange->identity, WIRE__V1__ROLE__PARTNERSHIP_OFFICER))
        return FAIL(&exchange->arena, PERMISSION_DENIED,
                    "this page is for partnership officers and operators");
    TRY(need(view = ARENA_NEW(&exchange->arena, struct view)));
    *view = (struct view){.exchange = exchange, .all = all};
    view->filter.own_only = !all;
    memcpy(view->filter.tenant_id, exchange->identity->tenant_id,
           sizeof view->filter.tenant_id);
    page_choose_language(exchange, &view->asked);
    *ret = view;
    return OK;
}

static bool
may_see(const struct view *view, const struct event_traits *traits)
{
    if (view->all)
        return strcmp(traits->audience, "internal") != 0 && event_wanted(&view->filter, traits);
    return event_visible(&view->filter, traits);
}

static struct status
answer_page(struct view *view, const char *template_name, const struct page_filling *fillings)
{
    scoped(buffer_fini) struct buffer body = {0};
    struct exchange *exchange = view->exchange;
    struct MHD_Response *response;

    buffer_init(&body, PAGE_BYTES);
    TRY(page_fill(template_name, exchange->lang, fillings, &exchange->arena, &body));
    TRY(need(response = page_response(exchange, view->asked, &body)));
    (void)MHD_del_response_header(response, "Cache-Control", "no-cache");
    (void)MHD_add_response_header(response, "Cache-Control", "no-store");
    exchange_answer(exchange, 200, response);
    return OK;
}

/* A part of the page as text of the arena. */
static struct status
keep(struct view *view, struct buffer *part, const char **ret)
{
    struct arena *arena = &view->exchange->arena;

    TRY(buffer_check(part, arena));
    TRY(need(*ret =
                 arena_copy_n(arena, part->data ? part->data : (const void *)"", part->size)));
    buffer_clear(part);
    return OK;
}

/* The overview */

static void
put_followers(const struct view *view, struct buffer *part)
{
    const enum lang lang = view->exchange->lang;

    if (!failed(view->followers_status)) {
        log_html_followers(view->followers, view->systems, lang, part);
        return;
    }
    buffer_puts(part, "<p class=\"error\">");
    page_escape(part, text_get(TEXT_log_followers_failed, lang));
    buffer_puts(part, "</p>");
}

static void
put_rate(const struct view *view, struct buffer *part)
{
    if (failed(view->followers_status))
        return;
    buffer_puts(part, "<div><dt>");
    page_escape(part, text_get(TEXT_log_rate_in, view->exchange->lang));
    buffer_printf(part, "</dt><dd>%u</dd></div>", view->followers->events_per_second);
}

static struct status
fill_overview(struct view *view, struct page_filling *fillings, size_t count)
{
    const enum lang lang = view->exchange->lang;
    const struct {
        const char *name;
        bool markup;
    } parts[] = {{"head_position", false}, {"first_position", false},
                 {"rate_in", true},        {"followers", true},
                 {"rows", true},           {"page_links", true}};
    scoped(buffer_fini) struct buffer part = {0};

    buffer_init(&part, PARTS_BYTES);
    for (size_t i = 0; i < COUNT_OF(parts) + EVENT_TERM_KINDS; i++) {
        struct page_filling *filling = &fillings[count++];

        if (i == 0)
            buffer_printf(&part, "%llu", (unsigned long long)view->scan.head);
        else if (i == 1)
            buffer_printf(&part, "%llu", (unsigned long long)view->scan.first_kept + 1);
        else if (i == 2)
            put_rate(view, &part);
        else if (i == 3)
            put_followers(view, &part);
        else if (i == 4)
            log_html_rows(&view->scan, view->all, lang, &part);
        else if (i == 5)
            log_html_links(&view->scan, &view->filter, lang, &part);
        else
            log_html_terms(&view->filter, event_parameters[i - COUNT_OF(parts)].kind, &part);
        filling->name =
            i < COUNT_OF(parts) ? parts[i].name : event_parameters[i - COUNT_OF(parts)].name;
        filling->markup = i < COUNT_OF(parts) && parts[i].markup;
        TRY(keep(view, &part, &filling->value));
    }
    return OK;
}

static struct status
show_overview(struct view *view)
{
    const enum lang lang = view->exchange->lang;
    struct page_filling fillings[PAGE_FILLINGS_MAX] = {{0}};
    size_t count = page_fillings(lang, text_get(TEXT_log_title, lang), PAGE_EVENTS, fillings);

    fillings[count++] = (struct page_filling){
        "scope", text_get(view->all ? TEXT_log_scope_all : TEXT_log_scope_tenant, lang), false};
    TRY(fill_overview(view, fillings, count));
    return answer_page(view, "events.html", fillings);
}

static struct status
add_row(struct view *view, const Io__Cloudevents__V1__CloudEvent *event)
{
    const struct event_traits traits = event_traits_of(event);
    struct arena *arena = &view->exchange->arena;
    struct log_row row = {.position = event_position(event)};

    if (!may_see(view, &traits))
        return OK;
    TRY(need(row.type = arena_copy(arena, traits.type)));
    TRY(need(row.subject = arena_copy(arena, traits.subject)));
    TRY(need(row.programme = arena_copy(arena, traits.programme)));
    TRY(need(row.nuts = arena_copy(arena, traits.nuts)));
    TRY(need(row.tenant_id = arena_copy(arena, traits.tenant_id)));
    row.time = log_html_time(event, arena);
    log_scan_add(&view->scan, &row);
    return OK;
}

static struct status
add_rows(struct view *view, const struct rpc_answer *answer, struct arena *arena)
{
    struct event_page page;

    TRY(answer->status);
    TRY(event_page_unpack(answer->packed, arena, &page));
    if (page.through <= view->scan.at)
        return FAIL(&view->exchange->arena, UNAVAILABLE, "the log gave an empty page");
    for (size_t i = 0; i < page.events->n_events; i++)
        TRY(add_row(view, page.events->events[i]));
    log_scan_through(&view->scan, page.through);
    return OK;
}

static struct status read_on(struct view *view);

static void
on_read(void *context, const struct rpc_answer *answer)
{
    struct view *view = context;
    struct arena arena;
    struct status status;

    view->exchange->gateway->working--;
    arena_init(&arena, READ_ARENA_BYTES);
    status = add_rows(view, answer, &arena);
    if (failed(status) && status.detail) /* it outlives the scratch arena */
        status = status_make(&view->exchange->arena, status.code, "%s", status.detail);
    arena_fini(&arena);
    go_on(view, failed(status) ? status : read_on(view));
}

static struct status
start_read(struct view *view, uint64_t after, uint32_t limit, answered *done)
{
    struct exchange *exchange = view->exchange;
    struct identity_principal principal;

    identity_to_principal(exchange->identity, &principal);
    TRY(event_read_start(exchange->gateway, &principal.principal, &view->filter, after, limit,
                         exchange->deadline, done, view, &exchange->arena));
    exchange->gateway->working++;
    return OK;
}

static struct status
read_on(struct view *view)
{
    uint64_t after;
    uint32_t limit;

    if (!log_scan_next(&view->scan, &after, &limit))
        return show_overview(view);
    return start_read(view, after, limit, on_read);
}

static struct status
take_head(struct view *view, const struct rpc_answer *answer)
{
    const Events__V1__HeadReply *head;
    ProtobufCMessage *message;

    TRY(unpack(view, answer, &events__v1__head_reply__descriptor, &message));
    head = (const Events__V1__HeadReply *)message;
    log_scan_begin(&view->scan, view->forward, view->place, head->position, head->first_kept);
    return read_on(view);
}

static void
on_head(void *context, const struct rpc_answer *answer)
{
    struct view *view = context;

    view->exchange->gateway->working--;
    go_on(view, take_head(view, answer));
}

static void
on_systems(void *context, const struct rpc_answer *answer)
{
    const Events__V1__HeadRequest request = EVENTS__V1__HEAD_REQUEST__INIT;
    struct view *view = context;
    ProtobufCMessage *message;

    view->exchange->gateway->working--;
    /* Without their names systems go by their ids. */
    if (!failed(unpack(view, answer, &registry__v1__list_systems_reply__descriptor, &message)))
        view->systems = (const Registry__V1__ListSystemsReply *)message;
    go_on(view, ask(view, "events.v1.Log/Head", &request.base, on_head));
}

static void
on_followers(void *context, const struct rpc_answer *answer)
{
    Registry__V1__ListSystemsRequest request = REGISTRY__V1__LIST_SYSTEMS_REQUEST__INIT;
    struct view *view = context;
    ProtobufCMessage *message;

    view->exchange->gateway->working--;
    view->followers_status =
        unpack(view, answer, &events__v1__list_followers_reply__descriptor, &message);
    if (!failed(view->followers_status))
        view->followers = (const Events__V1__ListFollowersReply *)message;
    request.page_size = SYSTEMS_MOST;
    go_on(view, ask(view, "registry.v1.Systems/ListSystems", &request.base, on_systems));
}

static struct status
set_parameter(void *context, const char *name, const char *value)
{
    struct view *view = context;
    struct arena *arena = &view->exchange->arena;
    bool known;

    if (strcmp(name, "lang") == 0)
        return OK;
    if (strcmp(name, "before") == 0 || strcmp(name, "after") == 0) {
        view->forward = *name == 'a';
        return event_number_read(arena, name, value, INT64_MAX, &view->place);
    }
    TRY(event_filter_set(arena, name, value, &view->filter, &known));
    return known ? OK : FAIL_FIELD(arena, name, "there is no such parameter");
}

static struct status
start_overview(struct exchange *exchange)
{
    const Events__V1__ListFollowersRequest request = EVENTS__V1__LIST_FOLLOWERS_REQUEST__INIT;
    struct view *view;

    TRY(open_view(exchange, &view));
    view->place = UINT64_MAX;
    TRY(request_each_parameter(exchange, set_parameter, view));
    return ask(view, "events.v1.Log/ListFollowers", &request.base, on_followers);
}

void
own_log_page(struct exchange *exchange)
{
    const struct status status = start_overview(exchange);

    if (failed(status))
        exchange_refuse(exchange, status, 0);
}

/* One event */

static struct status
fill_event(struct view *view, const Io__Cloudevents__V1__CloudEvent *event,
           struct page_filling *fillings, size_t count)
{
    struct exchange *exchange = view->exchange;
    const unsigned long long position = view->place;
    scoped(buffer_fini) struct buffer part = {0}, json = {0};

    buffer_init(&part, PARTS_BYTES);
    buffer_init(&json, PARTS_BYTES);
    log_html_attributes(event, exchange->lang, &part);
    fillings[count] = (struct page_filling){"attributes", NULL, true};
    TRY(keep(view, &part, &fillings[count++].value));
    TRY(event_json_write(exchange->gateway->events, event, &exchange->arena, &json));
    log_html_json((const char *)json.data, json.size, &part);
    fillings[count] = (struct page_filling){"json", NULL, true};
    TRY(keep(view, &part, &fillings[count++].value));
    buffer_printf(&part, "/v1/events?after=%llu&limit=1", position - 1);
    fillings[count] = (struct page_filling){"api", NULL, false};
    TRY(keep(view, &part, &fillings[count++].value));
    buffer_printf(&part, "<a href=\"/events?after=%llu\" rel=\"next\">", position);
    page_escape(&part, text_get(TEXT_log_newer, exchange->lang));
    buffer_printf(&part, "</a>\n<a href=\"/events?before=%llu\" rel=\"prev\">", position);
    page_escape(&part, text_get(TEXT_log_older, exchange->lang));
    buffer_puts(&part, "</a>");
    fillings[count] = (struct page_filling){"page_links", NULL, true};
    return keep(view, &part, &fillings[count].value);
}

static struct status
no_event(struct view *view)
{
    return FAIL(&view->exchange->arena, NOT_FOUND,
                "there is no event at this position for you");
}

static struct status
show_event(struct view *view, const struct rpc_answer *answer)
{
    struct exchange *exchange = view->exchange;
    struct page_filling fillings[PAGE_FILLINGS_MAX] = {{0}};
    const Io__Cloudevents__V1__CloudEvent *event;
    struct event_traits traits;
    struct event_page page;
    const char *title;
    size_t count;

    if (answer->status.code == CODE_INVALID_ARGUMENT)
        return no_event(view); /* the log ends before */
    TRY(answer->status);
    TRY(event_page_unpack(answer->packed, &exchange->arena, &page));
    event = page.events->n_events > 0 ? page.events->events[0] : NULL;
    if (event)
        traits = event_traits_of(event);
    if (!event || event_position(event) != view->place || !may_see(view, &traits))
        return no_event(view);
    TRY(need(title = arena_printf(&exchange->arena, "%s %llu",
                                  text_get(TEXT_log_event_title, exchange->lang),
                                  (unsigned long long)view->place)));
    count = page_fillings(exchange->lang, title, PAGE_NONE, fillings);
    TRY(fill_event(view, event, fillings, count));
    return answer_page(view, "event.html", fillings);
}

static void
on_event(void *context, const struct rpc_answer *answer)
{
    struct view *view = context;

    view->exchange->gateway->working--;
    go_on(view, show_event(view, answer));
}

static struct status
start_event(struct exchange *exchange)
{
    struct view *view;

    TRY(open_view(exchange, &view));
    if (failed(event_number_read(&exchange->arena, "position", exchange->values.text[0],
                                 INT64_MAX, &view->place)) ||
        view->place == 0)
        return no_event(view);
    return start_read(view, view->place - 1, 1, on_event);
}

void
own_log_event(struct exchange *exchange)
{
    const struct status status = start_event(exchange);

    if (failed(status))
        exchange_refuse(exchange, status, 0);
}
