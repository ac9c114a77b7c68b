#include "common/service/call.h"

#include <string.h>

bool
call_has_role(const struct call *call, Wire__V1__Role role)
{
    for (size_t i = 0; i < call->principal->n_roles; i++)
        if (call->principal->roles[i] == role)
            return true;
    return false;
}

struct status
call_emit(struct call *call, struct outbox_event event)
{
    if (!call->tx)
        return FAIL(call->arena, INTERNAL, "an event outside a transaction: %s",
                    event.data->descriptor->name);
    if (!event.traceparent)
        event.traceparent = call->traceparent;
    if (!event.correlation_id)
        event.correlation_id = call->request_id;
    return outbox_put(call->tx, &event);
}

struct status
call_begin(struct call *call, const char *tenant_id, bool read_only, struct pg_tx *tx)
{
    const struct pg_scope scope = {
        .tenant_id = tenant_id, .deadline = call->deadline, .read_only = read_only};

    if (!call->pg)
        return FAIL(call->arena, INTERNAL, "the service does not use Postgres");
    call->tx = NULL;
    TRY(pg_tx_begin(call->pg, &scope, call->arena, tx));
    call->tx = tx;
    return OK;
}

struct status
call_commit(struct call *call)
{
    struct pg_tx *tx = take(&call->tx);

    TRY(pg_tx_commit(tx));
    if (tx->wrote_outbox && call->doorbell)
        doorbell_ring(call->doorbell);
    return OK;
}

struct rpc_options
call_forward(const struct call *call, const char *idempotency_key)
{
    return (struct rpc_options){
        .principal = call->principal,
        .idempotency_key = idempotency_key,
        .traceparent = call->traceparent,
        .language = lang_tag(call->lang),
        .deadline = call->deadline,
    };
}
