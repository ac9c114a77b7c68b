#include "services/registry/infrastructure/rules.h"

#include "services/registry/values/values.h"

#define NAME_LENGTH 300
#define TEXT_LENGTH 4000
#define WORD_LENGTH 200
#define SKILLS_MOST 100
#define HOURS_MOST 168

struct status
rules_equipment(struct arena *arena, Registry__V1__Equipment *equipment)
{
    const struct values_text_rule names = {1, 3, NAME_LENGTH, true},
                                  text = {0, 3, TEXT_LENGTH, false};

    TRY(values_id(arena, "organisation_id", equipment->organisation_id, true));
    TRY(values_enum(arena, "type", &registry__v1__equipment_type__descriptor,
                    (int)equipment->type, true));
    TRY(values_texts(arena, "names", equipment->names, equipment->n_names, names));
    TRY(values_texts(arena, "description", equipment->description, equipment->n_description,
                     text));
    TRY(values_line(arena, "manufacturer", &equipment->manufacturer, 0, WORD_LENGTH));
    TRY(values_line(arena, "model", &equipment->model, 0, WORD_LENGTH));
    TRY(values_line(arena, "department", &equipment->department, 0, WORD_LENGTH));
    TRY(values_texts(arena, "access_terms", equipment->access_terms, equipment->n_access_terms,
                     text));
    TRY(values_skills(arena, "skills", equipment->skills, equipment->n_skills, SKILLS_MOST));
    TRY(values_nuts(arena, "nuts", equipment->nuts));
    if (equipment->hours_open_per_week > HOURS_MOST)
        return FAIL_FIELD(arena, "hours_open_per_week", "must be at most %d", HOURS_MOST);
    return values_visibility(arena, &equipment->visibility, equipment->shared_with,
                             equipment->n_shared_with);
}

struct status
rules_equipment_delist(struct arena *arena, const Registry__V1__Equipment *equipment)
{
    if (equipment->delisted)
        return FAIL(arena, FAILED_PRECONDITION, "the equipment is delisted already");
    return OK;
}
