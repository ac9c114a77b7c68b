#include "services/registry/people/rules.h"

#include <string.h>

#include "services/registry/values/values.h"

#define NAME_LENGTH 200
#define AFFILIATIONS_MOST 20
#define ROLE_LENGTH 100
#define DEGREES_MOST 20
#define EQF_MOST 8
#define SKILLS_MOST 100
#define ABOUT_LENGTH 4000
#define REFERENCE_LENGTH 100
#define CAPACITY_MOST 1000
#define WISHED_CONCEPTS_MOST 20
#define WISHED_NUTS_MOST 8
#define WISHED_TAGS_MOST 20

static struct status
check_affiliation(struct arena *arena, size_t index, Registry__V1__Affiliation *affiliation)
{
    char *id = arena_printf(arena, "affiliations[%zu].organisation_id", index);
    char *role = arena_printf(arena, "affiliations[%zu].role", index);
    char *from = arena_printf(arena, "affiliations[%zu].valid_from", index);
    char *to = arena_printf(arena, "affiliations[%zu].valid_to", index);

    TRY(need(id));
    TRY(need(role));
    TRY(need(from));
    TRY(need(to));
    TRY(values_id(arena, id, affiliation->organisation_id, true));
    TRY(values_line(arena, role, &affiliation->role, 0, ROLE_LENGTH));
    TRY(values_date(arena, from, affiliation->valid_from, false));
    TRY(values_date(arena, to, affiliation->valid_to, false));
    if (*affiliation->valid_from && *affiliation->valid_to &&
        strcmp(affiliation->valid_to, affiliation->valid_from) <= 0)
        return FAIL_FIELD(arena, to, "must be after valid_from");
    return OK;
}

static struct status
check_degree(struct arena *arena, size_t index, const Registry__V1__Degree *degree)
{
    char *field = arena_printf(arena, "degrees[%zu].isced_f", index);
    char *level = arena_printf(arena, "degrees[%zu].eqf", index);
    char *date = arena_printf(arena, "degrees[%zu].awarded_on", index);

    TRY(need(field));
    TRY(need(level));
    TRY(need(date));
    TRY(values_isced_f(arena, field, degree->isced_f));
    if (degree->eqf < 1 || degree->eqf > EQF_MOST)
        return FAIL_FIELD(arena, level, "must be 1 to %d", EQF_MOST);
    return values_date(arena, date, degree->awarded_on, true);
}

static struct status
check_career(struct arena *arena, const Registry__V1__Person *person)
{
    if (person->n_affiliations > AFFILIATIONS_MOST)
        return FAIL_FIELD(arena, "affiliations", "must have at most %d items",
                          AFFILIATIONS_MOST);
    for (size_t i = 0; i < person->n_affiliations; i++)
        TRY(check_affiliation(arena, i, person->affiliations[i]));
    if (person->n_degrees > DEGREES_MOST)
        return FAIL_FIELD(arena, "degrees", "must have at most %d items", DEGREES_MOST);
    for (size_t i = 0; i < person->n_degrees; i++)
        TRY(check_degree(arena, i, person->degrees[i]));
    return OK;
}

static struct status
check_wished_nuts(struct arena *arena, const Registry__V1__Wishes *wishes)
{
    if (wishes->n_nuts > WISHED_NUTS_MOST)
        return FAIL_FIELD(arena, "wishes.nuts", "must have at most %d items, not %zu",
                          WISHED_NUTS_MOST, wishes->n_nuts);
    for (size_t i = 0; i < wishes->n_nuts; i++) {
        char *path = arena_printf(arena, "wishes.nuts[%zu]", i);

        TRY(need(path));
        if (*wishes->nuts[i] == '\0')
            return FAIL_FIELD(arena, path, "must be given");
        TRY(values_nuts(arena, path, wishes->nuts[i]));
        for (size_t j = 0; j < i; j++)
            if (strcmp(wishes->nuts[i], wishes->nuts[j]) == 0)
                return FAIL_FIELD(arena, path, "is the same as item %zu", j);
    }
    return OK;
}

/* Wishes without anything in them are none. */
static struct status
check_wishes(struct arena *arena, Registry__V1__Person *person)
{
    const Registry__V1__Wishes *wishes = person->wishes;

    if (!wishes)
        return OK;
    TRY(values_skills(arena, "wishes.concepts", wishes->concepts, wishes->n_concepts,
                      WISHED_CONCEPTS_MOST));
    TRY(check_wished_nuts(arena, wishes));
    TRY(values_enums(arena, "wishes.focus", &registry__v1__focus_area__descriptor,
                     (const int *)wishes->focus, wishes->n_focus, WISHED_TAGS_MOST));
    TRY(values_enums(arena, "wishes.themes", &registry__v1__theme__descriptor,
                     (const int *)wishes->themes, wishes->n_themes, WISHED_TAGS_MOST));
    if (wishes->n_concepts + wishes->n_nuts + wishes->n_focus + wishes->n_themes == 0)
        person->wishes = NULL;
    return OK;
}

