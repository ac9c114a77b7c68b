/* What notifications hears: every event becomes one message for each subscriber of its topic,
 * in the transaction that moves the listener's position. */

#include "notifications/v1/inbox.pb-c.h"

#include "common/base/uuid.h"
#include "common/service/call.h"
#include "services/notifications/notifications.h"
#include "services/notifications/store.h"

static struct status
tell(struct call *call, enum message_kind kind, int64_t detail, const char *subject_kind,
     const char *subject_id)
{
    const struct news news = {.event_id = call->event->id,
                              .position = call->position,
                              .kind = kind,
                              .detail = detail,
                              .subject_kind = subject_kind,
                              .subject_id = subject_id};

    return store_tell(call->tx, &news);
}

static struct status
match_suggested(struct call *call, const Matching__V1__MatchSuggested *event,
                Wire__V1__Ack *ack)
{
    (void)ack;
    return tell(call, MESSAGE_MATCH_SUGGESTED, event->score_thousandths, "match",
                event->match_id);
}

static struct status
match_accepted(struct call *call, const Matching__V1__MatchAccepted *event, Wire__V1__Ack *ack)
{
    (void)ack;
    return tell(call, MESSAGE_MATCH_ACCEPTED, 0, "match", event->match_id);
}

static struct status
match_declined(struct call *call, const Matching__V1__MatchDeclined *event, Wire__V1__Ack *ack)
{
    (void)ack;
    return tell(call, MESSAGE_MATCH_DECLINED, 0, "match", event->match_id);
}

/* What somebody waits for is for that one's eyes. */
static struct status
search_hit(struct call *call, const Matching__V1__SearchHit *event, Wire__V1__Ack *ack)
{
    const struct news news = {.event_id = call->event->id,
                              .position = call->position,
                              .kind = MESSAGE_SEARCH_HIT,
                              .subject_kind = "search",
                              .subject_id = event->search_id,
                              .account_id = event->account_id};

    (void)ack;
    return *event->account_id ? store_tell(call->tx, &news) : OK;
}

/* A step of a round is told once to everybody, whether as one who takes part or as an officer:
 * what makes a message the only one is the step, not the event. */
static struct status
round_told(struct call *call, const Matching__V1__RoundTold *event, Wire__V1__Ack *ack)
{
    struct news news = {.event_id = event->news_id,
                        .position = call->position,
                        .subject_kind = "round",
                        .subject_id = event->round_id};

    (void)ack;
    /* News that a newer matching tells are not for this version. */
    if (event->news < MATCHING__V1__ROUND_NEWS__NEWS_OPENED ||
        event->news > MATCHING__V1__ROUND_NEWS__NEWS_AMENDED)
        return OK;
    if (!uuid_valid(event->news_id) || !uuid_valid(event->round_id))
        return FAIL(call->arena, INVALID_ARGUMENT, "news of a round without ids");
    news.kind =
        MESSAGE_OWN_ROUND_OPENED + (event->news - MATCHING__V1__ROUND_NEWS__NEWS_OPENED);
    TRY(store_tell_accounts(call->tx, &news, (const char *const *)event->account_ids,
                            event->n_account_ids));
    news.kind = MESSAGE_ROUND_OPENED + (event->news - MATCHING__V1__ROUND_NEWS__NEWS_OPENED);
    return event->officers ? store_tell(call->tx, &news) : OK;
}

/* Only a verdict that says something new is worth a message. */
static struct status
eligibility_evaluated(struct call *call, const Registry__V1__EligibilityEvaluated *event,
                      Wire__V1__Ack *ack)
{
    (void)ack;
    if (event->overall == event->previous)
        return OK;
    return tell(call, MESSAGE_VERDICT, event->overall, "placement", event->placement_id);
}

static struct status
placement_started(struct call *call, const Registry__V1__PlacementStarted *event,
                  Wire__V1__Ack *ack)
{
    (void)ack;
    return tell(call, MESSAGE_PLACEMENT_STARTED, 0, "placement", event->placement_id);
}

static struct status
placement_ended(struct call *call, const Registry__V1__PlacementEnded *event,
                Wire__V1__Ack *ack)
{
    (void)ack;
    return tell(call, MESSAGE_PLACEMENT_ENDED, 0, "placement", event->placement_id);
}

static struct status
placement_outcome_recorded(struct call *call,
                           const Registry__V1__PlacementOutcomeRecorded *event,
                           Wire__V1__Ack *ack)
{
    (void)ack;
    return tell(call, MESSAGE_PLACEMENT_OUTCOME, event->outcome, "placement",
                event->placement_id);
}

#define HEARS(handler, Event)                                                                  \
    RPC_METHOD(Notifications__V1__Inbox_Service, handler, Event, Wire__V1__Ack)

HEARS(match_suggested, Matching__V1__MatchSuggested)
HEARS(match_accepted, Matching__V1__MatchAccepted)
HEARS(match_declined, Matching__V1__MatchDeclined)
HEARS(search_hit, Matching__V1__SearchHit)
HEARS(round_told, Matching__V1__RoundTold)
HEARS(eligibility_evaluated, Registry__V1__EligibilityEvaluated)
HEARS(placement_started, Registry__V1__PlacementStarted)
HEARS(placement_ended, Registry__V1__PlacementEnded)
HEARS(placement_outcome_recorded, Registry__V1__PlacementOutcomeRecorded)

static Notifications__V1__Inbox_Service inbox = NOTIFICATIONS__V1__INBOX__INIT(rpc_);
const ProtobufCService *const notifications_inbox = &inbox.base;
