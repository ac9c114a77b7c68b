#include "services/events/sequencer.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <string.h>

#include "services/events/test_log.h"

#define WRITERS 12
#define TRANSACTIONS 60 /* of one writer */

/* What one sequencer delivered. */
struct sink {
    struct sequencer *sequencer;
    _Atomic uint64_t last; /* position */
    atomic_uint blocks, gaps, rings;
    bool started;
};

static void
deliver(void *context, struct block *block)
{
    struct sink *sink = context;

    if (block->position != atomic_load(&sink->last) + 1)
        atomic_fetch_add(&sink->gaps, 1);
    atomic_store(&sink->last, block->last);
    atomic_fetch_add(&sink->blocks, 1);
    block_release(&block);
}

static void
reached(void *context, uint64_t head, uint64_t first_kept)
{
    struct sink *sink = context;

    (void)first_kept;
    atomic_store(&sink->last, head);
}

static void
ring(void *context)
{
    atomic_fetch_add(&((struct sink *)context)->rings, 1);
}

static void
start(struct sink *sink)
{
    static struct pg_config pg; /* dsn lives in this thread's buffer */
    static struct arena arena;

    arena_init(&arena, 1 << 20);
    pg = (struct pg_config){.dsn = test_dsn("app_events"),
                            .application_name = "sequencer_test",
                            .rooms = store_statements,
                            .clock = clock_system()};
    memset(sink, 0, sizeof *sink);
    assert_ok(sequencer_create(&(struct sequencer_config){.pg = &pg,
                                                          .clock = clock_system(),
                                                          .deliver = deliver,
                                                          .reached = reached,
                                                          .ring = ring,
                                                          .context = sink},
                               &arena, &sink->sequencer));
    arena_fini(&arena);
}

static bool
in_touch(void *sink)
{
    return sequencer_in_touch(((struct sink *)sink)->sequencer);
}

static bool
leads(void *sink)
{
    return sequencer_leads(((struct sink *)sink)->sequencer);
}

static bool
lock_is_held(void *context)
{
    (void)context;
    return test_log_count("test_locks") == 1;
}

static int
make_views(void **state)
{
    (void)state;
    test_run("postgres", NULL,
             "CREATE VIEW events.test_locks AS SELECT pid FROM pg_locks "
             "WHERE locktype = 'advisory' AND granted");
    test_run("postgres", NULL, "GRANT SELECT ON events.test_locks TO app_events");
    return 0;
}

static int
clear(void **state)
{
    (void)state;
    test_log_clear();
    return 0;
}

/* Each event's subject is "<writer>-<number>" in the order its writer committed. */
struct writer {
    pthread_t thread;
    unsigned number;
    unsigned committed; /* events */
};

static void *
write_on(void *argument)
{
    struct writer *writer = argument;
    struct pg *pg = test_log_writer();
    const char *tenant_id = writer->number % 2 ? SAMPLE_TENANT : SAMPLE_OTHER_TENANT;
    unsigned seed = writer->number * 7919 + 17;

    for (unsigned i = 0; i < TRANSACTIONS; i++) {
        struct arena arena;
        struct bytes events[4];
        const size_t count = 1 + i % COUNT_OF(events);
        bool commit;

        arena_init(&arena, ARENA_CALL_BYTES);
        seed = seed * 1103515245u + 12345u;
        commit = (seed >> 16) % 20 != 0;
        for (size_t e = 0; e < count; e++)
            events[e] = sample_pack(
                &arena,
                (struct sample){.tenant_id = tenant_id,
                                .subject = arena_printf(&arena, "%u-%zu", writer->number,
                                                        writer->committed + e),
                                .data_bytes = 100});
        if (failed(test_log_write(pg, tenant_id, false, events, count, commit)))
            i = TRANSACTIONS; /* seen by the count */
        else if (commit)
            writer->committed += (unsigned)count;
        arena_fini(&arena);
    }
    pg_destroy(&pg);
    return NULL;
}

static unsigned
run_writers(struct writer writers[WRITERS])
{
    unsigned committed = 0;

    for (unsigned i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.number = i};
        assert_int_equal(pthread_create(&writers[i].thread, NULL, write_on, &writers[i]), 0);
    }
    for (unsigned i = 0; i < WRITERS; i++) {
        assert_int_equal(pthread_join(writers[i].thread, NULL), 0);
        committed += writers[i].committed;
    }
    return committed;
}

static bool
outbox_is_empty(void *context)
{
    (void)context;
    return test_log_count("outbox") == 0;
}

