#include "services/matching/vocabulary.h"

#define VOCABULARY_BYTES ((size_t)1 << 30)

struct concept {
    struct uid id;
    uint32_t broader;
    uint32_t same; /* the concept that stands for it: itself, or an earlier one */
    uint32_t beneath;
    const char *label[LANG_COUNT];
    struct label_word_list words;
};

struct vocabulary {
    uint32_t references;
    struct arena arena; /* concepts and labels */
    struct concept *concepts;
    uint32_t count;
    struct labels labels;
    struct label_words label_words;
};

static void
destroy(struct vocabulary **vocabulary)
{
    if (!*vocabulary)
        return;
    labels_fini(&(*vocabulary)->labels);
    label_words_fini(&(*vocabulary)->label_words);
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

        concept->same = (uint32_t)i;
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

/* The number of a concept of its own; VOCABULARY_NONE: unknown. */
static uint32_t
find_own(const struct vocabulary *vocabulary, const struct uid *id)
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

static uint32_t
broader_of(const struct vocabulary *vocabulary, const struct concept_row *row, size_t number)
{
    struct uid id;

    return uid_parse(row->broader[number], &id) ? vocabulary_find(vocabulary, &id)
                                                : VOCABULARY_NONE;
}

/* Whether `node` stands above `concept` among what is joined so far. */
static bool
is_above(const struct vocabulary *vocabulary, uint32_t node, uint32_t concept)
{
    for (int depth = 0; depth <= VOCABULARY_DEPTH_MAX && concept != VOCABULARY_NONE; depth++) {
        if (concept == node)
            return true;
        concept = vocabulary->concepts[concept].broader;
    }
    return false;
}

/* Of several concepts above, the one that says most. */
static void
join_broader(struct vocabulary *vocabulary, const struct concept_row *rows)
{
    for (uint32_t i = 0; i < vocabulary->count; i++)
        for (size_t j = 0; j < rows[i].broader_count; j++) {
            const uint32_t found = broader_of(vocabulary, &rows[i], j);

            if (found != VOCABULARY_NONE)
                vocabulary->concepts[found].beneath++;
        }
    for (uint32_t i = 0; i < vocabulary->count; i++)
        vocabulary->concepts[i].broader = VOCABULARY_NONE;
    for (uint32_t i = 0; i < vocabulary->count; i++) {
        const uint32_t own = vocabulary->concepts[i].same;
        uint32_t best = vocabulary->concepts[own].broader;

        for (size_t j = 0; j < rows[i].broader_count; j++) {
            const uint32_t found = broader_of(vocabulary, &rows[i], j);

            if (found == VOCABULARY_NONE || is_above(vocabulary, own, found))
                continue;
            if (best == VOCABULARY_NONE ||
                vocabulary->concepts[found].beneath < vocabulary->concepts[best].beneath ||
                (vocabulary->concepts[found].beneath == vocabulary->concepts[best].beneath &&
                 found < best))
                best = found;
        }
        vocabulary->concepts[own].broader = best;
    }
}

/* The concept that stands for this one by now. */
static uint32_t
stands_for(const struct vocabulary *vocabulary, uint32_t concept)
{
    while (vocabulary->concepts[concept].same != concept)
    concept = vocabulary->concepts[concept].same;
    return concept;
}

static struct status
learn(struct vocabulary *vocabulary, struct words *words, enum lang lang, const char *label,
      uint32_t concept, bool preferred, struct arena *scratch)
{
    uint32_t other;

    TRY(labels_learn(&vocabulary->labels, words, lang, label, concept, preferred, scratch,
                     &other));
    if (other != LABELS_NONE) {
        const uint32_t left = stands_for(vocabulary, other);
        const uint32_t right = stands_for(vocabulary, concept);

        if (left < right)
            vocabulary->concepts[right].same = left;
        else
            vocabulary->concepts[left].same = right;
    }
    return OK;
}

static struct status
learn_labels(struct vocabulary *vocabulary, const struct concept_row *rows, struct words *words,
             struct arena *scratch)
{
    for (int lang = 0; lang < LANG_COUNT; lang++)
        for (uint32_t i = 0; i < vocabulary->count; i++)
            TRY(learn(vocabulary, words, (enum lang)lang, rows[i].label[lang], i, true,
                      scratch));
    for (int lang = 0; lang < LANG_COUNT; lang++)
        for (uint32_t i = 0; i < vocabulary->count; i++)
            for (size_t j = 0; j < rows[i].alternative_count[lang]; j++)
                TRY(learn(vocabulary, words, (enum lang)lang, rows[i].alternatives[lang][j], i,
                          false, scratch));
    for (uint32_t i = 0; i < vocabulary->count; i++)
        vocabulary->concepts[i].same = stands_for(vocabulary, i);
    return labels_finish(&vocabulary->labels);
}

/* The language that is asked for first decides which words meet: English, which most
 * vocabularies have. */
static enum lang
label_language(const struct concept *concept)
{
    return *concept->label[LANG_EN] ? LANG_EN : *concept->label[LANG_SV] ? LANG_SV : LANG_FI;
}

static struct status
learn_label_words(struct vocabulary *vocabulary, struct words *words, struct arena *scratch)
{
    label_words_init(&vocabulary->label_words, &vocabulary->arena);
    for (uint32_t i = 0; i < vocabulary->count; i++) {
        struct concept *concept = &vocabulary->concepts[i];
        const enum lang lang = label_language(concept);

        arena_reset(scratch);
        TRY(label_words_add(&vocabulary->label_words, words, lang, concept->label[lang],
                            scratch, &concept->words));
    }
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
    TRY(learn_labels(vocabulary, rows, words, &scratch));
    TRY(learn_label_words(vocabulary, words, &scratch));
    join_broader(vocabulary, rows);
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
    const uint32_t own = find_own(vocabulary, id);

    return own == VOCABULARY_NONE ? own : vocabulary->concepts[own].same;
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

uint32_t
vocabulary_terms(const struct vocabulary *vocabulary)
{
    return vocabulary->count + vocabulary->label_words.numbers.count;
}

const struct label_word_list *
vocabulary_words(const struct vocabulary *vocabulary, uint32_t concept)
{
    return &vocabulary->concepts[concept].words;
}

const struct dictionary *
vocabulary_word_numbers(const struct vocabulary *vocabulary)
{
    return &vocabulary->label_words.numbers;
}

uint32_t
vocabulary_word_term(const struct vocabulary *vocabulary, uint32_t number)
{
    return vocabulary->count + number;
}

const char *
vocabulary_word(const struct vocabulary *vocabulary, uint32_t number)
{
    return vocabulary->label_words.texts[number];
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

size_t
vocabulary_link(const struct vocabulary *vocabulary, enum lang lang,
                const struct word_list *text, struct link *into, size_t room)
{
    const size_t count = labels_link(&vocabulary->labels, lang, text, into, room);

    for (size_t i = 0; i < count; i++)
    into[i].concept = vocabulary->concepts[into[i].concept].same;
    return count;
}
