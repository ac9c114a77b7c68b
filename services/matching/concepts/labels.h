#pragma once

/* From words to concepts: the labels of a vocabulary, and how a text names them.
 *
 * Pure.  Heap; filled by one thread, then read by any.  A text is matched by, from the surest:
 * its words as they are written, stems (M. F. Porter, "Snowball", 2001), Finnish roots and
 * beginnings of words, parts of compounds, and runs of three letters that two words have in
 * common (L. R. Dice, 1945: twice what is shared over what both have).
 */

#include "services/matching/dictionary.h"
#include "services/matching/words.h"

#define LABELS_NONE UINT32_MAX
#define LABELS_WORDS_MAX 6 /* longer labels are not looked for in texts */

/* Why a place in a text names a concept; the numbers of matching.v1.LinkReason. */
enum link_reason {
    LINK_NONE,
    LINK_LABEL,       /* the preferred label */
    LINK_ALTERNATIVE, /* another label */
    LINK_INFLECTED,   /* a label in another form */
    LINK_COMPOUND,    /* a part of a compound */
    LINK_LETTERS,     /* most runs of letters are the same */
};

struct link {
    uint32_t concept;
    uint32_t first, count; /* words */
    uint32_t at, size;     /* bytes of the text */
    uint16_t score;        /* thousandths: how sure it is */
    uint8_t reason;
};

/* What a key stands for. */
struct label_target {
    uint32_t concept;
    uint16_t letters; /* of the label; 0 when it is met whole; of a first word: most words */
    bool preferred;
};

/* A label of one word, to be met by letters. */
struct label_word {
    uint32_t concept;
    uint8_t grams;
    uint8_t lang;
};

#define LABEL_BUCKETS ((size_t)1 << 16)

struct labels {
    struct dictionary keys;
    struct label_target *targets; /* by number of the key */
    size_t target_room;
    struct label_word *words;
    size_t word_count, word_room;
    uint64_t *pairs; /* bucket << 32 | word, while learning */
    size_t pair_count, pair_room;
    uint32_t *offsets;  /* LABEL_BUCKETS + 1 */
    uint32_t *postings; /* words by bucket */
};

void labels_fini(struct labels *labels);

/* Learns a label, whole and without what it says in parentheses.  The first concept to claim
 * words keeps them.  *ret_other: a concept whose preferred label is the same words, when this
 * one is preferred too; LABELS_NONE: none. */
must_use struct status labels_learn(struct labels *labels, struct words *words, enum lang lang,
                                    const char *label, uint32_t concept, bool preferred,
                                    struct arena *scratch, uint32_t *ret_other);
/* After the last label, before the first text. */
must_use struct status labels_finish(struct labels *labels);

/* Finds labels in a text, longest first, from left to right; only the parts of one compound
 * share a word.  At most `room`.  Work is bounded whatever the text. */
size_t labels_link(const struct labels *labels, enum lang lang, const struct word_list *text,
                   struct link *into, size_t room);

/* The three-letter runs of a word between boundary marks, each once, as buckets; their number.
 */
#define LABEL_GRAMS_MAX 32u
size_t labels_grams(enum lang lang, const char *word, uint32_t into[LABEL_GRAMS_MAX]);
const struct label_target *labels_find(const struct labels *labels, uint64_t key);
