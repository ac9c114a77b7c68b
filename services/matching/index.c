#include "services/matching/index.h"

#include "services/matching/counts.h"
#include "services/matching/engine/engine.h"
#include "services/matching/facts.h"

#define TAIL_DOCUMENTS 2048u
/* When one in so many has been withdrawn, what they left in the index is purged. */
#define PURGE_SHARE 1000u

/* A profile that waits for index_fill, and its key in the engine. */
struct gathered {
    struct profile *profile;
    uint16_t region, order;
};

/* As many as searches run side by side on a machine of some size; more are made and freed. */
#define SPARE_MAX 16u

struct index {
    uint32_t references; /* its owner's, and one for each snapshot */
    struct vocabulary *vocabulary;
    struct words *words;
    struct dictionary dictionary;
    struct arena scratch;
    struct engine *engine;
    struct facts_regions *regions;
    uint32_t *profiles_with; /* by term */
    uint32_t *others_with;   /* by term: what other shards have; NULL: the index is whole */
    size_t term_room;
    uint32_t live, others_live;
    bool shard, others_known;
    uint32_t withdrawn;                              /* since the last purge */
    _Atomic(struct scan_scratch *) spare[SPARE_MAX]; /* NULL: none */
    uint32_t terms[DOCUMENT_TERMS_MAX];              /* of the document at hand */
    struct gathered *gathered;
    size_t gathered_count, gathered_room;
};

#define SCRATCH_BYTES ((size_t)16 << 20)

static uint32_t
term_limit(const struct index *index)
{
    return vocabulary_terms(index->vocabulary) + index->dictionary.count;
}

void
index_destroy(struct index **index)
{
    struct index *gone = take(index);

    if (!gone || --gone->references > 0)
        return;
    for (size_t i = 0; i < gone->gathered_count; i++)
        profile_drop(gone->gathered[i].profile);
    free(gone->gathered);
    for (size_t i = 0; i < SPARE_MAX; i++) {
        struct scan_scratch *scratch = atomic_exchange(&gone->spare[i], NULL);

        scan_scratch_destroy(&scratch);
    }
    engine_destroy(&gone->engine);
    if (gone->regions)
        dictionary_fini(&gone->regions->numbers);
    free(gone->regions);
    dictionary_fini(&gone->dictionary);
    vocabulary_drop(gone->vocabulary);
    arena_fini(&gone->scratch);
    free(gone->profiles_with);
    free(gone->others_with);
    free(gone);
}

void
index_give_back(struct index **index, struct version **version)
{
    engine_give_back((*index)->engine, version);
    index_destroy(index);
}

static void
drop_profile(void *item)
{
    profile_drop(item);
}

struct status
index_create(struct vocabulary *vocabulary, struct words *words, struct index **ret)
{
    const struct engine_options options = {FACTS_CLASSES, TAIL_DOCUMENTS, true, drop_profile};
    scoped(index_destroy) struct index *index = calloc(1, sizeof *index);

    TRY(need(index));
    index->references = 1;
    arena_init(&index->scratch, SCRATCH_BYTES);
    TRY(need(index->regions = calloc(1, sizeof *index->regions)));
    TRY(engine_create(&options, &index->engine));
    index->vocabulary = vocabulary;
    index->words = words;
    *ret = take(&index);
    return OK;
}

static struct status
grow_list(uint32_t **counts, size_t from, size_t to)
{
    uint32_t *grown = realloc(*counts, to * sizeof *grown);

    TRY(need(grown));
    memset(&grown[from], 0, (to - from) * sizeof *grown);
    *counts = grown;
    return OK;
}

/* Room for every term known so far. */
static struct status
grow_counts(struct index *index)
{
    const size_t wanted = term_limit(index);
    size_t room = index->term_room ? index->term_room : 4096;

    if (wanted <= index->term_room)
        return OK;
    while (room < wanted)
        room *= 2;
    TRY(grow_list(&index->profiles_with, index->term_room, room));
    if (index->shard)
        TRY(grow_list(&index->others_with, index->term_room, room));
    index->term_room = room;
    return OK;
}

void
index_make_shard(struct index *index)
{
    index->shard = true;
    index->dictionary.read_beside = true;
}

const struct dictionary *
index_dictionary(const struct index *index)
{
    return &index->dictionary;
}

static struct status
add_concept(void *context, const struct uid *id, uint32_t with)
{
    struct index *index = context;
    const uint32_t concept = vocabulary_find(index->vocabulary, id);

    if (concept != VOCABULARY_NONE)
        index->others_with[concept] += with;
    return OK;
}

