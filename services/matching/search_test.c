#include "services/matching/search.h"

#include "services/matching/test_world.h"

#define PROFILES 600
#define NEEDS 60

static int
set_up(void **state)
{
    struct world *world = malloc(sizeof *world);

    assert_non_null(world);
    world_init(world);
    *state = world;
    return 0;
}

static int
tear_down(void **state)
{
    world_fini(*state);
    free(*state);
    return 0;
}

static struct hits
run(struct world *world, const struct search *search)
{
    struct hits hits;

    assert_int_equal(search_run(world->snapshot, search, &world->arena, &hits).code, CODE_OK);
    return hits;
}

/* What search_run finds is what a look at every profile finds, to the last point. */
static void
assert_exact(struct world *world, const struct search *search)
{
    const struct hits got = run(world, search);
    const struct hits expected = world_brute_force(world, search);

    assert_int_equal(got.count, expected.count);
    for (size_t i = 0; i < got.count; i++) {
        assert_ptr_equal(got.items[i].profile, expected.items[i].profile);
        assert_memory_equal(&got.items[i].score, &expected.items[i].score,
                            sizeof(struct score));
    }
}

static void
fill_by_chance(struct world *world)
{
    struct profile_row *rows = calloc(PROFILES, sizeof *rows);
    static const enum kind offers[] = {KIND_PERSON, KIND_CAPABILITY, KIND_INFRASTRUCTURE};

    assert_non_null(rows);
    for (unsigned i = 0; i < PROFILES; i++)
        rows[i] = i < NEEDS ? world_random_row(world, KIND_NEED, i)
                            : world_random_row(world, offers[i % 3], i);
    for (size_t i = 0; i < PROFILES; i += 37)
        world_put(world, &rows[i], PROFILES - i < 37 ? PROFILES - i : 37);
    free(rows);
}

struct comparing {
    struct world *world;
    size_t seen, found;
    size_t lessened[2]; /* by wishes: found by who seeks, and by who offers */
};

static bool
compare(void *context, const struct profile *subject)
{
    struct comparing *comparing = context;
    struct search search = world_search(comparing->world, subject);

    if (subject->kind != KIND_NEED && comparing->seen++ % 7)
        return true;
    search.limit = 1 + world_random(comparing->world, SEARCH_LIMIT_MAX);
    assert_exact(comparing->world, &search);
    const struct hits hits = run(comparing->world, &search);
    comparing->found += hits.count;
    for (size_t i = 0; i < hits.count; i++)
        comparing->lessened[subject->kind != KIND_NEED] +=
            hits.items[i].score.parts[PART_WISHES] > 0;
    return true;
}

static size_t
compare_all(struct world *world)
{
    struct comparing comparing = {.world = world};

    snapshot_each(world->snapshot, 0, compare, &comparing);
    assert_true(comparing.lessened[0] > 20 && comparing.lessened[1] > 20);
    return comparing.found;
}

/* In a tail, in a base, and in both. */
static void
scans_and_brute_force_agree_on_profiles_by_chance(void **state)
{
    struct world *world = *state;

    fill_by_chance(world);
    assert_non_null(world->snapshot->version->units[0].tail);
    assert_true(compare_all(world) > 500);
    world_settle(world);
    assert_non_null(world->snapshot->version->units[0].base);
    assert_true(compare_all(world) > 500);
    fill_by_chance(world);
    assert_int_equal(world->snapshot->version->unit_count, 2);
    assert_true(compare_all(world) > 500);
    world->rules.boosts[0] = (struct boost){BOOST_SME, 0, 30000, SCORE_BOOST_POINTS_MAX};
    world->rules.boost_count = 1;
    assert_true(compare_all(world) > 500);
}

/* As a load does it. */
static void
an_index_filled_at_once_finds_what_brute_force_finds_and_takes_changes(void **state)
{
    static const enum kind kinds[] = {KIND_NEED, KIND_PERSON, KIND_CAPABILITY};
    struct world *world = *state;
    struct profile_row rows[PROFILES];

    for (unsigned i = 0; i < PROFILES; i++)
        rows[i] = world_random_row(world, kinds[i % 3], i);
    for (size_t i = 0; i < PROFILES; i += 200)
        assert_int_equal(index_gather(world->index, &rows[i], 200, &world->arena).code,
                         CODE_OK);
    assert_int_equal(index_fill(world->index).code, CODE_OK);
    world_settle(world);
    assert_int_equal(world->snapshot->live, PROFILES);
    assert_int_equal(world->snapshot->version->unit_count, 1);
    assert_true(compare_all(world) > 500);
    world_remove(world, KIND_NEED, 0);
    world_put(world, &rows[1], 50); /* those that are there already */
    assert_int_equal(world->snapshot->live, PROFILES - 1);
    assert_true(compare_all(world) > 500);
}

