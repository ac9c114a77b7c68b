#include "registry/v1/people.pb-c.h"

#include <string.h>

#include "common/pg/cursor.h"
#include "services/registry/concepts/skills.h"
#include "services/registry/organisations/store.h"
#include "services/registry/people/people.h"
#include "services/registry/people/person.h"
#include "services/registry/people/store.h"
#include "services/registry/values/profiles.h"
#include "services/registry/values/resource.h"
#include "services/registry/values/values.h"

struct person_viewer
person_viewer(const struct call *call)
{
    struct person_viewer viewer = {
        .tenant_id = call->tenant_id, .person_id = call->principal->person_id, .learner = true};

    for (size_t i = 0; i < call->principal->n_roles; i++) {
        const Wire__V1__Role role = call->principal->roles[i];

        viewer.officer |= role == WIRE__V1__ROLE__PARTNERSHIP_OFFICER ||
                          role == WIRE__V1__ROLE__OPERATOR || role == WIRE__V1__ROLE__SERVICE;
        viewer.graduate |= role == WIRE__V1__ROLE__GRADUATE;
        viewer.learner &= role == WIRE__V1__ROLE__GRADUATE || role == WIRE__V1__ROLE__STUDENT;
    }
    return viewer;
}

/* What the profile refers to exists; its skills get their labels. */
static struct status
check_references(struct call *call, const Registry__V1__Person *person)
{
    const char **ids;
    size_t missing;
    bool all;

    TRY(need(ids = ARENA_ARRAY(call->arena, const char *, person->n_affiliations + 1)));
    for (size_t i = 0; i < person->n_affiliations; i++)
        ids[i] = person->affiliations[i]->organisation_id;
    TRY(store_organisation_known(call->tx, call->arena, ids, person->n_affiliations, &all,
                                 &missing));
    if (!all) {
        struct status status =
            FAIL(call->arena, FAILED_PRECONDITION, "there is no organisation %s", ids[missing]);

        status.field = arena_printf(call->arena, "affiliations[%zu].organisation_id", missing);
        return status;
    }
    TRY(skills_require(call->tx, call->arena, call->lang, "skills", person->skills,
                       person->n_skills));
    if (!person->wishes)
        return OK;
    return skills_require(call->tx, call->arena, call->lang, "wishes.concepts",
                          person->wishes->concepts, person->wishes->n_concepts);
}

/* Labels for the skills and wishes of everybody on a page. */
static struct status
label(struct call *call, Registry__V1__Person *const *people, size_t count)
{
    struct skill_list *lists = ARENA_ARRAY(call->arena, struct skill_list, 2 * count + 1);
    size_t list_count = 0;

    TRY(need(lists));
    for (size_t i = 0; i < count; i++) {
        const Registry__V1__Wishes *wishes = people[i]->wishes;

        lists[list_count++] = (struct skill_list){people[i]->skills, people[i]->n_skills};
        if (wishes)
            lists[list_count++] = (struct skill_list){wishes->concepts, wishes->n_concepts};
    }
    return skills_label(call->tx, call->arena, call->lang, lists, list_count, NULL);
}

/* Matching hears of profiles in the pool, and of those that leave it. */
static struct status
tell(struct call *call, const Registry__V1__Person *person, bool was_in_pool)
{
    if (!person->talent_pool && !was_in_pool)
        return OK;
    return profiles_tell(call, person->talent_pool ? PROFILE_CHANGED : PROFILE_WITHDRAWN,
                         "person", &person->person_id, 1);
}

static struct status
create_person(struct call *call, const Registry__V1__CreatePersonRequest *request,
              Registry__V1__CreatePersonReply *reply)
{
    const struct person_viewer viewer = person_viewer(call);
    Registry__V1__Person *person;

    TRY(need(person = ARENA_NEW(call->arena, Registry__V1__Person)));
    registry__v1__person__init(person);
    resource_from_request(&request->base, &person->base);
    if (person->capacity == 0)
        person->capacity = 1;
    TRY(rules_person(call->arena, person));
    if (!viewer.officer) {
        TRY(rules_person_own(call->arena, &viewer, person));
        person->account_id = call->principal->subject_id;
    }
    TRY(check_references(call, person));
    person->version = 1;
    TRY(values_new_id(call->arena, call->clock, &person->person_id));
    TRY(store_person_insert(call->tx, call->arena, person));
    if (!viewer.officer)
        TRY(store_person_link(call->tx, call->arena, person->account_id, person->person_id));
    reply->person = person;
    return OK;
}

/* A profile that the caller may see; all others do not exist. */
static struct status
find(struct call *call, const char *id, struct person_row *ret)
{
    const struct person_viewer viewer = person_viewer(call);
    struct person_row row;

    TRY(values_id(call->arena, "person_id", id, true));
    TRY(store_person_get(call->tx, call->arena, id, &row));
    if (!rules_person_may_see(&viewer, row.person, row.tenant_id))
        return FAIL(call->arena, NOT_FOUND, "there is no person %s", id);
    *ret = row;
    return OK;
}

static struct status
get_person(struct call *call, const Registry__V1__GetPersonRequest *request,
           Registry__V1__GetPersonReply *reply)
{
    const struct person_viewer viewer = person_viewer(call);
    struct person_row row;

    TRY(find(call, request->person_id, &row));
    rules_person_redact(&viewer, row.tenant_id, row.person);
    TRY(label(call, &row.person, 1));
    reply->person = row.person;
    return OK;
}

