/* Listeners on a real Postgres, hearing a stream that the test itself plays. */

#include "common/service/listener.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "common/service/service_sql.h"
#include "common/service/worker.h"
#include "events/v1/stream.pb-c.h"
#include "matching/v1/inbox.pb-c.h"

#define PATIENCE_MS 30000
#define EVENTS_MAX 64
#define TENANT "0193a000-0000-7000-8000-000000000001"
#define HEARD "org.samverka.profile.changed.v1"
#define UNHEARD "org.samverka.nobody.hears.this.v1"

/* What the handlers did, and what they shall do; written by listeners' threads. */
static struct {
    atomic_uint calls[EVENTS_MAX];         /* by position */
    _Atomic enum code failing[EVENTS_MAX]; /* by position: what to fail with, */
    atomic_uint failures_left[EVENTS_MAX]; /* and how often */
    _Atomic uint64_t reached;
    uint64_t start_after;
} world;

struct stage {
    struct arena arena;
    void *context, *router;
    char endpoint[256];
    struct resolver *resolver;
    const char *letters; /* of the event at position i + 1: heard, unheard, remote */
    size_t count;
    struct service service;
    struct service_inbox inbox;
    struct frame frames[2];
    struct listener *listeners[2];
    struct worker *eyes; /* the test's own look at the database */
    struct frame eyes_frame;
};

static struct status
profiles_changed(struct call *call, const Registry__V1__ProfilesChanged *event,
                 Wire__V1__Ack *ack)
{
    const uint64_t position = call->position;

    (void)event;
    (void)ack;
    atomic_fetch_add(&world.calls[position], 1);
    if (strcmp(call->tenant_id, TENANT) != 0)
        return FAIL(call->arena, INTERNAL, "not the event's tenant");
    if (atomic_load(&world.failures_left[position]) > 0) {
        atomic_fetch_sub(&world.failures_left[position], 1);
        return status_make(call->arena, atomic_load(&world.failing[position]), "as told");
    }
    if (call->tx)
        TRY(pg_execute(call->tx, &SQL_LISTENER_BEGIN,
                       PG_IN(pg_text(arena_printf(call->arena, "effect-%llu",
                                                  (unsigned long long)position))),
                       NULL));
    return OK;
}

#define HEAR(handler, Event)                                                                   \
    RPC_METHOD(Matching__V1__Inbox_Service, handler, Event, Wire__V1__Ack)
#define NEVER_SENT(handler, Event)                                                             \
    static struct status handler(struct call *call, const Event *event, Wire__V1__Ack *ack)    \
    {                                                                                          \
        (void)event;                                                                           \
        (void)ack;                                                                             \
        return FAIL(call->arena, INTERNAL, "not sent by these tests");                         \
    }                                                                                          \
    HEAR(handler, Event)
HEAR(profiles_changed, Registry__V1__ProfilesChanged)
NEVER_SENT(profiles_withdrawn, Registry__V1__ProfilesWithdrawn)
NEVER_SENT(concepts_changed, Registry__V1__ConceptsChanged)
NEVER_SENT(subject_erased, Registry__V1__SubjectErased)
NEVER_SENT(search_saved, Matching__V1__SearchSaved)
NEVER_SENT(search_removed, Matching__V1__SearchRemoved)

static Matching__V1__Inbox_Service inbox_service = MATCHING__V1__INBOX__INIT(rpc_);

static struct status
start_after(struct call *call, uint64_t *ret_after)
{
    (void)call;
    *ret_after = world.start_after;
    return OK;
}

static void
reached(void *state, uint64_t through, uint64_t head)
{
    (void)state;
    (void)head;
    atomic_store(&world.reached, through);
}

static struct mono
soon(void)
{
    return mono_add_ms(clock_mono(clock_system()), PATIENCE_MS);
}

/* The stream's far end. */

