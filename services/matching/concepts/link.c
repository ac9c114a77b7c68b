/* Finding labels in a text: see labels.h. */

#include "common/base/utf8.h"
#include "services/matching/concepts/labels.h"

/* How sure each way is, in thousandths. */
#define SCORE_LABEL 1000
#define SCORE_ALTERNATIVE 950
#define SCORE_STEM 900
#define SCORE_ROOT 800
#define SCORE_BEGINNING 750
#define SCORE_PARTS 600   /* a compound of two labels */
#define SCORE_PART 500    /* one part of a compound */
#define SCORE_LETTERS 700 /* of a word with the very same letters */

/* A beginning of a word that is a label counts when it is long enough to mean something. */
#define COMPOUND_LETTERS_MIN 9
#define PART_LETTERS_MIN 7  /* alone */
#define PARTS_LETTERS_MIN 4 /* with the rest a label too */
#define PARTS_GAP_MAX 3     /* letters that bind two parts */
#define PART_SHARE_MIN 2    /* a part alone is at least half of its word */
#define WORD_LETTERS 72

#define FINNISH_LETTERS_MIN 7
#define FINNISH_BEGINNING_MIN 6
#define FINNISH_ENDING_LETTERS 5

#define LETTERS_MIN 8
#define LETTERS_SHARED 760      /* thousandths, at least */
#define LETTERS_CANDIDATES 2048 /* label words looked at for one word, a power of two */
#define LETTERS_LIST_MAX 1000   /* a run of letters in more words says nothing */
#define LETTERS_WORK_MAX 100000 /* postings read for one text */
#define LETTERS_PROBES 8

struct candidate {
    uint32_t word; /* one more than its number; 0: an empty slot */
    uint32_t shared;
};

/* Label words that share letters with the word at hand.  Most have a few: only the slots that
 * are in use are looked at, and emptied after it. */
struct candidates {
    bool made; /* the slots are empty or in use; before that they are anything */
    struct candidate slots[LETTERS_CANDIDATES];
    uint16_t used[LETTERS_CANDIDATES];
    size_t count;
};

struct linking {
    const struct labels *labels;
    enum lang lang;
    const struct word_list *text;
    struct link *into;
    size_t count, room;
    size_t work; /* postings read */
    struct candidates *candidates;
};

static void
add(struct linking *linking, uint32_t concept, size_t first, size_t count,
    enum link_reason reason, unsigned score)
{
    const struct word *start = &linking->text->items[first];
    const struct word *last = &linking->text->items[first + count - 1];

    if (linking->count == linking->room)
        return;
    linking->into[linking->count++] = (struct link){.concept = concept,
                                                    .first = (uint32_t)first,
                                                    .count = (uint32_t)count,
                                                    .at = start->at,
                                                    .size = last->at + last->size - start->at,
                                                    .score = (uint16_t)score,
                                                    .reason = (uint8_t)reason};
}

/* Narrows the link added last to the letters [from, to) of its word. */
static void
narrow(struct linking *linking, const struct word *word, size_t from, size_t to)
{
    struct link *link = &linking->into[linking->count - 1];
    const char *const end = word->origin + word->size;
    const char *start = word->origin, *at;
    size_t letters = 0;

    for (; letters < from && start < end; letters++)
        (void)utf8_next(&start);
    for (at = start; letters < to && at < end; letters++)
        (void)utf8_next(&at);
    if (at > start) {
        link->at = word->at + (uint32_t)(start - word->origin);
        link->size = (uint32_t)(at - start);
    }
}

/* Shorter stems are shared by words that have nothing to do with each other. */
static size_t
stem_letters_min(enum lang lang)
{
    return lang == LANG_FI ? 5 : 3;
}

/* The most words that a label beginning here may have. */
static size_t
most_words(const struct linking *linking, size_t first)
{
    const struct label_target *target = labels_find(
        linking->labels, words_first_key(linking->lang, &linking->text->items[first]));
    const size_t left = linking->text->count - first;

    if (target->concept == LABELS_NONE)
        return 1;
    return target->letters < left ? target->letters : left;
}

