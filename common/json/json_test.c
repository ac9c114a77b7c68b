#include "common/base/test.h"

#include <string.h>

#include "common/json/json.h"
#include "json_test.pb-c.h"

struct state {
    struct arena arena;
    struct json_schema *schema;
    const struct json_plan *plan;
};

static int
setup(void **context)
{
    static const ProtobufCMessageDescriptor *const roots[] = {
        &gateway__test__v1__sample__descriptor, NULL};
    static struct state state;

    arena_init(&state.arena, ARENA_CALL_BYTES);
    if (failed(json_schema_create(roots, &state.arena, &state.schema)))
        return -1;
    state.plan = json_schema_find(state.schema, roots[0]);
    *context = &state;
    return 0;
}

static int
teardown(void **context)
{
    struct state *state = *context;

    json_schema_destroy(&state->schema);
    arena_fini(&state->arena);
    return 0;
}

static struct status
read_text(struct state *state, const char *text, Gateway__Test__V1__Sample **ret)
{
    ProtobufCMessage *message = NULL;
    const struct status status =
        json_read(state->plan, text, strlen(text), NULL, &state->arena, &message, NULL);

    *ret = (Gateway__Test__V1__Sample *)message;
    return status;
}

static Gateway__Test__V1__Sample *
must_read(struct state *state, const char *text)
{
    Gateway__Test__V1__Sample *sample;
    const struct status status = read_text(state, text, &sample);

    if (failed(status))
        fail_msg("%s: %s %s", text, status.field, status.detail);
    return sample;
}

static void
expect_refusal(struct state *state, const char *text, const char *pointer, const char *part)
{
    Gateway__Test__V1__Sample *sample;
    const struct status status = read_text(state, text, &sample);

    if (status.code != CODE_INVALID_ARGUMENT)
        fail_msg("%s was taken", text);
    assert_string_equal(status.field, pointer);
    if (!strstr(status.detail, part))
        fail_msg("%s: \"%s\" does not say \"%s\"", text, status.detail, part);
    assert_null(sample);
}

static void
integers_are_exact_as_numbers_and_as_strings(void **context)
{
    struct state *state = *context;
    const Gateway__Test__V1__Sample *sample = must_read(
        state, "{\"aUint64\":18446744073709551615,\"anInt64\":\"-9223372036854775808\","
               "\"a_sint64\":9007199254740993,\"aUint32\":4294967295,\"anInt32\":-2147483648,"
               "\"aSint32\":1.5e1,\"aFixed32\":200e-2,\"aFixed64\":\"1e3\"}");

    assert_true(sample->a_uint64 == UINT64_MAX);
    assert_true(sample->an_int64 == INT64_MIN);
    assert_true(sample->a_sint64 == 9007199254740993);
    assert_int_equal(sample->a_uint32, UINT32_MAX);
    assert_int_equal(sample->an_int32, INT32_MIN);
    assert_int_equal(sample->a_sint32, 15);
    assert_int_equal(sample->a_fixed32, 2);
    assert_true(sample->a_fixed64 == 1000);
}

static void
numbers_out_of_range_or_with_a_fraction_are_refused(void **context)
{
    static const char *const texts[] = {
        "{\"anInt32\":2147483648}", "{\"anInt32\":1.5}",     "{\"anInt32\":\"\"}",
        "{\"anInt32\":\"1 \"}",     "{\"anInt32\":\"0x1\"}", "{\"anInt32\":true}",
        "{\"anInt32\":[1]}",        "{\"anInt32\":1e10}",    "{\"anInt32\":1e-1}",
    };
    struct state *state = *context;

    for (size_t i = 0; i < COUNT_OF(texts); i++)
        expect_refusal(state, texts[i], "/anInt32", "integer");
    expect_refusal(state, "{\"aUint64\":18446744073709551616}", "/aUint64", "64-bit");
    expect_refusal(state, "{\"aUint64\":-1}", "/aUint64", "64-bit");
    expect_refusal(state, "{\"anInt64\":9223372036854775808}", "/anInt64", "64-bit");
    expect_refusal(state, "{\"aUint64\":1e999999999999}", "/aUint64", "64-bit");
    expect_refusal(state, "{\"aDouble\":1e999}", "/aDouble", "finite");
    expect_refusal(state, "{\"aDouble\":\"NaN\"}", "/aDouble", "finite");
    expect_refusal(state, "{\"aFloat\":1e39}", "/aFloat", "finite");
    expect_refusal(state, "{\"aDouble\":NaN}", "/aDouble", "JSON");
    expect_refusal(state, "{\"aDouble\":01}", "/aDouble", "JSON");
    expect_refusal(state, "{\"aDouble\":+1}", "/aDouble", "JSON");
    expect_refusal(state, "{\"aDouble\":1.}", "/aDouble", "JSON");
    expect_refusal(state, "{\"aDouble\":-}", "/aDouble", "JSON");
}

