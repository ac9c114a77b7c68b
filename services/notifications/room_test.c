/* What people and events see of notifications, through its doors. */

#include "services/notifications/stage_test.h"

static Notifications__V1__ListMessagesReply *
messages_of(const char *account, uint32_t page_size, const char *token, bool unread)
{
    Notifications__V1__ListMessagesRequest request =
        NOTIFICATIONS__V1__LIST_MESSAGES_REQUEST__INIT;
    Notifications__V1__ListMessagesReply *reply;

    rpc.principal.subject_id = account;
    request.page_size = page_size;
    request.page_token = token;
    request.unread = unread;
    assert_ok(call_door(messages_service, "ListMessages", &request, &reply));
    return reply;
}

static void
an_event_makes_one_message_for_each_who_subscribes_to_its_topic(void **state)
{
    Notifications__V1__ListMessagesReply *reply;

    (void)state;
    subscribe(OFFICER, NOTIFICATIONS__V1__TOPIC__MATCH_SUGGESTED, false);
    subscribe(COACH, NOTIFICATIONS__V1__TOPIC__MATCH_SUGGESTED, false);
    subscribe(COACH, NOTIFICATIONS__V1__TOPIC__VERDICT_CHANGED, false);
    suggest(1);
    reply = messages_of(OFFICER, 0, "", false);
    assert_int_equal(reply->n_messages, 1);
    assert_int_equal(reply->unread_count, 1);
    assert_string_equal(reply->messages[0]->subject_kind, "match");
    assert_string_equal(reply->messages[0]->subject_id, MATCH);
    assert_string_equal(reply->messages[0]->title, "A new match is waiting for you");
    assert_int_equal(reply->messages[0]->position, 1);
    assert_int_equal(reply->messages[0]->mail, 0);
    assert_int_equal(messages_of(COACH, 0, "", false)->n_messages, 1);
}

static void
a_hit_of_a_saved_search_is_told_to_its_owner_alone(void **state)
{
    Matching__V1__SearchHit event = MATCHING__V1__SEARCH_HIT__INIT;
    Notifications__V1__ListMessagesReply *reply;

    (void)state;
    subscribe(OFFICER, NOTIFICATIONS__V1__TOPIC__SEARCH_HIT, false);
    subscribe(COACH, NOTIFICATIONS__V1__TOPIC__SEARCH_HIT, false);
    event.search_id = MATCH;
    event.account_id = OFFICER;
    assert_ok(hear_event(event_id(1), "SearchHit", &event.base));
    reply = messages_of(OFFICER, 0, "", false);
    assert_int_equal(reply->n_messages, 1);
    assert_string_equal(reply->messages[0]->subject_kind, "search");
    assert_string_equal(reply->messages[0]->subject_id, MATCH);
    assert_string_equal(reply->messages[0]->title, "A saved search has a new hit");
    assert_int_equal(messages_of(COACH, 0, "", false)->n_messages, 0);
}

static void
an_event_told_twice_is_one_message_and_one_mail(void **state)
{
    (void)state;
    subscribe(OFFICER, NOTIFICATIONS__V1__TOPIC__MATCH_SUGGESTED, true);
    suggest(1);
    suggest(1);
    assert_int_equal(messages_of(OFFICER, 0, "", false)->n_messages, 1);
    assert_int_equal(test_number("SELECT count(*) FROM notifications.mail"), 1);
}

static void
only_who_asked_for_mail_gets_one(void **state)
{
    (void)state;
    subscribe(OFFICER, NOTIFICATIONS__V1__TOPIC__MATCH_SUGGESTED, true);
    subscribe(COACH, NOTIFICATIONS__V1__TOPIC__MATCH_SUGGESTED, false);
    suggest(1);
    assert_int_equal(test_number("SELECT count(*) FROM notifications.message"), 2);
    assert_int_equal(test_number("SELECT count(*) FROM notifications.mail JOIN "
                                 "notifications.message m ON m.id = message_id "
                                 "WHERE m.account_id = '" OFFICER "'"),
                     1);
    assert_int_equal(test_number("SELECT count(*) FROM notifications.mail"), 1);
    assert_int_equal(messages_of(OFFICER, 0, "", false)->messages[0]->mail,
                     NOTIFICATIONS__V1__MAIL_STATE__MAIL_PENDING);
}

static void
other_tenants_are_told_nothing(void **state)
{
    (void)state;
    rpc.principal.tenant_id = TENANT_B;
    subscribe(COACH, NOTIFICATIONS__V1__TOPIC__MATCH_SUGGESTED, true);
    rpc.principal.tenant_id = TENANT_A;
    suggest(1);
    assert_int_equal(test_number("SELECT count(*) FROM notifications.message"), 0);
}

