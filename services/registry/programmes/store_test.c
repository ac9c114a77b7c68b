#include "services/registry/programmes/store.h"

#include <string.h>

#include "common/pg/pg_test.h"
#include "services/registry/programmes/programmes.h"

static struct arena arena;
static struct programmes *programmes;
static struct pg *pg;

static void
begin(struct pg_tx *tx)
{
    const struct pg_scope scope = scope_of(NULL, TEST_MS);

    assert_ok(pg_tx_begin(pg, &scope, &arena, tx));
}

static void
a_rule_set_is_published_once_and_then_known(void **unused)
{
    const struct rule_set *set = programmes_at(programmes, 0);
    scoped(pg_tx_end) struct pg_tx tx = {0};
    struct published_rule_set *published;
    size_t count;
    bool is_new;

    (void)unused;
    begin(&tx);
    assert_ok(store_published(&tx, &arena, &published, &count));
    assert_int_equal(count, 0);
    assert_ok(store_publish(&tx, set, &is_new));
    assert_true(is_new);
    assert_ok(store_publish(&tx, set, &is_new));
    assert_false(is_new);
    assert_ok(store_published(&tx, &arena, &published, &count));
    assert_int_equal(count, 1);
    assert_string_equal(published[0].name, set->name);
    assert_string_equal(published[0].checksum, set->checksum);
}

static void
all_that_is_built_in_can_be_published(void **unused)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    bool is_new;

    (void)unused;
    begin(&tx);
    for (size_t i = 0; i < programmes_count(programmes); i++) {
        assert_ok(store_publish(&tx, programmes_at(programmes, i), &is_new));
        assert_true(is_new);
    }
}

static void
the_host_is_found_once_there_is_one(void **unused)
{
    const char *host;

    (void)unused;
    {
        scoped(pg_tx_end) struct pg_tx tx = {0};
        begin(&tx);
        assert_ok(store_host_tenant(&tx, &arena, &host));
        assert_string_equal(host, "");
    }
    test_run("app_registry", TENANT_A,
             "INSERT INTO tenant (id, slug, name, locale, host) VALUES "
             "('" TENANT_A "', 'host', 'Host', 'sv', true)");
    {
        scoped(pg_tx_end) struct pg_tx tx = {0};
        begin(&tx);
        assert_ok(store_host_tenant(&tx, &arena, &host));
        assert_string_equal(host, TENANT_A);
    }
}

static void
what_is_published_cannot_be_changed_by_the_service(void **unused)
{
    static const struct pg_statement change = {"change", "UPDATE rule_set SET checksum = 'x'"};
    static const struct pg_statement remove = {"remove", "DELETE FROM rule_set"};
    const struct pg_statement *const room[] = {&change, &remove, NULL};
    const struct pg_statement *const *const rooms[] = {room, NULL};
    struct pg *other = test_pg("app_registry", rooms);
    const struct pg_scope scope = scope_of(NULL, TEST_MS);
    scoped(pg_tx_end) struct pg_tx tx = {0};

    (void)unused;
    assert_ok(pg_tx_begin(other, &scope, &arena, &tx));
    assert_true(failed(pg_query(&tx, &change, PG_NONE, NULL)));
    pg_tx_end(&tx);
    assert_ok(pg_tx_begin(other, &scope, &arena, &tx));
    assert_true(failed(pg_query(&tx, &remove, PG_NONE, NULL)));
    pg_tx_end(&tx);
    pg_destroy(&other);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_set_is_published_once_and_then_known),
        cmocka_unit_test(all_that_is_built_in_can_be_published),
        cmocka_unit_test(the_host_is_found_once_there_is_one),
        cmocka_unit_test(what_is_published_cannot_be_changed_by_the_service),
    };
    const struct pg_statement *const *const rooms[] = {programmes_statements, NULL};
    int result;

    arena_init(&arena, ARENA_CALL_BYTES);
    if (failed(programmes_create(&arena, &programmes)))
        return 1;
    pg = test_pg("app_registry", rooms);
    result = cmocka_run_group_tests(tests, NULL, NULL);
    pg_destroy(&pg);
    programmes_destroy(&programmes);
    arena_fini(&arena);
    return result;
}
