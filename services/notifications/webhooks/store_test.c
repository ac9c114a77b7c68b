/* Webhooks on a real Postgres: who feeds, who takes, in which order; and what two senders and a
 * follower see of each other. */

#include "services/notifications/webhooks/store_send.h"

#include <pthread.h>
#include <sodium.h>
#include <string.h>

#include "common/pg/pg_test.h"
#include "services/notifications/webhooks/store_log.h"
#include "services/notifications/webhooks/webhooks.h"

#define HOOK "0193a000-0000-7000-8000-0000000000f1"
#define OTHER_HOOK "0193a000-0000-7000-8000-0000000000f2"
#define LEASE_MS 60000
#define EACH 4

/* Two connections: what happens side by side. */
static struct side {
    struct pg *pg;
    struct arena arena;
    struct pg_tx tx;
} sides[2];

static int
set_up(void **state)
{
    static const struct pg_statement *const *rooms[2];

    (void)state;
    rooms[0] = webhooks_statements;
    test_run("postgres", NULL,
             "TRUNCATE notifications.webhook, notifications.webhook_delivery, "
             "notifications.webhook_roll, notifications.listener, notifications.message, "
             "notifications.mail");
    test_run("postgres", NULL, "INSERT INTO notifications.listener VALUES ('webhooks', 100)");
    for (size_t i = 0; i < COUNT_OF(sides); i++) {
        arena_init(&sides[i].arena, ARENA_CALL_BYTES);
        sides[i].pg = test_pg("app_notifications", rooms);
    }
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(sides); i++) {
        pg_tx_end(&sides[i].tx);
        pg_destroy(&sides[i].pg);
        arena_fini(&sides[i].arena);
    }
    return 0;
}

static struct pg_tx *
begin(struct side *side, const char *tenant_id)
{
    const struct pg_scope scope = scope_of(tenant_id, TEST_MS);

    assert_ok(pg_tx_begin(side->pg, &scope, &side->arena, &side->tx));
    return &side->tx;
}

static void
commit(struct side *side)
{
    assert_ok(pg_tx_commit(&side->tx));
}

/* A webhook of tenant A that takes events as they come. */
static void
add_webhook(const char *id, Notifications__V1__WebhookMode mode)
{
    Notifications__V1__WebhookFilter filter = NOTIFICATIONS__V1__WEBHOOK_FILTER__INIT;
    Notifications__V1__Webhook webhook = NOTIFICATIONS__V1__WEBHOOK__INIT;
    const uint8_t sealed[SEAL_BYTES] = {1};
    struct pg_tx *tx = begin(&sides[0], TENANT_A);

    webhook.webhook_id = id;
    webhook.url = "https://example.org:443/";
    webhook.filter = &filter;
    webhook.mode = mode;
    webhook.public_key = "whpk_";
    webhook.position = 100;
    assert_ok(store_webhook_enrol(tx, &sides[0].arena));
    assert_ok(store_webhook_insert(tx, &webhook, sealed));
    assert_ok(store_verified(tx, id));
    assert_ok(store_fed(tx, id, true, 100));
    assert_ok(store_tie_roll(tx, 0));
    commit(&sides[0]);
}

/* One delivery at `position` in a line. */
static void
put(struct pg_tx *tx, const char *id, int64_t position, const char *line)
{
    struct arena *arena = tx->arena;
    const char *event_id = arena_printf(arena, "event-%lld", (long long)position);
    struct deliveries *one = ARENA_NEW(arena, struct deliveries);

    one->count = 1;
    one->positions[0] = position;
    one->message_ids[0] = one->event_ids[0] = event_id;
    one->types[0] = "org.samverka.need.published.v1";
    one->lines[0] = line;
    one->headers[0] = "";
    one->bodies[0] = "7b7d";
    assert_ok(store_add_deliveries(tx, id, true, one));
}

static void
add(int64_t position, const char *line)
{
    struct pg_tx *tx = begin(&sides[0], TENANT_A);

    assert_ok(store_hold_roll(tx));
    put(tx, HOOK, position, line);
    assert_ok(store_tie_roll(tx, 0));
    commit(&sides[0]);
}

static size_t
take_some(struct side *side, uint32_t most, int64_t lease_ms, struct due **ret)
{
    struct pg_tx *tx = begin(side, TENANT_A);
    size_t count;

    assert_ok(store_hold_roll(tx));
    assert_ok(store_take(tx, &side->arena, most, EACH, lease_ms, ret, &count));
    assert_ok(store_tie_roll(tx, 0));
    commit(side);
    return count;
}

