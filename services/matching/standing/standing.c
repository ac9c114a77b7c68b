/* The writing side: changes make small layers, layers of like size become one. */

#include "services/matching/standing/standing.h"

#include <stdlib.h>

#include "services/matching/standing/version.h"

/* A layer is rewritten when this share of it is dead. */
#define DEAD_SHARE 8

struct standing {
    struct swap versions;
    struct standing_version now; /* what the current version holds */
};

static void
drop_dead(struct dead *dead)
{
    if (dead && --dead->references == 0)
        free(dead);
}

static void
drop_part(struct part *part)
{
    layer_drop(part->layer);
    drop_dead(part->dead);
    *part = (struct part){0};
}

static void
drop_parts(struct standing_version *version)
{
    for (size_t i = 0; i < version->part_count; i++)
        drop_part(&version->parts[i]);
    version->part_count = 0;
}

static void
hold_parts(const struct standing_version *from, struct standing_version *into)
{
    *into = *from;
    for (size_t i = 0; i < into->part_count; i++) {
        into->parts[i].layer->references++;
        into->parts[i].dead->references++;
    }
}

static void
destroy_version(void *memory)
{
    struct standing_version *version = memory;

    drop_parts(version);
    free(version);
}

static size_t
dead_bytes(const struct layer *layer)
{
    return sizeof(struct dead) + (layer->record_count / 64 + 1) * sizeof(uint64_t);
}

static uint32_t
live_in(const struct part *part)
{
    return part->layer->search_count - part->dead->searches;
}

static size_t
live_of(const struct standing_version *version)
{
    size_t live = 0;

    for (size_t i = 0; i < version->part_count; i++)
        live += live_in(&version->parts[i]);
    return live;
}

static bool
entry_is_dead(const struct part *part, uint32_t entry)
{
    return part_is_dead(part, layer_places(part->layer, entry)[0]);
}

/* Marks a search dead; `owned` says whether the part's bits are already a copy of this batch.
 */
static struct status
kill_entry(struct part *part, uint32_t entry, bool *owned)
{
    const uint32_t *places = layer_places(part->layer, entry);

    if (!*owned) {
        const size_t bytes = dead_bytes(part->layer);
        struct dead *copy = malloc(bytes);

        TRY(need(copy));
        memcpy(copy, part->dead, bytes);
        copy->references = 1;
        drop_dead(part->dead);
        part->dead = copy;
        *owned = true;
    }
    for (size_t i = 0; i < layer_entry(part->layer, entry)->place_count; i++)
        part->dead->bits[places[i] / 64] |= UINT64_C(1) << (places[i] % 64);
    part->dead->searches++;
    return OK;
}

static struct status
kill(struct standing_version *version, const struct uid *id, bool owned[VERSION_PARTS_MAX])
{
    for (size_t i = 0; i < version->part_count; i++) {
        struct part *part = &version->parts[i];
        const uint32_t entry = layer_find(part->layer, id);

        if (entry != LAYER_NONE && !entry_is_dead(part, entry))
            return kill_entry(part, entry, &owned[i]);
    }
    return OK;
}

static bool
terms_valid(const uint32_t *terms, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (terms[i] >= STANDING_TERMS_MAX)
            return false;
        for (size_t j = 0; j < i; j++)
            if (terms[j] == terms[i])
                return false;
    }
    return true;
}

