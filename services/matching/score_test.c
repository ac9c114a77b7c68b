#include "services/matching/score.h"

#include "services/matching/test_world.h"
#include "services/matching/wishes.h"

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

/* A need and a person who fit: each test changes one thing. */
struct pair {
    struct profile_row need, person;
};

static struct pair
make_pair(struct world *world)
{
    struct pair pair = {world_row(world, KIND_NEED, 1), world_row(world, KIND_PERSON, 2)};

    world_wants(world, &pair.need, WELDING, 1000);
    world_wants(world, &pair.person, WELDING, 1000);
    return pair;
}

static bool
admitted(struct world *world, const struct pair *pair)
{
    const struct profile_row rows[] = {pair->need, pair->person};
    const struct profile *person;

    world_put(world, rows, 2);
    person = world_find(world, profile_kind_parse(pair->person.kind), 2);
    return score_admits(&world->context,
                        world_find(world, profile_kind_parse(pair->need.kind), 1), person);
}

static struct score
scored(struct world *world, const struct pair *pair)
{
    const struct profile_row rows[] = {pair->need, pair->person};
    struct score_statistics statistics;
    struct query query;
    struct score score;

    world_put(world, rows, 2);
    statistics = snapshot_statistics(world->snapshot);
    assert_int_equal(query_make(world_find(world, profile_kind_parse(pair->need.kind), 1),
                                &statistics, &world->arena, &query)
                         .code,
                     CODE_OK);
    assert_true(score_pair(&world->context, &query, world_find(world, KIND_PERSON, 2), &score));
    return score;
}

static void
dates_must_meet(void **state)
{
    struct world *world = *state;
    struct pair pair = make_pair(world);

    assert_true(admitted(world, &pair));
    pair.need.valid_until = "2026-11-22"; /* its last day is today */
    assert_true(admitted(world, &pair));
    pair.need.valid_until = "2026-11-21";
    assert_false(admitted(world, &pair));
    pair.need.valid_until = "2027-01-31";
    pair.person.available_from = "2027-02-01";
    assert_false(admitted(world, &pair));
    pair.person.available_from = "2027-01-31";
    assert_true(admitted(world, &pair));
    pair.person.valid_until = "2026-11-21";
    assert_false(admitted(world, &pair));
}

static void
a_language_must_be_shared_where_both_name_any(void **state)
{
    static const char *swedish[] = {"sv"};
    static const char *others[] = {"fi", "en"};
    static const char *regional[] = {"fi", "sv-FI"};
    struct world *world = *state;
    struct pair pair = make_pair(world);

    pair.need.languages = swedish;
    pair.need.language_count = 1;
    assert_true(admitted(world, &pair));
    pair.person.languages = others;
    pair.person.language_count = 2;
    assert_false(admitted(world, &pair));
    pair.person.languages = regional;
    assert_true(admitted(world, &pair));
}

static void
who_is_full_or_of_the_same_owner_is_left_out(void **state)
{
    struct world *world = *state;
    struct pair pair = make_pair(world);

    pair.person.capacity = 0;
    assert_false(admitted(world, &pair));
    pair.person.capacity = 1;
    assert_true(admitted(world, &pair));
    pair.need.owner_organisation_id = world_id(world, 0xa00, 1);
    pair.person.owner_organisation_id = world_id(world, 0xa00, 2);
    assert_true(admitted(world, &pair));
    pair.person.owner_organisation_id = world_id(world, 0xa00, 1);
    assert_false(admitted(world, &pair));
}

static void
kinds_pair_as_the_domain_says(void **state)
{
    struct world *world = *state;
    struct pair pair = make_pair(world);

    pair.need.kind = "placement";
    pair.need.id = world_id(world, KIND_PLACEMENT, 1);
    assert_true(admitted(world, &pair));
    pair.person.person_kind = "student";
    assert_false(admitted(world, &pair));
    pair.person.person_kind = "graduate";
    assert_true(admitted(world, &pair));
    pair.person.kind = "infrastructure";
    pair.person.id = world_id(world, KIND_INFRASTRUCTURE, 2);
    assert_false(admitted(world, &pair));
}

