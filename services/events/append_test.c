#include "services/events/append.h"

#include <inttypes.h>
#include <string.h>

#include "services/events/test_sink.h"

static int
clear(void **state)
{
    (void)state;
    test_log_clear();
    return 0;
}

static struct status
make_job(const char *source, uint64_t number, struct bytes batch, struct arena *arena,
         struct append_job **ret)
{
    return append_job_create(&(struct append_request){.tenant_id = SAMPLE_TENANT,
                                                      .source = source,
                                                      .batch_number = number,
                                                      .batch = batch},
                             arena, ret);
}

static struct status
append(struct sink *sink, struct arena *arena, uint64_t number, size_t data_bytes,
       uint64_t *ret_first, uint64_t *ret_last)
{
    scoped(append_job_release) struct append_job *job = NULL;
    const char *id = arena_printf(arena, "id-%" PRIu64, number);
    const struct bytes events[] = {
        sample_pack(arena,
                    (struct sample){.id = id, .source = "/import/a", .data_bytes = data_bytes}),
        sample_pack(
            arena, (struct sample){.id = id, .source = "/import/b", .data_bytes = data_bytes})};

    TRY(make_job("/import", number, sample_batch(arena, events, 2), arena, &job));
    TRY(sequencer_post(sink->sequencer, job, arena));
    TRY(append_job_await(job, clock_system(), in_ms(TEST_MS), arena));
    *ret_first = job->append.first;
    *ret_last = job->append.last;
    return OK;
}

static void
an_append_repeated_is_answered_with_the_first_answer(void **state)
{
    uint64_t first, last, again_first, again_last;
    struct arena arena;
    struct sink sink;

    (void)state;
    arena_init(&arena, ARENA_CALL_BYTES);
    test_sink_start(&sink);
    test_log_await(test_sink_leads, &sink, "leadership");
    assert_ok(append(&sink, &arena, 1, 10, &first, &last));
    assert_int_equal(first, 1);
    assert_int_equal(last, 2);
    assert_ok(append(&sink, &arena, 2, 10, &first, &last));
    assert_ok(append(&sink, &arena, 1, 10, &again_first, &again_last));
    assert_int_equal(again_first, 1);
    assert_int_equal(again_last, 2);
    assert_code(append(&sink, &arena, 1, 11, &first, &last), KEY_REUSED);
    sequencer_destroy(&sink.sequencer);
    assert_int_equal(test_log_head(), 4);
    test_log_verify();
    arena_fini(&arena);
}

/* Appends a batch of one event and gives its job. */
static struct append_job *
append_one(struct sink *sink, struct arena *arena, uint64_t number, const char *id,
           size_t data_bytes)
{
    const struct bytes event = sample_pack(
        arena, (struct sample){.id = id, .source = "/import", .data_bytes = data_bytes});
    struct append_job *job = NULL;
    struct status status;

    assert_ok(make_job("/import", number, sample_batch(arena, &event, 1), arena, &job));
    assert_ok(sequencer_post(sink->sequencer, job, arena));
    status = append_job_await(job, clock_system(), in_ms(TEST_MS), arena);
    assert_int_equal(status.code, job->code);
    return job;
}

static void
assert_appended(struct append_job *job, enum code code, uint64_t first, uint32_t duplicates)
{
    assert_string_equal(code_name(job->code), code_name(code));
    if (code == CODE_OK) {
        assert_int_equal(job->append.first, first);
        assert_int_equal(job->append.duplicates, duplicates);
    }
    append_job_release(&job);
}

static void
an_id_that_comes_again_is_left_out_and_with_other_content_refused(void **state)
{
    struct arena arena;
    struct sink sink;

    (void)state;
    arena_init(&arena, ARENA_CALL_BYTES);
    for (unsigned leaders = 0; leaders < 2; leaders++) {
        const uint64_t batch = 1 + 10 * leaders; /* the second knows the ids from the log */

        test_sink_start(&sink);
        test_log_await(test_sink_leads, &sink, "leadership");
        assert_appended(append_one(&sink, &arena, batch, "a", 10), CODE_OK, leaders ? 0 : 1,
                        leaders);
        assert_appended(append_one(&sink, &arena, batch + 1, "a", 10), CODE_OK, 0, 1);
        assert_appended(append_one(&sink, &arena, batch + 2, "a", 11), CODE_KEY_REUSED, 0, 0);
        /* The number of a refused batch is free: nothing came of it. */
        assert_appended(append_one(&sink, &arena, batch + 2, leaders ? "c" : "b", 11), CODE_OK,
                        2 + leaders, 0);
        sequencer_destroy(&sink.sequencer);
    }
    assert_int_equal(test_log_head(), 3);
    test_log_verify();
    arena_fini(&arena);
}

