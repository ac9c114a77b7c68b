#include "matching/v1/matching.pb-c.h"

#include "common/pg/cursor.h"
#include "common/service/call.h"
#include "matching/v1/events.pb-c.h"
#include "services/matching/finding.h"
#include "services/matching/matching.h"
#include "services/matching/texts.h"

#define PAGE_DEFAULT 20
#define PAGE_MAX 100

static enum lang
language_of(const struct call *call, const char *wanted)
{
    return *wanted ? lang_parse(wanted) : call->lang;
}

/* A part of the answer must not pass for the whole. */
static struct status
check_whole(struct call *call)
{
    const struct state *state = call->state;

    if (shard_whole(state->shard))
        return OK;
    return FAIL(call->arena, FAILED_PRECONDITION,
                "this instance has shard %u/%u: ask all of them, see matching_endpoints",
                state->shard.number, state->shard.count);
}

static struct status
find_matches(struct call *call, const Matching__V1__FindMatchesRequest *request,
             Matching__V1__FindMatchesReply *reply)
{
    scoped(finding_end) struct finding finding = {0};

    TRY(check_whole(call));
    TRY(finding_begin(call, &ASK_FIELDS(request), request->language, 0, &finding));
    TRY(finding_search(call, &finding));
    return finding_answer(call, &finding, reply);
}

static struct status
suggest_matches(struct call *call, const Matching__V1__SuggestMatchesRequest *request,
                Matching__V1__SuggestMatchesReply *reply)
{
    scoped(finding_end) struct finding finding = {0};

    TRY(check_whole(call));
    TRY(finding_begin(call, &ASK_FIELDS(request), request->language, 0, &finding));
    TRY(finding_search(call, &finding));
    return finding_remember(call, &finding, reply);
}

/* Adds to a stored match what depends on who reads it, and in which language. */
static struct status
tell_match(struct call *call, enum lang lang, Matching__V1__Match *match)
{
    const struct match_extra *extra = store_match_extra(match);
    const struct snapshot *snapshot;
    struct reasons reasons;
    struct held held = {0};
    struct status told;

    TRY(explain_unpack(extra->explanation, extra->explanation_size, call->arena, &reasons));
    TRY(state_hold(call->state, call->arena, &held, &snapshot));
    told = explain_tell(&reasons, snapshot->vocabulary, lang, call->arena);
    swap_release(&held);
    TRY(told);
    TRY(explain_parts(&reasons, call->arena, &match->parts, &match->n_parts));
    match->reasons = reasons.items;
    match->n_reasons = reasons.count;
    match->statement = text_in(TEXT_statement, lang);
    if (!rules_may_read_note(call->principal, match))
        match->note = "";
    return OK;
}

static struct status
check_match_id(struct call *call, const char *match_id)
{
    return uuid_valid(match_id)
               ? OK
               : FAIL_FIELD(call->arena, "match_id", "must be a UUID in lower case");
}

static struct status
get_match(struct call *call, const Matching__V1__GetMatchRequest *request,
          Matching__V1__GetMatchReply *reply)
{
    TRY(check_match_id(call, request->match_id));
    TRY(store_match_get(call->tx, call->arena, request->match_id, &reply->match));
    TRY(rules_may_see(call->arena, call->principal, reply->match));
    return tell_match(call, language_of(call, request->language), reply->match);
}

static struct status
make_filter(struct call *call, const Matching__V1__ListSuggestionsRequest *request,
            struct match_filter *ret, const char **ret_listing)
{
    struct match_filter filter = {.subject_id = "", .state = request->state};
    const char *score;
    struct uid id;

    if (request->subject) {
        TRY(rules_subject(call->arena, request->subject, &filter.subject_kind, &id));
        filter.subject_id = request->subject->id;
    }
    if ((int)request->state < 0 || request->state > MATCHING__V1__MATCH_STATE__WITHDRAWN)
        return FAIL_FIELD(call->arena, "state", "is not a state of matches");
    if (request->page_size > PAGE_MAX)
        return FAIL_FIELD(call->arena, "page_size", "at most %d", PAGE_MAX);
    filter.limit = request->page_size ? request->page_size : PAGE_DEFAULT;
    rules_list_scope(call->principal, &filter.person_id, &filter.organisation_id);
    TRY(need(*ret_listing =
                 arena_printf(call->arena, "suggestions/%d/%s/%d", (int)filter.subject_kind,
                              filter.subject_id, (int)filter.state)));
    TRY(cursor_read(call->arena, call->tenant_id, *ret_listing, request->page_token, &score,
                    &filter.after_id));
    filter.started = *filter.after_id != '\0';
    filter.after_score = (uint32_t)strtoul(score, NULL, 10); /* signed by us */
    *ret = filter;
    return OK;
}

