/* The reading side: one document against a version. */

#include <stdlib.h>

#include "services/matching/standing/version.h"

/* What passes its record waits until so many do, so that their entries come from memory
 * together. */
#define WAITING_MAX 64u

/* Groups that pass wait likewise for their records. */
#define GROUPS_MAX 512u
#define AHEAD 12u

/* Lists of a document's terms, likewise. */
#define LISTS_MAX 64u

struct standing_probe {
    uint64_t terms[STANDING_TERMS_MAX / 64 + 1]; /* those of the document, one greater */
    uint64_t tenants[STANDING_TENANTS_MAX / 64];
    struct standing_hit *hits;
    size_t hit_count, hit_room;
};

/* A document as one layer sees it. */
struct look {
    const struct standing_document *document;
    struct standing_probe *probe;
    const struct part *part;
    uint64_t regions;
    uint32_t nuts;
    uint16_t languages, from;
    uint8_t kind;
    uint32_t waiting[WAITING_MAX]; /* places */
    size_t waiting_count;
    const struct group *groups[GROUPS_MAX];
    size_t group_count;
    uint64_t looked_at;
};

struct status
standing_probe_create(struct standing_probe **ret)
{
    struct standing_probe *probe = calloc(1, sizeof *probe);

    TRY(need(probe));
    *ret = probe;
    return OK;
}

void
standing_probe_destroy(struct standing_probe **probe)
{
    if (*probe)
        free((*probe)->hits);
    free(*probe);
    *probe = NULL;
}

static inline bool
has(const struct standing_probe *probe, uint32_t term)
{
    return probe->terms[term / 64] >> (term % 64) & 1;
}

static void
set_terms(struct standing_probe *probe, const struct standing_document *document, bool on)
{
    probe->terms[0] = on;
    for (size_t i = 0; i < document->term_count; i++) {
        const uint32_t term = document->terms[i] + 1;

        if (document->terms[i] < STANDING_TERMS_MAX)
            probe->terms[term / 64] =
                on ? probe->terms[term / 64] | UINT64_C(1) << (term % 64) : 0;
    }
}

static void
set_tenants(struct look *look, bool on)
{
    const struct standing_document *document = look->document;

    if (document->open)
        return;
    for (size_t i = 0; i < document->tenant_count; i++) {
        const uint32_t tenant = layer_tenant(look->part->layer, &document->tenants[i]);

        if (tenant != LAYER_NONE)
            look->probe->tenants[tenant / 64] =
                on ? look->probe->tenants[tenant / 64] | UINT64_C(1) << (tenant % 64) : 0;
    }
}

/* The bits of everything that the document's region lies in. */
static uint64_t
region_bits(const struct layer *layer, uint32_t nuts)
{
    uint64_t bits = UINT64_C(1) << REGION_ANY;

    for (uint32_t code = nuts; code != 0;) {
        const int bit = layer_bit(layer->regions, layer->region_count, code);
        const unsigned last = (unsigned)__builtin_ctz(code) / 6 * 6;

        if (bit >= 0)
            bits |= UINT64_C(1) << bit;
        code &= ~(UINT32_C(63) << last);
    }
    return bits;
}

static uint16_t
language_bits(const struct layer *layer, const struct standing_document *document)
{
    uint16_t bits = (uint16_t)(1u << LANGUAGE_ANY);

    if (document->language_count == 0)
        return UINT16_MAX;
    for (size_t i = 0; i < document->language_count; i++) {
        const int bit =
            layer_bit(layer->languages, layer->language_count, document->languages[i]);

        if (bit >= 0)
            bits |= (uint16_t)(1u << bit);
    }
    return bits;
}

static bool
language_fits(const struct standing_document *document, const uint32_t *languages, size_t count)
{
    if (count == 0 || document->language_count == 0)
        return true;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < document->language_count; j++)
            if (languages[i] == document->languages[j])
                return true;
    return false;
}

static bool
region_fits(uint32_t nuts, const uint32_t *regions, size_t count)
{
    if (count == 0)
        return true;
    for (size_t i = 0; i < count; i++)
        if ((nuts & layer_nuts_mask(regions[i])) == regions[i])
            return true;
    return false;
}

/* What the record does not say. */
static bool
entry_fits(const struct look *look, const struct record *record)
{
    const struct entry *entry = layer_entry(look->part->layer, record->entry);
    const uint32_t *words = layer_words(look->part->layer, record->entry);
    const uint32_t *optional = words + entry->required_count;
    const uint32_t *regions = optional + entry->optional_count;
    const unsigned missing = record->check >> RECORD_MISSING_SHIFT;
    unsigned met = 0;

    /* Found through a rarer optional term already. */
    for (unsigned i = 0; i < missing; i++)
        if (has(look->probe, optional[i]))
            return false;
    for (unsigned i = missing; i < entry->optional_count; i++)
        met += has(look->probe, optional[i]);
    return met >= entry->least && region_fits(look->nuts, regions, entry->region_count) &&
           language_fits(look->document, regions + entry->region_count, entry->language_count);
}

static struct status
put_hit(struct standing_probe *probe, struct standing_hit hit)
{
    if (probe->hit_count == probe->hit_room) {
        const size_t room = probe->hit_room ? probe->hit_room * 2 : 256;
        struct standing_hit *grown = realloc(probe->hits, room * sizeof *grown);

        TRY(need(grown));
        probe->hits = grown;
        probe->hit_room = room;
    }
    probe->hits[probe->hit_count++] = hit;
    return OK;
}

