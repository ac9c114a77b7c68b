#include "common/base/log.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buffer.h"
#include "common/base/clock.h"
#include "common/base/metric.h"
#include "common/base/utf8.h"

#define FIELD_BYTES ((size_t)4096)
#define LINE_BYTES ((size_t)64 << 10)

static const char *const level_names[] = {"debug", "info", "warn", "error"};

static const char *log_service = "";
static const char *log_instance = "";
static enum log_level log_least = LOG_INFO_LEVEL;
static int log_fd = STDOUT_FILENO;

static _Thread_local const char *context_request_id;
static _Thread_local const char *context_trace_id;
static _Thread_local const char *context_method;

static struct metric dropped =
    METRIC("log_lines_dropped_total", METRIC_COUNTER,
           "log lines lost because standard output took no more", NULL, NULL);

void
log_init(const char *service, const char *instance, enum log_level least)
{
    log_service = service;
    log_instance = instance;
    log_least = least;
}

void
log_set_fd(int fd)
{
    log_fd = fd;
}

void
log_context(const char *request_id, const char *trace_id, const char *method)
{
    context_request_id = request_id;
    context_trace_id = trace_id;
    context_method = method;
}

bool
log_level_parse(const char *text, enum log_level *ret)
{
    for (size_t i = 0; i < COUNT_OF(level_names); i++)
        if (!strcmp(text, level_names[i])) {
            *ret = (enum log_level)i;
            return true;
        }
    return false;
}

static void
put_text(struct buffer *line, const char *key, const char *value)
{
    if (line->size > 1)
        buffer_putc(line, ',');
    buffer_put_json(line, key, strlen(key));
    buffer_putc(line, ':');
    if (value)
        buffer_put_json(line, value, utf8_cut(value, FIELD_BYTES));
    else
        buffer_puts(line, "null");
}

/* The shortest of two forms that reads back as the same number. */
static void
put_double(struct buffer *line, double value)
{
    char text[32];

    if (!isfinite(value)) {
        buffer_puts(line, "null"); /* JSON has no such number */
        return;
    }
    (void)snprintf(text, sizeof text, "%.15g", value); /* at most 24 characters */
    if (strtod(text, NULL) != value)
        (void)snprintf(text, sizeof text, "%.17g", value);
    buffer_puts(line, text);
}

static void
put_field(struct buffer *line, const struct kv *field)
{
    if (field->kind == KV_STR) {
        put_text(line, field->key, field->v.str);
        return;
    }
    buffer_putc(line, ',');
    buffer_put_json(line, field->key, strlen(field->key));
    buffer_putc(line, ':');
    switch (field->kind) {
    case KV_I64:
        buffer_printf(line, "%lld", (long long)field->v.i64);
        break;
    case KV_U64:
        buffer_printf(line, "%llu", (unsigned long long)field->v.u64);
        break;
    case KV_F64:
        put_double(line, field->v.f64);
        break;
    case KV_BOOL:
        buffer_puts(line, field->v.boolean ? "true" : "false");
        break;
    case KV_STR:
    case KV_END:
        break;
    }
}

/* One write; the rest of a line that was taken in part follows, so that lines stay whole. */
static void
write_line(const uint8_t *data, size_t size)
{
    while (size) {
        const ssize_t written = write(log_fd, data, size);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0) {
            metric_add(&dropped, NULL, NULL, 1);
            return;
        }
        data += written;
        size -= (size_t)written;
    }
}

static void
put_head(struct buffer *line, enum log_level level, const char *event)
{
    char time[WALL_TEXT_SIZE];

    wall_format(clock_wall(clock_system()), time);
    buffer_putc(line, '{');
    put_text(line, "time", time);
    put_text(line, "level", level_names[level]);
    put_text(line, "service", log_service);
    put_text(line, "instance", log_instance);
    put_text(line, "event", event);
    if (context_request_id)
        put_text(line, "request_id", context_request_id);
    if (context_trace_id)
        put_text(line, "trace_id", context_trace_id);
    if (context_method)
        put_text(line, "method", context_method);
}

void
log_fields(enum log_level level, const char *event, const struct kv *fields)
{
    const int saved_errno =
        errno; /* a log line must not change what the caller looks at next */
    scoped(buffer_fini) struct buffer line = {.limit_bytes = LINE_BYTES};

    if (level < log_least)
        return;
    put_head(&line, level, event);
    for (; fields->kind != KV_END; fields++) {
        const size_t whole = line.size;

        put_field(&line, fields);
        if (line.broken || line.size > LINE_BYTES - sizeof ",\"cut\":true}\n") {
            buffer_truncate(&line, whole); /* the fields that fit make a valid line */
            buffer_puts(&line, ",\"cut\":true");
            break;
        }
    }
    buffer_puts(&line, "}\n");
    if (line.broken)
        metric_add(&dropped, NULL, NULL, 1);
    else
        write_line(line.data, line.size);
    errno = saved_errno;
}
