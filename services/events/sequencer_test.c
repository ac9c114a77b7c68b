#include "services/events/sequencer.h"

#include <inttypes.h>
#include <libpq-fe.h>
#include <pthread.h>
#include <string.h>

#include "services/events/test_sink.h"

#define WRITERS 12
#define TRANSACTIONS 60 /* of one writer */

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
    test_sink_start(&sink);
    test_log_await(test_sink_leads, &sink, "leadership");
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
    test_sink_start(&sinks[0]);
    test_sink_start(&sinks[1]);
    test_log_await(test_sink_in_touch, &sinks[0], "first contact");
    test_log_await(test_sink_in_touch, &sinks[1], "first contact");
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
    test_sink_start(&sinks[0]);
    test_sink_start(&sinks[1]);
    test_log_await(test_sink_in_touch, &sinks[0], "first contact");
    test_log_await(test_sink_in_touch, &sinks[1], "first contact");
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
    test_log_await(test_sink_leads, &sinks[1 - first], "the other to lead");
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
    test_sink_start(&sink);
    test_log_await(test_sink_in_touch, &sink, "first contact");
    assert_false(sequencer_leads(sink.sequencer));
    test_log_await(test_sink_leads, &sink, "leadership");
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
    test_sink_start(&sink);
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
    test_sink_start(&sink);
    test_log_await(outbox_is_empty, NULL, "the outbox to be emptied");
    sequencer_destroy(&sink.sequencer);
    assert_int_equal(test_log_count("tenant_stream"), 0);
    test_log_verify();
    pg_destroy(&pg);
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
    };

    return cmocka_run_group_tests_name("sequencer", tests, make_views, NULL);
}
