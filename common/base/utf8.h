#pragma once

/* UTF-8 checks and the little text handling that every service needs. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"

/* Valid by RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
bool utf8_valid(const void *bytes, size_t size);

/* As utf8_valid, and without NUL. */
bool utf8_text(const void *bytes, size_t size);

/* Decodes the code point at the front of `size` bytes; returns its bytes, 1..4, or 0 when they
 * are not valid UTF-8 (then nothing is written). */
size_t utf8_decode(const void *bytes, size_t size, uint32_t *ret);

/* Bytes of the longest front of `text` that is at most `limit_bytes` and ends between code
 * points. */
size_t utf8_cut(const char *text, size_t limit_bytes);

/* Code points in valid UTF-8. */
size_t utf8_length(const char *text);

/* Decodes one code point at *cursor and moves it on; U+FFFD for a bad byte.  0 at the NUL. */
uint32_t utf8_next(const char **cursor);

/* Appends the code point's UTF-8 to `into`; returns the bytes written, 1..4. */
size_t utf8_put(uint32_t code_point, char into[4]);

/* Without leading and trailing white space (ASCII and U+00A0).  NULL: the arena is full. */
must_use char *utf8_trim(struct arena *arena, const char *text);

/* Lower case for Latin letters with diacritics (Latin-1, Latin Extended-A), as search and
 * comparison need it.  NULL: the arena is full. */
must_use char *utf8_fold(struct arena *arena, const char *text);
