#include "services/matching/concepts/labels.h"

#include "common/base/utf8.h"
#include "services/matching/hash.h"

/* A Finnish word of some length is known by its beginning, all but the last letters. */
#define FINNISH_LETTERS_MIN 7
#define FINNISH_BEGINNING_MIN 6
#define FINNISH_CHANGED_LETTERS 3

#define ROOT_LETTERS_MIN 4
#define LETTERS_MIN 8 /* of a word that is met by its letters */

void
labels_fini(struct labels *labels)
{
    dictionary_fini(&labels->keys);
    free(labels->targets);
    free(labels->words);
    free(labels->pairs);
    free(labels->offsets);
    free(labels->postings);
    memset(labels, 0, sizeof *labels); /* {0} is no atomic pointer to clang */
}

const struct label_target *
labels_find(const struct labels *labels, uint64_t key)
{
    static const struct label_target none = {.concept = LABELS_NONE};
    const uint32_t number = dictionary_find(&labels->keys, key);

    return number == DICTIONARY_NONE ? &none : &labels->targets[number];
}

/* Room for one more item of `size` bytes. */
static struct status
grow(void **items, size_t size, size_t count, size_t *room)
{
    if (count < *room)
        return OK;

    const size_t more = *room ? *room * 2 : 4096;
    void *grown = realloc(*items, more * size);

    TRY(need(grown));
    *items = grown;
    *room = more;
    return OK;
}

/* The first to claim a key keeps it; *ret_owner is who has it. */
static struct status
learn_key(struct labels *labels, uint64_t key, struct label_target target,
          struct label_target *ret_owner)
{
    const uint32_t known = labels->keys.count;
    void *targets = labels->targets;
    uint32_t number;

    TRY(dictionary_put(&labels->keys, key, &number));
    TRY(grow(&targets, sizeof *labels->targets, number, &labels->target_room));
    labels->targets = targets;
    if (number == known)
        labels->targets[number] = target;
    if (ret_owner)
        *ret_owner = labels->targets[number];
    return OK;
}

size_t
labels_grams(enum lang lang, const char *word, uint32_t into[LABEL_GRAMS_MAX])
{
    uint32_t letters[LABEL_GRAMS_MAX + 2] = {'_'};
    size_t letter_count = 1;
    size_t count = 0;

    while (*word && letter_count < LABEL_GRAMS_MAX + 1)
        letters[letter_count++] = utf8_next(&word);
    letters[letter_count++] = '_';
    for (size_t i = 0; i + 3 <= letter_count; i++) {
        const char head = (char)lang;
        const uint64_t hash = hash_more(HASH_START, &head, 1);
        const uint32_t bucket =
            (uint32_t)(hash_finish(hash_more(hash, &letters[i], 3 * sizeof letters[0])) %
                       LABEL_BUCKETS);
        bool known = false;

        for (size_t j = 0; j < count && !known; j++)
            known = into[j] == bucket;
        if (!known)
            into[count++] = bucket;
    }
    return count;
}

static struct status
learn_letters(struct labels *labels, enum lang lang, const char *word, uint32_t concept)
{
    uint32_t grams[LABEL_GRAMS_MAX];
    const size_t count = labels_grams(lang, word, grams);
    void *words = labels->words;

    TRY(grow(&words, sizeof *labels->words, labels->word_count, &labels->word_room));
    labels->words = words;
    for (size_t i = 0; i < count; i++) {
        void *pairs = labels->pairs;

        TRY(grow(&pairs, sizeof *labels->pairs, labels->pair_count, &labels->pair_room));
        labels->pairs = pairs;
        labels->pairs[labels->pair_count++] = (uint64_t)grams[i] << 32 | labels->word_count;
    }
    labels->words[labels->word_count++] =
        (struct label_word){concept, (uint8_t)count, (uint8_t)lang};
    return OK;
}

