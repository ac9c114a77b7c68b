#pragma once

/* What people read, in Swedish, Finnish and English: texts.def by name. */

#include "common/base/lang.h"

enum text_name {
#define TEXT(name, sv, fi, en) TEXT_##name,
#include "services/gateway/texts.def"
#undef TEXT
    TEXT_COUNT,
};

const char *text_get(enum text_name name, enum lang lang);
/* By the name as a text ("home_title"); NULL: none. */
const char *text_find(const char *name, size_t size, enum lang lang);
