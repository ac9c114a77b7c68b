#include "services/matching/engine/test_engine.h"

uint32_t
test_chance(struct test_world *world, uint32_t below)
{
    world->seed = world->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((world->seed >> 33) % below);
}

/* Items are counters, one for each document. */
void
test_drop(void *item)
{
    int **counter = item;

    --**counter;
    free(counter);
}

void *
test_item(struct test_world *world)
{
    int **counter = malloc(sizeof *counter);

    assert_non_null(counter);
    *counter = &world->items_out;
    world->items_out++;
    return counter;
}

struct test_world *
test_world_create(uint64_t seed)
{
    const struct engine_options options = {CLASSES, TAIL, true, test_drop};
    struct test_world *world = calloc(1, sizeof *world);

    assert_non_null(world);
    world->seed = seed;
    assert_int_equal(engine_create(&options, &world->engine).code, CODE_OK);
    assert_int_equal(scan_scratch_create(&world->scratch).code, CODE_OK);
    return world;
}

void
test_world_destroy(struct test_world *world)
{
    engine_destroy(&world->engine);
    assert_int_equal(world->items_out, 0);
    scan_scratch_destroy(&world->scratch);
    free(world);
}

/* Few have the later terms, many the first ones. */
struct document
test_document(struct test_world *world)
{
    struct document document = {.id = ++world->next_id * 7919 % 1000003,
                                .terms = world->terms,
                                .classes = test_chance(world, 1u << CLASSES),
                                .region = (uint16_t)test_chance(world, REGIONS),
                                .from = (uint16_t)test_chance(world, 100),
                                .until = (uint16_t)(50 + test_chance(world, 100)),
                                .grade = (uint8_t)test_chance(world, DOCUMENT_GRADES)};
    uint32_t term = 0;

    while (document.term_count < 60 && term < TERMS) {
        term += 1 + test_chance(world, 1 + term / 4);
        if (term < TERMS)
            world->terms[document.term_count++] = term;
    }
    document.order = document.term_count ? (uint16_t)world->terms[document.term_count / 2] : 0;
    document.item = test_item(world);
    return document;
}

void
test_insert(struct test_world *world, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct document document = test_document(world);

        assert_int_equal(engine_insert(world->engine, &document).code, CODE_OK);
    }
}

void
test_remove_some(struct test_world *world, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const uint64_t id =
            (1 + test_chance(world, (uint32_t)world->next_id)) * UINT64_C(7919) % 1000003;
        const enum code code = engine_remove(world->engine, id, NULL, NULL).code;

        assert_true(code == CODE_OK || code == CODE_NOT_FOUND);
    }
}

void
test_wish(struct test_world *world, struct wish *wish)
{
    const uint32_t lanes = world->lanes ? KERNEL_LANES : 1;
    size_t count = 0;

    for (uint32_t lane = 0; lane < lanes; lane++)
        for (uint32_t i = 0, term = 0; i < 10; i++) {
            term += 1 + test_chance(world, 90);
            wish->terms[count++] = (struct scan_term){
                term, (uint16_t)(1 + test_chance(world, 400)), (uint8_t)lane};
        }
    for (uint32_t i = 0; i < REGIONS; i++)
        wish->region_points[i] =
            test_chance(world, 3) ? (uint16_t)test_chance(world, 300) : SCAN_CLOSED;
    for (uint32_t i = 0; i < 3; i++)
        wish->required[i] = 1 + test_chance(world, 30);
    wish->any_of[0] = 1u << test_chance(world, CLASSES) | 1u << test_chance(world, CLASSES);
    wish->any_of[1] = 1u << test_chance(world, CLASSES);
    wish->query = (struct scan_query){.terms = wish->terms,
                                      .term_count = count,
                                      .required = wish->required,
                                      .required_count = test_chance(world, 4),
                                      .any_of = wish->any_of,
                                      .any_count = test_chance(world, 3),
                                      .region_points = wish->region_points,
                                      .region_count = REGIONS - test_chance(world, 2),
                                      .latest_from = (uint16_t)(20 + test_chance(world, 100)),
                                      .earliest_until = (uint16_t)test_chance(world, 80),
                                      .least_terms = (uint16_t)(test_chance(world, 3) * 150)};
    for (uint32_t i = 0; i < DOCUMENT_GRADES; i++)
        wish->query.grade_points[i] = (uint16_t)(i * 9);
}

/* A look at every document. */
struct looking {
    const struct scan_query *query;
    struct top_hit *hits;
    size_t count;
    uint32_t terms[DOCUMENT_TERMS_MAX];
};

static bool
look(void *context, const struct place *place)
{
    struct looking *looking = context;
    struct document document;
    uint16_t points;

    place_read(place, looking->terms, &document);
    if (scan_points(looking->query, &document, &points))
        looking->hits[looking->count++] = (struct top_hit){document.id, *place, points};
    return true;
}

static int
by_rank(const void *a, const void *b)
{
    const struct top_hit *left = a;
    const struct top_hit *right = b;

    if (left->points != right->points)
        return left->points > right->points ? -1 : 1;
    return left->id < right->id ? -1 : left->id > right->id;
}

uint32_t
test_exact(struct test_world *world, const struct version *version, struct scan_query *query,
           uint32_t limit)
{
    static const char *const names[] = {"scalar", "avx2", "avx512"};
    struct top_hit *found = calloc(limit, sizeof *found);
    struct looking *looking = calloc(1, sizeof *looking);
    uint32_t expected;

    assert_non_null(found);
    assert_non_null(looking);
    looking->query = query;
    looking->hits = calloc(version->live + 1u, sizeof *looking->hits);
    assert_non_null(looking->hits);
    version_each(version, 0, look, looking);
    qsort(looking->hits, looking->count, sizeof *looking->hits, by_rank);
    expected = looking->count < limit ? (uint32_t)looking->count : limit;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct top top = {.items = found, .limit = limit};

        query->kernel = kernel_find(names[i]);
        if (!query->kernel)
            continue;
        assert_int_equal(top_run(version, query, world->scratch, &top).code, CODE_OK);
        assert_int_equal(top.count, expected);
        for (uint32_t j = 0; j < expected; j++) {
            assert_int_equal(found[j].points, looking->hits[j].points);
            assert_int_equal(found[j].id, looking->hits[j].id);
            assert_int_equal(place_id(&found[j].place), found[j].id);
        }
    }
    free(looking->hits);
    free(looking);
    free(found);
    return expected;
}

uint32_t
test_wishes(struct test_world *world, uint32_t count)
{
    struct version *version;
    uint32_t found = 0;

    assert_int_equal(engine_version(world->engine, &version).code, CODE_OK);
    for (uint32_t i = 0; i < count; i++) {
        struct wish wish;

        test_wish(world, &wish);
        found += test_exact(world, version, &wish.query, 1 + test_chance(world, LIMIT));
    }
    engine_give_back(world->engine, &version);
    assert_null(version);
    return found;
}
