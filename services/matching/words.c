#include "services/matching/words.h"

#include "common/base/utf8.h"
#include "services/matching/hash.h"

#include <libstemmer.h>

struct words {
    struct sb_stemmer *stemmers[LANG_COUNT];
};

void
words_destroy(struct words **words)
{
    if (!*words)
        return;
    for (size_t i = 0; i < LANG_COUNT; i++)
        sb_stemmer_delete((*words)->stemmers[i]);
    free(*words);
    *words = NULL;
}

struct status
words_create(struct arena *arena, struct words **ret)
{
    static const char *const names[LANG_COUNT] = {
        [LANG_SV] = "swedish", [LANG_FI] = "finnish", [LANG_EN] = "english"};
    scoped(words_destroy) struct words *words = calloc(1, sizeof *words);

    TRY(need(words));
    for (size_t i = 0; i < LANG_COUNT; i++) {
        words->stemmers[i] = sb_stemmer_new(names[i], "UTF_8");
        if (!words->stemmers[i])
            return FAIL(arena, INTERNAL, "no stemmer for %s", names[i]);
    }
    *ret = take(&words);
    return OK;
}

/* Everything above ASCII that is not a mark of punctuation counts as a letter. */
static bool
is_letter(uint32_t letter)
{
    if (letter < 0x80)
        return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'z') ||
               (letter >= 'A' && letter <= 'Z');
    if (letter < 0xc0)
        return letter == 0xaa || letter == 0xb5 || letter == 0xba;
    return letter != 0xd7 && letter != 0xf7 && !(letter >= 0x2000 && letter <= 0x2bff) &&
           !(letter >= 0x3000 && letter <= 0x303f) && letter != 0xfffd;
}

/* Moves *origin over as many letters as lie between `from` and `to`: folding keeps their
 * number.
 */
static void
follow(const char **origin, const char *from, const char *to)
{
    while (from < to) {
        (void)utf8_next(&from);
        (void)utf8_next(origin);
    }
}

/* Finds the next word at *cursor; 0: there is none. */
static size_t
next_word(const char **cursor, const char **ret_start)
{
    const char *at = *cursor;
    const char *start = NULL;

    for (;;) {
        const char *here = at;
        const uint32_t letter = utf8_next(&at);

        if (letter && is_letter(letter)) {
            if (!start)
                start = here;
            if ((size_t)(at - start) > WORD_BYTES_MAX)
                break;
        } else if (start && (letter == '+' || letter == '#')) {
            if ((size_t)(at - start) > WORD_BYTES_MAX)
                break;
        } else if (start || !letter) {
            at = here;
            break;
        }
    }
    *cursor = at;
    *ret_start = start;
    return start ? (size_t)(at - start) : 0;
}

static struct status
stem_of(struct words *words, enum lang lang, const char *word, struct arena *arena,
        const char **ret)
{
    struct sb_stemmer *stemmer = words->stemmers[lang];
    const sb_symbol *stem =
        sb_stemmer_stem(stemmer, (const sb_symbol *)word, (int)strlen(word));

    TRY(need(stem));
    *ret = arena_copy_n(arena, stem, (size_t)sb_stemmer_length(stemmer));
    return need(*ret);
}

struct status
words_split(struct words *words, enum lang lang, const char *text, struct arena *arena,
            struct word_list *ret)
{
    struct word_list list = {0};
    const char *folded = utf8_fold(arena, text);
    const char *origin = text;
    const char *read = folded;
    const char *start;
    size_t size;

    TRY(need(folded));
    list.items = ARENA_ARRAY(arena, struct word, WORDS_PER_TEXT_MAX);
    TRY(need(list.items));
    while (list.count < WORDS_PER_TEXT_MAX && (size = next_word(&folded, &start)) > 0) {
        struct word *word = &list.items[list.count];

        word->text = arena_copy_n(arena, start, size);
        TRY(need(word->text));
        follow(&origin, read, start);
        word->at = (uint32_t)(origin - text);
        word->origin = origin;
        follow(&origin, start, start + size);
        word->size = (uint32_t)(origin - text) - word->at;
        read = start + size;
        TRY(stem_of(words, lang, word->text, arena, &word->stem));
        if (*word->stem)
            list.count++;
    }
    *ret = list;
    return OK;
}

static uint64_t
start_key(char purpose, enum lang lang)
{
    const char head[2] = {purpose, (char)('0' + (int)lang)};

    return hash_more(HASH_START, head, sizeof head);
}

uint64_t
words_stem_key(enum lang lang, const char *stem)
{
    return hash_finish(hash_more(start_key('s', lang), stem, strlen(stem)));
}

