/* Profiles in bulk: looked up, checked against organisations and concepts in one round trip
 * each, then written one by one. */

#include <stdlib.h>
#include <string.h>

#include "common/wire/message.h"
#include "services/registry/concepts/skills.h"
#include "services/registry/organisations/store.h"
#include "services/registry/people/person.h"
#include "services/registry/people/store.h"
#include "services/registry/values/profiles.h"
#include "services/registry/values/resource.h"
#include "services/registry/values/values.h"

#define IMPORT_MOST 500

struct item {
    Registry__V1__Person *person;
    struct bytes before; /* of a known one */
    bool known;
    size_t place; /* in the request */
};

/* What an import may change of a known profile. */
static const char *const imported_fields[] = {"kind",    "display_name", "languages",
                                              "degrees", "affiliations", "skills",
                                              "about",   "nuts",         "available_from"};

/* The same failure, with the place in the import before its field. */
static struct status
at_item(struct call *call, size_t place, struct status status)
{
    if (failed(status) && status.field)
        status.field = arena_printf(call->arena, "people[%zu].%s", place, status.field);
    return status;
}

static int
by_reference(const void *a, const void *b)
{
    const struct item *left = a, *right = b;
    const int order = strcmp(left->person->reference, right->person->reference);

    if (order)
        return order;
    return left->place < right->place ? -1 : 1;
}

/* The profiles as the request has them, by reference. */
static struct status
make_items(struct call *call, const Registry__V1__ImportPeopleRequest *request,
           struct item **ret)
{
    const size_t count = request->n_people;
    struct item *items;

    if (count == 0 || count > IMPORT_MOST)
        return FAIL_FIELD(call->arena, "people", "must have 1 to %d items", IMPORT_MOST);
    TRY(need(items = ARENA_ARRAY(call->arena, struct item, count)));
    for (size_t i = 0; i < count; i++) {
        Registry__V1__Person *person = ARENA_NEW(call->arena, Registry__V1__Person);

        TRY(need(person));
        registry__v1__person__init(person);
        resource_from_request(&request->people[i]->base, &person->base);
        if (person->capacity == 0)
            person->capacity = 1;
        TRY(at_item(call, i, rules_person(call->arena, person)));
        if (!*person->reference)
            return at_item(call, i, FAIL_FIELD(call->arena, "reference", "must be given"));
        if (person->wishes)
            return at_item(call, i,
                           FAIL_FIELD(call->arena, "wishes", "are not for an import to state"));
        items[i] = (struct item){.person = person, .place = i};
    }
    qsort(items, count, sizeof items[0], by_reference);
    for (size_t i = 1; i < count; i++)
        if (strcmp(items[i].person->reference, items[i - 1].person->reference) == 0)
            return at_item(call, items[i].place,
                           FAIL_FIELD(call->arena, "reference", "is the same as item %zu",
                                      items[i - 1].place));
    *ret = items;
    return OK;
}

/* A known profile takes over what the import says of it. */
static struct status
refresh(struct call *call, const Registry__V1__CreatePersonRequest *request,
        const struct person_row *row, struct item *item)
{
    const Registry__V1__PersonKind before = row->person->kind;

    TRY(wire_pack(&row->person->base, call->arena, &item->before));
    TRY(resource_apply(call->arena, &request->base, imported_fields, COUNT_OF(imported_fields),
                       &row->person->base));
    if (request->capacity)
        row->person->capacity = request->capacity;
    TRY(rules_person(call->arena, row->person));
    TRY(rules_person_kind(call->arena, before, row->person->kind));
    item->person = row->person;
    item->known = true;
    return OK;
}

static struct status
find_known(struct call *call, const Registry__V1__ImportPeopleRequest *request,
           struct item *items)
{
    const size_t count = request->n_people;
    const char **references;
    struct person_row *rows;
    size_t row_count;

