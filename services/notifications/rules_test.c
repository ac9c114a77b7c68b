#include "services/notifications/rules.h"

#include <string.h>

#include "common/base/test.h"
#include "registry/v1/programmes.pb-c.h"

static struct arena arena;

static int
set_up(void **state)
{
    (void)state;
    arena_init(&arena, (size_t)1 << 20);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static struct message_words
words_of(enum message_kind kind, int64_t detail, enum lang lang)
{
    struct message_words words;

    assert_true(!failed(rules_words(&arena, kind, detail, lang, &words)));
    return words;
}

static void
every_kind_of_message_has_a_topic_and_words_of_its_own_in_each_language(void **state)
{
    (void)state;
    for (int kind = MESSAGE_MATCH_SUGGESTED; kind <= MESSAGE_OWN_ROUND_AMENDED; kind++) {
        const struct message_words sv = words_of((enum message_kind)kind, 1000, LANG_SV);
        const struct message_words fi = words_of((enum message_kind)kind, 1000, LANG_FI);
        const struct message_words en = words_of((enum message_kind)kind, 1000, LANG_EN);

        assert_int_not_equal(rules_topic((enum message_kind)kind), 0);
        assert_string_not_equal(sv.title, fi.title);
        assert_string_not_equal(fi.title, en.title);
        assert_string_not_equal(sv.text, en.text);
        assert_string_not_equal(sv.text, fi.text);
        /* Every place in the text was filled. */
        assert_null(strpbrk(sv.title, "{}"));
        assert_null(strpbrk(fi.text, "{}"));
        assert_null(strpbrk(en.text, "{}"));
    }
}

static void
a_kind_of_message_that_nobody_knows_is_our_own_fault(void **state)
{
    struct message_words words;

    (void)state;
    assert_int_equal(rules_words(&arena, (enum message_kind)0, 0, LANG_EN, &words).code,
                     CODE_INTERNAL);
    assert_int_equal(rules_words(&arena, (enum message_kind)22, 0, LANG_EN, &words).code,
                     CODE_INTERNAL);
    assert_int_equal(rules_topic((enum message_kind)22), 0);
}

static void
a_score_is_told_in_whole_points(void **state)
{
    (void)state;
    assert_non_null(strstr(words_of(MESSAGE_MATCH_SUGGESTED, 67999, LANG_EN).text, " 67 "));
    assert_non_null(strstr(words_of(MESSAGE_MATCH_SUGGESTED, 67999, LANG_SV).text, " 67 "));
}

static void
a_verdict_is_named_in_title_and_text(void **state)
{
    static const struct {
        int64_t overall;
        const char *sv, *fi, *en;
    } verdicts[] = {
        {REGISTRY__V1__VERDICT__OVERALL__ELIGIBLE, "Bedömning: behörig", "Arvio: kelpoinen",
         "Verdict: eligible"},
        {REGISTRY__V1__VERDICT__OVERALL__ELIGIBLE_WITH_WAIVER,
         "Bedömning: behörig med undantag", "Arvio: kelpoinen poikkeusluvalla",
         "Verdict: eligible with a waiver"},
        {REGISTRY__V1__VERDICT__OVERALL__INCOMPLETE, "Bedömning: ofullständig",
         "Arvio: puutteellinen", "Verdict: incomplete"},
        {REGISTRY__V1__VERDICT__OVERALL__INELIGIBLE, "Bedömning: inte behörig",
         "Arvio: ei kelpoinen", "Verdict: not eligible"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(verdicts); i++) {
        const int64_t overall = verdicts[i].overall;

        assert_string_equal(words_of(MESSAGE_VERDICT, overall, LANG_SV).title, verdicts[i].sv);
        assert_string_equal(words_of(MESSAGE_VERDICT, overall, LANG_FI).title, verdicts[i].fi);
        assert_string_equal(words_of(MESSAGE_VERDICT, overall, LANG_EN).title, verdicts[i].en);
        assert_non_null(strstr(words_of(MESSAGE_VERDICT, overall, LANG_EN).text,
                               verdicts[i].en + strlen("Verdict: ")));
    }
}

static void
a_letter_greets_by_name_and_says_where_to_change_the_subscription(void **state)
{
    const struct message_words words = {.title = "T", .text = "The words."};
    const char *letter;

    (void)state;
    assert_true(!failed(
        rules_letter(&arena, &words, "Åsa Öst", "https://s.example", LANG_SV, &letter)));
    assert_int_equal(strncmp(letter, "Hej Åsa Öst,\n\nThe words.\n\n-- \n", 31), 0);
    assert_non_null(strstr(letter, "https://s.example"));
    assert_int_equal(letter[strlen(letter) - 1], '\n');
}

static void
braces_in_a_name_are_a_name_and_fill_nothing(void **state)
{
    const struct message_words words = {.title = "T", .text = "x"};
    const char *letter;

    (void)state;
    assert_true(
        !failed(rules_letter(&arena, &words, "{link}", "https://s.example", LANG_EN, &letter)));
    assert_int_equal(strncmp(letter, "Dear {link},\n", 13), 0);
}

static struct status
subscribe(Notifications__V1__Topic topic)
{
    Notifications__V1__SubscribeRequest request = NOTIFICATIONS__V1__SUBSCRIBE_REQUEST__INIT;

    request.topic = topic;
    return rules_subscription(&arena, &request, false);
}

static void
a_subscription_needs_a_topic_that_exists(void **state)
{
    (void)state;
    assert_false(failed(subscribe(NOTIFICATIONS__V1__TOPIC__MATCH_SUGGESTED)));
    assert_false(failed(subscribe(NOTIFICATIONS__V1__TOPIC__PLACEMENT_MOVED)));
    assert_false(failed(subscribe(NOTIFICATIONS__V1__TOPIC__SEARCH_HIT)));
    assert_int_equal(subscribe(NOTIFICATIONS__V1__TOPIC__TOPIC_UNSPECIFIED).code,
                     CODE_INVALID_ARGUMENT);
    assert_string_equal(subscribe((Notifications__V1__Topic)5).field, "topic");
    assert_true(failed(subscribe((Notifications__V1__Topic)-1)));
}

static void
the_rounds_of_a_tenant_are_for_officers_and_the_own_for_everybody(void **state)
{
    Notifications__V1__SubscribeRequest request = NOTIFICATIONS__V1__SUBSCRIBE_REQUEST__INIT;

    (void)state;
    assert_false(failed(subscribe(NOTIFICATIONS__V1__TOPIC__ROUND_OWN)));
    assert_int_equal(subscribe(NOTIFICATIONS__V1__TOPIC__ROUND_MOVED).code,
                     CODE_PERMISSION_DENIED);
    request.topic = NOTIFICATIONS__V1__TOPIC__ROUND_MOVED;
    assert_false(failed(rules_subscription(&arena, &request, true)));
}

static void
a_letter_says_why_it_comes(void **state)
{
    static const char *const ends[] = {"subscribe to the topic", "a partnership officer",
                                       "take part in the round"};
    const enum message_kind kinds[] = {MESSAGE_ROUND_FINAL, MESSAGE_WEBHOOK_STOPPED,
                                       MESSAGE_OWN_ROUND_FINAL};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        const struct message_words words = words_of(kinds[i], 0, LANG_EN);
        const char *letter;

        assert_false(
            failed(rules_letter(&arena, &words, "A", "https://s.example", LANG_EN, &letter)));
        assert_non_null(strstr(letter, ends[i]));
    }
}

static void
each_try_waits_longer_than_the_one_before_up_to_six_hours(void **state)
{
    (void)state;
    assert_int_equal(rules_retry_seconds(1), 5);
    for (uint32_t tries = 1; tries < MAIL_ATTEMPTS - 1; tries++)
        assert_true(rules_retry_seconds(tries) < rules_retry_seconds(tries + 1));
    assert_int_equal(rules_retry_seconds(MAIL_ATTEMPTS), 21600);
    assert_int_equal(rules_retry_seconds(UINT32_MAX), 21600);
    assert_int_equal(rules_retry_seconds(0), 5);
}

#define RULES_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RULES_TEST(every_kind_of_message_has_a_topic_and_words_of_its_own_in_each_language),
        RULES_TEST(a_kind_of_message_that_nobody_knows_is_our_own_fault),
        RULES_TEST(a_score_is_told_in_whole_points),
        RULES_TEST(a_verdict_is_named_in_title_and_text),
        RULES_TEST(a_letter_greets_by_name_and_says_where_to_change_the_subscription),
        RULES_TEST(braces_in_a_name_are_a_name_and_fill_nothing),
        RULES_TEST(a_subscription_needs_a_topic_that_exists),
        RULES_TEST(the_rounds_of_a_tenant_are_for_officers_and_the_own_for_everybody),
        RULES_TEST(a_letter_says_why_it_comes),
        RULES_TEST(each_try_waits_longer_than_the_one_before_up_to_six_hours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
