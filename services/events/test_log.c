#include "services/events/test_log.h"

#include <inttypes.h>
#include <poll.h>
#include <string.h>

#define TENANTS_MAX 64

static const struct pg_statement PUT = {
    "test_put", "INSERT INTO events.outbox (tenant_id, internal, event) VALUES ($1, $2, $3)"};
static const char ONE_PARTITION[] =
    "DO $$ DECLARE part text; BEGIN "
    "FOR part IN SELECT inhrelid::regclass FROM pg_inherits "
    "WHERE inhparent = 'events.log'::regclass LOOP EXECUTE 'DROP TABLE ' || part; END LOOP; "
    "CREATE TABLE events.log_1 PARTITION OF events.log FOR VALUES FROM (1) TO (MAXVALUE); "
    "ALTER TABLE events.log_1 OWNER TO samverka_owner; "
    "DELETE FROM events.log_partition; INSERT INTO events.log_partition (start) VALUES (1); "
    "END $$";
static const struct pg_statement CHECKSUMS = {
    "test_checksums", "SELECT data, checksum FROM log ORDER BY position"};
static const struct pg_statement STREAMS = {"test_streams",
                                            "SELECT tenant_id, last, chain FROM tenant_stream"};

struct pg *
test_log_writer(void)
{
    static const struct pg_statement *const room[] = {&PUT, NULL};
    static const struct pg_statement *const *const rooms[] = {room, NULL};

    return test_pg("app_registry", rooms);
}

struct pg *
test_log_reader(void)
{
    return test_pg("app_events", store_statements);
}

void
test_log_clear(void)
{
    test_run("postgres", NULL,
             "TRUNCATE events.consumer, events.outbox, events.log, events.tenant_stream, "
             "events.append_source, events.parked, events.chain_mark");
    test_run("postgres", NULL, "UPDATE events.head SET first_kept = 0, position = 0");
    test_run("postgres", NULL, ONE_PARTITION);
}

struct status
test_log_write(struct pg *writer, const char *tenant_id, bool internal,
               const struct bytes *events, size_t count, bool commit)
{
    scoped(arena_fini) struct arena arena = {0};
    scoped(pg_tx_end) struct pg_tx tx = {0};
    const struct pg_scope scope = scope_of(tenant_id, TEST_MS);

    arena_init(&arena, ARENA_CALL_BYTES);
    TRY(pg_tx_begin(writer, &scope, &arena, &tx));
    for (size_t i = 0; i < count; i++)
        TRY(pg_query(&tx, &PUT,
                     PG_IN(pg_text(tenant_id), pg_bool(internal),
                           pg_bytes(events[i].data, events[i].size)),
                     NULL));
    return commit ? pg_tx_commit(&tx) : OK;
}

struct block *
test_log_read(void)
{
    struct pg *pg = test_log_reader();
    struct arena arena;
    struct pg_tx tx = {0};
    const struct pg_scope scope = scope_of(NULL, TEST_MS);
    struct block *page = NULL;

    arena_init(&arena, (size_t)512 << 20);
    assert_ok(pg_tx_begin(pg, &scope, &arena, &tx));
    assert_ok(store_page(&tx, 0, 1000000, NULL, &page));
    pg_tx_end(&tx);
    pg_destroy(&pg);
    arena_fini(&arena);
    return page;
}

uint64_t
test_log_head(void)
{
    struct pg *pg = test_log_reader();
    struct arena arena;
    struct pg_tx tx = {0};
    const struct pg_scope scope = scope_of(NULL, TEST_MS);
    uint64_t head, first_kept;

    arena_init(&arena, ARENA_CALL_BYTES);
    assert_ok(pg_tx_begin(pg, &scope, &arena, &tx));
    assert_ok(store_head(&tx, &head, &first_kept));
    pg_tx_end(&tx);
    pg_destroy(&pg);
    arena_fini(&arena);
    return head;
}

