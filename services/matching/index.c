#include "services/matching/index.h"

/* A segment is rewritten when this share of it is dead. */
#define DEAD_SHARE 8

struct index {
    struct vocabulary *vocabulary;
    struct words *words;
    struct dictionary dictionary;
    struct arena scratch;
    struct snapshot_segment segments[SNAPSHOT_SEGMENTS_MAX];
    size_t segment_count;
    uint32_t *profiles_with; /* by term */
    size_t term_room;
    uint32_t live;
};

#define SCRATCH_BYTES ((size_t)16 << 20)

static uint32_t
term_limit(const struct index *index)
{
    return vocabulary_count(index->vocabulary) + index->dictionary.count;
}

static void
clear_segment(struct snapshot_segment *at)
{
    segment_drop(at->segment);
    free(at->dead);
    *at = (struct snapshot_segment){0};
}

void
index_destroy(struct index **index)
{
    struct index *gone = *index;

    if (!gone)
        return;
    for (size_t i = 0; i < gone->segment_count; i++)
        clear_segment(&gone->segments[i]);
    dictionary_fini(&gone->dictionary);
    vocabulary_drop(gone->vocabulary);
    arena_fini(&gone->scratch);
    free(gone->profiles_with);
    free(gone);
    *index = NULL;
}

struct status
index_create(struct vocabulary *vocabulary, struct words *words, struct index **ret)
{
    struct index *index = calloc(1, sizeof *index);

    TRY(need(index));
    arena_init(&index->scratch, SCRATCH_BYTES);
    index->vocabulary = vocabulary;
    index->words = words;
    *ret = index;
    return OK;
}

static size_t
dead_words(uint32_t count)
{
    return ((size_t)count + 63) / 64;
}

/* Room for every term known so far. */
static struct status
grow_counts(struct index *index)
{
    const size_t wanted = term_limit(index);
    size_t room = index->term_room ? index->term_room : 4096;
    uint32_t *counts;

    if (wanted <= index->term_room)
        return OK;
    while (room < wanted)
        room *= 2;
    counts = realloc(index->profiles_with, room * sizeof *counts);
    TRY(need(counts));
    memset(&counts[index->term_room], 0, (room - index->term_room) * sizeof *counts);
    index->profiles_with = counts;
    index->term_room = room;
    return OK;
}

/* +1 or -1 for each of the profile's terms. */
static void
count_terms(struct index *index, const struct profile *profile, bool more)
{
    for (uint32_t i = 0; i < profile->term_count; i++) {
        uint32_t *count = &index->profiles_with[TERM_OF(profile->terms[i])];

        *count = more ? *count + 1 : *count - 1;
    }
    index->live = more ? index->live + 1 : index->live - 1;
}

static void
bury(struct index *index, enum kind kind, const struct uid *id)
{
    for (size_t i = 0; i < index->segment_count; i++) {
        struct snapshot_segment *at = &index->segments[i];
        const uint32_t place = segment_find(at->segment, kind, id);

        if (place != SEGMENT_NONE && !snapshot_is_dead(at, place)) {
            at->dead[place / 64] |= UINT64_C(1) << (place % 64);
            at->dead_count++;
            count_terms(index, at->segment->profiles[place], false);
            return;
        }
    }
}

static uint32_t
alive_in(const struct snapshot_segment *at)
{
    return at->segment->count - at->dead_count;
}

static void
free_memory(void *pointer)
{
    free(*(void **)pointer);
}

/* Puts the living of segments [first, segment_count) into one. */
static struct status
merge_from(struct index *index, size_t first)
{
    struct snapshot_segment merged = {0};
    scoped(free_memory) struct profile **profiles = NULL;
    uint32_t count = 0;

    for (size_t i = first; i < index->segment_count; i++)
        count += alive_in(&index->segments[i]);
    profiles = calloc(count ? count : 1, sizeof *profiles);
    TRY(need(profiles));
    count = 0;
    for (size_t i = first; i < index->segment_count; i++) {
        const struct snapshot_segment *at = &index->segments[i];

        for (uint32_t j = 0; j < at->segment->count; j++)
            if (!snapshot_is_dead(at, j))
                profiles[count++] = at->segment->profiles[j];
    }
    if (count > 0) {
        merged.dead = calloc(dead_words(count), sizeof *merged.dead);
        TRY(need(merged.dead));
        const struct status made =
            segment_create(profiles, count, term_limit(index), &merged.segment);
        if (failed(made)) {
            free(merged.dead);
            return made;
        }
    }
    while (index->segment_count > first)
        clear_segment(&index->segments[--index->segment_count]);
    if (count > 0)
        index->segments[index->segment_count++] = merged;
    return OK;
}

