#include "services/registry/programmes/rule_set.h"

#include <jansson.h>
#include <sodium.h>
#include <string.h>

#include "services/registry/programmes/labels.h"
#include "services/registry/programmes/load_check.h"
#include "services/registry/programmes/vocabulary.h"

static void
release(json_t **json)
{
    json_decref(*json);
}

static struct status
load_labels(const struct loader *loader, const json_t *root)
{
    const json_t *json = json_object_get(root, "labels");
    /* jansson's iterators take the object without const, but only read it. */
    json_t *object = json_is_object(json) ? (json_t *)(uintptr_t)json : NULL;
    struct rule_label *labels;
    const char *key;
    json_t *value;
    size_t count = 0;

    if (!json)
        return OK;
    if (!object || json_object_size(object) > LOAD_LIST)
        return load_error(loader, "/labels", "must be an object with at most %d labels",
                          LOAD_LIST);
    TRY(need(labels =
                 ARENA_ARRAY(loader->arena, struct rule_label, json_object_size(object) + 1)));
    json_object_foreach(object, key, value)
    {
        struct rule_label *label = &labels[count++];
        TRY(need(label->code = arena_copy(loader->arena, key)));
        TRY(load_local(loader, "/labels", object, key, &label->text));
    }
    loader->set->labels = labels;
    loader->set->label_count = count;
    return OK;
}

static struct status
load_states(const struct loader *loader, const json_t *root)
{
    struct rule_set *set = loader->set;
    const char *place;

    TRY(load_texts(loader, "", root, "states", &set->states));
    for (size_t i = 0; i < set->states.count; i++) {
        if (label_find(set, set->states.items[i]))
            continue;
        TRY(load_pointer_at(loader, "/states", i, &place));
        return load_error(loader, place, "\"%s\" has no label", set->states.items[i]);
    }
    if (json_object_get(root, "programme_countries"))
        TRY(load_texts(loader, "", root, "programme_countries", &set->programme_countries));
    return OK;
}

static struct status
load_programme(const struct loader *loader, const json_t *root)
{
    static const char *const keys[] = {"code",   "name",      "description",
                                       "funder", "successor", NULL};
    const json_t *json = json_object_get(root, "programme");
    struct rule_set *set = loader->set;

    TRY(load_object(loader, "/programme", json, keys));
    TRY(load_text(loader, "/programme", json, "code", true, &set->programme));
    TRY(load_local(loader, "/programme", json, "name", &set->programme_name));
    TRY(load_local(loader, "/programme", json, "description", &set->description));
    TRY(load_text(loader, "/programme", json, "funder", false, &set->funder));
    return load_text(loader, "/programme", json, "successor", false, &set->successor);
}

static struct status
load_head(const struct loader *loader, const json_t *root)
{
    struct rule_set *set = loader->set;
    int64_t version;

    TRY(load_text(loader, "", root, "rule_set", true, &set->id));
    TRY(load_integer(loader, "/version", json_object_get(root, "version"), 1, 9999, &version));
    set->version = (uint32_t)version;
    TRY(need(set->name = arena_printf(loader->arena, "%s v%u", set->id, set->version)));
    TRY(load_date(loader, "", root, "valid_from", &set->valid_from));
    TRY(load_date(loader, "", root, "valid_until", &set->valid_until));
    return load_programme(loader, root);
}

static struct status
load_severity(const struct loader *loader, const char *pointer, const json_t *json,
              struct rule *rule)
{
    static const char *const words[] = {"HARD", "SOFT", "INFO"};
    const char *word, *place;

    TRY(load_text(loader, pointer, json, "severity", true, &word));
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (!strcmp(words[i], word)) {
            rule->severity = (enum rule_severity)(i + RULE_HARD);
            return OK;
        }
    }
    TRY(load_pointer(loader, pointer, "severity", &place));
    return load_error(loader, place, "must be HARD, SOFT or INFO");
}

static struct status
load_origin(const struct loader *loader, const char *pointer, const json_t *json,
            struct rule *rule)
{
    const char *word, *place;

