#include "common/base/test.h"

#include <string.h>

#include "services/gateway/problem.h"

static void
expect_pointer(const char *field, const char *pointer)
{
    scoped(buffer_fini) struct buffer text = {0};

    buffer_init(&text, 1000);
    problem_pointer(field, &text);
    buffer_puts(&text, "");
    assert_string_equal((const char *)text.data, pointer);
}

static void
fields_of_services_become_json_pointers(void **context)
{
    (void)context;
    expect_pointer("skills[3].concept_id", "/skills/3/conceptId");
    expect_pointer("names", "/names");
    expect_pointer("a_b.c_d[0][1].e", "/aB/cD/0/1/e");
    expect_pointer("/skills/3/conceptId", "/skills/3/conceptId");
    expect_pointer("", "");
}

static const char *
write_problem(struct buffer *text, struct status status)
{
    const struct problem problem = {.status = status,
                                    .public_url = "https://s.example",
                                    .instance = "/v1/\"x\"",
                                    .trace_id = "t",
                                    .request_id = "r",
                                    .retry_after_ms = 1500,
                                    .lang = LANG_FI};

    buffer_init(text, 4000);
    problem_write(&problem, text);
    return (const char *)text->data;
}

static void
a_problem_says_what_where_and_when_to_try_again(void **context)
{
    scoped(buffer_fini) struct buffer text = {0};
    const struct status status = {CODE_INVALID_ARGUMENT, "must not be \"empty\"",
                                  "texts[0].lang"};

    (void)context;
    assert_string_equal(
        write_problem(&text, status),
        "{\"type\":\"https://s.example/problems/invalid_argument\","
        "\"title\":\"Pyynt\xc3\xb6 on virheellinen\",\"status\":400,"
        "\"detail\":\"must not be \\\"empty\\\"\",\"instance\":\"/v1/\\\"x\\\"\","
        "\"code\":\"INVALID_ARGUMENT\",\"errors\":[{\"pointer\":\"/texts/0/lang\","
        "\"detail\":\"must not be \\\"empty\\\"\"}],\"trace_id\":\"t\",\"request_id\":\"r\","
        "\"retry_after\":2}");
}

static void
what_went_wrong_inside_stays_inside(void **context)
{
    scoped(buffer_fini) struct buffer text = {0};
    const struct status status = {CODE_INTERNAL, "secret table", "secret_column"};
    const char *written = write_problem(&text, status);

    (void)context;
    assert_null(strstr(written, "secret"));
    assert_non_null(strstr(written, code_meaning(CODE_INTERNAL)));
}

static void
every_code_has_a_title_in_every_language_and_a_page(void **context)
{
    static const enum code codes[] = {
#define CODE(name, number, http, retry, meaning) CODE_##name,
#include "common/base/code.def"
#undef CODE
    };
    enum code found;

    (void)context;
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        for (int lang = 0; lang < LANG_COUNT; lang++)
            assert_true(strlen(problem_title(codes[i], (enum lang)lang)) > 3);
        assert_int_equal(problem_code_parse(code_name(codes[i]), &found), codes[i] != CODE_OK);
    }
    assert_true(problem_code_parse("not_found", &found));
    assert_int_equal(found, CODE_NOT_FOUND);
    assert_false(problem_code_parse("nope", &found));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_of_services_become_json_pointers),
        cmocka_unit_test(a_problem_says_what_where_and_when_to_try_again),
        cmocka_unit_test(what_went_wrong_inside_stays_inside),
        cmocka_unit_test(every_code_has_a_title_in_every_language_and_a_page),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
