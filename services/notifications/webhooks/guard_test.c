#include "services/notifications/webhooks/guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "common/base/test.h"

static struct arena arena;

static int
set_up(void **state)
{
    (void)state;
    arena_init(&arena, (size_t)4 << 20);
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    arena_fini(&arena);
    return 0;
}

static bool
address_allowed(const char *text, bool loopback)
{
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
    struct sockaddr_in in = {.sin_family = AF_INET};

    if (strchr(text, ':')) {
        assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
        return guard_address((struct sockaddr *)&in6, loopback);
    }
    assert_int_equal(inet_pton(AF_INET, text, &in.sin_addr), 1);
    return guard_address((struct sockaddr *)&in, loopback);
}

/* First and last address of a closed range, and the ones next to it. */
static const struct {
    const char *before, *first, *last, *after;
} ranges[] = {
    {NULL, "0.0.0.0", "0.255.255.255", "1.0.0.0"},
    {"9.255.255.255", "10.0.0.0", "10.255.255.255", "11.0.0.0"},
    {"100.63.255.255", "100.64.0.0", "100.127.255.255", "100.128.0.0"},
    {"126.255.255.255", "127.0.0.0", "127.255.255.255", "128.0.0.0"},
    {"169.253.255.255", "169.254.0.0", "169.254.255.255", "169.255.0.0"},
    {"172.15.255.255", "172.16.0.0", "172.31.255.255", "172.32.0.0"},
    {"191.255.255.255", "192.0.0.0", "192.0.0.255", "192.0.1.0"},
    {"192.0.1.255", "192.0.2.0", "192.0.2.255", "192.0.3.0"},
    {"192.88.98.255", "192.88.99.0", "192.88.99.255", "192.88.100.0"},
    {"192.167.255.255", "192.168.0.0", "192.168.255.255", "192.169.0.0"},
    {"198.17.255.255", "198.18.0.0", "198.19.255.255", "198.20.0.0"},
    {"198.51.99.255", "198.51.100.0", "198.51.100.255", "198.51.101.0"},
    {"203.0.112.255", "203.0.113.0", "203.0.113.255", "203.0.114.0"},
    {"223.255.255.255", "224.0.0.0", "255.255.255.255", NULL},
    {NULL, "::", "1fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
    {NULL, "2001::", "2001:1ff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:200::"},
    {"2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
     "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db9::"},
    {"2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
     "2002::", "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2003::"},
    {"3ffe:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
     "3fff::", "3fff:fff:ffff:ffff:ffff:ffff:ffff:ffff", "3fff:1000::"},
    {"3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
     "4000::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL},
};

static void
every_closed_range_is_closed_to_its_edges_and_no_further(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(ranges); i++) {
        if (ranges[i].before && !address_allowed(ranges[i].before, false))
            fail_msg("%s is closed", ranges[i].before);
        if (address_allowed(ranges[i].first, false))
            fail_msg("%s is open", ranges[i].first);
        if (address_allowed(ranges[i].last, false))
            fail_msg("%s is open", ranges[i].last);
        if (ranges[i].after && !address_allowed(ranges[i].after, false))
            fail_msg("%s is closed", ranges[i].after);
    }
}

/* All 65,536 upper halves of IPv4, against the list written the other way. */
static void
of_every_block_of_ipv4_exactly_the_public_ones_are_open(void **state)
{
    (void)state;
    for (unsigned high = 0; high <= 0xffff; high++) {
        const unsigned a = high >> 8, b = high & 255;
        const bool closed = a == 0 || a == 10 || a == 127 || a >= 224 ||
                            (a == 100 && b >= 64 && b < 128) || (a == 169 && b == 254) ||
                            (a == 172 && b >= 16 && b < 32) || (a == 192 && b == 168) ||
                            (a == 198 && (b == 18 || b == 19));
        struct sockaddr_in in = {.sin_family = AF_INET,
                                 .sin_addr.s_addr = htonl(high << 16 | 0x0807)};

        if (guard_address((struct sockaddr *)&in, false) == closed)
            fail_msg("%u.%u.8.7 is %s", a, b, closed ? "open" : "closed");
    }
}

static void
an_ipv4_address_in_the_clothes_of_ipv6_is_closed(void **state)
{
    static const char *const closed[] = {
        "::ffff:127.0.0.1",  "::ffff:8.8.8.8", "::127.0.0.1",     "64:ff9b::7f00:1",
        "64:ff9b:1::7f00:1", "2002:7f00:1::",  "2001:0:7f00:1::", "::1",
        "fe80::1",           "fec0::1",        "fc00::1",         "fd12:3456::1",
        "ff02::1",           "100::1"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(closed); i++)
        if (address_allowed(closed[i], false))
            fail_msg("%s is open", closed[i]);
    assert_true(address_allowed("2a00:1450:400f:80d::200e", false));
}

static void
with_the_setting_this_machine_is_open_and_nothing_else(void **state)
{
    (void)state;
    assert_true(address_allowed("127.0.0.1", true));
    assert_true(address_allowed("127.255.0.1", true));
    assert_true(address_allowed("::1", true));
    assert_false(address_allowed("::ffff:127.0.0.1", true));
    assert_false(address_allowed("10.0.0.1", true));
    assert_false(address_allowed("169.254.169.254", true));
    assert_false(address_allowed("fe80::1", true));
}

static void
an_address_that_is_not_ip_is_closed(void **state)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX,
                             .sun_path = "/run/postgresql/.s.PGSQL.5432"};

    (void)state;
    assert_false(guard_address((struct sockaddr *)&un, false));
    assert_false(guard_address((struct sockaddr *)&un, true));
}

