#include "services/notifications/webhooks/guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#define FIELD "url"
#define NAME_BYTES 253
#define LABEL_BYTES 63

/* The parts of a URL, still in its text. */
struct parts {
    bool https;
    const char *host;
    size_t host_size;
    unsigned port;
    const char *rest; /* path and query */
};

struct range4 {
    uint32_t from;
    unsigned bits;
};

/* RFC 6890 and what is not unicast. */
static const struct range4 closed4[] = {
    {0x00000000, 8},  /* this network */
    {0x0a000000, 8},  /* private */
    {0x64400000, 10}, /* shared by carriers */
    {0x7f000000, 8},  /* loopback */
    {0xa9fe0000, 16}, /* link-local, with the clouds' metadata */
    {0xac100000, 12}, /* private */
    {0xc0000000, 24}, /* protocol assignments */
    {0xc0000200, 24}, /* documentation */
    {0xc0586300, 24}, /* 6to4 relays */
    {0xc0a80000, 16}, /* private */
    {0xc6120000, 15}, /* benchmarks */
    {0xc6336400, 24}, /* documentation */
    {0xcb007100, 24}, /* documentation */
    {0xe0000000, 4},  /* multicast */
    {0xf0000000, 4},  /* reserved, broadcast */
};

struct range6 {
    unsigned char from[16];
    unsigned bits;
};

/* Within 2000::/3, beyond which everything is closed: that holds loopback, mapped and
 * translated IPv4, unique local, link-local and multicast addresses. */
static const struct range6 closed6[] = {
    {{0x20, 0x01, 0x00, 0x00}, 23}, /* protocol assignments, Teredo, ORCHID */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
    {{0x20, 0x02}, 16},             /* 6to4 */
    {{0x3f, 0xff}, 20},             /* documentation */
};

static bool
within4(uint32_t address, struct range4 range)
{
    return (address ^ range.from) >> (32 - range.bits) == 0;
}

static bool
within6(const unsigned char address[16], const struct range6 *range)
{
    const unsigned whole = range->bits / 8, left = range->bits % 8;

    if (memcmp(address, range->from, whole) != 0)
        return false;
    return left == 0 || (address[whole] ^ range->from[whole]) >> (8 - left) == 0;
}

static bool
open4(uint32_t address, bool loopback)
{
    if (loopback && address >> 24 == 127)
        return true;
    for (size_t i = 0; i < COUNT_OF(closed4); i++)
        if (within4(address, closed4[i]))
            return false;
    return true;
}

static bool
open6(const struct in6_addr *address, bool loopback)
{
    if (loopback && IN6_IS_ADDR_LOOPBACK(address))
        return true;
    if (address->s6_addr[0] >> 5 != 1)
        return false;
    for (size_t i = 0; i < COUNT_OF(closed6); i++)
        if (within6(address->s6_addr, &closed6[i]))
            return false;
    return true;
}

bool
guard_address(const struct sockaddr *address, bool loopback)
{
    if (address->sa_family == AF_INET) {
        struct sockaddr_in in;

        memcpy(&in, address, sizeof in);
        return open4(ntohl(in.sin_addr.s_addr), loopback);
    }
    if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 in6;

        memcpy(&in6, address, sizeof in6);
        return open6(&in6.sin6_addr, loopback);
    }
    return false;
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
is_alnum(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z');
}

/* Visible ASCII without what parsers disagree about; a fragment is never sent. */
static struct status
check_characters(const char *url, struct arena *arena)
{
    size_t size = 0;

    for (; url[size]; size++) {
        const char c = url[size];

        if (size == GUARD_URL_BYTES)
            return FAIL_FIELD(arena, FIELD, "must have at most %d characters", GUARD_URL_BYTES);
        if (c <= ' ' || c > '~')
            return FAIL_FIELD(
                arena, FIELD,
                "must be visible ASCII; write a name as xn--..., a path in percent "
                "encoding");
        if (strchr("\\\"<>^`{}|#", c))
            return FAIL_FIELD(arena, FIELD, "must not hold %c", c);
    }
    return OK;
}

static struct status
split(const char *url, struct arena *arena, struct parts *ret)
{
    struct parts parts = {0};
    const char *at, *end, *port;

    if (strncmp(url, "https://", 8) == 0)
        parts.https = true;
    else if (strncmp(url, "http://", 7) != 0)
        return FAIL_FIELD(arena, FIELD, "must begin with https://");
    at = url + (parts.https ? 8 : 7);
    end = at + strcspn(at, "/?");
    parts.rest = end;
    if (memchr(at, '@', (size_t)(end - at)))
        return FAIL_FIELD(arena, FIELD, "must not name a user");
    port = *at == '[' ? memchr(at, ']', (size_t)(end - at)) : at;
    port = port ? memchr(port, ':', (size_t)(end - port)) : NULL;
    parts.host = at;
    parts.host_size = (size_t)((port ? port : end) - at);
    parts.port = parts.https ? 443 : 80;
    if (port) {
        const size_t digits = (size_t)(end - port) - 1;

        parts.port = 0;
        for (size_t i = 1; i <= digits && digits <= 5 && is_digit(port[i]); i++)
            parts.port = parts.port * 10 + (unsigned)(port[i] - '0');
        if (digits < 1 || digits > 5 || strspn(port + 1, "0123456789") < digits ||
            port[1] == '0' || parts.port > 65535)
            return FAIL_FIELD(arena, FIELD, "the port must be a number");
    }
    *ret = parts;
    return OK;
}

