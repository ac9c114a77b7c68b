#include "services/gateway/log_html.h"

#include <string.h>

#include "common/json/json_plan.h"
#include "common/wire/follow.h"
#include "services/gateway/page.h"
#include "services/gateway/text.h"

#define INDENT 2

static void
put_text(struct buffer *into, enum text_name name, enum lang lang)
{
    page_escape(into, text_get(name, lang));
}

static void
put_headings(struct buffer *into, const enum text_name *names, size_t count, enum lang lang)
{
    buffer_puts(into, "<thead><tr>");
    for (size_t i = 0; i < count; i++) {
        buffer_puts(into, "<th scope=\"col\">");
        put_text(into, names[i], lang);
        buffer_puts(into, "</th>");
    }
    buffer_puts(into, "</tr></thead>\n<tbody>\n");
}

/* A table in a group that can be scrolled with the keyboard, named by its section's heading.
 */
static void
open_table(struct buffer *into, const char *heading)
{
    buffer_printf(into,
                  "<div class=\"scroll\" tabindex=\"0\" role=\"group\" aria-labelledby=\"%s\">"
                  "<table aria-labelledby=\"%s\">\n",
                  heading, heading);
}

static void
put_cell(struct buffer *into, const char *text)
{
    buffer_puts(into, "<td>");
    page_escape(into, text);
    buffer_puts(into, "</td>");
}

static void
put_number(struct buffer *into, uint64_t number)
{
    buffer_printf(into, "<td class=\"number\">%llu</td>", (unsigned long long)number);
}

/* The system's name where it is known, else what the log calls it. */
static void
put_who(struct buffer *into, const char *user_id, const Registry__V1__ListSystemsReply *systems,
        enum lang lang)
{
    static const struct {
        const char *prefix;
        enum text_name text;
    } kinds[] = {{"system:", TEXT_log_system},
                 {"service:", TEXT_log_service},
                 {"operator:", TEXT_log_operator}};
    const char *name = user_id;

    buffer_puts(into, "<th scope=\"row\">");
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        if (strncmp(user_id, kinds[i].prefix, strlen(kinds[i].prefix)) != 0)
            continue;
        name = user_id + strlen(kinds[i].prefix);
        put_text(into, kinds[i].text, lang);
        buffer_putc(into, ' ');
        break;
    }
    for (size_t i = 0; systems && i < systems->n_systems; i++)
        if (strcmp(systems->systems[i]->system_id, name) == 0) {
            name = systems->systems[i]->name;
            break;
        }
    page_escape(into, name);
    buffer_puts(into, "</th>");
}

static void
put_state(struct buffer *into, const Events__V1__Follower *follower, enum lang lang)
{
    const bool connected = *follower->instance;

    buffer_printf(into, "<td><span class=\"badge %s\">",
                  !connected          ? ""
                  : follower->blocked ? "bad"
                                      : "good");
    put_text(into,
             !connected          ? TEXT_log_disconnected
             : follower->blocked ? TEXT_log_blocked
                                 : TEXT_log_connected,
             lang);
    buffer_puts(into, "</span></td>");
}

/* RFC 3339 for programs; people read it with a space. */
static void
put_time(struct buffer *into, const char *time)
{
    const size_t date = strcspn(time, "T");

    buffer_puts(into, "<td>");
    if (*time)
        buffer_printf(into, "<time datetime=\"%s\">%.*s %s</time>", time, (int)date, time,
                      time + date + (time[date] == 'T'));
    buffer_puts(into, "</td>");
}

static void
put_since(struct buffer *into, uint64_t unix_ms)
{
    char time[JSON_TIME_SIZE];

    put_time(into, unix_ms > 0 && unix_ms <= INT64_MAX &&
                           json_time_write((int64_t)(unix_ms / 1000), 0, time)
                       ? time
                       : "");
}

static void
put_follower(struct buffer *into, const Events__V1__Follower *follower,
             const Registry__V1__ListSystemsReply *systems, enum lang lang)
{
    buffer_puts(into, "<tr>");
    put_who(into, follower->user_id, systems, lang);
    put_cell(into,
             *follower->consumer ? follower->consumer : text_get(TEXT_log_consumer_none, lang));
    put_state(into, follower, lang);
    put_number(into, follower->position);
    put_number(into, follower->lag);
    put_number(into, follower->events_per_second);
    put_number(into, follower->members);
    put_since(into, follower->since_unix_ms);
    buffer_puts(into, "<td>");
    if (follower->n_types == 0)
        put_text(into, TEXT_log_all_types, lang);
    for (size_t i = 0; i < follower->n_types; i++) {
        buffer_puts(into, i ? ", " : "");
        page_escape(into, follower->types[i]);
    }
    buffer_puts(into, "</td></tr>\n");
}

