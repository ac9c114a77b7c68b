#include "services/matching/engine/test_engine.h"

#include <pthread.h>

static void
every_kernel_finds_what_a_look_at_all_finds(void **state)
{
    (void)state;
    for (int lanes = 0; lanes < 2; lanes++) {
        struct test_world *world = test_world_create(1);

        world->lanes = lanes;
        assert_int_equal(test_wishes(world, 2), 0);
        for (int round = 0; round < 12; round++) {
            test_insert(world, 1 + test_chance(world, 700));
            test_remove_some(world, test_chance(world, 200));
            if (round % 3 == 2)
                assert_int_equal(engine_settle(world->engine, round % 2).code, CODE_OK);
            assert_true(test_wishes(world, 12) > 20);
        }
        test_world_destroy(world);
    }
}

static uint32_t
key_of(void *context, uint32_t number)
{
    (void)context;
    return (number % 3 ? 1u : 4u) << 16 | number % 50;
}

static void
read_one(void *context, uint32_t number, uint32_t *terms, struct document *ret)
{
    (void)context;
    *ret = (struct document){.id = number,
                             .terms = terms,
                             .classes = 1,
                             .region = number % 3 ? 1 : 4,
                             .order = (uint16_t)(number % 50),
                             .until = 100,
                             .grade = (uint8_t)(number % 31)};
    for (uint32_t step = 1; step < 24; step++)
        if (number % (step * step) == 0)
            terms[ret->term_count++] = 10 * step;
    if (number % 50 < 2)
        terms[ret->term_count++] = 280;
    if (number % 4000 == 0)
        terms[ret->term_count++] = 290;
}

/* Areas are full at 32,768 places; all three forms of a term occur. */
static void
large_regions_are_cut_into_areas(void **state)
{
    const struct base_source source = {120000, NULL, key_of, read_one};
    struct test_world *world = test_world_create(3);
    struct version *version;
    struct wish wish;
    unsigned forms = 0;
    struct document one = {.id = 5000000, .until = 100, .region = 1};

    (void)state;
    assert_int_equal(engine_load(world->engine, &source, 300).code, CODE_OK);
    assert_int_equal(engine_insert(world->engine, &one).code, CODE_OK);
    for (uint64_t id = 0; id < 120000; id += 11)
        assert_int_equal(engine_remove(world->engine, id, NULL, NULL).code, CODE_OK);
    assert_int_equal(engine_version(world->engine, &version).code, CODE_OK);
    assert_true(version->units[0].base->area_count > 3);
    for (uint32_t i = 0; i < version->units[0].base->term_count; i++)
        forms |= 1u << version->units[0].base->terms[i].form;
    assert_int_equal(forms, 1u << FORM_DENSE | 1u << FORM_NEAR | 1u << FORM_FAR);
    for (uint32_t i = 0; i < 10; i++) {
        test_wish(world, &wish);
        for (uint32_t j = 0; j < 10; j++)
            wish.terms[j] = (struct scan_term){10 * (3 * j + 2), (uint16_t)(50 + 7 * j), 0};
        wish.required[0] = i == 3 ? 290 : i == 5 ? 230 : 10 * (i % 3 + 1);
        wish.query.required_count = i % 2;
        wish.query.any_count = 0;
        assert_true(test_exact(world, version, &wish.query, LIMIT) > 0 ||
                    wish.region_points[1] == SCAN_CLOSED ||
                    wish.region_points[4] == SCAN_CLOSED || wish.query.required_count);
    }
    engine_give_back(world->engine, &version);
    test_world_destroy(world);
}

static void
sums_stop_at_the_greatest_number(void **state)
{
    struct test_world *world = test_world_create(5);
    struct version *version;
    struct wish wish;

    (void)state;
    test_insert(world, 600);
    assert_int_equal(engine_settle(world->engine, true).code, CODE_OK);
    test_insert(world, 30);
    assert_int_equal(engine_version(world->engine, &version).code, CODE_OK);
    test_wish(world, &wish);
    for (uint32_t i = 0; i < wish.query.term_count; i++)
        wish.terms[i].points = 40000;
    wish.query.required_count = wish.query.any_count = 0;
    for (uint32_t i = 0; i < REGIONS; i++)
        wish.region_points[i] = 30000;
    (void)test_exact(world, version, &wish.query, 600);
    engine_give_back(world->engine, &version);
    test_world_destroy(world);
}