static Io__Cloudevents__V1__CloudEvent__AttributesEntry *
attribute(struct stage *stage, const char *name, const char *text)
{
    Io__Cloudevents__V1__CloudEvent__AttributesEntry *entry =
        ARENA_NEW(&stage->arena, Io__Cloudevents__V1__CloudEvent__AttributesEntry);

    io__cloudevents__v1__cloud_event__attributes_entry__init(entry);
    entry->key = name;
    entry->value =
        ARENA_NEW(&stage->arena, Io__Cloudevents__V1__CloudEvent__CloudEventAttributeValue);
    io__cloudevents__v1__cloud_event__cloud_event_attribute_value__init(entry->value);
    entry->value->attr_case =
        IO__CLOUDEVENTS__V1__CLOUD_EVENT__CLOUD_EVENT_ATTRIBUTE_VALUE__ATTR_CE_STRING;
    entry->value->ce_string = text;
    return entry;
}

static Io__Cloudevents__V1__CloudEvent *
make_event(struct stage *stage, size_t position)
{
    Io__Cloudevents__V1__CloudEvent *event =
        ARENA_NEW(&stage->arena, Io__Cloudevents__V1__CloudEvent);
    Google__Protobuf__Any *any = ARENA_NEW(&stage->arena, Google__Protobuf__Any);

    io__cloudevents__v1__cloud_event__init(event);
    google__protobuf__any__init(any);
    any->type_url =
        arena_copy(&stage->arena, "type.googleapis.com/registry.v1.ProfilesChanged");
    event->id = arena_printf(&stage->arena, "event-%zu", position);
    event->type = stage->letters[position - 1] == 'u' ? UNHEARD : HEARD;
    event->data_case = IO__CLOUDEVENTS__V1__CLOUD_EVENT__DATA_PROTO_DATA;
    event->proto_data = any;
    event->attributes =
        ARENA_ARRAY(&stage->arena, Io__Cloudevents__V1__CloudEvent__AttributesEntry *, 3);
    event->attributes[0] =
        attribute(stage, "sequence", arena_printf(&stage->arena, "%019zu", position));
    event->attributes[1] = attribute(stage, "tenantid", arena_copy(&stage->arena, TENANT));
    event->attributes[2] = attribute(stage, "originsequence", "0000000000000000001");
    event->n_attributes = stage->letters[position - 1] == 'r' ? 3 : 2;
    return event;
}

static void
send_part(struct stage *stage, const ProtobufCMessage *message, int flags)
{
    struct bytes packed;

    assert_int_equal(wire_pack(message, &stage->arena, &packed).code, CODE_OK);
    (void)zmq_send(stage->router, packed.data, packed.size, flags); /* it may have left */
}

