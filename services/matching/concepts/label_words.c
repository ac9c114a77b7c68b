#include "services/matching/concepts/label_words.h"

#include "services/matching/concepts/function_words.h"

void
label_words_init(struct label_words *words, struct arena *arena)
{
    *words = (struct label_words){.arena = arena};
}

void
label_words_fini(struct label_words *words)
{
    dictionary_fini(&words->numbers);
    free(words->texts);
    memset(words, 0, sizeof *words); /* {0} is no atomic pointer to clang */
}

static struct status
keep_text(struct label_words *words, uint32_t number, const char *text)
{
    if (number >= words->text_room) {
        const size_t room = words->text_room ? 2 * words->text_room : 1024;
        const char **grown = realloc(words->texts, room * sizeof *grown);

        TRY(need(grown));
        words->texts = grown;
        words->text_room = room;
    }
    words->texts[number] = arena_copy(words->arena, text);
    return need(words->texts[number]);
}

static struct status
number_of(struct label_words *words, uint64_t key, const char *text, uint32_t *ret)
{
    const uint32_t known = words->numbers.count;

    TRY(dictionary_put(&words->numbers, key, ret));
    return *ret == known ? keep_text(words, *ret, text) : OK;
}

/* Into its place among the first `count`; the new count. */
static uint32_t
insert(uint32_t *numbers, uint32_t count, uint32_t number)
{
    uint32_t at = count;

    for (uint32_t i = 0; i < count; i++)
        if (numbers[i] == number)
            return count;
    for (; at > 0 && numbers[at - 1] > number; at--)
        numbers[at] = numbers[at - 1];
    numbers[at] = number;
    return count + 1;
}

struct status
label_words_add(struct label_words *words, struct words *stemmers, enum lang lang,
                const char *label, struct arena *scratch, struct label_word_list *ret)
{
    uint32_t numbers[LABEL_WORDS_MAX];
    uint32_t count = 0;
    uint32_t *kept;
    struct word_list list;

    TRY(words_split(stemmers, lang, label, scratch, &list));
    for (size_t i = 0; i < list.count && count < LABEL_WORDS_MAX; i++) {
        uint32_t number;

        if (function_word(lang, list.items[i].text))
            continue;
        TRY(number_of(words, words_stem_key(lang, list.items[i].stem), list.items[i].text,
                      &number));
        count = insert(numbers, count, number);
    }
    kept = ARENA_ARRAY(words->arena, uint32_t, count + 1);
    TRY(need(kept));
    for (uint32_t i = 0; i < count; i++)
        kept[i] = numbers[i];
    *ret = (struct label_word_list){kept, count};
    return OK;
}
