#include "services/registry/programmes/labels.h"

#include <string.h>

#define LABEL(code, sv, fi, en) TEXT_COMPLETE(sv, fi, en);
#include "services/registry/programmes/labels.def"
#undef LABEL

static const struct rule_label labels[] = {
#define LABEL(code, sv, fi, en) {code, {{sv, fi, en}}},
#include "services/registry/programmes/labels.def"
#undef LABEL
};

const struct text *
label_find(const struct rule_set *set, const char *code)
{
    for (size_t i = 0; set && i < set->label_count; i++) {
        if (!strcmp(set->labels[i].code, code))
            return &set->labels[i].text;
    }
    for (size_t i = 0; i < COUNT_OF(labels); i++) {
        if (!strcmp(labels[i].code, code))
            return &labels[i].text;
    }
    return NULL;
}

const char *
label_shown(const struct rule_set *set, const char *code, enum lang lang, struct arena *arena)
{
    const struct text *whole = label_find(set, code);
    const char *dot = strchr(code, '.');
    const char *object, *attribute;

    if (whole)
        return whole->in[lang];
    if (!dot)
        return code;
    object = arena_copy_n(arena, code, (size_t)(dot - code));
    if (!object)
        return NULL;
    object = label_shown(set, object, lang, arena);
    attribute = label_shown(set, dot + 1, lang, arena);
    if (!object || !attribute)
        return NULL;
    return arena_printf(arena, "%s: %s", object, attribute);
}
