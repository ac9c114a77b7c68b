#include "services/notifications/mail.h"

#include <sodium.h>
#include <string.h>

#include "common/base/test.h"
#include "common/base/utf8.h"

#define ENCODED "=?UTF-8?B?"

static struct arena arena;
static struct buffer text;

static int
set_up(void **state)
{
    (void)state;
    arena_init(&arena, (size_t)1 << 20);
    buffer_init(&text, MAIL_BYTES);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    buffer_fini(&text);
    arena_fini(&arena);
    return 0;
}

static const char *
phrase(const char *words)
{
    buffer_clear(&text);
    assert_false(failed(mail_phrase(words, &arena, &text)));
    return (const char *)text.data;
}

static const char *
decode(const char *base64, size_t size)
{
    unsigned char *bytes = arena_alloc(&arena, size + 1);
    size_t decoded;

    assert_int_equal(sodium_base642bin(bytes, size, base64, size, "\r\n", &decoded, NULL,
                                       sodium_base64_VARIANT_ORIGINAL),
                     0);
    bytes[decoded] = '\0';
    return (const char *)bytes;
}

/* Reads a phrase of encoded words back, and checks each word by itself. */
static const char *
read_phrase(const char *phrase_text)
{
    const char *at = phrase_text;
    const char *whole = "";

    while (*at) {
        const char *end = strstr(at, "?=");
        const char *part;

        assert_non_null(end);
        assert_int_equal(strncmp(at, ENCODED, strlen(ENCODED)), 0);
        assert_true(end + 2 - at <= 75);
        at += strlen(ENCODED);
        part = decode(at, (size_t)(end - at));
        assert_true(utf8_text(part, strlen(part))); /* cut between characters */
        whole = arena_printf(&arena, "%s%s", whole, part);
        assert_non_null(whole);
        at = end + 2;
        if (*at) {
            assert_int_equal(strncmp(at, "\r\n ", 3), 0);
            at += 3;
        }
    }
    return whole;
}

static void
short_words_without_umlauts_stay_readable(void **state)
{
    (void)state;
    assert_string_equal(phrase("Anna Berg"), "Anna Berg");
    assert_string_equal(phrase(""), "");
}

static void
umlauts_signs_and_long_words_become_encoded_words_that_read_back(void **state)
{
    static const char *const words[] = {
        "Åsa Öst",
        "Bedömning: inte behörig",
        "\"Quoted\" <not@an.address>, Bcc: x",
        "=?UTF-8?B?already?=",
        "a plain name of more than thirty nine letters in all",
        ("ååååååååååååååååååååååååååååååååååååååååååååååååååååååååååååååååååååååååååååååååååååå"
         "å"),
        "aåååååååååååååååååååååååååååååååååååååååååååååååååååååååååååååå",
        "日本語の名前日本語の名前日本語の名前日本語の名前日本語の名前",
        "😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀😀x",
        "tab\there and a bell \a",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(words); i++)
        assert_string_equal(read_phrase(phrase(words[i])), words[i]);
}

static struct mail
sample(void)
{
    return (struct mail){.from = "no-reply@samverka.example",
                         .from_name = "Samverka",
                         .to = "asa@example.org",
                         .to_name = "Åsa Öst",
                         .subject = "Bedömning: behörig",
                         .body = "Hej Åsa,\n\nrad två\n.\n",
                         .message_id = "0193a000-0000-7000-8000-000000000001@samverka.example",
                         .language = "sv",
                         .date = {1795332765000}}; /* 2026-11-22T07:32:45Z */
}

static const char *
written(const struct mail *mail)
{
    buffer_clear(&text);
    assert_false(failed(mail_write(mail, &arena, &text)));
    return (const char *)text.data;
}

static void
a_mail_has_every_header_once_and_a_body_that_reads_back(void **state)
{
    static const char *const headers[] = {
        "From: Samverka\r\n <no-reply@samverka.example>\r\n",
        "\r\nTo: =?UTF-8?B?w4VzYSDDlnN0?=\r\n <asa@example.org>\r\n",
        "\r\nSubject: =?UTF-8?B?",
        "\r\nDate: Sun, 22 Nov 2026 07:32:45 +0000\r\n",
        "\r\nMessage-ID: <0193a000-0000-7000-8000-000000000001@samverka.example>\r\n",
        "\r\nContent-Language: sv\r\n",
        "\r\nAuto-Submitted: auto-generated\r\n",
        "\r\nMIME-Version: 1.0\r\n",
        "\r\nContent-Type: text/plain; charset=utf-8\r\n",
        "\r\nContent-Transfer-Encoding: base64\r\n",
    };
    const struct mail mail = sample();
    const char *mail_text = written(&mail);
    const char *body = strstr(mail_text, "\r\n\r\n");

    (void)state;
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        const char *found = strstr(mail_text, headers[i]);

        if (!found || found > body)
            fail_msg("no header %s in\n%s", headers[i], mail_text);
        assert_null(strstr(found + 1, headers[i]));
    }
    assert_string_equal(decode(body + 4, strlen(body + 4)), "Hej Åsa,\r\n\r\nrad två\r\n.\r\n");
}

