#include "services/registry/programmes/load_json.h"

#include <string.h>

#include "services/registry/programmes/template.h"

struct status
load_error(const struct loader *loader, const char *pointer, const char *format, ...)
{
    const char *reason;
    va_list args;

    va_start(args, format);
    reason = arena_vprintf(loader->arena, format, args);
    va_end(args);
    return FAIL_FIELD(loader->arena, *pointer ? pointer : "/", "%s: %s: %s", loader->file,
                      *pointer ? pointer : "/", reason ? reason : "out of memory");
}

struct status
load_pointer(const struct loader *loader, const char *parent, const char *key, const char **ret)
{
    char *pointer = arena_alloc(loader->arena, strlen(parent) + 2 * strlen(key) + 2);
    char *at = pointer;

    TRY(need(pointer));
    memcpy(at, parent, strlen(parent));
    at += strlen(parent);
    *at++ = '/';
    for (; *key; key++) {
        if (*key == '~' || *key == '/') {
            *at++ = '~';
            *at++ = *key == '~' ? '0' : '1';
        } else {
            *at++ = *key;
        }
    }
    *ret = pointer;
    return OK;
}

struct status
load_pointer_at(const struct loader *loader, const char *parent, size_t index, const char **ret)
{
    return need(*ret = arena_printf(loader->arena, "%s/%zu", parent, index));
}

static bool
is_listed(const char *const *keys, const char *key)
{
    for (size_t i = 0; keys[i]; i++) {
        if (!strcmp(keys[i], key))
            return true;
    }
    return false;
}

struct status
load_object(const struct loader *loader, const char *pointer, const json_t *json,
            const char *const *keys)
{
    /* jansson's iterators take the object without const, but only read it. */
    json_t *object = json_is_object(json) ? (json_t *)(uintptr_t)json : NULL;
    const char *key, *place;
    json_t *value;

    if (!object)
        return load_error(loader, pointer, "must be an object");
    json_object_foreach(object, key, value)
    {
        if (is_listed(keys, key))
            continue;
        TRY(load_pointer(loader, pointer, key, &place));
        return load_error(loader, place, "is not known here");
    }
    return OK;
}

struct status
load_array(const struct loader *loader, const char *pointer, const json_t *json,
           bool may_be_empty)
{
    if (!json_is_array(json))
        return load_error(loader, pointer, "must be a list");
    if (json_array_size(json) > LOAD_LIST)
        return load_error(loader, pointer, "has more than %d items", LOAD_LIST);
    if (!json_array_size(json) && !may_be_empty)
        return load_error(loader, pointer, "must not be empty");
    return OK;
}

/* A copy in the arena: jansson's memory goes when the document has been read. */
static struct status
copy_text(const struct loader *loader, const char *pointer, const json_t *json,
          const char **ret)
{
    const char *text = json_string_value(json);

    if (!text)
        return load_error(loader, pointer, "must be a text");
    if (!*text || strlen(text) > RULE_TEXT_BYTES)
        return load_error(loader, pointer, "must have 1 to %d bytes", RULE_TEXT_BYTES);
    return need(*ret = arena_copy(loader->arena, text));
}

struct status
load_text(const struct loader *loader, const char *parent, const json_t *object,
          const char *key, bool required, const char **ret)
{
    const json_t *json = json_object_get(object, key);
    const char *pointer;

    TRY(load_pointer(loader, parent, key, &pointer));
    if (!json && required)
        return load_error(loader, pointer, "is missing");
    if (!json) {
        *ret = "";
        return OK;
    }
    return copy_text(loader, pointer, json, ret);
}

