#include "services/matching/profile.h"

#include "services/matching/concepts/function_words.h"
#include "services/matching/hash.h"
#include "services/matching/wishes.h"

#define LINKED_WEIGHT 7u   /* tenths: found in a text rather than named */
#define COMPOUND_WEIGHT 5u /* by a part of a compound or by most letters */
#define LINK_SURE 750      /* thousandths: links below are of that kind */

/* A profile while it is made: lists in the scratch arena, moved into one block at the end. */
struct draft {
    const struct profile_maker *maker;
    const struct profile_row *row;
    struct profile profile;
    struct profile_concept *concepts;
    uint32_t *terms;
    size_t term_count;
    struct profile_stem *stems[LANG_COUNT];
    uint32_t *grams[LANG_COUNT];
    enum lang lang; /* being read */
    struct status status;
};

#define TERMS_MAX                                                                              \
    (PROFILE_CONCEPTS_MAX * (VOCABULARY_DEPTH_MAX + 1 + LABEL_WORDS_MAX) +                     \
     LANG_COUNT * (PROFILE_STEMS_MAX + PROFILE_GRAMS_MAX))

static void
add_concept(struct draft *draft, struct profile_concept concept)
{
    for (size_t i = 0; i < draft->profile.concept_count; i++)
        if (draft->concepts[i].concept == concept.concept)
            return;
    if (draft->profile.concept_count < PROFILE_CONCEPTS_MAX)
    draft->concepts[draft->profile.concept_count++] = concept;
}

static void
add_named_concepts(struct draft *draft)
{
    const struct profile_row *row = draft->row;

    for (size_t i = 0; i < row->concept_count; i++) {
        struct uid id;
        uint32_t concept;
        const int64_t weight = i < row->weight_count ? row->concept_weights[i] : 1000;

        if (!uid_parse(row->concept_ids[i], &id))
            continue;
        concept = vocabulary_find(draft->maker->vocabulary, &id);
        if (concept == VOCABULARY_NONE)
            continue;
        add_concept(draft, (struct profile_concept){.concept = concept,
                                                    .weight = profile_tenths(weight)});
    }
}

static struct status
add_linked_concepts(struct draft *draft, const struct word_list *text)
{
    struct arena *scratch = draft->maker->scratch;
    struct link links[PROFILE_CONCEPTS_MAX];
    const size_t count =
        vocabulary_link(draft->maker->vocabulary, draft->lang, text, links, COUNT_OF(links));

    for (size_t i = 0; i < count; i++) {
        const char *span = text->items[links[i].first].text;

        for (uint32_t j = 1; j < links[i].count; j++) {
            span = arena_printf(scratch, "%s %s", span, text->items[links[i].first + j].text);
            TRY(need(span));
        }
        add_concept(draft, (struct profile_concept){.concept = links[i].concept,
                                                    .weight = links[i].score < LINK_SURE
                                                                  ? COMPOUND_WEIGHT
                                                                  : LINKED_WEIGHT,
                                                    .linked = true,
                                                    .lang = (uint8_t)draft->lang,
                                                    .span = span});
    }
    return OK;
}

/* A key's term; TERMS that no longer fit the dictionary are left out: false. */
static bool
text_term(struct draft *draft, uint64_t key, uint32_t *ret)
{
    const struct profile_maker *maker = draft->maker;
    uint32_t number = maker->known ? dictionary_find(maker->known, key) : DICTIONARY_NONE;

    if (number >= maker->known_count) {
        if (failed(dictionary_put(maker->dictionary, key, &number)))
            return false;
        number += maker->known_count;
    }
    *ret = vocabulary_terms(maker->vocabulary) + number;
    return true;
}

static void
take_gram(void *context, uint64_t key)
{
    struct draft *draft = context;
    struct profile_text *text = &draft->profile.text[draft->lang];
    uint32_t *grams = draft->grams[draft->lang];
    uint32_t term;

    if (text->gram_count == PROFILE_GRAMS_MAX || !text_term(draft, key, &term))
        return;
    for (size_t i = 0; i < text->gram_count; i++)
        if (grams[i] == term)
            return;
    grams[text->gram_count++] = term;
}

