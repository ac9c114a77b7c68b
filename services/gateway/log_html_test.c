#include "services/gateway/log_html.h"

#include "common/base/test.h"

#include <string.h>

static struct buffer html;

static int
set_up(void **context)
{
    (void)context;
    buffer_init(&html, 1 << 20);
    return 0;
}

static int
tear_down(void **context)
{
    (void)context;
    buffer_fini(&html);
    return 0;
}

static void
assert_shown(const char *part)
{
    if (!html.data || !strstr((const char *)html.data, part))
        fail_msg("not there: %s, in: %s", part, html.data ? (const char *)html.data : "");
}

static void
assert_not_shown(const char *part)
{
    if (html.data && strstr((const char *)html.data, part))
        fail_msg("there: %s, in: %s", part, (const char *)html.data);
}

static void
who_follows_is_told_with_name_state_and_lag(void **context)
{
    Events__V1__ListFollowersReply followers = EVENTS__V1__LIST_FOLLOWERS_REPLY__INIT;
    Registry__V1__ListSystemsReply systems = REGISTRY__V1__LIST_SYSTEMS_REPLY__INIT;
    Events__V1__Follower crm = EVENTS__V1__FOLLOWER__INIT, other = EVENTS__V1__FOLLOWER__INIT;
    Events__V1__Follower *list[] = {&crm, &other};
    Registry__V1__System system = REGISTRY__V1__SYSTEM__INIT;
    Registry__V1__System *known[] = {&system};
    const char *types[] = {"com.example.<b>", "org.samverka.need."};

    (void)context;
    system.system_id = "0190a000-0000-7000-8000-0000000000d1";
    system.name = "CRM & co";
    systems.systems = known;
    systems.n_systems = 1;
    crm.user_id = "system:0190a000-0000-7000-8000-0000000000d1";
    crm.consumer = "nightly";
    crm.position = 1017;
    crm.lag = 59;
    crm.members = 2;
    crm.since_unix_ms = 1767225600000;
    crm.types = types;
    crm.n_types = 2;
    other.user_id = "service:matching";
    other.instance = "events-1";
    other.events_per_second = 7;
    followers.followers = list;
    followers.n_followers = 2;
    log_html_followers(&followers, &systems, LANG_EN, &html);
    assert_shown("<th scope=\"row\">system CRM &amp; co</th><td>nightly</td>"
                 "<td><span class=\"badge \">Not connected</span></td>"
                 "<td class=\"number\">1017</td><td class=\"number\">59</td>");
    assert_shown("<time datetime=\"2026-01-01T00:00:00Z\">2026-01-01 00:00:00Z</time>");
    assert_shown("com.example.&lt;b&gt;, org.samverka.need.");
    assert_shown("service matching</th><td>Passing</td>"
                 "<td><span class=\"badge good\">Connected</span>");
    assert_shown("<td>All</td>");
    other.blocked = true;
    log_html_followers(&followers, NULL, LANG_SV, &html);
    assert_shown("systemet 0190a000-0000-7000-8000-0000000000d1");
    assert_shown("<span class=\"badge bad\">Läser inte</span>");
}

static void
nobody_following_is_said(void **context)
{
    const Events__V1__ListFollowersReply nobody = EVENTS__V1__LIST_FOLLOWERS_REPLY__INIT;

    (void)context;
    log_html_followers(&nobody, NULL, LANG_FI, &html);
    assert_shown("Mikään järjestelmä ei seuraa");
    assert_not_shown("<table");
}

static void
links_keep_the_filter_and_lead_only_where_there_is_something(void **context)
{
    const struct event_filter filter = {
        .terms = {{EVENT_TERM_TYPE, "a."}, {EVENT_TERM_SUBJECT, "x&y"}, {EVENT_TERM_TYPE, "b"}},
        .term_count = 3};
    struct log_scan scan = {.forward = true, .head = 90, .low = 50, .at = 75};

    (void)context;
    log_html_links(&scan, &filter, LANG_EN, &html);
    assert_shown("<a href=\"/events?types=a.,b&amp;subjects=x%26y\">Newest</a>");
    assert_shown("\"/events?after=75&amp;types=a.,b&amp;subjects=x%26y\" rel=\"prev\"");
    assert_shown("\"/events?before=51&amp;types=a.,b");
    buffer_clear(&html);
    scan.first_kept = 50;
    scan.head = 75;
    log_html_links(&scan, &(struct event_filter){.term_count = 0}, LANG_EN, &html);
    assert_string_equal((const char *)html.data, "<a href=\"/events\">Newest</a>\n");
}

static void
tenants_are_shown_to_who_sees_several(void **context)
{
    struct log_scan scan = {.forward = true, .row_count = 1};

    (void)context;
    scan.rows[0] = (struct log_row){7, "t<", "s", "KTP", "SE3", "tenant-id", ""};
    log_html_rows(&scan, false, LANG_EN, &html);
    assert_shown("<a href=\"/events/7\">7</a></th><td></td><td>t&lt;</td>");
    assert_not_shown("tenant-id");
    assert_not_shown("University");
    log_html_rows(&scan, true, LANG_EN, &html);
    assert_shown("<td>tenant-id</td>");
    assert_shown("University");
}

static void
json_is_laid_out_and_escaped_but_strings_are_left_alone(void **context)
{
    static const char json[] = "{\"a\":[1,{\"b\":\"{,:\\\"<\"}],\"c\":{},\"d\":[]}";

    (void)context;
    log_html_json(json, sizeof json - 1, &html);
    assert_string_equal((const char *)html.data,
                        "{\n  &quot;a&quot;: [\n    1,\n    {\n      &quot;b&quot;: "
                        "&quot;{,:\\&quot;&lt;&quot;\n    }\n  ],\n  &quot;c&quot;: {},\n"
                        "  &quot;d&quot;: []\n}");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_follows_is_told_with_name_state_and_lag),
        TEST(nobody_following_is_said),
        TEST(links_keep_the_filter_and_lead_only_where_there_is_something),
        TEST(tenants_are_shown_to_who_sees_several),
        TEST(json_is_laid_out_and_escaped_but_strings_are_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
