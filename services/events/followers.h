#pragma once

/* Rpcs about who follows. */

#include "common/service/call.h"
#include "events/v1/log.pb-c.h"

struct status followers_list(struct call *call, const Events__V1__ListFollowersRequest *request,
                             Events__V1__ListFollowersReply *reply);
struct status followers_forget(struct call *call,
                               const Events__V1__ForgetConsumerRequest *request,
                               Events__V1__ForgetConsumerReply *reply);