static void
a_full_match_has_a_hundred_thousand_points_but_for_the_words_roundings(void **state)
{
    static const char *fields[] = {"0715"};
    static const char *focus[] = {"process"};
    struct world *world = *state;
    struct pair pair = make_pair(world);
    struct profile_row others[20];
    struct score score;

    for (unsigned i = 0; i < COUNT_OF(others); i++)
        others[i] = world_row(world, KIND_PERSON, 100 + i);
    world_put(world, others, COUNT_OF(others));
    pair.need.text[LANG_SV] = pair.person.text[LANG_SV] = "Robotar fogar plåt i serier";
    pair.need.nuts = pair.person.nuts = "SE312";
    pair.need.isced_f = pair.person.isced_f = fields;
    pair.need.isced_f_count = pair.person.isced_f_count = 1;
    pair.need.eqf = 6;
    pair.person.eqf = 7;
    pair.need.focus = pair.person.focus = focus;
    pair.need.focus_count = pair.person.focus_count = 1;
    score = scored(world, &pair);
    assert_int_equal(score.parts[PART_CONCEPTS], SCORE_CONCEPTS_MAX);
    assert_int_equal(score.parts[PART_REGION], SCORE_REGION_MAX);
    assert_int_equal(score.parts[PART_FIELD], SCORE_FIELD_MAX);
    assert_int_equal(score.parts[PART_LEVEL], SCORE_LEVEL_MAX);
    assert_int_equal(score.parts[PART_FOCUS], SCORE_FOCUS_MAX);
    assert_int_equal(score.parts[PART_FRESHNESS], SCORE_FRESHNESS_MAX);
    assert_in_range(score.parts[PART_TEXT], SCORE_TEXT_MAX - 100, SCORE_TEXT_MAX);
    assert_in_range(score.total, 99900, 100000);
}

static void
a_rarer_concept_weighs_more(void **state)
{
    struct world *world = *state;
    struct profile_row crowd[60];
    struct pair pair = {world_row(world, KIND_NEED, 1), world_row(world, KIND_PERSON, 2)};
    struct pair other = pair;
    uint32_t common, rare;

    for (unsigned i = 0; i < COUNT_OF(crowd); i++) {
        crowd[i] = world_row(world, KIND_PERSON, 100 + i);
        world_wants(world, &crowd[i], STATISTICS, 1000);
    }
    world_put(world, crowd, COUNT_OF(crowd));
    world_wants(world, &pair.need, STATISTICS, 1000);
    world_wants(world, &pair.need, WELDING, 1000);
    other.need = pair.need;
    world_wants(world, &pair.person, STATISTICS, 1000);
    world_wants(world, &other.person, WELDING, 1000);
    common = scored(world, &pair).parts[PART_CONCEPTS];
    rare = scored(world, &other).parts[PART_CONCEPTS];
    assert_true(rare > 2 * common);
}

static void
what_a_person_is_called_has_no_place_to_enter_the_score(void **state)
{
    struct world *world = *state;
    struct pair pair = make_pair(world);
    const struct score before = scored(world, &pair);
    struct score after;

    /* All that a row has beside what is scored: ids, tenant, version. */
    pair.person.version = 99;
    pair.person.tenant_id = world_tenant(world, 3);
    pair.person.organisation_type = "hei_university";
    after = scored(world, &pair);
    assert_memory_equal(&before, &after, sizeof before);
}

static void
an_old_profile_is_less_fresh(void **state)
{
    struct world *world = *state;
    struct pair pair = make_pair(world);

    pair.person.updated_unix_ms -= INT64_C(30) * 86400000;
    assert_int_equal(scored(world, &pair).parts[PART_FRESHNESS], SCORE_FRESHNESS_MAX);
    pair.person.updated_unix_ms -= INT64_C(150) * 86400000;
    assert_in_range(scored(world, &pair).parts[PART_FRESHNESS], 1, SCORE_FRESHNESS_MAX - 1);
    pair.need.updated_unix_ms -= INT64_C(400) * 86400000;
    assert_int_equal(scored(world, &pair).parts[PART_FRESHNESS], 0);
}

