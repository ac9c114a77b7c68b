/* samverka import people FILE: a CSV of profiles of one tenant.
 *
 * Columns: reference, kind, name (required); languages, skills, nuts, isced_f, eqf,
 * degree_date, affiliation, role, about_sv, about_fi, about_en, available_from, capacity. Lists
 * are separated by spaces; skills are concept ids or URIs with an optional weight,
 * "https://...=800"; an affiliation is an organisation's id or one of its identifiers,
 * "ror:https://ror.org/000hdh770" or "556036-0793". */

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/uuid.h"
#include "registry/v1/concepts.pb-c.h"
#include "registry/v1/organisations.pb-c.h"
#include "registry/v1/people.pb-c.h"
#include "services/cli/fingerprint.h"
#include "services/cli/import.h"

#define LIST_MOST 100
#define WEIGHT_MOST 1000

struct people {
    struct cli *cli;
    struct source source;
    struct table table;
    json_t *ids; /* name -> id */
};

static struct status
rewind_people(void *context, struct arena *arena)
{
    static const char *const columns[] = {
        "reference", "kind",     "name",           "languages",   "skills", "nuts",
        "isced_f",   "eqf",      "degree_date",    "affiliation", "role",   "about_sv",
        "about_fi",  "about_en", "available_from", "capacity",    NULL};
    struct people *people = context;

    TRY(table_open(&people->table, &people->source, arena));
    TRY(table_only(&people->table, arena, columns));
    if (table_column(&people->table, "reference") < 0 ||
        table_column(&people->table, "kind") < 0 || table_column(&people->table, "name") < 0)
        return FAIL_FIELD(arena, "line 1", "the columns reference, kind and name are needed");
    return OK;
}

static const char *
field(const struct people *people, const char *column)
{
    return table_field(&people->table, table_column(&people->table, column));
}

/* Splits at spaces; the words live in `arena`. */
static struct status
split(struct people *people, struct arena *arena, const char *column, char ***ret,
      size_t *ret_count)
{
    char **words;
    size_t count = 0;
    char *text = arena_copy(arena, field(people, column));

    TRY(need(text));
    TRY(need(words = ARENA_ARRAY(arena, char *, LIST_MOST)));
    for (char *save = NULL, *word = strtok_r(text, " ", &save); word;
         word = strtok_r(NULL, " ", &save)) {
        if (count == LIST_MOST)
            return table_bad(&people->table, arena, column, "has too many items");
        words[count++] = word;
    }
    *ret = words;
    *ret_count = count;
    return OK;
}

static struct status
read_degree(struct people *people, struct arena *arena,
            Registry__V1__CreatePersonRequest *person)
{
    Registry__V1__Degree *degree;

    if (!*field(people, "eqf") && !*field(people, "isced_f"))
        return OK;
    TRY(need(degree = ARENA_NEW(arena, Registry__V1__Degree)));
    registry__v1__degree__init(degree);
    TRY(table_number(&people->table, arena, "eqf", 8, &degree->eqf));
    degree->isced_f = field(people, "isced_f");
    degree->awarded_on = field(people, "degree_date");
    TRY(need(person->degrees = ARENA_ARRAY(arena, Registry__V1__Degree *, 1)));
    person->degrees[0] = degree;
    person->n_degrees = 1;
    return OK;
}

static struct status
read_affiliation(struct people *people, struct arena *arena,
                 Registry__V1__CreatePersonRequest *person)
{
    Registry__V1__Affiliation *affiliation;

    if (!*field(people, "affiliation"))
        return OK;
    TRY(need(affiliation = ARENA_NEW(arena, Registry__V1__Affiliation)));
    registry__v1__affiliation__init(affiliation);
    affiliation->organisation_id = field(people, "affiliation");
    affiliation->role = field(people, "role");
    TRY(need(person->affiliations = ARENA_ARRAY(arena, Registry__V1__Affiliation *, 1)));
    person->affiliations[0] = affiliation;
    person->n_affiliations = 1;
    return OK;
}