static bool
deliver(struct side *side, const struct due *due)
{
    const struct tried tried = {.due = due, .status = 200, .error = ""};
    struct pg_tx *tx = begin(side, TENANT_A);
    bool noted;

    assert_ok(store_hold_roll(tx));
    assert_ok(store_delivered(tx, &tried, &noted));
    assert_ok(store_next_of_line(tx, due));
    assert_ok(store_tie_roll(tx, 0));
    commit(side);
    return noted;
}

static int64_t
count_of_state(int state)
{
    char sql[120];

    (void)snprintf(sql, sizeof sql,
                   "SELECT count(*) FROM notifications.webhook_delivery WHERE state = %d",
                   state);
    return test_number(sql);
}

static void
of_a_line_only_the_first_goes_and_the_next_when_it_has_arrived(void **state)
{
    struct due *due, *next;
    size_t first;

    (void)state;
    add_webhook(HOOK, NOTIFICATIONS__V1__WEBHOOK_MODE__WEBHOOK_STRUCTURED);
    add(101, "a");
    add(102, "a");
    add(103, "b");
    add(104, "a");
    assert_int_equal(take_some(&sides[0], 10, LEASE_MS, &due), 2);
    first = strcmp(due[0].line, "a") == 0 ? 0 : 1;
    assert_string_equal(due[first].message_id, "event-101");
    assert_string_equal(due[1 - first].message_id, "event-103");
    assert_int_equal(take_some(&sides[1], 10, LEASE_MS, &next), 0);
    assert_true(deliver(&sides[0], &due[first]));
    assert_int_equal(take_some(&sides[1], 10, LEASE_MS, &next), 1);
    assert_string_equal(next[0].message_id, "event-102");
    assert_true(deliver(&sides[1], &next[0]));
    assert_int_equal(take_some(&sides[0], 10, LEASE_MS, &next), 1);
    assert_string_equal(next[0].message_id, "event-104");
}

static void
no_more_are_taken_than_may_be_under_way_to_one_webhook(void **state)
{
    struct due *due, *more;

    (void)state;
    add_webhook(HOOK, NOTIFICATIONS__V1__WEBHOOK_MODE__WEBHOOK_STRUCTURED);
    for (int i = 0; i < 10; i++)
        add(101 + i, arena_printf(&sides[0].arena, "line-%d", i));
    assert_int_equal(take_some(&sides[0], 3, LEASE_MS, &due), 3);
    assert_int_equal(take_some(&sides[1], 100, LEASE_MS, &more), EACH - 3);
    assert_int_equal(take_some(&sides[1], 100, LEASE_MS, &more), 0);
    assert_true(deliver(&sides[0], &due[0]));
    assert_int_equal(take_some(&sides[1], 100, LEASE_MS, &more), 1);
}

static void
a_lease_that_is_over_is_taken_again_and_the_late_word_does_not_count(void **state)
{
    struct due *first, *second;
    bool noted;

    (void)state;
    add_webhook(HOOK, NOTIFICATIONS__V1__WEBHOOK_MODE__WEBHOOK_STRUCTURED);
    add(101, "a");
    assert_int_equal(take_some(&sides[0], 10, 0, &first), 1);
    assert_int_equal(take_some(&sides[1], 10, LEASE_MS, &second), 1);
    assert_string_equal(first[0].message_id, second[0].message_id);
    assert_int_equal(second[0].attempts, 2);
    assert_false(deliver(&sides[0], &first[0]));
    assert_int_equal(count_of_state(3), 1);
    {
        const struct tried late = {.due = &first[0], .error = "late"};
        struct pg_tx *tx = begin(&sides[0], TENANT_A);

        assert_ok(store_put_off(tx, &late, 0, NOTIFICATIONS__V1__DELIVERY_STATE__DELIVERY_READY,
                                &noted));
        commit(&sides[0]);
    }
    assert_false(noted);
    assert_true(deliver(&sides[1], &second[0]));
    assert_int_equal(count_of_state(4), 1);
}

/* The follower adds to a line while the sender notes that its last one has arrived: whoever
 * comes second waits for the roll and sees what the first did. */
static void *
add_behind(void *context)
{
    struct side *side = context;
    struct pg_tx *tx = begin(side, TENANT_A);

    assert_ok(store_hold_roll(tx));
    put(tx, HOOK, 102, "a");
    assert_ok(store_tie_roll(tx, 0));
    commit(side);
    return NULL;
}

