#include "services/matching/engine/base_build.h"

#include "services/matching/engine/forward.h"

/* What is known of a term while a base is made. */
struct count {
    uint32_t documents, blocks; /* that have it */
    uint32_t last_block;        /* seen, plus one */
    uint32_t number;            /* in `terms`, once it is given */
};

struct builder {
    const struct base_source *source;
    const struct base_options *options;
    struct base *base;
    uint32_t *sequence; /* documents in the order of their places */
    uint32_t *places;   /* of those, rising */
    struct bulk count_bulk;
    struct count *counts; /* by term */
    uint64_t *next;       /* by number of a term: where its next word or place goes */
    uint32_t terms[DOCUMENT_TERMS_MAX];
    size_t forward_bytes;
    uint64_t word_count, near_count, far_count, offset_count, group_total;
};

#define BULKS 24

static void
builder_fini(struct builder *builder)
{
    base_drop(builder->base);
    bulk_clear(&builder->count_bulk);
    free(builder->sequence);
    free(builder->places);
    free(builder->next);
}

static struct status
pool(struct base *base, size_t count, size_t size, void *ret)
{
    struct bulk bulk;

    if (!bulk_create(&bulk, count, size))
        return FAIL(NULL, RESOURCE_EXHAUSTED, "no memory for the index");
    base->bulks[base->bulk_count++] = bulk;
    base->bytes += count * size;
    memcpy(ret, &bulk.memory, sizeof bulk.memory);
    return OK;
}

static struct status
check_stop(const struct builder *builder)
{
    const atomic_bool *stop = builder->options->stop;

    return stop && atomic_load_explicit(stop, memory_order_relaxed)
               ? FAIL(NULL, ABORTED, "the merge was stopped")
               : OK;
}

struct sort_key {
    uint32_t key, number;
};

static int
by_key(const void *a, const void *b)
{
    const struct sort_key *left = a;
    const struct sort_key *right = b;

    if (left->key != right->key)
        return left->key < right->key ? -1 : 1;
    return left->number < right->number ? -1 : left->number > right->number;
}

/* Gives each document a place, and cuts the places into areas. */
static struct status
lay_out(struct builder *builder, const struct sort_key *keys)
{
    struct base *base = builder->base;
    uint32_t place = 0;

    for (uint32_t i = 0; i < builder->source->count; i++) {
        const uint16_t region = (uint16_t)(keys[i].key >> 16);
        struct area *area = base->area_count ? &base->areas[base->area_count - 1] : NULL;

        if (!area || area->region != region ||
            place == (area->first_block + AREA_BLOCKS) * 64) {
            const uint32_t first = (place + 63) / 64;

            if (place >= BASE_PLACES_MAX)
                return FAIL(NULL, RESOURCE_EXHAUSTED, "the index is full");
            if (area)
                base->group_count += (area->block_count + 63) / 64;
            area = &base->areas[base->area_count++];
            *area = (struct area){first, 0, base->group_count, region};
            place = first * 64;
        }
        builder->sequence[i] = keys[i].number;
        builder->places[i] = place++;
        area->block_count = (place + 63) / 64 - area->first_block;
    }
    if (base->area_count > 0)
        base->group_count += (base->areas[base->area_count - 1].block_count + 63) / 64;
    base->place_count = (place + 63) / 64 * 64;
    return OK;
}

static void
free_keys(struct sort_key **keys)
{
    free(*keys);
}

static struct status
sort(struct builder *builder)
{
    const struct base_source *source = builder->source;
    const uint32_t count = source->count;
    scoped(free_keys) struct sort_key *keys = calloc(count + 1u, sizeof *keys);
    uint32_t areas = 1;

    TRY(need(keys));
    for (uint32_t i = 0; i < count; i++)
        keys[i] = (struct sort_key){source->key(source->context, i), i};
    qsort(keys, count, sizeof *keys, by_key);
    for (uint32_t i = 1; i < count; i++)
        areas += keys[i].key >> 16 != keys[i - 1].key >> 16;
    areas += count / AREA_PLACES;
    builder->sequence = calloc(count + 1u, sizeof *builder->sequence);
    builder->places = calloc(count + 1u, sizeof *builder->places);
    TRY(need(builder->sequence));
    TRY(need(builder->places));
    TRY(pool(builder->base, areas, sizeof(struct area), &builder->base->areas));
    return lay_out(builder, keys);
}