void
log_html_followers(const Events__V1__ListFollowersReply *followers,
                   const Registry__V1__ListSystemsReply *systems, enum lang lang,
                   struct buffer *into)
{
    static const enum text_name names[] = {
        TEXT_log_who,  TEXT_log_consumer, TEXT_log_state, TEXT_log_position, TEXT_log_lag,
        TEXT_log_rate, TEXT_log_members,  TEXT_log_since, TEXT_log_types};

    if (followers->n_followers == 0) {
        buffer_puts(into, "<p>");
        put_text(into, TEXT_log_followers_none, lang);
        buffer_puts(into, "</p>");
        return;
    }
    open_table(into, "followers-title");
    put_headings(into, names, COUNT_OF(names), lang);
    for (size_t i = 0; i < followers->n_followers; i++)
        put_follower(into, followers->followers[i], systems, lang);
    buffer_puts(into, "</tbody></table></div>");
}

static void
put_row(struct buffer *into, const struct log_row *row, bool tenants)
{
    const unsigned long long position = row->position;

    buffer_printf(into, "<tr><th scope=\"row\"><a href=\"/events/%llu\">%llu</a></th>",
                  position, position);
    put_time(into, row->time);
    put_cell(into, row->type);
    put_cell(into, row->subject);
    put_cell(into, row->programme);
    put_cell(into, row->nuts);
    if (tenants)
        put_cell(into, row->tenant_id);
    buffer_puts(into, "</tr>\n");
}

void
log_html_rows(const struct log_scan *scan, bool tenants, enum lang lang, struct buffer *into)
{
    static const enum text_name names[] = {TEXT_log_position, TEXT_log_time,      TEXT_log_type,
                                           TEXT_log_subject,  TEXT_log_programme, TEXT_log_nuts,
                                           TEXT_log_tenant};

    if (scan->row_count == 0) {
        buffer_puts(into, "<p>");
        put_text(into, TEXT_log_none, lang);
        buffer_puts(into, "</p>");
    } else {
        open_table(into, "events-title");
        put_headings(into, names, COUNT_OF(names) - !tenants, lang);
        for (size_t i = 0; i < scan->row_count; i++)
            put_row(into, &scan->rows[i], tenants);
        buffer_puts(into, "</tbody></table></div>");
    }
    buffer_puts(into, "\n<p class=\"stack-note\">");
    put_text(into, TEXT_log_searched, lang);
    buffer_printf(into, " %llu–%llu</p>", (unsigned long long)log_scan_searched_after(scan) + 1,
                  (unsigned long long)log_scan_searched_through(scan));
}

/* A link to a page of the log; `rel` NULL: none. */
static void
put_link(struct buffer *into, const char *place, uint64_t position,
         const struct event_filter *filter, const char *rel, const char *text)
{
    scoped(buffer_fini) struct buffer query = {0};

    buffer_init(&query, (size_t)16 << 10);
    if (place)
        buffer_printf(&query, "&%s=%llu", place, (unsigned long long)position);
    event_filter_put(filter, &query);
    buffer_puts(into, "<a href=\"/events");
    if (query.size > 0 && !query.broken) {
        buffer_putc(into, '?');
        page_escape(into, (const char *)query.data + 1);
    }
    buffer_puts(into, "\"");
    if (rel)
        buffer_printf(into, " rel=\"%s\"", rel);
    buffer_puts(into, ">");
    page_escape(into, text);
    buffer_puts(into, "</a>\n");
}

void
log_html_links(const struct log_scan *scan, const struct event_filter *filter, enum lang lang,
               struct buffer *into)
{
    const uint64_t after = log_scan_searched_after(scan);
    const uint64_t through = log_scan_searched_through(scan);

    put_link(into, NULL, 0, filter, NULL, text_get(TEXT_log_newest, lang));
    if (through < scan->head)
        put_link(into, "after", through, filter, "prev", text_get(TEXT_log_newer, lang));
    if (after > scan->first_kept)
        put_link(into, "before", after + 1, filter, "next", text_get(TEXT_log_older, lang));
}

