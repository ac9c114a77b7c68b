/* Leases, tries and the mailbag: what two senders and a teller see of each other. */

#include "services/notifications/stage_test.h"

#include <pthread.h>

static void
two_senders_never_have_the_same_mail(void **state)
{
    struct mail_row *first, *second, *third;

    (void)state;
    subscribe(OFFICER, NOTIFICATIONS__V1__TOPIC__MATCH_SUGGESTED, true);
    suggest(1);
    suggest(2);
    assert_ok(store_take_mail(begin(&sides[0], TENANT_A), &sides[0].arena, LEASE_MS, &first));
    /* The first has not committed yet. */
    assert_ok(store_take_mail(begin(&sides[1], TENANT_A), &sides[1].arena, LEASE_MS, &second));
    assert_non_null(first);
    assert_non_null(second);
    assert_string_not_equal(first->message_id, second->message_id);
    assert_ok(store_take_mail(&sides[1].tx, &sides[1].arena, LEASE_MS, &third));
    assert_null(third);
    commit(&sides[1]);
    commit(&sides[0]);
    assert_ok(store_take_mail(begin(&sides[0], TENANT_A), &sides[0].arena, LEASE_MS, &third));
    assert_null(third); /* both are leased */
}

/* Takes a mail and commits. */
static struct mail_row *
take_mail(struct side *side, int64_t lease_ms)
{
    struct mail_row *row;

    assert_ok(store_take_mail(begin(side, TENANT_A), &side->arena, lease_ms, &row));
    assert_ok(store_tie_bag(&side->tx));
    commit(side);
    return row;
}

static void
note(struct side *side, const struct mail_row *row, Notifications__V1__MailState mail_state,
     int64_t seconds)
{
    assert_ok(store_mail_done(begin(side, TENANT_A), row, mail_state, seconds, "note"));
    assert_ok(store_tie_bag(&side->tx));
    commit(side);
}

static void
a_mail_whose_lease_is_over_is_taken_again_under_the_same_id(void **state)
{
    const struct mail_row *first, *second;

    (void)state;
    subscribe(OFFICER, NOTIFICATIONS__V1__TOPIC__MATCH_SUGGESTED, true);
    suggest(1);
    first = take_mail(&sides[0], 0);
    second = take_mail(&sides[1], LEASE_MS);
    assert_non_null(second);
    assert_string_equal(first->message_id, second->message_id);
    assert_int_equal(first->attempts, 1);
    assert_int_equal(second->attempts, 2);
    assert_int_equal(second->kind, MESSAGE_MATCH_SUGGESTED);
    assert_int_equal(second->detail, 42000);
    assert_string_equal(second->account_id, OFFICER);
}

static void
a_try_that_outlived_its_lease_has_nothing_to_say(void **state)
{
    const struct mail_row *first, *second;

    (void)state;
    subscribe(OFFICER, NOTIFICATIONS__V1__TOPIC__MATCH_SUGGESTED, true);
    suggest(1);
    first = take_mail(&sides[0], 0);
    second = take_mail(&sides[1], LEASE_MS);
    note(&sides[0], first, NOTIFICATIONS__V1__MAIL_STATE__MAIL_PENDING, 0);
    assert_null(take_mail(&sides[0], LEASE_MS)); /* the second still has it */
    note(&sides[1], second, NOTIFICATIONS__V1__MAIL_STATE__MAIL_SENT, 0);
    note(&sides[0], first, NOTIFICATIONS__V1__MAIL_STATE__MAIL_PARKED, 0);
    assert_int_equal(test_number("SELECT state FROM notifications.mail"),
                     NOTIFICATIONS__V1__MAIL_STATE__MAIL_SENT);
}

static size_t
bags_due(void)
{
    const char **tenants;
    size_t count;

    assert_ok(store_bags_due(begin(&sides[0], NULL), &sides[0].arena, &tenants, &count));
    if (count)
        assert_string_equal(tenants[0], TENANT_A);
    commit(&sides[0]);
    return count;
}

