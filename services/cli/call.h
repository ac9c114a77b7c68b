#pragma once

/* An rpc by name with JSON in and out. */

#include "services/cli/cli.h"

/* UNIMPLEMENTED: the contract has no such method. */
must_use struct status call_find(struct arena *arena, const char *method,
                                 const ProtobufCMethodDescriptor **ret);

/* Appends the reply as JSON to `into`.  `key` may be NULL. */
must_use struct status call_json(struct cli *cli, const char *method, const char *json,
                                 size_t size, const char *key, struct arena *arena,
                                 struct buffer *into);