/* The filter's kind of an attribute; EVENT_TERM_KINDS: none. */
static enum event_term_kind
kind_of(const char *attribute)
{
    static const struct {
        const char *name;
        enum event_term_kind kind;
    } kinds[] = {{"subject", EVENT_TERM_SUBJECT},
                 {"programme", EVENT_TERM_PROGRAMME},
                 {"nuts", EVENT_TERM_NUTS},
                 {"esco", EVENT_TERM_CONCEPT}};

    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        if (strcmp(attribute, kinds[i].name) == 0)
            return kinds[i].kind;
    return EVENT_TERM_KINDS;
}

static void
put_attribute(struct buffer *into, const char *name, const char *value,
              enum event_term_kind kind, enum lang lang)
{
    struct event_filter same = {.terms = {{kind, value}}, .term_count = 1};

    buffer_puts(into, "<div><dt>");
    page_escape(into, name);
    buffer_puts(into, "</dt><dd>");
    page_escape(into, value);
    /* A value with a comma would be several terms. */
    if (kind != EVENT_TERM_KINDS && *value && !strchr(value, ',')) {
        buffer_puts(into, " · ");
        put_link(into, NULL, 0, &same, NULL, text_get(TEXT_log_same, lang));
    }
    buffer_puts(into, "</dd></div>\n");
}

const char *
log_html_time(const Io__Cloudevents__V1__CloudEvent *event, struct arena *arena)
{
    char time[JSON_TIME_SIZE];

    for (size_t i = 0; i < event->n_attributes; i++) {
        const Io__Cloudevents__V1__CloudEvent__CloudEventAttributeValue *value =
            event->attributes[i]->value;
        const char *text;

        if (strcmp(event->attributes[i]->key, "time") != 0 || !value ||
            value->attr_case !=
                IO__CLOUDEVENTS__V1__CLOUD_EVENT__CLOUD_EVENT_ATTRIBUTE_VALUE__ATTR_CE_TIMESTAMP ||
            !json_time_write(value->ce_timestamp->seconds, value->ce_timestamp->nanos, time))
            continue;
        text = arena_copy(arena, time);
        return text ? text : "";
    }
    return "";
}

void
log_html_attributes(const Io__Cloudevents__V1__CloudEvent *event, enum lang lang,
                    struct buffer *into)
{
    put_attribute(into, "type", event->type, EVENT_TERM_TYPE, lang);
    put_attribute(into, "source", event->source, EVENT_TERM_KINDS, lang);
    put_attribute(into, "id", event->id, EVENT_TERM_KINDS, lang);
    for (size_t i = 0; i < event->n_attributes; i++) {
        const char *name = event->attributes[i]->key;
        const char *value = event_attribute(event, name);

        if (value)
            put_attribute(into, name, value, kind_of(name), lang);
    }
}

static void
put_line_end(struct buffer *into, unsigned depth)
{
    buffer_printf(into, "\n%*s", (int)(depth * INDENT), "");
}

void
log_html_json(const char *json, size_t size, struct buffer *into)
{
    bool inside = false; /* of a string */
    unsigned depth = 0;

    for (size_t i = 0; i < size; i++) {
        const char here[] = {json[i], '\0'};
        const bool opens = !inside && (json[i] == '{' || json[i] == '[');
        const bool closes = !inside && depth > 0 && (json[i] == '}' || json[i] == ']');
        const bool empty = opens && i + 1 < size && (json[i + 1] == '}' || json[i + 1] == ']');
        const bool was_empty = closes && i > 0 && (json[i - 1] == '{' || json[i - 1] == '[');

        if (closes) {
            depth--;
            if (!was_empty)
                put_line_end(into, depth);
        }
        page_escape(into, here);
        depth += opens;
        if ((opens && !empty) || (!inside && json[i] == ','))
            put_line_end(into, depth);
        else if (!inside && json[i] == ':')
            buffer_putc(into, ' ');
        if (json[i] == '"')
            inside = !inside;
        else if (inside && json[i] == '\\' && i + 1 < size)
            page_escape(into, (const char[]){json[++i], '\0'});
    }
}

void
log_html_terms(const struct event_filter *filter, enum event_term_kind kind,
               struct buffer *into)
{
    const char *separator = "";

    for (size_t i = 0; i < filter->term_count; i++) {
        if (filter->terms[i].kind != kind)
            continue;
        buffer_puts(into, separator);
        buffer_puts(into, filter->terms[i].text);
        separator = ",";
    }
}