static struct status
read_about(struct people *people, struct arena *arena,
           Registry__V1__CreatePersonRequest *person)
{
    static const char *const langs[] = {"sv", "fi", "en"};
    static const char *const columns[] = {"about_sv", "about_fi", "about_en"};

    TRY(need(person->about = ARENA_ARRAY(arena, Registry__V1__LocalText *, COUNT_OF(langs))));
    for (size_t i = 0; i < COUNT_OF(langs); i++) {
        Registry__V1__LocalText *text;

        if (!*field(people, columns[i]))
            continue;
        TRY(need(text = ARENA_NEW(arena, Registry__V1__LocalText)));
        registry__v1__local_text__init(text);
        text->lang = langs[i];
        text->value = field(people, columns[i]);
        person->about[person->n_about++] = text;
    }
    return OK;
}

/* Ids that the cluster has given for names, so that each is asked for once. */
static struct status
remember(struct people *people, const char *name, const char *id, const char **ret)
{
    json_t *kept = json_string(id);

    TRY(need(kept));
    if (json_object_set_new(people->ids, name, kept) != 0)
        return need(NULL);
    *ret = json_string_value(kept);
    return OK;
}

/* A concept's id; a URI is asked for. */
static struct status
find_concept(struct people *people, struct arena *arena, const char *name, const char **ret)
{
    Registry__V1__GetConceptRequest request = REGISTRY__V1__GET_CONCEPT_REQUEST__INIT;
    const char *known = json_string_value(json_object_get(people->ids, name));
    ProtobufCMessage *reply;

    *ret = known ? known : name;
    if (known || !strchr(name, ':'))
        return OK;
    request.concept_id = name;
    TRY(cli_call(people->cli, "registry.v1.Concepts/GetConcept", &request.base,
                 &registry__v1__get_concept_reply__descriptor, NULL, arena, &reply));
    return remember(people, name,
                    ((const Registry__V1__GetConceptReply *)reply)->concept->concept_id, ret);
}

/* An organisation's id; an identifier such as "ror:https://ror.org/000hdh770" is asked for. */
static struct status
find_organisation(struct people *people, struct arena *arena, const char *name,
                  const char **ret)
{
    Registry__V1__ListOrganisationsRequest request =
        REGISTRY__V1__LIST_ORGANISATIONS_REQUEST__INIT;
    const char *known = json_string_value(json_object_get(people->ids, name));
    const Registry__V1__ListOrganisationsReply *found;
    ProtobufCMessage *reply;

    *ret = known ? known : name;
    if (known || uuid_valid(name))
        return OK;
    request.external_id = name;
    TRY(cli_call(people->cli, "registry.v1.Organisations/ListOrganisations", &request.base,
                 &registry__v1__list_organisations_reply__descriptor, NULL, arena, &reply));
    found = (const Registry__V1__ListOrganisationsReply *)reply;
    if (found->n_organisations != 1)
        return FAIL(arena, NOT_FOUND, "%s identifies no organisation", name);
    return remember(people, name, found->organisations[0]->organisation_id, ret);
}

/* "https://...=800" */
static struct status
read_weight(struct people *people, struct arena *arena, char *word, uint32_t *ret)
{
    char *equals = strrchr(word, '=');
    unsigned long weight;
    char *end;

    *ret = 0;
    if (!equals)
        return OK;
    weight = strtoul(equals + 1, &end, 10);
    if (!isdigit((unsigned char)equals[1]) || *end || weight < 1 || weight > WEIGHT_MOST)
        return table_bad(&people->table, arena, "skills", "a weight is 1 to 1000");
    *equals = '\0';
    *ret = (uint32_t)weight;
    return OK;
}

static struct status
read_skills(struct people *people, struct arena *arena,
            Registry__V1__CreatePersonRequest *person)
{
    char **words;
    size_t count;

    TRY(split(people, arena, "skills", &words, &count));
    TRY(need(person->skills = ARENA_ARRAY(arena, Registry__V1__Skill *, count + 1)));
    for (size_t i = 0; i < count; i++) {
        Registry__V1__Skill *skill;

        TRY(need(skill = ARENA_NEW(arena, Registry__V1__Skill)));
        registry__v1__skill__init(skill);
        TRY(read_weight(people, arena, words[i], &skill->weight));
        skill->concept_id = words[i];
        person->skills[person->n_skills++] = skill;
    }
    return OK;
}

static struct status
read_languages(struct people *people, struct arena *arena,
               Registry__V1__CreatePersonRequest *person)
{
    char **words;

    TRY(split(people, arena, "languages", &words, &person->n_languages));
    TRY(need(person->languages = ARENA_ARRAY(arena, const char *, person->n_languages + 1)));
    for (size_t i = 0; i < person->n_languages; i++)
        person->languages[i] = words[i];
    return OK;
}

