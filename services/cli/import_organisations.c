/* samverka import organisations FILE.
 *
 * CSV columns: name or name_sv, name_fi, name_en; type, country (required); nuts, nace,
 * website, headcount, size_year, ownership, and identifiers: ror, se-orgnr, fi-ytunnus, vat,
 * lei. JSON: a list of objects as research organisation registries publish them: "name",
 * "country_code", "types", and where there is one "id" or "ror". */

#include <jansson.h>
#include <string.h>

#include "registry/v1/organisations.pb-c.h"
#include "services/cli/fingerprint.h"
#include "services/cli/import.h"

#define JSON_ITEMS 200000
#define YEAR_MOST 2100

struct organisations {
    struct source source;
    struct table table;
    json_t *list; /* NULL: it is CSV */
    size_t index;
};

static struct status
new_organisation(struct arena *arena, Registry__V1__CreateOrganisationRequest **ret)
{
    Registry__V1__CreateOrganisationRequest *o;

    TRY(need(o = ARENA_NEW(arena, Registry__V1__CreateOrganisationRequest)));
    registry__v1__create_organisation_request__init(o);
    TRY(need(o->names = ARENA_ARRAY(arena, Registry__V1__LocalText *, 3)));
    TRY(need(o->external_ids = ARENA_ARRAY(arena, Registry__V1__ExternalId *, 5)));
    *ret = o;
    return OK;
}

static struct status
add_name(struct arena *arena, Registry__V1__CreateOrganisationRequest *o, const char *lang,
         const char *value)
{
    Registry__V1__LocalText *name;

    if (!*value)
        return OK;
    TRY(need(name = ARENA_NEW(arena, Registry__V1__LocalText)));
    registry__v1__local_text__init(name);
    name->lang = lang;
    name->value = value;
    o->names[o->n_names++] = name;
    return OK;
}

static struct status
add_id(struct arena *arena, Registry__V1__CreateOrganisationRequest *o, const char *scheme,
       const char *value)
{
    Registry__V1__ExternalId *id;

    if (!*value)
        return OK;
    TRY(need(id = ARENA_NEW(arena, Registry__V1__ExternalId)));
    registry__v1__external_id__init(id);
    id->scheme = scheme;
    id->value = value;
    o->external_ids[o->n_external_ids++] = id;
    return OK;
}

static const char *
field(const struct organisations *organisations, const char *column)
{
    return table_field(&organisations->table, table_column(&organisations->table, column));
}

static struct status
read_size(struct organisations *in, struct arena *arena,
          Registry__V1__CreateOrganisationRequest *o)
{
    TRY(table_number(&in->table, arena, "headcount", UINT32_MAX, &o->headcount));
    TRY(table_number(&in->table, arena, "size_year", YEAR_MOST, &o->size_year));
    o->headcount_known = *field(in, "headcount") != '\0';
    if (o->headcount_known && o->size_year == 0)
        return table_bad(&in->table, arena, "size_year", "must be the year of the headcount");
    return OK;
}

static struct status
read_row(struct organisations *in, struct arena *arena,
         Registry__V1__CreateOrganisationRequest *o)
{
    static const char *const schemes[] = {"ror", "se-orgnr", "fi-ytunnus", "vat", "lei"};
    const int type =
        import_enum(&registry__v1__organisation_type__descriptor, field(in, "type"));
    const int ownership =
        *field(in, "ownership")
            ? import_enum(&registry__v1__ownership__descriptor, field(in, "ownership"))
            : 0;

    TRY(add_name(arena, o, "sv", field(in, "name_sv")));
    TRY(add_name(arena, o, "fi", field(in, "name_fi")));
    TRY(add_name(arena, o, "en",
                 *field(in, "name_en") ? field(in, "name_en") : field(in, "name")));
    if (o->n_names == 0)
        return table_bad(&in->table, arena, "name", "must not be empty");
    if (type <= 0)
        return table_bad(&in->table, arena, "type", "is not a type such as company or hei_uas");
    if (ownership < 0)
        return table_bad(&in->table, arena, "ownership",
                         "must be public_owned, private_owned or mixed_owned");
    if (strlen(field(in, "country")) != 2)
        return table_bad(&in->table, arena, "country", "must be an ISO 3166-1 code such as SE");
    o->type = (Registry__V1__OrganisationType)type;
    o->ownership = (Registry__V1__Ownership)ownership;
    o->country = field(in, "country");
    o->nuts = field(in, "nuts");
    o->nace = field(in, "nace");
    o->website = field(in, "website");
    TRY(read_size(in, arena, o));
    for (size_t i = 0; i < COUNT_OF(schemes); i++)
        TRY(add_id(arena, o, schemes[i], field(in, schemes[i])));
    return OK;
}

static struct status
next_row(struct organisations *in, struct arena *arena, ProtobufCMessage **ret,
         size_t *ret_line, bool *ret_lost)
{
    Registry__V1__CreateOrganisationRequest *o;
    bool any;

    *ret_lost = true;
    TRY(table_next(&in->table, arena, &any));
    *ret_lost = false;
    *ret_line = in->table.csv.line;
    if (!any)
        return OK;
    TRY(new_organisation(arena, &o));
    TRY(read_row(in, arena, o));
    *ret = &o->base;
    return OK;
}

