#include "services/notifications/mail.h"

#include <ctype.h>
#include <sodium.h>
#include <string.h>
#include <time.h>

#include "common/base/utf8.h"

/* 52 characters of base64: with its frame and the longest field name before it an encoded word
 * stays within the 76 characters of a line (RFC 2047, 2). */
#define WORD_BYTES 39
#define BASE64_LINE 57 /* 76 characters of base64 (RFC 2045, 6.8) */
#define ENCODED_SIZE 128
#define ADDRESS_BYTES 254 /* RFC 5321, 4.5.3.1.3 */

/* Short, and of characters that mean nothing in a header. */
static bool
plain(const char *text)
{
    for (const char *c = text; *c; c++)
        if (!isalnum((unsigned char)*c) && *c != ' ' && *c != '-')
            return false;
    return strlen(text) <= WORD_BYTES;
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

/* Addresses were checked when they were stored; this is the last gate before a header and an
 * SMTP command.  No quoted local parts, no address literals, no letters beyond ASCII (RFC 6531
 * is not spoken everywhere). */
static bool
address_fits(const char *address)
{
    const char *at = strchr(address, '@');

    if (!at || at == address || !at[1] || strchr(at + 1, '@') ||
        strlen(address) > ADDRESS_BYTES)
        return false;
    for (const char *c = address; *c; c++)
        if (*c <= ' ' || *c > '~' || strchr("<>,;:\"()[]\\", *c))
            return false;
    return true;
}

static struct status
put_address(struct arena *arena, struct buffer *into, const char *field, const char *name,
            const char *address)
{
    if (!address_fits(address))
        return FAIL(arena, INVALID_ARGUMENT, "%s: not an address", field);
    buffer_printf(into, "%s: ", field);
    if (*name) {
        TRY(mail_phrase(name, arena, into));
        buffer_puts(into, "\r\n ");
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

/* Text as RFC 2045 (6.8) wants it before it is encoded: lines end in CRLF. */
static struct status
canonical(const char *body, struct arena *arena, const char **ret, size_t *ret_size)
{
    char *text = arena_alloc(arena, 2 * strlen(body) + 1);
    size_t size = 0;

    TRY(need(text));
    for (const char *c = body; *c; c++) {
        if (*c == '\n' && (c == body || c[-1] != '\r'))
            text[size++] = '\r';
        text[size++] = *c;
    }
    *ret = text;
    *ret_size = size;
    return OK;
}

static struct status
put_body(struct buffer *into, const char *body, struct arena *arena)
{
    const char *text;
    size_t size;

    TRY(canonical(body, arena, &text, &size));
    for (size_t at = 0; at < size; at += BASE64_LINE) {
        const size_t left = size - at;

        put_base64(into, text + at, left < BASE64_LINE ? left : BASE64_LINE);
        buffer_puts(into, "\r\n");
    }
    return OK;
}

struct status
mail_write(const struct mail *mail, struct arena *arena, struct buffer *into)
{
    if (!address_fits(mail->message_id) || !one_line(mail->language))
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
    TRY(put_body(into, mail->body, arena));
    return buffer_check(into, arena);
}