static void
send_after(struct stage *stage, const uint8_t *peer, size_t peer_size, uint64_t after)
{
    Io__Cloudevents__V1__CloudEventBatch batch = IO__CLOUDEVENTS__V1__CLOUD_EVENT_BATCH__INIT;
    Events__V1__ServerFrame frame = EVENTS__V1__SERVER_FRAME__INIT;
    Events__V1__Batch head = EVENTS__V1__BATCH__INIT;

    batch.events =
        ARENA_ARRAY(&stage->arena, Io__Cloudevents__V1__CloudEvent *, stage->count + 1);
    for (uint64_t i = after + 1; i <= stage->count; i++)
        batch.events[batch.n_events++] = make_event(stage, i);
    head.after = after;
    head.through = stage->count;
    head.head = stage->count;
    head.count = (uint32_t)batch.n_events;
    frame.frame_case = EVENTS__V1__SERVER_FRAME__FRAME_BATCH;
    frame.batch = &head;
    if (zmq_send(stage->router, peer, peer_size, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0)
        return;
    send_part(stage, &frame.base, ZMQ_SNDMORE);
    send_part(stage, &batch.base, 0);
}

/* Answers a Follow with all there is, waiting for one at most a moment. */
static void
play(struct stage *stage)
{
    zmq_pollitem_t item = {.socket = stage->router, .events = ZMQ_POLLIN};
    uint8_t peer[256], bytes[4096];
    ProtobufCMessage *message;
    const Events__V1__ClientFrame *frame;
    int peer_size, size;

    if (zmq_poll(&item, 1, 5) <= 0)
        return;
    peer_size = zmq_recv(stage->router, peer, sizeof peer, 0);
    size = zmq_recv(stage->router, bytes, sizeof bytes, 0);
    assert_true(peer_size > 0 && size >= 0 && (size_t)size <= sizeof bytes);
    assert_int_equal(wire_unpack(&events__v1__client_frame__descriptor,
                                 (struct bytes){bytes, (size_t)size}, &stage->arena, &message)
                         .code,
                     CODE_OK);
    frame = (const Events__V1__ClientFrame *)message;
    if (frame->frame_case == EVENTS__V1__CLIENT_FRAME__FRAME_FOLLOW)
        send_after(stage, peer, (size_t)peer_size, frame->follow->after);
}

/* Plays until listener `i` has taken in everything. */
static void
play_until_taken(struct stage *stage, size_t i)
{
    const struct mono deadline = soon();

    while (listener_position(stage->listeners[i]) < stage->count) {
        if (mono_left_ms(deadline, clock_mono(clock_system())) == 0)
            fail_msg("position %llu of %zu",
                     (unsigned long long)listener_position(stage->listeners[i]), stage->count);
        play(stage);
    }
}

/* The position stored under a name; -1: there is no such row. */
static int64_t
stored(struct stage *stage, const char *name)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    int64_t position = -1;
    struct call call;

    worker_own_call(stage->eyes, 10000, &call);
    assert_int_equal(call_begin(&call, NULL, true, &tx).code, CODE_OK);
    assert_int_equal(pg_query(&tx, &SQL_LISTENER_POSITION, PG_IN(pg_text(name)), &rows).code,
                     CODE_OK);
    (void)pg_next_row(&rows, call.arena, PG_OUT(pg_to_i64(&position)));
    return position;
}

static bool
effect(struct stage *stage, size_t position)
{
    char name[64];

    (void)snprintf(name, sizeof name, "effect-%zu", position);
    return stored(stage, name) >= 0;
}

static void
make_frame(struct stage *stage, struct frame *frame)
{
    frame->service = &stage->service;
    frame->open.zmq_context = stage->context;
    frame->open.resolver = stage->resolver;
    frame->open.clock = clock_system();
    frame->settings.stream_endpoints = stage->endpoint;
    frame->settings.pg_password = "";
    frame->settings.pg_dsn =
        arena_printf(&stage->arena, "host=%s port=%s dbname=%s user=app_registry",
                     getenv("SAMVERKA_TEST_PG_HOST"), getenv("SAMVERKA_TEST_PG_PORT"),
                     getenv("SAMVERKA_TEST_PG_DATABASE"));
    frame->rooms[0] = SQL_STATEMENTS;
    wire__v1__principal__init(&frame->own_principal);
}

static void
start_listener(struct stage *stage, size_t i)
{
    make_frame(stage, &stage->frames[i]);
    assert_int_equal(
        listener_start(&stage->frames[i], &stage->arena, &stage->listeners[i]).code, CODE_OK);
}

/* So that every test begins with an empty table. */
static const struct pg_statement forget_all = {
    "test_forget_all", "UPDATE listener SET position = 0, name = gen_random_uuid()::text"};
static const struct pg_statement parked_count = {
    "test_parked_count", "SELECT count(*) FROM parked_event WHERE tries = $1 AND code = $2"};
static const struct pg_statement set_back = {
    "test_rewind", "UPDATE listener SET position = $2 WHERE name = $1"};
static const struct pg_statement *const test_statements[] = {&forget_all, &parked_count,
                                                             &set_back, NULL};

