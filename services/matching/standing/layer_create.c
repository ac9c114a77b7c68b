/* Making a layer: see layer.h. */

#include "services/matching/standing/layer.h"

#include <stdlib.h>
#include <sys/mman.h>

#define LARGE_PAGE ((size_t)2 << 20)

/* All codes of the searches, one after the other. */
struct tally {
    uint32_t *codes;
    size_t count, room;
};

struct placed {
    uint64_t key; /* anchor, second term */
    uint32_t entry;
    uint32_t record; /* number within its search */
};

struct draft {
    const struct layer_source *sources;
    size_t count;
    const uint32_t *frequency;
    size_t frequency_count;
    struct layer *layer;
    struct tally regions, languages;
    struct placed *placed;
    struct record *made; /* in the order of the searches */
    size_t pool_words, pool_used, record_used;
};

/* Large ones on large pages where the system gives them: what a match looks at lies anywhere in
 * them, and each small page would be looked up on its own. */
static void *
allocate(struct layer *layer, size_t count, size_t size)
{
    const size_t wanted = (count + 1) * size;
    const size_t page = wanted >= LARGE_PAGE ? LARGE_PAGE : 64;
    const size_t bytes = (wanted + page - 1) / page * page;
    void *memory = aligned_alloc(page, bytes);

    if (!memory)
        return NULL;
    if (page == LARGE_PAGE)
        (void)madvise(memory, bytes, MADV_HUGEPAGE); /* works without, too */
    memset(memory, 0, bytes);
    layer->bytes += bytes;
    return memory;
}

static void
read_source(const struct layer_source *source, struct standing_search *ret)
{
    if (source->search)
        *ret = *source->search;
    else
        layer_read(source->layer, source->entry, ret);
}

static struct status
note_code(struct tally *tally, uint32_t code)
{
    if (tally->count == tally->room) {
        const size_t room = tally->room ? tally->room * 2 : 64;
        uint32_t *grown = realloc(tally->codes, room * sizeof *grown);

        TRY(need(grown));
        tally->codes = grown;
        tally->room = room;
    }
    tally->codes[tally->count++] = code;
    return OK;
}

static int
by_number(const void *a, const void *b)
{
    const uint32_t left = *(const uint32_t *)a;
    const uint32_t right = *(const uint32_t *)b;

    return (left > right) - (left < right);
}

static int
by_code(const void *a, const void *b)
{
    return by_number(&((const struct bit_code *)a)->code, &((const struct bit_code *)b)->code);
}

/* While they are counted, `bit` is how often a code comes. */
static int
by_count(const void *a, const void *b)
{
    const uint32_t left = ((const struct bit_code *)a)->bit;
    const uint32_t right = ((const struct bit_code *)b)->bit;

    return left == right ? by_code(a, b) : left > right ? -1 : 1;
}

/* The commonest codes get bits of their own. */
static struct status
hand_out_bits(struct layer *layer, struct tally *tally, uint32_t bits, struct bit_code **ret,
              uint32_t *ret_count)
{
    struct bit_code *codes = allocate(layer, tally->count, sizeof *codes);
    uint32_t count = 0;

    *ret = codes;
    TRY(need(codes));
    if (tally->count == 0)
        return OK;
    qsort(tally->codes, tally->count, sizeof *tally->codes, by_number);
    for (size_t i = 0; i < tally->count; i++) {
        if (i == 0 || tally->codes[i] != tally->codes[i - 1])
            codes[count++].code = tally->codes[i];
        codes[count - 1].bit++;
    }
    qsort(codes, count, sizeof *codes, by_count);
    for (uint32_t i = 0; i < count; i++)
        codes[i].bit = i < bits ? i : bits;
    qsort(codes, count, sizeof *codes, by_code);
    *ret_count = count;
    return OK;
}

static size_t
records_of(const struct standing_search *search)
{
    return search->required_count > 0 ? 1 : (size_t)search->optional_count - search->least + 1u;
}

static struct status
gather(struct draft *draft)
{
    struct layer *layer = draft->layer;
    struct uid *tenants = allocate(layer, draft->count, sizeof *tenants);
    size_t records = 0;

    layer->tenants = tenants;
    TRY(need(tenants));
    for (size_t i = 0; i < draft->count; i++) {
        struct standing_search search;

        read_source(&draft->sources[i], &search);
        for (size_t j = 0; j < search.region_count; j++)
            TRY(note_code(&draft->regions, layer_nuts(search.regions[j])));
        for (size_t j = 0; j < search.language_count; j++)
            TRY(note_code(&draft->languages, search.languages[j]));
        tenants[i] = search.tenant;
        draft->pool_words += ENTRY_WORDS + search.required_count + search.optional_count +
                             search.region_count + search.language_count + records_of(&search);
        records += records_of(&search);
    }
    qsort(tenants, draft->count, sizeof *tenants, uid_order);
    for (size_t i = 0; i < draft->count; i++)
        if (i == 0 || !uid_equal(&tenants[i], &tenants[layer->tenant_count - 1]))
            tenants[layer->tenant_count++] = tenants[i];
    if (layer->tenant_count > STANDING_TENANTS_MAX)
        return FAIL(NULL, RESOURCE_EXHAUSTED, "too many tenants have standing searches");
    if (draft->pool_words > UINT32_MAX || records > UINT32_MAX)
        return FAIL(NULL, RESOURCE_EXHAUSTED, "too many standing searches");
    layer->search_count = (uint32_t)draft->count;
    layer->record_count = (uint32_t)records;
    TRY(hand_out_bits(layer, &draft->regions, REGION_BITS, &layer->regions,
                      &layer->region_count));
    return hand_out_bits(layer, &draft->languages, LANGUAGE_BITS, &layer->languages,
                         &layer->language_count);
}