/* The same need in three languages: the same people, nearly in the same order. */
static void
a_need_in_three_languages_finds_the_same_people(void **state)
{
    static const char *const sv = "Vi behöver hjälp med maskininlärning, datorseende och "
                                  "kvalitetskontroll, gärna med energieffektivisering.";
    static const char *const fi = "Tarvitsemme apua koneoppimisessa, konenäössä ja "
                                  "laadunvalvonnassa, mielellään myös energiatehokkuudessa.";
    static const char *const en =
        "We need help with machine learning, computer vision and quality "
        "control, preferably with energy efficiency.";
    struct world *world = *state;
    struct profile_row rows[203];
    struct hits hits[3];

    for (unsigned i = 0; i < COUNT_OF(rows); i++) {
        if (i < 3) {
            rows[i] = world_row(world, KIND_NEED, i);
            rows[i].text[i] = i == 0 ? sv : i == 1 ? fi : en;
            continue;
        }
        rows[i] = world_random_row(world, KIND_PERSON, i);
        rows[i].visibility = "public";
        rows[i].valid_until = rows[i].available_from = "";
    }
    world_put(world, rows, COUNT_OF(rows));
    for (unsigned i = 0; i < 3; i++) {
        struct search search = world_search(world, world_find(world, KIND_NEED, i));

        search.limit = 10;
        assert_int_equal(search_run(world->snapshot, &search, &world->arena, &hits[i]).code,
                         CODE_OK);
        assert_int_equal(hits[i].count, 10);
    }
    for (unsigned other = 1; other < 3; other++) {
        size_t shared = 0;

        for (size_t i = 0; i < 10; i++)
            for (size_t j = 0; j < 10; j++)
                shared += hits[0].items[i].profile == hits[other].items[j].profile;
        assert_true(shared >= 8);
    }
}

static void
an_offer_of_many_concepts_says_less_with_each(void **state)
{
    struct profile offer = {0};
    uint32_t last = 1000;

    (void)state;
    for (uint16_t count = 0; count <= PROFILE_CONCEPTS_MAX; count++) {
        uint32_t breadth;

        offer.concept_count = count;
        breadth = score_breadth(&offer);
        assert_true(breadth <= last && breadth > 650);
        if (count <= SCORE_BREADTH_FREE)
            assert_int_equal(breadth, 1000);
        last = breadth;
    }
    offer.concept_count = 2 * SCORE_BREADTH_FREE;
    assert_int_equal(score_breadth(&offer), 1000 - SCORE_BREADTH_LOSS);
}

/* The fit without its boosts, and how well the person is served. */
static void
assert_mean(const struct score *alone, const struct score *both, uint32_t wish)
{
    const uint64_t fit = alone->total - alone->parts[PART_BOOST];
    uint64_t mean = fit;

    if (wish < 10000)
        wish = 10000;
    if (wish < fit)
        mean = 2 * fit * wish / (fit + wish);
    assert_int_equal(both->total, mean + alone->parts[PART_BOOST]);
    assert_int_equal(both->parts[PART_WISHES], fit - mean);
    for (size_t part = 0; part < PART_WISHES; part++)
        assert_int_equal(both->parts[part], alone->parts[part]);
}

static void
without_wishes_or_with_all_of_them_met_nothing_is_taken_off(void **state)
{
    static const char *nuts[] = {"FI1D", "SE31"};
    static const char *tags[] = {"process"};
    struct world *world = *state;
    struct pair pair = make_pair(world);
    struct score alone;

    pair.need.nuts = "SE312";
    pair.need.focus = tags;
    pair.need.focus_count = 1;
    alone = scored(world, &pair);
    world_wishes(world, &pair.person, WELDING, 1000);
    world_wishes(world, &pair.person, HEAT_PUMPS, 1000); /* any one will do */
    pair.person.wished_nuts = nuts;
    pair.person.wished_nuts_count = 2;
    pair.person.wished_tags = tags;
    pair.person.wished_tag_count = 1;
    const struct score both = scored(world, &pair);
    assert_memory_equal(&alone, &both, sizeof alone);
}

static void
both_must_want_it_and_the_lesser_weighs_most(void **state)
{
    static const char *nuts[] = {"SE12"};
    struct world *world = *state;
    struct pair pair = make_pair(world);
    struct score alone, both;

    pair.need.nuts = "SE312";
    pair.need.sme = true;
    world->rules.boosts[0] = (struct boost){BOOST_SME, 0, 30000, 1500};
    world->rules.boost_count = 1;
    alone = scored(world, &pair);
    assert_int_equal(alone.parts[PART_BOOST], 1500);
    assert_true(alone.total - 1500 > 50000);
    world_wishes(world, &pair.person, BIOECONOMY, 1000);
    both = scored(world, &pair);
    assert_mean(&alone, &both, 0);
    assert_in_range(both.total, 1500 + 15000, 1500 + 20000);
    world_wishes(world, &pair.person, WELDING, 500); /* wanted half as much */
    both = scored(world, &pair);
    assert_mean(&alone, &both, WISHES_MET / 2);
    pair.person.wished_ids = NULL;
    pair.person.wished_count = pair.person.wished_weight_count = 0;
    world_wishes(world, &pair.person, WELDING, 1000);
    pair.person.wished_nuts = nuts;
    pair.person.wished_nuts_count = 1;
    pair.person.wished_tags = nuts;
    pair.person.wished_tag_count = 1;
    both = scored(world, &pair); /* concepts met; region and kind of work not */
    assert_mean(&alone, &both, WISHES_MET * 6 / 10);
}