static struct status
evaluate(uint32_t number, Registry__V1__Verdict__Overall previous,
         Registry__V1__Verdict__Overall overall)
{
    Registry__V1__EligibilityEvaluated event = REGISTRY__V1__ELIGIBILITY_EVALUATED__INIT;

    event.placement_id = PLACEMENT;
    event.previous = previous;
    event.overall = overall;
    return hear_event(event_id(number), "EligibilityEvaluated", &event.base);
}

static void
a_verdict_that_says_nothing_new_is_not_told(void **state)
{
    Notifications__V1__ListMessagesReply *reply;

    (void)state;
    subscribe(OFFICER, NOTIFICATIONS__V1__TOPIC__VERDICT_CHANGED, false);
    assert_ok(evaluate(1, REGISTRY__V1__VERDICT__OVERALL__OVERALL_UNSPECIFIED,
                       REGISTRY__V1__VERDICT__OVERALL__INELIGIBLE));
    assert_ok(evaluate(2, REGISTRY__V1__VERDICT__OVERALL__INELIGIBLE,
                       REGISTRY__V1__VERDICT__OVERALL__INELIGIBLE));
    assert_ok(evaluate(3, REGISTRY__V1__VERDICT__OVERALL__INELIGIBLE,
                       REGISTRY__V1__VERDICT__OVERALL__ELIGIBLE));
    reply = messages_of(OFFICER, 0, "", false);
    assert_int_equal(reply->n_messages, 2);
    assert_string_equal(reply->messages[0]->title, "Verdict: eligible");
    assert_string_equal(reply->messages[1]->title, "Verdict: not eligible");
}

static void
every_step_that_people_hear_of_has_words(void **state)
{
    Matching__V1__MatchAccepted accepted = MATCHING__V1__MATCH_ACCEPTED__INIT;
    Matching__V1__MatchDeclined declined = MATCHING__V1__MATCH_DECLINED__INIT;
    Registry__V1__PlacementStarted started = REGISTRY__V1__PLACEMENT_STARTED__INIT;
    Registry__V1__PlacementEnded ended = REGISTRY__V1__PLACEMENT_ENDED__INIT;
    Registry__V1__PlacementOutcomeRecorded outcome =
        REGISTRY__V1__PLACEMENT_OUTCOME_RECORDED__INIT;
    static const char *const titles[] = {
        "En placering har ett utfall", "En placering har avslutats", "En placering har börjat",
        "En matchning har avböjts", "En matchning har godtagits"};
    Notifications__V1__ListMessagesReply *reply;

    (void)state;
    subscribe(OFFICER, NOTIFICATIONS__V1__TOPIC__MATCH_DECIDED, false);
    subscribe(OFFICER, NOTIFICATIONS__V1__TOPIC__PLACEMENT_MOVED, false);
    accepted.match_id = declined.match_id = MATCH;
    started.placement_id = ended.placement_id = outcome.placement_id = PLACEMENT;
    assert_ok(hear_event(event_id(1), "MatchAccepted", &accepted.base));
    assert_ok(hear_event(event_id(2), "MatchDeclined", &declined.base));
    assert_ok(hear_event(event_id(3), "PlacementStarted", &started.base));
    assert_ok(hear_event(event_id(4), "PlacementEnded", &ended.base));
    assert_ok(hear_event(event_id(5), "PlacementOutcomeRecorded", &outcome.base));
    rpc.call.lang = LANG_SV;
    reply = messages_of(OFFICER, 0, "", false);
    assert_int_equal(reply->n_messages, COUNT_OF(titles));
    for (size_t i = 0; i < COUNT_OF(titles); i++)
        assert_string_equal(reply->messages[i]->title, titles[i]);
}

/* Officers with the last of a step's events. */
static struct status
tell_round(uint32_t event, const char *news_id, Matching__V1__RoundNews news,
           const char *account)
{
    Matching__V1__RoundTold told_ = MATCHING__V1__ROUND_TOLD__INIT;

    told_.round_id = ROUND;
    told_.news_id = news_id;
    told_.news = news;
    told_.account_ids = &account;
    told_.n_account_ids = account ? 1 : 0;
    told_.officers = account == NULL;
    return hear_event(event_id(event), "RoundTold", &told_.base);
}