static struct status
check_label(const char *label, size_t size, struct arena *arena)
{
    if (size == 0)
        return FAIL_FIELD(arena, FIELD, "the name of the host has an empty part");
    if (size > LABEL_BYTES)
        return FAIL_FIELD(arena, FIELD, "a part of the host's name has over %d characters",
                          LABEL_BYTES);
    for (size_t i = 0; i < size; i++)
        if (!is_alnum(label[i]) && label[i] != '-')
            return FAIL_FIELD(arena, FIELD,
                              "the host's name must be of a-z, 0-9, hyphens and dots");
    if (label[0] == '-' || label[size - 1] == '-')
        return FAIL_FIELD(arena, FIELD,
                          "a part of the host's name begins or ends with a hyphen");
    return OK;
}

/* The last label of a name on the Internet is letters, or begins with xn--: whatever else would
 * be read as an IPv4 address by somebody (0x7f.1, 2130706433, 127.1) is none. */
static bool
is_top_level(const char *label, size_t size)
{
    static const char *const inner[] = {"local",    "localhost", "localdomain", "internal",
                                        "intranet", "lan",       "home",        "corp",
                                        "arpa",     "onion",     "test",        "invalid"};

    for (size_t i = 0; i < COUNT_OF(inner); i++)
        if (strlen(inner[i]) == size && memcmp(inner[i], label, size) == 0)
            return false;
    if (size > 4 && memcmp(label, "xn--", 4) == 0)
        return true;
    for (size_t i = 0; i < size; i++)
        if (is_digit(label[i]) || label[i] == '-')
            return false;
    return size >= 2;
}

static struct status
check_name(const struct parts *parts, struct arena *arena)
{
    const char *label = parts->host, *end = parts->host + parts->host_size, *dot;

    if (parts->host_size > NAME_BYTES)
        return FAIL_FIELD(arena, FIELD, "the host's name has over %d characters", NAME_BYTES);
    while ((dot = memchr(label, '.', (size_t)(end - label)))) {
        TRY(check_label(label, (size_t)(dot - label), arena));
        label = dot + 1;
    }
    TRY(check_label(label, (size_t)(end - label), arena));
    if (label == parts->host || !is_top_level(label, (size_t)(end - label)))
        return FAIL_FIELD(arena, FIELD, "the host must have a name or address on the Internet");
    return OK;
}

/* An address as text: *ret_is.  Only the one way to write IPv4 that everybody reads alike. */
static struct status
check_literal(const struct parts *parts, bool loopback, struct arena *arena, bool *ret_is,
              bool *ret_own)
{
    const bool bracket = parts->host[0] == '[';
    const size_t size = parts->host_size - (bracket ? 2 : 0);
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    struct sockaddr_in in = {.sin_family = AF_INET};
    const struct sockaddr *address = bracket ? (void *)&in6 : (void *)&in;
    char text[INET6_ADDRSTRLEN] = "";

    *ret_is = false;
    *ret_own = false;
    if (bracket && (parts->host_size < 4 || parts->host[parts->host_size - 1] != ']' ||
                    size >= sizeof text))
        return FAIL_FIELD(arena, FIELD, "the host is no IPv6 address");
    if (size < sizeof text)
        memcpy(text, parts->host + bracket, size);
    if (bracket ? inet_pton(AF_INET6, text, &in6.sin6_addr) != 1
                : inet_pton(AF_INET, text, &in.sin_addr) != 1)
        return bracket ? FAIL_FIELD(arena, FIELD, "the host is no IPv6 address") : OK;
    if (!guard_address(address, loopback))
        return FAIL_FIELD(arena, FIELD, "that address is not on the Internet");
    *ret_is = true;
    *ret_own = !guard_address(address, false);
    return OK;
}

static bool
is_localhost(const struct parts *parts)
{
    return parts->host_size == 9 && memcmp(parts->host, "localhost", 9) == 0;
}

/* Host names are written small; everything after stands as it came. */
static struct status
check_host(const struct parts *parts, bool loopback, struct arena *arena, bool *ret_own)
{
    bool is_address = false;

    if (parts->host_size == 0)
        return FAIL_FIELD(arena, FIELD, "has no host");
    TRY(check_literal(parts, loopback, arena, &is_address, ret_own));
    if (is_address)
        return OK;
    if (loopback && is_localhost(parts)) {
        *ret_own = true;
        return OK;
    }
    return check_name(parts, arena);
}

struct status
guard_url(const char *url, bool loopback, struct arena *arena, const char **ret)
{
    struct parts parts = {0};
    char *small;
    bool own = false;

    TRY(check_characters(url, arena));
    TRY(need(small = arena_copy(arena, url)));
    for (char *c = small; *c && *c != '?' && (*c != '/' || c - small < 8); c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    TRY(split(small, arena, &parts));
    TRY(check_host(&parts, loopback, arena, &own));
    if (!parts.https && !own)
        return FAIL_FIELD(arena, FIELD, "must begin with https://");
    if (!own && parts.port != 443 && parts.port != 8443)
        return FAIL_FIELD(arena, FIELD, "the port must be 443 or 8443");
    if (parts.port == 0)
        return FAIL_FIELD(arena, FIELD, "the port must be a number");
    TRY(need(small = arena_printf(arena, "%s://%.*s:%u%s%s", parts.https ? "https" : "http",
                                  (int)parts.host_size, parts.host, parts.port,
                                  *parts.rest == '/' ? "" : "/", parts.rest)));
    if (strlen(small) > GUARD_URL_BYTES) /* it is read again before it is used */
        return FAIL_FIELD(arena, FIELD, "must have at most %d characters with its port",
                          GUARD_URL_BYTES);
    *ret = small;
    return OK;
}
