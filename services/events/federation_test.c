/* The thread that follows a peer, against a real log.  The log stands for both deployments:
 * what its "peer" wrote comes in again as events of another, behind them. */

#include "services/events/federation.h"

#include <inttypes.h>
#include <string.h>

#include "services/events/test_stand.h"

#define PEER_ROOT "https://lund.example"
#define OWN_ROOT "https://dalarna.example"
#define OPENED "com.example.opened.v1"

static struct federation_peer peer;
static struct resolver *resolver;
static struct federation *federation;
static uint32_t events_per_second;

/* What registry says to each tenant, and how often it was asked. */
static struct {
    atomic_uint asked;
    _Atomic(enum code) answer;
} admission;

static struct status
admit(void *context, const char *tenant_id, const char *deployment, struct arena *arena)
{
    const enum code answer = atomic_load(&admission.answer);

    (void)context;
    assert_string_equal(deployment, "lund");
    assert_true(strcmp(tenant_id, SAMPLE_TENANT) == 0 ||
                strcmp(tenant_id, SAMPLE_OTHER_TENANT) == 0);
    (void)atomic_fetch_add(&admission.asked, 1); /* counted for the test */
    return answer == CODE_OK ? OK : status_make(arena, answer, "no");
}

static void
start(void)
{
    assert_ok(
        federation_create(&(struct federation_config){.zmq_context = stand.context,
                                                      .resolver = resolver,
                                                      .clock = clock_system(),
                                                      .pg = &stand.pg,
                                                      .sequencer = stand.sequencer,
                                                      .own_source = OWN_ROOT,
                                                      .peer = &peer,
                                                      .events_per_second = events_per_second,
                                                      .admit = admit},
                          &stand.arena, &federation));
}

static int
setup(void **state)
{
    stand_start_open(state);
    test_run("postgres", NULL, "TRUNCATE events.federation_peer");
    assert_ok(resolver_create(&stand.arena, &resolver));
    peer = (struct federation_peer){
        .name = "lund", .endpoints = stream_endpoint(stand.stream), .source = PEER_ROOT};
    events_per_second = 10000;
    atomic_store(&admission.asked, 0);
    atomic_store(&admission.answer, CODE_OK);
    return 0;
}

static int
teardown(void **state)
{
    federation_destroy(&federation);
    resolver_destroy(&resolver);
    return stand_stop(state);
}

/* One event of the peer's, with its place in the run as its id. */
static void
write_one(unsigned number, const char *tenant_id, const char *audience, const char *source)
{
    struct sample sample = {.source = source,
                            .type = OPENED,
                            .tenant_id = tenant_id,
                            .audience = audience,
                            .subject = "s",
                            .data_bytes = 30};
    struct arena arena;
    struct bytes event;
    char id[40];

    arena_init(&arena, ARENA_CALL_BYTES);
    (void)snprintf(id, sizeof id, "event-%06u", number);
    sample.id = id;
    event = sample_pack(&arena, sample);
    assert_ok(test_log_write(stand.writer, tenant_id, strcmp(audience, "internal") == 0, &event,
                             1, true));
    arena_fini(&arena);
}

static void
write_public(unsigned from, unsigned count)
{
    for (unsigned i = from; i < from + count; i++)
        write_one(i, i % 3 ? SAMPLE_TENANT : SAMPLE_OTHER_TENANT, "public",
                  PEER_ROOT "/tenants/x");
}

static bool
has_head(void *wanted)
{
    return test_log_head() >= *(uint64_t *)wanted;
}

static void
await_head(uint64_t position)
{
    test_log_await(has_head, &position, "the peer's events");
}

static bool
has_position(void *wanted)
{
    char sql[120];

    (void)snprintf(sql, sizeof sql,
                   "SELECT count(*) FROM events.federation_peer WHERE position >= %" PRIu64,
                   *(uint64_t *)wanted);
    return test_number(sql) == 1;
}

/* All that the log holds has been looked at; what was to come in is in. */
static void
await_all_seen(void)
{
    uint64_t head = test_log_head();

    test_log_await(has_position, &head, "the peer's position");
    assert_int_equal(test_log_head(), head);
}

/* Checks that exactly the events of these numbers came in, once, in order. */
static void
check_taken(unsigned from, unsigned count)
{
    struct block *blocks = test_log_read();
    unsigned next = from;
    struct arena arena;

    arena_init(&arena, (size_t)64 << 20);
    for (const struct block *block = blocks; block; block = block->next) {
        for (uint32_t i = 0; i < block->count; i++) {
            struct bytes framed = block->events[i].framed, event;
            const char *origin;
            char id[40];
            bool broken;

            assert_true(packed_next(&framed, &event, &broken));
            origin = sample_attribute(&arena, event, "originsequence");
            if (!*origin)
                continue;
            (void)snprintf(id, sizeof id, "event-%06u", next++);
            assert_true(bytes_are(block->events[i].parts.id, id));
            assert_string_not_equal(sample_attribute(&arena, event, "sequence"), origin);
        }
    }
    assert_int_equal(next, from + count);
    store_page_release(&blocks);
    arena_fini(&arena);
    test_log_verify();
}

