/* ListChains: does a chain that begins at a mark lead to where the table says, and who sees
 * which. */

#include <string.h>

#include "services/events/test_kept.h"
#include "services/events/test_stand.h"

#define THIRD_TENANT "0193a000-0000-7000-8000-000000000003"

static struct status
list(Wire__V1__Role *role, const char *tenant_id, const char *after,
     Events__V1__ListChainsReply *ret)
{
    char after_tenant_id[64];
    struct call call = kept_call(role, tenant_id);
    Events__V1__ListChainsRequest request = EVENTS__V1__LIST_CHAINS_REQUEST__INIT;

    if (role && *role == WIRE__V1__ROLE__SYSTEM) {
        kept.principal.kind = WIRE__V1__PRINCIPAL__KIND__SYSTEM;
        kept.principal.subject_id = arena_copy(&kept.arena, STAND_SYSTEM);
    }
    (void)snprintf(after_tenant_id, sizeof after_tenant_id, "%s", after);
    request.after_tenant_id = after_tenant_id;
    events__v1__list_chains_reply__init(ret);
    return retention_list_chains(&call, &request, ret);
}

/* As an auditor does it: from the first link over what can still be read. */
static void
check_chain(const Events__V1__Chain *chain, const struct block *page)
{
    uint8_t link[PACKED_HASH_BYTES];
    uint64_t number = chain->first->number;

    assert_int_equal(chain->first->link.len, sizeof link);
    memcpy(link, chain->first->link.data, sizeof link);
    for (const struct block *block = page; block; block = block->next)
        for (uint32_t i = 0; i < block->count; i++) {
            struct bytes framed = block->events[i].framed, event;
            bool broken;

            if (!bytes_are(block->events[i].parts.tenant_id, chain->tenant_id))
                continue;
            assert_true(packed_next(&framed, &event, &broken));
            packed_chain_extend(link, event);
            number++;
        }
    assert_int_equal(number, chain->last->number);
    assert_int_equal(chain->last->link.len, sizeof link);
    assert_memory_equal(link, chain->last->link.data, sizeof link);
}

static void
check_all(uint64_t head, uint64_t first_kept, const uint64_t first_numbers[3])
{
    Events__V1__ListChainsReply reply;
    struct block *page = NULL;
    struct arena arena;
    struct pg_tx tx = {0};
    const struct pg_scope scope = scope_of(NULL, TEST_MS);

    assert_ok(list(NULL, "", "", &reply));
    assert_int_equal(reply.head, head);
    assert_int_equal(reply.first_kept, first_kept);
    assert_int_equal(reply.n_chains, 3);
    arena_init(&arena, (size_t)64 << 20);
    assert_ok(pg_tx_begin(kept.pg, &scope, &arena, &tx));
    assert_ok(store_page(&tx, first_kept, 1000, NULL, &page));
    pg_tx_end(&tx);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(reply.chains[i]->first->number, first_numbers[i]);
        check_chain(reply.chains[i], page);
    }
    store_page_release(&page);
    arena_fini(&arena);
}

/* The first tenant has events in every partition, the second in the first, the third in the
 * last. */
static void
a_chain_can_be_followed_from_the_first_partition_that_is_kept(void **state)
{
    (void)state;
    kept_write(SAMPLE_TENANT, 4, 100);
    kept_write(SAMPLE_OTHER_TENANT, 3, 100);
    assert_ok(kept_roll(7));
    kept_write(SAMPLE_TENANT, 5, 100);
    assert_ok(kept_roll(12));
    kept_write(SAMPLE_TENANT, 2, 100);
    kept_write(THIRD_TENANT, 6, 100);
    check_all(20, 0, (const uint64_t[]){0, 0, 0});
    assert_ok(kept_trim(7, 0, NULL));
    check_all(20, 7, (const uint64_t[]){4, 3, 0});
    assert_ok(kept_trim(12, 0, NULL));
    check_all(20, 12, (const uint64_t[]){9, 3, 0});
}

static void
expect_chains(const Events__V1__ListChainsReply *reply, size_t count, const char *first,
              const char *last)
{
    assert_int_equal(reply->n_chains, count);
    if (!count)
        return;
    assert_string_equal(reply->chains[0]->tenant_id, first);
    assert_string_equal(reply->chains[count - 1]->tenant_id, last);
}

static void
everybody_sees_the_chains_of_the_tenants_that_are_theirs(void **state)
{
    Wire__V1__Role service = WIRE__V1__ROLE__SERVICE, system = WIRE__V1__ROLE__SYSTEM;
    Wire__V1__Role officer = WIRE__V1__ROLE__PARTNERSHIP_OFFICER;
    Events__V1__ListChainsReply reply;

    (void)state;
    kept_write(SAMPLE_TENANT, 1, 10);
    kept_write(SAMPLE_OTHER_TENANT, 1, 10);
    kept_write(THIRD_TENANT, 1, 10);
    assert_ok(list(&service, "", "", &reply));
    expect_chains(&reply, 3, SAMPLE_TENANT, THIRD_TENANT);
    assert_ok(list(&officer, SAMPLE_OTHER_TENANT, "", &reply));
    expect_chains(&reply, 1, SAMPLE_OTHER_TENANT, SAMPLE_OTHER_TENANT);
    assert_ok(list(&officer, "0193a000-0000-7000-8000-0000000000ff", "", &reply));
    expect_chains(&reply, 0, NULL, NULL);
    assert_int_equal(reply.head, 3);
    stand_publish(NULL, NULL, NULL);
    assert_code(list(&system, SAMPLE_TENANT, "", &reply), PERMISSION_DENIED);
    stand_publish("key", "{}", "NULL");
    assert_ok(list(&system, SAMPLE_TENANT, "", &reply));
    expect_chains(&reply, 1, SAMPLE_TENANT, SAMPLE_TENANT);
    test_run("postgres", NULL, "UPDATE events.test_system SET tenant_ids = '{}'");
    assert_ok(list(&system, SAMPLE_TENANT, "", &reply));
    expect_chains(&reply, 0, NULL, NULL);
}

static void
chains_come_in_pages_by_tenant(void **state)
{
    Events__V1__ListChainsReply reply;

    (void)state;
    test_run(
        "postgres", NULL,
        "INSERT INTO events.tenant_stream (tenant_id, last, chain) "
        "SELECT ('0193b000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, n, sha256('') "
        "FROM generate_series(1, 1005) AS n");
    assert_ok(list(NULL, "", "", &reply));
    expect_chains(&reply, 1000, "0193b000-0000-7000-8000-000000000001",
                  "0193b000-0000-7000-8000-000000001000");
    assert_ok(list(NULL, "", reply.chains[999]->tenant_id, &reply));
    expect_chains(&reply, 5, "0193b000-0000-7000-8000-000000001001",
                  "0193b000-0000-7000-8000-000000001005");
    assert_fails(list(NULL, "", "no-uuid", &reply), INVALID_ARGUMENT, "after_tenant_id");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, kept_start, kept_stop)
        TEST(a_chain_can_be_followed_from_the_first_partition_that_is_kept),
        TEST(everybody_sees_the_chains_of_the_tenants_that_are_theirs),
        TEST(chains_come_in_pages_by_tenant),
    };

    return cmocka_run_group_tests_name("chains", tests, stand_make_table, NULL);
}
