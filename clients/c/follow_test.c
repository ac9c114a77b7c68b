/* Following with libsamverka, from servers that say what they like. */

#include "clients/c/test_stage.h"

#include <sodium.h>
#include <string.h>

static void
a_follow_says_what_is_wished_and_events_say_what_they_are(void **state)
{
    static const char *const types[] = {"org.samverka.", NULL};
    static const char *const nuts[] = {"SE3", "FI1", NULL};
    const struct samverka_wish wish = {.after = 7, .types = types, .nuts = nuts, .credit = 50};
    struct test_server *server;
    const struct samverka_event *event;
    struct stage stage;
    size_t size;

    (void)state;
    stage_open(&stage, 1);
    stage_follow(&stage, &wish);
    server = stage_heard_follow(&stage, 7);
    assert_int_equal(server->frame->follow->credit, 50);
    assert_int_equal(server->frame->follow->filter->n_types, 1);
    assert_string_equal(server->frame->follow->filter->nuts[1], "FI1");
    test_server_batch(server, 7, 3, 0);
    assert_int_equal(stage_come(&stage), SAMVERKA_OK);
    assert_int_equal(stage.batch.count, 3);
    assert_int_equal(stage.batch.through, 10);
    event = stage.batch.events[2];
    assert_int_equal(samverka_event_position(event), 10);
    assert_string_equal(samverka_event_id(event), "event-10");
    assert_string_equal(samverka_event_type(event), "org.samverka.need.published.v1");
    assert_string_equal(samverka_event_source(event), "/test");
    assert_string_equal(samverka_event_subject(event), "s");
    assert_string_equal(samverka_event_attribute(event, "tenantid"), TENANT);
    assert_null(samverka_event_attribute(event, "programme"));
    assert_memory_equal(samverka_event_data(event, &size), "text", 4);
    assert_int_equal(size, 4);
    assert_string_equal(samverka_event_data_type(event), "");
    stage_close(&stage);
}

static void
credit_is_given_back_when_half_is_used(void **state)
{
    const struct samverka_wish wish = {.credit = 10};
    struct test_server *server;
    struct stage stage;

    (void)state;
    stage_open(&stage, 1);
    stage_follow(&stage, &wish);
    server = stage_heard_follow(&stage, 0);
    test_server_batch(server, 0, 4, 0);
    assert_int_equal(stage_come(&stage), SAMVERKA_OK);
    assert_true(stage_is_waiting(stage_turn(&stage)));
    assert_null(test_server_take(server, 0));
    test_server_batch(server, 4, 3, 0);
    assert_int_equal(stage_come(&stage), SAMVERKA_OK);
    server = stage_heard(&stage);
    assert_int_equal(server->frame->frame_case, FRAME(CREDIT));
    assert_int_equal(server->frame->credit->events, 7);
    stage_close(&stage);
}

static void
a_gap_is_asked_for_again_on_a_fresh_connection(void **state)
{
    const struct samverka_wish wish = {0};
    struct test_server *server;
    struct stage stage;

    (void)state;
    stage_open(&stage, 1);
    stage_follow(&stage, &wish);
    server = stage_heard_follow(&stage, 0);
    test_server_batch(server, 0, 2, 0);
    assert_int_equal(stage_come(&stage), SAMVERKA_OK);
    test_server_batch(server, 3, 2, 0);
    server = stage_heard_follow(&stage, 2);
    assert_int_equal(samverka_follow_gaps(stage.follow), 1);
    test_server_batch(server, 2, 2, 0);
    assert_int_equal(stage_come(&stage), SAMVERKA_OK);
    assert_int_equal(stage.batch.after, 2);
    test_server_heartbeat(server, 9);
    (void)stage_heard_follow(&stage, 4);
    assert_int_equal(samverka_follow_gaps(stage.follow), 2);
    stage_close(&stage);
}

/* Says a batch of two events behind 0 with one thing wrong. */
static void
say_wrong(struct test_server *server, int which)
{
    Events__V1__ServerFrame frame = EVENTS__V1__SERVER_FRAME__INIT;
    Events__V1__Batch batch = EVENTS__V1__BATCH__INIT;
    uint8_t body[8192];
    size_t size = test_batch(0, 2, body);

    batch.through = batch.head = 2;
    batch.count = 2;
    frame.frame_case = EVENTS__V1__SERVER_FRAME__FRAME_BATCH;
    frame.batch = &batch;
    switch (which) {
    case 0:
        batch.count = 3;
        break;
    case 1:
        batch.count = 4000000000u;
        break;
    case 2:
        size--;
        break;
    case 3:
        batch.through = batch.head = 1;
        break;
    case 4:
        batch.head = 1;
        break;
    case 5: /* the second event again: out of order */
        memcpy(body, body + size / 2, size / 2);
        break;
    case 6: /* the length of the first event reaches beyond the end */
        body[1] = 0xff;
        body[2] = 0x7f;
        break;
    default: /* an id that is not UTF-8 */
        body[5] = 0xff;
        break;
    }
    test_server_say(server, &frame, body, size);
}