/* As of concepts sought: a sibling in part, a cousin in a lesser part, what lies beneath in
 * full; and half of it where the seeker wants it half. */
static void
wishes_are_met_by_what_is_near_in_part(void **state)
{
    static const enum world_concept sought[] = {BIOECONOMY, COMPUTER_VISION,
                                                MACHINE_VISION_SYSTEMS, DEEP_LEARNING};
    struct world *world = *state;
    uint32_t met[COUNT_OF(sought)];

    for (size_t i = 0; i < COUNT_OF(sought); i++) {
        struct profile_row rows[] = {world_row(world, KIND_NEED, 1),
                                     world_row(world, KIND_PERSON, 2)};
        struct score_statistics statistics;

        world_wants(world, &rows[0], sought[i], i == 3 ? 500 : 1000);
        world_wishes(world, &rows[1], i == 2 ? DEEP_LEARNING : MACHINE_LEARNING, 1000);
        world_put(world, rows, 2);
        statistics = snapshot_statistics(world->snapshot);
        met[i] = wishes_fit(&statistics, world_find(world, KIND_PERSON, 2)->wishes,
                            world_find(world, KIND_NEED, 1));
    }
    assert_int_equal(met[0], 0);
    assert_in_range(met[1], WISHES_MET / 10, WISHES_MET * 4 / 10);
    assert_in_range(met[2], 1, WISHES_MET * 15 / 100);
    assert_true(met[2] < met[1]);
    assert_int_equal(met[3], WISHES_MET / 2);
}

static void
the_mean_of_both_never_exceeds_the_fit_and_never_falls_when_either_rises(void **state)
{
    (void)state;
    for (uint32_t fit = 0; fit <= SCORE_MAX; fit += 997) {
        uint32_t before = 0;

        assert_int_equal(wishes_deduction(fit, 0), wishes_deduction(fit, WISHES_LEAST));
        assert_int_equal(wishes_deduction(fit, fit), 0);
        assert_true(fit == 0 || wishes_deduction(fit, 0) < fit);
        for (uint32_t wish = 0; wish <= WISHES_MET; wish += 991) {
            const uint32_t mean = fit - wishes_deduction(fit, wish);

            assert_true(mean <= fit && mean >= before);
            assert_true(mean <= fit + 1 - wishes_deduction(fit + 1, wish));
            before = mean;
        }
    }
}

/* Nobody loses by naming more. */
static void
a_further_wish_in_a_list_never_lowers_a_score(void **state)
{
    struct world *world = *state;

    for (unsigned round = 0; round < 40; round++) {
        struct pair pair = make_pair(world);
        uint32_t before = 0;

        world_wishes(world, &pair.person,
                     (enum world_concept)world_random(world, WORLD_CONCEPTS),
                     100 + world_random(world, 901));
        for (unsigned more = 0; more < 4; more++) {
            const uint32_t total = scored(world, &pair).total;

            assert_true(total >= before);
            before = total;
            world_wishes(world, &pair.person,
                         (enum world_concept)world_random(world, WORLD_CONCEPTS),
                         100 + world_random(world, 901));
        }
    }
}

int
main(void)
{
#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WORLD_TEST(dates_must_meet),
        WORLD_TEST(a_language_must_be_shared_where_both_name_any),
        WORLD_TEST(who_is_full_or_of_the_same_owner_is_left_out),
        WORLD_TEST(kinds_pair_as_the_domain_says),
        WORLD_TEST(a_full_match_has_a_hundred_thousand_points_but_for_the_words_roundings),
        WORLD_TEST(a_rarer_concept_weighs_more),
        WORLD_TEST(what_a_person_is_called_has_no_place_to_enter_the_score),
        WORLD_TEST(an_old_profile_is_less_fresh),
        WORLD_TEST(a_need_in_three_languages_finds_the_same_people),
        WORLD_TEST(without_wishes_or_with_all_of_them_met_nothing_is_taken_off),
        WORLD_TEST(both_must_want_it_and_the_lesser_weighs_most),
        WORLD_TEST(wishes_are_met_by_what_is_near_in_part),
        WORLD_TEST(a_further_wish_in_a_list_never_lowers_a_score),
        cmocka_unit_test(
            the_mean_of_both_never_exceeds_the_fit_and_never_falls_when_either_rises),
        cmocka_unit_test(an_offer_of_many_concepts_says_less_with_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
