#include "registry/v1/needs.pb-c.h"

#include <string.h>

#include "common/pg/cursor.h"
#include "services/registry/concepts/skills.h"
#include "services/registry/needs/needs.h"
#include "services/registry/needs/rules.h"
#include "services/registry/needs/store.h"
#include "services/registry/organisations/owner.h"
#include "services/registry/values/profiles.h"
#include "services/registry/values/resource.h"
#include "services/registry/values/values.h"

static struct need_viewer
viewer_of(const struct call *call)
{
    struct need_viewer viewer = {.contact_for = owner_contact_for(call),
                                 .published_only = call->principal->n_roles > 0};

    for (size_t i = 0; i < call->principal->n_roles; i++)
        viewer.published_only &= call->principal->roles[i] == WIRE__V1__ROLE__REGION_ANALYST;
    return viewer;
}

static bool
published(const Registry__V1__Need *need_)
{
    return need_->state == REGISTRY__V1__NEED_STATE__NEED_PUBLISHED;
}

/* Tells those who may see the need. */
static struct status
emit(struct call *call, const Registry__V1__Need *need_, const ProtobufCMessage *data)
{
    struct outbox_event event = {.data = data, .subject = need_->need_id, .nuts = need_->nuts};
    const Registry__V1__Organisation *owner;

    TRY(owner_find(call, need_->organisation_id, &owner));
    owner_describe(owner, &event);
    TRY(skills_key(call->arena, need_->skills, need_->n_skills, &event.esco));
    TRY(values_audience(call->arena, need_->visibility, need_->shared_with,
                        need_->n_shared_with, &event.audience));
    return call_emit(call, event);
}

static struct status
tell_matching(struct call *call, const Registry__V1__Need *need_)
{
    return profiles_tell(call, published(need_) ? PROFILE_CHANGED : PROFILE_WITHDRAWN, "need",
                         &need_->need_id, 1);
}

/* What the need refers to exists; the skills get their labels, the region its default. */
static struct status
complete(struct call *call, Registry__V1__Need *need_)
{
    const Registry__V1__Organisation *owner;

    TRY(owner_find(call, need_->organisation_id, &owner));
    if (!*need_->nuts)
        need_->nuts = owner->nuts;
    return skills_require(call->tx, call->arena, call->lang, "skills", need_->skills,
                          need_->n_skills);
}

static struct status
set_last_day(struct call *call, Registry__V1__Need *need_)
{
    const char *today;

    TRY(values_today(call->arena, clock_wall(call->clock), &today));
    return rules_need_last_day(call->arena, today, need_);
}

static struct status
announce_published(struct call *call, const Registry__V1__Need *need_)
{
    Registry__V1__NeedPublished event = REGISTRY__V1__NEED_PUBLISHED__INIT;

    event.need_id = need_->need_id;
    event.organisation_id = need_->organisation_id;
    TRY(emit(call, need_, &event.base));
    return tell_matching(call, need_);
}

static struct status
create_need(struct call *call, const Registry__V1__CreateNeedRequest *request,
            Registry__V1__CreateNeedReply *reply)
{
    Registry__V1__Need *need_;

    TRY(need(need_ = ARENA_NEW(call->arena, Registry__V1__Need)));
    registry__v1__need__init(need_);
    resource_from_request(&request->base, &need_->base);
    TRY(rules_need(call->arena, need_));
    TRY(owner_may_act(call, need_->organisation_id));
    TRY(complete(call, need_));
    need_->state = REGISTRY__V1__NEED_STATE__NEED_DRAFT;
    if (request->publish) {
        TRY(set_last_day(call, need_));
        need_->state = REGISTRY__V1__NEED_STATE__NEED_PUBLISHED;
    }
    need_->version = 1;
    need_->created_unix_ms = (uint64_t)clock_wall(call->clock).unix_ms;
    TRY(values_new_id(call->arena, call->clock, &need_->need_id));
    TRY(store_need_insert(call->tx, call->arena, need_));
    if (published(need_))
        TRY(announce_published(call, need_));
    reply->need = need_;
    return OK;
}

/* With whom else it is shared is for its own tenant to know. */
static void
redact(const struct call *call, const struct need_row *row)
{
    if (strcmp(row->tenant_id, call->tenant_id) != 0)
        row->need->n_shared_with = 0;
}

/* A need that the caller may see; all others do not exist. */
static struct status
find(struct call *call, const char *id, struct need_row *ret)
{
    const struct need_viewer viewer = viewer_of(call);
    struct need_row row;

    TRY(values_id(call->arena, "need_id", id, true));
    TRY(store_need_get(call->tx, call->arena, id, &row));
    if (!rules_need_may_see(&viewer, row.need))
        return FAIL(call->arena, NOT_FOUND, "there is no need %s", id);
    redact(call, &row);
    *ret = row;
    return OK;
}

/* One that the caller may change, in a state that allows `step`. */
static struct status
find_own(struct call *call, const char *id, enum need_step step, Registry__V1__Need **ret)
{
    struct need_row row;

    TRY(find(call, id, &row));
    if (strcmp(row.tenant_id, call->tenant_id) != 0)
        return FAIL(call->arena, PERMISSION_DENIED, "the need is another tenant's");
    TRY(owner_may_act(call, row.need->organisation_id));
    TRY(rules_need_step(call->arena, row.need, step));
    *ret = row.need;
    return OK;
}

static struct status
label(struct call *call, Registry__V1__Need *need_)
{
    const struct skill_list skills = {need_->skills, need_->n_skills};

    return skills_label(call->tx, call->arena, call->lang, &skills, 1, NULL);
}