static void
zero_with_any_exponent_is_zero(void **context)
{
    const Gateway__Test__V1__Sample *sample =
        must_read(*context, "{\"aUint64\":0e999999999,\"anInt64\":-0.000,\"aUint32\":\"-0\"}");

    assert_true(sample->a_uint64 == 0 && sample->an_int64 == 0 && sample->a_uint32 == 0);
}

static void
strings_are_unescaped_and_must_be_text(void **context)
{
    struct state *state = *context;
    const Gateway__Test__V1__Sample *sample = must_read(
        state, "{\"text\":\"\\u00e5\\ud83d\\ude00 \\\"\\\\\\/\\b\\f\\n\\r\\t\xc3\xa4\"}");

    assert_string_equal(sample->text, "\xc3\xa5\xf0\x9f\x98\x80 \"\\/\b\f\n\r\t\xc3\xa4");
    expect_refusal(state, "{\"text\":\"\xc3\"}", "/text", "UTF-8");
    expect_refusal(state, "{\"text\":\"\xed\xa0\x80\"}", "/text", "UTF-8");
    expect_refusal(state, "{\"text\":\"\xc0\xaf\"}", "/text", "UTF-8");
    expect_refusal(state, "{\"text\":\"\\u0000\"}", "/text", "u0000");
    expect_refusal(state, "{\"text\":\"\\ud800\"}", "/text", "surrogate");
    expect_refusal(state, "{\"text\":\"\\ud800\\u0041\"}", "/text", "surrogate");
    expect_refusal(state, "{\"text\":\"\\udc00\"}", "/text", "surrogate");
    expect_refusal(state, "{\"text\":\"\\x41\"}", "/text", "escape");
    expect_refusal(state, "{\"text\":\"\\u00\"}", "/text", "escape");
    expect_refusal(state, "{\"text\":\"a\nb\"}", "/text", "control");
    expect_refusal(state, "{\"text\":\"a", "/text", "ends inside");
    expect_refusal(state, "{\"text\":\"a\\", "/text", "ends inside");
    expect_refusal(state, "{\"text\":\"a\\\"", "/text", "ends inside");
    expect_refusal(state, "{\"text\":1}", "/text", "string");
}

static void
unknown_and_repeated_members_are_refused_at_their_place(void **context)
{
    struct state *state = *context;

    expect_refusal(state, "{\"nope\":1}", "/nope", "no such field");
    expect_refusal(state, "{\"leaf\":{\"a/b~c\":1}}", "/leaf/a~1b~0c", "no such field");
    expect_refusal(state, "{\"leaves\":[{},{\"x\":1}]}", "/leaves/1/x", "no such field");
    expect_refusal(state, "{\"text\":\"\",\"text\":\"\"}", "/text", "twice");
    expect_refusal(state, "{\"anInt32\":1,\"an_int32\":1}", "/an_int32", "twice");
    expect_refusal(state, "{\"t\\u0065xt\":\"\",\"text\":\"\"}", "/text", "twice");
    expect_refusal(state, "{\"byText\":{\"k\":\"\",\"\\u006b\":\"\"}}", "/byText/k", "twice");
    expect_refusal(state, "{\"byNumber\":{\"1\":{},\"1.0\":{}}}", "/byNumber/1.0", "twice");
    expect_refusal(state, "{\"choiceText\":\"a\",\"choiceNumber\":1}", "/choiceNumber",
                   "same choice");
}

