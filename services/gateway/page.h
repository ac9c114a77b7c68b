#pragma once

/* The pages and files that people's browsers ask for: embedded at build, filled in each
 * language at start, served with an ETag.  Loop thread. */

#include "services/gateway/exchange.h"

#define PAGE_BYTES ((size_t)4 << 20)

enum page_name { PAGE_HOME, PAGE_DOCS, PAGE_COUNT, PAGE_EVENTS = PAGE_COUNT, PAGE_NONE };

struct pages;

must_use struct status pages_create(struct gateway *gateway, struct arena *arena,
                                    struct pages **ret);
void pages_destroy(struct pages **pages);

/* For pages that are made for each request. */

/* A placeholder of a template that is no text of texts.def: "current_home" and its like. */
struct page_filling {
    const char *name;
    const char *value;
    bool markup; /* is markup already; otherwise it is escaped */
};
#define PAGE_FILLINGS_MAX 32 /* the last one's name is NULL */

/* What every page has; returns how many there are. */
size_t page_fillings(enum lang lang, const char *title, enum page_name current,
                     struct page_filling into[PAGE_FILLINGS_MAX]);
/* Appends the template with its placeholders filled.  INTERNAL: one has neither filling nor
 * text. */
must_use struct status page_fill(const char *template_name, enum lang lang,
                                 const struct page_filling *fillings, struct arena *arena,
                                 struct buffer *into);
void page_escape(struct buffer *into, const char *text);

/* `?lang=` decides and is to be remembered (*ret_asked); else the cookie, else the header. */
void page_choose_language(struct exchange *exchange, bool *ret_asked);
/* A page of the buffer, whose memory it takes over; NULL: no memory. */
struct MHD_Response *page_response(const struct exchange *exchange, bool asked,
                                   struct buffer *body);
/* What a problem means, as a page; NULL: no memory. */
struct MHD_Response *page_of_problem(struct exchange *exchange, enum code code);