static void
a_frame_that_lies_is_not_believed(void **state)
{
    const struct samverka_wish wish = {0};
    struct test_server *server;
    struct stage stage;

    (void)state;
    stage_open(&stage, 2);
    stage_follow(&stage, &wish);
    server = stage_heard_follow(&stage, 0);
    for (int which = 0; which < 8; which++) {
        say_wrong(server, which);
        server = stage_heard_follow(&stage, 0); /* at the other server */
    }
    test_server_batch(server, 0, 2, 0);
    assert_int_equal(stage_come(&stage), SAMVERKA_OK);
    assert_int_equal(stage.batch.count, 2);
    stage_close(&stage);
}

static void
silence_leads_to_the_next_endpoint_and_loses_nothing(void **state)
{
    const struct samverka_wish wish = {0};
    struct test_server *first, *second;
    struct stage stage;

    (void)state;
    stage_open(&stage, 2);
    stage_follow(&stage, &wish);
    first = stage_heard_follow(&stage, 0);
    test_server_batch(first, 0, 5, 0);
    assert_int_equal(stage_come(&stage), SAMVERKA_OK);
    second = stage_heard_follow(&stage, 5);
    assert_ptr_not_equal(first, second);
    stage_close(&stage);
}

static void
an_end_is_told_where_the_caller_must_act(void **state)
{
    static const struct {
        Wire__V1__Code code;
        enum samverka_code told;
    } ends[] = {{CODE(POSITION_GONE), SAMVERKA_GONE},
                {CODE(PERMISSION_DENIED), SAMVERKA_DENIED},
                {CODE(INVALID_ARGUMENT), SAMVERKA_INVALID},
                {CODE(ABORTED), SAMVERKA_TAKEN}};
    const struct samverka_wish wish = {0};
    struct test_server *server;
    struct stage stage;

    (void)state;
    stage_open(&stage, 2);
    stage_follow(&stage, &wish);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        server = stage_heard_follow(&stage, 0);
        test_server_ended(server, ends[i].code, 40);
        assert_int_equal(stage_come(&stage), ends[i].told);
        assert_string_equal(stage.error.text, "because of a test");
        assert_int_equal(stage.error.first_kept, ends[i].told == SAMVERKA_GONE ? 40 : 0);
    }
    server = stage_heard_follow(&stage, 0);
    test_server_ended(server, CODE(UNAVAILABLE), 0);
    server = stage_heard_follow(&stage, 0);
    test_server_ended(server, CODE(RESOURCE_EXHAUSTED), 0);
    (void)stage_heard_follow(&stage, 0);
    stage_close(&stage);
}

static uint64_t
heard_ack(struct stage *stage)
{
    const struct test_server *server = stage_heard(stage);

    assert_int_equal(server->frame->frame_case, FRAME(ACK));
    return server->frame->ack->delivery;
}

static void
acknowledgements_are_of_the_connection_that_delivered(void **state)
{
    const struct samverka_wish wish = {.after = 7, .consumer = "crm", .shared = true};
    struct test_server *server;
    struct stage stage;

    (void)state;
    stage_open(&stage, 2);
    stage_follow(&stage, &wish);
    server = stage_heard_follow(&stage, 7);
    assert_string_equal(server->frame->follow->consumer, "crm");
    assert_true(server->frame->follow->shared);
    test_server_batch(server, 100, 2, 1);
    assert_int_equal(stage_come(&stage), SAMVERKA_OK);
    test_server_batch(server, 50, 2, 2); /* a fellow's work comes to us */
    assert_int_equal(stage_come(&stage), SAMVERKA_OK);
    assert_int_equal(stage.batch.delivery, 2);
    assert_int_equal(samverka_follow_ack(stage.follow, 1, &stage.error), SAMVERKA_OK);
    assert_int_equal(heard_ack(&stage), 1);
    assert_int_equal(samverka_follow_ack(stage.follow, 3, &stage.error), SAMVERKA_INVALID);
    test_server_ended(server, CODE(UNAVAILABLE), 0);
    server = stage_heard_follow(&stage, 7);
    test_server_batch(server, 50, 2, 1);
    assert_int_equal(stage_come(&stage), SAMVERKA_OK);
    assert_int_equal(stage.batch.delivery, 3);
    /* Of the old connection: it would acknowledge what is being done now. */
    assert_int_equal(samverka_follow_ack(stage.follow, 2, &stage.error), SAMVERKA_OK);
    assert_int_equal(samverka_follow_ack(stage.follow, 3, &stage.error), SAMVERKA_OK);
    assert_int_equal(heard_ack(&stage), 1);
    assert_null(test_server_take(server, 0));
    test_server_batch(server, 52, 2, 9); /* a delivery is missing */
    (void)stage_heard_follow(&stage, 7);
    stage_close(&stage);
}