static void
what_is_not_one_json_object_is_refused(void **context)
{
    struct state *state = *context;

    expect_refusal(state, "", "", "object");
    expect_refusal(state, "[]", "", "object");
    expect_refusal(state, "null", "", "object");
    expect_refusal(state, "{} x", "", "follows");
    expect_refusal(state, "{}{}", "", "follows");
    expect_refusal(state, "{", "", "name must be a string");
    expect_refusal(state, "{\"text\"}", "/text", "colon");
    expect_refusal(state, "{\"text\":}", "/text", "JSON");
    expect_refusal(state, "{\"text\":\"a\",}", "", "name must be a string");
    expect_refusal(state, "{\"text\":\"a\" \"data\":\"\"}", "/text", "goes on");
    expect_refusal(state, "{\"numbers\":[1,]}", "/numbers/1", "JSON");
    expect_refusal(state, "{\"numbers\":[1 2]}", "/numbers/0", "goes on");
    expect_refusal(state, "{\"numbers\":[null]}", "/numbers/0", "null");
    expect_refusal(state, "{\"byText\":{\"a\":null}}", "/byText/a", "null");
    expect_refusal(state, "{\"numbers\":1}", "/numbers", "list");
    expect_refusal(state, "{\"leaf\":[]}", "/leaf", "object");
    expect_refusal(state, "{\"aBool\":\"true\"}", "/aBool", "true or false");
    expect_refusal(state, "{\"aBool\":tru}", "/aBool", "JSON");
    expect_refusal(state, "{\"colour\":\"BLUE\"}", "/colour", "names");
    expect_refusal(state, "{\"data\":\"a\"}", "/data", "base64");
    expect_refusal(state, "{\"data\":\"a=bc\"}", "/data", "base64");
    expect_refusal(state, "{\"data\":\"AB==\"}", "/data", "base64");
    expect_refusal(state, "{\"at\":\"2026-02-29T00:00:00Z\"}", "/at", "time");
    expect_refusal(state, "{\"at\":\"2026-11-22 00:00:00\"}", "/at", "time");
    expect_refusal(state, "{\"at\":\"0001-01-01T00:00:00+01:00\"}", "/at", "time");
    expect_refusal(state, "{\"at\":{}}", "/at", "time");
}

static void
a_text_of_nul_bytes_after_the_object_is_refused(void **context)
{
    struct state *state = *context;
    ProtobufCMessage *message;
    const struct status status =
        json_read(state->plan, "{}\0", 3, NULL, &state->arena, &message, NULL);

    assert_int_equal(status.code, CODE_INVALID_ARGUMENT);
}

static void
depth_keys_and_size_are_limited(void **context)
{
    struct state *state = *context;
    scoped(buffer_fini) struct buffer text;
    Gateway__Test__V1__Sample *sample;
    struct status status;

    buffer_init(&text, 1 << 20);
    buffer_puts(&text, "{\"byText\":{");
    for (int i = 0; i < 999; i++)
        buffer_printf(&text, "%s\"%d\":\"\"", i ? "," : "", i);
    buffer_puts(&text, "}}");
    sample = must_read(state, (const char *)text.data);
    assert_int_equal(sample->n_by_text, 999);

    buffer_truncate(&text, text.size - 2);
    buffer_puts(&text, ",\"k\":\"\"}}");
    status = read_text(state, (const char *)text.data, &sample);
    assert_int_equal(status.code, CODE_INVALID_ARGUMENT);
    assert_non_null(strstr(status.detail, "1000"));

    buffer_clear(&text);
    for (size_t i = 0; i <= JSON_TEXT_BYTES; i++)
        buffer_putc(&text, ' ');
    status = read_text(state, (const char *)text.data, &sample);
    assert_int_equal(status.code, CODE_TOO_LARGE);
}

static void
null_means_not_set(void **context)
{
    const Gateway__Test__V1__Sample *sample =
        must_read(*context, "{\"text\":null,\"leaf\":null,\"numbers\":null,\"byText\":null,"
                            "\"choiceText\":null,\"choiceNumber\":7}");

    assert_string_equal(sample->text, "");
    assert_null(sample->leaf);
    assert_int_equal(sample->n_numbers, 0);
    assert_int_equal(sample->choice_case, GATEWAY__TEST__V1__SAMPLE__CHOICE_CHOICE_NUMBER);
}

