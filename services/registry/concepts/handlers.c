#include "registry/v1/concepts.pb-c.h"

#include <string.h>

#include "common/pg/cursor.h"
#include "common/service/call.h"
#include "services/registry/concepts/concepts.h"
#include "services/registry/concepts/rules.h"
#include "services/registry/concepts/store.h"
#include "services/registry/tenants/store.h"
#include "services/registry/values/values.h"

/* Concepts are the same for everybody, so their cursors are bound to no tenant. */
#define NO_TENANT "-"
#define IMPORT_MOST 500
#define EVENT_IDS_MOST 250 /* an event has at most 16 KiB */
#define URI_BYTES 500

static struct status
get_concept(struct call *call, const Registry__V1__GetConceptRequest *request,
            Registry__V1__GetConceptReply *reply)
{
    if (!*request->concept_id || strlen(request->concept_id) > URI_BYTES)
        return FAIL_FIELD(call->arena, "concept_id", "must be an id or a URI");
    return store_concept_get(call->tx, call->arena, request->concept_id, &reply->concept);
}

static struct status
make_filter(struct call *call, const Registry__V1__ListConceptsRequest *request,
            const char **ret_listing, struct concept_filter *ret)
{
    struct concept_filter filter = {.kind = (int)request->kind,
                                    .vocabulary = request->vocabulary,
                                    .lang = *request->lang ? lang_parse(request->lang)
                                                           : call->lang};

    if (*request->lang && strcmp(request->lang, lang_tag(filter.lang)) != 0)
        return FAIL_FIELD(call->arena, "lang", "must be sv, fi or en");
    TRY(values_enum(call->arena, "kind", &registry__v1__concept_kind__descriptor, filter.kind,
                    false));
    if (*request->vocabulary)
        TRY(rules_vocabulary(call->arena, request->vocabulary));
    TRY(values_like(call->arena, "label", request->label, &filter.label));
    TRY(values_page_size(call->arena, request->page_size, &filter.limit));
    TRY(need(*ret_listing =
                 arena_printf(call->arena, "concepts\n%s\n%s\n%d\n%s", filter.label,
                              lang_tag(filter.lang), filter.kind, filter.vocabulary)));
    TRY(cursor_read(call->arena, NO_TENANT, *ret_listing, request->page_token,
                    &filter.after_sort, &filter.after_id));
    filter.limit++; /* one more tells whether there is a next page */
    *ret = filter;
    return OK;
}

static struct status
list_concepts(struct call *call, const Registry__V1__ListConceptsRequest *request,
              Registry__V1__ListConceptsReply *reply)
{
    struct concept_filter filter;
    struct concept_row *rows;
    const char *listing;
    size_t count;

    TRY(make_filter(call, request, &listing, &filter));
    TRY(store_concept_list(call->tx, call->arena, &filter, &rows, &count));
    if (count == filter.limit) {
        count--;
        TRY(cursor_make(call->arena, NO_TENANT, listing, rows[count - 1].sort,
                        rows[count - 1].concept->concept_id, &reply->next_page_token));
    }
    TRY(need(reply->concepts = ARENA_ARRAY(call->arena, Registry__V1__Concept *, count + 1)));
    for (size_t i = 0; i < count; i++)
    reply->concepts[i] = rows[i].concept;
    reply->n_concepts = count;
    return OK;
}

/* In whose name a change is announced: "" is the transaction's own tenant.  Asked before the
 * work, because without a host tenant all of it would be in vain. */
static struct status
announcer(struct call *call, const char **ret)
{
    if (*call->tenant_id) {
        *ret = "";
        return OK;
    }
    TRY(store_tenant_host(call->tx, call->arena, ret));
    if (!**ret)
        return FAIL(call->arena, FAILED_PRECONDITION,
                    "there is no host tenant, in whose name a change of the vocabulary is "
                    "announced: create one, or act in a tenant");
    return OK;
}

static struct status
announce(struct call *call, const char *tenant_id, const char *vocabulary, const char **ids,
         size_t count)
{
    Registry__V1__ConceptsChanged event = REGISTRY__V1__CONCEPTS_CHANGED__INIT;
    size_t from = 0;

    if (*tenant_id)
        TRY(pg_tx_enter(call->tx, tenant_id));
    event.vocabulary = vocabulary;
    do { /* without ids: once, for the whole vocabulary */
        const size_t some = count - from < EVENT_IDS_MOST ? count - from : EVENT_IDS_MOST;

        event.concept_ids = some ? ids + from : NULL;
        event.n_concept_ids = some;
        TRY(call_emit(call, (struct outbox_event){.data = &event.base, .subject = vocabulary}));
        from += some;
    } while (from < count);
    if (*tenant_id)
        TRY(pg_tx_enter(call->tx, NULL));
    return OK;
}

