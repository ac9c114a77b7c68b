#include "services/notifications/mail.h"

#include <ctype.h>
#include <sodium.h>
#include <string.h>
#include <time.h>

#include "common/base/utf8.h"

#define WORD_BYTES 45  /* 60 characters of base64, so an encoded word has 72 of 75 */
#define BASE64_LINE 57 /* 76 characters of base64 (RFC 2045, 6.8) */
#define ENCODED_SIZE 128

static bool
plain(const char *text)
{
    for (const char *c = text; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != ' ' && *c != '-')
            return false;
    return true;
}

static bool
one_line(const char *text)
{
    return !strpbrk(text, "\r\n");
}

static void
put_base64(struct buffer *into, const char *bytes, size_t size)
{
    char encoded[ENCODED_SIZE];

    (void)sodium_bin2base64(encoded, sizeof encoded, (const unsigned char *)bytes, size,
                            sodium_base64_VARIANT_ORIGINAL);
    buffer_puts(into, encoded);
}

struct status
mail_phrase(const char *text, struct arena *arena, struct buffer *into)
{
    const char *at = text;

    if (!one_line(text))
        return FAIL(arena, INVALID_ARGUMENT, "a header must be one line");
    if (plain(text)) {
        buffer_puts(into, text);
        return OK;
    }
    while (*at) {
        const char *end = at;

        for (const char *next = at; *next;) {
            (void)utf8_next(&next);
            if ((size_t)(next - at) > WORD_BYTES)
                break;
            end = next;
        }
        buffer_puts(into, at == text ? "=?UTF-8?B?" : "\r\n =?UTF-8?B?");
        put_base64(into, at, (size_t)(end - at));
        buffer_puts(into, "?=");
        at = end;
    }
    return OK;
}

/* Addresses were checked when they were stored; this is the last gate before a header. */
static struct status
put_address(struct arena *arena, struct buffer *into, const char *field, const char *name,
            const char *address)
{
    if (strpbrk(address, "\r\n\t <>,;\"") || !strchr(address, '@'))
        return FAIL(arena, INVALID_ARGUMENT, "%s: not an address", field);
    buffer_printf(into, "%s: ", field);
    if (*name) {
        TRY(mail_phrase(name, arena, into));
        buffer_puts(into, strlen(name) > WORD_BYTES ? "\r\n " : " ");
    }
    buffer_printf(into, "<%s>\r\n", address);
    return OK;
}

static void
put_date(struct buffer *into, struct wall date)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const time_t seconds = (time_t)(date.unix_ms / 1000);
    struct tm utc;

    (void)gmtime_r(&seconds, &utc); /* any second of this millennium has a date */
    buffer_printf(into, "Date: %s, %d %s %d %02d:%02d:%02d +0000\r\n", days[utc.tm_wday],
                  utc.tm_mday, months[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min,
                  utc.tm_sec);
}

static void
put_body(struct buffer *into, const char *body)
{
    const size_t size = strlen(body);

    for (size_t at = 0; at < size; at += BASE64_LINE) {
        const size_t left = size - at;

        put_base64(into, body + at, left < BASE64_LINE ? left : BASE64_LINE);
        buffer_puts(into, "\r\n");
    }
}

struct status
mail_write(const struct mail *mail, struct arena *arena, struct buffer *into)
{
    if (!one_line(mail->message_id) || !one_line(mail->language))
        return FAIL(arena, INVALID_ARGUMENT, "a header must be one line");
    TRY(put_address(arena, into, "From", mail->from_name, mail->from));
    TRY(put_address(arena, into, "To", mail->to_name, mail->to));
    buffer_puts(into, "Subject: ");
    TRY(mail_phrase(mail->subject, arena, into));
    buffer_puts(into, "\r\n");
    put_date(into, mail->date);
    buffer_printf(into,
                  "Message-ID: <%s>\r\n"
                  "Content-Language: %s\r\n"
                  "Auto-Submitted: auto-generated\r\n"
                  "MIME-Version: 1.0\r\n"
                  "Content-Type: text/plain; charset=utf-8\r\n"
                  "Content-Transfer-Encoding: base64\r\n"
                  "\r\n",
                  mail->message_id, mail->language);
    put_body(into, mail->body);
    return buffer_check(into, arena);
}