/* Notes the most words of labels that begin with this one. */
static struct status
learn_first(struct labels *labels, enum lang lang, const struct word_list *label,
            uint32_t concept)
{
    const uint64_t key = words_first_key(lang, &label->items[0]);
    const uint16_t count = (uint16_t)label->count;
    uint32_t number;

    TRY(learn_key(labels, key, (struct label_target){concept, count, false}, NULL));
    number = dictionary_find(&labels->keys, key);
    if (labels->targets[number].letters < count)
        labels->targets[number].letters = count;
    return OK;
}

static struct status
learn_words(struct labels *labels, enum lang lang, const struct word_list *label,
            uint32_t concept, bool preferred, struct label_target *ret_owner)
{
    const struct label_target target = {concept, 0, preferred};
    size_t letters, beginning;

    if (label->count == 0 || label->count > LABELS_WORDS_MAX)
        return OK;
    TRY(learn_key(labels, words_written_key(lang, label->items, label->count), target,
                  ret_owner));
    TRY(learn_key(labels, words_link_key(lang, label->items, label->count), target, NULL));
    letters = utf8_length(label->items[0].text);
    if (lang == LANG_FI && (label->count > 1 || letters > ROOT_LETTERS_MIN))
        TRY(learn_key(labels, words_root_key(label->items, label->count), target, NULL));
    if (label->count > 1)
        return learn_first(labels, lang, label, concept);
    if (letters >= LETTERS_MIN && ret_owner->concept == concept)
        TRY(learn_letters(labels, lang, label->items[0].text, concept));
    if (lang != LANG_FI || letters < FINNISH_LETTERS_MIN)
        return OK;
    beginning = letters - FINNISH_CHANGED_LETTERS;
    if (beginning < FINNISH_BEGINNING_MIN)
        beginning = FINNISH_BEGINNING_MIN;
    return learn_key(labels, words_beginning_key(lang, label->items[0].text, beginning),
                     (struct label_target){concept, (uint16_t)letters, preferred}, NULL);
}

struct status
labels_learn(struct labels *labels, struct words *words, enum lang lang, const char *label,
             uint32_t concept, bool preferred, struct arena *scratch, uint32_t *ret_other)
{
    struct label_target owner = {.concept = LABELS_NONE};
    struct word_list list;
    const char *parenthesis;

    *ret_other = LABELS_NONE;
    arena_reset(scratch);
    if (!label || strlen(label) < 2)
        return OK;
    TRY(words_split(words, lang, label, scratch, &list));
    TRY(learn_words(labels, lang, &list, concept, preferred, &owner));
    if (preferred && owner.preferred && owner.concept != concept)
    *ret_other = owner.concept;
    parenthesis = strchr(label, '(');
    if (parenthesis && parenthesis > label) {
        const char *head = arena_copy_n(scratch, label, (size_t)(parenthesis - label));

        TRY(need(head));
        TRY(words_split(words, lang, head, scratch, &list));
        TRY(learn_words(labels, lang, &list, concept, false, &owner));
    }
    return OK;
}

/* Sorts the pairs by bucket, by counting. */
struct status
labels_finish(struct labels *labels)
{
    labels->offsets = calloc(LABEL_BUCKETS + 2, sizeof *labels->offsets);
    TRY(need(labels->offsets));
    labels->postings = calloc(labels->pair_count + 1, sizeof *labels->postings);
    TRY(need(labels->postings));
    for (size_t i = 0; i < labels->pair_count; i++)
        labels->offsets[(labels->pairs[i] >> 32) + 2]++;
    for (size_t i = 2; i < LABEL_BUCKETS + 2; i++)
        labels->offsets[i] += labels->offsets[i - 1];
    for (size_t i = 0; i < labels->pair_count; i++)
        labels->postings[labels->offsets[(labels->pairs[i] >> 32) + 1]++] =
            (uint32_t)labels->pairs[i];
    free(labels->pairs);
    labels->pairs = NULL;
    labels->pair_room = 0;
    return OK;
}
