#pragma once

/* W3C Trace Context: taken over when well formed, made anew otherwise. */

#include <stdbool.h>

#define TRACEPARENT_BYTES 56
#define TRACE_ID_BYTES 33

/* `given` may be NULL.  A valid one keeps its trace id and flags and gets a new span id. */
void trace_continue(const char *given, char ret[TRACEPARENT_BYTES],
                    char ret_id[TRACE_ID_BYTES]);

/* Version 00, lower-case hexadecimal, ids not all zero. */
bool trace_valid(const char *traceparent);