static void
public_events_come_in_once_and_in_order(void **state)
{
    (void)state;
    write_public(0, 20);
    start();
    await_head(40);
    write_public(20, 10);
    await_head(60);
    await_all_seen();
    check_taken(0, 30);
    assert_int_equal(atomic_load(&admission.asked), 2); /* once for each tenant */
}

static void
what_is_not_public_or_not_the_peers_own_stays_where_it_is(void **state)
{
    (void)state;
    write_one(100, SAMPLE_TENANT, "", PEER_ROOT "/tenants/x");
    write_one(101, SAMPLE_TENANT, "internal", PEER_ROOT "/tenants/x");
    write_one(102, SAMPLE_TENANT, SAMPLE_OTHER_TENANT, PEER_ROOT "/tenants/x");
    write_one(103, SAMPLE_TENANT, "public", OWN_ROOT "/tenants/x");
    write_one(104, SAMPLE_TENANT, "public", "https://third.example/tenants/x");
    write_one(0, SAMPLE_TENANT, "public", PEER_ROOT "/tenants/x");
    start();
    await_head(7);
    await_all_seen();
    check_taken(0, 1);
}

static void
a_new_thread_goes_on_where_the_last_one_was(void **state)
{
    (void)state;
    write_public(0, 15);
    start();
    await_head(30);
    federation_destroy(&federation);
    write_public(15, 15);
    start();
    await_head(60);
    await_all_seen();
    check_taken(0, 30);
}

static void
a_position_moved_by_another_is_obeyed(void **state)
{
    (void)state;
    write_public(0, 5);
    start();
    await_head(10);
    await_all_seen();
    /* As another instance would: the thread's next step is ABORTED and begins from here. */
    test_run("postgres", NULL, "UPDATE events.federation_peer SET position = 12");
    write_public(5, 3); /* 11, 12, 13: two of them are said to be in */
    await_head(14);
    await_all_seen();
    assert_int_equal(test_log_head(), 14);
    test_log_verify();
}

static void
tenants_that_registry_refuses_have_their_events_passed_over(void **state)
{
    (void)state;
    atomic_store(&admission.answer, CODE_ALREADY_EXISTS);
    write_public(0, 5);
    await_head(5);
    start();
    await_all_seen();
    assert_int_equal(test_log_head(), 5);
    assert_int_equal(atomic_load(&admission.asked), 2);
}

static bool
asked_twice(void *context)
{
    (void)context;
    return atomic_load(&admission.asked) >= 2;
}

static void
while_registry_is_away_nothing_is_passed_over(void **state)
{
    (void)state;
    atomic_store(&admission.answer, CODE_UNAVAILABLE);
    write_public(0, 5);
    await_head(5);
    start();
    test_log_await(asked_twice, NULL, "registry to be asked again");
    assert_int_equal(test_log_head(), 5);
    atomic_store(&admission.answer, CODE_OK);
    await_head(10);
    await_all_seen();
    check_taken(0, 5);
}

static void
a_name_that_meant_another_deployment_takes_nothing_in(void **state)
{
    (void)state;
    test_run("postgres", NULL,
             "INSERT INTO events.federation_peer (name, source) VALUES ('lund', '/other')");
    write_public(0, 5);
    await_head(5);
    start();
    assert_false(has_position(&(uint64_t){1}));
    federation_destroy(&federation);
    assert_int_equal(test_log_head(), 5);
    test_run("postgres", NULL, "TRUNCATE events.federation_peer");
    start();
    await_head(10);
    await_all_seen();
    check_taken(0, 5);
}

static void
a_peer_gets_its_share_and_no_more(void **state)
{
    struct mono begun;

    (void)state;
    write_public(0, 30);
    await_head(30);
    events_per_second = 10;
    begun = clock_mono(clock_system());
    start();
    await_head(60);
    /* The last tenth came when the two before had had their second. */
    assert_true(mono_micros_between(begun, clock_mono(clock_system())) >= 2000000);
    check_taken(0, 30);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(public_events_come_in_once_and_in_order),
        TEST(what_is_not_public_or_not_the_peers_own_stays_where_it_is),
        TEST(a_new_thread_goes_on_where_the_last_one_was),
        TEST(a_position_moved_by_another_is_obeyed),
        TEST(tenants_that_registry_refuses_have_their_events_passed_over),
        TEST(while_registry_is_away_nothing_is_passed_over),
        TEST(a_peer_gets_its_share_and_no_more),
        TEST(a_name_that_meant_another_deployment_takes_nothing_in),
    };

    return cmocka_run_group_tests(tests, stand_make_table, NULL);
}
