#pragma once

/* The pages and files that people's browsers ask for: embedded at build, filled in each
 * language at start, served with an ETag.  Loop thread. */

#include "services/gateway/gateway.h"

struct pages;

must_use struct status pages_create(struct gateway *gateway, struct arena *arena,
                                    struct pages **ret);
void pages_destroy(struct pages **pages);