static void
a_step_of_a_round_is_told_once_to_who_takes_part_and_to_officers(void **state)
{
    const Matching__V1__RoundNews news = MATCHING__V1__ROUND_NEWS__NEWS_FINAL;
    Notifications__V1__ListMessagesReply *reply;

    (void)state;
    subscribe(OFFICER, NOTIFICATIONS__V1__TOPIC__ROUND_MOVED, true);
    subscribe(COACH, NOTIFICATIONS__V1__TOPIC__ROUND_MOVED, true);
    /* Two events of one step, and all of it delivered again. */
    for (int time = 0; time < 2; time++) {
        assert_ok(tell_round(1, event_id(9), news, STUDENT));
        assert_ok(tell_round(2, event_id(9), news, COACH));
        assert_ok(tell_round(3, event_id(9), news, NULL));
    }
    assert_int_equal(test_number("SELECT count(*) FROM notifications.message"), 3);
    assert_int_equal(test_number("SELECT count(*) FROM notifications.mail"), 3);
    reply = messages_of(STUDENT, 0, "", false);
    assert_int_equal(reply->n_messages, 1);
    assert_int_equal(reply->messages[0]->topic, NOTIFICATIONS__V1__TOPIC__ROUND_OWN);
    assert_string_equal(reply->messages[0]->title, "A round of assignments is final");
    assert_string_equal(reply->messages[0]->subject_kind, "round");
    assert_string_equal(reply->messages[0]->subject_id, ROUND);
    assert_int_equal(messages_of(COACH, 0, "", false)->messages[0]->topic,
                     NOTIFICATIONS__V1__TOPIC__ROUND_OWN);
    assert_int_equal(messages_of(OFFICER, 0, "", false)->messages[0]->topic,
                     NOTIFICATIONS__V1__TOPIC__ROUND_MOVED);
    /* The next step is another message. */
    assert_ok(tell_round(4, event_id(10), MATCHING__V1__ROUND_NEWS__NEWS_AMENDED, STUDENT));
    reply = messages_of(STUDENT, 0, "", false);
    assert_int_equal(reply->n_messages, 2);
    assert_string_equal(reply->messages[0]->title,
                        "A place in a round of assignments has been amended");
}

static void
two_instances_that_hear_of_a_step_make_one_message(void **state)
{
    const struct news news = {.event_id = event_id(9),
                              .kind = MESSAGE_OWN_ROUND_RESULT,
                              .subject_kind = "round",
                              .subject_id = ROUND};
    const char *const accounts[] = {STUDENT, COACH};
    const char *const turned[] = {COACH, STUDENT};

    (void)state;
    assert_ok(store_tell_accounts(begin(&sides[0], TENANT_A), &news, accounts, 2));
    commit(&sides[0]);
    assert_ok(store_tell_accounts(begin(&sides[1], TENANT_A), &news, turned, 2));
    commit(&sides[1]);
    assert_int_equal(test_number("SELECT count(*) FROM notifications.message"), 2);
    assert_int_equal(test_number("SELECT count(*) FROM notifications.mail"), 2);
}

static void
who_takes_part_may_do_without_the_mail_but_not_without_the_message(void **state)
{
    (void)state;
    subscribe(STUDENT, NOTIFICATIONS__V1__TOPIC__ROUND_OWN, false);
    assert_ok(tell_round(1, event_id(9), MATCHING__V1__ROUND_NEWS__NEWS_RESULT, STUDENT));
    assert_int_equal(messages_of(STUDENT, 0, "", false)->n_messages, 1);
    assert_int_equal(test_number("SELECT count(*) FROM notifications.mail"), 0);
}

static void
news_of_a_round_that_this_version_does_not_know_are_passed_over(void **state)
{
    (void)state;
    assert_ok(tell_round(1, event_id(9), (Matching__V1__RoundNews)7, STUDENT));
    assert_int_equal(test_number("SELECT count(*) FROM notifications.message"), 0);
    assert_code(tell_round(1, "x", MATCHING__V1__ROUND_NEWS__NEWS_RESULT, STUDENT),
                INVALID_ARGUMENT);
}

static void
messages_come_newest_first_page_by_page_without_losing_one(void **state)
{
    const char *token = "";
    uint64_t expected = 5;

    (void)state;
    subscribe(OFFICER, NOTIFICATIONS__V1__TOPIC__MATCH_SUGGESTED, false);
    for (uint32_t i = 1; i <= 5; i++)
        suggest(i);
    do {
        const Notifications__V1__ListMessagesReply *reply =
            messages_of(OFFICER, 2, token, false);

        for (size_t i = 0; i < reply->n_messages; i++)
            assert_int_equal(reply->messages[i]->position, expected--);
        token = reply->next_page_token;
    } while (*token);
    assert_int_equal(expected, 0);
}

