#pragma once

/* Files embedded by gen_assets.py from web/ and from what gen_openapi.py makes. */

#include <stddef.h>

struct asset {
    const char *name; /* "home.3f2a9c01.js"; pages and openapi.json carry no hash */
    const char *content_type;
    const unsigned char *data; /* a NUL follows */
    size_t size;
};

extern const struct asset assets[];
extern const size_t asset_count;
