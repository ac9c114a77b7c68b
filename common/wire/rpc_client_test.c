#include "common/wire/rpc_client.h"

#include "common/wire/rpc_play_test.h"

static void
a_silent_instance_is_left_for_another_with_the_same_id(void **state)
{
    struct play *play = *state;
    struct outcome *outcome = &play->outcomes[0];
    struct fake *first, *second;

    assert_int_equal(play_call(play, "x", 5000, outcome).code, CODE_OK);
    first = play_first_to_hear(play, &second);
    assert_int_equal(first->attempt, 1);
    test_clock_advance_ms(&play->times, 399);
    assert_false(play_hears(play, second, 30));
    test_clock_advance_ms(&play->times, 1);
    assert_true(play_hears(play, second, STAGE_PATIENCE_MS));
    assert_string_equal(second->id, first->id);
    assert_int_equal(second->attempt, 2);
    assert_string_equal(second->payload, "x");
    play_answers(second, WIRE__V1__CODE__OK, false, "two");
    play_turn_until_done(play, outcome);
    assert_string_equal(outcome->text, "two");
}

static void
attempt_limits_double(void **state)
{
    struct play *play = *state;
    struct outcome *outcome = &play->outcomes[0];
    struct fake *first, *second;

    assert_int_equal(play_call(play, "x", 20000, outcome).code, CODE_OK);
    first = play_first_to_hear(play, &second);
    test_clock_advance_ms(&play->times, 400);
    assert_true(play_hears(play, second, STAGE_PATIENCE_MS));
    test_clock_advance_ms(&play->times, 799);
    assert_false(play_hears(play, first, 20) || play_hears(play, second, 20));
    test_clock_advance_ms(&play->times, 1);
    first = play_first_to_hear(play, &second);
    assert_int_equal(first->attempt, 3);
}

static void
the_late_answer_of_an_earlier_attempt_is_taken_once(void **state)
{
    struct play *play = *state;
    struct outcome *outcome = &play->outcomes[0], *next = &play->outcomes[1];
    struct fake *first, *second;

    assert_int_equal(play_call(play, "x", 5000, outcome).code, CODE_OK);
    first = play_first_to_hear(play, &second);
    test_clock_advance_ms(&play->times, 400);
    assert_true(play_hears(play, second, STAGE_PATIENCE_MS));
    play_answers(first, WIRE__V1__CODE__OK, false, "late");
    play_turn_until_done(play, outcome);
    assert_string_equal(outcome->text, "late");
    play_answers(second, WIRE__V1__CODE__OK, false, "too late");
    assert_int_equal(play_call(play, "y", 5000, next).code, CODE_OK);
    first = play_first_to_hear(play, &second);
    play_answers(first, WIRE__V1__CODE__OK, false, "next");
    play_turn_until_done(play, next);
    assert_string_equal(next->text, "next");
    assert_int_equal(outcome->count, 1);
}

/* Time stands still: only the lost connection can have caused the repeat. */
static void
a_lost_connection_repeats_the_call_elsewhere_at_once(void **state)
{
    struct play *play = *state;
    struct outcome *outcome = &play->outcomes[0];
    struct fake *first, *second;

    assert_int_equal(play_call(play, "x", 5000, outcome).code, CODE_OK);
    first = play_first_to_hear(play, &second);
    socket_close(&first->socket);
    assert_true(play_hears(play, second, STAGE_PATIENCE_MS));
    assert_int_equal(second->attempt, 2);
    play_answers(second, WIRE__V1__CODE__OK, false, "saved");
    play_turn_until_done(play, outcome);
    assert_string_equal(outcome->text, "saved");
}

static void
a_draining_instance_is_not_chosen_again(void **state)
{
    struct play *play = *state;
    struct outcome *outcome = &play->outcomes[0];
    struct fake *first, *second;

    assert_int_equal(play_call(play, "x", 5000, outcome).code, CODE_OK);
    first = play_first_to_hear(play, &second);
    play_answers(first, WIRE__V1__CODE__UNAVAILABLE, true, "draining");
    assert_true(play_hears(play, second, STAGE_PATIENCE_MS));
    play_answers(second, WIRE__V1__CODE__OK, false, "ok");
    play_turn_until_done(play, outcome);
    assert_int_equal(outcome->code, CODE_OK);
    for (int i = 0; i < 3; i++) {
        struct outcome *more = &play->outcomes[1 + i];

        assert_int_equal(play_call(play, "y", 5000, more).code, CODE_OK);
        assert_true(play_hears(play, second, STAGE_PATIENCE_MS));
        play_answers(second, WIRE__V1__CODE__OK, false, "ok");
        play_turn_until_done(play, more);
    }
    assert_false(play_hears(play, first, 20));
}

