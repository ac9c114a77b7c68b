#include "services/registry/systems/rules.h"

#include <ctype.h>
#include <string.h>

#include "common/wire/keys.h"
#include "services/registry/values/values.h"

#define NAME_LENGTH 100
#define TYPES_MOST 50
#define TYPE_BYTES 100

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

struct status
rules_system(struct arena *arena, struct wall now, Registry__V1__System *system)
{
    TRY(values_line(arena, "name", &system->name, 1, NAME_LENGTH));
    if (*system->curve_public_key && !key_text_valid(system->curve_public_key))
        return FAIL_FIELD(arena, "curve_public_key", "must be 40 characters of Z85");
    TRY(check_types(arena, system));
    if (system->expires_unix_ms > INT64_MAX ||
        (system->expires_unix_ms && (int64_t)system->expires_unix_ms <= now.unix_ms))
        return FAIL_FIELD(arena, "expires_unix_ms", "must be in the future, or 0");
    return OK;
}