struct status
rules_person(struct arena *arena, Registry__V1__Person *person)
{
    const struct values_text_rule about = {0, 3, ABOUT_LENGTH, false};

    TRY(values_enum(arena, "kind", &registry__v1__person_kind__descriptor, (int)person->kind,
                    true));
    TRY(values_line(arena, "display_name", &person->display_name, 1, NAME_LENGTH));
    TRY(values_languages(arena, "languages", person->languages, person->n_languages));
    TRY(check_career(arena, person));
    TRY(values_skills(arena, "skills", person->skills, person->n_skills, SKILLS_MOST));
    TRY(values_texts(arena, "about", person->about, person->n_about, about));
    TRY(values_nuts(arena, "nuts", person->nuts));
    TRY(values_date(arena, "available_from", person->available_from, false));
    TRY(check_wishes(arena, person));
    if (person->capacity > CAPACITY_MOST)
        return FAIL_FIELD(arena, "capacity", "must be at most %d", CAPACITY_MOST);
    TRY(values_line(arena, "reference", &person->reference, 0, REFERENCE_LENGTH));
    if (!person->talent_pool) {
        person->visibility = REGISTRY__V1__VISIBILITY__PRIVATE;
        person->n_shared_with = 0;
    }
    return values_visibility(arena, &person->visibility, person->shared_with,
                             person->n_shared_with);
}

bool
rules_person_is_staff(Registry__V1__PersonKind kind)
{
    return kind != REGISTRY__V1__PERSON_KIND__RECENT_GRADUATE &&
           kind != REGISTRY__V1__PERSON_KIND__CURRENT_STUDENT;
}

static bool
own(const struct person_viewer *viewer, const Registry__V1__Person *person,
    const char *tenant_id)
{
    return *viewer->person_id && strcmp(viewer->person_id, person->person_id) == 0 &&
           strcmp(viewer->tenant_id, tenant_id) == 0;
}

static bool
officers(const struct person_viewer *viewer, const char *tenant_id)
{
    return viewer->officer && strcmp(viewer->tenant_id, tenant_id) == 0;
}

bool
rules_person_may_see(const struct person_viewer *viewer, const Registry__V1__Person *person,
                     const char *tenant_id)
{
    const bool same_tenant = strcmp(viewer->tenant_id, tenant_id) == 0;
    bool shared = same_tenant || person->visibility == REGISTRY__V1__VISIBILITY__PUBLIC;

    if (own(viewer, person, tenant_id) || officers(viewer, tenant_id))
        return true;
    if (person->visibility == REGISTRY__V1__VISIBILITY__SHARED)
        for (size_t i = 0; !shared && i < person->n_shared_with; i++)
            shared = strcmp(person->shared_with[i], viewer->tenant_id) == 0;
    return shared && person->talent_pool &&
           (!viewer->learner || rules_person_is_staff(person->kind));
}

void
rules_person_redact(const struct person_viewer *viewer, const char *tenant_id,
                    Registry__V1__Person *person)
{
    if (own(viewer, person, tenant_id) || officers(viewer, tenant_id))
        return;
    person->account_id = "";
    person->reference = "";
    person->n_shared_with = 0;
    person->wishes = NULL;
}

struct status
rules_person_may_change(struct arena *arena, const struct person_viewer *viewer,
                        const Registry__V1__Person *person, const char *tenant_id)
{
    if (own(viewer, person, tenant_id) || officers(viewer, tenant_id))
        return OK;
    return FAIL(arena, PERMISSION_DENIED, "a profile is changed by its person or an officer");
}

struct status
rules_person_may_pool(struct arena *arena, const struct person_viewer *viewer,
                      const Registry__V1__Person *person, const char *tenant_id)
{
    if (own(viewer, person, tenant_id))
        return OK;
    if (!rules_person_is_staff(person->kind))
        return FAIL(arena, PERMISSION_DENIED,
                    "only graduates and students themselves decide about the talent pool");
    return rules_person_may_change(arena, viewer, person, tenant_id);
}

struct status
rules_person_own(struct arena *arena, const struct person_viewer *viewer,
                 const Registry__V1__Person *person)
{
    const Registry__V1__PersonKind kind = viewer->graduate
                                              ? REGISTRY__V1__PERSON_KIND__RECENT_GRADUATE
                                              : REGISTRY__V1__PERSON_KIND__CURRENT_STUDENT;

    if (*viewer->person_id)
        return FAIL(arena, ALREADY_EXISTS, "you have a profile already");
    if (person->kind != kind)
        return FAIL_FIELD(arena, "kind", "must be %s for your own profile",
                          viewer->graduate ? "RECENT_GRADUATE" : "CURRENT_STUDENT");
    if (*person->reference)
        return FAIL_FIELD(arena, "reference", "is for the tenant to give");
    return OK;
}

struct status
rules_person_kind(struct arena *arena, Registry__V1__PersonKind before,
                  Registry__V1__PersonKind after)
{
    if (rules_person_is_staff(before) != rules_person_is_staff(after))
        return FAIL_FIELD(arena, "kind",
                          "cannot change between graduates or students and staff: make another "
                          "profile");
    return OK;
}

struct status
rules_person_pool(struct arena *arena, const Registry__V1__SetTalentPoolRequest *request)
{
    if (request->talent_pool)
        return OK;
    if (request->visibility != REGISTRY__V1__VISIBILITY__VISIBILITY_UNSPECIFIED &&
        request->visibility != REGISTRY__V1__VISIBILITY__PRIVATE)
        return FAIL_FIELD(arena, "visibility", "is only for a profile in the talent pool");
    if (request->n_shared_with > 0)
        return FAIL_FIELD(arena, "shared_with", "is only for a profile in the talent pool");
    return OK;
}
