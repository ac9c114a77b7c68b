#include "registry/v1/organisations.pb-c.h"

#include <string.h>

#include "common/pg/cursor.h"
#include "common/service/call.h"
#include "services/registry/organisations/organisations.h"
#include "services/registry/organisations/rules.h"
#include "services/registry/organisations/store.h"
#include "services/registry/values/resource.h"
#include "services/registry/values/values.h"

#define IMPORT_MOST 500
#define EVENT_IDS_MOST 300 /* an event has at most 16 KiB */

/* What every event about an organisation carries besides its data. */
static struct outbox_event
event_about(const Registry__V1__Organisation *organisation, const ProtobufCMessage *data)
{
    return (struct outbox_event){.data = data,
                                 .subject = organisation->organisation_id,
                                 .audience = "public",
                                 .nuts = organisation->nuts,
                                 .nace = organisation->nace};
}

/* Stores a fresh organisation. */
static struct status
add(struct call *call, Registry__V1__Organisation *organisation)
{
    organisation->version = 1;
    TRY(values_new_id(call->arena, call->clock, &organisation->organisation_id));
    return store_organisation_insert(call->tx, call->arena, call->tenant_id, organisation);
}

static struct status
create_organisation(struct call *call, const Registry__V1__CreateOrganisationRequest *request,
                    Registry__V1__CreateOrganisationReply *reply)
{
    Registry__V1__OrganisationRegistered event = REGISTRY__V1__ORGANISATION_REGISTERED__INIT;
    Registry__V1__Organisation *organisation;

    TRY(need(organisation = ARENA_NEW(call->arena, Registry__V1__Organisation)));
    registry__v1__organisation__init(organisation);
    resource_from_request(&request->base, &organisation->base);
    TRY(rules_organisation(call->arena, organisation));
    TRY(add(call, organisation));

    event.organisation_id = organisation->organisation_id;
    TRY(call_emit(call, event_about(organisation, &event.base)));
    reply->organisation = organisation;
    return OK;
}

static struct status
get_organisation(struct call *call, const Registry__V1__GetOrganisationRequest *request,
                 Registry__V1__GetOrganisationReply *reply)
{
    struct organisation_row row;

    TRY(values_id(call->arena, "organisation_id", request->organisation_id, true));
    TRY(store_organisation_get(call->tx, call->arena, request->organisation_id, &row));
    reply->organisation = row.organisation;
    return OK;
}

/* Splits "ror:https://..." into scheme and value; a text without a known scheme is a value. */
static struct status
split_external_id(struct arena *arena, const char *text, struct organisation_filter *filter)
{
    static const char *const schemes[] = {"ror",  "se-orgnr", "fi-ytunnus", "vat",     "pic",
                                          "isni", "lei",      "grid",       "wikidata"};

    filter->scheme = "";
    filter->value = text;
    for (size_t i = 0; i < COUNT_OF(schemes); i++) {
        const size_t length = strlen(schemes[i]);

        if (strncmp(text, schemes[i], length) == 0 && text[length] == ':') {
            filter->scheme = schemes[i];
            filter->value = text + length + 1;
        }
    }
    if (*text && !*filter->value)
        return FAIL_FIELD(arena, "external_id", "must have a value after the scheme");
    return OK;
}

static struct status
make_filter(struct call *call, const Registry__V1__ListOrganisationsRequest *request,
            const char **ret_listing, struct organisation_filter *ret)
{
    struct organisation_filter filter = {.type = (int)request->type,
                                         .country = request->country,
                                         .nuts_prefix = request->nuts_prefix};

    TRY(values_enum(call->arena, "type", &registry__v1__organisation_type__descriptor,
                    (int)request->type, false));
    if (*request->country)
        TRY(values_country(call->arena, "country", request->country));
    TRY(values_nuts(call->arena, "nuts_prefix", request->nuts_prefix));
    TRY(split_external_id(call->arena, request->external_id, &filter));
    TRY(values_like(call->arena, "name", request->name, &filter.name));
    TRY(values_page_size(call->arena, request->page_size, &filter.limit));
    TRY(need(*ret_listing = arena_printf(call->arena, "organisations\n%s\n%d\n%s\n%s\n%s",
                                         filter.name, filter.type, filter.country,
                                         filter.nuts_prefix, request->external_id)));
    TRY(cursor_read(call->arena, call->tenant_id, *ret_listing, request->page_token,
                    &filter.after_name, &filter.after_id));
    filter.limit++; /* one more tells whether there is a next page */
    *ret = filter;
    return OK;
}