static struct status
list_suggestions(struct call *call, const Matching__V1__ListSuggestionsRequest *request,
                 Matching__V1__ListSuggestionsReply *reply)
{
    const enum lang lang = language_of(call, request->language);
    const Matching__V1__Match *last;
    struct match_filter filter;
    const char *listing;
    const char *score;
    size_t shown;

    TRY(make_filter(call, request, &filter, &listing));
    shown = filter.limit++; /* one more tells whether there is another page */
    TRY(store_match_list(call->tx, call->arena, &filter, &reply->matches, &reply->n_matches));
    if (reply->n_matches > shown) {
        reply->n_matches = shown;
        last = reply->matches[shown - 1];
        TRY(need(score = arena_printf(call->arena, "%u", last->score_thousandths)));
        TRY(cursor_make(call->arena, call->tenant_id, listing, score, last->id,
                        &reply->next_page_token));
    }
    for (size_t i = 0; i < reply->n_matches; i++)
        TRY(tell_match(call, lang, reply->matches[i]));
    return OK;
}

/* An event about a decided match goes to both tenants when the candidate's may see the query.
 */
static struct status
announce(struct call *call, const Matching__V1__Match *match, const ProtobufCMessage *data)
{
    struct outbox_event event = {.data = data, .subject = match->id};

    if (store_match_extra(match)->shared &&
        strcmp(match->tenant_id, match->candidate_tenant_id) != 0)
        TRY(need(event.audience = arena_printf(call->arena, "%s,%s", match->tenant_id,
                                               match->candidate_tenant_id)));
    return call_emit(call, event);
}

static struct status
store_decision(struct call *call, Matching__V1__Match *match, uint64_t expected_version)
{
    TRY(store_match_decide(call->tx, call->arena, match, expected_version));
    match->version = expected_version + 1;
    match->decided_unix_ms = (uint64_t)clock_wall(call->clock).unix_ms;
    return OK;
}

static struct status
accept_match(struct call *call, const Matching__V1__AcceptMatchRequest *request,
             Matching__V1__AcceptMatchReply *reply)
{
    Matching__V1__MatchAccepted event = MATCHING__V1__MATCH_ACCEPTED__INIT;
    Matching__V1__Match *match;

    TRY(check_match_id(call, request->match_id));
    TRY(store_match_get(call->tx, call->arena, request->match_id, &match));
    TRY(rules_accept(call->arena, call->principal, request, match));
    TRY(store_decision(call, match, request->expected_version));
    TRY(tell_match(call, call->lang, match));
    event.match_id = match->id;
    event.query = match->query;
    event.candidate = match->candidate;
    event.role = match->role;
    event.query_tenant_id = match->query_tenant_id;
    event.candidate_tenant_id = match->candidate_tenant_id;
    TRY(announce(call, match, &event.base));
    reply->match = match;
    return OK;
}

static struct status
decline_match(struct call *call, const Matching__V1__DeclineMatchRequest *request,
              Matching__V1__DeclineMatchReply *reply)
{
    Matching__V1__MatchDeclined event = MATCHING__V1__MATCH_DECLINED__INIT;
    Matching__V1__Match *match;

    TRY(check_match_id(call, request->match_id));
    TRY(store_match_get(call->tx, call->arena, request->match_id, &match));
    TRY(rules_decline(call->arena, call->principal, request, match));
    TRY(store_decision(call, match, request->expected_version));
    TRY(tell_match(call, call->lang, match));
    event.match_id = match->id;
    event.query = match->query;
    event.candidate = match->candidate;
    event.reason = match->decline_reason;
    event.query_tenant_id = match->query_tenant_id;
    event.candidate_tenant_id = match->candidate_tenant_id;
    TRY(announce(call, match, &event.base));
    reply->match = match;
    return OK;
}

#define METHOD(handler, Name)                                                                  \
    RPC_METHOD(Matching__V1__Matches_Service, handler, Matching__V1__##Name##Request,          \
               Matching__V1__##Name##Reply)

METHOD(find_matches, FindMatches)
METHOD(suggest_matches, SuggestMatches)
METHOD(list_suggestions, ListSuggestions)
METHOD(get_match, GetMatch)
METHOD(accept_match, AcceptMatch)
METHOD(decline_match, DeclineMatch)

static Matching__V1__Matches_Service service = MATCHING__V1__MATCHES__INIT(rpc_);
const ProtobufCService *const matches_service = &service.base;
