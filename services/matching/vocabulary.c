#include "services/matching/vocabulary.h"

#include "common/base/utf8.h"
#include "services/matching/dictionary.h"

/* The beginning of a compound counts when it is long enough to mean something. */
#define COMPOUND_LETTERS_MIN 9
#define COMPOUND_PART_LETTERS_MIN 7

/* A Finnish word of some length is known by its beginning, all but the last letters of the
 * label; endings make it this much longer at most. */
#define FINNISH_LETTERS_MIN 7
#define FINNISH_BEGINNING_MIN 6
#define FINNISH_CHANGED_LETTERS 3
#define FINNISH_ENDING_LETTERS 5

#define VOCABULARY_BYTES ((size_t)1 << 30)

struct concept {
    struct uid id;
    uint32_t broader;
    const char *label[LANG_COUNT];
};

/* What a key stands for. */
struct target {
    uint32_t concept;
    uint32_t letters; /* of the label; 0 when it is met whole */
};

struct vocabulary {
    uint32_t references;
    struct arena arena; /* concepts and labels */
    struct concept *concepts;
    uint32_t count;
    struct dictionary labels; /* link key -> index into targets */
    struct target *targets;   /* by number of the key */
    size_t target_room;
};

static void
destroy(struct vocabulary **vocabulary)
{
    if (!*vocabulary)
        return;
    dictionary_fini(&(*vocabulary)->labels);
    free((*vocabulary)->targets);
    arena_fini(&(*vocabulary)->arena);
    free(*vocabulary);
    *vocabulary = NULL;
}

void
vocabulary_hold(struct vocabulary *vocabulary)
{
    vocabulary->references++;
}

void
vocabulary_drop(struct vocabulary *vocabulary)
{
    if (vocabulary && --vocabulary->references == 0)
        destroy(&vocabulary);
}

static int
by_id(const void *a, const void *b)
{
    const struct concept_row *left = a;
    const struct concept_row *right = b;

    return strcmp(left->id, right->id);
}

static struct status
copy_concepts(struct vocabulary *vocabulary, const struct concept_row *rows, size_t count,
              struct arena *arena)
{
    vocabulary->concepts = ARENA_ARRAY(&vocabulary->arena, struct concept, count ? count : 1);
    TRY(need(vocabulary->concepts));
    for (size_t i = 0; i < count; i++) {
        struct concept *concept = &vocabulary->concepts[i];

        if (!uid_parse(rows[i].id, &concept->id))
            return FAIL(arena, INTERNAL, "a published concept has no UUID");
        for (size_t lang = 0; lang < LANG_COUNT; lang++) {
            const char *label = rows[i].label[lang];

            concept->label[lang] = arena_copy(&vocabulary->arena, label ? label : "");
            TRY(need(concept->label[lang]));
        }
    }
    vocabulary->count = (uint32_t)count;
    return OK;
}

static void
join_broader(struct vocabulary *vocabulary, const struct concept_row *rows)
{
    for (uint32_t i = 0; i < vocabulary->count; i++) {
        uint32_t first = VOCABULARY_NONE;

        for (size_t j = 0; j < rows[i].broader_count; j++) {
            struct uid id;
            uint32_t found;

            if (!uid_parse(rows[i].broader[j], &id))
                continue;
            found = vocabulary_find(vocabulary, &id);
            if (found != i && found < first)
                first = found;
        }
        vocabulary->concepts[i].broader = first;
    }
}

/* The first to claim a key keeps it. */
static struct status
learn_key(struct vocabulary *vocabulary, uint64_t key, struct target target)
{
    uint32_t number;

    TRY(dictionary_put(&vocabulary->labels, key, &number));
    if (number >= vocabulary->target_room) {
        const size_t room = vocabulary->target_room ? vocabulary->target_room * 2 : 1024;
        struct target *targets = realloc(vocabulary->targets, room * sizeof *targets);

        TRY(need(targets));
        for (size_t i = vocabulary->target_room; i < room; i++)
        targets[i].concept = VOCABULARY_NONE;
        vocabulary->targets = targets;
        vocabulary->target_room = room;
    }
    if (vocabulary->targets[number].concept == VOCABULARY_NONE)
        vocabulary->targets[number] = target;
    return OK;
}