static void
take_stem(struct draft *draft, const struct word *word)
{
    struct profile_text *text = &draft->profile.text[draft->lang];
    struct profile_stem *stems = draft->stems[draft->lang];
    uint32_t term;

    if (text->stem_count == PROFILE_STEMS_MAX || function_word(draft->lang, word->text) ||
        !text_term(draft, words_stem_key(draft->lang, word->stem), &term))
        return;
    for (size_t i = 0; i < text->stem_count; i++)
        if (stems[i].term == term)
            return;
    stems[text->stem_count++] = (struct profile_stem){term, word->text};
    words_grams(draft->lang, word->stem, take_gram, draft);
}

static int
by_number(const void *a, const void *b)
{
    const uint32_t left = *(const uint32_t *)a;
    const uint32_t right = *(const uint32_t *)b;

    return (left > right) - (left < right);
}

static int
by_term(const void *a, const void *b)
{
    const uint32_t left = ((const struct profile_stem *)a)->term;
    const uint32_t right = ((const struct profile_stem *)b)->term;

    return (left > right) - (left < right);
}

static struct status
read_text(struct draft *draft, enum lang lang)
{
    struct arena *scratch = draft->maker->scratch;
    struct profile_text *text = &draft->profile.text[lang];
    struct word_list list;

    draft->lang = lang;
    if (!draft->row->text[lang] || !*draft->row->text[lang])
        return OK;
    TRY(words_split(draft->maker->words, lang, draft->row->text[lang], scratch, &list));
    draft->stems[lang] = ARENA_ARRAY(scratch, struct profile_stem, PROFILE_STEMS_MAX);
    draft->grams[lang] = ARENA_ARRAY(scratch, uint32_t, PROFILE_GRAMS_MAX);
    TRY(need(draft->stems[lang]));
    TRY(need(draft->grams[lang]));
    TRY(add_linked_concepts(draft, &list));
    for (size_t i = 0; i < list.count; i++)
        take_stem(draft, &list.items[i]);
    qsort(draft->stems[lang], text->stem_count, sizeof draft->stems[lang][0], by_term);
    qsort(draft->grams[lang], text->gram_count, sizeof draft->grams[lang][0], by_number);
    return OK;
}

/* A concept, all that stands above it, and the words of its name. */
static void
gather_concept(struct draft *draft, const struct profile_concept *named)
{
    const struct vocabulary *vocabulary = draft->maker->vocabulary;
    const struct label_word_list *words = vocabulary_words(vocabulary, named->concept);
    uint32_t concept = named->concept;

    for (int depth = 0; depth <= VOCABULARY_DEPTH_MAX && concept != VOCABULARY_NONE; depth++) {
        draft->terms[draft->term_count++] = TERM_PACK(concept, named->weight);
        concept = vocabulary_broader(vocabulary, concept);
    }
    for (uint32_t i = 0; i < words->count; i++)
        draft->terms[draft->term_count++] =
            TERM_PACK(vocabulary_word_term(vocabulary, words->numbers[i]), named->weight);
}

/* What the profile has of concepts and words; each term once, with the greatest weight. */
static struct status
gather_terms(struct draft *draft)
{
    size_t kept = 0;

    draft->terms = ARENA_ARRAY(draft->maker->scratch, uint32_t, TERMS_MAX);
    TRY(need(draft->terms));
    for (size_t i = 0; i < draft->profile.concept_count; i++)
        gather_concept(draft, &draft->concepts[i]);
    for (size_t lang = 0; lang < LANG_COUNT; lang++) {
        const struct profile_text *text = &draft->profile.text[lang];

        for (size_t i = 0; i < text->stem_count; i++)
            draft->terms[draft->term_count++] =
                TERM_PACK(draft->stems[lang][i].term, TERM_WEIGHT_FULL);
        for (size_t i = 0; i < text->gram_count; i++)
            draft->terms[draft->term_count++] =
                TERM_PACK(draft->grams[lang][i], TERM_WEIGHT_FULL);
    }
    qsort(draft->terms, draft->term_count, sizeof draft->terms[0], by_number);
    for (size_t i = 0; i < draft->term_count; i++) {
        /* The last of equal terms has the greatest weight. */
        if (i + 1 < draft->term_count &&
            TERM_OF(draft->terms[i]) == TERM_OF(draft->terms[i + 1]))
            continue;
        draft->terms[kept++] = draft->terms[i];
    }
    draft->term_count = kept;
    return OK;
}