int64_t
test_log_count(const char *table)
{
    char sql[80];
    const struct pg_statement statement = {"test_count", sql};
    const struct pg_statement *const room[] = {&statement, NULL};
    const struct pg_statement *const *const rooms[] = {room, NULL};
    const struct pg_scope scope = scope_of(NULL, TEST_MS);
    struct pg_rows rows = {0};
    struct pg_tx tx = {0};
    struct arena arena;
    struct pg *pg;
    int64_t count = 0;

    (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM events.%s", table);
    pg = test_pg("app_events", rooms);
    arena_init(&arena, ARENA_CALL_BYTES);
    assert_ok(pg_tx_begin(pg, &scope, &arena, &tx));
    assert_ok(pg_query(&tx, &statement, PG_NONE, &rows));
    assert_ok(pg_one_row(&rows, &arena, PG_OUT(pg_to_i64(&count))));
    pg_rows_clear(&rows);
    pg_tx_end(&tx);
    pg_destroy(&pg);
    arena_fini(&arena);
    return count;
}

/* The numbers as a subscriber would check them. */
struct check {
    struct arena arena;
    struct store_stream streams[TENANTS_MAX];
    size_t count;
};

static struct store_stream *
stream_of(struct check *check, struct bytes tenant_id)
{
    for (size_t i = 0; i < check->count; i++)
        if (bytes_are(tenant_id, check->streams[i].tenant_id))
            return &check->streams[i];
    assert_in_range(check->count, 0, TENANTS_MAX - 1);
    check->streams[check->count].tenant_id =
        arena_copy_n(&check->arena, tenant_id.data, tenant_id.size);
    packed_chain_start(check->streams[check->count].tenant_id,
                       check->streams[check->count].chain);
    return &check->streams[check->count++];
}

static void
check_event(struct check *check, uint64_t position, const struct block_event *event)
{
    struct bytes framed = event->framed, bytes;
    bool broken;
    char text[24];
    struct arena arena;
    struct store_stream *stream;

    arena_init(&arena, ARENA_CALL_BYTES);
    assert_true(packed_next(&framed, &bytes, &broken));
    (void)snprintf(text, sizeof text, "%019" PRIu64, position);
    assert_string_equal(sample_attribute(&arena, bytes, "sequence"), text);
    if (bytes_are(event->parts.audience, "internal")) {
        assert_string_equal(sample_attribute(&arena, bytes, "tenantsequence"), "");
    } else {
        stream = stream_of(check, event->parts.tenant_id);
        (void)snprintf(text, sizeof text, "%019" PRIu64, ++stream->last);
        assert_string_equal(sample_attribute(&arena, bytes, "tenantsequence"), text);
        packed_chain_extend(stream->chain, bytes);
    }
    arena_fini(&arena);
}

static void
check_checksums(struct pg_tx *tx)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct bytes data, checksum;
    uint8_t expected[PACKED_HASH_BYTES];

    assert_ok(pg_query(tx, &CHECKSUMS, PG_NONE, &rows));
    while (pg_next_row(&rows, tx->arena,
                       PG_OUT(pg_to_bytes(&data.data, &data.size),
                              pg_to_bytes(&checksum.data, &checksum.size)))) {
        packed_hash(data, expected);
        assert_int_equal(checksum.size, sizeof expected);
        assert_memory_equal(checksum.data, expected, sizeof expected);
    }
    assert_ok(pg_rows_status(&rows));
}

static void
check_streams(struct check *check, struct pg_tx *tx)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    const char *tenant_id;
    uint64_t last;
    struct bytes chain;
    size_t count = 0;

    assert_ok(pg_query(tx, &STREAMS, PG_NONE, &rows));
    while (pg_next_row(&rows, tx->arena,
                       PG_OUT(pg_to_text(&tenant_id), pg_to_u64(&last),
                              pg_to_bytes(&chain.data, &chain.size)))) {
        const struct store_stream *stream =
            stream_of(check, (struct bytes){(const uint8_t *)tenant_id, strlen(tenant_id)});

        assert_int_equal(stream->last, last);
        assert_memory_equal(stream->chain, chain.data, sizeof stream->chain);
        count++;
    }
    assert_ok(pg_rows_status(&rows));
    assert_int_equal(count, check->count);
}

static void
check_tables(struct check *check)
{
    static const struct pg_statement *const room[] = {&CHECKSUMS, &STREAMS, NULL};
    static const struct pg_statement *const *const rooms[] = {room, NULL};
    const struct pg_scope scope = scope_of(NULL, TEST_MS);
    struct pg *pg = test_pg("app_events", rooms);
    struct pg_tx tx = {0};
    struct arena arena;

    arena_init(&arena, (size_t)512 << 20);
    assert_ok(pg_tx_begin(pg, &scope, &arena, &tx));
    check_checksums(&tx);
    check_streams(check, &tx);
    pg_tx_end(&tx);
    pg_destroy(&pg);
    arena_fini(&arena);
}

void
test_log_verify(void)
{
    struct block *page = test_log_read();
    struct check check = {0};
    uint64_t position = 0;

    arena_init(&check.arena, ARENA_CALL_BYTES);
    for (const struct block *block = page; block; block = block->next) {
        assert_int_equal(block->position, position + 1);
        for (uint32_t i = 0; i < block->count; i++)
            check_event(&check, ++position, &block->events[i]);
    }
    assert_int_equal(position, test_log_head());
    check_tables(&check);
    arena_fini(&check.arena);
    store_page_release(&page);
}

void
test_log_await(bool (*condition)(void *context), void *context, const char *what)
{
    const struct mono deadline = in_ms(TEST_MS);

    while (!condition(context)) {
        if (mono_left_ms(deadline, clock_mono(clock_system())) == 0)
            fail_msg("not within %d ms: %s", TEST_MS, what);
        (void)poll(NULL, 0, 2);
    }
}
