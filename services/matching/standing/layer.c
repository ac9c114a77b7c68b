/* Looking things up in a layer: see layer.h. */

#include "services/matching/standing/layer.h"

#include <stdlib.h>

#define NUTS_BITS 6u
#define NUTS_LETTERS (STANDING_NUTS_SIZE - 1)

void
layer_drop(struct layer *layer)
{
    if (!layer || --layer->references > 0)
        return;
    free(layer->records);
    free(layer->groups);
    free(layer->anchors);
    free(layer->pool);
    free(layer->by_id);
    free(layer->regions);
    free(layer->languages);
    free(layer->tenants);
    free(layer);
}

uint32_t
layer_find(const struct layer *layer, const struct uid *id)
{
    uint32_t low = 0;
    uint32_t high = layer->search_count;

    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const int order = uid_compare(&layer_entry(layer, layer->by_id[middle])->id, id);

        if (order == 0)
            return layer->by_id[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return LAYER_NONE;
}

static void
read_nuts(uint32_t code, char ret[STANDING_NUTS_SIZE])
{
    size_t size = 0;

    for (unsigned shift = NUTS_BITS * NUTS_LETTERS; shift > 0; shift -= NUTS_BITS) {
        const uint32_t letter = code >> (shift - NUTS_BITS) & ((1u << NUTS_BITS) - 1);

        if (letter == 0)
            break;
        ret[size++] = (char)(letter <= 10 ? '0' + (int)letter - 1 : 'A' + (int)letter - 11);
    }
    ret[size] = '\0';
}

void
layer_read(const struct layer *layer, uint32_t at, struct standing_search *ret)
{
    const struct entry *entry = layer_entry(layer, at);
    const uint32_t *words = layer_words(layer, at);

    *ret = (struct standing_search){.id = entry->id,
                                    .tenant = layer->tenants[entry->tenant],
                                    .latest = entry->latest,
                                    .required_count = entry->required_count,
                                    .optional_count = entry->optional_count,
                                    .least = entry->least,
                                    .language_count = entry->language_count,
                                    .region_count = entry->region_count,
                                    .kinds = entry->kinds};
    for (size_t i = 0; i < entry->required_count; i++)
        ret->required[i] = *words++ - 1;
    for (size_t i = 0; i < entry->optional_count; i++)
        ret->optional[i] = *words++ - 1;
    for (size_t i = 0; i < entry->region_count; i++)
        read_nuts(*words++, ret->regions[i]);
    for (size_t i = 0; i < entry->language_count; i++)
        ret->languages[i] = (uint16_t)*words++;
}

int
layer_bit(const struct bit_code *codes, uint32_t count, uint32_t code)
{
    uint32_t low = 0;
    uint32_t high = count;

    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;

        if (codes[middle].code == code)
            return (int)codes[middle].bit;
        if (codes[middle].code < code)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

uint32_t
layer_tenant(const struct layer *layer, const struct uid *tenant)
{
    uint32_t low = 0;
    uint32_t high = layer->tenant_count;

    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        const int order = uid_compare(&layer->tenants[middle], tenant);

        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return LAYER_NONE;
}

uint32_t
layer_nuts(const char *nuts)
{
    uint32_t code = 0;

    for (unsigned i = 0; i < NUTS_LETTERS; i++) {
        uint32_t letter = 0;

        if (*nuts >= '0' && *nuts <= '9')
            letter = (uint32_t)(*nuts - '0') + 1;
        else if (*nuts >= 'A' && *nuts <= 'Z')
            letter = (uint32_t)(*nuts - 'A') + 11;
        if (letter)
            nuts++;
        code = code << NUTS_BITS | letter;
    }
    return code;
}

uint32_t
layer_nuts_mask(uint32_t code)
{
    uint32_t mask = 0;

    for (unsigned shift = NUTS_BITS * NUTS_LETTERS; shift > 0; shift -= NUTS_BITS) {
        const uint32_t letter = ((1u << NUTS_BITS) - 1) << (shift - NUTS_BITS);

        if (!(code & letter))
            break;
        mask |= letter;
    }
    return mask;
}