/* Every event of each writer, once, in the order it was committed. */
static void
check_writers(const struct writer writers[WRITERS])
{
    struct block *page = test_log_read();
    unsigned seen[WRITERS] = {0};

    for (const struct block *block = page; block; block = block->next) {
        for (uint32_t i = 0; i < block->count; i++) {
            const struct bytes subject = block->events[i].parts.subject;
            unsigned writer, number;
            char text[32];

            (void)snprintf(text, sizeof text, "%.*s", (int)subject.size,
                           (const char *)subject.data);
            assert_int_equal(sscanf(text, "%u-%u", &writer, &number), 2);
            assert_in_range(writer, 0, WRITERS - 1);
            assert_int_equal(number, seen[writer]++);
        }
    }
    for (unsigned i = 0; i < WRITERS; i++)
        assert_int_equal(seen[i], writers[i].committed);
    store_page_release(&page);
}

static void
twelve_writers_with_rollbacks_lose_nothing_and_leave_no_gap(void **state)
{
    struct writer writers[WRITERS];
    struct sink sink;
    unsigned committed;

    (void)state;
    start(&sink);
    test_log_await(leads, &sink, "leadership");
    committed = run_writers(writers);
    test_log_await(outbox_is_empty, NULL, "the outbox to be emptied");
    sequencer_destroy(&sink.sequencer);
    assert_int_equal(test_log_head(), committed);
    assert_int_equal(atomic_load(&sink.last), committed);
    assert_int_equal(atomic_load(&sink.gaps), 0);
    test_log_verify();
    check_writers(writers);
}

static bool
both_have_all(void *sinks)
{
    struct sink *pair = sinks;

    return atomic_load(&pair[0].last) == atomic_load(&pair[1].last) &&
           test_log_count("outbox") == 0 && atomic_load(&pair[0].last) == test_log_head();
}

static void
of_two_sequencers_one_numbers_and_the_other_delivers_the_same(void **state)
{
    struct writer writers[WRITERS];
    struct sink sinks[2];
    unsigned committed;

    (void)state;
    start(&sinks[0]);
    start(&sinks[1]);
    test_log_await(in_touch, &sinks[0], "first contact");
    test_log_await(in_touch, &sinks[1], "first contact");
    committed = run_writers(writers);
    test_log_await(both_have_all, sinks, "both to deliver the whole log");
    assert_int_not_equal(sequencer_leads(sinks[0].sequencer),
                         sequencer_leads(sinks[1].sequencer));
    sequencer_destroy(&sinks[0].sequencer);
    sequencer_destroy(&sinks[1].sequencer);
    assert_int_equal(test_log_head(), committed);
    assert_int_equal(atomic_load(&sinks[0].gaps) + atomic_load(&sinks[1].gaps), 0);
    test_log_verify();
    check_writers(writers);
}

static void
the_other_takes_over_when_the_leader_ends_or_loses_its_session(void **state)
{
    struct writer writers[WRITERS];
    struct sink sinks[2];
    unsigned committed = 0;
    int first;

    (void)state;
    start(&sinks[0]);
    start(&sinks[1]);
    test_log_await(in_touch, &sinks[0], "first contact");
    test_log_await(in_touch, &sinks[1], "first contact");
    committed += run_writers(writers);
    first = sequencer_leads(sinks[0].sequencer) ? 0 : 1;
    /* As when the server ends the session of a stopped process. */
    test_run("postgres", NULL,
             "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
             "WHERE application_name = 'sequencer_test'");
    committed += run_writers(writers);
    test_log_await(both_have_all, sinks, "both to deliver the whole log");
    first = sequencer_leads(sinks[first].sequencer) ? first : 1 - first;
    sequencer_destroy(&sinks[first].sequencer);
    test_log_await(leads, &sinks[1 - first], "the other to lead");
    committed += run_writers(writers);
    test_log_await(outbox_is_empty, NULL, "the outbox to be emptied");
    sequencer_destroy(&sinks[1 - first].sequencer);
    assert_int_equal(test_log_head(), committed);
    assert_int_equal(atomic_load(&sinks[1 - first].gaps), 0);
    test_log_verify();
}

/* As a leader stopped while Postgres sends it the outbox: no timeout of idle sessions ends it.
 */
static void
a_leader_that_reads_no_answer_is_unseated(void **state)
{
    const struct mono begun = clock_mono(clock_system());
    PGconn *stuck = PQconnectdb(test_dsn("app_events"));
    char sql[120];
    struct sink sink;

    (void)state;
    assert_int_equal(PQstatus(stuck), CONNECTION_OK);
    (void)snprintf(sql, sizeof sql, "SELECT pg_try_advisory_lock(%lld), repeat('x', 20000000)",
                   (long long)STORE_SEQUENCER_LOCK);
    assert_int_equal(PQsendQuery(stuck, sql), 1);
    test_log_await(lock_is_held, NULL, "the lock to be taken");
    start(&sink);
    test_log_await(in_touch, &sink, "first contact");
    assert_false(sequencer_leads(sink.sequencer));
    test_log_await(leads, &sink, "leadership");
    assert_true(mono_micros_between(begun, clock_mono(clock_system())) < 5000000);
    sequencer_destroy(&sink.sequencer);
    PQfinish(stuck);
}

