#pragma once

/* The texts of texts.def by name. */

#include "common/base/lang.h"

enum text_name {
#define TEXT(name, sv, fi, en) TEXT_##name,
#include "services/matching/texts.def"
#undef TEXT
    TEXT_NAME_COUNT
};

const char *text_in(enum text_name name, enum lang lang);

/* The text named like a value of the contract ("energy_efficiency"); the value itself when
 * there is none. */
const char *text_named(const char *value, enum lang lang);
