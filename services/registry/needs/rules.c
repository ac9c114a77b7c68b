#include "services/registry/needs/rules.h"

#include <string.h>

#include "services/registry/values/values.h"

#define TEXT_LENGTH 4000
#define FOCUS_MOST 10
#define THEMES_MOST 10
#define SKILLS_MOST 100
#define DAYS_OF_VALIDITY 180

_Static_assert(sizeof(Registry__V1__FocusArea) == sizeof(int), "checked as a list of int");
_Static_assert(sizeof(Registry__V1__Theme) == sizeof(int), "checked as a list of int");

struct status
rules_need(struct arena *arena, Registry__V1__Need *need_)
{
    const struct values_text_rule text = {1, 3, TEXT_LENGTH, false};

    TRY(values_id(arena, "organisation_id", need_->organisation_id, true));
    TRY(values_texts(arena, "text", need_->text, need_->n_text, text));
    TRY(values_enums(arena, "focus", &registry__v1__focus_area__descriptor,
                     (const int *)need_->focus, need_->n_focus, FOCUS_MOST));
    TRY(values_enums(arena, "themes", &registry__v1__theme__descriptor,
                     (const int *)need_->themes, need_->n_themes, THEMES_MOST));
    TRY(values_skills(arena, "skills", need_->skills, need_->n_skills, SKILLS_MOST));
    TRY(values_nuts(arena, "nuts", need_->nuts));
    TRY(values_languages(arena, "languages", need_->languages, need_->n_languages));
    TRY(values_date(arena, "valid_until", need_->valid_until, false));
    return values_visibility(arena, &need_->visibility, need_->shared_with,
                             need_->n_shared_with);
}

struct status
rules_need_last_day(struct arena *arena, const char *today, Registry__V1__Need *need_)
{
    if (!*need_->valid_until)
        return values_date_of(arena, values_days(today) + DAYS_OF_VALIDITY,
                              &need_->valid_until);
    if (strcmp(need_->valid_until, today) < 0)
        return FAIL_FIELD(arena, "valid_until", "must not be before today, %s", today);
    return OK;
}

#define FROM(state) (1u << REGISTRY__V1__NEED_STATE__NEED_##state)

struct status
rules_need_step(struct arena *arena, const Registry__V1__Need *need_, enum need_step step)
{
    static const struct {
        unsigned from;
        const char *doing;
    } steps[] = {
        [NEED_STEP_CHANGE] = {FROM(DRAFT) | FROM(PUBLISHED), "changed"},
        [NEED_STEP_PUBLISH] = {FROM(DRAFT), "published"},
        [NEED_STEP_CLOSE] = {FROM(PUBLISHED), "closed"},
    };
    const ProtobufCEnumValue *state = protobuf_c_enum_descriptor_get_value(
        &registry__v1__need_state__descriptor, (int)need_->state);

    if (steps[step].from & (1u << need_->state))
        return OK;
    return FAIL(arena, FAILED_PRECONDITION, "a need that is %s cannot be %s",
                state ? state->name : "in an unknown state", steps[step].doing);
}

bool
rules_need_may_see(const struct need_viewer *viewer, const Registry__V1__Need *need_)
{
    const bool published = need_->state == REGISTRY__V1__NEED_STATE__NEED_PUBLISHED;

    if (viewer->published_only && !published)
        return false;
    return !*viewer->contact_for || strcmp(viewer->contact_for, need_->organisation_id) == 0 ||
           (published && need_->visibility == REGISTRY__V1__VISIBILITY__PUBLIC);
}