static const struct {
    const char *url, *written;
} good[] = {
    {"https://example.org", "https://example.org:443/"},
    {"https://example.org/", "https://example.org:443/"},
    {"https://example.org?a=b", "https://example.org:443/?a=b"},
    {"HTTPS://Example.ORG/Path?Q=R", "https://example.org:443/Path?Q=R"},
    {"https://example.org:443/x", "https://example.org:443/x"},
    {"https://hooks.a-b.example.org:8443/x/y?z", "https://hooks.a-b.example.org:8443/x/y?z"},
    {"https://xn--hgskolan-n4a.se/in", "https://xn--hgskolan-n4a.se:443/in"},
    {"https://example.xn--p1ai/", "https://example.xn--p1ai:443/"},
    {"https://8.8.8.8/", "https://8.8.8.8:443/"},
    {"https://[2a00:1450:400f:80d::200e]/", "https://[2a00:1450:400f:80d::200e]:443/"},
    {"https://[2a00:1450::1]:8443/x", "https://[2a00:1450::1]:8443/x"},
    {"https://example.org/a@b", "https://example.org:443/a@b"},
    {"https://example.org/a%0d%0ab", "https://example.org:443/a%0d%0ab"},
    {"https://example.org/../../x", "https://example.org:443/../../x"},
    {"https://example.org/?http://127.0.0.1/", "https://example.org:443/?http://127.0.0.1/"},
    {"https://127.0.0.1.example.org/", "https://127.0.0.1.example.org:443/"},
};

static void
a_good_url_is_written_anew_and_read_again_as_the_same(void **state)
{
    const char *url, *again;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        const struct status status = guard_url(good[i].url, false, &arena, &url);

        if (failed(status))
            fail_msg("%s: %s", good[i].url, status.detail);
        assert_string_equal(url, good[i].written);
        assert_false(failed(guard_url(url, false, &arena, &again)));
        assert_string_equal(url, again);
    }
}

static void
refuse(const char *url, bool loopback)
{
    const char *written = NULL;
    const struct status status = guard_url(url, loopback, &arena, &written);

    if (!failed(status))
        fail_msg("%s is let through as %s", url, written);
    assert_int_equal(status.code, CODE_INVALID_ARGUMENT);
    assert_string_equal(status.field, "url");
    assert_true(strlen(status.detail) > 5);
    arena_reset(&arena);
}

static const char *const hostile[] = {
#include "services/notifications/webhooks/guard_vectors.def"
};

static void
no_hostile_url_is_let_through(void **state)
{
    (void)state;
    assert_true(COUNT_OF(hostile) > 150);
    for (size_t i = 0; i < COUNT_OF(hostile); i++)
        refuse(hostile[i], false);
}

