#pragma once

/* A mail as text: RFC 5322 header and a UTF-8 body in base64, one recipient.  Pure.
 *
 * Header values with CR, LF or NUL are refused; other text becomes encoded words (RFC 2047). */

#include "common/base/buffer.h"
#include "common/base/clock.h"
#include "common/base/status.h"

#define MAIL_BYTES ((size_t)64 << 10)

struct mail {
    const char *from, *from_name;
    const char *to, *to_name;
    const char *subject;
    const char *body;       /* UTF-8, lines end in \n */
    const char *message_id; /* without brackets: "0190...@host" */
    const char *language;   /* "sv" */
    struct wall date;
};

/* INVALID_ARGUMENT: an address or header value that could break out of its line, or an address
 * that is not ASCII. */
must_use struct status mail_write(const struct mail *mail, struct arena *arena,
                                  struct buffer *into);

/* An RFC 2047 phrase: as it is when plain ASCII letters, else encoded words of at most 75
 * characters, cut between characters, folded. */
must_use struct status mail_phrase(const char *text, struct arena *arena, struct buffer *into);
