#pragma once

/* The name of a file by its bytes: BLAKE2b-256, hexadecimal (libsodium). */

#include "services/cli/source.h"

must_use struct status fingerprint_of(struct arena *arena, const struct source *sources,
                                      size_t count, const char **ret);
