#include "matching/v1/searches.pb-c.h"

#include "common/base/uuid.h"
#include "common/service/call.h"
#include "services/matching/searches/rules.h"
#include "services/matching/searches/searches.h"
#include "services/matching/searches/store.h"

static struct status
check_id(struct call *call, const char *id)
{
    return uuid_valid(id)
               ? OK
               : FAIL_FIELD(call->arena, "search_id", "must be a UUID in lower case");
}

static struct status
save_search(struct call *call, const Matching__V1__SaveSearchRequest *request,
            Matching__V1__SaveSearchReply *reply)
{
    Matching__V1__SearchSaved event = MATCHING__V1__SEARCH_SAVED__INIT;
    Matching__V1__Search *search = ARENA_NEW(call->arena, Matching__V1__Search);
    const char *account = call->principal->subject_id;
    uint64_t of_account, of_tenant;
    char id[UUID_SIZE];

    TRY(need(search));
    TRY(rules_search(call->arena, request));
    TRY(store_search_count(call->tx, account, &of_account, &of_tenant));
    TRY(rules_search_room(call->arena, of_account, of_tenant));
    matching__v1__search__init(search);
    uuid_v7(call->clock, id);
    TRY(need(search->search_id = arena_copy(call->arena, id)));
    search->name = request->name;
    search->terms = request->terms;
    search->saved_unix_ms = (uint64_t)clock_wall(call->clock).unix_ms;
    search->version = 1;
    TRY(store_search_insert(call->tx, account, search));
    event.search_id = search->search_id;
    TRY(call_emit(call,
                  (struct outbox_event){.data = &event.base, .subject = event.search_id}));
    reply->search = search;
    return OK;
}

static struct status
list_searches(struct call *call, const Matching__V1__ListSearchesRequest *request,
              Matching__V1__ListSearchesReply *reply)
{
    struct search_row *rows;
    size_t count;

    (void)request;
    TRY(store_search_list(call->tx, call->arena, call->principal->subject_id, "",
                          SEARCHES_OF_ACCOUNT_MAX, &rows, &count));
    TRY(need(reply->searches = ARENA_ARRAY(call->arena, Matching__V1__Search *, count + 1)));
    for (size_t i = 0; i < count; i++)
        reply->searches[i] = rows[i].search;
    reply->n_searches = count;
    return OK;
}

static struct status
get_search(struct call *call, const Matching__V1__GetSearchRequest *request,
           Matching__V1__GetSearchReply *reply)
{
    struct search_row row;

    TRY(check_id(call, request->search_id));
    TRY(store_search_get(call->tx, call->arena, request->search_id, call->principal->subject_id,
                         &row));
    reply->search = row.search;
    return store_search_hits(call->tx, call->arena, request->search_id, SEARCH_HITS_SHOWN,
                             &reply->hits, &reply->n_hits);
}

static struct status
remove_search(struct call *call, const Matching__V1__RemoveSearchRequest *request,
              Matching__V1__RemoveSearchReply *reply)
{
    Matching__V1__SearchRemoved event = MATCHING__V1__SEARCH_REMOVED__INIT;

    (void)reply;
    TRY(check_id(call, request->search_id));
    TRY(store_search_remove(call->tx, call->arena, request->search_id,
                            call->principal->subject_id));
    event.search_id = request->search_id;
    return call_emit(call,
                     (struct outbox_event){.data = &event.base, .subject = event.search_id});
}

#define METHOD(handler, Name)                                                                  \
    RPC_METHOD(Matching__V1__Searches_Service, handler, Matching__V1__##Name##Request,         \
               Matching__V1__##Name##Reply)

METHOD(save_search, SaveSearch)
METHOD(list_searches, ListSearches)
METHOD(get_search, GetSearch)
METHOD(remove_search, RemoveSearch)

static Matching__V1__Searches_Service service = MATCHING__V1__SEARCHES__INIT(rpc_);
const ProtobufCService *const searches_service = &service.base;
