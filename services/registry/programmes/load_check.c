#include "services/registry/programmes/load_check.h"

#include <string.h>

#include "services/registry/programmes/labels.h"
#include "services/registry/programmes/override.h"
#include "services/registry/programmes/template.h"
#include "services/registry/programmes/vocabulary.h"

static struct status
need_label(const struct loader *loader, const char *pointer, const char *code)
{
    if (!label_find(loader->set, code))
        return load_error(loader, pointer, "\"%s\" has no label", code);
    return OK;
}

static struct status
check_word(const struct loader *loader, const char *pointer, const struct param_spec *spec,
           const char *word)
{
    static const char *const kinds[] = {"hei_university",
                                        "hei_uas",
                                        "company",
                                        "association",
                                        "authority",
                                        "region",
                                        "funder",
                                        "chamber",
                                        "science_park",
                                        "research_institute",
                                        "business_promotion",
                                        "other",
                                        NULL};
    const char *const *words = spec->kind == PARAM_KINDS ? kinds : spec->words;

    for (size_t i = 0; words && words[i]; i++) {
        if (!strcmp(words[i], word))
            return OK;
    }
    if (words)
        return load_error(loader, pointer, "\"%s\" is not one of the words allowed", word);
    return need_label(loader, pointer, word);
}

static struct status
load_words(const struct loader *loader, const char *pointer, const json_t *json,
           const struct param_spec *spec, struct rule_texts *ret)
{
    const bool single = spec->kind == PARAM_CODE;
    size_t count = 1;
    const char **items;
    const char *place = pointer;

    if (!single) {
        TRY(load_array(loader, pointer, json, false));
        count = json_array_size(json);
    }
    TRY(need(items = ARENA_ARRAY(loader->arena, const char *, count)));
    for (size_t i = 0; i < count; i++) {
        if (!single)
            TRY(load_pointer_at(loader, pointer, i, &place));
        TRY(load_word(loader, place, single ? json : json_array_get(json, i), &items[i]));
        TRY(check_word(loader, place, spec, items[i]));
    }
    *ret = (struct rule_texts){true, count, items};
    return OK;
}

static struct status
load_plain_texts(const struct loader *loader, const char *pointer, const json_t *json,
                 struct rule_texts *ret)
{
    const char **items;
    const char *place;
    size_t count;

    TRY(load_array(loader, pointer, json, false));
    count = json_array_size(json);
    TRY(need(items = ARENA_ARRAY(loader->arena, const char *, count)));
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(json, i));
        TRY(load_pointer_at(loader, pointer, i, &place));
        if (!text || !*text || strlen(text) > RULE_TEXT_BYTES || strpbrk(text, ",>"))
            return load_error(loader, place, "must be a text without commas and \">\"");
        TRY(need(items[i] = arena_copy(loader->arena, text)));
    }
    *ret = (struct rule_texts){true, count, items};
    return OK;
}

static struct status
load_integers(const struct loader *loader, const char *pointer, const json_t *json,
              const struct param_spec *spec, struct rule_param *param)
{
    int64_t *numbers;
    const char *place;
    size_t count;

    TRY(load_array(loader, pointer, json, false));
    count = json_array_size(json);
    TRY(need(numbers = ARENA_ARRAY(loader->arena, int64_t, count)));
    for (size_t i = 0; i < count; i++) {
        TRY(load_pointer_at(loader, pointer, i, &place));
        TRY(load_integer(loader, place, json_array_get(json, i), spec->min, spec->max,
                         &numbers[i]));
    }
    param->number_count = count;
    param->numbers = numbers;
    return OK;
}

/* A ratio is written as text, "0.50": a binary fraction would not be the number meant. */
static struct status
load_ratio(const struct loader *loader, const char *pointer, const json_t *json,
           const struct param_spec *spec, int64_t *ret)
{
    int64_t value;

    if (!override_parse_ratio(json_string_value(json), &value))
        return load_error(loader, pointer,
                          "must be a text like \"0.50\" with at most three decimals");
    if (value < spec->min || value > spec->max)
        return load_error(loader, pointer, "must be between %lld and %lld thousandths",
                          (long long)spec->min, (long long)spec->max);
    *ret = value;
    return OK;
}

static struct status
load_value(const struct loader *loader, const char *pointer, const json_t *json,
           const struct param_spec *spec, struct rule_param *param)
{
    switch (spec->kind) {
    case PARAM_INTEGER:
        return load_integer(loader, pointer, json, spec->min, spec->max, &param->number);
    case PARAM_INTEGERS:
        return load_integers(loader, pointer, json, spec, param);
    case PARAM_RATIO:
        return load_ratio(loader, pointer, json, spec, &param->number);
    case PARAM_CODE:
    case PARAM_CODES:
    case PARAM_KINDS:
        return load_words(loader, pointer, json, spec, &param->texts);
    case PARAM_TEXTS:
        return load_plain_texts(loader, pointer, json, &param->texts);
    }
    return load_error(loader, pointer, "is of a kind that the vocabulary does not have");
}

