#pragma once

/* Words that say how others hang together and nothing of what a text is about. */

#include "common/base/lang.h"

#include <stdbool.h>

/* `word` in lower case, as it is written.  Pure. */
bool function_word(enum lang lang, const char *word);
