#pragma once

/* The guard: nothing parses bytes from outside before wire_check has seen them.
 *
 * wire_check walks the bytes by the descriptor without recursion into unpack and refuses: more
 * than WIRE_MESSAGE_BYTES, deeper than WIRE_DEPTH, more than WIRE_FIELDS fields, truncated or
 * overlong varints, wire types that do not fit the field, groups, strings that are not UTF-8 or
 * hold a NUL.  Unknown fields pass and are skipped.  The status names the field by its path.
 */

#include <protobuf-c/protobuf-c.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/buffer.h"
#include "common/base/status.h"

#define WIRE_MESSAGE_BYTES ((size_t)1 << 20)
#define WIRE_DEPTH 16
#define WIRE_FIELDS 10000

struct bytes {
    const uint8_t *data;
    size_t size;
};

must_use struct status wire_check(const ProtobufCMessageDescriptor *descriptor,
                                  struct bytes packed, struct arena *arena);

/* wire_check, then unpack through the arena: nothing to free.  INVALID_ARGUMENT or
 * RESOURCE_EXHAUSTED. */
must_use struct status wire_unpack(const ProtobufCMessageDescriptor *descriptor,
                                   struct bytes packed, struct arena *arena,
                                   ProtobufCMessage **ret);

/* Packs into the arena.  TOO_LARGE beyond WIRE_MESSAGE_BYTES. */
must_use struct status wire_pack(const ProtobufCMessage *message, struct arena *arena,
                                 struct bytes *ret);

/* A deep copy that lives in `arena`. */
must_use struct status wire_copy(const ProtobufCMessage *message, struct arena *arena,
                                 ProtobufCMessage **ret);

/* protobuf-c's allocator over an arena. */
ProtobufCAllocator wire_allocator(struct arena *arena);