static struct status
check_waiting(struct look *look)
{
    const struct layer *layer = look->part->layer;

    for (size_t i = 0; i < look->waiting_count; i++) {
        const uint32_t place = look->waiting[i];
        const struct record *record = &layer->records[place];

        if (part_is_dead(look->part, place) ||
            ((record->check & RECORD_CHECK) && !entry_fits(look, record)))
            continue;
        TRY(put_hit(look->probe, (struct standing_hit){&layer_entry(layer, record->entry)->id,
                                                       &layer->tenants[record->tenant]}));
    }
    look->waiting_count = 0;
    return OK;
}

static bool
record_fits(const struct look *look, const struct record *record)
{
    const struct standing_probe *probe = look->probe;

    if (!(record->regions & look->regions) || !(record->languages & look->languages) ||
        look->from > record->latest || !(record->kinds >> look->kind & 1))
        return false;
    for (size_t i = 0; i < COUNT_OF(record->required); i++)
        if (!has(probe, record->required[i]))
            return false;
    return look->document->open ||
           (probe->tenants[record->tenant / 64] >> (record->tenant % 64) & 1);
}

/* Looks at the records of the groups that passed. They lie anywhere, so that each is asked for
 * some steps before it is needed. */
static struct status
read_groups(struct look *look)
{
    const struct layer *layer = look->part->layer;

    for (size_t i = 0; i < look->group_count; i++) {
        const struct group *group = look->groups[i];

        if (i + AHEAD < look->group_count)
            __builtin_prefetch(&layer->records[look->groups[i + AHEAD]->first]);
        look->looked_at += group[1].first - group->first;
        for (uint32_t place = group->first; place < group[1].first; place++) {
            const struct record *record = &layer->records[place];

            if (!record_fits(look, record))
                continue;
            __builtin_prefetch(layer_entry(layer, record->entry));
            look->waiting[look->waiting_count++] = place;
            if (look->waiting_count == WAITING_MAX)
                TRY(check_waiting(look));
        }
    }
    look->group_count = 0;
    return OK;
}

/* Which groups pass is anybody's guess: it is counted, not branched on. */
static struct status
read_list(struct look *look, const struct group *group, uint32_t count)
{
    const struct group *const end = group + count;

    look->looked_at += count;
    while (group < end) {
        const size_t room = GROUPS_MAX - look->group_count;
        const struct group *const stop = (size_t)(end - group) < room ? end : group + room;

        for (; group < stop; group++) {
            look->groups[look->group_count] = group;
            look->group_count += has(look->probe, group->second);
        }
        if (look->group_count == GROUPS_MAX)
            TRY(read_groups(look));
    }
    return OK;
}

static const struct anchor *
find_anchor(const struct layer *layer, uint32_t term)
{
    uint32_t slot = layer_slot(term, layer->anchor_mask);

    while (layer->anchors[slot].term != TERM_ALWAYS) {
        if (layer->anchors[slot].term == term)
            return &layer->anchors[slot];
        slot = (slot + 1) & layer->anchor_mask;
    }
    return NULL;
}

static struct status
read_lists(struct look *look)
{
    const struct layer *layer = look->part->layer;
    const struct standing_document *document = look->document;
    const struct anchor *lists[LISTS_MAX];

    for (size_t at = 0; at < document->term_count;) {
        size_t count = 0;

        for (; at < document->term_count && count < LISTS_MAX; at++) {
            const struct anchor *anchor = document->terms[at] < STANDING_TERMS_MAX
                                              ? find_anchor(layer, document->terms[at] + 1)
                                              : NULL;

            if (!anchor)
                continue;
            __builtin_prefetch(&layer->groups[anchor->first]);
            lists[count++] = anchor;
        }
        for (size_t i = 0; i < count; i++)
            TRY(read_list(look, &layer->groups[lists[i]->first], lists[i]->count));
    }
    TRY(read_groups(look));
    return check_waiting(look);
}

static struct status
match_part(struct look *look, const struct part *part)
{
    struct status status;

    look->part = part;
    look->regions = region_bits(part->layer, look->nuts);
    look->languages = language_bits(part->layer, look->document);
    set_tenants(look, true);
    status = read_lists(look);
    set_tenants(look, false);
    return status;
}

static uint16_t
day_bits(int32_t day)
{
    if (day == DAY_NONE || day < 0)
        return 0;
    return day > STANDING_DAY_MAX ? LATEST_ANY : (uint16_t)day;
}

struct status
standing_match(const struct held *held, struct standing_probe *probe,
               const struct standing_document *document, struct standing_hits *ret)
{
    const struct standing_version *version = held->version;
    struct look look = {.document = document,
                        .probe = probe,
                        .nuts = layer_nuts(document->nuts),
                        .from = day_bits(document->available_from),
                        .kind = document->kind & 7};
    struct status status = OK;

    probe->hit_count = 0;
    set_terms(probe, document, true);
    for (size_t i = 0; i < version->part_count && !failed(status); i++)
        status = match_part(&look, &version->parts[i]);
    set_terms(probe, document, false);
    TRY(status);
    *ret = (struct standing_hits){probe->hits, probe->hit_count, look.looked_at};
    return OK;
}