/* A value as it stands, or {"value": ..., "assumed": true, "overridable": true}. */
static struct status
load_param(const struct loader *loader, const char *pointer, const json_t *json,
           const struct param_spec *spec, struct rule_param *param)
{
    static const char *const keys[] = {"value", "assumed", "overridable", NULL};
    const json_t *value = json;
    const char *place = pointer;

    if (json_is_object(json)) {
        TRY(load_object(loader, pointer, json, keys));
        TRY(load_flag(loader, pointer, json, "assumed", false, &param->assumed));
        TRY(load_flag(loader, pointer, json, "overridable", false, &param->overridable));
        TRY(load_pointer(loader, pointer, "value", &place));
        value = json_object_get(json, "value");
        if (!value)
            return load_error(loader, place, "is missing");
    }
    if (param->overridable && spec->kind != PARAM_INTEGER && spec->kind != PARAM_RATIO)
        return load_error(loader, pointer, "only a number can be overridable");
    param->given = true;
    return load_value(loader, place, value, spec, param);
}

static struct status
load_params(const struct loader *loader, const char *parent, const json_t *object,
            struct rule_check *check)
{
    const struct param_spec *specs = check->constraint->params;
    const json_t *json = json_object_get(object, "parameters");
    const char *names[RULE_PARAMS + 1] = {0};
    const char *pointer, *place;

    TRY(load_pointer(loader, parent, "parameters", &pointer));
    for (size_t i = 0; specs[i].name; i++) {
        names[i] = specs[i].name;
        check->params[i].spec = &specs[i];
    }
    if (json)
        TRY(load_object(loader, pointer, json, names));
    for (size_t i = 0; specs[i].name; i++) {
        const json_t *value = json_object_get(json, specs[i].name);
        TRY(load_pointer(loader, pointer, specs[i].name, &place));
        if (!value && specs[i].required)
            return load_error(loader, place, "is missing");
        if (value)
            TRY(load_param(loader, place, value, &specs[i], &check->params[i]));
    }
    return OK;
}

static bool
has_param(const struct rule_check *check, const char *name)
{
    return !name || rule_check_param(check, name)->given;
}

/* Whether the evaluator gives this value whenever the text is shown. */
static bool
gives_value(const struct rule_check *check, const struct template_piece *piece,
            const char *change)
{
    for (const struct value_spec *value = check->constraint->values; value->name; value++) {
        if (strlen(value->name) != piece->size || memcmp(value->name, piece->text, piece->size))
            continue;
        if (value->change && (!change || strcmp(value->change, change)))
            continue;
        if (has_param(check, value->param))
            return true;
    }
    return false;
}

static struct status
load_said(const struct loader *loader, const char *parent, const json_t *object,
          const char *key, const struct rule_check *check, const char *change, struct text *ret)
{
    struct template_piece piece;
    const char *cursor, *place;

    TRY(load_local(loader, parent, object, key, ret));
    TRY(load_pointer(loader, parent, key, &place));
    cursor = ret->in[LANG_EN];
    while (template_next(&cursor, &piece) == TEMPLATE_PIECE) {
        if (piece.placeholder && !gives_value(check, &piece, change))
            return load_error(loader, place, "\"%s\" gives no value {%.*s} here",
                              check->constraint->name, (int)piece.size, piece.text);
    }
    return OK;
}

static struct status
load_remedies(const struct loader *loader, const char *parent, const json_t *object,
              struct rule_check *check)
{
    const struct change_spec *changes = check->constraint->changes;
    const json_t *json = json_object_get(object, "remedy");
    const char *names[RULE_PARAMS + 1] = {0};
    struct rule_remedy *remedies;
    const char *pointer;
    size_t count = 0;

    for (size_t i = 0; changes[i].name; i++) {
        if (has_param(check, changes[i].param))
            names[count++] = changes[i].name;
    }
    TRY(load_pointer(loader, parent, "remedy", &pointer));
    if (!json && !count)
        return OK;
    if (!json)
        return load_error(loader, pointer, "is missing");
    TRY(load_object(loader, pointer, json, names));
    TRY(need(remedies = ARENA_ARRAY(loader->arena, struct rule_remedy, count + 1)));
    for (size_t i = 0; i < count; i++) {
        remedies[i].change = names[i];
        TRY(load_said(loader, pointer, json, names[i], check, names[i], &remedies[i].text));
    }
    check->remedies = remedies;
    check->remedy_count = count;
    return OK;
}

struct status
load_check(const struct loader *loader, const char *pointer, const json_t *json,
           struct rule_check *ret)
{
    static const char *const keys[] = {"constraint", "parameters", "pass",
                                       "fail",       "remedy",     NULL};
    struct rule_check check = {0};
    const char *name, *place;

    TRY(load_object(loader, pointer, json, keys));
    TRY(load_text(loader, pointer, json, "constraint", true, &name));
    check.constraint = constraint_find(name);
    if (!check.constraint) {
        TRY(load_pointer(loader, pointer, "constraint", &place));
        return load_error(loader, place, "\"%s\" is not in the vocabulary", name);
    }
    TRY(load_params(loader, pointer, json, &check));
    TRY(load_said(loader, pointer, json, "pass", &check, NULL, &check.pass));
    if (check.constraint->fails || json_object_get(json, "fail"))
        TRY(load_said(loader, pointer, json, "fail", &check, NULL, &check.fail));
    TRY(load_remedies(loader, pointer, json, &check));
    *ret = check;
    return OK;
}
