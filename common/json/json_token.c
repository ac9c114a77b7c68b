#include "common/json/json_token.h"

#include <string.h>

#include "common/base/utf8.h"

static void
pointer_part(struct buffer *pointer, const struct json_step *step)
{
    if (step->kind == JSON_STEP_NONE)
        return;
    buffer_putc(pointer, '/');
    if (step->kind == JSON_STEP_INDEX) {
        buffer_printf(pointer, "%zu", step->size);
        return;
    }
    for (size_t i = 0; i < step->size; i++) {
        if (step->name[i] == '~' || step->name[i] == '/')
            buffer_puts(pointer, step->name[i] == '~' ? "~0" : "~1");
        else
            buffer_putc(pointer, step->name[i]);
    }
}

struct status
json_refuse(struct json_reader *reader, const char *reason)
{
    scoped(buffer_fini) struct buffer pointer = {0};
    const char *field = NULL;

    buffer_init(&pointer, 1024);
    buffer_puts(&pointer, "");
    for (unsigned i = 0; i < reader->depth && i < JSON_DEPTH; i++)
        pointer_part(&pointer, &reader->path[i]);
    if (!pointer.broken && utf8_text(pointer.data, pointer.size))
        field = arena_copy_n(reader->arena, pointer.data, pointer.size);
    return FAIL_FIELD(reader->arena, field ? field : "", "%s", reason);
}

static bool
accept_word(struct json_reader *reader, const char *word, size_t size)
{
    if ((size_t)(reader->end - reader->at) < size || memcmp(reader->at, word, size) != 0)
        return false;
    reader->at += size;
    return true;
}

/* Moves to the quote, backslash, control or non-ASCII character that comes first. */
static const char *
scan_plain(const char *at, const char *end)
{
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;

    for (; end - at >= 8; at += 8) {
        uint64_t word, quote, slash, hits;

        memcpy(&word, at, 8);
        quote = word ^ (ones * '"');
        slash = word ^ (ones * '\\');
        hits = (word | (quote - ones) | (slash - ones) | (word - ones * 0x20)) & highs;
        if (hits != 0) /* the lowest is exact; a borrow spoils only those above it */
            return at + __builtin_ctzll(hits) / 8;
    }
    while (at < end && (uint8_t)*at >= 0x20 && (uint8_t)*at < 0x80 && *at != '"' && *at != '\\')
        at++;
    return at;
}