/* First reading: who has what, and how long the forward index becomes. */
static struct status
count_terms(struct builder *builder)
{
    const struct base_source *source = builder->source;

    if (!bulk_create(&builder->count_bulk, builder->options->term_limit, sizeof(struct count)))
        return need(NULL);
    builder->counts = builder->count_bulk.memory;
    for (uint32_t i = 0; i < source->count; i++) {
        const uint32_t block = builder->places[i] / 64 + 1;
        struct document document;

        if (i % 4096 == 0)
            TRY(check_stop(builder));
        source->read(source->context, builder->sequence[i], builder->terms, &document);
        for (uint32_t j = 0; j < document.term_count; j++) {
            struct count *count = &builder->counts[document.terms[j]];

            count->documents++;
            count->blocks += count->last_block != block;
            count->last_block = block;
        }
        builder->forward_bytes += forward_document_size(document.terms, document.term_count);
    }
    return OK;
}

static enum form
form_of(const struct base *base, uint32_t documents)
{
    if ((uint64_t)documents * DENSE_DIVISOR > base->document_count &&
        documents >= 2 * base->group_count)
        return FORM_DENSE;
    return documents >= NEAR_LEAST && documents <= UINT16_MAX &&
                   documents >= 2 * base->area_count
               ? FORM_NEAR
               : FORM_FAR;
}

static uint32_t
slots_for(uint32_t count)
{
    return count + count / 4 + 4;
}

static void
put_slot(uint32_t *slots, uint32_t slot_count, uint64_t key, uint32_t value)
{
    uint32_t slot = base_slot(key, slot_count);

    while (slots[slot] != BASE_NONE)
        slot = slot + 1 == slot_count ? 0 : slot + 1;
    slots[slot] = value;
}

/* Gives each term its form and its room. */
static struct status
place_terms(struct builder *builder)
{
    struct base *base = builder->base;
    uint32_t number = 0;

    for (uint32_t term = 0; term < builder->options->term_limit; term++)
        base->term_count += builder->counts[term].documents > 0;
    base->term_slot_count = slots_for(base->term_count);
    TRY(pool(base, base->term_count, sizeof(struct base_term), &base->terms));
    TRY(pool(base, base->term_slot_count, sizeof(uint32_t), &base->term_slots));
    memset(base->term_slots, 0xff, base->term_slot_count * sizeof(uint32_t));
    builder->next = calloc(base->term_count + 1u, sizeof *builder->next);
    TRY(need(builder->next));
    for (uint32_t term = 0; term < builder->options->term_limit; term++) {
        struct count *count = &builder->counts[term];
        struct base_term made = {term, count->documents, 0, 0, FORM_FAR};

        if (count->documents == 0)
            continue;
        made.form = (uint8_t)form_of(base, count->documents);
        if (made.form == FORM_DENSE) {
            made.directory = (uint32_t)builder->group_total;
            builder->next[number] = builder->word_count;
            builder->group_total += base->group_count;
            builder->word_count += count->blocks;
        } else if (made.form == FORM_NEAR) {
            made.directory = (uint32_t)builder->offset_count;
            made.at = (uint32_t)builder->near_count;
            builder->offset_count += base->area_count + 1;
            builder->near_count += count->documents;
        } else {
            made.at = (uint32_t)builder->far_count;
            builder->far_count += count->documents;
        }
        count->number = number;
        count->last_block = 0;
        base->terms[number] = made;
        put_slot(base->term_slots, base->term_slot_count, term, number++);
    }
    if ((builder->group_total | builder->near_count | builder->far_count |
         builder->offset_count) > UINT32_MAX)
        return FAIL(NULL, RESOURCE_EXHAUSTED, "the index is full");
    return OK;
}

static struct status
make_pools(struct builder *builder)
{
    struct base *base = builder->base;
    const size_t places = base->place_count;
    const size_t blocks = places / 64;

    base->id_slot_count = slots_for(base->document_count);
    TRY(pool(base, base->id_slot_count, sizeof(uint32_t), &base->id_slots));
    memset(base->id_slots, 0xff, base->id_slot_count * sizeof(uint32_t));
    TRY(pool(base, blocks, sizeof(uint64_t), &base->empty));
    memset(base->empty, 0xff, blocks * sizeof(uint64_t));
    TRY(pool(base, places, sizeof(uint64_t), &base->ids));
    if (builder->options->with_items)
        TRY(pool(base, places, sizeof(void *), &base->items));
    TRY(pool(base, places, sizeof(uint16_t), &base->from));
    TRY(pool(base, places, sizeof(uint16_t), &base->until));
    TRY(pool(base, places, sizeof(uint16_t), &base->order));
    TRY(pool(base, places, sizeof(uint8_t), &base->grades));
    TRY(pool(base, places, sizeof(uint32_t), &base->forward_at));
    TRY(pool(base, blocks + 1, sizeof(uint64_t), &base->forward_block));
    TRY(pool(base, blocks * base->class_count, sizeof(uint64_t), &base->planes));
    TRY(pool(base, builder->forward_bytes, 1, &base->forward));
    TRY(pool(base, builder->group_total, sizeof(struct base_group), &base->groups));
    TRY(pool(base, builder->word_count + 1, sizeof(uint64_t), &base->words));
    TRY(pool(base, builder->offset_count, sizeof(uint16_t), &base->offsets));
    TRY(pool(base, builder->near_count, sizeof(uint16_t), &base->near_places));
    return pool(base, builder->far_count, sizeof(uint32_t), &base->far_places);
}