static void
a_refusal_by_everybody_is_repeated_and_at_last_returned(void **state)
{
    struct play *play = *state;
    struct outcome *outcome = &play->outcomes[0];
    struct fake *first, *second;

    assert_int_equal(play_call(play, "x", 200, outcome).code, CODE_OK);
    first = play_first_to_hear(play, &second);
    play_answers(first, WIRE__V1__CODE__UNAVAILABLE, false, "no database");
    assert_true(play_hears(play, second, STAGE_PATIENCE_MS));
    play_answers(second, WIRE__V1__CODE__UNAVAILABLE, false, "no database");
    assert_false(play_hears(play, first, 20) || play_hears(play, second, 20));
    test_clock_advance_ms(&play->times, 50);
    first = play_first_to_hear(play, &second);
    play_answers(first, WIRE__V1__CODE__UNAVAILABLE, false, "still none");
    play_turn(play);
    while (outcome->count == 0 &&
           (play_hears(play, &play->a, 20) || play_hears(play, &play->b, 20)))
        play_answers(play->a.attempt > play->b.attempt ? &play->a : &play->b,
                     WIRE__V1__CODE__UNAVAILABLE, false, "still none");
    test_clock_advance_ms(&play->times, 150);
    play_turn_until_done(play, outcome);
    assert_int_equal(outcome->code, CODE_UNAVAILABLE);
    assert_string_equal(outcome->text, "still none");
}

static void
other_failures_are_final(void **state)
{
    struct play *play = *state;
    struct outcome *outcome = &play->outcomes[0];
    struct fake *first, *second;

    assert_int_equal(play_call(play, "x", 5000, outcome).code, CODE_OK);
    first = play_first_to_hear(play, &second);
    play_answers(first, WIRE__V1__CODE__FAILED_PRECONDITION, false, "not now");
    play_turn_until_done(play, outcome);
    assert_int_equal(outcome->code, CODE_FAILED_PRECONDITION);
    assert_string_equal(outcome->text, "not now");
    assert_false(play_hears(play, second, 20));
}

static void
calls_go_where_the_fewest_are_outstanding(void **state)
{
    struct play *play = *state;
    struct outcome *outcomes = play->outcomes;

    for (int i = 0; i < 4; i++)
        assert_int_equal(play_call(play, "x", 5000, &outcomes[i]).code, CODE_OK);
    for (int i = 0; i < 2; i++) {
        assert_true(play_hears(play, &play->a, STAGE_PATIENCE_MS));
        assert_true(play_hears(play, &play->b, STAGE_PATIENCE_MS));
    }
}

static void
calls_beyond_the_limit_and_without_a_service_are_refused(void **state)
{
    struct play *play = *state;
    struct outcome *outcomes = play->outcomes;
    const struct rpc_options options = {.deadline = mono_add_ms(play->times.mono, 1000)};

    for (int i = 0; i < 4; i++)
        assert_int_equal(play_call(play, "x", 5000, &outcomes[i]).code, CODE_OK);
    assert_int_equal(play_call(play, "x", 5000, &outcomes[4]).code, CODE_RESOURCE_EXHAUSTED);
    assert_int_equal(rpc_start(play->client, "nobody.v1.X/Y", (struct bytes){NULL, 0}, &options,
                               play_note, &outcomes[4], &play->arena)
                         .code,
                     CODE_INVALID_ARGUMENT);
    rpc_client_destroy(&play->client);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(outcomes[i].count, 1);
        assert_int_equal(outcomes[i].code, CODE_UNAVAILABLE);
    }
    assert_int_equal(outcomes[4].count, 0);
}

