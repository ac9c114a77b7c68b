#include "services/gateway/page.h"

#include <ctype.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "services/gateway/answers.h"
#include "services/gateway/asset.h"
#include "services/gateway/own.h"
#include "services/gateway/problem.h"
#include "services/gateway/text.h"

#define ETAG_BYTES 36
#define PAGE_POLICY                                                                            \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "          \
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; "        \
    "require-trusted-types-for 'script'"

struct page {
    struct buffer body;
    char etag[ETAG_BYTES];
};

struct pages {
    struct page filled[PAGE_COUNT][LANG_COUNT];
};

static void
make_etag(const void *data, size_t size, char ret[ETAG_BYTES])
{
    unsigned char digest[16];

    (void)crypto_generichash(digest, sizeof digest, data, size, NULL, 0);
    ret[0] = '"';
    sodium_bin2hex(ret + 1, 33, digest, sizeof digest);
    memcpy(ret + 33, "\"", 2);
}

void
page_escape(struct buffer *into, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&':
            buffer_puts(into, "&amp;");
            break;
        case '<':
            buffer_puts(into, "&lt;");
            break;
        case '>':
            buffer_puts(into, "&gt;");
            break;
        case '"':
            buffer_puts(into, "&quot;");
            break;
        default:
            buffer_putc(into, *text);
        }
    }
}

static struct status
put_placeholder(struct buffer *into, const char *name, size_t size, enum lang lang,
                const struct page_filling *fillings, struct arena *arena)
{
    const char *text;

    for (; fillings->name; fillings++) {
        if (strlen(fillings->name) != size || memcmp(fillings->name, name, size) != 0)
            continue;
        if (fillings->markup)
            buffer_puts(into, fillings->value);
        else
            page_escape(into, fillings->value);
        return OK;
    }
    text = text_find(name, size, lang);
    if (!text)
        return FAIL(arena, INTERNAL, "a page names no text: %.*s", (int)size, name);
    page_escape(into, text);
    return OK;
}

/* Puts the texts of a language into a template. */
struct status
page_fill(const char *template_name, enum lang lang, const struct page_filling *fillings,
          struct arena *arena, struct buffer *into)
{
    const struct asset *asset = asset_find(template_name);
    const char *at = asset ? (const char *)asset->data : NULL;

    if (!asset)
        return FAIL(arena, INTERNAL, "no page %s", template_name);
    for (const char *open; (open = strstr(at, "{{"));) {
        const char *close = strstr(open, "}}");

        if (!close)
            return FAIL(arena, INTERNAL, "an open placeholder in %s", template_name);
        buffer_put(into, at, (size_t)(open - at));
        TRY(put_placeholder(into, open + 2, (size_t)(close - open - 2), lang, fillings, arena));
        at = close + 2;
    }
    buffer_puts(into, at);
    return buffer_check(into, arena);
}

#define CURRENT " aria-current=\"page\""
#define CURRENT_LANG " aria-current=\"true\""

size_t
page_fillings(enum lang lang, const char *title, enum page_name current,
              struct page_filling into[PAGE_FILLINGS_MAX])
{
    const struct page_filling common[] = {
        {"lang", lang_tag(lang), false},
        {"title", title, false},
        {"version_number", SAMVERKA_VERSION, false},
        {"current_home", current == PAGE_HOME ? CURRENT : "", true},
        {"current_docs", current == PAGE_DOCS ? CURRENT : "", true},
        {"current_events", current == PAGE_EVENTS ? CURRENT : "", true},
        {"current_sv", lang == LANG_SV ? CURRENT_LANG : "", true},
        {"current_fi", lang == LANG_FI ? CURRENT_LANG : "", true},
        {"current_en", lang == LANG_EN ? CURRENT_LANG : "", true},
    };

    memcpy(into, common, sizeof common);
    return COUNT_OF(common);
}

static struct status
fill_page(struct pages *pages, enum page_name name, enum lang lang, struct arena *arena)
{
    static const char *const templates[] = {"home.html", "docs.html"};
    struct page_filling fillings[PAGE_FILLINGS_MAX] = {{0}};
    struct page *page = &pages->filled[name][lang];

    (void)page_fillings(lang,
                        text_get(name == PAGE_HOME ? TEXT_home_title : TEXT_docs_title, lang),
                        name, fillings);
    buffer_init(&page->body, PAGE_BYTES);
    TRY(page_fill(templates[name], lang, fillings, arena, &page->body));
    make_etag(page->body.data, page->body.size, page->etag);
    return OK;
}

struct status
pages_create(struct gateway *gateway, struct arena *arena, struct pages **ret)
{
    scoped(pages_destroy) struct pages *pages = calloc(1, sizeof *pages);

    (void)gateway;
    TRY(need(pages));
    for (int name = 0; name < PAGE_COUNT; name++)
        for (int lang = 0; lang < LANG_COUNT; lang++)
            TRY(fill_page(pages, (enum page_name)name, (enum lang)lang, arena));
    *ret = take(&pages);
    return OK;
}

void
pages_destroy(struct pages **pages)
{
    if (!*pages)
        return;
    for (int name = 0; name < PAGE_COUNT; name++)
        for (int lang = 0; lang < LANG_COUNT; lang++)
            buffer_fini(&(*pages)->filled[name][lang].body);
    free(take(pages));
}

void
page_choose_language(struct exchange *exchange, bool *ret_asked)
{
    const char *cookie =
        MHD_lookup_connection_value(exchange->connection, MHD_COOKIE_KIND, "lang");
    const char *asked = strncmp(exchange->query, "lang=", 5) == 0 ? exchange->query + 5 : NULL;

    *ret_asked = asked != NULL;
    if (asked)
        exchange->lang = lang_parse(asked);
    else if (cookie)
        exchange->lang = lang_parse(cookie);
}

