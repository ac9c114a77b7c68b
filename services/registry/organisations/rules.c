#include "services/registry/organisations/rules.h"

#include <string.h>

#include "common/base/utf8.h"
#include "services/registry/values/values.h"

#define NAMES_MOST 10
#define NAME_LENGTH 300
#define EXTERNAL_IDS_MOST 20
#define SOURCE_LENGTH 300

static const uint64_t million = 1000000;

Registry__V1__SizeClass
rules_organisation_size_class(const Registry__V1__Organisation *organisation)
{
    static const struct {
        Registry__V1__SizeClass size_class;
        uint32_t headcount;         /* below */
        uint64_t turnover, balance; /* million euros, up to; either is enough */
    } classes[] = {
        {REGISTRY__V1__SIZE_CLASS__MICRO, 10, 2, 2},
        {REGISTRY__V1__SIZE_CLASS__SMALL, 50, 10, 10},
        {REGISTRY__V1__SIZE_CLASS__MEDIUM, 250, 50, 43},
    };

    if (!organisation->headcount_known)
        return REGISTRY__V1__SIZE_CLASS__SIZE_CLASS_UNSPECIFIED;
    for (size_t i = 0; i < COUNT_OF(classes); i++)
        if (organisation->headcount < classes[i].headcount &&
            (organisation->turnover_eur <= classes[i].turnover * million ||
             organisation->balance_eur <= classes[i].balance * million))
            return classes[i].size_class;
    return REGISTRY__V1__SIZE_CLASS__LARGE;
}

static struct status
check_size(struct arena *arena, const Registry__V1__Organisation *organisation)
{
    const bool figures = organisation->headcount_known || organisation->turnover_eur ||
                         organisation->balance_eur;

    if (!organisation->headcount_known && organisation->headcount)
        return FAIL_FIELD(arena, "headcount_known", "must be true when a headcount is given");
    if (figures && (organisation->size_year < 1990 || organisation->size_year > 2100))
        return FAIL_FIELD(arena, "size_year", "must be the year of the figures, 1990 to 2100");
    if (organisation->turnover_eur > INT64_MAX)
        return FAIL_FIELD(arena, "turnover_eur", "is too large");
    if (organisation->balance_eur > INT64_MAX)
        return FAIL_FIELD(arena, "balance_eur", "is too large");
    return OK;
}

static struct status
check_external_ids(struct arena *arena, Registry__V1__Organisation *organisation)
{
    if (organisation->n_external_ids > EXTERNAL_IDS_MOST)
        return FAIL_FIELD(arena, "external_ids", "must have at most %d items",
                          EXTERNAL_IDS_MOST);
    for (size_t i = 0; i < organisation->n_external_ids; i++) {
        Registry__V1__ExternalId *id = organisation->external_ids[i];
        char *field = arena_printf(arena, "external_ids[%zu]", i);
        bool checked = false;

        TRY(need(field));
        TRY(values_external_id(arena, field, id, &checked));
        id->verified = checked;
        organisation->verified |= checked;
        for (size_t j = 0; j < i; j++)
            if (strcmp(id->scheme, organisation->external_ids[j]->scheme) == 0 &&
                strcmp(id->value, organisation->external_ids[j]->value) == 0)
                return FAIL_FIELD(arena, field, "is the same as item %zu", j);
    }
    return OK;
}

struct status
rules_organisation(struct arena *arena, Registry__V1__Organisation *organisation)
{
    const struct values_text_rule names = {1, NAMES_MOST, NAME_LENGTH, true};

    TRY(values_texts(arena, "names", organisation->names, organisation->n_names, names));
    TRY(values_enum(arena, "type", &registry__v1__organisation_type__descriptor,
                    (int)organisation->type, true));
    TRY(values_enum(arena, "ownership", &registry__v1__ownership__descriptor,
                    (int)organisation->ownership, false));
    if (organisation->status ==
        REGISTRY__V1__ORGANISATION_STATUS__ORGANISATION_STATUS_UNSPECIFIED)
        organisation->status = REGISTRY__V1__ORGANISATION_STATUS__ACTIVE;
    TRY(values_enum(arena, "status", &registry__v1__organisation_status__descriptor,
                    (int)organisation->status, true));
    TRY(values_country(arena, "country", organisation->country));
    TRY(values_nuts(arena, "nuts", organisation->nuts));
    TRY(values_nace(arena, "nace", organisation->nace));
    TRY(values_url(arena, "website", organisation->website));
    TRY(check_size(arena, organisation));
    TRY(check_external_ids(arena, organisation));
    organisation->size_class = rules_organisation_size_class(organisation);
    return OK;
}

const char *
rules_organisation_type_word(Registry__V1__OrganisationType type)
{
    static const char *const words[] = {
        "",
        "hei_university",
        "hei_uas",
        "company",
        "association",
        "authority",
        "region",
        "research_institute",
        "science_park",
        "chamber",
        "funder",
        "business_promotion",
        "other",
    };

    return (size_t)type < COUNT_OF(words) ? words[type] : "";
}

struct status
rules_organisation_may_change(struct arena *arena, bool verified, const char *created_by_tenant,
                              const char *tenant_id, bool tenant_is_host)
{
    if (tenant_is_host)
        return OK;
    if (verified)
        return FAIL(arena, PERMISSION_DENIED,
                    "a verified organisation is corrected by the host tenant");
    if (strcmp(created_by_tenant, tenant_id) != 0)
        return FAIL(arena, PERMISSION_DENIED,
                    "an organisation is corrected by the tenant that added it");
    return OK;
}

struct status
rules_organisation_relation(struct arena *arena,
                            const Registry__V1__RelateOrganisationsRequest *request)
{
    const char *source = request->source;

    TRY(values_id(arena, "parent_id", request->parent_id, true));
    TRY(values_id(arena, "child_id", request->child_id, true));
    if (strcmp(request->parent_id, request->child_id) == 0)
        return FAIL_FIELD(arena, "child_id", "must differ from the parent");
    TRY(values_enum(arena, "kind", &registry__v1__relation_kind__descriptor, (int)request->kind,
                    true));
    if (request->share_thousandths > 1000)
        return FAIL_FIELD(arena, "share_thousandths", "must be at most 1000");
    if (request->kind == REGISTRY__V1__RELATION_KIND__OWNS && request->share_thousandths == 0)
        return FAIL_FIELD(arena, "share_thousandths", "must be given when one owns the other");
    TRY(values_date(arena, "valid_from", request->valid_from, false));
    TRY(values_date(arena, "valid_to", request->valid_to, false));
    if (*request->valid_from && *request->valid_to &&
        strcmp(request->valid_to, request->valid_from) <= 0)
        return FAIL_FIELD(arena, "valid_to", "must be after valid_from");
    return values_line(arena, "source", &source, 1, SOURCE_LENGTH);
}

struct status
rules_organisation_names(struct arena *arena, const Registry__V1__Organisation *organisation,
                         const char **ret)
{
    char *all = arena_copy(arena, "");

    TRY(need(all));
    for (size_t i = 0; i < organisation->n_names; i++) {
        char *folded = utf8_fold(arena, organisation->names[i]->value);

        TRY(need(folded));
        TRY(need(all = arena_printf(arena, i ? "%s\n%s" : "%s%s", all, folded)));
    }
    *ret = all;
    return OK;
}
