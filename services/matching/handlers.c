#include "matching/v1/matching.pb-c.h"

#include "common/pg/cursor.h"
#include "common/service/call.h"
#include "matching/v1/events.pb-c.h"
#include "services/matching/find.h"
#include "services/matching/matching.h"
#include "services/matching/rules.h"
#include "services/matching/state.h"
#include "services/matching/texts.h"

#define PAGE_DEFAULT 20
#define PAGE_MAX 100

static enum lang
language_of(const struct call *call, const char *wanted)
{
    return *wanted ? lang_parse(wanted) : call->lang;
}

/* A search for somebody, over a snapshot that is held. */
struct finding {
    const struct snapshot *snapshot;
    struct held held;
    struct score_context context;
    struct search search;
    struct uid viewer;
    struct found_list found;
};

static void
finding_end(struct finding *finding)
{
    swap_release(&finding->held);
}

static struct status
find_for(struct call *call, const struct ask_fields *fields, struct finding *finding)
{
    struct state *state = call->state;
    const struct profile *subject;
    struct ask ask;

    TRY(rules_ask(call->arena, fields, &ask));
    TRY(state_hold(state, call->arena, &finding->held, &finding->snapshot));
    subject = snapshot_find(finding->snapshot, ask.kind, &ask.id);
    if (!subject)
        return FAIL(call->arena, NOT_FOUND, "the profile is not published");
    TRY(rules_may_ask(call->arena, call->principal, subject));
    finding->context = (struct score_context){&state->rules, clock_wall(call->clock)};
    finding->search = (struct search){
        .subject = subject,
        .context = &finding->context,
        .viewer = uid_parse(call->tenant_id, &finding->viewer) ? &finding->viewer : NULL,
        .kinds = ask.kinds,
        .person_kinds = ask.person_kinds,
        .person_kind_count = ask.person_kind_count,
        .nuts = ask.nuts,
        .limit = ask.limit};
    return find_run(finding->snapshot, &finding->search, call->arena, &finding->found);
}

#define ASK_FIELDS(request)                                                                    \
    ((struct ask_fields){(request)->subject, (request)->wanted, (request)->n_wanted,           \
                         (const char *const *)(request)->person_kinds,                         \
                         (request)->n_person_kinds, (request)->limit, (request)->nuts})

static uint64_t
position_of(const struct call *call)
{
    struct state *state = call->state;

    return atomic_load(&state->position);
}

static struct status
find_matches(struct call *call, const Matching__V1__FindMatchesRequest *request,
             Matching__V1__FindMatchesReply *reply)
{
    scoped(finding_end) struct finding finding = {0};
    const enum lang lang = language_of(call, request->language);

    reply->position = position_of(call);
    TRY(find_for(call, &ASK_FIELDS(request), &finding));
    TRY(find_candidates(&finding.found, finding.snapshot, lang, NULL, 0, call->arena,
                        &reply->candidates));
    reply->n_candidates = finding.found.count;
    reply->statement = text_in(TEXT_statement, lang);
    reply->weights_version = SCORE_WEIGHTS_VERSION;
    reply->as_of_unix_ms = (uint64_t)finding.context.now.unix_ms;
    TRY(find_input_hash(&finding.search, call->arena, &reply->input_hash));
    if (finding.found.count == 0)
        reply->empty_because = find_empty_because(&finding.search, lang);
    return OK;
}

/* Finds, and remembers what is shown, so that decisions can refer to it.  Nobody is told: the
 * one who asked sees it. */
static struct status
suggest_matches(struct call *call, const Matching__V1__SuggestMatchesRequest *request,
                Matching__V1__SuggestMatchesReply *reply)
{
    scoped(finding_end) struct finding finding = {0};
    const enum lang lang = language_of(call, request->language);
    struct suggestion *suggestions;
    struct remembered *known = NULL;
    size_t known_count = 0;

    reply->position = position_of(call);
    TRY(find_for(call, &ASK_FIELDS(request), &finding));
    TRY(find_suggestions(&finding.found, call->clock, call->arena, &suggestions));
    if (finding.found.count > 0)
        TRY(store_suggest_show(call->tx, call->arena, suggestions, finding.found.count, &known,
                               &known_count));
    TRY(find_candidates(&finding.found, finding.snapshot, lang, known, known_count, call->arena,
                        &reply->candidates));
    reply->n_candidates = finding.found.count;
    reply->statement = text_in(TEXT_statement, lang);
    reply->weights_version = SCORE_WEIGHTS_VERSION;
    reply->as_of_unix_ms = (uint64_t)finding.context.now.unix_ms;
    TRY(find_input_hash(&finding.search, call->arena, &reply->input_hash));
    if (finding.found.count == 0)
        reply->empty_because = find_empty_because(&finding.search, lang);
    return OK;
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
