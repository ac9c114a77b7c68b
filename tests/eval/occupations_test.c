/* Skills to the right occupation among 2,802: ESCO 1.1.1. */

#include <math.h>

#include "services/matching/engine/kernel.h"
#include "tests/eval/place.h"

#define LEAST_SKILLS 10
#define DRAWN 5
#define UNRELATED 2
#define OCCUPATIONS 2802
#define LIMIT 100
#define EVAL_HALVES_LEAST 0.20
#define ORACLE_BEST 50
#define ORACLE_STEP 7 /* each seventh need */

static struct arena arena;
static struct eval_data data;

static int
set_up(void **state)
{
    const char *english, *relations;

    (void)state;
    arena_init(&arena, (size_t)1 << 30);
    english = eval_path(&arena, EVAL_DATA, "esco/esco-1.1.1-en-csv.zip");
    relations = eval_path(&arena, EVAL_DATA, "esco/esco-1.1.1-relations-csv.zip");
    if (!english || !relations)
        return 0;
    assert_int_equal(eval_read_esco(&arena, english, relations, LEAST_SKILLS, &data).code,
                     CODE_OK);
    assert_int_equal(data.occupation_count, OCCUPATIONS);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static void
skip_without_data(void)
{
    if (data.occupation_count > 0)
        return;
    print_message("the published data of ESCO is not there\n");
    skip();
}

static void
shuffle(uint32_t *items, size_t count, uint64_t *seed)
{
    for (size_t i = count; i > 1; i--) {
        const size_t other = eval_random(seed) % i;
        const uint32_t item = items[i - 1];

        items[i - 1] = items[other];
        items[other] = item;
    }
}

static bool
has(const struct eval_occupation *occupation, uint32_t skill)
{
    for (size_t i = 0; i < occupation->count; i++)
        if (occupation->skills[i] == skill)
            return true;
    return false;
}

/* Where the occupation of the same number stands, from 1; 0: not among the first. */
static size_t
place_of(struct eval_place *place, uint32_t number)
{
    uint32_t found[LIMIT];
    const size_t count = eval_search(place, number, LIMIT, found);

    for (size_t i = 0; i < count; i++)
        if (found[i] == number)
            return i + 1;
    return 0;
}

static double
reciprocal(size_t at)
{
    return at ? 1.0 / (double)at : 0;
}

/* The mean over ties of 1 / place under the best ranking there is: by how likely the draw is
 * from each occupation, which for equally many met skills is the one with the fewest. */
static double
best_reciprocal(const uint32_t *drawn, uint32_t right)
{
    double mine = 0, sum = 0;
    size_t better = 0, equal = 0;
    double *likely = calloc(data.occupation_count, sizeof *likely);

    assert_non_null(likely);
    for (size_t i = 0; i < data.occupation_count; i++)
        for (size_t j = 0; j < DRAWN + UNRELATED; j++)
            if (has(&data.occupations[i], drawn[j]))
                likely[i] += log1p((double)DRAWN / UNRELATED * (double)data.skill_count /
                                   (double)data.occupations[i].count);
    mine = likely[right];
    for (size_t i = 0; i < data.occupation_count; i++) {
        better += likely[i] > mine + 1e-9;
        equal += fabs(likely[i] - mine) <= 1e-9; /* itself too */
    }
    free(likely);
    for (size_t i = 0; i < equal; i++)
        sum += 1.0 / (double)(better + i + 1);
    return sum / (double)equal;
}

/* Whether they are, or the test ends here. */
static bool
same_hits(struct hits found, struct hits expected)
{
    assert_int_equal(found.count, expected.count);
    for (size_t i = 0; i < found.count; i++) {
        assert_ptr_equal(found.items[i].profile, expected.items[i].profile);
        assert_memory_equal(&found.items[i].score, &expected.items[i].score,
                            sizeof(struct score));
    }
    return true;
}

/* The occupation offers all its skills; the need of the same number has `taken` of them, and
 * `noise` that it does not have: together they are `drawn`. */
static void
put_noisy(struct eval_place *place, uint32_t number, size_t taken, size_t noise, uint64_t *seed,
          uint32_t *drawn)
{
    const struct eval_occupation *occupation = &data.occupations[number];

    eval_put(place, KIND_CAPABILITY, number, occupation->skills, occupation->count, LANG_EN,
             "");
    shuffle(occupation->skills, occupation->count, seed);
    memcpy(drawn, occupation->skills, taken * sizeof *drawn);
    for (size_t j = taken; j < taken + noise;) {
        drawn[j] = data.skills[eval_random(seed) % data.skill_count];
        j += !has(occupation, drawn[j]);
    }
    eval_put(place, KIND_NEED, number, drawn, taken + noise, LANG_EN, "");
}

static double
mean_reciprocal(struct eval_place *place)
{
    double sum = 0;

    eval_ready(place);
    for (uint32_t i = 0; i < data.occupation_count; i++)
        sum += reciprocal(place_of(place, i));
    return sum / OCCUPATIONS;
}

/* What any ranking can reach is known here: the skills are drawn evenly.  The score must come
 * within a hundredth of it. */
static void
five_skills_and_two_unrelated_ones_lead_to_their_occupation(void **state)
{
    struct eval_place place;
    uint64_t seed = 7;
    double mean, best = 0;

    (void)state;
    skip_without_data();
    eval_place_init(&place, &data);
    for (uint32_t i = 0; i < data.occupation_count; i++) {
        uint32_t drawn[DRAWN + UNRELATED];

        put_noisy(&place, i, DRAWN, UNRELATED, &seed, drawn);
        best += best_reciprocal(drawn, i) / OCCUPATIONS;
    }
    mean = mean_reciprocal(&place);
    print_message("five of an occupation's skills: MRR %.3f; the best possible %.3f\n", mean,
                  best);
    assert_true(mean > 0.87);
    assert_true(mean > best - 0.01);
    eval_place_fini(&place);
}

static void
half_of_the_skills_with_noise_leads_to_the_occupation(void **state)
{
    struct eval_place place;
    uint64_t seed = 13;
    double mean;

    (void)state;
    skip_without_data();
    eval_place_init(&place, &data);
    for (uint32_t i = 0; i < data.occupation_count; i++) {
        const size_t half = data.occupations[i].count / 2, noise = half / 2;
        uint32_t *drawn = calloc(half + noise, sizeof *drawn);

        assert_non_null(drawn);
        put_noisy(&place, i, half, noise, &seed, drawn);
        free(drawn);
    }
    mean = mean_reciprocal(&place);
    print_message("half of an occupation's skills and noise: MRR %.3f\n", mean);
    assert_true(mean > 0.90);
    eval_place_fini(&place);
}

static void
one_half_of_the_skills_leads_to_the_other(void **state)
{
    struct eval_place place;
    uint64_t seed = 11;
    double gain = 0;

    (void)state;
    skip_without_data();
    eval_place_init(&place, &data);
    for (uint32_t i = 0; i < data.occupation_count; i++) {
        const struct eval_occupation *occupation = &data.occupations[i];
        const size_t half = occupation->count / 2;

        shuffle(occupation->skills, occupation->count, &seed);
        eval_put(&place, KIND_NEED, i, occupation->skills, half, LANG_EN, "");
        eval_put(&place, KIND_CAPABILITY, i, occupation->skills + half,
                 occupation->count - half, LANG_EN, "");
    }
    eval_ready(&place);
    for (uint32_t i = 0; i < data.occupation_count; i++) {
        const size_t at = place_of(&place, i);

        if (at > 0 && at <= 10)
            gain += 1 / log2((double)at + 1);
    }
    print_message("one half to the other: nDCG@10 %.3f\n", gain / OCCUPATIONS);
    assert_true(gain / OCCUPATIONS > EVAL_HALVES_LEAST);
    eval_place_fini(&place);
}

/* The index against the oracle: for every occupation that is asked for, the same fifty with the
 * same points, by each kernel that this machine can run. */
static void
the_index_finds_what_a_look_at_every_occupation_finds(void **state)
{
    static const char *const names[] = {"scalar", "avx2", "avx512"};
    struct eval_place place;
    uint64_t seed = 17;
    size_t kernels = 0, compared = 0, full = 0;

    (void)state;
    skip_without_data();
    eval_place_init(&place, &data);
    for (uint32_t i = 0; i < data.occupation_count; i++) {
        uint32_t drawn[DRAWN + UNRELATED];

        put_noisy(&place, i, DRAWN, UNRELATED, &seed, drawn);
    }
    eval_settle(&place);
    eval_ready(&place);
    for (size_t kernel = 0; kernel < COUNT_OF(names); kernel++)
        kernels += kernel_find(names[kernel]) != NULL;
    for (uint32_t need = 0; need < OCCUPATIONS; need += ORACLE_STEP) {
        scoped(arena_fini) struct arena scratch;
        struct hits expected;

        arena_init(&scratch, (size_t)64 << 20);
        expected = eval_brute_force(&place, need, ORACLE_BEST, &scratch);
        assert_true(expected.count > 0); /* some needs have fewer than fifty */
        full += expected.count == ORACLE_BEST;
        for (size_t kernel = 0; kernel < COUNT_OF(names); kernel++) {
            const struct kernel *forced = kernel_find(names[kernel]);

            if (!forced)
                continue;
            compared +=
                same_hits(eval_hits(&place, need, ORACLE_BEST, forced, &scratch), expected);
        }
    }
    print_message("%zu answers of up to fifty by %zu kernels: those of the oracle\n", compared,
                  kernels);
    assert_true(full > 300);
    assert_int_equal(compared, kernels * ((OCCUPATIONS + ORACLE_STEP - 1) / ORACLE_STEP));
    eval_place_fini(&place);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(five_skills_and_two_unrelated_ones_lead_to_their_occupation),
        cmocka_unit_test(half_of_the_skills_with_noise_leads_to_the_occupation),
        cmocka_unit_test(the_index_finds_what_a_look_at_every_occupation_finds),
        cmocka_unit_test(one_half_of_the_skills_leads_to_the_other),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