static struct status
mark_read(const char *account, const char *id, Notifications__V1__MarkMessageReadReply **ret)
{
    Notifications__V1__MarkMessageReadRequest request =
        NOTIFICATIONS__V1__MARK_MESSAGE_READ_REQUEST__INIT;

    rpc.principal.subject_id = account;
    request.message_id = id;
    return call_door(messages_service, "MarkMessageRead", &request, ret);
}

static void
a_message_is_read_once_and_by_its_owner_alone(void **state)
{
    Notifications__V1__MarkMessageReadReply *first, *second;
    const char *id;

    (void)state;
    subscribe(OFFICER, NOTIFICATIONS__V1__TOPIC__MATCH_SUGGESTED, false);
    suggest(1);
    id = messages_of(OFFICER, 0, "", true)->messages[0]->message_id;
    assert_code(mark_read(COACH, id, &first), NOT_FOUND);
    rpc.principal.tenant_id = TENANT_B;
    assert_code(mark_read(OFFICER, id, &first), NOT_FOUND);
    rpc.principal.tenant_id = TENANT_A;
    assert_int_equal(messages_of(OFFICER, 0, "", false)->unread_count, 1);
    assert_ok(mark_read(OFFICER, id, &first));
    assert_true(first->message->read_unix_ms > 0);
    assert_ok(mark_read(OFFICER, id, &second));
    assert_int_equal(second->message->read_unix_ms, first->message->read_unix_ms);
    assert_int_equal(second->message->version, first->message->version);
    assert_int_equal(messages_of(OFFICER, 0, "", true)->n_messages, 0);
    assert_code(mark_read(OFFICER, "x", &first), INVALID_ARGUMENT);
}

static void
subscribing_again_changes_the_channels_and_unsubscribing_is_ones_own(void **state)
{
    Notifications__V1__UnsubscribeRequest gone = NOTIFICATIONS__V1__UNSUBSCRIBE_REQUEST__INIT;
    Notifications__V1__ListSubscriptionsRequest list =
        NOTIFICATIONS__V1__LIST_SUBSCRIPTIONS_REQUEST__INIT;
    Notifications__V1__UnsubscribeReply *ignored;
    Notifications__V1__ListSubscriptionsReply *reply;

    (void)state;
    gone.subscription_id = subscribe(OFFICER, NOTIFICATIONS__V1__TOPIC__MATCH_SUGGESTED, false);
    assert_string_equal(subscribe(OFFICER, NOTIFICATIONS__V1__TOPIC__MATCH_SUGGESTED, true),
                        gone.subscription_id);
    assert_ok(call_door(subscriptions_service, "ListSubscriptions", &list, &reply));
    assert_int_equal(reply->n_subscriptions, 1);
    assert_true(reply->subscriptions[0]->email);
    assert_int_equal(reply->subscriptions[0]->version, 2);
    rpc.principal.subject_id = COACH;
    assert_code(call_door(subscriptions_service, "Unsubscribe", &gone, &ignored), NOT_FOUND);
    rpc.principal.subject_id = OFFICER;
    assert_ok(call_door(subscriptions_service, "Unsubscribe", &gone, &ignored));
    assert_code(call_door(subscriptions_service, "Unsubscribe", &gone, &ignored), NOT_FOUND);
    suggest(1);
    assert_int_equal(test_number("SELECT count(*) FROM notifications.message"), 0);
}

#define STAGE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST(an_event_makes_one_message_for_each_who_subscribes_to_its_topic),
        STAGE_TEST(a_hit_of_a_saved_search_is_told_to_its_owner_alone),
        STAGE_TEST(an_event_told_twice_is_one_message_and_one_mail),
        STAGE_TEST(only_who_asked_for_mail_gets_one),
        STAGE_TEST(other_tenants_are_told_nothing),
        STAGE_TEST(a_verdict_that_says_nothing_new_is_not_told),
        STAGE_TEST(every_step_that_people_hear_of_has_words),
        STAGE_TEST(a_step_of_a_round_is_told_once_to_who_takes_part_and_to_officers),
        STAGE_TEST(two_instances_that_hear_of_a_step_make_one_message),
        STAGE_TEST(who_takes_part_may_do_without_the_mail_but_not_without_the_message),
        STAGE_TEST(news_of_a_round_that_this_version_does_not_know_are_passed_over),
        STAGE_TEST(messages_come_newest_first_page_by_page_without_losing_one),
        STAGE_TEST(a_message_is_read_once_and_by_its_owner_alone),
        STAGE_TEST(subscribing_again_changes_the_channels_and_unsubscribing_is_ones_own),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
