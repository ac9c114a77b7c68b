#pragma once

/* From a request on a worker to its handler and back: rights, transaction, idempotency key, log
 * line, metrics.  For rpc_server_config.run. */

#include "common/service/call.h"

struct status dispatch_run(void *worker, struct rpc_request *request);

/* Whether the request's principal may call its method, and acts in a tenant where one is
 * needed. UNAUTHENTICATED: it says nothing of itself.  PERMISSION_DENIED.  INVALID_ARGUMENT. */
must_use struct status dispatch_admit(const struct rpc_request *request);

/* Runs one method of an implementation: makes the reply, calls the handler, gives its status.
 */
must_use struct status dispatch_invoke(const ProtobufCService *implementation, unsigned method,
                                       const ProtobufCMessage *body, struct call *call);