static bool
search_valid(const struct standing_search *search)
{
    if (search->required_count > STANDING_REQUIRED_MAX ||
        search->optional_count > STANDING_OPTIONAL_MAX ||
        search->region_count > STANDING_REGIONS_MAX ||
        search->language_count > STANDING_LANGUAGES_MAX ||
        search->least > search->optional_count ||
        (search->required_count == 0 && search->least == 0))
        return false;
    if (search->latest != DAY_NONE && (search->latest < 0 || search->latest > STANDING_DAY_MAX))
        return false;
    for (size_t i = 0; i < search->region_count; i++) {
        const size_t size = strnlen(search->regions[i], STANDING_NUTS_SIZE);

        if (size == 0 || size == STANDING_NUTS_SIZE ||
            strspn(search->regions[i], "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != size)
            return false;
    }
    return terms_valid(search->required, search->required_count) &&
           terms_valid(search->optional, search->optional_count);
}

/* Puts a layer behind the others. */
static struct status
add_layer(struct standing_version *version, struct layer *layer)
{
    struct dead *dead = calloc(1, dead_bytes(layer));

    if (!dead || version->part_count == VERSION_PARTS_MAX) {
        free(dead);
        layer_drop(layer);
        return FAIL(NULL, RESOURCE_EXHAUSTED, "no room for more standing searches");
    }
    dead->references = 1;
    version->parts[version->part_count++] = (struct part){layer, dead};
    return OK;
}

/* Makes the parts from `first` on into one. */
static struct status
merge_from(struct standing_version *version, size_t first, const uint32_t *frequency,
           size_t frequency_count)
{
    struct layer_source *sources;
    struct layer *layer = NULL;
    size_t count = 0;
    struct status status = OK;

    for (size_t i = first; i < version->part_count; i++)
        count += live_in(&version->parts[i]);
    TRY(need(sources = malloc((count + 1) * sizeof *sources)));
    count = 0;
    for (size_t i = first; i < version->part_count; i++) {
        const struct part *part = &version->parts[i];

        for (uint32_t j = 0; j < part->layer->search_count; j++)
            if (!entry_is_dead(part, part->layer->by_id[j]))
                sources[count++] =
                    (struct layer_source){NULL, part->layer, part->layer->by_id[j]};
    }
    if (count > 0)
        status = layer_create(sources, count, frequency, frequency_count, &layer);
    free(sources);
    TRY(status);
    while (version->part_count > first)
        drop_part(&version->parts[--version->part_count]);
    return layer ? add_layer(version, layer) : OK;
}

/* A part is at least twice as large as all behind it, and mostly alive. */
static struct status
tidy(struct standing_version *version, const uint32_t *frequency, size_t frequency_count)
{
    size_t first = version->part_count;
    size_t behind = 0;

    for (size_t i = version->part_count; i > 0; i--) {
        const struct part *part = &version->parts[i - 1];

        if ((behind > 0 && live_in(part) < 2 * behind) ||
            part->dead->searches * DEAD_SHARE > part->layer->search_count)
            first = i - 1;
        behind += live_in(part);
    }
    return first < version->part_count ? merge_from(version, first, frequency, frequency_count)
                                       : OK;
}

static struct status
make_next(struct standing_version *next, const uint32_t *frequency, size_t frequency_count,
          const struct standing_change *changes, size_t count)
{
    bool owned[VERSION_PARTS_MAX] = {false};
    struct layer_source *sources = malloc((count + 1) * sizeof *sources);
    struct status status = need(sources);
    struct layer *layer = NULL;
    size_t puts = 0;

    for (size_t i = 0; i < count && !failed(status); i++) {
        status = kill(next, &changes[i].id, owned);
        if (changes[i].search)
            sources[puts++] = (struct layer_source){.search = changes[i].search};
    }
    if (!failed(status) && live_of(next) + puts > STANDING_SEARCHES_MAX)
        status = FAIL(NULL, RESOURCE_EXHAUSTED, "at most %u standing searches",
                      STANDING_SEARCHES_MAX);
    if (!failed(status) && puts > 0) {
        status = layer_create(sources, puts, frequency, frequency_count, &layer);
        if (!failed(status))
            status = add_layer(next, layer);
    }
    free(sources);
    TRY(status);
    return tidy(next, frequency, frequency_count);
}

static struct status
publish(struct standing *standing, struct standing_version *next)
{
    struct standing_version *version = calloc(1, sizeof *version);

    TRY(need(version));
    hold_parts(next, version);
    if (!swap_publish(&standing->versions, version)) {
        destroy_version(version);
        return FAIL(NULL, RESOURCE_EXHAUSTED, "readers hold too many old versions");
    }
    drop_parts(&standing->now);
    standing->now = *next;
    next->part_count = 0;
    return OK;
}

struct status
standing_apply(struct standing *standing, const uint32_t *frequency, size_t frequency_count,
               const struct standing_change *changes, size_t count)
{
    scoped(drop_parts) struct standing_version next = {0};

    if (count > STANDING_CHANGES_MAX)
        return FAIL(NULL, RESOURCE_EXHAUSTED, "too many changes at once");
    for (size_t i = 0; i < count; i++)
        if (changes[i].search && (!uid_equal(&changes[i].id, &changes[i].search->id) ||
                                  !search_valid(changes[i].search)))
            return FAIL(NULL, INVALID_ARGUMENT, "a standing search breaks the rules");
    hold_parts(&standing->now, &next);
    TRY(make_next(&next, frequency, frequency_count, changes, count));
    return publish(standing, &next);
}

struct status
standing_create(struct standing **ret)
{
    scoped(standing_destroy) struct standing *standing = calloc(1, sizeof *standing);

    TRY(need(standing));
    swap_init(&standing->versions, destroy_version);
    struct standing_version none = {0};
    TRY(publish(standing, &none));
    *ret = take(&standing);
    return OK;
}

void
standing_destroy(struct standing **standing)
{
    struct standing *gone = *standing;

    if (!gone)
        return;
    swap_fini(&gone->versions);
    drop_parts(&gone->now);
    free(gone);
    *standing = NULL;
}

size_t
standing_count(const struct standing *standing)
{
    return live_of(&standing->now);
}

size_t
standing_bytes(const struct standing *standing)
{
    size_t bytes = 0;

    for (size_t i = 0; i < standing->now.part_count; i++)
        bytes += standing->now.parts[i].layer->bytes + dead_bytes(standing->now.parts[i].layer);
    return bytes;
}

struct held
standing_hold(struct standing *standing)
{
    return swap_hold(&standing->versions);
}