static struct status
make_filter(struct call *call, const Registry__V1__ListPeopleRequest *request,
            const struct person_viewer *viewer, const char **ret_listing,
            struct person_filter *ret)
{
    struct person_filter filter = {.kind = (int)request->kind,
                                   .organisation_id = request->organisation_id,
                                   .only_pool_or = viewer->officer ? NULL : viewer->person_id};

    TRY(values_enum(call->arena, "kind", &registry__v1__person_kind__descriptor, filter.kind,
                    false));
    TRY(values_id(call->arena, "organisation_id", filter.organisation_id, false));
    TRY(values_like(call->arena, "name", request->name, &filter.name));
    TRY(values_page_size(call->arena, request->page_size, &filter.limit));
    TRY(need(*ret_listing = arena_printf(call->arena, "people\n%s\n%d\n%s\n%s", filter.name,
                                         filter.kind, filter.organisation_id,
                                         filter.only_pool_or ? filter.only_pool_or : "all")));
    TRY(cursor_read(call->arena, call->tenant_id, *ret_listing, request->page_token,
                    &filter.after_name, &filter.after_id));
    filter.limit++; /* one more tells whether there is a next page */
    *ret = filter;
    return OK;
}

static struct status
list_people(struct call *call, const Registry__V1__ListPeopleRequest *request,
            Registry__V1__ListPeopleReply *reply)
{
    const struct person_viewer viewer = person_viewer(call);
    struct person_filter filter;
    struct person_row *rows;
    const char *listing;
    size_t count;

    TRY(make_filter(call, request, &viewer, &listing, &filter));
    TRY(store_person_list(call->tx, call->arena, &filter, &rows, &count));
    if (count == filter.limit) {
        count--;
        TRY(cursor_make(call->arena, call->tenant_id, listing, rows[count - 1].name_sort,
                        rows[count - 1].person->person_id, &reply->next_page_token));
    }
    TRY(need(reply->people = ARENA_ARRAY(call->arena, Registry__V1__Person *, count + 1)));
    for (size_t i = 0; i < count; i++) {
        rules_person_redact(&viewer, rows[i].tenant_id, rows[i].person);
        reply->people[i] = rows[i].person;
    }
    reply->n_people = count;
    return label(call, reply->people, count);
}

static struct status
update_person(struct call *call, const Registry__V1__UpdatePersonRequest *request,
              Registry__V1__UpdatePersonReply *reply)
{
    const struct person_viewer viewer = person_viewer(call);
    Registry__V1__PersonKind before;
    struct person_row row;

    TRY(find(call, request->person_id, &row));
    TRY(rules_person_may_change(call->arena, &viewer, row.person, row.tenant_id));
    before = row.person->kind;
    TRY(resource_apply(call->arena, &request->base, request->update_fields,
                       request->n_update_fields, &row.person->base));
    TRY(rules_person(call->arena, row.person));
    TRY(rules_person_kind(call->arena, before, row.person->kind));
    TRY(check_references(call, row.person));
    TRY(store_person_update(call->tx, call->arena, row.person, request->expected_version));
    TRY(tell(call, row.person, row.person->talent_pool));
    reply->person = row.person;
    return OK;
}

static struct status
set_talent_pool(struct call *call, const Registry__V1__SetTalentPoolRequest *request,
                Registry__V1__SetTalentPoolReply *reply)
{
    const struct person_viewer viewer = person_viewer(call);
    struct person_row row;
    bool before;

    TRY(find(call, request->person_id, &row));
    TRY(rules_person_may_pool(call->arena, &viewer, row.person, row.tenant_id));
    TRY(rules_person_pool(call->arena, request));
    before = row.person->talent_pool;
    row.person->talent_pool = request->talent_pool;
    row.person->visibility = request->visibility;
    row.person->shared_with = request->shared_with;
    row.person->n_shared_with = request->n_shared_with;
    TRY(rules_person(call->arena, row.person));
    TRY(store_person_update(call->tx, call->arena, row.person, request->expected_version));
    TRY(tell(call, row.person, before));
    TRY(label(call, &row.person, 1));
    reply->person = row.person;
    return OK;
}

static struct status
erase_person(struct call *call, const Registry__V1__ErasePersonRequest *request,
             Registry__V1__ErasePersonReply *reply)
{
    const struct person_viewer viewer = person_viewer(call);
    Registry__V1__SubjectErased event = REGISTRY__V1__SUBJECT_ERASED__INIT;
    struct person_row row;

    (void)reply;
    TRY(find(call, request->person_id, &row));
    TRY(rules_person_may_change(call->arena, &viewer, row.person, row.tenant_id));
    TRY(store_person_erase(call->tx, call->arena, request->person_id));
    if (row.person->talent_pool) {
        row.person->talent_pool = false;
        TRY(tell(call, row.person, true));
    }
    event.person_id = request->person_id;
    return call_emit(call,
                     (struct outbox_event){.data = &event.base, .subject = request->person_id});
}

#define METHOD(handler, Name)                                                                  \
    RPC_METHOD(Registry__V1__People_Service, handler, Registry__V1__##Name##Request,           \
               Registry__V1__##Name##Reply)

METHOD(create_person, CreatePerson)
METHOD(get_person, GetPerson)
METHOD(list_people, ListPeople)
METHOD(update_person, UpdatePerson)
METHOD(set_talent_pool, SetTalentPool)
METHOD(erase_person, ErasePerson)
METHOD(import_people, ImportPeople)

static Registry__V1__People_Service service = REGISTRY__V1__PEOPLE__INIT(rpc_);
const ProtobufCService *const people_service = &service.base;