static void
closed_fields_are_refused_and_seen_ones_are_told(void **context)
{
    struct state *state = *context;
    const int text = json_plan_field(state->plan, "text", 4);
    const int number = json_plan_field(state->plan, "an_int32", 8);
    struct json_fields closed = {0}, seen;
    ProtobufCMessage *message;
    struct status status;

    json_fields_add(&closed, (unsigned)text);
    status =
        json_read(state->plan, "{\"text\":\"a\"}", 12, &closed, &state->arena, &message, NULL);
    assert_int_equal(status.code, CODE_INVALID_ARGUMENT);
    assert_string_equal(status.field, "/text");
    status =
        json_read(state->plan, "{\"anInt32\":0}", 13, &closed, &state->arena, &message, &seen);
    assert_false(failed(status));
    assert_true(json_fields_has(&seen, (unsigned)number));
    assert_false(json_fields_has(&seen, (unsigned)text));
}

static void
bare_texts_set_fields(void **context)
{
    struct state *state = *context;
    Gateway__Test__V1__Sample sample = GATEWAY__TEST__V1__SAMPLE__INIT;
    const struct {
        const char *field, *text;
        bool good;
    } cases[] = {
        {"text", "R\xc3\xa4ksm\xc3\xb6rg\xc3\xa5s", true},
        {"a_uint64", "18446744073709551615", true},
        {"a_bool", "true", true},
        {"colour", "FAR_AWAY", true},
        {"texts", "a", true},
        {"texts", "b", true},
        {"numbers", "7", true},
        {"a_bool", "1", false},
        {"colour", "far", false},
        {"an_int32", "x", false},
        {"leaf", "{}", false},
        {"text", "\xff", false},
        {"choice_text", "c", true},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const int index = json_plan_field(state->plan, cases[i].field, strlen(cases[i].field));
        const struct status status = json_set_text(state->plan, (unsigned)index, cases[i].text,
                                                   "it", &state->arena, &sample.base);

        assert_int_equal(status.code, cases[i].good ? CODE_OK : CODE_INVALID_ARGUMENT);
        if (!cases[i].good)
            assert_string_equal(status.field, "it");
    }
    assert_true(sample.a_uint64 == UINT64_MAX && sample.a_bool);
    assert_int_equal(sample.colour, GATEWAY__TEST__V1__COLOUR__FAR_AWAY);
    assert_int_equal(sample.n_texts, 2);
    assert_string_equal(sample.texts[1], "b");
    assert_int_equal(sample.numbers[0], 7);
    assert_string_equal(sample.choice_text, "c");
}

static void
what_is_written_reads_back_and_is_written_the_same(void **context)
{
    struct state *state = *context;
    const char *text =
        "{\"anInt32\":-1,\"aSint32\":0,\"anSfixed32\":0,\"anInt64\":\"-5\",\"aSint64\":\"0\","
        "\"anSfixed64\":\"0\",\"aUint32\":1,\"aFixed32\":0,\"aUint64\":"
        "\"18446744073709551615\","
        "\"aFixed64\":\"0\",\"aFloat\":0.1,\"aDouble\":0.30000000000000004,\"aBool\":true,"
        "\"colour\":\"FAR_AWAY\",\"text\":\"\\\"\xc3\xa5\\\\ \\u2028\",\"data\":\"AAEC/w==\","
        "\"leaf\":{\"name\":\"\",\"bigNumber\":\"0\"},\"at\":\"2026-11-22T05:59:35.120Z\","
        "\"choiceColour\":7,\"numbers\":[1,2],\"bigNumbers\":[\"3\"],\"bools\":[true,false],"
        "\"colours\":[\"BELOW\",\"RED\",55],\"texts\":[\"\",\"b\"],\"datas\":[\"\",\"YQ==\"],"
        "\"leaves\":[{\"name\":\"l\",\"bigNumber\":\"9\"}],\"doubles\":[1e+300,-2.5],"
        "\"times\":[\"1969-12-31T23:59:59.999999999Z\"],\"byText\":{\"a\":\"b\"},"
        "\"byNumber\":{\"-3\":{\"name\":\"\",\"bigNumber\":\"0\"}},\"byBool\":{\"true\":"
        "\"RED\"},"
        "\"byBigNumber\":{\"4\":\"YWI=\"},\"manyWordsHere\":{\"w\":1},"
        "\"level\":{\"inner\":{\"inner\":{\"leaves\":[]}}},\"x1Y2\":\"\",\"underScore\":\"\"}";
    const Gateway__Test__V1__Sample *sample = must_read(state, text);
    scoped(buffer_fini) struct buffer out;

    buffer_init(&out, 1 << 16);
    assert_false(failed(json_write(state->plan, &sample->base, &state->arena, &out)));
    assert_string_equal((const char *)out.data, text);
}