/* The guard behind the lock: a head that another moved. */
static void
a_round_that_does_not_join_the_head_is_refused(void **state)
{
    struct pg *pg = test_log_reader();
    const struct pg_scope scope = scope_of(NULL, TEST_MS);
    struct arena arena;
    struct pg_tx tx = {0};

    (void)state;
    arena_init(&arena, ARENA_CALL_BYTES);
    assert_ok(pg_tx_begin(pg, &scope, &arena, &tx));
    assert_ok(store_move_head(&tx, 0, 5));
    assert_ok(store_move_head(&tx, 0, 5));
    assert_code(pg_tx_commit(&tx), FAILED_PRECONDITION);
    assert_int_equal(test_log_head(), 0);
    pg_destroy(&pg);
    arena_fini(&arena);
}

static void
a_row_that_is_no_event_is_parked_and_blocks_nobody(void **state)
{
    struct pg *pg = test_log_writer();
    struct arena arena;
    struct bytes events[3];
    struct sink sink;

    (void)state;
    arena_init(&arena, ARENA_CALL_BYTES);
    events[0] = sample_pack(&arena, (struct sample){.tenant_id = SAMPLE_TENANT});
    events[1] = (struct bytes){(const uint8_t *)"\xff\xff\xff", 3};
    events[2] = sample_pack(&arena, (struct sample){.tenant_id = SAMPLE_OTHER_TENANT});
    assert_ok(test_log_write(pg, SAMPLE_TENANT, false, events, 3, true));
    assert_ok(test_log_write(pg, SAMPLE_TENANT, false, events, 1, true));
    start(&sink);
    test_log_await(outbox_is_empty, NULL, "the outbox to be emptied");
    sequencer_destroy(&sink.sequencer);
    assert_int_equal(test_log_head(), 2);
    assert_int_equal(test_log_count("parked"), 2);
    test_log_verify();
    pg_destroy(&pg);
    arena_fini(&arena);
}

static void
an_internal_event_has_a_position_and_no_number_of_its_tenants(void **state)
{
    struct pg *pg = test_log_writer();
    struct arena arena;
    struct bytes event;
    struct sink sink;

    (void)state;
    arena_init(&arena, ARENA_CALL_BYTES);
    event = sample_pack(&arena,
                        (struct sample){.tenant_id = SAMPLE_TENANT, .audience = "internal"});
    assert_ok(test_log_write(pg, SAMPLE_TENANT, true, &event, 1, true));
    start(&sink);
    test_log_await(outbox_is_empty, NULL, "the outbox to be emptied");
    sequencer_destroy(&sink.sequencer);
    assert_int_equal(test_log_count("tenant_stream"), 0);
    test_log_verify();
    pg_destroy(&pg);
    arena_fini(&arena);
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
    start(&sink);
    test_log_await(leads, &sink, "leadership");
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

        start(&sink);
        test_log_await(leads, &sink, "leadership");
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
    start(&sink);
    test_log_await(leads, &sink, "leadership");
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
    start(&leader);
    test_log_await(leads, &leader, "leadership");
    start(&fellow);
    test_log_await(in_touch, &fellow, "first contact");
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
        TEST(twelve_writers_with_rollbacks_lose_nothing_and_leave_no_gap),
        TEST(of_two_sequencers_one_numbers_and_the_other_delivers_the_same),
        TEST(the_other_takes_over_when_the_leader_ends_or_loses_its_session),
        TEST(a_leader_that_reads_no_answer_is_unseated),
        TEST(a_round_that_does_not_join_the_head_is_refused),
        TEST(a_row_that_is_no_event_is_parked_and_blocks_nobody),
        TEST(an_internal_event_has_a_position_and_no_number_of_its_tenants),
        TEST(an_append_repeated_is_answered_with_the_first_answer),
        TEST(an_id_that_comes_again_is_left_out_and_with_other_content_refused),
        TEST(a_batch_with_one_id_twice_and_other_content_adds_nothing),
        TEST(an_append_elsewhere_than_at_the_leader_is_told_so),
        TEST(a_batch_with_a_bad_event_is_refused_by_its_place),
    };

    return cmocka_run_group_tests_name("sequencer", tests, make_views, NULL);
}