static uint32_t
frequency_of(const struct draft *draft, uint32_t term)
{
    return term < draft->frequency_count ? draft->frequency[term] : 0;
}

/* Rarest first; of equal ones the lesser number. */
static void
sort_terms(const struct draft *draft, uint32_t *terms, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        const uint32_t term = terms[i];
        const uint32_t frequency = frequency_of(draft, term);
        size_t at = i;

        while (at > 0) {
            const uint32_t before = frequency_of(draft, terms[at - 1]);

            if (before < frequency || (before == frequency && terms[at - 1] < term))
                break;
            terms[at] = terms[at - 1];
            at--;
        }
        terms[at] = term;
    }
}

static struct record
make_record(const struct layer *layer, const struct standing_search *search, uint32_t entry,
            uint32_t tenant)
{
    struct record record = {.entry = entry,
                            .tenant = (uint16_t)tenant,
                            .latest = search->latest == DAY_NONE ? LATEST_ANY
                                                                 : (uint16_t)search->latest,
                            .kinds = search->kinds ? search->kinds : UINT8_MAX,
                            .check = search->least > 0 ? RECORD_CHECK : 0};

    for (size_t i = 2; i < search->required_count; i++)
        record.required[i - 2] = search->required[i] + 1;
    for (size_t i = 0; i < search->region_count; i++) {
        const int bit =
            layer_bit(layer->regions, layer->region_count, layer_nuts(search->regions[i]));

        record.regions |= UINT64_C(1) << bit;
        if (bit == (int)REGION_OTHERS)
            record.check |= RECORD_CHECK;
    }
    for (size_t i = 0; i < search->language_count; i++) {
        const int bit =
            layer_bit(layer->languages, layer->language_count, search->languages[i]);

        record.languages |= (uint16_t)(1u << bit);
        if (bit == (int)LANGUAGE_OTHERS)
            record.check |= RECORD_CHECK;
    }
    if (search->region_count == 0)
        record.regions = UINT64_C(1) << REGION_ANY;
    if (search->language_count == 0)
        record.languages = (uint16_t)(1u << LANGUAGE_ANY);
    return record;
}

static void
put_entry(struct draft *draft, const struct standing_search *search, uint32_t tenant)
{
    const struct entry head = {.id = search->id,
                               .tenant = tenant,
                               .latest = search->latest,
                               .required_count = search->required_count,
                               .optional_count = search->optional_count,
                               .least = search->least,
                               .region_count = search->region_count,
                               .language_count = search->language_count,
                               .place_count = (uint8_t)records_of(search),
                               .kinds = search->kinds};
    uint32_t *words = &draft->layer->pool[draft->pool_used];

    memcpy(words, &head, sizeof head);
    words += ENTRY_WORDS;
    for (size_t i = 0; i < search->required_count; i++)
        *words++ = search->required[i] + 1;
    for (size_t i = 0; i < search->optional_count; i++)
        *words++ = search->optional[i] + 1;
    for (size_t i = 0; i < search->region_count; i++)
        *words++ = layer_nuts(search->regions[i]);
    for (size_t i = 0; i < search->language_count; i++)
        *words++ = search->languages[i];
    words += head.place_count;
    draft->pool_used = (size_t)(words - draft->layer->pool);
}

static void
put_search(struct draft *draft, size_t number)
{
    struct layer *layer = draft->layer;
    const uint32_t at = (uint32_t)draft->pool_used;
    struct standing_search search;
    struct record record;
    uint32_t tenant;

    read_source(&draft->sources[number], &search);
    sort_terms(draft, search.required, search.required_count);
    sort_terms(draft, search.optional, search.optional_count);
    tenant = layer_tenant(layer, &search.tenant);
    layer->by_id[number] = at;
    put_entry(draft, &search, tenant);
    record = make_record(layer, &search, at, tenant);
    for (uint32_t i = 0; i < records_of(&search); i++) {
        const bool required = search.required_count > 0;
        const uint32_t anchor = required ? search.required[0] : search.optional[i];
        const uint32_t second =
            search.required_count > 1 ? search.required[1] + 1 : TERM_ALWAYS;

        if (!required)
            record.check = (uint8_t)(RECORD_CHECK | i << RECORD_MISSING_SHIFT);
        draft->made[draft->record_used] = record;
        draft->placed[draft->record_used++] =
            (struct placed){(uint64_t)(anchor + 1) << 32 | second, at, i};
    }
}