static struct status
list_organisations(struct call *call, const Registry__V1__ListOrganisationsRequest *request,
                   Registry__V1__ListOrganisationsReply *reply)
{
    struct organisation_filter filter;
    struct organisation_row *rows;
    const char *listing;
    size_t count;

    TRY(make_filter(call, request, &listing, &filter));
    TRY(store_organisation_list(call->tx, call->arena, &filter, &rows, &count));
    if (count == filter.limit) {
        count--;
        TRY(cursor_make(call->arena, call->tenant_id, listing, rows[count - 1].name_sort,
                        rows[count - 1].organisation->organisation_id,
                        &reply->next_page_token));
    }
    TRY(need(reply->organisations =
                 ARENA_ARRAY(call->arena, Registry__V1__Organisation *, count + 1)));
    for (size_t i = 0; i < count; i++)
        reply->organisations[i] = rows[i].organisation;
    reply->n_organisations = count;
    return OK;
}

static struct status
emit_changes(struct call *call, const Registry__V1__Organisation *organisation,
             Registry__V1__OrganisationStatus before, const char **fields, size_t count)
{
    Registry__V1__OrganisationUpdated updated = REGISTRY__V1__ORGANISATION_UPDATED__INIT;
    Registry__V1__OrganisationStatusChanged changed =
        REGISTRY__V1__ORGANISATION_STATUS_CHANGED__INIT;

    updated.organisation_id = organisation->organisation_id;
    updated.changed_fields = fields;
    updated.n_changed_fields = count;
    updated.version = organisation->version;
    TRY(call_emit(call, event_about(organisation, &updated.base)));
    if (organisation->status == before)
        return OK;
    changed.organisation_id = organisation->organisation_id;
    changed.status = organisation->status;
    return call_emit(call, event_about(organisation, &changed.base));
}

static struct status
update_organisation(struct call *call, const Registry__V1__UpdateOrganisationRequest *request,
                    Registry__V1__UpdateOrganisationReply *reply)
{
    struct organisation_row row;
    bool host;

    TRY(values_id(call->arena, "organisation_id", request->organisation_id, true));
    TRY(store_organisation_get(call->tx, call->arena, request->organisation_id, &row));
    TRY(store_tenant_is_host(call->tx, call->arena, call->tenant_id, &host));
    TRY(rules_organisation_may_change(call->arena, row.organisation->verified,
                                      row.created_by_tenant, call->tenant_id, host));

    const Registry__V1__OrganisationStatus before = row.organisation->status;

    TRY(resource_apply(call->arena, &request->base, request->update_fields,
                       request->n_update_fields, &row.organisation->base));
    TRY(rules_organisation(call->arena, row.organisation));
    TRY(store_organisation_update(call->tx, call->arena, row.organisation,
                                  request->expected_version));
    TRY(emit_changes(call, row.organisation, before, request->update_fields,
                     request->n_update_fields));
    reply->organisation = row.organisation;
    return OK;
}

static struct status
relate_organisations(struct call *call, const Registry__V1__RelateOrganisationsRequest *request,
                     Registry__V1__RelateOrganisationsReply *reply)
{
    Registry__V1__OrganisationsRelated event = REGISTRY__V1__ORGANISATIONS_RELATED__INIT;
    Registry__V1__OrganisationRelation *relation;

    TRY(rules_organisation_relation(call->arena, request));
    TRY(need(relation = ARENA_NEW(call->arena, Registry__V1__OrganisationRelation)));
    registry__v1__organisation_relation__init(relation);
    resource_from_request(&request->base, &relation->base);
    TRY(values_new_id(call->arena, call->clock, &relation->relation_id));
    TRY(store_organisation_relate(call->tx, call->arena, call->tenant_id, relation));

    event.parent_id = relation->parent_id;
    event.child_id = relation->child_id;
    event.kind = relation->kind;
    TRY(call_emit(call, (struct outbox_event){.data = &event.base,
                                              .subject = relation->child_id,
                                              .audience = "public"}));
    reply->relation = relation;
    return OK;
}

static struct status
list_organisation_relations(struct call *call,
                            const Registry__V1__ListOrganisationRelationsRequest *request,
                            Registry__V1__ListOrganisationRelationsReply *reply)
{
    TRY(values_id(call->arena, "organisation_id", request->organisation_id, true));
    return store_organisation_relations(call->tx, call->arena, request->organisation_id,
                                        &reply->relations, &reply->n_relations);
}