static void
a_version_stays_as_it_was(void **state)
{
    struct test_world *world = test_world_create(7);
    struct version *before;
    struct wish wish;
    struct top_hit first[LIMIT], second[LIMIT];
    struct top a = {first, 0, LIMIT};
    struct top b = {second, 0, LIMIT};
    const uint32_t live = 900;

    (void)state;
    test_insert(world, live);
    test_wish(world, &wish);
    wish.query.required_count = 0;
    assert_int_equal(engine_version(world->engine, &before).code, CODE_OK);
    assert_int_equal(top_run(before, &wish.query, world->scratch, &a).code, CODE_OK);
    assert_true(a.count > 0);
    for (uint32_t i = 0; i < 5; i++) {
        test_remove_some(world, 300);
        test_insert(world, 400);
        assert_int_equal(engine_settle(world->engine, i % 2).code, CODE_OK);
    }
    assert_int_equal(before->live, live);
    assert_int_equal(top_run(before, &wish.query, world->scratch, &b).code, CODE_OK);
    assert_int_equal(a.count, b.count);
    for (uint32_t i = 0; i < a.count; i++) {
        assert_int_equal(a.items[i].id, b.items[i].id);
        assert_int_equal(a.items[i].points, b.items[i].points);
        assert_non_null(*(int **)place_item(&b.items[i].place)); /* not given back */
    }
    engine_give_back(world->engine, &before);
    test_world_destroy(world);
}

static bool
is_item(void *context, void *item)
{
    return context == item;
}

static void
an_update_is_seen_by_the_next_version_alone(void **state)
{
    struct test_world *world = test_world_create(9);
    struct document document = test_document(world);
    void *old_item = document.item;
    struct version *before, *after;
    struct place place;

    (void)state;
    assert_int_equal(engine_insert(world->engine, &document).code, CODE_OK);
    assert_int_equal(engine_version(world->engine, &before).code, CODE_OK);
    document.item = test_item(world);
    assert_int_equal(engine_insert(world->engine, &document).code, CODE_OK);
    assert_int_equal(engine_remove(world->engine, document.id, is_item, old_item).code,
                     CODE_OK);
    assert_int_equal(engine_remove(world->engine, document.id, is_item, old_item).code,
                     CODE_NOT_FOUND);
    assert_int_equal(engine_version(world->engine, &after).code, CODE_OK);
    assert_true(version_find(before, document.id, NULL, NULL, &place));
    assert_ptr_equal(place_item(&place), old_item);
    assert_true(version_find(after, document.id, NULL, NULL, &place));
    assert_ptr_equal(place_item(&place), document.item);
    assert_int_equal(world->items_out, 2);
    engine_give_back(world->engine, &after);
    assert_int_equal(world->items_out, 2); /* `before` has it still */
    engine_give_back(world->engine, &before);
    assert_int_equal(world->items_out, 1);
    test_world_destroy(world);
}

/* Whether the eight bytes of a number stand anywhere in a base. */
static bool
holds(const struct base *base, uint64_t number)
{
    for (size_t i = 0; i < base->bulk_count; i++)
        for (size_t at = 0; at + sizeof number <= base->bulks[i].size; at += sizeof number)
            if (memcmp((const char *)base->bulks[i].memory + at, &number, sizeof number) == 0)
                return true;
    return false;
}

static void
what_is_purged_is_nowhere(void **state)
{
    const uint64_t secret = UINT64_C(0xfeedfacecafebeef);
    struct test_world *world = test_world_create(11);
    struct document document = test_document(world);
    struct version *version;

    (void)state;
    document.id = secret;
    test_insert(world, 500);
    assert_int_equal(engine_insert(world->engine, &document).code, CODE_OK);
    test_insert(world, 500);
    assert_int_equal(engine_settle(world->engine, true).code, CODE_OK);
    assert_int_equal(engine_version(world->engine, &version).code, CODE_OK);
    assert_int_equal(version->unit_count, 1);
    assert_true(holds(version->units[0].base, secret));
    engine_give_back(world->engine, &version);
    assert_int_equal(engine_remove(world->engine, secret, NULL, NULL).code, CODE_OK);
    assert_int_equal(world->items_out, 1000);
    assert_int_equal(engine_settle(world->engine, true).code, CODE_OK);
    assert_int_equal(engine_version(world->engine, &version).code, CODE_OK);
    assert_int_equal(version->unit_count, 1);
    assert_int_equal(version->units[0].dead_count, 0);
    assert_int_equal(version->live, 1000);
    assert_false(holds(version->units[0].base, secret));
    engine_give_back(world->engine, &version);
    test_world_destroy(world);
}

