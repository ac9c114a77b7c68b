#include "services/gateway/trace.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

static bool
hex_run(const char *at, size_t size, bool *ret_zero)
{
    *ret_zero = true;
    for (size_t i = 0; i < size; i++) {
        if (!((at[i] >= '0' && at[i] <= '9') || (at[i] >= 'a' && at[i] <= 'f')))
            return false;
        if (at[i] != '0')
            *ret_zero = false;
    }
    return true;
}

/* 00-<32 trace id>-<16 span id>-<2 flags> */
bool
trace_valid(const char *text)
{
    bool zero_trace, zero_span, zero_flags;

    return strlen(text) == 55 && memcmp(text, "00-", 3) == 0 && text[35] == '-' &&
           text[52] == '-' && hex_run(text + 3, 32, &zero_trace) && !zero_trace &&
           hex_run(text + 36, 16, &zero_span) && !zero_span &&
           hex_run(text + 53, 2, &zero_flags);
}

void
trace_continue(const char *given, char ret[TRACEPARENT_BYTES], char ret_id[TRACE_ID_BYTES])
{
    unsigned char random[24];
    char trace[33], span[17];
    const char *flags = "01";

    randombytes_buf(random, sizeof random);
    random[0] |= 1; /* neither id is all zero */
    random[16] |= 1;
    sodium_bin2hex(trace, sizeof trace, random, 16);
    sodium_bin2hex(span, sizeof span, random + 16, 8);
    if (given && trace_valid(given)) {
        memcpy(trace, given + 3, 32);
        flags = given + 53;
    }
    snprintf(ret, TRACEPARENT_BYTES, "00-%s-%s-%.2s", trace, span, flags);
    memcpy(ret_id, trace, 32);
    ret_id[32] = '\0';
}
