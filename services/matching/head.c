#include "services/matching/head.h"

#include "events/v1/log.pb-c.h"

struct status
head_read(struct call *call, uint64_t *ret_head, uint64_t *ret_first_kept)
{
    const Events__V1__HeadRequest request = EVENTS__V1__HEAD_REQUEST__INIT;
    const struct rpc_options options = call_forward(call, NULL);
    const Events__V1__HeadReply *reply;
    ProtobufCMessage *message;

    TRY(rpc_call(call->rpc, "events.v1.Log/Head", &request.base,
                 &events__v1__head_reply__descriptor, &options, call->arena, &message));
    reply = (const Events__V1__HeadReply *)message;
    *ret_head = reply->position;
    *ret_first_kept = reply->first_kept;
    return OK;
}