static enum visibility
visibility_parse(const char *text)
{
    if (strcmp(text, "public") == 0)
        return VISIBLE_PUBLIC;
    return strcmp(text, "shared") == 0 ? VISIBLE_SHARED : VISIBLE_PRIVATE;
}

static struct status
read_facts(struct draft *draft, struct arena *arena)
{
    const struct profile_row *row = draft->row;
    struct profile *profile = &draft->profile;
    const enum kind kind = profile_kind_parse(row->kind);

    if (kind == KIND_NONE || !uid_parse(row->id, &profile->id) ||
        !uid_parse(row->tenant_id, &profile->tenant))
        return FAIL(arena, INTERNAL, "a published profile breaks the contract of its view");
    (void)uid_parse(row->owner_organisation_id ? row->owner_organisation_id : "",
                    &profile->owner); /* none stays zero */
    profile->kind = (uint8_t)kind;
    profile->visibility = (uint8_t)visibility_parse(row->visibility);
    profile->updated_unix_ms = row->updated_unix_ms;
    profile->version = row->version;
    profile->capacity =
        row->capacity < 0 || row->capacity > INT32_MAX ? -1 : (int32_t)row->capacity;
    profile->eqf = row->eqf >= 1 && row->eqf <= 8 ? (uint8_t)row->eqf : 0;
    profile->sme = row->sme;
    if (!day_parse(row->available_from ? row->available_from : "", &profile->available_from))
        profile->available_from = DAY_NONE;
    if (!day_parse(row->valid_until ? row->valid_until : "", &profile->valid_until))
        profile->valid_until = DAY_NONE;
    (void)snprintf(profile->nuts, sizeof profile->nuts, "%s", row->nuts ? row->nuts : "");
    for (size_t i = 0; i < row->isced_f_count && i < PROFILE_FIELDS_MAX; i++)
        (void)snprintf(profile->isced_f[profile->field_count++], sizeof profile->isced_f[0],
                       "%s", row->isced_f[i]);
    for (size_t i = 0; i < row->language_count && i < PROFILE_LANGUAGES_MAX; i++) {
        const uint16_t code = profile_language(row->languages[i]);

        if (code)
            profile->languages[profile->language_count++] = code;
    }
    return OK;
}

/* The one block: everything that the profile points at follows it. */
struct block {
    char *at;
};

static void *
place(struct block *block, const void *bytes, size_t size)
{
    void *placed = block->at;

    if (size > 0)
        memcpy(placed, bytes, size);
    block->at += (size + 7) / 8 * 8;
    return placed;
}

static const char *
place_text(struct block *block, const char *text)
{
    return text ? place(block, text, strlen(text) + 1) : NULL;
}

static size_t
text_room(const char *text)
{
    return text ? (strlen(text) + 8) / 8 * 8 : 0;
}

#define ROOM(count, type) (((count) * sizeof(type) + 7) / 8 * 8)

static size_t
block_size(const struct draft *draft, const struct profile_tag *tags)
{
    const struct profile *profile = &draft->profile;
    size_t size = ROOM(1, struct profile) + ROOM(profile->shared_count, struct uid) +
                  ROOM(profile->concept_count, struct profile_concept) +
                  ROOM(profile->tag_count, struct profile_tag) +
                  ROOM(draft->term_count, uint32_t) + text_room(profile->person_kind) +
                  text_room(profile->organisation_type) +
                  ROOM(profile->wishes != NULL, struct wishes);

    for (size_t i = 0; i < profile->concept_count; i++)
        size += text_room(draft->concepts[i].span);
    for (size_t i = 0; i < profile->tag_count; i++)
        size += text_room(tags[i].name);
    for (size_t lang = 0; lang < LANG_COUNT; lang++) {
        const struct profile_text *text = &profile->text[lang];

        size += ROOM(text->stem_count, struct profile_stem) + ROOM(text->gram_count, uint32_t);
        for (size_t i = 0; i < text->stem_count; i++)
            size += text_room(draft->stems[lang][i].word);
    }
    return size;
}

static void
place_texts(struct draft *draft, struct block *block, struct profile *profile)
{
    for (size_t lang = 0; lang < LANG_COUNT; lang++) {
        struct profile_text *text = &profile->text[lang];
        struct profile_stem *stems = draft->stems[lang];

        for (size_t i = 0; i < text->stem_count; i++)
            stems[i].word = place_text(block, stems[i].word);
        text->stems = place(block, stems, text->stem_count * sizeof *stems);
        text->grams = place(block, draft->grams[lang], text->gram_count * sizeof(uint32_t));
    }
}