static struct status
learn_words(struct vocabulary *vocabulary, enum lang lang, const struct word_list *label,
            uint32_t concept)
{
    size_t letters, beginning;

    if (label->count == 0 || label->count > VOCABULARY_LABEL_WORDS_MAX)
        return OK;
    TRY(learn_key(vocabulary, words_link_key(lang, label->items, label->count),
                  (struct target){concept, 0}));
    letters = utf8_length(label->items[0].text);
    if (lang != LANG_FI || label->count > 1 || letters < FINNISH_LETTERS_MIN)
        return OK;
    beginning = letters - FINNISH_CHANGED_LETTERS;
    if (beginning < FINNISH_BEGINNING_MIN)
        beginning = FINNISH_BEGINNING_MIN;
    return learn_key(vocabulary, words_beginning_key(lang, label->items[0].text, beginning),
                     (struct target){concept, (uint32_t)letters});
}

/* A label is learned whole and without what it says in parentheses: "Java (programming)". */
static struct status
learn_label(struct vocabulary *vocabulary, struct words *words, enum lang lang,
            const char *label, uint32_t concept, struct arena *scratch)
{
    struct word_list list;
    const char *parenthesis;

    arena_reset(scratch);
    if (!label || strlen(label) < 2)
        return OK;
    TRY(words_split(words, lang, label, scratch, &list));
    TRY(learn_words(vocabulary, lang, &list, concept));
    parenthesis = strchr(label, '(');
    if (parenthesis && parenthesis > label) {
        const char *head = arena_copy_n(scratch, label, (size_t)(parenthesis - label));

        TRY(need(head));
        TRY(words_split(words, lang, head, scratch, &list));
        TRY(learn_words(vocabulary, lang, &list, concept));
    }
    return OK;
}

static struct status
learn_labels(struct vocabulary *vocabulary, const struct concept_row *rows, struct words *words,
             struct arena *scratch)
{
    for (int lang = 0; lang < LANG_COUNT; lang++)
        for (uint32_t i = 0; i < vocabulary->count; i++)
            TRY(learn_label(vocabulary, words, (enum lang)lang, rows[i].label[lang], i,
                            scratch));
    for (int lang = 0; lang < LANG_COUNT; lang++)
        for (uint32_t i = 0; i < vocabulary->count; i++)
            for (size_t j = 0; j < rows[i].alternative_count[lang]; j++)
                TRY(learn_label(vocabulary, words, (enum lang)lang,
                                rows[i].alternatives[lang][j], i, scratch));
    return OK;
}

struct status
vocabulary_create(struct concept_row *rows, size_t count, struct words *words,
                  struct arena *arena, struct vocabulary **ret)
{
    scoped(destroy) struct vocabulary *vocabulary = NULL;
    scoped(arena_fini) struct arena scratch;

    arena_init(&scratch, ARENA_CALL_BYTES);
    if (count > VOCABULARY_CONCEPTS_MAX)
        return FAIL(arena, RESOURCE_EXHAUSTED, "more than %d concepts are published",
                    VOCABULARY_CONCEPTS_MAX);
    vocabulary = calloc(1, sizeof *vocabulary);
    TRY(need(vocabulary));
    arena_init(&vocabulary->arena, VOCABULARY_BYTES);
    vocabulary->references = 1;
    if (count > 0)
        qsort(rows, count, sizeof *rows, by_id);
    TRY(copy_concepts(vocabulary, rows, count, arena));
    join_broader(vocabulary, rows);
    TRY(learn_labels(vocabulary, rows, words, &scratch));
    *ret = take(&vocabulary);
    return OK;
}

uint32_t
vocabulary_count(const struct vocabulary *vocabulary)
{
    return vocabulary->count;
}

