#include "services/events/test_kept.h"

#include <string.h>

struct kept kept;

static void
deliver(void *context, struct block *block)
{
    (void)context;
    block_release(&block);
}

static void
reached(void *context, uint64_t head, uint64_t first_kept)
{
    (void)context;
    (void)head;
    (void)first_kept;
}

static bool
leads(void *context)
{
    (void)context;
    return sequencer_leads(kept.sequencer);
}

int
kept_start(void **state)
{
    static struct pg_config pg;
    static char dsn[512];

    (void)state;
    memset(&kept, 0, sizeof kept);
    arena_init(&kept.arena, (size_t)256 << 20);
    test_log_clear();
    (void)snprintf(dsn, sizeof dsn, "%s", test_dsn("app_events"));
    pg = (struct pg_config){.dsn = dsn,
                            .application_name = "kept_test",
                            .rooms = store_statements,
                            .clock = clock_system()};
    assert_ok(sequencer_create(
        &(struct sequencer_config){
            .pg = &pg, .clock = clock_system(), .deliver = deliver, .reached = reached},
        &kept.arena, &kept.sequencer));
    test_log_await(leads, NULL, "leadership");
    kept.writer = test_log_writer();
    kept.pg = test_log_reader();
    return 0;
}

int
kept_stop(void **state)
{
    (void)state;
    sequencer_destroy(&kept.sequencer);
    pg_destroy(&kept.writer);
    pg_destroy(&kept.pg);
    arena_fini(&kept.arena);
    return 0;
}

static bool
is_numbered(void *head)
{
    return test_log_head() == *(uint64_t *)head;
}

void
kept_write(const char *tenant_id, size_t count, size_t data_bytes)
{
    uint64_t head = test_log_head() + count;
    struct bytes *events = ARENA_ARRAY(&kept.arena, struct bytes, count);

    for (size_t i = 0; i < count; i++)
        events[i] = sample_pack(
            &kept.arena, (struct sample){.tenant_id = tenant_id, .data_bytes = data_bytes});
    assert_ok(test_log_write(kept.writer, tenant_id, false, events, count, true));
    test_log_await(is_numbered, &head, "the events to be numbered");
}

struct status
kept_roll(uint64_t head)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    const struct pg_scope scope = scope_of(NULL, TEST_MS);
    uint64_t start;

    TRY(pg_tx_begin(kept.pg, &scope, &kept.arena, &tx));
    TRY(store_roll(&tx, head, &start));
    assert_int_equal(start, head + 1);
    return pg_tx_commit(&tx);
}

struct status
kept_trim(uint64_t through, uint32_t keep_days, uint64_t *ret_first_kept)
{
    struct call call = kept_call(NULL, "");
    const Events__V1__TrimRequest request = {
        PROTOBUF_C_MESSAGE_INIT(&events__v1__trim_request__descriptor), .through = through};
    Events__V1__TrimReply reply = EVENTS__V1__TRIM_REPLY__INIT;

    kept.state.keep_days = keep_days;
    TRY(retention_trim(&call, &request, &reply));
    if (ret_first_kept)
        *ret_first_kept = reply.first_kept;
    return OK;
}

struct call
kept_call(Wire__V1__Role *role, const char *tenant_id)
{
    static Wire__V1__Role the_operator[] = {WIRE__V1__ROLE__OPERATOR};

    wire__v1__principal__init(&kept.principal);
    kept.principal.roles = role ? role : the_operator;
    kept.principal.n_roles = 1;
    return (struct call){.arena = &kept.arena,
                         .pg = kept.pg,
                         .clock = clock_system(),
                         .principal = &kept.principal,
                         .tenant_id = tenant_id,
                         .deadline = in_ms(TEST_MS),
                         .state = &kept.state};
}

void
kept_verify(Events__V1__VerifyBlocksReply *ret)
{
    Events__V1__VerifyBlocksRequest request = EVENTS__V1__VERIFY_BLOCKS_REQUEST__INIT;
    Events__V1__BlockFault **faults = ARENA_ARRAY(&kept.arena, Events__V1__BlockFault *, 1000);
    size_t count = 0;

    do {
        struct call call = kept_call(NULL, "");
        const uint64_t before = request.after;

        events__v1__verify_blocks_reply__init(ret);
        assert_ok(retention_verify_blocks(&call, &request, ret));
        for (size_t i = 0; i < ret->n_faults; i++)
            faults[count++] = ret->faults[i];
        request.after = ret->through;
        assert_true(ret->through > before || ret->head == before);
    } while (ret->through < ret->head);
    ret->faults = faults;
    ret->n_faults = count;
}