static void
the_bag_says_when_the_next_mail_is_due_and_goes_with_the_last(void **state)
{
    const struct mail_row *row;

    (void)state;
    subscribe(OFFICER, NOTIFICATIONS__V1__TOPIC__MATCH_SUGGESTED, true);
    assert_int_equal(bags_due(), 0);
    suggest(1);
    assert_int_equal(bags_due(), 1);
    row = take_mail(&sides[0], LEASE_MS);
    assert_int_equal(bags_due(), 0); /* until the lease is over */
    assert_int_equal(test_number("SELECT count(*) FROM notifications.mailbag"), 1);
    note(&sides[0], row, NOTIFICATIONS__V1__MAIL_STATE__MAIL_PENDING, 3600);
    assert_int_equal(bags_due(), 0); /* put off */
    suggest(2);
    assert_int_equal(bags_due(), 1); /* a new one does not wait for the one put off */
    row = take_mail(&sides[0], LEASE_MS);
    note(&sides[0], row, NOTIFICATIONS__V1__MAIL_STATE__MAIL_SENT, 0);
    assert_int_equal(test_number("SELECT count(*) FROM notifications.mailbag"), 1);
    test_run("postgres", NULL, "UPDATE notifications.mail SET due_at = now()");
    row = take_mail(&sides[0], LEASE_MS);
    assert_int_equal(row->attempts, 2);
    note(&sides[0], row, NOTIFICATIONS__V1__MAIL_STATE__MAIL_PARKED, 0);
    assert_int_equal(test_number("SELECT count(*) FROM notifications.mailbag"), 0);
}

static void *
tie_bag(void *context)
{
    struct side *side = context;

    assert_ok(store_tie_bag(&side->tx));
    commit(side);
    return NULL;
}

static void *
tell_more(void *context)
{
    struct side *side = context;
    const struct news news = {.event_id = "0193a000-00ff-7000-8000-000000000000",
                              .position = 255,
                              .kind = MESSAGE_MATCH_SUGGESTED,
                              .subject_kind = "match",
                              .subject_id = MATCH};

    assert_ok(store_tell(begin(side, TENANT_A), &news));
    commit(side);
    return NULL;
}

static void
await_one_who_waits(void)
{
    test_await_number("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
                      1);
}

static void
a_mail_told_while_the_bag_is_being_tied_is_not_overlooked(void **state)
{
    const struct mail_row *row;
    pthread_t teller;

    (void)state;
    subscribe(OFFICER, NOTIFICATIONS__V1__TOPIC__MATCH_SUGGESTED, true);
    suggest(1);
    row = take_mail(&sides[0], LEASE_MS);
    assert_ok(store_mail_done(begin(&sides[0], TENANT_A), row,
                              NOTIFICATIONS__V1__MAIL_STATE__MAIL_SENT, 0, ""));
    assert_ok(store_tie_bag(&sides[0].tx)); /* the bag goes: its last mail is sent */
    assert_int_equal(pthread_create(&teller, NULL, tell_more, &sides[1]), 0);
    await_one_who_waits();
    commit(&sides[0]);
    assert_int_equal(pthread_join(teller, NULL), 0);
    assert_int_equal(bags_due(), 1);
    assert_non_null(take_mail(&sides[0], LEASE_MS));
}

static void
who_ties_the_bag_sees_the_mail_of_whom_it_waited_for(void **state)
{
    const struct news news = {.event_id = "0193a000-00ff-7000-8000-000000000000",
                              .position = 255,
                              .kind = MESSAGE_MATCH_SUGGESTED,
                              .subject_kind = "match",
                              .subject_id = MATCH};
    const struct mail_row *row;
    pthread_t sender;

    (void)state;
    subscribe(OFFICER, NOTIFICATIONS__V1__TOPIC__MATCH_SUGGESTED, true);
    suggest(1);
    row = take_mail(&sides[0], LEASE_MS);
    assert_ok(store_tell(begin(&sides[1], TENANT_A), &news)); /* holds the bag */
    assert_ok(store_mail_done(begin(&sides[0], TENANT_A), row,
                              NOTIFICATIONS__V1__MAIL_STATE__MAIL_SENT, 0, ""));
    assert_int_equal(pthread_create(&sender, NULL, tie_bag, &sides[0]), 0);
    await_one_who_waits();
    commit(&sides[1]);
    assert_int_equal(pthread_join(sender, NULL), 0);
    assert_int_equal(bags_due(), 1);
}

#define STAGE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        STAGE_TEST(two_senders_never_have_the_same_mail),
        STAGE_TEST(a_mail_whose_lease_is_over_is_taken_again_under_the_same_id),
        STAGE_TEST(a_try_that_outlived_its_lease_has_nothing_to_say),
        STAGE_TEST(the_bag_says_when_the_next_mail_is_due_and_goes_with_the_last),
        STAGE_TEST(a_mail_told_while_the_bag_is_being_tied_is_not_overlooked),
        STAGE_TEST(who_ties_the_bag_sees_the_mail_of_whom_it_waited_for),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
