#pragma once

/* The concepts that join the languages: a forest with labels, and the way from words to
 * concepts.
 *
 * Immutable once made; any thread may read it.  Held by count, on the index's thread alone.
 */

#include "services/matching/concepts/label_words.h"
#include "services/matching/concepts/labels.h"
#include "services/matching/uid.h"

#define VOCABULARY_CONCEPTS_MAX 200000
#define VOCABULARY_DEPTH_MAX 8 /* levels looked at above a concept */
#define VOCABULARY_NONE LABELS_NONE

struct vocabulary;

/* A row of registry.published_concepts. */
struct concept_row {
    const char *id;
    const char **broader; /* ids */
    size_t broader_count;
    const char *label[LANG_COUNT];
    const char **alternatives[LANG_COUNT];
    size_t alternative_count[LANG_COUNT];
};

/* Sorts `rows`.  Nothing of them is kept.  Where a concept has several broader ones, the first
 * by rarity counts: the one with the fewest beneath it, then the first by id.  Where a label
 * names several concepts, a preferred label wins, then the first id. */
must_use struct status vocabulary_create(struct concept_row *rows, size_t count,
                                         struct words *words, struct arena *arena,
                                         struct vocabulary **ret);
void vocabulary_hold(struct vocabulary *vocabulary);
void vocabulary_drop(struct vocabulary *vocabulary);

/* Concepts are numbered from 0 in the order of their ids.  Concepts of different origin whose
 * preferred labels are the same words in one language are one: vocabulary_find gives the first
 * of them, so that what one vocabulary has in Finnish and another in English meets. */
uint32_t vocabulary_count(const struct vocabulary *vocabulary);
uint32_t vocabulary_find(const struct vocabulary *vocabulary, const struct uid *id);
const struct uid *vocabulary_id(const struct vocabulary *vocabulary, uint32_t concept);
/* VOCABULARY_NONE: nothing stands above it. */
uint32_t vocabulary_broader(const struct vocabulary *vocabulary, uint32_t concept);
/* Terms below it stand for concepts, by their numbers, and from there on for words of labels.
 */
uint32_t vocabulary_terms(const struct vocabulary *vocabulary);
/* The words of a concept's label in English, or where it has none in Swedish or Finnish, by
 * number. */
const struct label_word_list *vocabulary_words(const struct vocabulary *vocabulary,
                                               uint32_t concept);
/* Their numbers by words_stem_key. */
const struct dictionary *vocabulary_word_numbers(const struct vocabulary *vocabulary);
/* A word's term. */
uint32_t vocabulary_word_term(const struct vocabulary *vocabulary, uint32_t number);
/* As a label has it, in lower case. */
const char *vocabulary_word(const struct vocabulary *vocabulary, uint32_t number);
/* In another language when there is none in this; "" when there is none at all. */
const char *vocabulary_label(const struct vocabulary *vocabulary, uint32_t concept,
                             enum lang lang);

/* Finds labels in a text: see labels_link. */
size_t vocabulary_link(const struct vocabulary *vocabulary, enum lang lang,
                       const struct word_list *text, struct link *into, size_t room);
