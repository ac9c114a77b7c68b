#pragma once

/* From a route to an rpc and back: the request's message is filled from path, query, headers
 * and body, and the reply becomes JSON with the headers that go with it.  Loop thread. */

#include "services/gateway/exchange.h"

/* Fills the rpc's request.  ret_key gets the idempotency key to send; NULL: none.
 * INVALID_ARGUMENT, UNSUPPORTED_MEDIA_TYPE, PRECONDITION_REQUIRED, VERSION_MISMATCH. */
must_use struct status request_decode(struct exchange *exchange, ProtobufCMessage **ret,
                                      const char **ret_key);

/* The Idempotency-Key header; NULL: there is none.  INVALID_ARGUMENT: it is not one. */
must_use struct status request_key(struct exchange *exchange, const char **ret);

/* INVALID_ARGUMENT unless the body, where there is one, says that it is JSON. */
must_use struct status request_check_type(const struct exchange *exchange);

/* Calls `set` for each parameter of the query, decoded; stops at the first failure. */
must_use struct status
request_each_parameter(struct exchange *exchange,
                       struct status (*set)(void *context, const char *name, const char *value),
                       void *context);

/* Answers with a reply message of the exchange's route. */
void reply_answer(struct exchange *exchange, const Wire__V1__ReplyHead *head,
                  const ProtobufCMessage *reply);
