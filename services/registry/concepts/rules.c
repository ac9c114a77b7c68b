#include "services/registry/concepts/rules.h"

#include <ctype.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/utf8.h"
#include "services/registry/values/values.h"

#define NAME_LENGTH 40
#define URI_BYTES 500
#define LABEL_LENGTH 500
#define ALTERNATIVES_MOST 100
#define BROADER_MOST 50
#define HASH_BYTES 32

static struct status
check_name(struct arena *arena, const char *field, const char *name)
{
    const size_t length = strlen(name);
    bool fits = length >= 1 && length <= NAME_LENGTH;

    for (const char *c = name; fits && *c; c++)
        fits = islower((unsigned char)*c) || isdigit((unsigned char)*c) || strchr("._-", *c);
    if (!fits)
        return FAIL_FIELD(arena, field, "must be 1 to %d characters of a-z, 0-9, . _ and -",
                          NAME_LENGTH);
    return OK;
}

struct status
rules_vocabulary(struct arena *arena, const char *vocabulary)
{
    return check_name(arena, "vocabulary", vocabulary);
}

struct status
rules_vocabulary_version(struct arena *arena, const char *version)
{
    return check_name(arena, "vocabulary_version", version);
}

/* A scheme, a colon, and no spaces or control characters. */
static struct status
check_uri(struct arena *arena, const char *field, const char *uri)
{
    const char *colon = strchr(uri, ':');
    bool fits = colon && colon > uri && colon[1] && strlen(uri) <= URI_BYTES;

    for (const char *c = uri; fits && c < colon; c++)
        fits = isalnum((unsigned char)*c) || strchr("+-.", *c);
    for (const char *c = uri; fits && *c; c++)
        fits = (unsigned char)*c > ' ' && *c != 0x7f;
    if (!fits)
        return FAIL_FIELD(arena, field, "must be a URI of at most %d bytes", URI_BYTES);
    return OK;
}