/* A run of `count` words as one label. */
static bool
link_run(struct linking *linking, size_t first, size_t count)
{
    const struct word *words = &linking->text->items[first];
    const struct label_target *target;

    target = labels_find(linking->labels, words_written_key(linking->lang, words, count));
    if (target->concept != LABELS_NONE) {
        add(linking, target->concept, first, count,
            target->preferred ? LINK_LABEL : LINK_ALTERNATIVE,
            target->preferred ? SCORE_LABEL : SCORE_ALTERNATIVE);
        return true;
    }
    if (count == 1 && utf8_length(words->stem) < stem_letters_min(linking->lang))
        return false;
    target = labels_find(linking->labels, words_link_key(linking->lang, words, count));
    if (target->concept != LABELS_NONE) {
        add(linking, target->concept, first, count, LINK_INFLECTED, SCORE_STEM);
        return true;
    }
    if (linking->lang != LANG_FI || (count == 1 && utf8_length(words->text) < LETTERS_MIN - 3))
        return false;
    target = labels_find(linking->labels, words_root_key(words, count));
    if (target->concept == LABELS_NONE)
        return false;
    add(linking, target->concept, first, count, LINK_INFLECTED, SCORE_ROOT);
    return true;
}

/* A Finnish word in any of its cases: the label with the longest beginning in common. */
static bool
link_beginning(struct linking *linking, size_t first)
{
    const struct word *word = &linking->text->items[first];
    const size_t letters = utf8_length(word->text);

    if (linking->lang != LANG_FI || letters < FINNISH_LETTERS_MIN)
        return false;
    for (size_t part = letters; part >= FINNISH_BEGINNING_MIN; part--) {
        const struct label_target *target =
            labels_find(linking->labels, words_beginning_key(linking->lang, word->text, part));

        if (target->concept != LABELS_NONE &&
            letters <= target->letters + (size_t)FINNISH_ENDING_LETTERS) {
            add(linking, target->concept, first, 1, LINK_INFLECTED, SCORE_BEGINNING);
            return true;
        }
    }
    return false;
}

/* The labels that a word begins and ends with, by letters. */
struct parts {
    uint32_t front[WORD_LETTERS + 1]; /* [n]: its first n letters are this concept's label */
    uint32_t back[WORD_LETTERS + 1];  /* [n]: those from letter n on */
    size_t letters;
};

/* Finnish words in -nen stand before others in -s: "koneoppimis-" is "koneoppiminen". */
static uint32_t
find_nen(const struct linking *linking, const char *stem, size_t size)
{
    char whole[WORD_BYTES_MAX + 8];
    struct word word = {.text = whole};

    if (linking->lang != LANG_FI || size < 4 || size > WORD_BYTES_MAX || stem[size - 1] != 's')
        return LABELS_NONE;
    (void)snprintf(whole, sizeof whole, "%.*snen", (int)size - 1, stem);
    return labels_find(linking->labels, words_written_key(LANG_FI, &word, 1))->concept;
}

static void
find_parts(const struct linking *linking, const char *stem, struct parts *ret)
{
    const char *at = stem;

    ret->letters = 0;
    for (size_t i = 0; i <= WORD_LETTERS; i++)
        ret->front[i] = ret->back[i] = LABELS_NONE;
    while (*at && ret->letters < WORD_LETTERS) {
        ret->back[ret->letters] =
            labels_find(linking->labels,
                        words_suffix_key(linking->lang, stem, (size_t)(at - stem)))
                ->concept;
        ret->front[ret->letters] =
            labels_find(linking->labels, words_prefix_key(linking->lang, stem, ret->letters))
                ->concept;
        if (ret->front[ret->letters] == LABELS_NONE)
            ret->front[ret->letters] = find_nen(linking, stem, (size_t)(at - stem));
        (void)utf8_next(&at);
        ret->letters++;
    }
}

/* The longest front that the rest follows as a label; 0: there is none. */
static size_t
find_split(const struct parts *parts, size_t *ret_back)
{
    for (size_t front = parts->letters; front-- > PARTS_LETTERS_MIN;) {
        if (parts->front[front] == LABELS_NONE)
            continue;
        for (size_t gap = 0; gap <= PARTS_GAP_MAX; gap++) {
            const size_t back = front + gap;

            if (back + PARTS_LETTERS_MIN <= parts->letters &&
                parts->back[back] != LABELS_NONE) {
                *ret_back = back;
                return front;
            }
        }
    }
    return 0;
}

