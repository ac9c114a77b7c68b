#include "services/matching/explain.h"

#include "services/matching/test_world.h"
#include "services/matching/texts.h"
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

static bool
explain(struct world *world, const struct profile *seeker, const struct profile *offer,
        struct score *ret_score, struct reasons *ret)
{
    const struct score_statistics statistics = snapshot_statistics(world->snapshot);
    struct query query;

    assert_int_equal(query_make(seeker, &statistics, &world->arena, &query).code, CODE_OK);
    if (!score_admits(&world->context, seeker, offer) ||
        !score_pair(&world->context, &query, offer, ret_score))
        return false;
    assert_int_equal(explain_pair(&world->context, &query, world->snapshot->vocabulary, offer,
                                  ret_score, &world->arena, ret)
                         .code,
                     CODE_OK);
    return true;
}

static void
assert_adds_up(struct world *world, const struct score *score, const struct reasons *reasons)
{
    Matching__V1__PartScore **parts;
    uint32_t by_parts = 0;
    uint32_t by_reasons = 0;
    size_t count;

    assert_int_equal(explain_parts(reasons, &world->arena, &parts, &count).code, CODE_OK);
    for (size_t i = 0; i < count; i++) {
        const bool wishes = parts[i]->part == MATCHING__V1__SCORE_PART__WISHES;

        assert_int_equal(wishes ? parts[i]->deduction_thousandths : parts[i]->score_thousandths,
                         score->parts[parts[i]->part]);
        assert_int_equal(wishes ? parts[i]->score_thousandths : parts[i]->deduction_thousandths,
                         0);
        by_parts += parts[i]->score_thousandths - parts[i]->deduction_thousandths;
    }
    for (size_t i = 0; i < reasons->count; i++) {
        by_reasons +=
            reasons->items[i]->score_thousandths - reasons->items[i]->deduction_thousandths;
        assert_true(reasons->items[i]->score_thousandths > 0 ||
                    reasons->items[i]->part == MATCHING__V1__SCORE_PART__WISHES);
        if (i > 0)
            assert_true(reasons->items[i]->score_thousandths <=
                        reasons->items[i - 1]->score_thousandths);
    }
    assert_int_equal(by_parts, score->total);
    assert_int_equal(by_reasons, score->total);
}

static void
reasons_of_profiles_by_chance_add_up_exactly(void **state)
{
    struct world *world = *state;
    struct profile_row rows[120];
    size_t explained = 0, lessened = 0;

    world->rules.boosts[0] = (struct boost){BOOST_SME, 0, 30000, 1500};
    world->rules.boosts[1] = (struct boost){BOOST_RURAL, 0, 30000, 2500};
    world->rules.boost_count = 2;
    (void)snprintf(world->rules.rural[0], sizeof world->rules.rural[0], "SE31");
    world->rules.rural_count = 1;
    for (unsigned i = 0; i < COUNT_OF(rows); i++)
        rows[i] = world_random_row(world, i < 40 ? KIND_NEED : KIND_PERSON, i);
    world_put(world, rows, COUNT_OF(rows));
    for (unsigned i = 0; i < 40; i++) {
        for (unsigned j = 40; j < COUNT_OF(rows); j++) {
            struct score score;
            struct reasons reasons;

            if (!explain(world, world_find(world, KIND_NEED, i),
                         world_find(world, KIND_PERSON, j), &score, &reasons))
                continue;
            assert_adds_up(world, &score, &reasons);
            explained++;
            lessened += score.parts[PART_WISHES] > 0;
        }
    }
    assert_true(explained > 400);
    assert_true(lessened > 100 && lessened < explained - 100);
}

static struct reasons
one_reason(struct world *world, const struct profile_row *need,
           const struct profile_row *person)
{
    const struct profile_row rows[] = {*need, *person};
    struct score score;
    struct reasons reasons;

    world_put(world, rows, COUNT_OF(rows));
    assert_true(explain(world, world_find(world, KIND_NEED, 1),
                        world_find(world, KIND_PERSON, 2), &score, &reasons));
    assert_adds_up(world, &score, &reasons);
    return reasons;
}