static const char *const inner_hosts[] = {
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0x7f.1",
    "017700000001",
    "0177.0.0.1",
    "0177.0.0.01",
    "127.0.0.1.",
    "127.00.00.01",
    "0",
    "0.0.0.0",
    "00000000177.1",
    "169.254.169.254",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "169.254.43518",
    "10.0.0.1",
    "167772161",
    "192.168.1.1",
    "3232235777",
    "172.16.0.1",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "localhost.localdomain",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[2002:7f00:1::]",
    "[fe80::1]",
    "[fe80::1%25lo]",
    "[fe80::1%lo]",
    "[fc00::1]",
    "[::1%0]",
    "[0000::1]",
    "metadata.google.internal",
};

/* Every way to write the addresses that matter most, at every place of a URL. */
static void
no_way_to_write_an_inner_address_is_let_through(void **state)
{
    static const char *const shapes[] = {
        "https://%s/", "https://%s:443/x", "https://%s:8443",  "https://%s?x",
        "http://%s/",  "https://a@%s/",    "https://%s:6379/", "//%s/"};
    char url[256];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(inner_hosts); i++)
        for (size_t j = 0; j < COUNT_OF(shapes); j++) {
            (void)snprintf(url, sizeof url, shapes[j], inner_hosts[i]);
            refuse(url, false);
        }
}

static void
with_the_setting_only_this_machine_may_be_reached_by_http_and_at_any_port(void **state)
{
    static const char *const open[] = {"http://127.0.0.1:8080/x", "http://[::1]:1/",
                                       "http://localhost:9/",     "https://localhost:65535/",
                                       "https://127.0.0.1/",      "https://example.org/"};
    static const char *const closed[] = {"http://example.org/",
                                         "https://example.org:8080/",
                                         "http://10.0.0.1/",
                                         "http://127.1:80/",
                                         "http://127.0.0.1:0/",
                                         "http://127.0.0.1:65536/",
                                         "http://u@127.0.0.1/",
                                         "http://localhost.example.org/",
                                         "http://169.254.169.254/latest/meta-data"};
    const char *url;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(open); i++)
        if (failed(guard_url(open[i], true, &arena, &url)))
            fail_msg("%s is refused", open[i]);
    for (size_t i = 0; i < COUNT_OF(closed); i++)
        refuse(closed[i], true);
}

static void
a_url_has_at_most_a_thousand_characters_and_every_byte_is_visible(void **state)
{
    char url[1100] = "https://example.org:443/";
    const char *written;

    (void)state;
    memset(url + 24, 'a', 976);
    url[1000] = '\0';
    assert_false(failed(guard_url(url, false, &arena, &written)));
    memcpy(url + 1000, "a", 2);
    refuse(url, false);
    /* With the port that is written into it, it is longer than it came. */
    memcpy(url, "https://longer-name.org/", 24);
    url[1000] = '\0';
    refuse(url, false);
    for (int c = 1; c < 256; c++) {
        (void)snprintf(url, sizeof url, "https://example.org/a%cb", c);
        if (c <= ' ' || c > '~' || strchr("\\\"<>^`{}|#", c))
            refuse(url, false);
        else
            assert_false(failed(guard_url(url, false, &arena, &written)));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_closed_range_is_closed_to_its_edges_and_no_further),
        cmocka_unit_test(of_every_block_of_ipv4_exactly_the_public_ones_are_open),
        cmocka_unit_test(an_ipv4_address_in_the_clothes_of_ipv6_is_closed),
        cmocka_unit_test(with_the_setting_this_machine_is_open_and_nothing_else),
        cmocka_unit_test(an_address_that_is_not_ip_is_closed),
        cmocka_unit_test(a_good_url_is_written_anew_and_read_again_as_the_same),
        cmocka_unit_test(no_hostile_url_is_let_through),
        cmocka_unit_test(no_way_to_write_an_inner_address_is_let_through),
        cmocka_unit_test(
            with_the_setting_only_this_machine_may_be_reached_by_http_and_at_any_port),
        cmocka_unit_test(a_url_has_at_most_a_thousand_characters_and_every_byte_is_visible),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
