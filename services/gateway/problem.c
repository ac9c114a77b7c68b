#include "services/gateway/problem.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "services/gateway/text.h"

static const struct {
    enum code code;
    enum text_name title;
} titles[] = {
#define CODE(name, number, http, retry, meaning) {CODE_##name, TEXT_problem_##name},
#include "common/base/code.def"
#undef CODE
};

const char *
problem_title(enum code code, enum lang lang)
{
    for (size_t i = 0; i < COUNT_OF(titles); i++)
        if (titles[i].code == code)
            return text_get(titles[i].title, lang);
    return text_get(TEXT_problem_INTERNAL, lang);
}

bool
problem_code_parse(const char *name, enum code *ret)
{
    for (size_t i = 0; i < COUNT_OF(titles); i++)
        if (titles[i].code != CODE_OK && strcasecmp(code_name(titles[i].code), name) == 0) {
            *ret = titles[i].code;
            return true;
        }
    return false;
}

void
problem_pointer(const char *field, struct buffer *into)
{
    bool upper = false;

    if (*field == '/' || *field == '\0') {
        buffer_puts(into, field);
        return;
    }
    buffer_putc(into, '/');
    for (; *field; field++) {
        if (*field == '.' || *field == '[') {
            buffer_putc(into, '/');
        } else if (*field == '_') {
            upper = true;
            continue;
        } else if (*field != ']') {
            buffer_putc(into, upper ? (char)toupper((unsigned char)*field) : *field);
        }
        upper = false;
    }
}

static void
member(struct buffer *into, const char *name, const char *value)
{
    buffer_printf(into, ",\"%s\":", name);
    buffer_put_json(into, value, strlen(value));
}

static void
write_errors(const struct status *status, const char *detail, struct buffer *into)
{
    scoped(buffer_fini) struct buffer pointer = {0};

    buffer_init(&pointer, 4096);
    problem_pointer(status->field, &pointer);
    buffer_puts(into, ",\"errors\":[{\"pointer\":");
    if (pointer.broken || !pointer.data)
        buffer_puts(into, "\"\"");
    else
        buffer_put_json(into, (const char *)pointer.data, pointer.size);
    buffer_puts(into, ",\"detail\":");
    buffer_put_json(into, detail, strlen(detail));
    buffer_puts(into, "}]");
}

void
problem_write(const struct problem *problem, struct buffer *into)
{
    const struct status *status = &problem->status;
    const char *name = code_name(status->code);
    /* What went wrong inside stays inside. */
    const char *detail = status->code == CODE_INTERNAL || !status->detail
                             ? code_meaning(status->code)
                             : status->detail;

    buffer_printf(into, "{\"type\":\"%s/problems/", problem->public_url);
    for (const char *at = name; *at; at++)
        buffer_putc(into, (char)tolower((unsigned char)*at));
    buffer_puts(into, "\"");
    member(into, "title", problem_title(status->code, problem->lang));
    buffer_printf(into, ",\"status\":%d", code_http(status->code));
    member(into, "detail", detail);
    member(into, "instance", problem->instance);
    member(into, "code", name);
    if (status->field && status->code != CODE_INTERNAL)
        write_errors(status, detail, into);
    member(into, "trace_id", problem->trace_id);
    member(into, "request_id", problem->request_id);
    if (problem->retry_after_ms > 0)
        buffer_printf(into, ",\"retry_after\":%u", (problem->retry_after_ms + 999) / 1000);
    buffer_puts(into, "}");
}