static void
told_in(struct world *world, const struct reasons *reasons, enum lang lang)
{
    assert_int_equal(
        explain_tell(reasons, world->snapshot->vocabulary, lang, &world->arena).code, CODE_OK);
}

static void
a_named_concept_is_told_in_each_language_by_its_label(void **state)
{
    struct world *world = *state;
    struct profile_row need = world_row(world, KIND_NEED, 1);
    struct profile_row person = world_row(world, KIND_PERSON, 2);
    struct reasons reasons;

    world_wants(world, &need, MACHINE_LEARNING, 1000);
    world_wants(world, &person, MACHINE_LEARNING, 1000);
    reasons = one_reason(world, &need, &person);
    assert_int_equal(reasons.items[0]->score_thousandths, SCORE_CONCEPTS_MAX);
    assert_int_equal(reasons.items[0]->source, MATCHING__V1__REASON_SOURCE__FROM_CONCEPTS);
    told_in(world, &reasons, LANG_SV);
    assert_string_equal(reasons.items[0]->text,
                        "Söks och erbjuds: maskininlärning (kommer från begrepp).");
    told_in(world, &reasons, LANG_FI);
    assert_string_equal(reasons.items[0]->text,
                        "Haetaan ja tarjotaan: koneoppiminen (perustuu käsitteisiin).");
    told_in(world, &reasons, LANG_EN);
    assert_string_equal(reasons.items[0]->text,
                        "Sought and offered: machine learning (comes from concepts).");
    assert_string_equal(reasons.items[0]->concept_label, "machine learning");
}

static void
a_sibling_and_a_cousin_earn_less_and_are_named(void **state)
{
    struct world *world = *state;
    struct profile_row need = world_row(world, KIND_NEED, 1);
    struct profile_row person = world_row(world, KIND_PERSON, 2);
    struct reasons reasons;
    uint32_t sibling;

    world_wants(world, &need, MACHINE_LEARNING, 1000);
    world_wants(world, &person, COMPUTER_VISION, 1000);
    reasons = one_reason(world, &need, &person);
    told_in(world, &reasons, LANG_EN);
    assert_int_equal(reasons.items[0]->nearness, MATCHING__V1__NEARNESS__SIBLING);
    assert_string_equal(
        reasons.items[0]->text,
        "Sought: machine learning. Offered is the neighbouring computer vision (comes from "
        "concepts).");
    sibling = reasons.items[0]->score_thousandths;
    assert_in_range(sibling, SCORE_CONCEPTS_MAX / 10, SCORE_CONCEPTS_MAX * 4 / 10);

    need = world_row(world, KIND_NEED, 1);
    person = world_row(world, KIND_PERSON, 2);
    world_wants(world, &need, DEEP_LEARNING, 1000);
    world_wants(world, &person, MACHINE_VISION_SYSTEMS, 1000);
    reasons = one_reason(world, &need, &person);
    told_in(world, &reasons, LANG_SV);
    assert_int_equal(reasons.items[0]->nearness, MATCHING__V1__NEARNESS__COUSIN);
    assert_string_equal(reasons.items[0]->text,
                        "Söks: djupinlärning. Inom samma område erbjuds maskinseendesystem "
                        "(kommer från begrepp).");
    assert_true(reasons.items[0]->score_thousandths < sibling);
}

/* In a crowd that says nothing of machines, the word is rare and the area is not. */
static void
concepts_of_like_names_meet_by_their_words(void **state)
{
    struct world *world = *state;
    struct profile_row need = world_row(world, KIND_NEED, 1);
    struct profile_row person = world_row(world, KIND_PERSON, 2);
    struct profile_row crowd[60];
    struct reasons reasons;

    for (unsigned i = 0; i < COUNT_OF(crowd); i++) {
        crowd[i] = world_row(world, KIND_PERSON, 100 + i);
        world_wants(world, &crowd[i], STATISTICS, 1000);
    }
    world_put(world, crowd, COUNT_OF(crowd));
    world_wants(world, &need, MACHINE_LEARNING, 1000);
    world_wants(world, &person, MACHINE_VISION_SYSTEMS, 1000);
    reasons = one_reason(world, &need, &person);
    told_in(world, &reasons, LANG_SV);
    assert_int_equal(reasons.items[0]->nearness, MATCHING__V1__NEARNESS__NAME);
    assert_int_equal(reasons.items[0]->n_words, 1);
    assert_string_equal(reasons.items[0]->words[0], "machine");
    assert_string_equal(reasons.items[0]->text,
                        "Söks: maskininlärning. Erbjuds: maskinseendesystem, vars namn har ord "
                        "gemensamt: machine.");
    assert_in_range(reasons.items[0]->score_thousandths, SCORE_NAMES_MAX / 4,
                    SCORE_NAMES_MAX * 3 / 4);
}

