#pragma once

/* Settings: declared once in a .def, read from default < file < environment.
 *
 *     SETTING_UINT(workers, 4, 1, 64, "threads", "handlers that run side by side")
 *     SETTING_BOOL(curve, true, "encrypt and authenticate every socket")
 *     SETTING_TEXT(rpc_bind, "tcp://127.0.0.1:5560", "where requests are taken")
 *     SETTING_SECRET(pg_password, "password of the role")
 *
 * A settings.def is included twice: once to make the members of a struct, once to make its
 * table:
 *
 *     struct registry_settings {
 *     #include "common/base/setting_members.h"
 *     #include "services/registry/settings.def"
 *     #include "common/base/setting_end.h"
 *     };
 *     static const struct setting table[] = {
 *     #define SETTING_STRUCT struct registry_settings
 *     #include "common/base/setting_table.h"
 *     #include "services/registry/settings.def"
 *     #include "common/base/setting_end.h"
 *         {0},
 *     };
 *
 * The environment's name of `rpc_bind` is SAMVERKA_RPC_BIND; SAMVERKA_RPC_BIND_FILE names a
 * file whose first line is the value (secrets).  A file has `name = value` lines, # starts a
 * comment. An unknown name in the file, or an unknown SAMVERKA_ variable, is refused
 * (SAMVERKA_TEST_ is the tests' own).  Nothing is trimmed from or unquoted in a value of the
 * environment.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/arena.h"
#include "common/base/status.h"

enum setting_kind {
    SETTING_KIND_END,
    SETTING_KIND_UINT,
    SETTING_KIND_BOOL,
    SETTING_KIND_TEXT,
    SETTING_KIND_SECRET
};

struct setting {
    const char *name;
    enum setting_kind kind;
    size_t offset; /* of uint64_t, bool or const char * in the struct */
    const char *default_text;
    uint64_t min, max; /* UINT */
    const char *unit;  /* UINT */
    const char *doc;
};

/* One table and the struct it fills. */
struct setting_set {
    const struct setting *table; /* ends with a zeroed entry */
    void *values;
};

/* Fills all sets (a zeroed set ends the list).  `file` may be NULL.  Texts live in `arena`,
 * which must outlive the values. INVALID_ARGUMENT: an unknown name, a value out of bounds, an
 * unreadable file; the field is the setting's name. */
must_use struct status setting_load(const struct setting_set *sets, const char *file,
                                    char *const *environ, struct arena *arena);

/* Name, value, unit, doc of every setting; secrets as "(set)" or "(empty)". */
void setting_print(const struct setting_set *sets, FILE *out);

/* A Markdown table of the same with defaults and bounds, for the generated docs. */
void setting_print_markdown(const struct setting_set *sets, FILE *out);
