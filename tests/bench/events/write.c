/* Writers of the outbox, as our services write it: the event is a row of the transaction that
 * makes it true, and the doorbell rings after the commit.
 *
 *     events_write outbox dsn=D bell=ENDPOINT [publishers=N] [per=EVENTS] [rate=R]
 *                  [events=N | seconds=S]
 *     events_write effect dsn=D bell=ENDPOINT [publishers=N] [rate=R] [seconds=S]
 *
 * outbox: `per` events a transaction, inserted by one statement that goes with the commit, as
 * outbox_put does it, beside a row of the writer's own; an event's age counts from there, the
 * acknowledgement's from when the transaction was due.  effect: what a handler does: the
 * idempotency key, a row, the event, the kept answer; every other transaction goes without the
 * event, so that both meet the same neighbours, and is printed as other_*; rate= and sent count
 * transactions.  The table is notifications.bench_row, made by events_bench.py.
 */

#include <string.h>

#include "common/base/uuid.h"
#include "common/pg/idempotency.h"
#include "common/pg/outbox.h"
#include "common/wire/doorbell.h"
#include "registry/v1/needs.pb-c.h"
#include "tests/bench/events/event.h"
#include "tests/bench/events/stream.h"

#define PER_MAX 50
#define INSERT_BYTES 2048
#define TX_MS 20000
#define ARENA_BYTES ((size_t)8 << 20)
#define ANSWER_BYTES 100

static const struct pg_statement add_row = {
    "bench_add_row",
    "INSERT INTO bench_row (tenant_id, id, kind, note) VALUES ($1, $2, $3, $4)"};
static char insert_text[INSERT_BYTES];
static const struct pg_statement add_events = {"bench_add_events", insert_text};
static const struct pg_statement *const own_statements[] = {&add_row, &add_events, NULL};
static const struct pg_statement *const *const rooms[] = {
    own_statements, idempotency_statements, outbox_statements, NULL};

static struct doorbell *bell; /* one in a process, as in a service */

struct writer {
    struct bench_publisher *publisher;
    struct pg *pg;
    struct arena arena;
    struct event event;
    uint8_t (*events)[BENCH_EVENT_BYTES];
    size_t per;
};

/* One statement for all events of a transaction. */
static void
write_insert(size_t per)
{
    int at = snprintf(insert_text, sizeof insert_text,
                      "INSERT INTO events.outbox (tenant_id, internal, event) VALUES ");

    for (size_t i = 0; i < per; i++)
        at += snprintf(insert_text + at, sizeof insert_text - (size_t)at, "%s($1, false, $%zu)",
                       i ? ", " : "", i + 2);
}

static void
begin(struct writer *writer, struct pg_tx *tx)
{
    const struct pg_scope scope = {.tenant_id = EVENT_TENANT,
                                   .deadline = mono_add_ms(clock_mono(clock_system()), TX_MS)};

    arena_reset(&writer->arena);
    stream_check(pg_tx_begin(writer->pg, &scope, &writer->arena, tx), "begin");
}

static void
insert_row(struct pg_tx *tx, const char *id)
{
    stream_check(pg_execute(tx, &add_row,
                            PG_IN(pg_text(EVENT_TENANT), pg_text(id), pg_i64(1),
                                  pg_text("A row as long as rows of ours are, with a sentence "
                                          "or two that somebody wrote.")),
                            NULL),
                 "row");
}

static void
insert_events(struct writer *writer, struct pg_tx *tx)
{
    struct pg_value values[1 + PER_MAX] = {pg_text(EVENT_TENANT)};
    const uint64_t now_ns = bench_now_ns();

    for (size_t i = 0; i < writer->per; i++) {
        event_stamp(&writer->event, writer->publisher->sent + i + 1, now_ns);
        memcpy(writer->events[i], writer->event.bytes, BENCH_EVENT_BYTES);
        values[1 + i] = pg_bytes(writer->events[i], BENCH_EVENT_BYTES);
    }
    stream_check(pg_defer(tx, &add_events, (struct pg_args){1 + writer->per, values}),
                 "outbox");
}