static void
what_lies_beneath_the_concept_sought_counts_as_the_concept(void **state)
{
    struct world *world = *state;
    struct profile_row need = world_row(world, KIND_NEED, 1);
    struct profile_row person = world_row(world, KIND_PERSON, 2);
    struct reasons reasons;

    world_wants(world, &need, MACHINE_LEARNING, 1000);
    world_wants(world, &person, DEEP_LEARNING, 500);
    reasons = one_reason(world, &need, &person);
    told_in(world, &reasons, LANG_EN);
    assert_int_equal(reasons.items[0]->nearness, MATCHING__V1__NEARNESS__SAME);
    /* Half mastered, half the points. */
    assert_int_equal(reasons.items[0]->score_thousandths, SCORE_CONCEPTS_MAX / 2);
    assert_string_equal(reasons.items[0]->text,
                        "Sought: machine learning. Offered: deep learning, which is part of it "
                        "(comes from concepts).");
}

static void
a_swedish_need_meets_a_finnish_profile_through_concepts_in_their_words(void **state)
{
    struct world *world = *state;
    struct profile_row need = world_row(world, KIND_NEED, 1);
    struct profile_row person = world_row(world, KIND_PERSON, 2);
    struct reasons reasons;

    need.text[LANG_SV] = "Vi söker någon som kan maskininlärning.";
    person.text[LANG_FI] = "Olen tutkinut koneoppimisen menetelmiä.";
    reasons = one_reason(world, &need, &person);
    assert_int_equal(reasons.items[0]->source, MATCHING__V1__REASON_SOURCE__FROM_LINKED_WORDS);
    assert_string_equal(reasons.items[0]->language, "sv");
    assert_int_equal(reasons.items[0]->n_words, 2);
    told_in(world, &reasons, LANG_SV);
    assert_string_equal(
        reasons.items[0]->text,
        "Söks och erbjuds: maskininlärning (kommer från ord på svenska som namnger "
        "begrepp: maskininlärning, koneoppimisen).");
    told_in(world, &reasons, LANG_FI);
    assert_string_equal(reasons.items[0]->concept_label, "koneoppiminen");
}

static void
shared_words_are_told_with_their_language(void **state)
{
    struct world *world = *state;
    struct profile_row rows[12];
    struct reasons reasons;
    struct score score;
    bool told = false;

    for (unsigned i = 0; i < COUNT_OF(rows); i++)
        rows[i] = world_row(world, i == 1 ? KIND_NEED : KIND_PERSON, i);
    rows[1].text[LANG_SV] = "Torkning av sågade trävaror i kammartork";
    rows[2].text[LANG_SV] = "Forskar om torkning av trävaror";
    rows[2].text[LANG_EN] = "Researches drying of timber";
    world_put(world, rows, COUNT_OF(rows));
    assert_true(explain(world, world_find(world, KIND_NEED, 1),
                        world_find(world, KIND_PERSON, 2), &score, &reasons));
    assert_adds_up(world, &score, &reasons);
    told_in(world, &reasons, LANG_FI);
    for (size_t i = 0; i < reasons.count; i++) {
        if (reasons.items[i]->part != MATCHING__V1__SCORE_PART__TEXT)
            continue;
        told = true;
        assert_string_equal(reasons.items[i]->language, "sv");
        assert_string_equal(
            reasons.items[i]->text,
            "Samoja tai samankaltaisia sanoja, kieli ruotsi (perustuu sanoihin): "
            "torkning, trävaror.");
    }
    assert_true(told);
}

