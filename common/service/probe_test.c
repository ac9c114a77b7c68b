/* A service for service_main_test: small, real, and willing to misbehave.
 *
 * Read waits `after` milliseconds and tells back its limit; Head fails inside; Append misses a
 * batch. */

#include <poll.h>

#include "common/service/service.h"
#include "events/v1/log.pb-c.h"

#define METHOD(handler, Name)                                                                  \
    RPC_METHOD(Events__V1__Log_Service, handler, Events__V1__##Name##Request,                  \
               Events__V1__##Name##Reply)

static struct status
head(struct call *call, const Events__V1__HeadRequest *request, Events__V1__HeadReply *reply)
{
    (void)request;
    (void)reply;
    return FAIL(call->arena, INTERNAL, "the secret of table x");
}

static struct status
read_slowly(struct call *call, const Events__V1__ReadRequest *request,
            Events__V1__ReadReply *reply)
{
    (void)call;
    (void)poll(NULL, 0, (int)request->after);
    reply->through = request->limit;
    return OK;
}

static struct status
append(struct call *call, const Events__V1__AppendRequest *request,
       Events__V1__AppendReply *reply)
{
    (void)reply;
    if (request->batch.len == 0)
        return FAIL_FIELD(call->arena, "batch", "must hold an event");
    return OK;
}

METHOD(head, Head)
METHOD(read_slowly, Read)
METHOD(append, Append)

/* By hand, because a handler called `read` would be in the way of the system's. */
static Events__V1__Log_Service log_service = {.base = EVENTS__V1__LOG__BASE_INIT,
                                              .head = rpc_head,
                                              .read = rpc_read_slowly,
                                              .append = rpc_append};

int
main(int argc, char **argv)
{
    static const ProtobufCService *const methods[] = {&log_service.base, NULL};
    const struct service service = {
        .name = "events",
        .methods = methods,
        .uses = getenv("PROBE_POSTGRES") ? USES_POSTGRES : 0,
    };

    return service_main(argc, argv, &service);
}