static void
execute(struct stage *stage, const struct pg_statement *statement, struct pg_args in)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    struct call call;

    worker_own_call(stage->eyes, 10000, &call);
    assert_int_equal(call_begin(&call, NULL, false, &tx).code, CODE_OK);
    assert_int_equal(pg_execute(&tx, statement, in, NULL).code, CODE_OK);
    assert_int_equal(call_commit(&call).code, CODE_OK);
}

static int
set_up(void **state)
{
    const struct wire_curve off = {0};
    struct stage *stage = calloc(1, sizeof *stage);

    memset(&world, 0, sizeof world);
    arena_init(&stage->arena, (size_t)256 << 20);
    stage->context = zmq_ctx_new();
    assert_int_equal(resolver_create(&stage->arena, &stage->resolver).code, CODE_OK);
    assert_int_equal(socket_bind(stage->context, ZMQ_ROUTER, "tcp://127.0.0.1:*", &off,
                                 (struct socket_limits){0}, &stage->arena, &stage->router,
                                 stage->endpoint)
                         .code,
                     CODE_OK);
    stage->inbox = (struct service_inbox){.service = &inbox_service.base,
                                          .stored = true,
                                          .start = start_after,
                                          .reached = reached};
    stage->service =
        (struct service){.name = "registry", .inbox = &stage->inbox, .uses = USES_POSTGRES};
    make_frame(stage, &stage->eyes_frame);
    stage->eyes_frame.rooms[1] = test_statements;
    stage->eyes = worker_start(&stage->eyes_frame, 9);
    execute(stage, &forget_all, PG_NONE);
    *state = stage;
    return 0;
}

static int
tear_down(void **state)
{
    struct stage *stage = *state;

    listener_stop(&stage->listeners[0]);
    listener_stop(&stage->listeners[1]);
    worker_stop(stage->eyes);
    socket_close(&stage->router);
    resolver_destroy(&stage->resolver);
    (void)zmq_ctx_term(stage->context);
    arena_fini(&stage->arena);
    free(stage);
    return 0;
}

/* Letters: h is heard, u is not. */
static void
write_log(struct stage *stage, const char *letters)
{
    stage->count = strlen(letters);
    stage->letters = letters;
}

static void
the_position_moves_with_each_effect(void **state)
{
    struct stage *stage = *state;

    write_log(stage, "huhhrh");
    start_listener(stage, 0);
    play_until_taken(stage, 0);
    assert_int_equal(stored(stage, "matching.v1.Inbox"), 6);
    assert_true(effect(stage, 1) && effect(stage, 3) && effect(stage, 4));
    assert_false(effect(stage, 2) || effect(stage, 5));
    assert_int_equal(atomic_load(&world.calls[1]), 1);
}

static void
a_listener_that_starts_again_goes_on_where_it_was(void **state)
{
    struct stage *stage = *state;

    write_log(stage, "hh");
    start_listener(stage, 0);
    play_until_taken(stage, 0);
    listener_stop(&stage->listeners[0]);
    write_log(stage, "hhhh");
    start_listener(stage, 0);
    play_until_taken(stage, 0);
    for (size_t i = 1; i <= 4; i++)
        assert_int_equal(atomic_load(&world.calls[i]), 1);
}

static void
of_two_instances_one_takes_each_event(void **state)
{
    struct stage *stage = *state;

    write_log(stage, "hhuhhhhuuhhhhhhuhhhhhhhhhuhhhhhhhhuhhhhh");
    start_listener(stage, 0);
    start_listener(stage, 1);
    play_until_taken(stage, 0);
    play_until_taken(stage, 1);
    for (size_t i = 1; i <= stage->count; i++) {
        const bool heard = stage->letters[i - 1] == 'h';

        assert_int_equal(atomic_load(&world.calls[i]), heard ? 1 : 0);
        assert_int_equal(effect(stage, i), heard);
    }
    assert_int_equal(stored(stage, "matching.v1.Inbox"), stage->count);
}