static void
a_boost_is_named_and_dated(void **state)
{
    struct world *world = *state;
    struct profile_row need = world_row(world, KIND_NEED, 1);
    struct profile_row person = world_row(world, KIND_PERSON, 2);
    struct reasons reasons;

    assert_true(day_parse("2026-11-01", &world->rules.boosts[0].first_day));
    assert_true(day_parse("2026-11-22", &world->rules.boosts[0].last_day));
    world->rules.boosts[0].name = BOOST_SME;
    world->rules.boosts[0].points = 1500;
    world->rules.boost_count = 1;
    need.sme = true;
    world_wants(world, &need, WELDING, 1000);
    world_wants(world, &person, WELDING, 1000);
    reasons = one_reason(world, &need, &person);
    told_in(world, &reasons, LANG_EN);
    assert_int_equal(reasons.items[reasons.count - 1]->score_thousandths, 1500);
    assert_string_equal(reasons.items[reasons.count - 1]->text,
                        "Stated boost for small and medium-sized enterprises, valid until "
                        "2026-11-22.");
    world->context.now.unix_ms += INT64_C(86400000); /* the day after the last */
    reasons = one_reason(world, &need, &person);
    for (size_t i = 0; i < reasons.count; i++)
        assert_int_not_equal(reasons.items[i]->part, MATCHING__V1__SCORE_PART__BOOST);
}

static void
a_stored_explanation_is_told_again_in_any_language(void **state)
{
    struct world *world = *state;
    struct profile_row need = world_row(world, KIND_NEED, 1);
    struct profile_row person = world_row(world, KIND_PERSON, 2);
    struct reasons reasons, again;
    const uint8_t *packed;
    size_t size;

    world_wants(world, &need, HEAT_PUMPS, 1000);
    world_wants(world, &person, SOLAR_POWER, 1000);
    reasons = one_reason(world, &need, &person);
    assert_int_equal(explain_pack(&reasons, &world->arena, &packed, &size).code, CODE_OK);
    assert_int_equal(explain_unpack(packed, size, &world->arena, &again).code, CODE_OK);
    assert_int_equal(again.count, reasons.count);
    for (int lang = 0; lang < LANG_COUNT; lang++) {
        told_in(world, &reasons, (enum lang)lang);
        told_in(world, &again, (enum lang)lang);
        for (size_t i = 0; i < again.count; i++)
            assert_string_equal(again.items[i]->text, reasons.items[i]->text);
    }
}

static void
a_concept_that_is_gone_is_said_to_be_gone(void **state)
{
    struct world *world = *state;
    struct profile_row need = world_row(world, KIND_NEED, 1);
    struct profile_row person = world_row(world, KIND_PERSON, 2);
    struct reasons reasons;

    world_wants(world, &need, HEAT_PUMPS, 1000);
    world_wants(world, &person, HEAT_PUMPS, 1000);
    reasons = one_reason(world, &need, &person);
    reasons.items[0]->concept_id = world_id(world, 0xc00, 999);
    told_in(world, &reasons, LANG_EN);
    assert_string_equal(reasons.items[0]->concept_label,
                        text_in(TEXT_unknown_concept, LANG_EN));
}

/* Of the part of wishes. */
static const Matching__V1__Reason *
wish_reason(const struct reasons *reasons, size_t number)
{
    for (size_t i = 0; i < reasons->count; i++)
        if (reasons->items[i]->part == MATCHING__V1__SCORE_PART__WISHES && number-- == 0)
            return reasons->items[i];
    return NULL;
}