void
words_grams(enum lang lang, const char *stem, void (*take_key)(void *, uint64_t), void *context)
{
    uint32_t letters[WORD_BYTES_MAX + 2 + 1];
    size_t count = 0;
    const char *at = stem;

    letters[count++] = '_';
    while (*at && count < COUNT_OF(letters) - 2)
        letters[count++] = utf8_next(&at);
    letters[count++] = '_';
    if (count < GRAM_LETTERS + 2)
        return;
    for (size_t i = 0; i + GRAM_LETTERS <= count; i++)
        take_key(context, hash_finish(hash_more(start_key('g', lang), &letters[i],
                                                GRAM_LETTERS * sizeof letters[0])));
}

/* Bytes of the first `letters` letters; all of a shorter text. */
static size_t
bytes_of_letters(const char *text, size_t letters)
{
    const char *at = text;

    while (*at && letters > 0) {
        utf8_next(&at);
        letters--;
    }
    return (size_t)(at - text);
}

uint64_t
words_link_key(enum lang lang, const struct word *words, size_t count)
{
    uint64_t hash = start_key('l', lang);

    for (size_t i = 0; i < count; i++) {
        hash = hash_more(hash, words[i].stem, strlen(words[i].stem));
        hash = hash_more(hash, " ", 1);
    }
    return hash_finish(hash);
}

uint64_t
words_prefix_key(enum lang lang, const char *stem, size_t letters)
{
    const uint64_t hash =
        hash_more(start_key('l', lang), stem, bytes_of_letters(stem, letters));

    return hash_finish(hash_more(hash, " ", 1));
}

uint64_t
words_suffix_key(enum lang lang, const char *stem, size_t at)
{
    const uint64_t hash = hash_more(start_key('l', lang), stem + at, strlen(stem + at));

    return hash_finish(hash_more(hash, " ", 1));
}

uint64_t
words_written_key(enum lang lang, const struct word *words, size_t count)
{
    uint64_t hash = start_key('w', lang);

    for (size_t i = 0; i < count; i++) {
        hash = hash_more(hash, words[i].text, strlen(words[i].text));
        hash = hash_more(hash, " ", 1);
    }
    return hash_finish(hash);
}

static bool
is_vowel(const char *at, size_t left, size_t *ret_size)
{
    if (left >= 1 && strchr("aeiouy", at[left - 1])) {
        *ret_size = 1;
        return true;
    }
    /* The second byte of a and o with dots. */
    *ret_size = 2;
    return left >= 2 && at[left - 2] == '\xc3' &&
           (at[left - 1] == '\xa4' || at[left - 1] == '\xb6');
}

/* Writes the root of a stem; its bytes. */
static size_t
root_of(const char *stem, char into[WORD_BYTES_MAX + 8])
{
    static const char *const grades[][2] = {{"kk", "k"}, {"pp", "p"}, {"tt", "t"}, {"nk", "n"},
                                            {"ng", "n"}, {"mp", "m"}, {"mm", "m"}, {"nt", "n"},
                                            {"nn", "n"}, {"lt", "l"}, {"ll", "l"}, {"rt", "r"},
                                            {"rr", "r"}, {"ks", "s"}, {"d", "t"},  {"v", "p"}};
    size_t size = strlen(stem);
    size_t vowel;

    if (size > WORD_BYTES_MAX)
        size = WORD_BYTES_MAX;
    while (size > 4 && is_vowel(stem, size, &vowel))
        size -= vowel;
    memcpy(into, stem, size);
    for (size_t i = 0; i < COUNT_OF(grades); i++) {
        const size_t length = strlen(grades[i][0]);

        if (size < length + 3 || memcmp(into + size - length, grades[i][0], length) != 0)
            continue;
        memcpy(into + size - length, grades[i][1], strlen(grades[i][1]));
        return size - length + strlen(grades[i][1]);
    }
    return size;
}

uint64_t
words_root_key(const struct word *words, size_t count)
{
    uint64_t hash = start_key('r', LANG_FI);
    char root[WORD_BYTES_MAX + 8];

    for (size_t i = 0; i < count; i++) {
        hash = hash_more(hash, root, root_of(words[i].stem, root));
        hash = hash_more(hash, " ", 1);
    }
    return hash_finish(hash);
}

uint64_t
words_first_key(enum lang lang, const struct word *word)
{
    const uint64_t hash = start_key('f', lang);
    char root[WORD_BYTES_MAX + 8];

    if (lang == LANG_FI)
        return hash_finish(hash_more(hash, root, root_of(word->stem, root)));
    return hash_finish(hash_more(hash, word->stem, strlen(word->stem)));
}

uint64_t
words_beginning_key(enum lang lang, const char *word, size_t letters)
{
    return hash_finish(hash_more(start_key('b', lang), word, bytes_of_letters(word, letters)));
}