/* The types of research organisation registries in our words. */
static Registry__V1__OrganisationType
type_of(const char *name, const char *type)
{
    static const struct {
        const char *theirs;
        Registry__V1__OrganisationType ours;
    } types[] = {
        {"Education", REGISTRY__V1__ORGANISATION_TYPE__HEI_UNIVERSITY},
        {"Company", REGISTRY__V1__ORGANISATION_TYPE__COMPANY},
        {"Government", REGISTRY__V1__ORGANISATION_TYPE__AUTHORITY},
        {"Nonprofit", REGISTRY__V1__ORGANISATION_TYPE__ASSOCIATION},
        {"Facility", REGISTRY__V1__ORGANISATION_TYPE__RESEARCH_INSTITUTE},
        {"Funder", REGISTRY__V1__ORGANISATION_TYPE__FUNDER},
    };

    if (strcmp(type, "Education") == 0 && strstr(name, "University of Applied Sciences"))
        return REGISTRY__V1__ORGANISATION_TYPE__HEI_UAS;
    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (strcasecmp(type, types[i].theirs) == 0)
            return types[i].ours;
    return REGISTRY__V1__ORGANISATION_TYPE__OTHER_ORGANISATION;
}

static const char *
member(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

static struct status
next_object(struct organisations *in, struct arena *arena, ProtobufCMessage **ret,
            size_t *ret_line)
{
    const size_t index = in->index;
    const json_t *object = json_array_get(in->list, index);
    Registry__V1__CreateOrganisationRequest *o;
    char *place = arena_printf(arena, "/%zu", index);

    TRY(need(place));
    *ret_line = index;
    if (!object)
        return OK;
    in->index++;
    if (!json_is_object(object) || !*member(object, "name"))
        return FAIL_FIELD(arena, place, "must be an object with a name");
    if (strlen(member(object, "country_code")) != 2)
        return FAIL_FIELD(arena, place, "must have a country_code such as SE");

    const char *type = json_string_value(json_array_get(json_object_get(object, "types"), 0));

    TRY(new_organisation(arena, &o));
    TRY(add_name(arena, o, "en", member(object, "name")));
    TRY(add_id(arena, o, "ror",
               *member(object, "ror") ? member(object, "ror") : member(object, "id")));
    o->type = type_of(member(object, "name"), type ? type : "");
    o->country = member(object, "country_code");
    *ret = &o->base;
    return OK;
}

static struct status
next_organisation(void *context, struct arena *arena, ProtobufCMessage **ret, size_t *ret_line,
                  bool *ret_lost)
{
    struct organisations *in = context;

    *ret = NULL;
    *ret_lost = false;
    if (in->list)
        return next_object(in, arena, ret, ret_line);
    return next_row(in, arena, ret, ret_line, ret_lost);
}

static struct status
rewind_organisations(void *context, struct arena *arena)
{
    struct organisations *in = context;
    static const char *const columns[] = {
        "name", "name_sv",  "name_fi",    "name_en",   "type",      "country",
        "nuts", "nace",     "website",    "headcount", "size_year", "ownership",
        "ror",  "se-orgnr", "fi-ytunnus", "vat",       "lei",       NULL};

    in->index = 0;
    if (in->list)
        return OK;
    TRY(table_open(&in->table, &in->source, arena));
    TRY(table_only(&in->table, arena, columns));
    if (table_column(&in->table, "type") < 0 || table_column(&in->table, "country") < 0)
        return FAIL_FIELD(arena, "line 1", "the columns type and country are needed");
    return OK;
}

static struct status
fill_organisations(void *context, struct arena *arena, ProtobufCMessage **items, size_t count,
                   size_t number, ProtobufCMessage **ret)
{
    Registry__V1__ImportOrganisationsRequest *request;

    (void)context;
    (void)number;
    TRY(need(request = ARENA_NEW(arena, Registry__V1__ImportOrganisationsRequest)));
    registry__v1__import_organisations_request__init(request);
    TRY(need(request->organisations =
                 ARENA_ARRAY(arena, Registry__V1__CreateOrganisationRequest *, count)));
    for (size_t i = 0; i < count; i++)
        request->organisations[i] = (Registry__V1__CreateOrganisationRequest *)items[i];
    request->n_organisations = count;
    *ret = &request->base;
    return OK;
}

static struct status
parse_json(struct organisations *in, struct arena *arena)
{
    json_error_t error;
    char *place;

    in->list = json_loadb(in->source.text, in->source.size, JSON_REJECT_DUPLICATES, &error);
    if (!in->list) {
        TRY(need(place = arena_printf(arena, "line %d, column %d", error.line, error.column)));
        return FAIL_FIELD(arena, place, "%s", error.text);
    }
    if (!json_is_array(in->list) || json_array_size(in->list) > JSON_ITEMS)
        return FAIL_FIELD(arena, "/", "must be a list of at most %d objects", JSON_ITEMS);
    return OK;
}

static struct status
read_and_run(struct cli *cli, struct organisations *in, struct import_options *options)
{
    struct importer importer = {.what = "organisations",
                                .method = "registry.v1.Organisations/ImportOrganisations",
                                .reply = &registry__v1__import_organisations_reply__descriptor,
                                .context = in,
                                .rewind = rewind_organisations,
                                .next = next_organisation,
                                .fill = fill_organisations};
    const char *start = in->source.text + strspn(in->source.text, " \t\r\n");

    if (!cli->tenant && !options->dry_run)
        return FAIL_FIELD(cli->arena, "--tenant", "must say which tenant adds them");
    if (*start == '[' || *start == '{')
        TRY(parse_json(in, cli->arena));
    importer.pointers = in->list != NULL;
    TRY(fingerprint_of(cli->arena, &in->source, 1, &options->fingerprint));
    return import_run(cli, &importer, options);
}

struct status
import_organisations(struct cli *cli, const char *file, struct import_options *options)
{
    struct organisations *in = ARENA_NEW(cli->arena, struct organisations);

    TRY(need(in));
    TRY(source_read(file, ".csv", cli->arena, &in->source));

    const struct status status = read_and_run(cli, in, options);

    json_decref(in->list);
    source_fini(&in->source);
    return status;
}