static void
write_outbox(struct writer *writer)
{
    struct bench_publisher *publisher = writer->publisher;
    const uint64_t due_ns = bench_await_due(publisher);
    scoped(pg_tx_end) struct pg_tx tx = {0};
    char id[UUID_SIZE];

    uuid_v7(clock_system(), id);
    begin(writer, &tx);
    insert_row(&tx, id);
    insert_events(writer, &tx);
    stream_check(pg_tx_commit(&tx), "commit");
    doorbell_ring(bell);
    publisher->sent += writer->per;
    for (size_t i = 0; i < writer->per; i++)
        bench_acknowledged(publisher, due_ns);
}

static void
put_event(struct pg_tx *tx, const char *id)
{
    Registry__V1__NeedPublished published = REGISTRY__V1__NEED_PUBLISHED__INIT;
    const struct outbox_event event = {.data = &published.base,
                                       .subject = id,
                                       .audience = "public",
                                       .correlation_id = id,
                                       .programme = "KTP",
                                       .nuts = "SE312"};

    published.need_id = id;
    published.organisation_id = EVENT_TENANT;
    stream_check(outbox_put(tx, &event), "outbox");
}

/* The latency is that of the transaction itself, not from when it was due. */
static void
write_effect(struct writer *writer)
{
    static const uint8_t answer[ANSWER_BYTES];
    struct bench_publisher *publisher = writer->publisher;
    scoped(pg_tx_end) struct pg_tx tx = {0};
    char id[UUID_SIZE];
    const struct idempotency key = {.principal = "person:bench",
                                    .method = "bench.v1.Bench/Write",
                                    .key = id,
                                    .request = answer,
                                    .request_size = sizeof answer};
    const uint8_t *kept;
    size_t kept_size;
    const bool with_event = publisher->sent % 2 == 0;
    uint64_t begun_ns;
    bool known;

    (void)bench_await_due(publisher);
    begun_ns = bench_now_ns();
    uuid_v7(clock_system(), id);
    begin(writer, &tx);
    stream_check(idempotency_claim(&tx, &key, &known, &kept, &kept_size), "claim");
    insert_row(&tx, id);
    if (with_event)
        put_event(&tx, id);
    stream_check(idempotency_store(&tx, &key, answer, sizeof answer), "store");
    stream_check(pg_tx_commit(&tx), "commit");
    if (with_event)
        doorbell_ring(bell);
    publisher->sent++;
    publisher->acknowledged++;
    bench_sample(with_event ? &publisher->samples : &publisher->others,
                 bench_now_ns() - begun_ns);
}

static void
publish(struct bench_publisher *publisher)
{
    const struct bench_args *args = &publisher->load->args;
    const struct pg_config config = {.dsn = bench_text(args, "dsn", NULL),
                                     .application_name = "bench",
                                     .rooms = rooms,
                                     .clock = clock_system()};
    const bool effect = strcmp(args->texts[1], "effect") == 0;
    struct writer writer = {.publisher = publisher, .per = bench_number(args, "per", 1)};

    arena_init(&writer.arena, ARENA_BYTES);
    writer.events = calloc(writer.per, sizeof *writer.events);
    if (!writer.events)
        bench_die("writer", "no memory");
    event_make(publisher, true, &writer.event);
    stream_check(pg_create(&config, &writer.arena, &writer.pg), "pg_create");
    stream_check(
        pg_connect(writer.pg, mono_add_ms(clock_mono(clock_system()), TX_MS), &writer.arena),
        "connect");
    bench_connected(publisher);
    while (bench_goes_on(publisher))
        if (effect)
            write_effect(&writer);
        else
            write_outbox(&writer);
    pg_destroy(&writer.pg);
    arena_fini(&writer.arena);
    free(writer.events);
}

int
main(int argc, char **argv)
{
    const struct bench_args args = {argc, argv};
    struct doorbell_config config = {.zmq_context = zmq_ctx_new(),
                                     .endpoint_list = bench_text(&args, "bell", NULL)};
    const uint64_t per = bench_number(&args, "per", 1);
    struct arena arena;

    if (argc < 2 || !per || per > PER_MAX)
        bench_die("usage", "events_write outbox|effect ..., per= is 1 to 50");
    write_insert(per);
    arena_init(&arena, ARENA_BYTES);
    stream_check(resolver_create(&arena, &config.resolver), "resolver");
    stream_check(doorbell_create(&config, &arena, &bell), "doorbell");
    bench_publish(args, publish);
    doorbell_destroy(&bell);
    resolver_destroy(&config.resolver);
    (void)zmq_ctx_term(config.zmq_context);
    arena_fini(&arena);
    return 0;
}
