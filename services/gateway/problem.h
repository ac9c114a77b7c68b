#pragma once

/* Problem documents (RFC 9457) from a status. */

#include "common/base/buffer.h"
#include "common/base/lang.h"
#include "common/base/status.h"

struct problem {
    struct status status;
    const char *public_url; /* root of the type's URL, without a slash at the end */
    const char *instance;   /* path of the request */
    const char *trace_id;
    const char *request_id;
    uint32_t retry_after_ms; /* 0: not given */
    enum lang lang;
};

void problem_write(const struct problem *problem, struct buffer *into);

/* Localised title of a code. */
const char *problem_title(enum code code, enum lang lang);

/* The code that a problem page names, any case: "not_found"; false: none. */
bool problem_code_parse(const char *name, enum code *ret);

/* A field as services name it ("skills[3].concept_id") as a JSON pointer
 * ("/skills/3/conceptId"); a pointer stays as it is. */
void problem_pointer(const char *field, struct buffer *into);
