#pragma once

/* Rpcs and timers about what is kept: chains, verification, trimming. */

#include "events/v1/log.pb-c.h"
#include "services/events/state.h"

must_use struct status retention_list_chains(struct call *call,
                                             const Events__V1__ListChainsRequest *request,
                                             Events__V1__ListChainsReply *reply);
must_use struct status retention_verify_blocks(struct call *call,
                                               const Events__V1__VerifyBlocksRequest *request,
                                               Events__V1__VerifyBlocksReply *reply);
must_use struct status retention_trim(struct call *call, const Events__V1__TrimRequest *request,
                                      Events__V1__TrimReply *reply);

/* Timers, every RETENTION_MEASURE_MS and RETENTION_EXPIRE_MS. */
#define RETENTION_MEASURE_MS 10000
#define RETENTION_EXPIRE_MS 600000
must_use struct status retention_measure(struct call *call);
must_use struct status retention_expire_appends(struct call *call);
