#pragma once

/* The matching index in shards, asked as if it were one.
 *
 * Where `matching_endpoints` names shards, Matches/FindMatches and Matches/SuggestMatches are
 * put to every shard at the same time, judged by the same time of day, and answered with what
 * one index would have found: the best of all by score, then by id.  What SuggestMatches shows
 * is then remembered by any one instance, in one transaction.  A shard that does not answer
 * makes the whole answer a failure that names it: nothing is ever left out in silence.  All of
 * it has the deadline of the one call.
 *
 * Every other call, and every call to an index that is not in shards, is rpc_client's.  The key
 * of a write that goes on to be remembered is made of the caller's and of what was found: a
 * repeat that finds the same is answered as before, one that finds something else remembers
 * that as well.
 */

#include "common/wire/rpc_client.h"

/* As rpc_start. */
must_use struct status
shards_start(struct rpc_client *client, const struct clock *clock, const char *method,
             struct bytes packed_request, const struct rpc_options *options,
             void (*done)(void *context, const struct rpc_answer *answer), void *context,
             struct arena *arena);

/* As rpc_call. */
must_use struct status shards_call(struct rpc_client *client, const struct clock *clock,
                                   const char *method, const ProtobufCMessage *request,
                                   const ProtobufCMessageDescriptor *reply_descriptor,
                                   const struct rpc_options *options, struct arena *arena,
                                   ProtobufCMessage **ret);