static struct status
get_need(struct call *call, const Registry__V1__GetNeedRequest *request,
         Registry__V1__GetNeedReply *reply)
{
    struct need_row row;

    TRY(find(call, request->need_id, &row));
    TRY(label(call, row.need));
    reply->need = row.need;
    return OK;
}

static struct status
make_filter(struct call *call, const Registry__V1__ListNeedsRequest *request,
            const char **ret_listing, struct need_filter *ret)
{
    struct need_filter filter = {.state = (int)request->state,
                                 .organisation_id = request->organisation_id,
                                 .viewer = viewer_of(call)};
    const char *ignored;

    TRY(values_enum(call->arena, "state", &registry__v1__need_state__descriptor, filter.state,
                    false));
    TRY(values_id(call->arena, "organisation_id", filter.organisation_id, false));
    TRY(values_page_size(call->arena, request->page_size, &filter.limit));
    TRY(need(*ret_listing = arena_printf(call->arena, "needs\n%d\n%s\n%d\n%s", filter.state,
                                         filter.organisation_id, filter.viewer.published_only,
                                         filter.viewer.contact_for)));
    TRY(cursor_read(call->arena, call->tenant_id, *ret_listing, request->page_token, &ignored,
                    &filter.before_id));
    filter.limit++; /* one more tells whether there is a next page */
    *ret = filter;
    return OK;
}

static struct status
list_needs(struct call *call, const Registry__V1__ListNeedsRequest *request,
           Registry__V1__ListNeedsReply *reply)
{
    struct need_filter filter;
    struct skill_list *skills;
    struct need_row *rows;
    const char *listing;
    size_t count;

    TRY(make_filter(call, request, &listing, &filter));
    TRY(store_need_list(call->tx, call->arena, &filter, &rows, &count));
    if (count == filter.limit) {
        count--;
        TRY(cursor_make(call->arena, call->tenant_id, listing, "",
                        rows[count - 1].need->need_id, &reply->next_page_token));
    }
    TRY(need(reply->needs = ARENA_ARRAY(call->arena, Registry__V1__Need *, count + 1)));
    TRY(need(skills = ARENA_ARRAY(call->arena, struct skill_list, count + 1)));
    for (size_t i = 0; i < count; i++) {
        redact(call, &rows[i]);
        reply->needs[i] = rows[i].need;
        skills[i] = (struct skill_list){rows[i].need->skills, rows[i].need->n_skills};
    }
    reply->n_needs = count;
    return skills_label(call->tx, call->arena, call->lang, skills, count, NULL);
}

static struct status
update_need(struct call *call, const Registry__V1__UpdateNeedRequest *request,
            Registry__V1__UpdateNeedReply *reply)
{
    Registry__V1__Need *need_;

    TRY(find_own(call, request->need_id, NEED_STEP_CHANGE, &need_));
    TRY(resource_apply(call->arena, &request->base, request->update_fields,
                       request->n_update_fields, &need_->base));
    TRY(rules_need(call->arena, need_));
    TRY(complete(call, need_));
    if (published(need_))
        TRY(set_last_day(call, need_));
    TRY(store_need_update(call->tx, call->arena, need_, request->expected_version));
    if (published(need_))
        TRY(tell_matching(call, need_));
    reply->need = need_;
    return OK;
}

static struct status
publish_need(struct call *call, const Registry__V1__PublishNeedRequest *request,
             Registry__V1__PublishNeedReply *reply)
{
    Registry__V1__Need *need_;

    TRY(find_own(call, request->need_id, NEED_STEP_PUBLISH, &need_));
    TRY(set_last_day(call, need_));
    need_->state = REGISTRY__V1__NEED_STATE__NEED_PUBLISHED;
    TRY(store_need_update(call->tx, call->arena, need_, request->expected_version));
    TRY(announce_published(call, need_));
    TRY(label(call, need_));
    reply->need = need_;
    return OK;
}

static struct status
close_need(struct call *call, const Registry__V1__CloseNeedRequest *request,
           Registry__V1__CloseNeedReply *reply)
{
    Registry__V1__NeedFulfilled event = REGISTRY__V1__NEED_FULFILLED__INIT;
    Registry__V1__Need *need_;

    TRY(find_own(call, request->need_id, NEED_STEP_CLOSE, &need_));
    need_->state = request->fulfilled ? REGISTRY__V1__NEED_STATE__NEED_FULFILLED
                                      : REGISTRY__V1__NEED_STATE__NEED_WITHDRAWN;
    TRY(store_need_update(call->tx, call->arena, need_, request->expected_version));
    event.need_id = need_->need_id;
    if (request->fulfilled)
        TRY(emit(call, need_, &event.base));
    TRY(tell_matching(call, need_));
    TRY(label(call, need_));
    reply->need = need_;
    return OK;
}

#define METHOD(handler, Name)                                                                  \
    RPC_METHOD(Registry__V1__Needs_Service, handler, Registry__V1__##Name##Request,            \
               Registry__V1__##Name##Reply)

METHOD(create_need, CreateNeed)
METHOD(get_need, GetNeed)
METHOD(list_needs, ListNeeds)
METHOD(update_need, UpdateNeed)
METHOD(publish_need, PublishNeed)
METHOD(close_need, CloseNeed)

static Registry__V1__Needs_Service service = REGISTRY__V1__NEEDS__INIT(rpc_);
const ProtobufCService *const needs_service = &service.base;