struct status
load_word(const struct loader *loader, const char *pointer, const json_t *json,
          const char **ret)
{
    const char *word;

    TRY(copy_text(loader, pointer, json, &word));
    if (word[strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789_")])
        return load_error(loader, pointer,
                          "must have lower-case letters, digits and underscores alone");
    *ret = word;
    return OK;
}

struct status
load_texts(const struct loader *loader, const char *parent, const json_t *object,
           const char *key, struct rule_texts *ret)
{
    const json_t *json = json_object_get(object, key);
    const char *pointer, *place;
    const char **items;
    size_t count;

    TRY(load_pointer(loader, parent, key, &pointer));
    TRY(load_array(loader, pointer, json, false));
    count = json_array_size(json);
    TRY(need(items = ARENA_ARRAY(loader->arena, const char *, count)));
    for (size_t i = 0; i < count; i++) {
        TRY(load_pointer_at(loader, pointer, i, &place));
        TRY(copy_text(loader, place, json_array_get(json, i), &items[i]));
    }
    *ret = (struct rule_texts){true, count, items};
    return OK;
}

struct status
load_date(const struct loader *loader, const char *parent, const json_t *object,
          const char *key, struct rule_date *ret)
{
    const char *pointer, *text;

    TRY(load_text(loader, parent, object, key, false, &text));
    if (*text && !rule_date_parse(text, ret)) {
        TRY(load_pointer(loader, parent, key, &pointer));
        return load_error(loader, pointer, "must be a date like 2024-01-31");
    }
    return OK;
}

struct status
load_integer(const struct loader *loader, const char *pointer, const json_t *json, int64_t min,
             int64_t max, int64_t *ret)
{
    const int64_t value = json_integer_value(json);

    if (!json_is_integer(json))
        return load_error(loader, pointer, "must be an integer");
    if (value < min || value > max)
        return load_error(loader, pointer, "must be between %lld and %lld", (long long)min,
                          (long long)max);
    *ret = value;
    return OK;
}

struct status
load_flag(const struct loader *loader, const char *parent, const json_t *object,
          const char *key, bool fallback, bool *ret)
{
    const json_t *json = json_object_get(object, key);
    const char *pointer;

    if (json && !json_is_boolean(json)) {
        TRY(load_pointer(loader, parent, key, &pointer));
        return load_error(loader, pointer, "must be true or false");
    }
    *ret = json ? json_is_true(json) : fallback;
    return OK;
}

/* Whether every placeholder of one pattern stands in the other. */
static bool
has_placeholders_of(const char *pattern, const char *other)
{
    struct template_piece piece, candidate;

    while (template_next(&pattern, &piece) == TEMPLATE_PIECE) {
        const char *cursor = other;
        bool found = !piece.placeholder;
        while (!found && template_next(&cursor, &candidate) == TEMPLATE_PIECE)
            found = candidate.placeholder && candidate.size == piece.size &&
                    !memcmp(candidate.text, piece.text, piece.size);
        if (!found)
            return false;
    }
    return true;
}

static bool
is_well_formed(const char *pattern)
{
    struct template_piece piece;
    enum template_step step;

    while ((step = template_next(&pattern, &piece)) == TEMPLATE_PIECE)
        continue;
    return step == TEMPLATE_END;
}

struct status
load_local(const struct loader *loader, const char *parent, const json_t *object,
           const char *key, struct text *ret)
{
    static const char *const keys[] = {"sv", "fi", "en", NULL};
    const json_t *json = json_object_get(object, key);
    const char *pointer, *place;
    struct text text;

    TRY(load_pointer(loader, parent, key, &pointer));
    if (!json)
        return load_error(loader, pointer, "is missing");
    TRY(load_object(loader, pointer, json, keys));
    for (size_t i = 0; i < LANG_COUNT; i++) {
        TRY(load_text(loader, pointer, json, keys[i], true, &text.in[i]));
        TRY(load_pointer(loader, pointer, keys[i], &place));
        if (!is_well_formed(text.in[i]))
            return load_error(loader, place, "has a placeholder that is not well formed");
        if (!has_placeholders_of(text.in[i], text.in[0]) ||
            !has_placeholders_of(text.in[0], text.in[i]))
            return load_error(loader, place, "has other placeholders than \"sv\"");
    }
    *ret = text;
    return OK;
}