static struct status
assemble(struct draft *draft, const struct uid *shared, struct profile_tag *tags,
         struct profile **ret)
{
    const size_t size = block_size(draft, tags);
    char *memory = malloc(size);
    struct block block = {memory};
    struct profile *profile;

    TRY(need(memory));
    profile = place(&block, &draft->profile, sizeof draft->profile);
    profile->references = 1;
    profile->shared_with = place(&block, shared, profile->shared_count * sizeof *shared);
    for (size_t i = 0; i < profile->concept_count; i++)
        draft->concepts[i].span = place_text(&block, draft->concepts[i].span);
    profile->concepts =
        place(&block, draft->concepts, profile->concept_count * sizeof *draft->concepts);
    for (size_t i = 0; i < profile->tag_count; i++)
        tags[i].name = place_text(&block, tags[i].name);
    profile->tags = place(&block, tags, profile->tag_count * sizeof *tags);
    profile->term_count = (uint32_t)draft->term_count;
    profile->terms = place(&block, draft->terms, draft->term_count * sizeof *draft->terms);
    profile->person_kind = place_text(&block, profile->person_kind);
    profile->organisation_type = place_text(&block, profile->organisation_type);
    if (profile->wishes)
        profile->wishes = place(&block, profile->wishes, sizeof *profile->wishes);
    place_texts(draft, &block, profile);
    *ret = profile;
    return OK;
}

static void
read_tags(struct draft *draft, const char *const *names, size_t count, struct profile_tag *tags)
{
    for (size_t i = 0; i < count && draft->profile.tag_count < PROFILE_TAGS_MAX; i++) {
        const uint64_t key = hash_text(names[i]);
        bool known = false;

        for (size_t j = 0; j < draft->profile.tag_count; j++)
            known = known || tags[j].key == key;
        if (!known)
            tags[draft->profile.tag_count++] = (struct profile_tag){key, names[i]};
    }
}

static struct status
read_shared(struct draft *draft, struct uid **ret)
{
    struct uid *shared = ARENA_ARRAY(draft->maker->scratch, struct uid, PROFILE_SHARED_MAX);
    struct profile *profile = &draft->profile;

    TRY(need(shared));
    for (size_t i = 0; i < draft->row->shared_count; i++)
        if (profile->shared_count < PROFILE_SHARED_MAX &&
            uid_parse(draft->row->shared_with[i], &shared[profile->shared_count]))
            profile->shared_count++;
    qsort(shared, profile->shared_count, sizeof *shared, uid_order);
    *ret = shared;
    return OK;
}

struct status
profile_create(const struct profile_maker *maker, const struct profile_row *row,
               struct arena *arena, struct profile **ret)
{
    struct draft draft = {.maker = maker, .row = row};
    struct profile_tag tags[PROFILE_TAGS_MAX] = {0};
    struct wishes *wishes;
    struct uid *shared;

    arena_reset(maker->scratch);
    TRY(read_facts(&draft, arena));
    TRY(read_shared(&draft, &shared));
    draft.profile.person_kind = row->person_kind ? row->person_kind : "";
    draft.profile.organisation_type = row->organisation_type ? row->organisation_type : "";
    read_tags(&draft, row->focus, row->focus_count, tags);
    read_tags(&draft, row->themes, row->theme_count, tags);
    draft.concepts = ARENA_ARRAY(maker->scratch, struct profile_concept, PROFILE_CONCEPTS_MAX);
    TRY(need(draft.concepts));
    add_named_concepts(&draft);
    for (int lang = 0; lang < LANG_COUNT; lang++)
        TRY(read_text(&draft, (enum lang)lang));
    TRY(gather_terms(&draft));
    TRY(wishes_read(maker->vocabulary, row, maker->scratch, &wishes));
    draft.profile.wishes = wishes;
    if (!profile_kind_seeks((enum kind)draft.profile.kind))
        memset(draft.profile.text, 0, sizeof draft.profile.text);
    return assemble(&draft, shared, tags, ret);
}

void
profile_drop(struct profile *profile)
{
    if (profile && --profile->references == 0)
        free(profile);
}
