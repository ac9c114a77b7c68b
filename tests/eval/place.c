#include "tests/eval/place.h"

/* Numbers are spread over the ids, so that ties are broken without regard to them. */
static void
id_of(unsigned space, uint32_t number, char into[UUID_SIZE])
{
    (void)snprintf(into, UUID_SIZE, "0193a000-%04x-7000-8000-%04x%08x", space,
                   (number * 40503u) & 0xffff, number);
}

static uint32_t
number_of(const struct uid *id)
{
    char text[UUID_SIZE];

    uid_format(id, text);
    return (uint32_t)strtoul(text + strlen(text) - 8, NULL, 16);
}

enum { SPACE_TENANT = 0xf, SPACE_CONCEPT = 0xc, SPACE_KIND = 0x10 };

static const char *
id_in(struct eval_place *place, unsigned space, uint32_t number)
{
    char id[UUID_SIZE];
    const char *copy;

    id_of(space, number, id);
    copy = arena_copy(&place->arena, id);
    assert_non_null(copy);
    return copy;
}

static int
by_uri(const void *key, const void *item)
{
    return strcmp(key, ((const struct eval_concept *)item)->uri);
}

static struct vocabulary *
make_vocabulary(struct eval_place *place)
{
    const struct eval_data *data = place->data;
    struct concept_row *rows =
        ARENA_ARRAY(&place->arena, struct concept_row, data->concept_count);
    struct vocabulary *vocabulary;

    assert_non_null(rows);
    for (size_t i = 0; i < data->concept_count; i++) {
        const struct eval_concept *concept = &data->concepts[i];

        rows[i].id = id_in(place, SPACE_CONCEPT, (uint32_t)i);
        rows[i].broader = ARENA_ARRAY(&place->arena, const char *, concept->broader_count + 1);
        assert_non_null(rows[i].broader);
        for (size_t lang = 0; lang < LANG_COUNT; lang++)
        rows[i].label[lang] = concept->label[lang];
        for (size_t j = 0; j < concept->broader_count; j++) {
            const struct eval_concept *found =
                bsearch(concept->broader[j], data->concepts, data->concept_count, sizeof *found,
                        by_uri);

            if (found)
                rows[i].broader[rows[i].broader_count++] =
                    id_in(place, SPACE_CONCEPT, (uint32_t)(found - data->concepts));
        }
    }
    assert_int_equal(
        vocabulary_create(rows, data->concept_count, place->words, &place->arena, &vocabulary)
            .code,
        CODE_OK);
    return vocabulary;
}

void
eval_place_init(struct eval_place *place, const struct eval_data *data)
{
    memset(place, 0, sizeof *place);
    arena_init(&place->arena, (size_t)2 << 30);
    place->data = data;
    place->rules.substance_min = 3000;
    place->context.rules = &place->rules;
    place->context.now.unix_ms = INT64_C(1795348800000);
    assert_int_equal(words_create(&place->arena, &place->words).code, CODE_OK);
    assert_int_equal(index_create(make_vocabulary(place), place->words, &place->index).code,
                     CODE_OK);
}

void
eval_place_fini(struct eval_place *place)
{
    snapshot_destroy(&place->snapshot);
    index_destroy(&place->index);
    words_destroy(&place->words);
    arena_fini(&place->arena);
}

void
eval_put(struct eval_place *place, enum kind kind, uint32_t number, const uint32_t *concepts,
         size_t count, enum lang lang, const char *text)
{
    struct profile_row row = {.kind = profile_kind_name(kind),
                              .id = id_in(place, SPACE_KIND + (unsigned)kind, number),
                              .tenant_id = id_in(place, SPACE_TENANT, 0),
                              .person_kind = "",
                              .owner_organisation_id = "",
                              .organisation_type = "",
                              .visibility = "public",
                              .nuts = "",
                              .capacity = -1,
                              .updated_unix_ms = place->context.now.unix_ms};
    struct index_change change = {.kind = kind, .row = &row};

    row.concept_ids = ARENA_ARRAY(&place->arena, const char *, count + 1);
    assert_non_null(row.concept_ids);
    for (size_t i = 0; i < count; i++)
        row.concept_ids[i] = id_in(place, SPACE_CONCEPT, concepts[i]);
    row.concept_count = count;
    row.text[lang] = text;
    assert_true(uid_parse(row.id, &change.id));
    assert_int_equal(index_apply(place->index, &change, 1, &place->arena).code, CODE_OK);
}

void
eval_settle(struct eval_place *place)
{
    assert_int_equal(index_settle(place->index, true).code, CODE_OK);
}

void
eval_ready(struct eval_place *place)
{
    snapshot_destroy(&place->snapshot);
    assert_int_equal(index_snapshot(place->index, 1, &place->snapshot).code, CODE_OK);
}

static const struct profile *
need_of(const struct eval_place *place, uint32_t need)
{
    const struct profile *subject;
    char text[UUID_SIZE];
    struct uid id;

    id_of(SPACE_KIND + KIND_NEED, need, text);
    assert_true(uid_parse(text, &id));
    subject = snapshot_find(place->snapshot, KIND_NEED, &id);
    assert_non_null(subject);
    return subject;
}

struct hits
eval_hits(struct eval_place *place, uint32_t need, size_t limit, const struct kernel *kernel,
          struct arena *arena)
{
    const struct search search = {.subject = need_of(place, need),
                                  .context = &place->context,
                                  .nuts = "",
                                  .limit = limit,
                                  .kernel = kernel};
    struct hits hits;

    assert_int_equal(search_run(place->snapshot, &search, arena, &hits).code, CODE_OK);
    return hits;
}

struct looking {
    const struct search *search;
    const struct query *query;
    struct hits hits;
};

static bool
look(void *context, const struct profile *other)
{
    struct looking *looking = context;
    struct hit hit = {.profile = other};

    if (search_admits(looking->search, other) &&
        score_pair(looking->search->context, looking->query, other, &hit.score))
        looking->hits.items[looking->hits.count++] = hit;
    return true;
}

static int
by_hit(const void *a, const void *b)
{
    return hit_compare(a, b);
}

struct hits
eval_brute_force(struct eval_place *place, uint32_t need, size_t limit, struct arena *arena)
{
    const struct score_statistics statistics = snapshot_statistics(place->snapshot);
    const struct search search = {
        .subject = need_of(place, need), .context = &place->context, .nuts = ""};
    struct looking looking = {.search = &search};
    struct query query;

    assert_int_equal(query_make(search.subject, &statistics, arena, &query).code, CODE_OK);
    looking.query = &query;
    looking.hits.items = ARENA_ARRAY(arena, struct hit, place->snapshot->live + 1u);
    assert_non_null(looking.hits.items);
    snapshot_each(place->snapshot, 0, look, &looking);
    qsort(looking.hits.items, looking.hits.count, sizeof *looking.hits.items, by_hit);
    if (looking.hits.count > limit)
        looking.hits.count = limit;
    return looking.hits;
}

size_t
eval_search(struct eval_place *place, uint32_t need, size_t limit, uint32_t *ret)
{
    scoped(arena_fini) struct arena arena;
    struct hits hits;

    arena_init(&arena, (size_t)64 << 20);
    hits = eval_hits(place, need, limit, NULL, &arena);
    for (size_t i = 0; i < hits.count; i++)
        ret[i] = number_of(&hits.items[i].profile->id);
    return hits.count;
}