static void
add_term(struct builder *builder, const struct area *area, uint32_t area_number, uint32_t term,
         uint32_t place)
{
    struct base *base = builder->base;
    struct count *count = &builder->counts[term];
    struct base_term *at = &base->terms[count->number];
    uint64_t *next = &builder->next[count->number];
    const uint32_t block = place / 64 - area->first_block;

    if (at->form == FORM_FAR) {
        base->far_places[at->at + (*next)++] = place;
    } else if (at->form == FORM_NEAR) {
        base->near_places[at->at + (*next)++] = (uint16_t)(place - area->first_block * 64);
        base->offsets[at->directory + area_number + 1]++;
    } else {
        struct base_group *group =
            &base->groups[at->directory + area->first_group + block / 64];
        const uint64_t bit = UINT64_C(1) << (block % 64);

        if (!(group->present & bit)) {
            if (group->present == 0)
                group->first = *next;
            group->present |= bit;
            (*next)++;
        }
        base->words[*next - 1] |= UINT64_C(1) << (place % 64);
    }
}

static void
put_facts(struct base *base, uint32_t place, const struct document *document)
{
    uint64_t *planes = &base->planes[(size_t)(place / 64) * base->class_count];

    base->empty[place / 64] &= ~(UINT64_C(1) << (place % 64));
    base->ids[place] = document->id;
    if (base->items)
        base->items[place] = document->item;
    base->from[place] = document->from;
    base->until[place] = document->until;
    base->order[place] = document->order;
    base->grades[place] = document->grade;
    for (uint32_t i = 0; i < base->class_count; i++)
        planes[i] |= (document->classes >> i & 1) << (place % 64);
    put_slot(base->id_slots, base->id_slot_count, document->id, place);
}

/* Second reading: everything goes to its place. */
static struct status
fill(struct builder *builder)
{
    struct base *base = builder->base;
    const struct base_source *source = builder->source;
    uint8_t *forward = base->forward;
    uint32_t area = 0;
    uint32_t last_block = BASE_NONE;

    for (uint32_t i = 0; i < source->count; i++) {
        const uint32_t place = builder->places[i];
        struct document document;

        if (i % 4096 == 0)
            TRY(check_stop(builder));
        while (place / 64 >= base->areas[area].first_block + base->areas[area].block_count)
            area++;
        source->read(source->context, builder->sequence[i], builder->terms, &document);
        put_facts(base, place, &document);
        if (place / 64 != last_block) {
            last_block = place / 64;
            base->forward_block[last_block] = (uint64_t)(forward - base->forward);
        }
        base->forward_at[place] =
            (uint32_t)((uint64_t)(forward - base->forward) - base->forward_block[last_block]);
        forward = forward_put_document(forward, document.terms, document.term_count);
        for (uint32_t j = 0; j < document.term_count; j++)
            add_term(builder, &base->areas[area], area, document.terms[j], place);
    }
    for (uint32_t i = 0; i < base->term_count; i++)
        if (base->terms[i].form == FORM_NEAR)
            for (uint32_t j = 0; j < base->area_count; j++)
                base->offsets[base->terms[i].directory + j + 1] +=
                    base->offsets[base->terms[i].directory + j];
    return OK;
}

struct status
base_build(const struct base_source *source, const struct base_options *options,
           struct base **ret)
{
    struct builder *builder = calloc(1, sizeof *builder);
    struct status done = need(builder);

    if (failed(done))
        return done;
    builder->source = source;
    builder->options = options;
    builder->base = calloc(1, sizeof *builder->base);
    done = need(builder->base);
    if (!failed(done)) {
        builder->base->references = 1;
        builder->base->document_count = source->count;
        builder->base->class_count = options->class_count;
        builder->base->bulks = calloc(BULKS, sizeof *builder->base->bulks);
        done = need(builder->base->bulks);
    }
    struct status (*const steps[])(struct builder *) = {sort, count_terms, place_terms,
                                                        make_pools, fill};
    for (size_t i = 0; i < COUNT_OF(steps) && !failed(done); i++)
        done = steps[i](builder);
    if (!failed(done))
        *ret = take(&builder->base);
    builder_fini(builder);
    free(builder);
    return done;
}
