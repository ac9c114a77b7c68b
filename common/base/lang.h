#pragma once

/* Texts that people read exist in Swedish, Finnish and English.
 *
 * A service keeps its texts in a texts.def of TEXT(name, sv, fi, en) lines: a missing one does
 * not compile, an empty one fails the static assertion of TEXT_COMPLETE.  Placeholders are
 * named in braces, "{months}", and must be the same in all three (a house test compares them).
 */

#include <stddef.h>

#include "common/base/arena.h"

enum lang { LANG_SV, LANG_FI, LANG_EN, LANG_COUNT };

struct text {
    const char *in[LANG_COUNT];
};

#define TEXT_COMPLETE(sv, fi, en)                                                              \
    _Static_assert(sizeof(sv) > 1 && sizeof(fi) > 1 && sizeof(en) > 1,                         \
                   "a text is missing a translation")

/* A value for a placeholder. */
struct text_value {
    const char *name;
    const char *value;
};

/* "sv", "fi", "en", with or without a region ("sv-FI"); anything else is English. */
enum lang lang_parse(const char *tag);

/* The best of an Accept-Language header, by its q values; English when nothing fits or NULL. */
enum lang lang_negotiate(const char *accept_language);

const char *lang_tag(enum lang lang);

/* Fills the placeholders.  An unknown placeholder stays as it stands.  NULL: the arena is full.
 */
must_use char *text_fill(struct arena *arena, const char *pattern,
                         const struct text_value *values, size_t count);
