#include "services/matching/searches/rules.h"

#include "common/base/utf8.h"

static struct status
check_concepts(struct arena *arena, const char *field, const char *const *ids, size_t count,
               size_t most)
{
    if (count > most)
        return FAIL_FIELD(arena, field, "at most %zu", most);
    for (size_t i = 0; i < count; i++) {
        const char *place = arena_printf(arena, "%s[%zu]", field, i);

        TRY(need(place));
        if (!uuid_valid(ids[i]))
            return FAIL_FIELD(arena, place, "must be a UUID in lower case");
        for (size_t j = 0; j < i; j++)
            if (strcmp(ids[i], ids[j]) == 0)
                return FAIL_FIELD(arena, place, "comes twice");
    }
    return OK;
}

static bool
nuts_valid(const char *nuts)
{
    const size_t size = strlen(nuts);
    const size_t letters = strspn(nuts, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

    return size >= 2 && size < STANDING_NUTS_SIZE && letters >= 2 &&
           strspn(nuts, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == size;
}

static bool
language_valid(const char *tag)
{
    return strlen(tag) == 2 && tag[0] >= 'a' && tag[0] <= 'z' && tag[1] >= 'a' && tag[1] <= 'z';
}

static struct status
check_places(struct arena *arena, const Matching__V1__SearchTerms *terms)
{
    if (terms->n_nuts > STANDING_REGIONS_MAX)
        return FAIL_FIELD(arena, "terms.nuts", "at most %d", STANDING_REGIONS_MAX);
    for (size_t i = 0; i < terms->n_nuts; i++)
        if (!nuts_valid(terms->nuts[i]))
            return FAIL_FIELD(arena, arena_printf(arena, "terms.nuts[%zu]", i),
                              "must be the beginning of a NUTS code");
    if (terms->n_languages > STANDING_LANGUAGES_MAX)
        return FAIL_FIELD(arena, "terms.languages", "at most %d", STANDING_LANGUAGES_MAX);
    for (size_t i = 0; i < terms->n_languages; i++)
        if (!language_valid(terms->languages[i]))
            return FAIL_FIELD(arena, arena_printf(arena, "terms.languages[%zu]", i),
                              "must be two lower-case letters such as sv");
    return OK;
}

static struct status
check_kinds(struct arena *arena, const Matching__V1__SearchTerms *terms)
{
    if (terms->n_kinds >= KIND_COUNT)
        return FAIL_FIELD(arena, "terms.kinds", "at most %d", KIND_COUNT - 1);
    for (size_t i = 0; i < terms->n_kinds; i++)
        if (terms->kinds[i] <= 0 || (int)terms->kinds[i] >= KIND_COUNT)
            return FAIL_FIELD(arena, arena_printf(arena, "terms.kinds[%zu]", i),
                              "is not a kind of profile");
    return OK;
}

struct status
rules_search(struct arena *arena, const Matching__V1__SaveSearchRequest *request)
{
    const Matching__V1__SearchTerms *terms = request->terms;
    int32_t day;

    if (!*request->name)
        return FAIL_FIELD(arena, "name", "is required");
    if (utf8_length(request->name) > SEARCH_NAME_LETTERS_MAX)
        return FAIL_FIELD(arena, "name", "at most %d characters", SEARCH_NAME_LETTERS_MAX);
    if (!terms)
        return FAIL_FIELD(arena, "terms", "is required");
    TRY(check_concepts(arena, "terms.required_concept_ids", terms->required_concept_ids,
                       terms->n_required_concept_ids, STANDING_REQUIRED_MAX));
    TRY(check_concepts(arena, "terms.optional_concept_ids", terms->optional_concept_ids,
                       terms->n_optional_concept_ids, STANDING_OPTIONAL_MAX));
    if (terms->optional_least > terms->n_optional_concept_ids)
        return FAIL_FIELD(arena, "terms.optional_least",
                          "must be at most the number of optional concepts");
    if (terms->n_required_concept_ids == 0 && terms->optional_least == 0)
        return FAIL_FIELD(arena, "terms.required_concept_ids",
                          "name one, or optional concepts and how many of them are needed");
    TRY(check_kinds(arena, terms));
    TRY(check_places(arena, terms));
    if (*terms->available_by &&
        (!day_parse(terms->available_by, &day) || day < 0 || day > STANDING_DAY_MAX))
        return FAIL_FIELD(arena, "terms.available_by",
                          "must be a day such as 2026-11-30, from 1970 to 2149");
    return OK;
}

struct status
rules_search_room(struct arena *arena, uint64_t of_account, uint64_t of_tenant)
{
    if (of_account >= SEARCHES_OF_ACCOUNT_MAX)
        return FAIL(arena, RESOURCE_EXHAUSTED, "an account has at most %d saved searches",
                    SEARCHES_OF_ACCOUNT_MAX);
    if (of_tenant >= SEARCHES_OF_TENANT_MAX)
        return FAIL(arena, RESOURCE_EXHAUSTED, "a tenant has at most %d saved searches",
                    SEARCHES_OF_TENANT_MAX);
    return OK;
}

/* The concepts that the vocabulary has. */
static uint8_t
find_concepts(const struct vocabulary *vocabulary, const char *const *ids, size_t count,
              uint32_t *into)
{
    uint8_t found = 0;

    for (size_t i = 0; i < count; i++) {
        struct uid id;
        const uint32_t concept =
            uid_parse(ids[i], &id) ? vocabulary_find(vocabulary, &id) : VOCABULARY_NONE;

        if (concept != VOCABULARY_NONE)
        into[found++] = concept;
    }
    return found;
}

bool
rules_search_terms(const Matching__V1__Search *search, const char *tenant_id,
                   const struct vocabulary *vocabulary, struct standing_search *ret)
{
    const Matching__V1__SearchTerms *terms = search->terms;
    struct standing_search made = {.least = (uint8_t)terms->optional_least};

    if (!uid_parse(search->search_id, &made.id) || !uid_parse(tenant_id, &made.tenant))
        return false;
    made.required_count = find_concepts(vocabulary, terms->required_concept_ids,
                                        terms->n_required_concept_ids, made.required);
    made.optional_count = find_concepts(vocabulary, terms->optional_concept_ids,
                                        terms->n_optional_concept_ids, made.optional);
    if (made.required_count < terms->n_required_concept_ids || made.optional_count < made.least)
        return false;
    for (size_t i = 0; i < terms->n_kinds; i++)
        made.kinds |= (uint8_t)(1u << terms->kinds[i]);
    for (size_t i = 0; i < terms->n_nuts; i++)
        (void)snprintf(made.regions[made.region_count++], STANDING_NUTS_SIZE, "%s",
                       terms->nuts[i]);
    for (size_t i = 0; i < terms->n_languages; i++)
        made.languages[made.language_count++] = profile_language(terms->languages[i]);
    if (!*terms->available_by || !day_parse(terms->available_by, &made.latest))
        made.latest = DAY_NONE;
    *ret = made;
    return true;
}

bool
rules_search_document(const struct profile *profile, const struct vocabulary *vocabulary,
                      int32_t today, uint32_t *terms, struct uid *tenants,
                      struct standing_document *ret)
{
    size_t term_count = 0;
    size_t tenant_count = 0;

    if (profile->capacity == 0 ||
        (profile->valid_until != DAY_NONE && profile->valid_until < today))
        return false;
    /* Sorted by number: concepts first, words after. */
    while (term_count < profile->term_count &&
           TERM_OF(profile->terms[term_count]) < vocabulary_count(vocabulary)) {
        terms[term_count] = TERM_OF(profile->terms[term_count]);
        term_count++;
    }
    tenants[tenant_count++] = profile->tenant;
    if (profile->visibility == VISIBLE_SHARED)
        for (size_t i = 0; i < profile->shared_count; i++)
            tenants[tenant_count++] = profile->shared_with[i];
    *ret = (struct standing_document){.terms = terms,
                                      .term_count = term_count,
                                      .languages = profile->languages,
                                      .language_count = profile->language_count,
                                      .nuts = profile->nuts,
                                      .available_from = profile->available_from,
                                      .kind = profile->kind,
                                      .open = profile->visibility == VISIBLE_PUBLIC,
                                      .tenants = tenants,
                                      .tenant_count = tenant_count};
    return true;
}