    TRY(load_text(loader, pointer, json, "origin", true, &word));
    for (enum rule_origin origin = RULE_SEED; origin <= RULE_ASSUMP; origin++) {
        if (!strcmp(rule_origin_word(origin), word)) {
            rule->origin = origin;
            return OK;
        }
    }
    TRY(load_pointer(loader, pointer, "origin", &place));
    return load_error(loader, place, "must be seed, ext or assump");
}

static struct status
load_applies_from(const struct loader *loader, const char *pointer, const json_t *json,
                  struct rule *rule)
{
    const struct rule_texts *states = &loader->set->states;
    const char *state, *place;

    TRY(load_text(loader, pointer, json, "applies_from", false, &state));
    for (size_t i = 0; *state && i < states->count; i++) {
        if (!strcmp(states->items[i], state)) {
            rule->applies_from = i;
            return OK;
        }
    }
    if (!*state)
        return OK;
    TRY(load_pointer(loader, pointer, "applies_from", &place));
    return load_error(loader, place, "\"%s\" is not one of the states", state);
}

static struct status
load_sources(const struct loader *loader, const char *parent, const json_t *object,
             struct rule *rule)
{
    static const char *const keys[] = {"reference", "quote", "note", NULL};
    const json_t *json = json_object_get(object, "sources");
    struct rule_source *sources;
    const char *pointer, *place;
    size_t count;

    TRY(load_pointer(loader, parent, "sources", &pointer));
    TRY(load_array(loader, pointer, json, false));
    count = json_array_size(json);
    TRY(need(sources = ARENA_ARRAY(loader->arena, struct rule_source, count)));
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(json, i);
        TRY(load_pointer_at(loader, pointer, i, &place));
        TRY(load_object(loader, place, item, keys));
        TRY(load_text(loader, place, item, "reference", true, &sources[i].reference));
        TRY(load_text(loader, place, item, "quote", false, &sources[i].quote));
        TRY(load_text(loader, place, item, "note", false, &sources[i].note));
        if (!*sources[i].quote && !*sources[i].note)
            return load_error(loader, place, "needs a quote or a note");
    }
    rule->sources = sources;
    rule->source_count = count;
    return OK;
}

static struct status
load_checks(const struct loader *loader, const char *parent, const json_t *object,
            struct rule *rule)
{
    const json_t *json = json_object_get(object, "checks");
    struct rule_check *checks;
    const char *pointer, *place;
    size_t count;

    TRY(load_pointer(loader, parent, "checks", &pointer));
    TRY(load_array(loader, pointer, json, false));
    count = json_array_size(json);
    if (count > RULE_CHECKS)
        return load_error(loader, pointer, "has more than %d items", RULE_CHECKS);
    TRY(need(checks = ARENA_ARRAY(loader->arena, struct rule_check, count)));
    for (size_t i = 0; i < count; i++) {
        TRY(load_pointer_at(loader, pointer, i, &place));
        TRY(load_check(loader, place, json_array_get(json, i), &checks[i]));
    }
    rule->checks = checks;
    rule->check_count = count;
    return OK;
}

static struct status
load_rule(const struct loader *loader, const char *pointer, const json_t *json,
          struct rule *ret)
{
    static const char *const keys[] = {"id",           "severity",    "origin",   "title",
                                       "applies_from", "waivable_by", "replaces", "sources",
                                       "checks",       NULL};
    struct rule rule = {0};

    TRY(load_object(loader, pointer, json, keys));
    TRY(load_text(loader, pointer, json, "id", true, &rule.id));
    TRY(load_severity(loader, pointer, json, &rule));
    TRY(load_origin(loader, pointer, json, &rule));
    TRY(load_local(loader, pointer, json, "title", &rule.title));
    TRY(load_applies_from(loader, pointer, json, &rule));
    if (json_object_get(json, "waivable_by"))
        TRY(load_texts(loader, pointer, json, "waivable_by", &rule.waivable_by));
    TRY(load_text(loader, pointer, json, "replaces", false, &rule.replaces));
    if (!*rule.replaces)
        rule.replaces = NULL;
    TRY(load_sources(loader, pointer, json, &rule));
    TRY(load_checks(loader, pointer, json, &rule));
    *ret = rule;
    return OK;
}