/* Sorted by key, and within it as the searches came. */
struct keyed {
    uint64_t key;
    uint32_t number;
};

static int
by_key(const void *a, const void *b)
{
    const struct keyed *left = a;
    const struct keyed *right = b;

    if (left->key != right->key)
        return left->key < right->key ? -1 : 1;
    return (left->number > right->number) - (left->number < right->number);
}

static struct status
place_records(struct draft *draft)
{
    struct layer *layer = draft->layer;
    struct keyed *keyed = malloc((layer->record_count + 1) * sizeof *keyed);

    TRY(need(keyed));
    for (uint32_t i = 0; i < layer->record_count; i++)
        keyed[i] = (struct keyed){draft->placed[i].key, i};
    qsort(keyed, layer->record_count, sizeof *keyed, by_key);
    for (uint32_t i = 0; i < layer->record_count; i++) {
        const struct placed *placed = &draft->placed[keyed[i].number];
        const uint32_t *places = layer_places(layer, placed->entry);

        layer->records[i] = draft->made[keyed[i].number];
        layer->pool[(size_t)(places - layer->pool) + placed->record] = i;
        if (i == 0 || keyed[i].key != keyed[i - 1].key)
            layer->groups[layer->group_count++] = (struct group){(uint32_t)keyed[i].key, i};
    }
    layer->groups[layer->group_count] = (struct group){0, layer->record_count};
    /* keys of the groups, for their anchors */
    for (uint32_t i = 0; i < layer->group_count; i++)
        draft->placed[i].key = keyed[layer->groups[i].first].key;
    free(keyed);
    return OK;
}

static struct status
hang_on_anchors(struct draft *draft)
{
    struct layer *layer = draft->layer;
    uint32_t count = 0;
    uint32_t slots = 2;

    for (uint32_t i = 0; i < layer->group_count; i++)
        count += i == 0 || draft->placed[i].key >> 32 != draft->placed[i - 1].key >> 32;
    while (slots < 2 * count)
        slots *= 2;
    layer->anchor_mask = slots - 1;
    TRY(need(layer->anchors = allocate(layer, slots, sizeof *layer->anchors)));
    for (uint32_t i = 0; i < layer->group_count; i++) {
        const uint32_t term = (uint32_t)(draft->placed[i].key >> 32);
        uint32_t slot = layer_slot(term, layer->anchor_mask);

        while (layer->anchors[slot].term != TERM_ALWAYS && layer->anchors[slot].term != term)
            slot = (slot + 1) & layer->anchor_mask;
        if (layer->anchors[slot].term == TERM_ALWAYS)
            layer->anchors[slot] = (struct anchor){term, i, 0};
        layer->anchors[slot].count++;
    }
    return OK;
}

struct named {
    struct uid id; /* first */
    uint32_t entry;
};

static struct status
sort_ids(struct layer *layer)
{
    struct named *named = malloc((layer->search_count + 1) * sizeof *named);
    bool twice = false;

    TRY(need(named));
    for (uint32_t i = 0; i < layer->search_count; i++)
        named[i] = (struct named){layer_entry(layer, layer->by_id[i])->id, layer->by_id[i]};
    qsort(named, layer->search_count, sizeof *named, uid_order);
    for (uint32_t i = 0; i < layer->search_count; i++) {
        layer->by_id[i] = named[i].entry;
        twice |= i > 0 && uid_equal(&named[i].id, &named[i - 1].id);
    }
    free(named);
    return twice ? FAIL(NULL, INVALID_ARGUMENT, "a search comes twice") : OK;
}

static struct status
fill(struct draft *draft)
{
    struct layer *layer = draft->layer;

    TRY(gather(draft));
    const size_t records = layer->record_count;

    TRY(need(layer->records = allocate(layer, records, sizeof *layer->records)));
    TRY(need(layer->groups = allocate(layer, records + 1, sizeof *layer->groups)));
    TRY(need(layer->pool = allocate(layer, draft->pool_words, sizeof *layer->pool)));
    TRY(need(layer->by_id = allocate(layer, draft->count, sizeof *layer->by_id)));
    TRY(need(draft->placed = malloc((records + 1) * sizeof *draft->placed)));
    TRY(need(draft->made = malloc((records + 1) * sizeof *draft->made)));
    for (size_t i = 0; i < draft->count; i++)
        put_search(draft, i);
    TRY(place_records(draft));
    TRY(hang_on_anchors(draft));
    return sort_ids(layer);
}

struct status
layer_create(const struct layer_source *sources, size_t count, const uint32_t *frequency,
             size_t frequency_count, struct layer **ret)
{
    struct layer *layer = calloc(1, sizeof *layer);
    struct draft draft = {.sources = sources,
                          .count = count,
                          .frequency = frequency,
                          .frequency_count = frequency_count,
                          .layer = layer};
    struct status status;

    TRY(need(layer));
    layer->references = 1;
    status = fill(&draft);
    free(draft.placed);
    free(draft.made);
    free(draft.regions.codes);
    free(draft.languages.codes);
    if (failed(status)) {
        layer_drop(layer);
        return status;
    }
    *ret = layer;
    return OK;
}