static void
they_agree_after_updates_and_removals_too(void **state)
{
    struct world *world = *state;

    fill_by_chance(world);
    for (unsigned i = 0; i < 150; i++) {
        const unsigned number = world_random(world, NEEDS);

        if (i % 3) {
            const struct profile_row row = world_random_row(world, KIND_NEED, number);
            world_put(world, &row, 1);
        } else {
            world_remove(world, KIND_NEED, number);
        }
    }
    assert_true(compare_all(world) > 200);
    world_settle(world);
    assert_true(compare_all(world) > 200);
}

static bool
compare_with_a_least_score(void *context, const struct profile *subject)
{
    struct comparing *comparing = context;
    struct search search = world_search(comparing->world, subject);

    if (profile_kind_seeks((enum kind)subject->kind))
        return true;
    search.limit = SEARCH_LIMIT_MAX;
    search.least_total = world_random(comparing->world, 70000);
    assert_exact(comparing->world, &search);
    comparing->found += run(comparing->world, &search).count;
    return true;
}

/* Seekers that cannot reach it need no query; also when no substance is asked for. */
static void
passing_over_seekers_that_cannot_reach_the_least_score_changes_nothing(void **state)
{
    struct world *world = *state;
    struct comparing comparing = {.world = world};

    fill_by_chance(world);
    snapshot_each(world->snapshot, 0, compare_with_a_least_score, &comparing);
    world->rules.substance_min = 0;
    snapshot_each(world->snapshot, 0, compare_with_a_least_score, &comparing);
    assert_true(comparing.found > 500);
}

/* A replica with another past: all at once, what the first has after many changes. */
static void
scores_do_not_depend_on_the_history_of_the_index(void **state)
{
    struct world *world = *state;
    struct world other;
    struct profile_row rows[80];
    struct profile_row older = world_random_row(world, KIND_PERSON, 17);

    world_init(&other);
    world_put(world, &older, 1);
    for (unsigned i = 0; i < COUNT_OF(rows); i++)
        rows[i] = world_random_row(world, i < 10 ? KIND_NEED : KIND_PERSON, i);
    for (unsigned i = 0; i < COUNT_OF(rows); i++)
        world_put(world, &rows[i], 1);
    world_remove(world, KIND_PERSON, 70);
    world_put(&other, rows, 70);
    world_put(&other, &rows[71], 9);
    for (unsigned i = 0; i < 10; i++) {
        const struct search here = world_search(world, world_find(world, KIND_NEED, i));
        const struct search there = world_search(&other, world_find(&other, KIND_NEED, i));
        const struct hits a = run(world, &here);
        const struct hits b = run(&other, &there);

        assert_int_equal(a.count, b.count);
        for (size_t j = 0; j < a.count; j++) {
            assert_true(uid_equal(&a.items[j].profile->id, &b.items[j].profile->id));
            assert_memory_equal(&a.items[j].score, &b.items[j].score, sizeof(struct score));
        }
    }
    world_fini(&other);
}

static void
the_score_of_a_pair_is_the_same_from_both_sides(void **state)
{
    struct world *world = *state;

    fill_by_chance(world);
    for (unsigned i = 0; i < NEEDS; i++) {
        const struct profile *need = world_find(world, KIND_NEED, i);
        struct search search = world_search(world, need);
        struct hits hits;

        search.viewer = NULL;
        search.limit = 3;
        hits = run(world, &search);
        for (size_t j = 0; j < hits.count; j++) {
            struct search back = world_search(world, hits.items[j].profile);
            bool met = false;
            struct hits needs;

            back.viewer = NULL;
            needs = run(world, &back);
            for (size_t k = 0; k < needs.count; k++)
                if (needs.items[k].profile == need) {
                    met = true;
                    assert_int_equal(needs.items[k].score.total, hits.items[j].score.total);
                }
            assert_true(met || needs.count == SEARCH_LIMIT_MAX);
        }
    }
}

static void
another_tenants_private_profile_never_appears(void **state)
{
    struct world *world = *state;
    struct uid viewer;
    size_t foreign = 0;

    fill_by_chance(world);
    assert_true(uid_parse(world_tenant(world, 0), &viewer));
    for (unsigned i = 0; i < NEEDS; i++) {
        const struct search search = world_search(world, world_find(world, KIND_NEED, i));
        const struct hits hits = run(world, &search);

        for (size_t j = 0; j < hits.count; j++) {
            const struct profile *hit = hits.items[j].profile;
            bool shared = false;

            for (size_t k = 0; k < hit->shared_count; k++)
                shared = shared || uid_equal(&hit->shared_with[k], &viewer);
            if (uid_equal(&hit->tenant, &viewer))
                continue;
            foreign++;
            assert_true(hit->visibility == VISIBLE_PUBLIC ||
                        (hit->visibility == VISIBLE_SHARED && shared));
        }
    }
    assert_true(foreign > 100);
}