static void
ids_are_different_and_may_be_given_but_not_twice(void **state)
{
    struct play *play = *state;
    const struct rpc_options options = {.deadline = mono_add_ms(play->times.mono, 1000),
                                        .id = "0192d5b0-0000-7000-8000-00000000000f"};
    char ids[3][UUID_SIZE];
    struct fake *first, *second;

    for (int i = 0; i < 3; i++) {
        if (i == 1)
            test_clock_advance_ms(&play->times, 1);
        assert_int_equal(play_call(play, "x", 5000, &play->outcomes[i]).code, CODE_OK);
        first = play_first_to_hear(play, &second);
        memcpy(ids[i], first->id, UUID_SIZE);
        assert_true(uuid_valid(ids[i]));
        assert_int_equal(ids[i][14], '7');
        assert_true(i == 0 || strcmp(ids[i - 1], ids[i]) < 0);
    }
    assert_memory_equal(ids[0], "018bcfe5-6800", 13); /* 1700000000000 ms */
    assert_memory_equal(ids[2], "018bcfe5-6801", 13);
    for (int i = 0; i < 2; i++)
        assert_int_equal(rpc_start(play->client, PING, (struct bytes){NULL, 0}, &options,
                                   play_note, &play->outcomes[3], &play->arena)
                             .code,
                         i == 0 ? CODE_OK : CODE_INVALID_ARGUMENT);
    first = play_first_to_hear(play, &second);
    assert_string_equal(first->id, options.id);
}

static void
a_whole_head_arrives_as_given_and_one_that_is_too_large_is_refused(void **state)
{
    struct play *play = *state;
    Wire__V1__Principal principal = WIRE__V1__PRINCIPAL__INIT;
    struct rpc_options options = {.deadline = mono_add_ms(play->times.mono, 1000),
                                  .principal = &principal,
                                  .idempotency_key = "key",
                                  .language = "sv"};
    struct fake *first, *second;
    char large[1024];

    principal.subject_id = "somebody";
    assert_int_equal(rpc_start(play->client, PING, (struct bytes){NULL, 0}, &options, play_note,
                               &play->outcomes[0], &play->arena)
                         .code,
                     CODE_OK);
    first = play_first_to_hear(play, &second);
    assert_string_equal(first->told, "wire.v1.Admin/Ping key sv somebody 1000");
    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    principal.subject_id = large;
    assert_int_equal(rpc_start(play->client, PING, (struct bytes){NULL, 0}, &options, play_note,
                               &play->outcomes[1], &play->arena)
                         .code,
                     CODE_INVALID_ARGUMENT);
    principal.subject_id = "";
    large[200] = '\0';
    options.idempotency_key = large; /* the server refuses it; here it must fit and pass */
    assert_int_equal(rpc_start(play->client, PING, (struct bytes){NULL, 0}, &options, play_note,
                               &play->outcomes[1], &play->arena)
                         .code,
                     CODE_OK);
    first = play_first_to_hear(play, &second);
    assert_non_null(strstr(first->told, large));
}

static void
silence_until_the_deadline_is_told_apart_from_absence(void **state)
{
    struct play *play = *state;
    struct outcome *silent = &play->outcomes[0], *absent = &play->outcomes[1];
    const struct mono deadline = stage_soon();
    struct fake *first, *second;
    struct rpc_instance instances[2];

    assert_int_equal(play_call(play, "x", 300, silent).code, CODE_OK);
    first = play_first_to_hear(play, &second);
    (void)first;
    test_clock_advance_ms(&play->times, 300);
    play_turn_until_done(play, silent);
    assert_int_equal(silent->code, CODE_DEADLINE_EXCEEDED);
    socket_close(&play->a.socket);
    socket_close(&play->b.socket);
    do {
        play_turn(play);
        (void)rpc_client_instances(play->client, instances, 2);
    } while ((instances[0].connected || instances[1].connected) && !stage_over(deadline));
    assert_int_equal(play_call(play, "x", 300, absent).code, CODE_OK);
    test_clock_advance_ms(&play->times, 300);
    play_turn_until_done(play, absent);
    assert_int_equal(absent->code, CODE_UNAVAILABLE);
}

static void
answers_that_are_none_are_ignored(void **state)
{
    struct play *play = *state;
    struct outcome *outcome = &play->outcomes[0];
    struct fake *first, *second;
    char right[UUID_SIZE];

    assert_int_equal(play_call(play, "x", 5000, outcome).code, CODE_OK);
    first = play_first_to_hear(play, &second);
    memcpy(right, first->id, sizeof right);
    assert_true(zmq_send(first->socket, first->route, first->route_size, ZMQ_SNDMORE) > 0);
    assert_int_equal(zmq_send(first->socket, "\xff\xff\xff", 3, 0), 3);
    (void)snprintf(first->id, sizeof first->id, "short");
    play_answers(first, WIRE__V1__CODE__OK, false, "no");
    (void)snprintf(first->id, sizeof first->id, "00000000-0000-7000-8000-000000000000");
    play_answers(first, WIRE__V1__CODE__OK, false, "no");
    memcpy(first->id, right, sizeof right);
    play_answers(first, WIRE__V1__CODE__OK, false, "yes");
    play_turn_until_done(play, outcome);
    assert_string_equal(outcome->text, "yes");
}

