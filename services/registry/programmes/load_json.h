#pragma once

/* Reading JSON for rule sets: every error names the file, the place as a JSON pointer, and the
 * reason; what is not expected is refused. */

#include <jansson.h>

#include "services/registry/programmes/rule_set.h"

struct loader {
    struct arena *arena;
    const char *file;
    struct rule_set *set; /* being made: states, labels and countries come before the rules */
};

#define LOAD_LIST 200 /* items of any list */

/* INVALID_ARGUMENT, "file: pointer: reason". */
must_use printf_like(3, 4) struct status
    load_error(const struct loader *loader, const char *pointer, const char *format, ...);

/* "parent/key" and "parent/3".  Keys are escaped as RFC 6901 has it. */
must_use struct status load_pointer(const struct loader *loader, const char *parent,
                                    const char *key, const char **ret);
must_use struct status load_pointer_at(const struct loader *loader, const char *parent,
                                       size_t index, const char **ret);

/* An object with none but these keys; `keys` ends with NULL. */
must_use struct status load_object(const struct loader *loader, const char *pointer,
                                   const json_t *json, const char *const *keys);
/* A list of 1 to LOAD_LIST items, or of 0 when `may_be_empty`. */
must_use struct status load_array(const struct loader *loader, const char *pointer,
                                  const json_t *json, bool may_be_empty);

/* Non-empty text of at most RULE_TEXT_BYTES.  Not required: "" when the key is absent. */
must_use struct status load_text(const struct loader *loader, const char *parent,
                                 const json_t *object, const char *key, bool required,
                                 const char **ret);
/* As load_text, of lower-case letters, digits and underscores. */
must_use struct status load_word(const struct loader *loader, const char *pointer,
                                 const json_t *json, const char **ret);
must_use struct status load_texts(const struct loader *loader, const char *parent,
                                  const json_t *object, const char *key,
                                  struct rule_texts *ret);
must_use struct status load_date(const struct loader *loader, const char *parent,
                                 const json_t *object, const char *key, struct rule_date *ret);
/* An integer between the bounds. */
must_use struct status load_integer(const struct loader *loader, const char *pointer,
                                    const json_t *json, int64_t min, int64_t max, int64_t *ret);
/* true or false; `fallback` when the key is absent. */
must_use struct status load_flag(const struct loader *loader, const char *parent,
                                 const json_t *object, const char *key, bool fallback,
                                 bool *ret);
/* {"sv": "...", "fi": "...", "en": "..."}: all three, well formed, with the same placeholders.
 */
must_use struct status load_local(const struct loader *loader, const char *parent,
                                  const json_t *object, const char *key, struct text *ret);
