#pragma once

/* Resources and the requests that make or change them.
 *
 * In registry the contract's message of an aggregate is also its struct: a create request's
 * fields are copied into a fresh resource, an update's named fields into the stored one, then
 * the aggregate's rules check and normalise the whole, and the store keeps it.  So there is one
 * check for both, and a new field needs a line in rules and in SQL only.
 */

#include <protobuf-c/protobuf-c.h>

#include "common/base/arena.h"
#include "common/base/status.h"

/* Copies every field of `request` that `resource` has under the same name and type.  Shallow:
 * texts and lists are shared, so both must live in the same call. */
void resource_from_request(const ProtobufCMessage *request, ProtobufCMessage *resource);

/* Copies the fields named in `names` (proto names, as in update_fields).
 * INVALID_ARGUMENT: no name, a name twice, or a name that cannot be changed. */
must_use struct status resource_apply(struct arena *arena, const ProtobufCMessage *request,
                                      const char *const *names, size_t count,
                                      ProtobufCMessage *resource);