static void
no_line_is_longer_than_76_characters_and_every_line_ends_in_crlf(void **state)
{
    struct mail mail = sample();
    char long_body[5000];

    (void)state;
    memset(long_body, 'x', sizeof long_body - 1);
    long_body[sizeof long_body - 1] = '\0';
    mail.body = long_body;
    mail.subject = "Ett mycket långt ämne som räcker över flera rader och slutar med ett å";
    mail.to_name = "Ett förnamn som är så långt att det inte får plats på en enda rad, Östberg";
    for (const char *line = written(&mail); *line;) {
        const char *end = strstr(line, "\r\n");

        assert_non_null(end);
        assert_true(end - line <= 76);
        assert_null(memchr(line, '\n', (size_t)(end - line)));
        line = end + 2;
    }
}

static void
lines_that_end_in_crlf_already_are_not_doubled(void **state)
{
    struct mail mail = sample();
    const char *body;

    (void)state;
    mail.body = "one\r\ntwo\n";
    body = strstr(written(&mail), "\r\n\r\n") + 4;
    assert_string_equal(decode(body, strlen(body)), "one\r\ntwo\r\n");
}

static void
nothing_breaks_out_of_its_header(void **state)
{
    static const char *const breaks[] = {"x\r\nBcc: evil@example.org", "x\nBcc: y", "x\r",
                                         "\n"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(breaks); i++) {
        struct mail name = sample(), subject = sample(), language = sample(), id = sample(),
                    sender = sample();

        name.to_name = subject.subject = language.language = sender.from_name = breaks[i];
        id.message_id = breaks[i];
        assert_int_equal(mail_write(&name, &arena, &text).code, CODE_INVALID_ARGUMENT);
        assert_int_equal(mail_write(&subject, &arena, &text).code, CODE_INVALID_ARGUMENT);
        assert_int_equal(mail_write(&language, &arena, &text).code, CODE_INVALID_ARGUMENT);
        assert_int_equal(mail_write(&id, &arena, &text).code, CODE_INVALID_ARGUMENT);
        assert_int_equal(mail_write(&sender, &arena, &text).code, CODE_INVALID_ARGUMENT);
    }
}

static void
what_is_no_plain_address_gets_no_mail(void **state)
{
    static const char *const addresses[] = {
        "",
        "nobody",
        "@example.org",
        "a@",
        "a@b@c",
        "a b@example.org",
        "a@example.org\r\nX: y",
        "<a@example.org>",
        "a@example.org, b@example.org",
        "a;b@example.org",
        "a@[127.0.0.1]",
        "\"a\"@example.org",
        "a(b)@example.org",
        "å@example.org",
        "a@exämple.org",
        "a\x01@example.org",
        "a\x7f@example.org",
        "a:b@example.org",
        "a\\@example.org",
    };
    char long_address[300];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(addresses); i++) {
        struct mail mail = sample();

        mail.to = addresses[i];
        if (mail_write(&mail, &arena, &text).code != CODE_INVALID_ARGUMENT)
            fail_msg("%s was taken for an address", addresses[i]);
    }
    memset(long_address, 'a', sizeof long_address - 1);
    memcpy(long_address + 250, "@example.org", 13);
    struct mail mail = sample();

    mail.to = long_address;
    assert_int_equal(mail_write(&mail, &arena, &text).code, CODE_INVALID_ARGUMENT);
}

static void
a_mail_too_large_for_its_buffer_is_refused(void **state)
{
    struct mail mail = sample();
    char *body = arena_alloc(&arena, MAIL_BYTES + 1);

    (void)state;
    memset(body, 'x', MAIL_BYTES);
    mail.body = body;
    assert_int_equal(mail_write(&mail, &arena, &text).code, CODE_RESOURCE_EXHAUSTED);
}

#define MAIL_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        MAIL_TEST(short_words_without_umlauts_stay_readable),
        MAIL_TEST(umlauts_signs_and_long_words_become_encoded_words_that_read_back),
        MAIL_TEST(a_mail_has_every_header_once_and_a_body_that_reads_back),
        MAIL_TEST(no_line_is_longer_than_76_characters_and_every_line_ends_in_crlf),
        MAIL_TEST(lines_that_end_in_crlf_already_are_not_doubled),
        MAIL_TEST(nothing_breaks_out_of_its_header),
        MAIL_TEST(what_is_no_plain_address_gets_no_mail),
        MAIL_TEST(a_mail_too_large_for_its_buffer_is_refused),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