uint32_t
vocabulary_find(const struct vocabulary *vocabulary, const struct uid *id)
{
    uint32_t low = 0;
    uint32_t high = vocabulary->count;

    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const int order = uid_compare(&vocabulary->concepts[middle].id, id);

        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return VOCABULARY_NONE;
}

const struct uid *
vocabulary_id(const struct vocabulary *vocabulary, uint32_t concept)
{
    return &vocabulary->concepts[concept].id;
}

uint32_t
vocabulary_broader(const struct vocabulary *vocabulary, uint32_t concept)
{
    return vocabulary->concepts[concept].broader;
}

const char *
vocabulary_label(const struct vocabulary *vocabulary, uint32_t concept, enum lang lang)
{
    static const enum lang fallback[] = {LANG_EN, LANG_SV, LANG_FI};
    const struct concept *found = &vocabulary->concepts[concept];

    if (*found->label[lang])
        return found->label[lang];
    for (size_t i = 0; i < COUNT_OF(fallback); i++)
        if (*found->label[fallback[i]])
            return found->label[fallback[i]];
    return "";
}

static const struct target *
find_target(const struct vocabulary *vocabulary, uint64_t key)
{
    static const struct target none = {VOCABULARY_NONE, 0};
    const uint32_t number = dictionary_find(&vocabulary->labels, key);

    return number == DICTIONARY_NONE ? &none : &vocabulary->targets[number];
}

static uint32_t
label_target(const struct vocabulary *vocabulary, uint64_t key)
{
    return find_target(vocabulary, key)->concept;
}

/* A Finnish word in any of its cases: the label with the longest beginning in common. */
static uint32_t
inflected_target(const struct vocabulary *vocabulary, enum lang lang, const struct word *word)
{
    const size_t letters = utf8_length(word->text);

    if (lang != LANG_FI || letters < FINNISH_LETTERS_MIN)
        return VOCABULARY_NONE;
    for (size_t part = letters; part >= FINNISH_BEGINNING_MIN; part--) {
        const struct target *target =
            find_target(vocabulary, words_beginning_key(lang, word->text, part));

        if (target->concept != VOCABULARY_NONE &&
            letters <= target->letters + FINNISH_ENDING_LETTERS)
        return target->concept;
    }
    return VOCABULARY_NONE;
}

/* Swedish and Finnish write compounds in one word: its longest beginning that is a label. */
static uint32_t
compound_target(const struct vocabulary *vocabulary, enum lang lang, const struct word *word)
{
    const size_t letters = utf8_length(word->stem);

    if (lang == LANG_EN || letters < COMPOUND_LETTERS_MIN)
        return VOCABULARY_NONE;
    for (size_t part = letters - 1; part >= COMPOUND_PART_LETTERS_MIN; part--) {
        const uint32_t concept =
            label_target(vocabulary, words_prefix_key(lang, word->stem, part));

        if (concept != VOCABULARY_NONE)
        return concept;
    }
    return VOCABULARY_NONE;
}

size_t
vocabulary_link(const struct vocabulary *vocabulary, enum lang lang,
                const struct word_list *text, struct link *into, size_t room)
{
    size_t count = 0;

    for (size_t first = 0; first < text->count && count < room;) {
        size_t window = text->count - first;
        struct link found = {.first = (uint32_t)first};

        if (window > VOCABULARY_LABEL_WORDS_MAX)
            window = VOCABULARY_LABEL_WORDS_MAX;
        found.concept =
            label_target(vocabulary, words_link_key(lang, &text->items[first], window));
        while (found.concept == VOCABULARY_NONE && window > 1) {
            window--;
            found.concept =
                label_target(vocabulary, words_link_key(lang, &text->items[first], window));
        }
        found.count = (uint32_t)window;
        if (found.concept == VOCABULARY_NONE)
        found.concept = inflected_target(vocabulary, lang, &text->items[first]);
        if (found.concept == VOCABULARY_NONE) {
            found.concept = compound_target(vocabulary, lang, &text->items[first]);
            found.compound = true;
        }
        if (found.concept != VOCABULARY_NONE)
            into[count++] = found;
        first += window;
    }
    return count;
}