/* Keeps each segment more than twice as large as all after it, so that there are at most about
 * log2 of the profiles, and none mostly dead. */
static struct status
tidy(struct index *index)
{
    size_t first = index->segment_count;
    uint64_t after = 0;

    for (size_t i = index->segment_count; i > 0; i--) {
        const struct snapshot_segment *at = &index->segments[i - 1];

        if (alive_in(at) <= 2 * after ||
            (uint64_t)at->dead_count * DEAD_SHARE > at->segment->count)
            first = i - 1;
        after += alive_in(at);
    }
    return first < index->segment_count ? merge_from(index, first) : OK;
}

/* The profiles of one change, dropped together unless a segment holds them. */
struct batch {
    struct profile **profiles;
    uint32_t count;
};

static void
batch_fini(struct batch *batch)
{
    for (uint32_t i = 0; i < batch->count; i++)
        profile_drop(batch->profiles[i]);
    free(batch->profiles);
}

static struct status
make_profiles(struct index *index, const struct index_change *changes, size_t count,
              struct arena *arena, struct batch *batch)
{
    const struct profile_maker maker = {index->vocabulary, &index->dictionary, index->words,
                                        &index->scratch};

    batch->profiles = calloc(count ? count : 1, sizeof *batch->profiles);
    TRY(need(batch->profiles));
    for (size_t i = 0; i < count; i++) {
        if (!changes[i].row)
            continue;
        TRY(profile_create(&maker, changes[i].row, arena, &batch->profiles[batch->count]));
        batch->count++;
    }
    return grow_counts(index);
}

struct status
index_apply(struct index *index, const struct index_change *changes, size_t count,
            struct arena *arena)
{
    scoped(batch_fini) struct batch batch = {0};
    struct snapshot_segment added = {0};

    /* All that may fail comes first; the tidying at the end may fail without harm, as long as
     * there is room for the next segment. */
    if (index->segment_count == SNAPSHOT_SEGMENTS_MAX)
        TRY(merge_from(index, 0));
    TRY(make_profiles(index, changes, count, arena, &batch));
    if (batch.count > 0) {
        added.dead = calloc(dead_words(batch.count), sizeof *added.dead);
        TRY(need(added.dead));
        const struct status made =
            segment_create(batch.profiles, batch.count, term_limit(index), &added.segment);
        if (failed(made)) {
            free(added.dead);
            return made;
        }
    }
    for (size_t i = 0; i < count; i++)
        bury(index, changes[i].kind, &changes[i].id);
    if (batch.count > 0) {
        index->segments[index->segment_count++] = added;
        for (uint32_t i = 0; i < batch.count; i++)
            count_terms(index, batch.profiles[i], true);
    }
    (void)tidy(index); /* it will be tried again with the next change */
    return OK;
}

struct status
index_snapshot(const struct index *index, uint64_t position, struct snapshot **ret)
{
    scoped(snapshot_destroy) struct snapshot *snapshot = calloc(1, sizeof *snapshot);
    const uint32_t terms = term_limit(index);

    TRY(need(snapshot));
    snapshot->profiles_with = calloc(terms ? terms : 1, sizeof *snapshot->profiles_with);
    TRY(need(snapshot->profiles_with));
    /* After a failed change the dictionary may know terms that nobody has yet. */
    if (index->term_room > 0)
        memcpy(snapshot->profiles_with, index->profiles_with,
               (terms < index->term_room ? terms : index->term_room) * sizeof(uint32_t));
    snapshot->term_count = terms;
    snapshot->live = index->live;
    snapshot->position = position;
    snapshot->vocabulary = index->vocabulary;
    vocabulary_hold(snapshot->vocabulary);
    for (size_t i = 0; i < index->segment_count; i++) {
        const struct snapshot_segment *from = &index->segments[i];
        const size_t size = dead_words(from->segment->count) * sizeof *from->dead;
        struct snapshot_segment *to = &snapshot->segments[i];

        to->dead = malloc(size);
        TRY(need(to->dead));
        memcpy(to->dead, from->dead, size);
        to->dead_count = from->dead_count;
        to->segment = from->segment;
        segment_hold(to->segment);
        snapshot->segment_count++;
    }
    *ret = take(&snapshot);
    return OK;
}
