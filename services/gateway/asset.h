#pragma once

/* Files embedded by gen_assets.py from web/ and from what gen_openapi.py and gen_events.py
 * make. Constant; any thread. */

#include <stddef.h>

struct asset {
    const char *name; /* "home.3f2a9c01.js", "schemas/..."; pages and documents carry no hash */
    const char *content_type;
    const char *etag;          /* with its quotes */
    const unsigned char *data; /* a NUL follows */
    size_t size;
};

extern const struct asset assets[];
extern const size_t asset_count;

/* NULL: there is none. */
const struct asset *asset_find(const char *name);
