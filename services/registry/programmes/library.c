#include "services/registry/programmes/programmes.h"

#include <stdlib.h>
#include <string.h>

#include "services/registry/programmes/rulesets.h"

#define LIBRARY_BYTES ((size_t)32 << 20)

struct programmes {
    struct arena arena;
    size_t count;
    struct rule_set *sets;
};

/* A version is published once, and a programme's versions differ. */
static struct status
check_unique(const struct programmes *programmes, size_t index, struct arena *arena)
{
    const struct rule_set *set = &programmes->sets[index];

    for (size_t i = 0; i < index; i++) {
        const struct rule_set *other = &programmes->sets[i];
        if (!strcmp(other->name, set->name) ||
            (!strcmp(other->programme, set->programme) && other->version == set->version))
            return FAIL(arena, INVALID_ARGUMENT, "%s: /: %s stands twice", rulesets[index].file,
                        set->name);
    }
    return OK;
}

static struct status
load_all(struct programmes *programmes, struct arena *arena)
{
    programmes->sets = ARENA_ARRAY(&programmes->arena, struct rule_set, rulesets_count);
    TRY(need(programmes->sets));
    for (size_t i = 0; i < rulesets_count; i++) {
        const struct ruleset_file *file = &rulesets[i];
        TRY(rule_set_load(file->file, (const char *)file->document, file->size,
                          &programmes->arena, &programmes->sets[i]));
        TRY(check_unique(programmes, i, arena));
    }
    programmes->count = rulesets_count;
    return OK;
}

struct status
programmes_create(struct arena *arena, struct programmes **ret)
{
    struct programmes *programmes = calloc(1, sizeof *programmes);
    struct status status;

    TRY(need(programmes));
    arena_init(&programmes->arena, LIBRARY_BYTES);
    status = load_all(programmes, arena);
    if (failed(status)) {
        /* Its words lie in the library's memory, which goes now. */
        const char *detail = arena_copy(arena, status.detail ? status.detail : "");
        const char *field = status.field ? arena_copy(arena, status.field) : NULL;
        programmes_destroy(&programmes);
        return (struct status){status.code, detail, field};
    }
    *ret = programmes;
    return OK;
}

void
programmes_destroy(struct programmes **programmes)
{
    if (!*programmes)
        return;
    arena_fini(&(*programmes)->arena);
    free(*programmes);
    *programmes = NULL;
}

size_t
programmes_count(const struct programmes *programmes)
{
    return programmes->count;
}

const struct rule_set *
programmes_at(const struct programmes *programmes, size_t index)
{
    return &programmes->sets[index];
}

const struct rule_set *
programmes_find(const struct programmes *programmes, const char *code, uint32_t version,
                struct rule_date today)
{
    const struct rule_set *best = NULL;

    for (size_t i = 0; i < programmes->count; i++) {
        const struct rule_set *set = &programmes->sets[i];
        if (strcmp(set->programme, code))
            continue;
        if (version) {
            if (set->version == version)
                return set;
            continue;
        }
        if (rule_date_given(set->valid_from) && rule_date_compare(today, set->valid_from) < 0)
            continue;
        if (!best || set->version > best->version)
            best = set;
    }
    return best;
}

const struct rule_set *
programmes_find_name(const struct programmes *programmes, const char *rule_set_version)
{
    for (size_t i = 0; i < programmes->count; i++) {
        if (!strcmp(programmes->sets[i].name, rule_set_version))
            return &programmes->sets[i];
    }
    return NULL;
}

struct rule_date
programmes_day(struct wall wall)
{
    const int64_t day = INT64_C(86400000);
    int64_t days = wall.unix_ms / day;

    if (wall.unix_ms < 0 && wall.unix_ms % day)
        days--;
    return rule_date_from_days(days);
}