static void
equal_scores_are_ordered_by_id(void **state)
{
    struct world *world = *state;
    struct profile_row rows[30];
    struct search search;
    struct hits hits;

    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        rows[i] = world_row(world, i ? KIND_PERSON : KIND_NEED, 100 - i);
        world_wants(world, &rows[i], WELDING, 1000);
    }
    world_put(world, rows, COUNT_OF(rows));
    search = world_search(world, world_find(world, KIND_NEED, 100));
    search.limit = 10;
    hits = run(world, &search);
    assert_int_equal(hits.count, 10);
    for (unsigned i = 0; i < hits.count; i++)
        assert_ptr_equal(hits.items[i].profile, world_find(world, KIND_PERSON, 71 + i));
}

static void
a_removed_profile_is_found_no_more_and_leaves_the_counts(void **state)
{
    struct world *world = *state;
    struct profile_row rows[2] = {world_row(world, KIND_NEED, 1),
                                  world_row(world, KIND_PERSON, 2)};
    struct search search;
    uint32_t with = 0;

    world_wants(world, &rows[0], WELDING, 1000);
    world_wants(world, &rows[1], WELDING, 1000);
    rows[1].text[LANG_SV] = "Svetsning av rostfritt stål.";
    world_put(world, rows, 2);
    search = world_search(world, world_find(world, KIND_NEED, 1));
    assert_int_equal(run(world, &search).count, 1);
    world_remove(world, KIND_PERSON, 2);
    search = world_search(world, world_find(world, KIND_NEED, 1));
    assert_int_equal(run(world, &search).count, 0);
    assert_null(world_find(world, KIND_PERSON, 2));
    assert_int_equal(world->snapshot->live, 1);
    for (uint32_t term = 0; term < world->snapshot->term_count; term++)
        with += world->snapshot->profiles_with[term];
    assert_int_equal(with, world_find(world, KIND_NEED, 1)->term_count);
    world_remove(world, KIND_NEED, 1);
    assert_int_equal(world->snapshot->live, 0);
    world_settle(world);
    assert_int_equal(world->snapshot->version->unit_count, 0);
    world_remove(world, KIND_NEED, 1); /* once more is no harm */
}

static void
wanted_kinds_person_kinds_region_and_least_score_narrow(void **state)
{
    static const char *const graduates[] = {"graduate"};
    struct world *world = *state;
    struct profile_row rows[5];
    struct search search;

    rows[0] = world_row(world, KIND_NEED, 0);
    for (unsigned i = 1; i < 5; i++)
        rows[i] = world_row(world, i < 4 ? KIND_PERSON : KIND_INFRASTRUCTURE, i);
    for (unsigned i = 0; i < 5; i++)
        world_wants(world, &rows[i], i == 3 ? HEAT_PUMPS : ENERGY_EFFICIENCY, 1000);
    rows[1].person_kind = "graduate";
    rows[1].nuts = "SE312";
    world_put(world, rows, 5);
    search = world_search(world, world_find(world, KIND_NEED, 0));
    assert_int_equal(run(world, &search).count, 4);
    search.kinds = 1u << KIND_INFRASTRUCTURE;
    assert_int_equal(run(world, &search).count, 1);
    search.kinds = 0;
    search.person_kinds = graduates;
    search.person_kind_count = 1;
    assert_int_equal(run(world, &search).count, 2); /* and the equipment */
    search.person_kind_count = 0;
    search.nuts = "SE3";
    assert_int_equal(run(world, &search).count, 1);
    search.nuts = "";
    search.least_total = 40000;
    assert_int_equal(run(world, &search).count, 3);
}

int
main(void)
{
#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WORLD_TEST(scans_and_brute_force_agree_on_profiles_by_chance),
        WORLD_TEST(an_index_filled_at_once_finds_what_brute_force_finds_and_takes_changes),
        WORLD_TEST(they_agree_after_updates_and_removals_too),
        WORLD_TEST(passing_over_seekers_that_cannot_reach_the_least_score_changes_nothing),
        WORLD_TEST(scores_do_not_depend_on_the_history_of_the_index),
        WORLD_TEST(the_score_of_a_pair_is_the_same_from_both_sides),
        WORLD_TEST(another_tenants_private_profile_never_appears),
        WORLD_TEST(equal_scores_are_ordered_by_id),
        WORLD_TEST(a_removed_profile_is_found_no_more_and_leaves_the_counts),
        WORLD_TEST(wanted_kinds_person_kinds_region_and_least_score_narrow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
