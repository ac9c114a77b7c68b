/* The same need in Finnish, Swedish and English finds the same: YSO. */

#include "tests/eval/place.h"

#define OFFERS 1500
#define OFFERED 6
#define NEEDS 200
#define SOUGHT 4
#define FIRST 10

static struct arena arena;
static struct eval_data data;

static int
set_up(void **state)
{
    static const char *const names[LANG_COUNT] = {
        [LANG_SV] = "yso/yso-ysoplaces-cicero-sv.tsv.gz",
        [LANG_FI] = "yso/yso-ysoplaces-cicero-fi.tsv.gz",
        [LANG_EN] = "yso/yso-ysoplaces-cicero-en.tsv.gz"};
    const char *files[LANG_COUNT];

    (void)state;
    arena_init(&arena, (size_t)1 << 30);
    for (size_t lang = 0; lang < LANG_COUNT; lang++) {
        files[lang] = eval_path(&arena, EVAL_DATA, names[lang]);
        if (!files[lang])
            return 0;
    }
    assert_int_equal(eval_read_yso(&arena, files, &data).code, CODE_OK);
    assert_true(data.concept_count > 32000);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static const char *
text_of(const uint32_t concepts[SOUGHT], enum lang lang)
{
    static const char *const frames[LANG_COUNT] = {
        [LANG_SV] = "Vi söker hjälp: %s, %s, %s och %s.",
        [LANG_FI] = "Etsimme apua: %s, %s, %s ja %s.",
        [LANG_EN] = "We look for help: %s, %s, %s and %s."};
    const char *labels[SOUGHT];
    char text[4096];
    const char *at = frames[lang];
    size_t size = 0, label = 0;

    for (size_t i = 0; i < SOUGHT; i++)
        labels[i] = data.concepts[concepts[i]].label[lang];
    while (*at && size + 1 < sizeof text) {
        if (at[0] == '%' && at[1] == 's') {
            size += (size_t)snprintf(text + size, sizeof text - size, "%s", labels[label++]);
            at += 2;
        } else {
            text[size++] = *at++;
        }
    }
    text[size] = '\0';
    return arena_copy(&arena, text);
}

static size_t
shared(const uint32_t *left, size_t left_count, const uint32_t *right, size_t right_count)
{
    size_t count = 0;

    for (size_t i = 0; i < left_count; i++)
        for (size_t j = 0; j < right_count; j++)
            count += left[i] == right[j];
    return count;
}

static void
put_offers(struct eval_place *place, uint32_t *subjects, size_t subject_count, uint64_t *seed)
{
    for (uint32_t i = 0; i < OFFERS; i++) {
        uint32_t offered[OFFERED];

        for (size_t j = 0; j < OFFERED; j++)
            offered[j] = subjects[eval_random(seed) % subject_count];
        eval_put(place, KIND_CAPABILITY, i, offered, OFFERED, LANG_EN, "");
    }
}

#define SUBJECTS 900 /* that offers and needs speak of */

static void
a_need_in_three_languages_finds_the_same_offers(void **state)
{
    struct eval_place place;
    uint32_t subjects[SUBJECTS];
    uint64_t seed = 23;
    size_t same = 0, most = 0;

    (void)state;
    if (data.concept_count == 0) {
        print_message("the published data of YSO is not there\n");
        skip();
    }
    eval_place_init(&place, &data);
    for (size_t i = 0; i < SUBJECTS; i++)
        subjects[i] = (uint32_t)(eval_random(&seed) % data.concept_count);
    put_offers(&place, subjects, SUBJECTS, &seed);
    for (uint32_t i = 0; i < NEEDS; i++) {
        uint32_t sought[SOUGHT];

        for (size_t j = 0; j < SOUGHT; j++)
            sought[j] = subjects[eval_random(&seed) % SUBJECTS];
        for (int lang = 0; lang < LANG_COUNT; lang++)
            eval_put(&place, KIND_NEED, i * LANG_COUNT + (uint32_t)lang, NULL, 0,
                     (enum lang)lang, text_of(sought, (enum lang)lang));
    }
    eval_ready(&place);
    for (uint32_t i = 0; i < NEEDS; i++) {
        uint32_t found[LANG_COUNT][FIRST];
        size_t counts[LANG_COUNT];

        for (uint32_t lang = 0; lang < LANG_COUNT; lang++)
            counts[lang] = eval_search(&place, i * LANG_COUNT + lang, FIRST, found[lang]);
        for (size_t left = 0; left < LANG_COUNT; left++)
            for (size_t right = left + 1; right < LANG_COUNT; right++) {
                same += shared(found[left], counts[left], found[right], counts[right]);
                most += FIRST;
            }
    }
    print_message("the same need in two languages: overlap@10 %.3f\n",
                  (double)same / (double)most);
    assert_true(same * 10 >= most * 8);
    eval_place_fini(&place);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_need_in_three_languages_finds_the_same_offers),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