static void
an_event_that_comes_while_its_line_ends_is_not_left_waiting(void **state)
{
    struct tried tried = {.status = 200, .error = ""};
    struct due *due, *next;
    pthread_t follower;
    struct pg_tx *tx;
    bool noted;

    (void)state;
    add_webhook(HOOK, NOTIFICATIONS__V1__WEBHOOK_MODE__WEBHOOK_STRUCTURED);
    add(101, "a");
    assert_int_equal(take_some(&sides[0], 10, LEASE_MS, &due), 1);
    tried.due = &due[0];
    tx = begin(&sides[0], TENANT_A);
    assert_ok(store_hold_roll(tx));
    assert_ok(store_delivered(tx, &tried, &noted));
    assert_int_equal(pthread_create(&follower, NULL, add_behind, &sides[1]), 0);
    test_await_number("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
                      1);
    assert_ok(store_next_of_line(tx, &due[0]));
    assert_ok(store_tie_roll(tx, 0));
    commit(&sides[0]);
    assert_int_equal(pthread_join(follower, NULL), 0);
    assert_int_equal(take_some(&sides[0], 10, LEASE_MS, &next), 1);
    assert_string_equal(next[0].message_id, "event-102");
}

static void
the_same_event_is_one_delivery_and_a_delivered_one_goes_again(void **state)
{
    struct due *due;

    (void)state;
    add_webhook(HOOK, NOTIFICATIONS__V1__WEBHOOK_MODE__WEBHOOK_STRUCTURED);
    add(101, "a");
    add(101, "a");
    assert_int_equal(count_of_state(1), 1);
    assert_int_equal(take_some(&sides[0], 10, LEASE_MS, &due), 1);
    add(101, "a"); /* on its way: stays there */
    assert_int_equal(count_of_state(3), 1);
    assert_true(deliver(&sides[0], &due[0]));
    add(101, "a");
    assert_int_equal(take_some(&sides[0], 10, LEASE_MS, &due), 1);
    assert_int_equal(due[0].attempts, 1);
}

static void
a_batch_is_tied_once_and_stays_as_it_is(void **state)
{
    static const char batch[] = "0193a000-0000-7000-8000-0000000000bb";
    scoped(buffer_fini) struct buffer body = {0};
    struct due *due;
    struct pg_tx *tx;

    (void)state;
    add_webhook(HOOK, NOTIFICATIONS__V1__WEBHOOK_MODE__WEBHOOK_BATCH);
    for (int i = 0; i < 60; i++)
        add(101 + i, "");
    assert_int_equal(take_some(&sides[0], 10, 0, &due), 1);
    assert_string_equal(due[0].message_id, "event-101");
    tx = begin(&sides[0], TENANT_A);
    assert_ok(store_tie_batch(tx, &due[0], batch));
    commit(&sides[0]);
    assert_int_equal(test_number("SELECT max(position) FROM notifications.webhook_delivery "
                                 "WHERE batch IS NOT NULL"),
                     150);
    assert_int_equal(take_some(&sides[0], 10, LEASE_MS, &due), 1);
    assert_string_equal(due[0].batch, batch);
    buffer_init(&body, 1000);
    tx = begin(&sides[0], TENANT_A);
    assert_ok(store_batch_body(tx, &sides[0].arena, batch, &body));
    commit(&sides[0]);
    assert_int_equal(body.size, 50 * 2 + 49);
    assert_true(deliver(&sides[0], &due[0]));
    assert_int_equal(count_of_state(4), 50);
    assert_int_equal(take_some(&sides[0], 10, LEASE_MS, &due), 1);
    assert_string_equal(due[0].message_id, "event-151");
}

static void
a_disabled_webhook_sends_nothing_and_takes_no_events(void **state)
{
    struct webhook_row row;
    struct pg_tx *tx;
    struct due *due;

    (void)state;
    add_webhook(HOOK, NOTIFICATIONS__V1__WEBHOOK_MODE__WEBHOOK_STRUCTURED);
    add(101, "a");
    tx = begin(&sides[0], TENANT_A);
    assert_ok(store_hold_roll(tx));
    assert_ok(store_disable(tx, HOOK, NOTIFICATIONS__V1__WEBHOOK_REASON__WEBHOOK_GONE));
    assert_ok(store_tie_roll(tx, 0));
    commit(&sides[0]);
    add(102, "b");
    assert_int_equal(test_number("SELECT count(*) FROM notifications.webhook_delivery"), 1);
    assert_int_equal(take_some(&sides[0], 10, LEASE_MS, &due), 0);
    assert_int_equal(
        test_number("SELECT count(*) FROM notifications.webhook_roll WHERE due_at IS NULL "
                    "AND untold AND NOT live AND NOT lags"),
        1);
    tx = begin(&sides[0], TENANT_A);
    assert_ok(store_webhook(tx, &sides[0].arena, HOOK, &row));
    commit(&sides[0]);
    assert_int_equal(row.webhook->position, 100); /* it is fed from there when it is resumed */
    assert_false(row.verified);
    assert_int_equal(row.webhook->pending, 1);
}