static int
hex_digit(char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    character = (char)(character | 0x20);
    return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

/* Four hexadecimal digits at *at; -1 when they are not there. */
static int32_t
take_hex(const char **at, const char *end)
{
    int32_t value = 0;

    if (end - *at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        const int digit = hex_digit(*(*at)++);

        if (digit < 0)
            return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* The code point of \uXXXX, or of a surrogate pair, after the u; 0 for what is refused. */
static uint32_t
take_escape_u(const char **at, const char *end)
{
    const int32_t first = take_hex(at, end);
    int32_t second;

    if (first < 0 || (first >= 0xdc00 && first < 0xe000))
        return 0;
    if (first < 0xd800 || first >= 0xe000)
        return (uint32_t)first;
    if (end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u')
        return 0;
    *at += 2;
    second = take_hex(at, end);
    if (second < 0xdc00 || second >= 0xe000)
        return 0;
    return 0x10000u + ((uint32_t)(first - 0xd800) << 10) + (uint32_t)(second - 0xdc00);
}

static char
escaped(char letter)
{
    switch (letter) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    case '"':
    case '\\':
    case '/':
        return letter;
    default:
        return '\0';
    }
}

/* The text of a string with escapes, its end already known; false for a bad escape. */
static bool
unescape(const char *at, const char *end, char *into, size_t *ret_size)
{
    char *const start = into;

    while (at < end) {
        uint32_t code_point;

        if (*at != '\\') {
            *into++ = *at++;
            continue;
        }
        at++;
        if (*at == 'u') {
            at++;
            code_point = take_escape_u(&at, end);
            if (code_point == 0)
                return false;
            into += utf8_put(code_point, into);
            continue;
        }
        *into = escaped(*at++);
        if (*into++ == '\0')
            return false;
    }
    *into = '\0';
    *ret_size = (size_t)(into - start);
    return true;
}

/* The raw inside of the string at `at`, which stands on the opening quote. */
static struct status
take_raw(struct json_reader *reader, struct json_slice *ret, bool *ret_escapes)
{
    const char *const start = reader->at + 1;
    const char *at = start;
    bool ascii = true;

    *ret_escapes = false;
    for (;;) {
        at = scan_plain(at, reader->end);
        if (at == reader->end)
            return json_refuse(reader, "the text ends inside a string");
        if (*at == '"')
            break;
        if ((uint8_t)*at < 0x20)
            return json_refuse(reader, "a string holds a bare control character");
        if ((uint8_t)*at >= 0x80) {
            ascii = false;
            at++;
        } else {
            *ret_escapes = true;
            at += reader->end - at > 1 ? 2 : 1;
        }
    }
    if (!ascii && !utf8_text(start, (size_t)(at - start)))
        return json_refuse(reader, "a string is not UTF-8");
    *ret = (struct json_slice){start, (size_t)(at - start)};
    reader->at = at + 1;
    return OK;
}

struct status
json_take_string(struct json_reader *reader, bool keep, struct json_slice *ret)
{
    struct json_slice raw;
    bool escapes;
    char *copy;

    TRY(take_raw(reader, &raw, &escapes));
    if (!escapes && !keep) {
        *ret = raw;
        return OK;
    }
    if (!escapes) {
        TRY(need(ret->at = arena_copy_n(reader->arena, raw.at, raw.size)));
        ret->size = raw.size;
        return OK;
    }
    TRY(need(copy = arena_alloc(reader->arena, raw.size + 1)));
    if (!unescape(raw.at, raw.at + raw.size, copy, &ret->size))
        return json_refuse(reader,
                           "a string holds a bad escape, half a surrogate pair or \\u0000");
    ret->at = copy;
    return OK;
}

static struct json_slice
take_number(struct json_reader *reader)
{
    const char *const start = reader->at;

    while (reader->at < reader->end &&
           ((*reader->at >= '0' && *reader->at <= '9') || *reader->at == '-' ||
            *reader->at == '+' || *reader->at == '.' || (*reader->at | 0x20) == 'e'))
        reader->at++;
    return (struct json_slice){start, (size_t)(reader->at - start)};
}

struct status
json_take_token(struct json_reader *reader, bool keep, enum json_token *ret,
                struct json_slice *ret_text)
{
    const char next = json_peek(reader);

    *ret = JSON_TOKEN_BAD;
    *ret_text = (struct json_slice){0};
    switch (next) {
    case '"':
        *ret = JSON_TOKEN_STRING;
        return json_take_string(reader, keep, ret_text);
    case '{':
    case '[':
        reader->at++;
        *ret = next == '{' ? JSON_TOKEN_OBJECT : JSON_TOKEN_ARRAY;
        return OK;
    case 't':
        *ret = accept_word(reader, "true", 4) ? JSON_TOKEN_TRUE : JSON_TOKEN_BAD;
        break;
    case 'f':
        *ret = accept_word(reader, "false", 5) ? JSON_TOKEN_FALSE : JSON_TOKEN_BAD;
        break;
    case 'n':
        *ret = accept_word(reader, "null", 4) ? JSON_TOKEN_NULL : JSON_TOKEN_BAD;
        break;
    default:
        if (next == '-' || (next >= '0' && next <= '9')) {
            *ret_text = take_number(reader);
            *ret = json_number_valid(*ret_text) ? JSON_TOKEN_NUMBER : JSON_TOKEN_BAD;
        }
    }
    if (*ret == JSON_TOKEN_BAD)
        return json_refuse(reader, next ? "this is not JSON" : "the text ends too early");
    return OK;
}

struct status
json_open(struct json_reader *reader)
{
    if (reader->depth == JSON_DEPTH)
        return json_refuse(reader, "nested deeper than 32");
    reader->path[reader->depth++] = (struct json_step){0};
    return OK;
}

struct status
json_take_key(struct json_reader *reader, struct json_slice *ret)
{
    struct json_step *step = &reader->path[reader->depth - 1];

    step->kind = JSON_STEP_NONE;
    if (json_peek(reader) != '"')
        return json_refuse(reader, "a member's name must be a string");
    TRY(json_take_string(reader, false, ret));
    *step = (struct json_step){JSON_STEP_NAME, ret->at, ret->size};
    if (++reader->keys > JSON_KEYS)
        return json_refuse(reader, "more than 1000 members");
    if (!json_accept(reader, ':'))
        return json_refuse(reader, "a colon must follow the name");
    return OK;
}
