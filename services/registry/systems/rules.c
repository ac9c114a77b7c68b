#include "services/registry/systems/rules.h"

#include <ctype.h>
#include <string.h>

#include "common/wire/keys.h"
#include "services/registry/values/values.h"

#define NAME_LENGTH 100
#define TYPES_MOST 50
#define TYPE_BYTES 100
#define APPEND_TYPES_MOST 64
#define APPEND_TYPE_BYTES 200
#define OWN_TYPES "org.samverka."

static struct status
check_types(struct arena *arena, const Registry__V1__System *system)
{
    if (system->n_types > TYPES_MOST)
        return FAIL_FIELD(arena, "types", "must have at most %d items", TYPES_MOST);
    for (size_t i = 0; i < system->n_types; i++) {
        const char *type = system->types[i];
        char *field = arena_printf(arena, "types[%zu]", i);

        TRY(need(field));
        if (!*type || strlen(type) > TYPE_BYTES)
            return FAIL_FIELD(arena, field, "must have 1 to %d bytes", TYPE_BYTES);
        for (const char *c = type; *c; c++)
            if (!islower((unsigned char)*c) && !isdigit((unsigned char)*c) && *c != '.' &&
                *c != '_')
                return FAIL_FIELD(arena, field,
                                  "must be the beginning of an event type such as "
                                  "org.samverka.placement.");
    }
    return OK;
}

static bool
begins(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* A prefix that our own types begin with would pass them too. */
static struct status
check_append_type(struct arena *arena, const char *field, const char *type)
{
    if (!*type || strlen(type) > APPEND_TYPE_BYTES)
        return FAIL_FIELD(arena, field, "must have 1 to %d bytes", APPEND_TYPE_BYTES);
    for (const char *c = type; *c; c++)
        if (!isalnum((unsigned char)*c) && !strchr("._-", *c))
            return FAIL_FIELD(arena, field,
                              "must be the beginning of an event type such as "
                              "com.example.crm.");
    if (begins(type, OWN_TYPES) || begins(OWN_TYPES, type))
        return FAIL_FIELD(arena, field, "must not take in Samverka's own types, " OWN_TYPES);
    return OK;
}

static struct status
check_append_types(struct arena *arena, const Registry__V1__System *system)
{
    if (system->n_append_types > APPEND_TYPES_MOST)
        return FAIL_FIELD(arena, "append_types", "must have at most %d items",
                          APPEND_TYPES_MOST);
    for (size_t i = 0; i < system->n_append_types; i++) {
        const char *field = arena_printf(arena, "append_types[%zu]", i);

        TRY(need(field));
        TRY(check_append_type(arena, field, system->append_types[i]));
    }
    return OK;
}

static struct status
check_limit(struct arena *arena, const char *field, uint32_t value, uint32_t most)
{
    if (value > most)
        return FAIL_FIELD(arena, field, "must be at most %u, or 0 for the default", most);
    return OK;
}

static struct status
check_limits(struct arena *arena, Registry__V1__System *system)
{
    if (!system->limits) {
        TRY(need(system->limits = ARENA_NEW(arena, Registry__V1__SystemLimits)));
        registry__v1__system_limits__init(system->limits);
    }
    TRY(check_limit(arena, "limits.follows", system->limits->follows, SYSTEM_FOLLOWS_MOST));
    TRY(check_limit(arena, "limits.events_per_second", system->limits->events_per_second,
                    SYSTEM_EVENTS_MOST));
    return check_limit(arena, "limits.appends_per_second", system->limits->appends_per_second,
                       SYSTEM_APPENDS_MOST);
}

struct status
rules_system(struct arena *arena, struct wall now, Registry__V1__System *system)
{
    TRY(values_line(arena, "name", &system->name, 1, NAME_LENGTH));
    if (*system->curve_public_key && !key_text_valid(system->curve_public_key))
        return FAIL_FIELD(arena, "curve_public_key", "must be 40 characters of Z85");
    if (system->public_only && !*system->curve_public_key)
        return FAIL_FIELD(arena, "curve_public_key",
                          "must be given for a system that sees public events alone");
    TRY(check_types(arena, system));
    if (system->public_only && system->n_append_types)
        return FAIL_FIELD(arena, "append_types",
                          "must be empty for a system that sees public events alone");
    TRY(check_append_types(arena, system));
    TRY(check_limits(arena, system));
    if (system->expires_unix_ms > INT64_MAX ||
        (system->expires_unix_ms && (int64_t)system->expires_unix_ms <= now.unix_ms))
        return FAIL_FIELD(arena, "expires_unix_ms", "must be in the future, or 0");
    return OK;
}

struct status
rules_system_may_change(struct arena *arena, const Registry__V1__System *system)
{
    if (system->revoked)
        return FAIL(arena, FAILED_PRECONDITION, "the system is revoked");
    return OK;
}