static void
wishes_beyond_the_limits_are_refused_at_once(void **state)
{
    static const char *many[10001];
    const struct samverka_place place = {.endpoints = "tcp://127.0.0.1:1"};
    static const char *const empty[] = {"", NULL};
    static const char *const broken[] = {"\xff", NULL};
    const struct samverka_wish wishes[] = {
        {.types = many},       {.credit = 100001},  {.consumer = "Big"},  {.consumer = ""},
        {.after = 1ull << 63}, {.subjects = empty}, {.concepts = broken},
    };
    const char *const endpoints[] = {"", "ipc://x", NULL};
    struct samverka_follow *follow = NULL;
    struct samverka_error error;

    (void)state;
    for (size_t i = 0; i < 10000; i++)
        many[i] = "a";
    for (size_t i = 0; i < sizeof wishes / sizeof *wishes; i++) {
        assert_int_equal(samverka_follow_open(&place, &wishes[i], &follow, &error),
                         SAMVERKA_INVALID);
        assert_true(error.text[0]);
    }
    for (size_t i = 0; i < 3; i++) {
        const struct samverka_place bad = {.endpoints = endpoints[i]};

        assert_int_equal(
            samverka_follow_open(&bad, &(struct samverka_wish){0}, &follow, &error),
            SAMVERKA_INVALID);
    }
    assert_null(follow);
}

/* As docs/protocol.md has it, by other means than the library's. */
static void
extend_by_hand(uint8_t link[32], uint64_t number)
{
    uint8_t joined[32 + 1024];

    memcpy(joined, link, 32);
    (void)crypto_generichash(link, 32, joined,
                             32 + test_event(number, number, "s", joined + 32), NULL, 0);
}

static void
a_chain_proves_that_a_tenants_events_are_complete(void **state)
{
    const struct samverka_wish wish = {0};
    struct samverka_chain chain, other;
    struct test_server *server;
    struct stage stage;
    uint8_t link[32];

    (void)state;
    stage_open(&stage, 1);
    stage_follow(&stage, &wish);
    server = stage_heard_follow(&stage, 0);
    test_server_batch(server, 0, 3, 0);
    assert_int_equal(stage_come(&stage), SAMVERKA_OK);
    assert_int_equal(samverka_chain_begin("T", &chain, &stage.error), SAMVERKA_INVALID);
    assert_int_equal(samverka_chain_begin(TENANT, &chain, &stage.error), SAMVERKA_OK);
    assert_int_equal(
        samverka_chain_begin("0193a000-0000-7000-8000-000000000002", &other, &stage.error),
        SAMVERKA_OK);
    (void)crypto_generichash(link, sizeof link, (const uint8_t *)TENANT, 36, NULL, 0);
    assert_memory_equal(chain.link, link, sizeof link);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(samverka_chain_add(&chain, stage.batch.events[i], &stage.error),
                         SAMVERKA_OK);
        assert_int_equal(samverka_chain_add(&other, stage.batch.events[i], &stage.error),
                         SAMVERKA_OK);
        extend_by_hand(link, i + 1);
        assert_memory_equal(chain.link, link, sizeof link);
    }
    assert_int_equal(chain.number, 3);
    assert_int_equal(other.number, 0);
    assert_int_equal(samverka_chain_add(&chain, stage.batch.events[0], &stage.error),
                     SAMVERKA_UNPROVEN);
    assert_non_null(strstr(stage.error.text, "position 1:"));
    stage_close(&stage);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_follow_says_what_is_wished_and_events_say_what_they_are),
        cmocka_unit_test(credit_is_given_back_when_half_is_used),
        cmocka_unit_test(a_gap_is_asked_for_again_on_a_fresh_connection),
        cmocka_unit_test(a_frame_that_lies_is_not_believed),
        cmocka_unit_test(silence_leads_to_the_next_endpoint_and_loses_nothing),
        cmocka_unit_test(an_end_is_told_where_the_caller_must_act),
        cmocka_unit_test(acknowledgements_are_of_the_connection_that_delivered),
        cmocka_unit_test(wishes_beyond_the_limits_are_refused_at_once),
        cmocka_unit_test(a_chain_proves_that_a_tenants_events_are_complete),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
