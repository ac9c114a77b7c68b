#include "services/events/test_stand.h"

#include <inttypes.h>
#include <string.h>
#include <zmq.h>

struct stand stand;

static void
deliver(void *context, struct block *block)
{
    (void)context;
    stream_offer(stand.stream, block);
}

static void
reached(void *context, uint64_t head, uint64_t first_kept)
{
    (void)context;
    (void)first_kept;
    stream_reach(stand.stream, head);
}

/* What registry would publish. */
void
stand_publish(const char *key, const char *types, const char *expires)
{
    char sql[512];

    test_run("postgres", NULL, "DELETE FROM events.test_system");
    if (!key)
        return;
    (void)snprintf(sql, sizeof sql,
                   "INSERT INTO events.test_system VALUES ('" STAND_SYSTEM "', $key$%s$key$, "
                   "ARRAY['" SAMPLE_TENANT "']::uuid[], '%s'::text[], %s, '" SAMPLE_TENANT "', "
                   "'{org.example.}', 0, %u, 0)",
                   key, types, expires, stand.events_per_second);
    test_run("postgres", NULL, sql);
}

int
stand_make_table(void **state)
{
    (void)state;
    test_run("postgres", NULL,
             "CREATE TABLE events.test_system (system_id uuid, key text, tenant_ids uuid[], "
             "types text[], expires_at timestamptz, tenant_id uuid, append_types text[], "
             "follows_limit integer, events_per_second integer, appends_per_second integer)");
    test_run("postgres", NULL, "GRANT SELECT ON events.test_system TO app_events");
    test_run(
        "postgres", NULL,
        "CREATE OR REPLACE FUNCTION events.systems() RETURNS TABLE (system_id uuid, "
        "key text, tenant_ids uuid[], types text[], expires_at timestamptz, tenant_id uuid, "
        "append_types text[], follows_limit integer, events_per_second integer, "
        "appends_per_second integer) "
        "LANGUAGE sql STABLE AS 'SELECT * FROM events.test_system'");
    return 0;
}

static struct status
post(void *context, struct append_job *job, struct arena *arena)
{
    struct sequencer *sequencer = atomic_load(&stand.sequencer);

    (void)context;
    if (!sequencer)
        return FAIL(arena, UNAVAILABLE, "not_leader");
    return sequencer_post(sequencer, job, arena);
}

static bool
leads(void *context)
{
    struct sequencer *sequencer = atomic_load(&stand.sequencer);

    (void)context;
    return sequencer && sequencer_leads(sequencer);
}

static bool
in_touch(void *context)
{
    (void)context;
    return sequencer_in_touch(stand.sequencer);
}

static void
start_stream(bool curve)
{
    const struct stream_config config = {
        .zmq_context = stand.context,
        .bind = "tcp://127.0.0.1:*",
        .curve = {.on = curve, .own = &stand.server, .domain = RIGHTS_DOMAIN},
        .zap = stand.zap,
        .own = &stand.own_peer,
        .own_count = curve ? 1 : 0,
        .pg = &stand.pg,
        .instance = "test:1",
        .clock = clock_system(),
        .tail_bytes = (size_t)1 << 20,
        .replay_bytes = (size_t)8 << 20,
        .followers_limit = 20,
        .slow_ms = 1000,
        .limits = {.follows = 3, .events_per_second = 100000, .appends_per_second = 1000},
        .ack_ms = 2000,
        .leads = leads,
        .post = post,
    };

    assert_ok(stream_create(&config, &stand.arena, &stand.stream));
}

static void
start_sequencer(void)
{
    struct sequencer *sequencer;

    assert_ok(sequencer_create(
        &(struct sequencer_config){
            .pg = &stand.pg, .clock = clock_system(), .deliver = deliver, .reached = reached},
        &stand.arena, &sequencer));
    atomic_store(&stand.sequencer, sequencer);
    test_log_await(in_touch, NULL, "first contact");
}

void
stand_end_sequencer(void)
{
    struct sequencer *sequencer = atomic_exchange(&stand.sequencer, NULL);

    sequencer_destroy(&sequencer);
}

void
stand_restart(void)
{
    stream_stop(stand.stream);
    stand_end_sequencer();
    stream_destroy(&stand.stream);
    start_stream(stand.zap != NULL);
    start_sequencer();
}

static void
start(bool curve)
{
    memset(&stand, 0, sizeof stand);
    arena_init(&stand.arena, (size_t)256 << 20);
    test_log_clear();
    stand_publish(NULL, NULL, NULL);
    assert_non_null(stand.context = zmq_ctx_new());
    (void)snprintf(stand.dsn, sizeof stand.dsn, "%s", test_dsn("app_events"));
    stand.pg = (struct pg_config){.dsn = stand.dsn,
                                  .application_name = "stream_test",
                                  .rooms = store_statements,
                                  .clock = clock_system()};
    if (curve) {
        assert_ok(key_pair_create(&stand.arena, &stand.server));
        assert_ok(key_pair_create(&stand.arena, &stand.own));
        assert_ok(key_pair_create(&stand.arena, &stand.system));
        assert_ok(zap_create(stand.context, &stand.arena, &stand.zap));
        (void)snprintf(stand.own_peer.name, sizeof stand.own_peer.name, "service:matching");
        (void)snprintf(stand.own_peer.key, sizeof stand.own_peer.key, "%s",
                       stand.own.public_text);
    }
    start_stream(curve);
    start_sequencer();
    stand.writer = test_log_writer();
}

int
stand_start_open(void **state)
{
    (void)state;
    start(false);
    return 0;
}

int
stand_start_curve(void **state)
{
    (void)state;
    start(true);
    return 0;
}

int
stand_stop(void **state)
{
    (void)state;
    for (size_t i = 0; i < stand.peer_count; i++)
        test_peer_close(&stand.peers[i]);
    stream_stop(stand.stream);
    stand_end_sequencer();
    stream_destroy(&stand.stream);
    zap_destroy(&stand.zap);
    pg_destroy(&stand.writer);
    assert_int_equal(zmq_ctx_term(stand.context), 0);
    arena_fini(&stand.arena);
    return 0;
}

static bool
is_numbered(void *head)
{
    return test_log_head() == *(uint64_t *)head;
}

/* Events through the outbox; back when they are in the log. */
void
stand_write(size_t count, struct sample sample)
{
    const char *tenant_id = sample.tenant_id;
    uint64_t head = test_log_head() + count;
    struct arena arena;
    struct bytes *events;

    arena_init(&arena, (size_t)256 << 20);
    events = ARENA_ARRAY(&arena, struct bytes, count);
    for (size_t i = 0; i < count; i++)
        events[i] = sample_pack(&arena, sample);
    assert_ok(test_log_write(stand.writer, tenant_id,
                             sample.audience && strcmp(sample.audience, "internal") == 0,
                             events, count, true));
    test_log_await(is_numbered, &head, "the events to be numbered");
    arena_fini(&arena);
}

struct test_peer *
stand_connect(const struct key_pair *key)
{
    struct test_peer *peer = &stand.peers[stand.peer_count++];

    assert_in_range(stand.peer_count, 1, COUNT_OF(stand.peers));
    *peer = test_peer_connect(stand.context, stream_endpoint(stand.stream), key,
                              key ? stand.server.public_text : NULL);
    return peer;
}
