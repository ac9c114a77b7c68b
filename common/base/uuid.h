#pragma once

/* UUIDs as text: 36 lower-case characters and a NUL (RFC 9562). */

#include <stdbool.h>

#include "common/base/clock.h"

#define UUID_SIZE 37

/* Version 7: ordered by time to the millisecond, 74 random bits.  Thread-safe. */
void uuid_v7(const struct clock *clock, char ret[UUID_SIZE]);

/* Any version, lower case, with hyphens. */
bool uuid_valid(const char *text);
