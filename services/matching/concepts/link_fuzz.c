/* Linking a text to concepts: whatever the text, every link is a place in it, of whole letters,
 * in order, with a reason and a score; the same text gives the same links; words have a length
 * that others may count on. */

#include "services/matching/concepts/labels.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/utf8.h"

#define MEMORY_BYTES ((size_t)64 << 20)
#define TEXT_BYTES_MAX 20000 /* of a request */
#define LINKS_MAX 200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
    enum lang lang;
    const char *label;
} known[] = {
    {LANG_FI, "koneoppiminen"},
    {LANG_SV, "maskininlärning"},
    {LANG_EN, "machine learning"},
    {LANG_FI, "lämpöpumput"},
    {LANG_SV, "värmepumpar"},
    {LANG_EN, "heat pumps"},
    {LANG_SV, "projekt"},
    {LANG_FI, "projektit"},
    {LANG_SV, "energi"},
    {LANG_SV, "effektivisering"},
    {LANG_FI, "energia"},
    {LANG_FI, "tehokkuus"},
    {LANG_FI, "uusiutuva energia"},
    {LANG_SV, "svetsning"},
    {LANG_EN, "photovoltaics"},
    {LANG_EN, "Java (programming)"},
    {LANG_EN, "c++"},
    {LANG_SV, "undervisning"},
    {LANG_FI, "älykäs sähköverkko"},
};

static struct arena lasting;
static struct words *words;
static struct labels labels;

static void
expect(bool right)
{
    if (!right)
        abort();
}

static void
learn(void)
{
    struct arena scratch;

    arena_init(&lasting, MEMORY_BYTES);
    arena_init(&scratch, MEMORY_BYTES);
    expect(!failed(words_create(&lasting, &words)));
    for (uint32_t i = 0; i < COUNT_OF(known); i++) {
        uint32_t other;

        expect(!failed(labels_learn(&labels, words, known[i].lang, known[i].label, i, true,
                                    &scratch, &other)));
    }
    expect(!failed(labels_finish(&labels)));
    arena_fini(&scratch);
}

/* A letter of the text begins here, or the text ends. */
static bool
begins(const char *text, size_t at)
{
    return ((unsigned char)text[at] & 0xc0) != 0x80;
}

static void
check(const char *text, const struct word_list *list, const struct link *links, size_t count)
{
    const size_t size = strlen(text);

    expect(list->count <= WORDS_PER_TEXT_MAX && count <= LINKS_MAX);
    for (size_t i = 0; i < list->count; i++) {
        expect((size_t)list->items[i].at + list->items[i].size <= size && list->items[i].size);
        expect(strlen(list->items[i].text) <= WORD_BYTES_MAX + 4);
    }
    for (size_t i = 0; i < count; i++) {
        const struct link *link = &links[i];

        expect(link->concept < COUNT_OF(known) && link->count > 0);
        expect((size_t)link->first + link->count <= list->count);
        expect(link->size > 0 && (size_t)link->at + link->size <= size);
        expect(begins(text, link->at) && begins(text, (size_t)link->at + link->size));
        expect(link->score > 0 && link->score <= 1000);
        expect(link->reason >= LINK_LABEL && link->reason <= LINK_LETTERS);
        expect(i == 0 || link->at >= links[i - 1].at);
    }
}

/* The first byte chooses the language. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct link links[LINKS_MAX], again[LINKS_MAX];
    struct word_list list;
    struct arena arena;
    const char *text;
    enum lang lang;
    size_t count;

    if (!words)
        learn();
    /* The wire lets no other bytes through. */
    if (size < 1 || size > TEXT_BYTES_MAX || memchr(data + 1, 0, size - 1) ||
        !utf8_valid((const char *)data + 1, size - 1))
        return 0;
    lang = (enum lang)(data[0] % LANG_COUNT);
    arena_init(&arena, MEMORY_BYTES);
    text = arena_copy_n(&arena, data + 1, size - 1);
    expect(text && !failed(words_split(words, lang, text, &arena, &list)));
    count = labels_link(&labels, lang, &list, links, LINKS_MAX);
    check(text, &list, links, count);
    expect(labels_link(&labels, lang, &list, again, LINKS_MAX) == count);
    for (size_t i = 0; i < count; i++)
        expect(links[i].concept == again[i].concept && links[i].at == again[i].at &&
               links[i].size == again[i].size && links[i].score == again[i].score);
    arena_fini(&arena);
    return 0;
}