static struct status
read_person(struct people *people, struct arena *arena,
            Registry__V1__CreatePersonRequest *person)
{
    const int kind = import_enum(&registry__v1__person_kind__descriptor, field(people, "kind"));

    if (kind <= 0)
        return table_bad(&people->table, arena, "kind",
                         "is not a kind such as researcher or recent_graduate");
    if (!*field(people, "reference"))
        return table_bad(&people->table, arena, "reference", "must not be empty");
    if (!*field(people, "name"))
        return table_bad(&people->table, arena, "name", "must not be empty");
    person->kind = (Registry__V1__PersonKind)kind;
    person->reference = field(people, "reference");
    person->display_name = field(people, "name");
    person->nuts = field(people, "nuts");
    person->available_from = field(people, "available_from");
    TRY(table_number(&people->table, arena, "capacity", 1000, &person->capacity));
    TRY(read_languages(people, arena, person));
    TRY(read_degree(people, arena, person));
    TRY(read_affiliation(people, arena, person));
    TRY(read_about(people, arena, person));
    return read_skills(people, arena, person);
}

static struct status
next_person(void *context, struct arena *arena, ProtobufCMessage **ret, size_t *ret_line,
            bool *ret_lost)
{
    struct people *people = context;
    Registry__V1__CreatePersonRequest *person;
    bool any;

    *ret = NULL;
    *ret_lost = true; /* until the record has been read */
    TRY(table_next(&people->table, arena, &any));
    *ret_lost = false;
    *ret_line = people->table.csv.line;
    if (!any)
        return OK;
    TRY(need(person = ARENA_NEW(arena, Registry__V1__CreatePersonRequest)));
    registry__v1__create_person_request__init(person);
    TRY(read_person(people, arena, person));
    *ret = &person->base;
    return OK;
}

/* Names become ids. */
static struct status
find_ids(struct people *people, struct arena *arena, size_t index,
         Registry__V1__CreatePersonRequest *person)
{
    struct status found = OK;
    const char *column = "skills";

    for (size_t i = 0; i < person->n_skills && !failed(found); i++)
        found = find_concept(people, arena, person->skills[i]->concept_id,
                             &person->skills[i]->concept_id);
    if (!failed(found) && person->n_affiliations > 0) {
        column = "affiliation";
        found = find_organisation(people, arena, person->affiliations[0]->organisation_id,
                                  &person->affiliations[0]->organisation_id);
    }
    if (found.code == CODE_NOT_FOUND)
        TRY(need(found.field = arena_printf(arena, "people[%zu].%s", index, column)));
    return found;
}

static struct status
fill_people(void *context, struct arena *arena, ProtobufCMessage **items, size_t count,
            size_t number, ProtobufCMessage **ret)
{
    Registry__V1__ImportPeopleRequest *request;

    (void)number;
    TRY(need(request = ARENA_NEW(arena, Registry__V1__ImportPeopleRequest)));
    registry__v1__import_people_request__init(request);
    TRY(need(request->people = ARENA_ARRAY(arena, Registry__V1__CreatePersonRequest *, count)));
    for (size_t i = 0; i < count; i++) {
        request->people[i] = (Registry__V1__CreatePersonRequest *)items[i];
        TRY(find_ids(context, arena, i, request->people[i]));
    }
    request->n_people = count;
    request->talent_pool = true;
    *ret = &request->base;
    return OK;
}

struct status
import_people(struct cli *cli, const char *file, struct import_options *options)
{
    scoped(source_fini) struct source source = {0};
    struct people *people = ARENA_NEW(cli->arena, struct people);
    const struct importer importer = {.what = "people",
                                      .method = "registry.v1.People/ImportPeople",
                                      .reply = &registry__v1__import_people_reply__descriptor,
                                      .context = people,
                                      .rewind = rewind_people,
                                      .next = next_person,
                                      .fill = fill_people};

    TRY(need(people));
    if (!cli->tenant && !options->dry_run)
        return FAIL_FIELD(cli->arena, "--tenant", "must say whose people they are");
    TRY(source_read(file, ".csv", cli->arena, &source));
    people->cli = cli;
    people->source = source;
    TRY(need(people->ids = json_object()));

    struct status status = fingerprint_of(cli->arena, &source, 1, &options->fingerprint);

    if (!failed(status))
        status = import_run(cli, &importer, options);
    json_decref(people->ids);
    return status;
}