static void
an_event_that_cannot_be_heard_is_parked_and_the_next_one_heard(void **state)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct stage *stage = *state;
    int64_t parked = 0;
    struct call call;

    write_log(stage, "hhh");
    atomic_store(&world.failing[2], CODE_FAILED_PRECONDITION);
    atomic_store(&world.failures_left[2], 1000);
    start_listener(stage, 0);
    play_until_taken(stage, 0);
    assert_int_equal(atomic_load(&world.calls[2]), 5);
    assert_false(effect(stage, 2));
    assert_true(effect(stage, 3));
    worker_own_call(stage->eyes, 10000, &call);
    assert_int_equal(call_begin(&call, NULL, true, &tx).code, CODE_OK);
    assert_int_equal(
        pg_query(&tx, &parked_count, PG_IN(pg_i64(5), pg_text("FAILED_PRECONDITION")), &rows)
            .code,
        CODE_OK);
    assert_int_equal(pg_one_row(&rows, call.arena, PG_OUT(pg_to_i64(&parked))).code, CODE_OK);
    assert_int_equal(parked, 1);
}

static void
what_is_away_is_waited_for_longer_than_five_tries(void **state)
{
    struct stage *stage = *state;

    write_log(stage, "hh");
    atomic_store(&world.failing[1], CODE_UNAVAILABLE);
    atomic_store(&world.failures_left[1], 6);
    start_listener(stage, 0);
    play_until_taken(stage, 0);
    assert_int_equal(atomic_load(&world.calls[1]), 7);
    assert_true(effect(stage, 1) && effect(stage, 2));
}

static void
an_inbox_in_memory_starts_where_it_says_and_hears_in_no_transaction(void **state)
{
    struct stage *stage = *state;

    stage->inbox.stored = false;
    world.start_after = 2;
    write_log(stage, "hhhh");
    start_listener(stage, 0);
    play_until_taken(stage, 0);
    for (size_t i = 1; i <= 4; i++)
        assert_int_equal(atomic_load(&world.calls[i]), i > 2 ? 1 : 0);
    assert_false(effect(stage, 3));
    assert_int_equal(stored(stage, "matching.v1.Inbox"), -1);
    for (const struct mono deadline = soon(); atomic_load(&world.reached) != 4;)
        assert_true(mono_left_ms(deadline, clock_mono(clock_system())) > 0);
}

static void
a_position_that_is_set_back_is_heard_again_from_there(void **state)
{
    struct stage *stage = *state;
    const struct mono deadline = soon();

    write_log(stage, "hhh");
    start_listener(stage, 0);
    play_until_taken(stage, 0);
    execute(stage, &set_back, PG_IN(pg_text("matching.v1.Inbox"), pg_i64(1)));
    write_log(stage, "hhhh");
    listener_stop(&stage->listeners[0]);
    start_listener(stage, 0);
    while (stored(stage, "matching.v1.Inbox") != 4 &&
           mono_left_ms(deadline, clock_mono(clock_system())) > 0)
        play(stage);
    assert_int_equal(atomic_load(&world.calls[1]), 1);
    assert_int_equal(atomic_load(&world.calls[2]), 2);
    assert_int_equal(atomic_load(&world.calls[3]), 2);
    assert_int_equal(atomic_load(&world.calls[4]), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_position_moves_with_each_effect),
        TEST(a_listener_that_starts_again_goes_on_where_it_was),
        TEST(of_two_instances_one_takes_each_event),
        TEST(an_event_that_cannot_be_heard_is_parked_and_the_next_one_heard),
        TEST(what_is_away_is_waited_for_longer_than_five_tries),
        TEST(an_inbox_in_memory_starts_where_it_says_and_hears_in_no_transaction),
        TEST(a_position_that_is_set_back_is_heard_again_from_there),
    };

    return cmocka_run_group_tests_name("listener", tests, NULL, NULL);
}
