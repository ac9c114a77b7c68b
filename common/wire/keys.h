#pragma once

/* CURVE keys (RFC 7748 points as Z85 text of 40 characters) and who holds them.
 *
 * A key folder holds `<name>.key` (secret, mode 0400) and `<name>.pub` for each service and
 * client of the deployment: registry, matching, events, notifications, gateway, operator.  A
 * process reads its own secret and everybody's public keys.
 */

#include <stdbool.h>

#include "common/base/status.h"

#define KEY_TEXT_SIZE 41

struct key_pair {
    char public_text[KEY_TEXT_SIZE];
    char secret_text[KEY_TEXT_SIZE];
};

must_use struct status key_pair_create(struct arena *arena, struct key_pair *ret);

/* Reads <folder>/<name>.key and .pub.  NOT_FOUND, or INVALID_ARGUMENT for a file that is no
 * key. */
must_use struct status key_pair_load(const char *folder, const char *name, struct arena *arena,
                                     struct key_pair *ret);
must_use struct status key_public_load(const char *folder, const char *name,
                                       struct arena *arena, char ret[KEY_TEXT_SIZE]);
/* Writes both files, the secret 0400.  ALREADY_EXISTS: there is one; it is left alone. */
must_use struct status key_pair_store(const char *folder, const char *name,
                                      const struct key_pair *pair, struct arena *arena);
bool key_text_valid(const char *text);
