#pragma once

/* The markup of the pages about the log.  Pure; everything that comes from others is escaped.
 */

#include "events/v1/log.pb-c.h"
#include "registry/v1/systems.pb-c.h"
#include "services/gateway/event_filter.h"
#include "services/gateway/log_scan.h"

/* Who follows, as a table.  `systems` (may be NULL) gives names to the systems of the tenant.
 */
void log_html_followers(const Events__V1__ListFollowersReply *followers,
                        const Registry__V1__ListSystemsReply *systems, enum lang lang,
                        struct buffer *into);
/* The events, as a table; with their tenants for who sees several. */
void log_html_rows(const struct log_scan *scan, bool tenants, enum lang lang,
                   struct buffer *into);
/* Links to the newest, newer and older events under the same filter. */
void log_html_links(const struct log_scan *scan, const struct event_filter *filter,
                    enum lang lang, struct buffer *into);

/* An event's attributes, as the inside of a list; those that can be filtered by lead there. */
void log_html_attributes(const Io__Cloudevents__V1__CloudEvent *event, enum lang lang,
                         struct buffer *into);
/* JSON over several lines. */
void log_html_json(const char *json, size_t size, struct buffer *into);

/* The terms of one kind, joined by commas. */
void log_html_terms(const struct event_filter *filter, enum event_term_kind kind,
                    struct buffer *into);
/* The event's `time`, or "". */
const char *log_html_time(const Io__Cloudevents__V1__CloudEvent *event, struct arena *arena);
