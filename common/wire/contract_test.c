#include "common/wire/contract.h"

#include <string.h>

#include "common/base/status.h"
#include "common/base/test.h"
#include "wire/v1/status.pb-c.h"

static void
every_rpc_of_the_table_is_found_and_no_other(void **state)
{
    (void)state;
    assert_true(contract_rpc_count > 0);
    for (size_t i = 0; i < contract_rpc_count; i++) {
        assert_ptr_equal(contract_find_rpc(contract_rpcs[i].method), &contract_rpcs[i]);
        if (i)
            assert_true(strcmp(contract_rpcs[i - 1].method, contract_rpcs[i].method) < 0);
        assert_int_not_equal(contract_rpcs[i].role_mask, 0);
        assert_int_not_equal(contract_rpcs[i].attempt_ms, 0);
    }
    assert_null(contract_find_rpc(""));
    assert_null(contract_find_rpc("~"));
    assert_null(contract_find_rpc("wire.v1.Admin/Pin"));
    assert_null(contract_find_rpc("wire.v1.Admin/Pingg"));
    assert_non_null(contract_find_rpc("wire.v1.Admin/Ping"));
}

static void
every_event_is_found_by_its_message_and_by_its_type(void **state)
{
    (void)state;
    for (size_t i = 0; i < contract_event_count; i++) {
        const struct contract_event *event = &contract_events[i];

        assert_ptr_equal(contract_find_event(event->descriptor), event);
        assert_ptr_equal(contract_find_event_type(event->type), event);
        assert_memory_equal(event->type, "org.samverka.", 13);
    }
    assert_null(contract_find_event(NULL));
    assert_null(contract_find_event_type("org.samverka.nothing.happened.v1"));
}

static void
the_contract_and_the_table_have_the_same_codes(void **state)
{
    size_t rows = 0;

    (void)state;
#define CODE(name, number, http, retry, meaning) rows++;
#include "common/base/code.def"
#undef CODE
    assert_int_equal(wire__v1__code__descriptor.n_values, rows);
    for (unsigned i = 0; i < wire__v1__code__descriptor.n_values; i++) {
        const ProtobufCEnumValue *value = &wire__v1__code__descriptor.values[i];

        assert_true(code_known(value->value));
        assert_string_equal(code_name((enum code)value->value), value->name);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_rpc_of_the_table_is_found_and_no_other),
        cmocka_unit_test(every_event_is_found_by_its_message_and_by_its_type),
        cmocka_unit_test(the_contract_and_the_table_have_the_same_codes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