static struct status
add_word(void *context, uint64_t key, uint32_t with)
{
    struct index *index = context;
    const uint32_t number = dictionary_find(vocabulary_word_numbers(index->vocabulary), key);

    if (number != DICTIONARY_NONE)
        index->others_with[vocabulary_word_term(index->vocabulary, number)] += with;
    return OK;
}

static struct status
add_key(void *context, uint64_t key, uint32_t with)
{
    struct index *index = context;
    uint32_t number;

    TRY(dictionary_put(&index->dictionary, key, &number));
    TRY(grow_counts(index));
    index->others_with[vocabulary_terms(index->vocabulary) + number] += with;
    return OK;
}

struct status
index_set_others(struct index *index, const struct bytes *packed, size_t count)
{
    const struct count_visit visit = {index, add_concept, add_word, add_key};

    TRY(grow_counts(index));
    if (index->term_room > 0) /* not in an empty world */
        memset(index->others_with, 0, index->term_room * sizeof *index->others_with);
    index->others_live = 0;
    index->others_known = false;
    for (size_t i = 0; i < count; i++) {
        uint32_t live;

        TRY(counts_check(packed[i], &live));
        TRY(counts_each(packed[i], &visit));
        index->others_live += live;
    }
    index->others_known = true;
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

/* A key, and the profile that stands there from now on. */
struct buried {
    enum kind kind;
    const struct uid *id;
    const struct profile *stays;
};

static bool
is_buried(void *context, void *item)
{
    const struct buried *buried = context;
    const struct profile *profile = item;

    return profile != buried->stays && profile->kind == buried->kind &&
           uid_equal(&profile->id, buried->id);
}

/* Removes whatever stands at a key but the new one. */
static struct status
bury(struct index *index, enum kind kind, const struct uid *id, const struct profile *stays)
{
    struct buried buried = {kind, id, stays};
    struct profile *gone;

    for (;;) {
        struct status removed;
        struct place place;

        if (!engine_find(index->engine, facts_id(kind, id), is_buried, &buried, &place))
            return OK;
        gone = place_item(&place);
        gone->references++; /* so that its terms can be counted */
        removed = engine_remove(index->engine, facts_id(kind, id), is_buried, &buried);
        if (!failed(removed))
            count_terms(index, gone, false);
        profile_drop(gone);
        TRY(removed);
    }
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
    const struct profile_maker maker = {.vocabulary = index->vocabulary,
                                        .dictionary = &index->dictionary,
                                        .words = index->words,
                                        .scratch = &index->scratch};

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

static struct status
insert(struct index *index, struct profile *profile)
{
    struct document document;
    uint16_t region;

    TRY(facts_region(index->regions, profile, &region));
    facts_document(profile, region, facts_order(index->vocabulary, profile), index->terms,
                   &document);
    document.item = profile;
    TRY(engine_insert(index->engine, &document));
    profile->references++;
    count_terms(index, profile, true);
    return OK;
}

struct status
index_apply(struct index *index, const struct index_change *changes, size_t count,
            struct arena *arena)
{
    scoped(batch_fini) struct batch batch = {0};
    uint32_t made = 0;

    /* Most of what may fail comes first. */
    TRY(make_profiles(index, changes, count, arena, &batch));
    for (size_t i = 0; i < count; i++) {
        const struct profile *profile = NULL;

        if (changes[i].row) {
            TRY(insert(index, batch.profiles[made]));
            profile = batch.profiles[made++];
        }
        TRY(bury(index, changes[i].kind, &changes[i].id, profile));
        index->withdrawn += profile == NULL;
    }
    if (index->withdrawn > index->live / PURGE_SHARE) {
        index->withdrawn = 0;
        engine_purge(index->engine);
    }
    engine_tend(index->engine);
    return OK;
}

static struct status
gather(struct index *index, struct profile *profile)
{
    struct gathered made = {.profile = profile};

    if (index->gathered_count == index->gathered_room) {
        const size_t room = index->gathered_room ? index->gathered_room * 2 : 4096;
        struct gathered *grown = realloc(index->gathered, room * sizeof *grown);

        TRY(need(grown));
        index->gathered = grown;
        index->gathered_room = room;
    }
    TRY(facts_region(index->regions, profile, &made.region));
    made.order = facts_order(index->vocabulary, profile);
    profile->references++;
    index->gathered[index->gathered_count++] = made;
    return OK;
}

struct status
index_gather(struct index *index, const struct profile_row *rows, size_t count,
             struct arena *arena)
{
    const struct profile_maker maker = {.vocabulary = index->vocabulary,
                                        .dictionary = &index->dictionary,
                                        .words = index->words,
                                        .scratch = &index->scratch};

    for (size_t i = 0; i < count; i++) {
        struct profile *profile;

        TRY(profile_create(&maker, &rows[i], arena, &profile));
        const struct status kept = gather(index, profile);
        profile_drop(profile);
        TRY(kept);
    }
    return OK;
}

static uint32_t
gathered_key(void *context, uint32_t number)
{
    const struct index *index = context;

    return (uint32_t)index->gathered[number].region << 16 | index->gathered[number].order;
}

static void
gathered_read(void *context, uint32_t number, uint32_t *terms, struct document *ret)
{
    const struct index *index = context;
    const struct gathered *gathered = &index->gathered[number];

    facts_document(gathered->profile, gathered->region, gathered->order, terms, ret);
    ret->item = gathered->profile;
}

struct status
index_fill(struct index *index)
{
    const struct base_source source = {(uint32_t)index->gathered_count, index, gathered_key,
                                       gathered_read};

    if (index->gathered_count > BASE_PLACES_MAX)
        return FAIL(NULL, RESOURCE_EXHAUSTED, "the index is full");
    TRY(grow_counts(index));
    TRY(engine_load(index->engine, &source, facts_term_limit(term_limit(index))));
    /* The engine has them now. */
    for (size_t i = 0; i < index->gathered_count; i++)
        count_terms(index, index->gathered[i].profile, true);
    free(index->gathered);
    index->gathered = NULL;
    index->gathered_count = index->gathered_room = 0;
    return OK;
}

struct status
index_settle(struct index *index, bool purge)
{
    return engine_settle(index->engine, purge);
}

/* After a failed change the dictionary may know terms that nobody has yet. */
static struct status
copy_counts(const struct index *index, const uint32_t *from, uint32_t terms, uint32_t **ret)
{
    *ret = calloc(terms ? terms : 1, sizeof **ret);
    TRY(need(*ret));
    if (index->term_room > 0)
        memcpy(*ret, from,
               (terms < index->term_room ? terms : index->term_room) * sizeof **ret);
    return OK;
}

static struct status
take_counts(const struct index *index, struct snapshot *snapshot)
{
    const uint32_t terms = term_limit(index);

    TRY(copy_counts(index, index->profiles_with, terms, &snapshot->profiles_with));
    snapshot->term_count = terms;
    snapshot->live = snapshot->own_live = index->live;
    snapshot->complete = !index->shard || index->others_known;
    if (!index->shard)
        return OK;
    TRY(copy_counts(index, index->profiles_with, terms, &snapshot->own_with));
    for (size_t term = 0; term < terms && term < index->term_room; term++)
        snapshot->profiles_with[term] += index->others_with[term];
    snapshot->live += index->others_live;
    return OK;
}

struct status
index_snapshot(struct index *index, uint64_t position, struct snapshot **ret)
{
    scoped(snapshot_destroy) struct snapshot *snapshot = calloc(1, sizeof *snapshot);

    TRY(need(snapshot));
    TRY(take_counts(index, snapshot));
    snapshot->position = position;
    snapshot->vocabulary = index->vocabulary;
    vocabulary_hold(snapshot->vocabulary);
    snapshot->regions = index->regions;
    snapshot->region_count = index->regions->count;
    TRY(engine_version(index->engine, &snapshot->version));
    snapshot->index = index;
    index->references++;
    *ret = take(&snapshot);
    return OK;
}

/* To map and unmap a megabyte for each search would stop the other threads each time. */
struct status
index_take_scratch(struct index *index, struct scan_scratch **ret)
{
    for (size_t i = 0; i < SPARE_MAX; i++) {
        *ret = atomic_exchange(&index->spare[i], NULL);
        if (*ret)
            return OK;
    }
    return scan_scratch_create(ret);
}

void
index_give_scratch(struct index *index, struct scan_scratch **scratch)
{
    for (size_t i = 0; i < SPARE_MAX && *scratch; i++) {
        struct scan_scratch *none = NULL;

        if (atomic_compare_exchange_strong(&index->spare[i], &none, *scratch))
            *scratch = NULL;
    }
    scan_scratch_destroy(scratch);
}