static void
a_buffer_that_is_too_small_is_an_error(void **context)
{
    struct state *state = *context;
    const Gateway__Test__V1__Sample sample = GATEWAY__TEST__V1__SAMPLE__INIT;
    scoped(buffer_fini) struct buffer out;

    buffer_init(&out, 100);
    assert_int_equal(json_write(state->plan, &sample.base, &state->arena, &out).code,
                     CODE_RESOURCE_EXHAUSTED);
}

static void
times_cover_leap_years_and_offsets(void **context)
{
    const Gateway__Test__V1__Sample *sample = must_read(
        *context, "{\"times\":[\"2000-02-29T23:59:59+00:00\",\"1900-03-01T00:00:00Z\","
                  "\"2026-01-01T00:30:00+02:00\",\"9999-12-31T23:59:59.5Z\"]}");

    assert_true(sample->times[0]->seconds == 951868799);
    assert_true(sample->times[1]->seconds == -2203891200);
    assert_true(sample->times[2]->seconds == 1767220200);
    assert_int_equal(sample->times[3]->nanos, 500000000);
}

static void
any_value_is_checked_and_written_on_one_line(void **context)
{
    struct state *state = *context;
    static const char *const good[][2] = {
        {" 1 ", "1"},
        {"\"a b\\\"\\\\\"", "\"a b\\\"\\\\\""},
        {"[ ]", "[]"},
        {"{\n\"a\" : {\t\"a\" : null } ,\r\"b\":[ true, 1.50e3 ]}",
         "{\"a\":{\"a\":null},\"b\":[true,1.50e3]}"},
    };
    static const char *const bad[][2] = {{"", ""},
                                         {"1 2", ""},
                                         {"{\"a\":1,\"\\u0061\":2}", "/a"},
                                         {"[1,]", "/1"},
                                         {"[{\"a\":[tru]}]", "/0/a/0"},
                                         {"\"\xff\"", ""},
                                         {"[\"\n\"]", "/0"}};

    for (size_t i = 0; i < COUNT_OF(good); i++) {
        scoped(buffer_fini) struct buffer text = {0};

        buffer_init(&text, 1000);
        assert_int_equal(json_value_check(good[i][0], strlen(good[i][0]), &state->arena).code,
                         CODE_OK);
        json_value_write(good[i][0], strlen(good[i][0]), &text);
        assert_string_equal((const char *)text.data, good[i][1]);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        const struct status status =
            json_value_check(bad[i][0], strlen(bad[i][0]), &state->arena);

        assert_int_equal(status.code, CODE_INVALID_ARGUMENT);
        assert_string_equal(status.field, bad[i][1]);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_exact_as_numbers_and_as_strings),
        cmocka_unit_test(numbers_out_of_range_or_with_a_fraction_are_refused),
        cmocka_unit_test(zero_with_any_exponent_is_zero),
        cmocka_unit_test(strings_are_unescaped_and_must_be_text),
        cmocka_unit_test(unknown_and_repeated_members_are_refused_at_their_place),
        cmocka_unit_test(what_is_not_one_json_object_is_refused),
        cmocka_unit_test(a_text_of_nul_bytes_after_the_object_is_refused),
        cmocka_unit_test(depth_keys_and_size_are_limited),
        cmocka_unit_test(null_means_not_set),
        cmocka_unit_test(closed_fields_are_refused_and_seen_ones_are_told),
        cmocka_unit_test(bare_texts_set_fields),
        cmocka_unit_test(what_is_written_reads_back_and_is_written_the_same),
        cmocka_unit_test(a_buffer_that_is_too_small_is_an_error),
        cmocka_unit_test(times_cover_leap_years_and_offsets),
        cmocka_unit_test(any_value_is_checked_and_written_on_one_line),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