    TRY(need(references = ARENA_ARRAY(call->arena, const char *, count)));
    for (size_t i = 0; i < count; i++)
        references[i] = items[i].person->reference;
    TRY(store_person_by_reference(call->tx, call->arena, references, count, &rows, &row_count));
    for (size_t i = 0; i < row_count; i++) {
        const struct item key = {.person = rows[i].person};
        struct item *found = NULL;

        for (size_t low = 0, high = count; low < high && !found;) {
            const size_t middle = low + (high - low) / 2;
            const int order = strcmp(key.person->reference, items[middle].person->reference);

            if (order == 0)
                found = &items[middle];
            else if (order < 0)
                high = middle;
            else
                low = middle + 1;
        }
        if (found)
            TRY(at_item(call, found->place,
                        refresh(call, request->people[found->place], &rows[i], found)));
    }
    return OK;
}

static struct status
check_organisations(struct call *call, const struct item *items, size_t count)
{
    size_t total = 0, at = 0, missing;
    struct status status;
    const char **ids;
    bool all;

    for (size_t i = 0; i < count; i++)
        total += items[i].person->n_affiliations;
    TRY(need(ids = ARENA_ARRAY(call->arena, const char *, total + 1)));
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < items[i].person->n_affiliations; j++)
            ids[at++] = items[i].person->affiliations[j]->organisation_id;
    TRY(store_organisation_known(call->tx, call->arena, ids, total, &all, &missing));
    if (all)
        return OK;
    status =
        FAIL(call->arena, FAILED_PRECONDITION, "there is no organisation %s", ids[missing]);
    for (size_t i = 0; i < count; missing -= items[i++].person->n_affiliations)
        if (missing < items[i].person->n_affiliations) {
            status.field =
                arena_printf(call->arena, "people[%zu].affiliations[%zu].organisation_id",
                             items[i].place, missing);
            break;
        }
    return status;
}

static struct status
check_skills(struct call *call, const struct item *items, size_t count)
{
    struct skill_missing missing;
    struct skill_list *lists;

    TRY(need(lists = ARENA_ARRAY(call->arena, struct skill_list, count)));
    for (size_t i = 0; i < count; i++)
        lists[i] = (struct skill_list){items[i].person->skills, items[i].person->n_skills};
    TRY(skills_label(call->tx, call->arena, call->lang, lists, count, &missing));
    for (size_t i = 0; i < count;
         i++) /* labels are not stored: they must not look like a change */
        for (size_t j = 0; j < lists[i].count; j++)
            lists[i].skills[j]->label = "";
    if (!missing.any)
        return OK;
    return at_item(call, items[missing.list].place,
                   skills_unknown(call->arena, "skills", missing.item,
                                  lists[missing.list].skills[missing.item]->concept_id));
}

/* *ret_changed: something was written. */
static struct status
write_one(struct call *call, struct item *item, Registry__V1__ImportPeopleReply *reply,
          bool *ret_changed)
{
    Registry__V1__Person *person = item->person;
    struct bytes after;

    *ret_changed = true;
    if (!item->known) {
        person->version = 1;
        TRY(values_new_id(call->arena, call->clock, &person->person_id));
        reply->created++;
        return store_person_insert(call->tx, call->arena, person);
    }
    TRY(wire_pack(&person->base, call->arena, &after));
    if (item->before.size == after.size &&
        memcmp(item->before.data, after.data, after.size) == 0) {
        *ret_changed = false;
        reply->unchanged++;
        return OK;
    }
    reply->refreshed++;
    return store_person_update(call->tx, call->arena, person, person->version);
}

struct status
import_people(struct call *call, const Registry__V1__ImportPeopleRequest *request,
              Registry__V1__ImportPeopleReply *reply)
{
    const size_t count = request->n_people;
    size_t told = 0;
    struct item *items;
    const char **ids;

    TRY(make_items(call, request, &items));
    TRY(find_known(call, request, items));
    TRY(check_organisations(call, items, count));
    TRY(check_skills(call, items, count));
    TRY(need(ids = ARENA_ARRAY(call->arena, const char *, count)));
    for (size_t i = 0; i < count; i++) {
        bool changed;

        if (request->talent_pool && rules_person_is_staff(items[i].person->kind))
            items[i].person->talent_pool = true;
        TRY(at_item(call, items[i].place, write_one(call, &items[i], reply, &changed)));
        if (changed && items[i].person->talent_pool)
            ids[told++] = items[i].person->person_id;
    }
    return profiles_tell(call, PROFILE_CHANGED, "person", ids, told);
}