static void
a_tenant_sees_nothing_of_anothers_webhooks(void **state)
{
    Notifications__V1__Webhook **list;
    struct webhook_row row;
    struct pg_tx *tx;
    size_t count;

    (void)state;
    add_webhook(HOOK, NOTIFICATIONS__V1__WEBHOOK_MODE__WEBHOOK_STRUCTURED);
    add(101, "a");
    tx = begin(&sides[1], TENANT_B);
    assert_ok(store_webhooks(tx, &sides[1].arena, &list, &count));
    assert_int_equal(count, 0);
    assert_code(store_webhook(tx, &sides[1].arena, HOOK, &row), NOT_FOUND);
    assert_code(store_webhook_delete(tx, &sides[1].arena, HOOK, 1), VERSION_MISMATCH);
    assert_code(store_replay_one(tx, &sides[1].arena, HOOK, 1), NOT_FOUND);
    commit(&sides[1]);
}

static void
of_two_followers_one_moves_the_position(void **state)
{
    struct pg_tx *tx = begin(&sides[0], NULL);
    uint64_t position;
    bool won;

    (void)state;
    assert_ok(store_follower_begin(tx, &sides[0].arena, &position));
    assert_int_equal(position, 100);
    assert_ok(store_follower_move(tx, 100, 110, &won));
    assert_true(won);
    commit(&sides[0]);
    tx = begin(&sides[1], NULL);
    assert_ok(store_follower_move(tx, 100, 105, &won));
    assert_false(won);
    pg_tx_end(tx);
}

static void
officers_are_told_once(void **state)
{
    static const char *const accounts[] = {"0193a000-0000-7000-8000-0000000000c1",
                                           "0193a000-0000-7000-8000-0000000000c2"};
    struct untold *untold;
    struct pg_tx *tx;
    size_t count;

    (void)state;
    add_webhook(HOOK, NOTIFICATIONS__V1__WEBHOOK_MODE__WEBHOOK_STRUCTURED);
    add_webhook(OTHER_HOOK, NOTIFICATIONS__V1__WEBHOOK_MODE__WEBHOOK_STRUCTURED);
    tx = begin(&sides[0], TENANT_A);
    assert_ok(store_disable(tx, HOOK, NOTIFICATIONS__V1__WEBHOOK_REASON__WEBHOOK_EXHAUSTED));
    assert_ok(store_untold(tx, &sides[0].arena, &untold, &count));
    assert_int_equal(count, 1);
    assert_string_equal(untold[0].webhook_id, HOOK);
    assert_ok(store_tell_officers(tx, &untold[0], HOOK, accounts, 2));
    assert_ok(store_untold(tx, &sides[0].arena, &untold, &count));
    assert_int_equal(count, 0);
    commit(&sides[0]);
    assert_int_equal(test_number("SELECT count(*) FROM notifications.mail"), 2);
    assert_int_equal(
        test_number("SELECT count(*) FROM notifications.message WHERE kind = 8 AND "
                    "detail = 1 AND topic = 5 AND subject_kind = 'webhook'"),
        2);
}

#define STORE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(of_a_line_only_the_first_goes_and_the_next_when_it_has_arrived),
        STORE_TEST(no_more_are_taken_than_may_be_under_way_to_one_webhook),
        STORE_TEST(a_lease_that_is_over_is_taken_again_and_the_late_word_does_not_count),
        STORE_TEST(an_event_that_comes_while_its_line_ends_is_not_left_waiting),
        STORE_TEST(the_same_event_is_one_delivery_and_a_delivered_one_goes_again),
        STORE_TEST(a_batch_is_tied_once_and_stays_as_it_is),
        STORE_TEST(a_disabled_webhook_sends_nothing_and_takes_no_events),
        STORE_TEST(a_tenant_sees_nothing_of_anothers_webhooks),
        STORE_TEST(of_two_followers_one_moves_the_position),
        STORE_TEST(officers_are_told_once),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