static struct status
read_entries(struct call *call, const Registry__V1__ImportConceptsRequest *request,
             struct concept_entry **ret)
{
    const size_t count = request->n_concepts;
    struct concept_entry *entries;

    TRY(rules_vocabulary(call->arena, request->vocabulary));
    TRY(rules_vocabulary_version(call->arena, request->vocabulary_version));
    if (count == 0 || count > IMPORT_MOST)
        return FAIL_FIELD(call->arena, "concepts", "must have 1 to %d items", IMPORT_MOST);
    TRY(need(entries = ARENA_ARRAY(call->arena, struct concept_entry, count)));
    for (size_t i = 0; i < count; i++)
        TRY(rules_concept(call->arena, i, request->vocabulary_version, request->concepts[i],
                          &entries[i]));
    TRY(rules_concepts_distinct(call->arena, entries, count));
    *ret = entries;
    return OK;
}

static struct status
foreign(struct call *call, size_t index, const char *vocabulary)
{
    struct status status = FAIL(call->arena, ALREADY_EXISTS,
                                "the URI belongs to vocabulary %s already", vocabulary);

    status.field = arena_printf(call->arena, "concepts[%zu].uri", index);
    return status;
}

/* Sorts out what has to be written; counts it in the reply. */
static struct status
select_changed(struct call *call, const char *vocabulary, const struct concept_entry *entries,
               size_t count, Registry__V1__ImportConceptsReply *reply,
               const struct concept_entry ***ret, size_t *ret_count)
{
    const struct concept_entry **changed;
    struct concept_known *known;
    size_t changes = 0;

    TRY(need(changed = ARENA_ARRAY(call->arena, const struct concept_entry *, count)));
    TRY(store_concept_known(call->tx, call->arena, entries, count, &known));
    for (size_t i = 0; i < count; i++) {
        if (known[i].hash && strcmp(known[i].vocabulary, vocabulary) != 0)
            return foreign(call, i, known[i].vocabulary);
        if (known[i].hash && strcmp(known[i].hash, entries[i].hash) == 0) {
            reply->unchanged++;
            continue;
        }
        reply->created += !known[i].hash;
        reply->refreshed += known[i].hash != NULL;
        changed[changes++] = &entries[i];
    }
    *ret = changed;
    *ret_count = changes;
    return OK;
}

static struct status
import_concepts(struct call *call, const Registry__V1__ImportConceptsRequest *request,
                Registry__V1__ImportConceptsReply *reply)
{
    const struct concept_entry **changed;
    struct concept_entry *entries;
    const char *tenant_id, **ids;
    size_t count;
    bool active;

    TRY(read_entries(call, request, &entries));
    TRY(announcer(call, &tenant_id));
    TRY(select_changed(call, request->vocabulary, entries, request->n_concepts, reply, &changed,
                       &count));
    if (count == 0)
        return OK;
    TRY(store_concept_put(call->tx, call->arena, call->clock, request->vocabulary,
                          request->vocabulary_version, changed, count, &ids, &active));
    if (!active) /* nobody is offered them yet */
        return OK;
    return announce(call, tenant_id, request->vocabulary, ids, count);
}

static struct status
activate_vocabulary(struct call *call, const Registry__V1__ActivateVocabularyRequest *request,
                    Registry__V1__ActivateVocabularyReply *reply)
{
    const char *tenant_id;

    TRY(rules_vocabulary(call->arena, request->vocabulary));
    TRY(announcer(call, &tenant_id));
    TRY(store_concept_activate(call->tx, call->arena, request->vocabulary, request->beside,
                               &reply->active_concepts));
    return announce(call, tenant_id, request->vocabulary, NULL, 0);
}

#define METHOD(handler, Name)                                                                  \
    RPC_METHOD(Registry__V1__Concepts_Service, handler, Registry__V1__##Name##Request,         \
               Registry__V1__##Name##Reply)

METHOD(get_concept, GetConcept)
METHOD(list_concepts, ListConcepts)
METHOD(import_concepts, ImportConcepts)
METHOD(activate_vocabulary, ActivateVocabulary)

static Registry__V1__Concepts_Service service = REGISTRY__V1__CONCEPTS__INIT(rpc_);
const ProtobufCService *const concepts_service = &service.base;