static struct status
check_references(const struct loader *loader)
{
    const struct rule_set *set = loader->set;
    const char *place;

    for (size_t i = 0; i < set->rule_count; i++) {
        const struct rule *rule = &set->rules[i];
        TRY(load_pointer_at(loader, "/rules", i, &place));
        if (rule_set_find(set, rule->id) != rule)
            return load_error(loader, place, "the id \"%s\" stands twice", rule->id);
        if (rule->replaces &&
            (!strcmp(rule->replaces, rule->id) || !rule_set_find(set, rule->replaces)))
            return load_error(loader, place, "replaces \"%s\", which is no other rule",
                              rule->replaces);
    }
    return OK;
}

/* A programme that is open to all subjects must not filter on one: the words of its text. */
static struct status
check_open(const struct loader *loader, const json_t *root)
{
    static const char *const subjects[] = {"subject", "sector",         "isced_f", "nace",
                                           "esco",    "field_of_study", "theme"};
    const struct rule_set *set = loader->set;
    const char *place;
    bool open;

    TRY(load_flag(loader, "", root, "open_to_all_subjects", false, &open));
    for (size_t i = 0; open && i < set->rule_count; i++) {
        TRY(load_pointer_at(loader, "/rules", i, &place));
        for (size_t c = 0; c < set->rules[i].check_count; c++) {
            const struct rule_check *check = &set->rules[i].checks[c];
            if (strcmp(check->constraint->name, "allowed_values"))
                continue;
            for (size_t s = 0; s < COUNT_OF(subjects); s++) {
                if (!strcmp(rule_check_param(check, "fact")->texts.items[0], subjects[s]))
                    return load_error(loader, place,
                                      "filters on \"%s\", but the set is open to all subjects",
                                      subjects[s]);
            }
        }
    }
    return OK;
}

static struct status
load_rules(const struct loader *loader, const json_t *root)
{
    const json_t *json = json_object_get(root, "rules");
    const size_t count = json_array_size(json);
    struct rule *rules;
    const char *place;

    TRY(load_array(loader, "/rules", json, false));
    if (count > RULE_SET_RULES)
        return load_error(loader, "/rules", "has more than %d rules", RULE_SET_RULES);
    TRY(need(rules = ARENA_ARRAY(loader->arena, struct rule, count)));
    for (size_t i = 0; i < count; i++) {
        TRY(load_pointer_at(loader, "/rules", i, &place));
        TRY(load_rule(loader, place, json_array_get(json, i), &rules[i]));
    }
    loader->set->rules = rules;
    loader->set->rule_count = count;
    TRY(check_references(loader));
    return check_open(loader, root);
}

static struct status
load_root(const struct loader *loader, const json_t *root)
{
    static const char *const keys[] = {"rule_set",
                                       "version",
                                       "programme",
                                       "valid_from",
                                       "valid_until",
                                       "states",
                                       "open_to_all_subjects",
                                       "programme_countries",
                                       "labels",
                                       "rules",
                                       NULL};

    TRY(load_object(loader, "", root, keys));
    TRY(load_head(loader, root));
    TRY(load_labels(loader, root));
    TRY(load_states(loader, root));
    return load_rules(loader, root);
}

static void
checksum(const char *document, size_t size, char ret[RULE_HASH_SIZE])
{
    uint8_t digest[crypto_generichash_BYTES];

    crypto_generichash(digest, sizeof digest, (const uint8_t *)document, size, NULL, 0);
    sodium_bin2hex(ret, RULE_HASH_SIZE, digest, sizeof digest);
}

struct status
rule_set_load(const char *file, const char *document, size_t size, struct arena *arena,
              struct rule_set *ret)
{
    struct rule_set set = {0};
    const struct loader loader = {arena, file, &set};
    scoped(release) json_t *root = NULL;
    json_error_t error;

    if (size > RULE_SET_BYTES)
        return load_error(&loader, "", "is larger than %zu bytes", RULE_SET_BYTES);
    root = json_loadb(document, size, JSON_REJECT_DUPLICATES, &error);
    if (!root)
        return load_error(&loader, "", "line %d, column %d: %s", error.line, error.column,
                          error.text);
    TRY(load_root(&loader, root));
    checksum(document, size, set.checksum);
    TRY(need(set.document = arena_copy_n(arena, document, size)));
    set.document_size = size;
    *ret = set;
    return OK;
}
