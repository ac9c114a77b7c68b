#include "services/registry/capabilities/rules.h"

#include <string.h>

#include "services/registry/values/values.h"

#define TEXT_LENGTH 4000
#define FOCUS_MOST 10
#define THEMES_MOST 10
#define SKILLS_MOST 100
#define TRL_MOST 9

_Static_assert(sizeof(Registry__V1__FocusArea) == sizeof(int), "checked as a list of int");
_Static_assert(sizeof(Registry__V1__Theme) == sizeof(int), "checked as a list of int");

struct status
rules_capability(struct arena *arena, const char *today, Registry__V1__Capability *capability)
{
    const struct values_text_rule text = {1, 3, TEXT_LENGTH, false},
                                  benefit = {0, 3, TEXT_LENGTH, false};

    TRY(values_id(arena, "organisation_id", capability->organisation_id, true));
    TRY(values_enum(arena, "kind", &registry__v1__capability_kind__descriptor,
                    (int)capability->kind, true));
    TRY(values_texts(arena, "text", capability->text, capability->n_text, text));
    TRY(values_texts(arena, "benefit", capability->benefit, capability->n_benefit, benefit));
    if (capability->trl > TRL_MOST)
        return FAIL_FIELD(arena, "trl", "must be 1 to %d, or 0 when it does not apply",
                          TRL_MOST);
    if (capability->trl && capability->kind != REGISTRY__V1__CAPABILITY_KIND__TECHNOLOGY)
        return FAIL_FIELD(arena, "trl", "is only for a TECHNOLOGY");
    TRY(values_enums(arena, "themes", &registry__v1__theme__descriptor,
                     (const int *)capability->themes, capability->n_themes, THEMES_MOST));
    TRY(values_enums(arena, "focus", &registry__v1__focus_area__descriptor,
                     (const int *)capability->focus, capability->n_focus, FOCUS_MOST));
    TRY(values_skills(arena, "skills", capability->skills, capability->n_skills, SKILLS_MOST));
    TRY(values_nuts(arena, "nuts", capability->nuts));
    TRY(values_date(arena, "valid_until", capability->valid_until, false));
    if (*capability->valid_until && strcmp(capability->valid_until, today) < 0)
        return FAIL_FIELD(arena, "valid_until", "must not be before today, %s", today);
    return values_visibility(arena, &capability->visibility, capability->shared_with,
                             capability->n_shared_with);
}

bool
rules_capability_may_see(const char *contact_for, const Registry__V1__Capability *capability)
{
    return !*contact_for || strcmp(contact_for, capability->organisation_id) == 0 ||
           (!capability->withdrawn &&
            capability->visibility == REGISTRY__V1__VISIBILITY__PUBLIC);
}

struct status
rules_capability_withdraw(struct arena *arena, const Registry__V1__Capability *capability)
{
    if (capability->withdrawn)
        return FAIL(arena, FAILED_PRECONDITION, "the capability is withdrawn already");
    return OK;
}
