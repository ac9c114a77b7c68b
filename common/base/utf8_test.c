#include "common/base/utf8.h"

#include <string.h>

#include "common/base/test.h"

static bool
is_valid(const char *text)
{
    return utf8_valid(text, strlen(text));
}

static void
valid_text_is_accepted(void **state)
{
    (void)state;
    assert_true(is_valid(""));
    assert_true(is_valid("plain ASCII of more than eight bytes"));
    assert_true(is_valid("Högskolan Dalarna, Jyväskylä, 研究, 😀"));
    assert_true(is_valid("\xC2\x80\xDF\xBF"));
    assert_true(is_valid("\xE0\xA0\x80\xED\x9F\xBF\xEE\x80\x80\xEF\xBF\xBF"));
    assert_true(is_valid("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"));
}

static void
overlong_forms_are_refused(void **state)
{
    (void)state;
    assert_false(is_valid("\xC0\x80"));
    assert_false(is_valid("\xC1\xBF"));
    assert_false(is_valid("\xE0\x80\x80"));
    assert_false(is_valid("\xE0\x9F\xBF"));
    assert_false(is_valid("\xF0\x80\x80\x80"));
    assert_false(is_valid("\xF0\x8F\xBF\xBF"));
}

static void
surrogates_and_points_beyond_unicode_are_refused(void **state)
{
    (void)state;
    assert_false(is_valid("\xED\xA0\x80"));
    assert_false(is_valid("\xED\xBF\xBF"));
    assert_false(is_valid("\xF4\x90\x80\x80"));
    assert_false(is_valid("\xF5\x80\x80\x80"));
    assert_false(is_valid("\xF8\x88\x80\x80\x80"));
    assert_false(is_valid("\xFE"));
    assert_false(is_valid("\xFF"));
}

static void
broken_sequences_are_refused_wherever_they_stand(void **state)
{
    char text[40];

    (void)state;
    assert_false(is_valid("\x80"));
    assert_false(is_valid("\xC3"));
    assert_false(is_valid("\xE2\x82"));
    assert_false(is_valid("\xF0\x9F\x98"));
    assert_false(is_valid("\xC3(")); /* a lead byte without its follower */
    assert_false(utf8_valid("\xC3\xA5", 1));
    for (size_t i = 0; i < sizeof text; i++) {
        memset(text, 'a', sizeof text);
        text[i] = (char)0xBF;
        assert_false(utf8_valid(text, sizeof text));
    }
}

static void
a_nul_is_valid_but_not_text(void **state)
{
    char text[40];

    (void)state;
    for (size_t i = 0; i < sizeof text; i++) {
        memset(text, 'a', sizeof text);
        text[i] = '\0';
        assert_true(utf8_valid(text, sizeof text));
        assert_false(utf8_text(text, sizeof text));
    }
    assert_true(utf8_text("text", 4));
    assert_true(utf8_text("åäö and more", 15));
    assert_true(utf8_text("", 0));
}

static void
decoding_and_encoding_are_inverse(void **state)
{
    (void)state;
    for (uint32_t point = 1; point <= 0x10FFFF; point += point < 0x3000 ? 1 : 97) {
        char bytes[5] = "";
        const char *cursor = bytes;
        size_t size;

        if (point >= 0xD800 && point <= 0xDFFF)
            continue;
        size = utf8_put(point, bytes);
        assert_true(utf8_valid(bytes, size));
        assert_int_equal(utf8_next(&cursor), point);
        assert_ptr_equal(cursor, bytes + size);
        assert_int_equal(utf8_next(&cursor), 0);
        assert_ptr_equal(cursor, bytes + size);
    }
}

static void
bad_bytes_and_bad_points_are_replaced(void **state)
{
    const char *cursor = "\xC3"
                         "a\xE2\x82";
    char bytes[4];

    (void)state;
    assert_int_equal(utf8_next(&cursor), 0xFFFD);
    assert_int_equal(utf8_next(&cursor), 'a');
    assert_int_equal(utf8_next(&cursor), 0xFFFD);
    assert_int_equal(utf8_next(&cursor), 0xFFFD);
    assert_int_equal(utf8_next(&cursor), 0);
    assert_int_equal(utf8_put(0xD800, bytes), 3);
    assert_memory_equal(bytes, "\xEF\xBF\xBD", 3);
    assert_int_equal(utf8_put(0x110000, bytes), 3);
}

static void
lengths_are_in_code_points_and_cuts_between_them(void **state)
{
    (void)state;
    assert_int_equal(utf8_length("åäö😀x"), 5);
    assert_int_equal(utf8_length(""), 0);
    assert_int_equal(utf8_cut("åäö", 6), 6);
    assert_int_equal(utf8_cut("åäö", 5), 4);
    assert_int_equal(utf8_cut("åäö", 1), 0);
    assert_int_equal(utf8_cut("x😀", 4), 1);
    assert_int_equal(utf8_cut("abc", 100), 3);
}

static void
white_space_is_trimmed_at_both_ends(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, 4096);
    assert_string_equal(utf8_trim(&arena, " \t\r\n a b \xC2\xA0\v\f"), "a b");
    assert_string_equal(utf8_trim(&arena, "\xC2\xA0\xC2\xA0"), "");
    assert_string_equal(utf8_trim(&arena, ""), "");
    assert_string_equal(utf8_trim(&arena, "\xC3\xA0"), "à"); /* not half a no-break space */
    arena_fini(&arena);
    arena_init(&arena, 0);
    assert_null(utf8_trim(&arena, "x"));
    arena_fini(&arena);
}

static void
latin_letters_are_folded_to_lower_case(void **state)
{
    struct arena arena;

    (void)state;
    arena_init(&arena, 1 << 16);
    assert_string_equal(utf8_fold(&arena, "ÅÄÖ Åbo AKADEMI"), "åäö åbo akademi");
    assert_string_equal(utf8_fold(&arena, "ÀÞ×÷ßÿ"), "àþ×÷ßÿ");
    assert_string_equal(utf8_fold(&arena, "ĀāĶķĸĹĺŇňŉŊŋŸŹźŽž"), "āāķķĸĺĺňňŉŋŋÿźźžž");
    assert_string_equal(utf8_fold(&arena, "İıſŠšĐ"), "iısššđ");
    assert_string_equal(utf8_fold(&arena, "研究 Ω"), "研究 Ω");
    assert_string_equal(utf8_fold(&arena, "A\xFF"
                                          "B"),
                        "a\xEF\xBF\xBD"
                        "b");
    assert_string_equal(utf8_fold(&arena, ""), "");
    arena_fini(&arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(valid_text_is_accepted),
        cmocka_unit_test(overlong_forms_are_refused),
        cmocka_unit_test(surrogates_and_points_beyond_unicode_are_refused),
        cmocka_unit_test(broken_sequences_are_refused_wherever_they_stand),
        cmocka_unit_test(a_nul_is_valid_but_not_text),
        cmocka_unit_test(decoding_and_encoding_are_inverse),
        cmocka_unit_test(bad_bytes_and_bad_points_are_replaced),
        cmocka_unit_test(lengths_are_in_code_points_and_cuts_between_them),
        cmocka_unit_test(white_space_is_trimmed_at_both_ends),
        cmocka_unit_test(latin_letters_are_folded_to_lower_case),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