static void
a_purge_takes_tails_and_bases_beside_the_writer(void **state)
{
    const uint64_t secrets[2] = {UINT64_C(0xfeedfacecafebeef), UINT64_C(0xdecafbadc0ffee11)};
    struct test_world *world = test_world_create(19);
    struct version *version;

    (void)state;
    for (int i = 0; i < 2; i++) {
        struct document document = test_document(world);

        document.id = secrets[i];
        assert_int_equal(engine_insert(world->engine, &document).code, CODE_OK);
        if (i == 0) {
            test_insert(world, 700);
            assert_int_equal(engine_settle(world->engine, true).code, CODE_OK);
        }
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(engine_remove(world->engine, secrets[i], NULL, NULL).code, CODE_OK);
    engine_purge(world->engine);
    test_insert(world, 5); /* these come while the merge is under way */
    assert_int_equal(engine_settle(world->engine, false).code, CODE_OK);
    assert_int_equal(engine_version(world->engine, &version).code, CODE_OK);
    assert_int_equal(version->live, 705);
    assert_int_equal(version->unit_count, 2);
    assert_int_equal(version->units[0].dead_count, 0);
    assert_int_equal(version->units[1].places, 5);
    for (int i = 0; i < 2; i++)
        assert_false(holds(version->units[0].base, secrets[i]));
    engine_give_back(world->engine, &version);
    assert_true(test_wishes(world, 10) > 0);
    test_world_destroy(world);
}

static void
what_passes_a_limit_is_refused(void **state)
{
    struct test_world *world = test_world_create(13);
    struct document document = test_document(world);
    const struct document good = document;
    static struct scan_term many[SCAN_TERMS_MAX + 1];
    struct scan_sink sink = {0};
    struct scan_query query = {.terms = many, .term_count = COUNT_OF(many)};
    struct version *version;

    (void)state;
    document.region = DOCUMENT_REGIONS_MAX;
    assert_int_equal(engine_insert(world->engine, &document).code, CODE_INVALID_ARGUMENT);
    document = good;
    document.grade = DOCUMENT_GRADES;
    assert_int_equal(engine_insert(world->engine, &document).code, CODE_INVALID_ARGUMENT);
    document = good;
    document.classes = 1u << CLASSES;
    assert_int_equal(engine_insert(world->engine, &document).code, CODE_INVALID_ARGUMENT);
    document = good;
    world->terms[1] = world->terms[0];
    assert_int_equal(engine_insert(world->engine, &document).code, CODE_INVALID_ARGUMENT);
    assert_int_equal(engine_state(world->engine).live, 0);
    test_drop(good.item);
    assert_int_equal(engine_version(world->engine, &version).code, CODE_OK);
    assert_int_equal(scan_run(version, &query, world->scratch, &sink).code,
                     CODE_INVALID_ARGUMENT);
    query.term_count = 2;
    many[0].lane = 1;
    assert_int_equal(scan_run(version, &query, world->scratch, &sink).code,
                     CODE_INVALID_ARGUMENT);
    engine_give_back(world->engine, &version);
    test_world_destroy(world);
}

#define READERS 2
#define VERSIONS 40

struct reading {
    struct version *version;
    struct wish wish;
    uint32_t found[2];
};

static void *
read_twice(void *context)
{
    struct reading *reading = context;
    struct scan_scratch *scratch;

    assert_int_equal(scan_scratch_create(&scratch).code, CODE_OK);
    for (int i = 0; i < 2; i++) {
        struct top_hit hits[LIMIT];
        struct top top = {hits, 0, LIMIT};

        assert_int_equal(top_run(reading->version, &reading->wish.query, scratch, &top).code,
                         CODE_OK);
        for (uint32_t j = 0; j < top.count; j++)
            reading->found[i] = reading->found[i] * 31 + (uint32_t)hits[j].id;
    }
    scan_scratch_destroy(&scratch);
    return NULL;
}

/* Readers look at a version while the writer goes on and merges run beside both. */
static void
readers_and_the_writer_do_not_meet(void **state)
{
    struct test_world *world = test_world_create(17);

    (void)state;
    test_insert(world, 2000);
    for (int round = 0; round < VERSIONS; round++) {
        struct reading readings[READERS] = {0};
        pthread_t threads[READERS];

        for (int i = 0; i < READERS; i++) {
            test_wish(world, &readings[i].wish);
            assert_int_equal(engine_version(world->engine, &readings[i].version).code, CODE_OK);
            assert_int_equal(pthread_create(&threads[i], NULL, read_twice, &readings[i]), 0);
        }
        test_insert(world, 60);
        test_remove_some(world, 60);
        for (int i = 0; i < READERS; i++) {
            assert_int_equal(pthread_join(threads[i], NULL), 0);
            assert_int_equal(readings[i].found[0], readings[i].found[1]);
            engine_give_back(world->engine, &readings[i].version);
        }
    }
    assert_int_equal(engine_settle(world->engine, false).code, CODE_OK);
    assert_true(engine_state(world->engine).merges > 3);
    assert_true(test_wishes(world, 10) > 0);
    test_world_destroy(world);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel_finds_what_a_look_at_all_finds),
        cmocka_unit_test(large_regions_are_cut_into_areas),
        cmocka_unit_test(sums_stop_at_the_greatest_number),
        cmocka_unit_test(a_version_stays_as_it_was),
        cmocka_unit_test(an_update_is_seen_by_the_next_version_alone),
        cmocka_unit_test(what_is_purged_is_nowhere),
        cmocka_unit_test(a_purge_takes_tails_and_bases_beside_the_writer),
        cmocka_unit_test(what_passes_a_limit_is_refused),
        cmocka_unit_test(readers_and_the_writer_do_not_meet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