/* What an import may change of a known organisation. */
static const char *const imported_fields[] = {"names", "type",         "country", "nuts",
                                              "nace",  "external_ids", "website"};

/* Refreshes a known organisation; *ret_changed is false when it says the same already. */
static struct status
refresh(struct call *call, const char *id,
        const Registry__V1__CreateOrganisationRequest *request, bool *ret_changed)
{
    struct organisation_row row;
    struct bytes before, after;

    TRY(store_organisation_get(call->tx, call->arena, id, &row));
    TRY(wire_pack(&row.organisation->base, call->arena, &before));
    TRY(resource_apply(call->arena, &request->base, imported_fields, COUNT_OF(imported_fields),
                       &row.organisation->base));
    TRY(rules_organisation(call->arena, row.organisation));
    TRY(wire_pack(&row.organisation->base, call->arena, &after));
    *ret_changed =
        before.size != after.size || memcmp(before.data, after.data, before.size) != 0;
    if (!*ret_changed)
        return OK;
    return store_organisation_update(call->tx, call->arena, row.organisation,
                                     row.organisation->version);
}

/* The same failure, with the place in the import before its field. */
static struct status
at_item(struct call *call, size_t index, struct status status)
{
    if (failed(status) && status.field)
        status.field = arena_printf(call->arena, "organisations[%zu].%s", index, status.field);
    return status;
}

static struct status
import_one(struct call *call, const Registry__V1__CreateOrganisationRequest *request,
           Registry__V1__ImportOrganisationsReply *reply, const char **ret_id)
{
    Registry__V1__Organisation organisation;
    bool changed;

    registry__v1__organisation__init(&organisation);
    resource_from_request(&request->base, &organisation.base);
    TRY(rules_organisation(call->arena, &organisation));
    TRY(store_organisation_find_known(call->tx, call->arena, &organisation, ret_id));
    if (!*ret_id) {
        TRY(add(call, &organisation));
        *ret_id = organisation.organisation_id;
        reply->created++;
        return OK;
    }
    TRY(refresh(call, *ret_id, request, &changed));
    if (changed) {
        reply->refreshed++;
    } else {
        reply->unchanged++;
        *ret_id = NULL;
    }
    return OK;
}

static struct status
emit_imported(struct call *call, const char **ids, size_t count)
{
    for (size_t from = 0; from < count; from += EVENT_IDS_MOST) {
        Registry__V1__OrganisationsImported event = REGISTRY__V1__ORGANISATIONS_IMPORTED__INIT;

        event.organisation_ids = ids + from;
        event.n_organisation_ids =
            count - from < EVENT_IDS_MOST ? count - from : EVENT_IDS_MOST;
        TRY(call_emit(call, (struct outbox_event){.data = &event.base,
                                                  .subject = ids[from],
                                                  .audience = "public"}));
    }
    return OK;
}

static struct status
import_organisations(struct call *call, const Registry__V1__ImportOrganisationsRequest *request,
                     Registry__V1__ImportOrganisationsReply *reply)
{
    const size_t count = request->n_organisations;
    size_t changed_count = 0;
    const char **changed;

    if (count == 0 || count > IMPORT_MOST)
        return FAIL_FIELD(call->arena, "organisations", "must have 1 to %d items", IMPORT_MOST);
    TRY(need(changed = ARENA_ARRAY(call->arena, const char *, count)));
    for (size_t i = 0; i < count; i++) {
        const char *id = NULL;

        TRY(at_item(call, i, import_one(call, request->organisations[i], reply, &id)));
        if (id)
            changed[changed_count++] = id;
    }
    return emit_imported(call, changed, changed_count);
}

#define METHOD(handler, Name)                                                                  \
    RPC_METHOD(Registry__V1__Organisations_Service, handler, Registry__V1__##Name##Request,    \
               Registry__V1__##Name##Reply)

METHOD(create_organisation, CreateOrganisation)
METHOD(get_organisation, GetOrganisation)
METHOD(list_organisations, ListOrganisations)
METHOD(update_organisation, UpdateOrganisation)
METHOD(relate_organisations, RelateOrganisations)
METHOD(list_organisation_relations, ListOrganisationRelations)
METHOD(import_organisations, ImportOrganisations)

static Registry__V1__Organisations_Service service = REGISTRY__V1__ORGANISATIONS__INIT(rpc_);
const ProtobufCService *const organisations_service = &service.base;
