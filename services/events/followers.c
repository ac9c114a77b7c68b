#include "services/events/followers.h"

#include <string.h>

#include "common/service/service.h"
#include "services/events/state.h"
#include "services/events/store_census.h"
#include "services/events/store_consumer.h"

/* Whose follows the caller sees: a system its own, an officer those of the tenant's systems,
 * operators and services all. */
struct view {
    const char *tenant_id, *user_id; /* NULL: of all */
};

static struct status
view_of(struct call *call, struct view *ret)
{
    *ret = (struct view){0};
    if (call->principal->kind == WIRE__V1__PRINCIPAL__KIND__SYSTEM)
        return need(ret->user_id =
                        arena_printf(call->arena, "system:%s", call->principal->subject_id));
    if (!call_has_role(call, WIRE__V1__ROLE__OPERATOR) &&
        !call_has_role(call, WIRE__V1__ROLE__SERVICE))
        ret->tenant_id = call->tenant_id;
    return OK;
}

static struct status
make_follower(struct arena *arena, const struct store_census_row *row, uint64_t head,
              Events__V1__Follower **ret)
{
    Events__V1__Follower *follower = ARENA_NEW(arena, Events__V1__Follower);

    TRY(need(follower));
    events__v1__follower__init(follower);
    follower->instance = row->instance;
    follower->user_id = row->user_id;
    follower->consumer = row->consumer;
    follower->members = row->members;
    follower->position = row->position;
    follower->lag = head > row->position ? head - row->position : 0;
    follower->events_sent = row->events_sent;
    follower->events_per_second = (uint32_t)row->events_per_second;
    follower->blocked = row->blocked;
    follower->since_unix_ms = row->since_unix_ms;
    follower->n_types = row->type_count;
    TRY(need(follower->types = ARENA_ARRAY(arena, const char *, row->type_count + 1)));
    for (size_t i = 0; i < row->type_count; i++)
        follower->types[i] = row->types[i];
    *ret = follower;
    return OK;
}

struct status
followers_list(struct call *call, const Events__V1__ListFollowersRequest *request,
               Events__V1__ListFollowersReply *reply)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    struct store_census_row *rows;
    uint64_t first_kept;
    struct view view;
    size_t count;

    (void)request;
    TRY(view_of(call, &view));
    TRY(call_begin(call, NULL, true, &tx));
    TRY(store_head(&tx, &reply->head, &first_kept));
    TRY(store_log_rate(&tx, &reply->events_per_second));
    TRY(store_census_list(&tx, view.tenant_id, view.user_id, &rows, &count));
    TRY(need(reply->followers = ARENA_ARRAY(call->arena, Events__V1__Follower *, count + 1)));
    for (size_t i = 0; i < count; i++)
        TRY(make_follower(call->arena, &rows[i], reply->head, &reply->followers[i]));
    reply->n_followers = count;
    return OK;
}

struct status
followers_forget(struct call *call, const Events__V1__ForgetConsumerRequest *request,
                 Events__V1__ForgetConsumerReply *reply)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    const char *user_id = request->user_id;
    bool visible = true;
    struct view view;

    (void)reply;
    TRY(view_of(call, &view));
    if (view.user_id && !*user_id)
        user_id = view.user_id;
    if (!*user_id)
        return FAIL_FIELD(call->arena, "user_id", "names whose consumer it is");
    TRY(call_begin(call, NULL, false, &tx));
    if (view.user_id)
        visible = strcmp(user_id, view.user_id) == 0;
    else if (view.tenant_id)
        TRY(store_system_of_tenant(&tx, view.tenant_id, user_id, &visible));
    if (!visible)
        return FAIL(call->arena, NOT_FOUND, "no such consumer");
    TRY(store_consumer_forget(&tx, user_id, request->consumer));
    return pg_tx_commit(&tx);
}
