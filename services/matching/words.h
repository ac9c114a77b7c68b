#pragma once

/* Text to words, stems and keys, for Swedish, Finnish and English.
 *
 * A `struct words` holds the three Snowball stemmers; it belongs to one thread.
 */

#include "common/base/lang.h"
#include "common/base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WORDS_PER_TEXT_MAX 600 /* the rest of a text is not read */
#define WORD_BYTES_MAX 64      /* a longer word is cut */
#define GRAM_LETTERS 4

struct words;

struct word {
    const char *text; /* in lower case */
    const char *stem;
    uint32_t at, size;  /* bytes of the text that was read */
    const char *origin; /* there: as many letters as in `text`, maybe not as many bytes */
};

struct word_list {
    struct word *items;
    size_t count;
};

must_use struct status words_create(struct arena *arena, struct words **ret);
void words_destroy(struct words **words);

/* Runs of letters and digits; "+" and "#" belong to a word they end ("c++", "c#").  Everything
 * lives in `arena`. */
must_use struct status words_split(struct words *words, enum lang lang, const char *text,
                                   struct arena *arena, struct word_list *ret);

/* Keys never depend on the order in which texts are read. */
uint64_t words_stem_key(enum lang lang, const char *stem);

/* Of the runs of GRAM_LETTERS letters in a stem between boundary marks: calls `take` for each.
 * Stems of fewer letters have none. */
void words_grams(enum lang lang, const char *stem, void (*take)(void *context, uint64_t key),
                 void *context);

/* The key of a run of words as a label is looked up: by their stems. */
uint64_t words_link_key(enum lang lang, const struct word *words, size_t count);

/* The same for the first `letters` letters of one stem: the first part of a compound. */
uint64_t words_prefix_key(enum lang lang, const char *stem, size_t letters);

/* The same for the last letters of one stem, from the byte `at`. */
uint64_t words_suffix_key(enum lang lang, const char *stem, size_t at);

/* The key of a run of words as they are written, but for their case. */
uint64_t words_written_key(enum lang lang, const struct word *words, size_t count);

/* The key of a run of Finnish words by their roots: the stem without its last vowels, and with
 * the last consonants in one grade ("kk" as "k", "d" as "t", "nk" and "ng" alike). */
uint64_t words_root_key(const struct word *words, size_t count);

/* The key of a word that a label of several words may begin with. */
uint64_t words_first_key(enum lang lang, const struct word *word);

/* The key of the first `letters` letters of a word as it is written: what stays the same
 * through the cases of Finnish, whose stems do not. */
uint64_t words_beginning_key(enum lang lang, const char *word, size_t letters);