static void
a_batch_with_one_id_twice_and_other_content_adds_nothing(void **state)
{
    scoped(append_job_release) struct append_job *job = NULL;
    struct bytes events[3];
    struct arena arena;
    struct sink sink;

    (void)state;
    arena_init(&arena, ARENA_CALL_BYTES);
    events[0] = sample_pack(&arena, (struct sample){.id = "x", .source = "/import"});
    events[1] = sample_pack(&arena, (struct sample){.id = "y", .source = "/import"});
    events[2] =
        sample_pack(&arena, (struct sample){.id = "x", .source = "/import", .data_bytes = 5});
    test_sink_start(&sink);
    test_log_await(test_sink_leads, &sink, "leadership");
    assert_ok(make_job("/import", 1, sample_batch(&arena, events, 3), &arena, &job));
    assert_ok(sequencer_post(sink.sequencer, job, &arena));
    assert_code(append_job_await(job, clock_system(), in_ms(TEST_MS), &arena), KEY_REUSED);
    assert_int_equal(strncmp(job->detail, "batch.events[2].id: x ", 22), 0);
    assert_appended(append_one(&sink, &arena, 2, "y", 0), CODE_OK, 1, 0);
    sequencer_destroy(&sink.sequencer);
    arena_fini(&arena);
}

static void
an_append_elsewhere_than_at_the_leader_is_told_so(void **state)
{
    uint64_t first, last;
    struct arena arena;
    struct sink leader, fellow;
    struct status status;

    (void)state;
    arena_init(&arena, ARENA_CALL_BYTES);
    test_sink_start(&leader);
    test_log_await(test_sink_leads, &leader, "leadership");
    test_sink_start(&fellow);
    test_log_await(test_sink_in_touch, &fellow, "first contact");
    status = append(&fellow, &arena, 1, 10, &first, &last);
    assert_code(status, UNAVAILABLE);
    assert_string_equal(status.detail, "not_leader");
    sequencer_destroy(&fellow.sequencer);
    sequencer_destroy(&leader.sequencer);
    arena_fini(&arena);
}

static void
a_batch_with_a_bad_event_is_refused_by_its_place(void **state)
{
    scoped(append_job_release) struct append_job *job = NULL;
    struct arena arena;
    struct bytes events[2];

    (void)state;
    arena_init(&arena, ARENA_CALL_BYTES);
    events[0] = sample_pack(&arena, (struct sample){.source = "/import"});
    events[1] = sample_pack(
        &arena,
        (struct sample){.source = "/import", .extra_name = "sequence", .extra_text = "1"});
    assert_fails(make_job("/import", 1, sample_batch(&arena, events, 2), &arena, &job),
                 INVALID_ARGUMENT, "batch.events[1].attributes.sequence");
    events[1] = sample_pack(
        &arena, (struct sample){.source = "/import", .extra_name = "data", .extra_text = "1"});
    assert_fails(make_job("/import", 1, sample_batch(&arena, events, 2), &arena, &job),
                 INVALID_ARGUMENT, "batch.events[1].attributes");
    events[1] = sample_pack(
        &arena, (struct sample){.source = "/import", .extra_name = "a_b", .extra_text = "1"});
    assert_fails(make_job("/import", 1, sample_batch(&arena, events, 2), &arena, &job),
                 INVALID_ARGUMENT, "batch.events[1].attributes");
    assert_fails(make_job("/import", 0, sample_batch(&arena, events, 1), &arena, &job),
                 INVALID_ARGUMENT, "batch_number");
    assert_fails(make_job("/import", 1, (struct bytes){0}, &arena, &job), INVALID_ARGUMENT,
                 "batch");
    assert_fails(make_job("", 1, sample_batch(&arena, events, 1), &arena, &job),
                 INVALID_ARGUMENT, "source");
    arena_fini(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, clear)
        TEST(an_append_repeated_is_answered_with_the_first_answer),
        TEST(an_id_that_comes_again_is_left_out_and_with_other_content_refused),
        TEST(a_batch_with_one_id_twice_and_other_content_adds_nothing),
        TEST(an_append_elsewhere_than_at_the_leader_is_told_so),
        TEST(a_batch_with_a_bad_event_is_refused_by_its_place),
    };

    return cmocka_run_group_tests_name("append", tests, NULL, NULL);
}
