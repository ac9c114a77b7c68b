#pragma once

/* Structured log: one JSON object a line on standard output.
 *
 *     log_info("worker enrolled", KV("worker_id", id), KV("lease_ms", ms));
 *
 * The event is a constant; fields are typed; no personal data, no secrets.  Time, level,
 * service, instance and, inside a call, request id, trace id and method are added.  A field is
 * cut at 4 KiB. Thread-safe: a line is written by one write(2).
 */

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_DEBUG_LEVEL, LOG_INFO_LEVEL, LOG_WARN_LEVEL, LOG_ERROR_LEVEL };

struct kv {
    const char *key;
    enum { KV_END, KV_STR, KV_I64, KV_U64, KV_F64, KV_BOOL } kind;
    union {
        const char *str;
        int64_t i64;
        uint64_t u64;
        double f64;
        bool boolean;
    } v;
};

static inline struct kv
kv_str(const char *key, const char *value)
{
    return (struct kv){key, KV_STR, {.str = value}};
}
static inline struct kv
kv_i64(const char *key, int64_t value)
{
    return (struct kv){key, KV_I64, {.i64 = value}};
}
static inline struct kv
kv_u64(const char *key, uint64_t value)
{
    return (struct kv){key, KV_U64, {.u64 = value}};
}
static inline struct kv
kv_f64(const char *key, double value)
{
    return (struct kv){key, KV_F64, {.f64 = value}};
}
static inline struct kv
kv_bool(const char *key, bool value)
{
    return (struct kv){key, KV_BOOL, {.boolean = value}};
}

#define KV(key, value)                                                                         \
    _Generic((value),                                                                          \
        char *: kv_str,                                                                        \
        const char *: kv_str,                                                                  \
        bool: kv_bool,                                                                         \
        int: kv_i64,                                                                           \
        long: kv_i64,                                                                          \
        long long: kv_i64,                                                                     \
        unsigned: kv_u64,                                                                      \
        unsigned long: kv_u64,                                                                 \
        unsigned long long: kv_u64,                                                            \
        double: kv_f64)((key), (value))

void log_fields(enum log_level level, const char *event, const struct kv *fields);

#define LOG_AT(level, event, ...)                                                              \
    log_fields((level), (event), (const struct kv[]){__VA_ARGS__ __VA_OPT__(, ){0}})
#define log_debug(event, ...) LOG_AT(LOG_DEBUG_LEVEL, event, __VA_ARGS__)
#define log_info(event, ...) LOG_AT(LOG_INFO_LEVEL, event, __VA_ARGS__)
#define log_warn(event, ...) LOG_AT(LOG_WARN_LEVEL, event, __VA_ARGS__)
#define log_error(event, ...) LOG_AT(LOG_ERROR_LEVEL, event, __VA_ARGS__)

/* Set once, before threads start. */
void log_init(const char *service, const char *instance, enum log_level least);
void log_set_fd(int fd); /* tests; default 1 */

/* The call this thread works on; NULLs clear it.  The strings must outlive the setting. */
void log_context(const char *request_id, const char *trace_id, const char *method);

/* "debug", "info", "warn", "error"; false when unknown. */
bool log_level_parse(const char *text, enum log_level *ret);