/* Bytes that live as long as the process, unless the client has them. */
static struct MHD_Response *
static_response(struct exchange *exchange, const void *data, size_t size, const char *etag,
                unsigned *ret_status)
{
    const bool same = etag && etag_matches(exchange_header(exchange, "If-None-Match"), etag);
    struct MHD_Response *response = MHD_create_response_from_buffer(
        same ? 0 : size, (void *)(uintptr_t)data, MHD_RESPMEM_PERSISTENT);

    *ret_status = same ? 304 : 200;
    if (response && etag)
        (void)MHD_add_response_header(response, "ETag", etag);
    return response;
}

static void
add_page_headers(const struct exchange *exchange, bool asked, struct MHD_Response *response)
{
    char cookie[64];

    if (asked) {
        snprintf(cookie, sizeof cookie, "lang=%s; Path=/; SameSite=Lax; Max-Age=31536000%s",
                 lang_tag(exchange->lang),
                 gateway_is_https(exchange->gateway) ? "; Secure" : "");
        (void)MHD_add_response_header(response, "Set-Cookie", cookie);
    }
    (void)MHD_add_response_header(response, "Content-Type", "text/html; charset=utf-8");
    (void)MHD_add_response_header(response, "Content-Security-Policy", PAGE_POLICY);
    (void)MHD_add_response_header(response, "Cross-Origin-Opener-Policy", "same-origin");
    (void)MHD_add_response_header(response, "Content-Language", lang_tag(exchange->lang));
    (void)MHD_add_response_header(response, "Vary", "Accept-Language, Cookie");
    (void)MHD_add_response_header(response, "Cache-Control", "no-cache");
}

static void
serve_page(struct exchange *exchange, enum page_name name)
{
    const struct page *page;
    struct MHD_Response *response;
    unsigned status;
    bool asked;

    page_choose_language(exchange, &asked);
    page = &exchange->gateway->pages->filled[name][exchange->lang];
    response = static_response(exchange, page->body.data, page->body.size, page->etag, &status);
    if (response)
        add_page_headers(exchange, asked, response);
    exchange_answer(exchange, status, response);
}

void
own_home(struct exchange *exchange)
{
    serve_page(exchange, PAGE_HOME);
}

void
own_docs(struct exchange *exchange)
{
    serve_page(exchange, PAGE_DOCS);
}

/* A file whose name changes with its content. */
void
own_asset(struct exchange *exchange)
{
    const char *name = exchange->values.text[0];
    const struct asset *asset = asset_find(name);
    struct MHD_Response *response;
    unsigned status;

    if (!asset || strchr(name, '/') || strstr(name, ".html") || strstr(name, ".json")) {
        exchange_refuse(exchange, FAIL(&exchange->arena, NOT_FOUND, "there is no such file"),
                        0);
        return;
    }
    response = static_response(exchange, asset->data, asset->size, NULL, &status);
    if (response) {
        (void)MHD_add_response_header(response, "Content-Type", asset->content_type);
        (void)MHD_add_response_header(response, "Cache-Control",
                                      "public, max-age=31536000, immutable");
    }
    exchange_answer(exchange, status, response);
}

static struct status
fill_problem(struct exchange *exchange, enum code code, struct buffer *body)
{
    static const enum text_name advice[] = {[RETRY_NEVER] = TEXT_retry_NEVER,
                                            [RETRY_ELSEWHERE] = TEXT_retry_ELSEWHERE,
                                            [RETRY_LATER] = TEXT_retry_LATER,
                                            [RETRY_AGAIN] = TEXT_retry_AGAIN};
    struct page_filling fillings[PAGE_FILLINGS_MAX] = {{0}};
    char status[8];
    size_t count =
        page_fillings(exchange->lang, problem_title(code, exchange->lang), PAGE_NONE, fillings);

    snprintf(status, sizeof status, "%d", code_http(code));
    fillings[count++] = (struct page_filling){"code", code_name(code), false};
    fillings[count++] = (struct page_filling){"status", status, false};
    fillings[count++] = (struct page_filling){"meaning", code_meaning(code), false};
    fillings[count++] = (struct page_filling){
        "advice", text_get(advice[code_retry(code)], exchange->lang), false};
    return page_fill("problem.html", exchange->lang, fillings, &exchange->arena, body);
}

struct MHD_Response *
page_response(const struct exchange *exchange, bool asked, struct buffer *body)
{
    struct MHD_Response *response = response_of_buffer(body, "text/html; charset=utf-8");

    if (!response)
        return NULL;
    (void)MHD_del_response_header(response, "Content-Type", "text/html; charset=utf-8");
    add_page_headers(exchange, asked, response);
    return response;
}

struct MHD_Response *
page_of_problem(struct exchange *exchange, enum code code)
{
    scoped(buffer_fini) struct buffer body = {0};
    bool asked;

    page_choose_language(exchange, &asked);
    buffer_init(&body, PAGE_BYTES);
    return failed(fill_problem(exchange, code, &body)) ? NULL
                                                       : page_response(exchange, asked, &body);
}

void
own_problem_page(struct exchange *exchange)
{
    struct MHD_Response *response;
    enum code code;

    if (!problem_code_parse(exchange->values.text[0], &code)) {
        exchange_refuse(exchange, FAIL(&exchange->arena, NOT_FOUND, "there is no such problem"),
                        0);
        return;
    }
    response = page_of_problem(exchange, code);
    if (response)
        exchange_answer(exchange, 200, response);
    else
        exchange_refuse(exchange, need(NULL), 0);
}
