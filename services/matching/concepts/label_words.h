#pragma once

/* The words of concepts' names: each concept has the stems of one label, as numbers, so that
 * concepts of like names can be told to be near where no hierarchy says so.
 *
 * Heap and the arena it was given; filled by one thread, then read by any.
 */

#include "services/matching/dictionary.h"
#include "services/matching/words.h"

#define LABEL_WORDS_MAX 8 /* of one label; those behind are left out */

/* A concept's words but function words: rising numbers, each once. */
struct label_word_list {
    const uint32_t *numbers;
    uint32_t count;
};

struct label_words {
    struct dictionary numbers; /* by words_stem_key */
    struct arena *arena;
    const char **texts; /* by number: the first word that had the stem, in lower case */
    size_t text_room;
};

void label_words_init(struct label_words *words, struct arena *arena);
void label_words_fini(struct label_words *words);

/* Adds a label; `scratch` may be reset afterwards.  RESOURCE_EXHAUSTED: no memory. */
must_use struct status label_words_add(struct label_words *words, struct words *stemmers,
                                       enum lang lang, const char *label, struct arena *scratch,
                                       struct label_word_list *ret);