/* Swedish and Finnish write compounds in one word. */
static bool
link_parts(struct linking *linking, size_t first)
{
    const struct word *word = &linking->text->items[first];
    struct parts parts;
    size_t front, back;

    if (linking->lang == LANG_EN || utf8_length(word->stem) < COMPOUND_LETTERS_MIN)
        return false;
    find_parts(linking, word->stem, &parts);
    front = find_split(&parts, &back);
    if (front && linking->count + 2 <= linking->room) {
        add(linking, parts.front[front], first, 1, LINK_COMPOUND, SCORE_PARTS);
        narrow(linking, word, 0, front);
        add(linking, parts.back[back], first, 1, LINK_COMPOUND, SCORE_PARTS);
        narrow(linking, word, back, SIZE_MAX);
        return true;
    }
    for (front = parts.letters; front-- > PART_LETTERS_MIN;)
        if (parts.front[front] != LABELS_NONE && linking->count < linking->room) {
            add(linking, parts.front[front], first, 1, LINK_COMPOUND, SCORE_PART);
            narrow(linking, word, 0, front);
            return true;
        }
    for (back = 1; back + PART_LETTERS_MIN <= parts.letters; back++)
        if (parts.back[back] != LABELS_NONE && linking->count < linking->room &&
            (parts.letters - back) * PART_SHARE_MIN >= parts.letters) {
            add(linking, parts.back[back], first, 1, LINK_COMPOUND, SCORE_PART);
            narrow(linking, word, back, SIZE_MAX);
            return true;
        }
    return false;
}

/* Counts a run of letters for a label word; when they are too many, it is left out. */
static void
count_candidate(struct candidates *candidates, uint32_t word)
{
    size_t slot = word * 2654435761u % LETTERS_CANDIDATES;

    for (size_t i = 0; i < LETTERS_PROBES; i++) {
        struct candidate *candidate = &candidates->slots[slot];

        if (candidate->word == 0) {
            candidate->word = word + 1;
            candidates->used[candidates->count++] = (uint16_t)slot;
        }
        if (candidate->word == word + 1) {
            candidate->shared++;
            return;
        }
        slot = (slot + 1) % LETTERS_CANDIDATES;
    }
}

/* The label word with the most runs of letters in common; of equals the first learned. */
static void
link_letters(struct linking *linking, size_t first)
{
    const struct labels *labels = linking->labels;
    const struct word *word = &linking->text->items[first];
    struct candidates *candidates = linking->candidates;
    uint32_t grams[LABEL_GRAMS_MAX];
    uint32_t best = LABELS_NONE, best_share = LETTERS_SHARED - 1;
    size_t count;

    if (utf8_length(word->text) < LETTERS_MIN || !labels->offsets)
        return;
    if (!candidates->made)
        memset(candidates->slots, 0, sizeof candidates->slots);
    candidates->made = true;
    candidates->count = 0;
    count = labels_grams(linking->lang, word->text, grams);
    for (size_t i = 0; i < count && linking->work < LETTERS_WORK_MAX; i++) {
        const uint32_t from = labels->offsets[grams[i]], to = labels->offsets[grams[i] + 1];

        if (to - from > LETTERS_LIST_MAX)
            continue;
        linking->work += to - from;
        for (uint32_t at = from; at < to; at++)
            count_candidate(candidates, labels->postings[at]);
    }
    for (size_t i = 0; i < candidates->count; i++) {
        const struct candidate candidate = candidates->slots[candidates->used[i]];
        const uint32_t number = candidate.word - 1;

        candidates->slots[candidates->used[i]] = (struct candidate){0};
        if (labels->words[number].lang != linking->lang)
            continue;

        const uint32_t share =
            candidate.shared * 2000 / (uint32_t)(count + labels->words[number].grams);

        if (share > best_share || (share == best_share && number < best)) {
            best = number;
            best_share = share;
        }
    }
    if (best != LABELS_NONE)
        add(linking, labels->words[best].concept, first, 1, LINK_LETTERS,
            SCORE_LETTERS * best_share / 1000);
}

size_t
labels_link(const struct labels *labels, enum lang lang, const struct word_list *text,
            struct link *into, size_t room)
{
    struct candidates candidates;
    struct linking linking = {labels, lang, text, into, 0, room, 0, &candidates};

    candidates.made = false;

    for (size_t first = 0; first < text->count && linking.count < room;) {
        size_t window = most_words(&linking, first);

        while (window > 0 && !link_run(&linking, first, window))
            window--;
        if (window == 0) {
            window = 1;
            if (!link_beginning(&linking, first) && !link_parts(&linking, first))
                link_letters(&linking, first);
        }
        first += window;
    }
    return linking.count;
}
