/* Stands in for the outbox in unit tests: keeps what was announced. */

#include "common/service/rpc_test.h"

struct status
outbox_put(struct pg_tx *tx, const struct outbox_event *event)
{
    struct rpc_test *test = rpc_test_current();
    struct outbox_event kept = *event;
    ProtobufCMessage *data;

    if (test->event_count == RPC_TEST_EVENTS_MAX)
        return FAIL(tx->arena, RESOURCE_EXHAUSTED, "more events than a test keeps");
    TRY(wire_copy(event->data, &test->arena, &data));
    kept.data = data;
    tx->wrote_outbox = true;
    test->events[test->event_count++] = kept;
    return OK;
}