static struct status
call_shard(struct play *play, const char *service, struct outcome *outcome)
{
    static const uint8_t packed[] = {0x0a, 1, 's'};
    const struct rpc_options options = {.service = service,
                                        .deadline = mono_add_ms(play->times.mono, 5000)};

    return rpc_start(play->client, PING, (struct bytes){packed, sizeof packed}, &options,
                     play_note, outcome, &play->arena);
}

/* And one to the service goes to any. */
static void
a_call_to_a_shard_goes_to_that_shard_alone(void **state)
{
    struct play *play = *state;
    const char *list;

    list = arena_printf(&play->arena, "%s;%s", play->a.endpoint, play->b.endpoint);
    assert_int_equal(rpc_client_shards(play->client, "wire"), 1);
    assert_int_equal(rpc_client_shards(play->client, "nobody"), 1);
    assert_int_equal(rpc_client_add(play->client, "parted", list, NULL, &play->arena).code,
                     CODE_OK);
    assert_int_equal(rpc_client_shards(play->client, "parted"), 2);
    assert_int_equal(rpc_client_shards(play->client, "parted/1"), 1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(call_shard(play, "parted/2", &play->outcomes[0]).code, CODE_OK);
        assert_true(play_hears(play, &play->b, STAGE_PATIENCE_MS));
        assert_false(play_hears(play, &play->a, 20));
    }
    assert_int_equal(call_shard(play, "parted/1", &play->outcomes[1]).code, CODE_OK);
    assert_true(play_hears(play, &play->a, STAGE_PATIENCE_MS));
    assert_int_equal(call_shard(play, "parted", &play->outcomes[2]).code, CODE_OK);
    (void)play_first_to_hear(play, &(struct fake *){NULL});
    assert_int_equal(call_shard(play, "parted/3", &play->outcomes[3]).code,
                     CODE_INVALID_ARGUMENT);
}

static void
a_list_of_shards_has_limits_and_no_empty_shard(void **state)
{
    static const char *const bad[] = {"tcp://127.0.0.1:1;", ";tcp://127.0.0.1:1",
                                      "tcp://127.0.0.1:1;;tcp://127.0.0.1:2"};
    struct play *play = *state;
    char many[17 * 20] = "tcp://127.0.0.1:1";

    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(rpc_client_add(play->client, "bad", bad[i], NULL, &play->arena).code,
                         CODE_INVALID_ARGUMENT);
    for (int i = 0; i < RPC_SHARDS_MAX; i++)
        (void)snprintf(many + strlen(many), sizeof many - strlen(many), ";tcp://127.0.0.1:1");
    assert_int_equal(rpc_client_add(play->client, "many", many, NULL, &play->arena).code,
                     CODE_INVALID_ARGUMENT);
}

int
main(void)
{
#define PLAY(test) cmocka_unit_test_setup_teardown(test, play_start, play_stop)
    const struct CMUnitTest tests[] = {
        PLAY(a_silent_instance_is_left_for_another_with_the_same_id),
        PLAY(attempt_limits_double),
        PLAY(the_late_answer_of_an_earlier_attempt_is_taken_once),
        PLAY(a_lost_connection_repeats_the_call_elsewhere_at_once),
        PLAY(a_draining_instance_is_not_chosen_again),
        PLAY(a_refusal_by_everybody_is_repeated_and_at_last_returned),
        PLAY(other_failures_are_final),
        PLAY(calls_go_where_the_fewest_are_outstanding),
        PLAY(calls_beyond_the_limit_and_without_a_service_are_refused),
        PLAY(ids_are_different_and_may_be_given_but_not_twice),
        PLAY(a_whole_head_arrives_as_given_and_one_that_is_too_large_is_refused),
        PLAY(silence_until_the_deadline_is_told_apart_from_absence),
        PLAY(answers_that_are_none_are_ignored),
        PLAY(a_call_to_a_shard_goes_to_that_shard_alone),
        PLAY(a_list_of_shards_has_limits_and_no_empty_shard),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