static void
wishes_that_are_met_are_told_and_those_that_are_not_stay_the_persons(void **state)
{
    static const char *nuts[] = {"SE31", "FI1D"};
    static const char *tags[] = {"process"};
    static const char *sought[] = {"market"};
    struct world *world = *state;
    struct profile_row need = world_row(world, KIND_NEED, 1);
    struct profile_row person = world_row(world, KIND_PERSON, 2);
    struct reasons reasons;
    const uint8_t *packed;
    size_t size;

    need.nuts = "SE312";
    need.focus = sought;
    need.focus_count = 1;
    need.text[LANG_SV] = "Vi söker någon som kan maskininlärning.";
    world_wants(world, &person, MACHINE_LEARNING, 1000);
    world_wishes(world, &person, WELDING, 1000);
    world_wishes(world, &person, COMPUTER_VISION, 1000);
    person.wished_nuts = nuts;
    person.wished_nuts_count = 2;
    person.wished_tags = tags;
    person.wished_tag_count = 1;
    reasons = one_reason(world, &need, &person);
    told_in(world, &reasons, LANG_EN);
    assert_true(wish_reason(&reasons, 0)->deduction_thousandths > 0);
    assert_in_range(wish_reason(&reasons, 0)->share_percent, 21, 45);
    assert_non_null(strstr(wish_reason(&reasons, 0)->text, " %, less than what is sought"));
    assert_string_equal(wish_reason(&reasons, 1)->text,
                        "The person wants to work in this region: NUTS SE31.");
    assert_string_equal(
        wish_reason(&reasons, 2)->text,
        "The person wants to work with computer vision. Sought here is something near it: "
        "machine learning (comes from words in Swedish that name concepts: maskininlärning).");
    assert_null(wish_reason(&reasons, 3));
    /* Nothing that is stored or shown holds the others. */
    assert_int_equal(explain_pack(&reasons, &world->arena, &packed, &size).code, CODE_OK);
    assert_null(memmem(packed, size, "FI1D", 4));
    assert_null(memmem(packed, size, "process", 7));
    assert_null(memmem(packed, size, world_concept(world, WELDING), UUID_SIZE - 1));
    assert_null(memmem(packed, size, "welding", 7));
}

static void
wishes_are_told_in_each_language_when_none_or_all_are_met(void **state)
{
    struct world *world = *state;
    struct profile_row need = world_row(world, KIND_NEED, 1);
    struct profile_row person = world_row(world, KIND_PERSON, 2);
    struct reasons reasons;

    world_wants(world, &need, WELDING, 1000);
    world_wants(world, &person, WELDING, 1000);
    world_wishes(world, &person, BIOECONOMY, 1000);
    reasons = one_reason(world, &need, &person);
    told_in(world, &reasons, LANG_SV);
    assert_int_equal(wish_reason(&reasons, 0)->share_percent, 0);
    assert_string_equal(wish_reason(&reasons, 0)->text,
                        "Inget av personens egna önskemål möts.");
    assert_null(wish_reason(&reasons, 1));
    world_wishes(world, &person, WELDING, 1000);
    reasons = one_reason(world, &need, &person);
    told_in(world, &reasons, LANG_FI);
    assert_int_equal(wish_reason(&reasons, 0)->deduction_thousandths, 0);
    assert_string_equal(wish_reason(&reasons, 0)->text,
                        "Tämä vastaa henkilön omia toiveita 100-prosenttisesti.");
    assert_string_equal(wish_reason(&reasons, 1)->text,
                        "Henkilö haluaa työskennellä sen parissa, mitä haetaan: hitsaus "
                        "(perustuu käsitteisiin).");
}

int
main(void)
{
#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WORLD_TEST(reasons_of_profiles_by_chance_add_up_exactly),
        WORLD_TEST(a_named_concept_is_told_in_each_language_by_its_label),
        WORLD_TEST(a_sibling_and_a_cousin_earn_less_and_are_named),
        WORLD_TEST(concepts_of_like_names_meet_by_their_words),
        WORLD_TEST(what_lies_beneath_the_concept_sought_counts_as_the_concept),
        WORLD_TEST(a_swedish_need_meets_a_finnish_profile_through_concepts_in_their_words),
        WORLD_TEST(shared_words_are_told_with_their_language),
        WORLD_TEST(a_boost_is_named_and_dated),
        WORLD_TEST(a_stored_explanation_is_told_again_in_any_language),
        WORLD_TEST(a_concept_that_is_gone_is_said_to_be_gone),
        WORLD_TEST(wishes_that_are_met_are_told_and_those_that_are_not_stay_the_persons),
        WORLD_TEST(wishes_are_told_in_each_language_when_none_or_all_are_met),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