/* *ret_lang is one of the house's. */
static struct status
check_text(struct arena *arena, const char *list, size_t index, size_t item,
           Registry__V1__LocalText *text, enum lang *ret_lang)
{
    char *path = arena_printf(arena, "concepts[%zu].%s[%zu].value", index, list, item);
    const enum lang lang = lang_parse(text->lang);

    TRY(need(path));
    TRY(values_line(arena, path, &text->value, 1, LABEL_LENGTH));
    for (const char *c = text->value; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return FAIL_FIELD(arena, path, "must not contain control characters");
    if (strcmp(text->lang, lang_tag(lang)) != 0) {
        TRY(need(path = arena_printf(arena, "concepts[%zu].%s[%zu].lang", index, list, item)));
        return FAIL_FIELD(arena, path, "must be sv, fi or en");
    }
    *ret_lang = lang;
    return OK;
}

static struct status
take_labels(struct arena *arena, size_t index, const Registry__V1__ConceptImport *concept,
            struct concept_entry *entry)
{
    char *field = arena_printf(arena, "concepts[%zu].labels", index);

    TRY(need(field));
    if (concept->n_labels == 0 || concept->n_labels > LANG_COUNT)
        return FAIL_FIELD(arena, field, "must be given in one to %d languages", LANG_COUNT);
    for (size_t i = 0; i < concept->n_labels; i++) {
        enum lang lang;

        TRY(check_text(arena, "labels", index, i, concept->labels[i], &lang));
        if (*entry->labels[lang])
            return FAIL_FIELD(arena, field, "%s is given twice", lang_tag(lang));
        entry->labels[lang] = concept->labels[i]->value;
    }
    return OK;
}

/* Items joined by line feeds. */
static struct status
join(struct arena *arena, const char *const *items, size_t count, const char **ret)
{
    size_t size = 1;
    char *text, *at;

    for (size_t i = 0; i < count; i++)
        size += strlen(items[i]) + 1;
    TRY(need(text = at = arena_alloc(arena, size)));
    for (size_t i = 0; i < count; i++) {
        const size_t length = strlen(items[i]);

        if (i)
            *at++ = '\n';
        memcpy(at, items[i], length);
        at += length;
    }
    *at = '\0';
    *ret = text;
    return OK;
}

static struct status
take_alternatives(struct arena *arena, size_t index, const Registry__V1__ConceptImport *concept,
                  struct concept_entry *entry)
{
    const size_t count = concept->n_alternatives;
    char *field = arena_printf(arena, "concepts[%zu].alternatives", index);
    size_t counts[LANG_COUNT] = {0};
    const char **lists[LANG_COUNT];

    TRY(need(field));
    if (count > ALTERNATIVES_MOST)
        return FAIL_FIELD(arena, field, "must have at most %d items", ALTERNATIVES_MOST);
    for (int lang = 0; lang < LANG_COUNT; lang++)
        TRY(need(lists[lang] = ARENA_ARRAY(arena, const char *, count + 1)));
    for (size_t i = 0; i < count; i++) {
        enum lang lang;

        TRY(check_text(arena, "alternatives", index, i, concept->alternatives[i], &lang));
        lists[lang][counts[lang]++] = concept->alternatives[i]->value;
    }
    for (int lang = 0; lang < LANG_COUNT; lang++)
        TRY(join(arena, lists[lang], counts[lang], &entry->alternatives[lang]));
    return OK;
}

static struct status
take_broader(struct arena *arena, size_t index, const Registry__V1__ConceptImport *concept,
             struct concept_entry *entry)
{
    char *field = arena_printf(arena, "concepts[%zu].broader_uris", index);

    TRY(need(field));
    if (concept->n_broader_uris > BROADER_MOST)
        return FAIL_FIELD(arena, field, "must have at most %d items", BROADER_MOST);
    for (size_t i = 0; i < concept->n_broader_uris; i++) {
        char *path = arena_printf(arena, "%s[%zu]", field, i);

        TRY(need(path));
        TRY(check_uri(arena, path, concept->broader_uris[i]));
    }
    return join(arena, concept->broader_uris, concept->n_broader_uris, &entry->broader_uris);
}

/* What search looks into and what lists are ordered by. */
static struct status
fold(struct arena *arena, struct concept_entry *entry)
{
    static const enum lang fallbacks[] = {LANG_EN, LANG_SV, LANG_FI};
    const char *all[2 * LANG_COUNT];
    const char *text;
    size_t count = 0;

    for (int lang = 0; lang < LANG_COUNT; lang++) {
        const char *shown = entry->labels[lang];

        for (size_t i = 0; !*shown && i < COUNT_OF(fallbacks); i++)
            shown = entry->labels[fallbacks[i]];
        TRY(need(entry->sorts[lang] = utf8_fold(arena, shown)));
        if (*entry->labels[lang])
            all[count++] = entry->labels[lang];
        if (*entry->alternatives[lang])
            all[count++] = entry->alternatives[lang];
    }
    TRY(join(arena, all, count, &text));
    return need(entry->folded = utf8_fold(arena, text));
}

/* Each part with its NUL, so that no two contents have the same bytes. */
static void
hash_content(const char *version, struct concept_entry *entry)
{
    unsigned char hash[HASH_BYTES];
    const char kind = (char)entry->kind;
    crypto_generichash_state state;

    (void)crypto_generichash_init(&state, NULL, 0, sizeof hash); /* cannot fail */
    (void)crypto_generichash_update(&state, (const unsigned char *)&kind, 1);
    (void)crypto_generichash_update(&state, (const unsigned char *)version,
                                    strlen(version) + 1);
    for (int lang = 0; lang < LANG_COUNT; lang++) {
        const char *label = entry->labels[lang], *others = entry->alternatives[lang];

        (void)crypto_generichash_update(&state, (const unsigned char *)label,
                                        strlen(label) + 1);
        (void)crypto_generichash_update(&state, (const unsigned char *)others,
                                        strlen(others) + 1);
    }
    (void)crypto_generichash_update(&state, (const unsigned char *)entry->broader_uris,
                                    strlen(entry->broader_uris) + 1);
    (void)crypto_generichash_final(&state, hash, sizeof hash);
    sodium_bin2hex(entry->hash, sizeof entry->hash, hash, sizeof hash);
}

struct status
rules_concept(struct arena *arena, size_t index, const char *version,
              const Registry__V1__ConceptImport *concept, struct concept_entry *ret)
{
    struct concept_entry entry = {
        .uri = concept->uri, .kind = (int)concept->kind, .labels = {"", "", ""}};
    char *uri = arena_printf(arena, "concepts[%zu].uri", index);
    char *kind = arena_printf(arena, "concepts[%zu].kind", index);

    TRY(need(uri));
    TRY(need(kind));
    TRY(check_uri(arena, uri, concept->uri));
    TRY(values_enum(arena, kind, &registry__v1__concept_kind__descriptor, entry.kind, true));
    TRY(take_labels(arena, index, concept, &entry));
    TRY(take_alternatives(arena, index, concept, &entry));
    TRY(take_broader(arena, index, concept, &entry));
    TRY(fold(arena, &entry));
    hash_content(version, &entry);
    *ret = entry;
    return OK;
}

static int
by_uri(const void *a, const void *b)
{
    const struct concept_entry *const *left = a, *const *right = b;
    const int order = strcmp((*left)->uri, (*right)->uri);

    if (order)
        return order;
    return *left < *right ? -1
                          : 1; /* of equals, the later in the request is the one at fault */
}

struct status
rules_concepts_distinct(struct arena *arena, const struct concept_entry *entries, size_t count)
{
    const struct concept_entry **sorted;

    TRY(need(sorted = ARENA_ARRAY(arena, const struct concept_entry *, count + 1)));
    for (size_t i = 0; i < count; i++)
        sorted[i] = &entries[i];
    qsort(sorted, count, sizeof sorted[0], by_uri);
    for (size_t i = 1; i < count; i++)
        if (strcmp(sorted[i]->uri, sorted[i - 1]->uri) == 0) {
            char *field = arena_printf(arena, "concepts[%td].uri", sorted[i] - entries);

            TRY(need(field));
            return FAIL_FIELD(arena, field, "is the same as item %td", sorted[i - 1] - entries);
        }
    return OK;
}
