/* Requests to a canary on this machine, which must not see any that the guard forbids. */

#include "services/notifications/webhooks/post.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/test.h"

#define WAIT_MS 5000

static struct arena arena;
static CURLM *multi;
static int canary = -1;
static unsigned port;

static int
set_up(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;

    (void)state;
    arena_init(&arena, (size_t)1 << 20);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    canary = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(canary, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(canary, 16), 0);
    assert_int_equal(getsockname(canary, (struct sockaddr *)&address, &size), 0);
    port = ntohs(address.sin_port);
    assert_int_equal(curl_global_init(CURL_GLOBAL_DEFAULT), 0);
    multi = curl_multi_init();
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    (void)curl_multi_cleanup(multi);
    curl_global_cleanup();
    (void)close(canary);
    arena_fini(&arena);
    return 0;
}

/* Takes whoever connects and answers whom it has a request of; gives how many connected. */
static unsigned
serve(const char *answer)
{
    static int waits = -1; /* connected, its request has not come */
    char request[4096];
    unsigned count = 0;

    for (;;) {
        if (waits < 0) {
            waits = accept(canary, NULL, NULL);
            if (waits < 0)
                return count;
            count++;
        }
        if (recv(waits, request, sizeof request, MSG_DONTWAIT) < 0)
            return count;
        if (answer)
            (void)send(waits, answer, strlen(answer), MSG_NOSIGNAL);
        (void)close(waits);
        waits = -1;
    }
}

static struct webhook_answer
fetch(const struct post_config *config, const char *url, const char *reply,
      unsigned *ret_connects)
{
    const struct post_request request = {url, "webhook-id: 1\n", "{}", 2};
    const struct mono deadline = mono_add_ms(clock_mono(clock_system()), WAIT_MS);
    struct webhook_answer answer = {0};
    struct post post = {0}, *ended = NULL;
    uint32_t latency_ms;
    int running;

    *ret_connects = 0;
    assert_false(failed(post_start(&post, multi, config, &request, NULL, &arena)));
    while (!ended && mono_left_ms(deadline, clock_mono(clock_system()))) {
        (void)curl_multi_perform(multi, &running);
        *ret_connects += serve(reply);
        ended = post_ended(multi, &answer, &latency_ms);
        if (!ended)
            (void)curl_multi_poll(multi, NULL, 0, 10, NULL);
    }
    assert_ptr_equal(ended, &post);
    *ret_connects += serve(NULL);
    post_end(&post, multi);
    post_fini(&post);
    return answer;
}

static struct post_config
config_of(bool loopback, const char *resolve)
{
    return (struct post_config){.clock = clock_system(),
                                .timeout_ms = 1000,
                                .loopback = loopback,
                                .ca_file = "",
                                .resolve = resolve};
}

static const char *
url_of(const char *host)
{
    return arena_printf(&arena, "https://%s:%u/x", host, port);
}

/* What a name server that changes its mind would say after the check: the guard stands at the
 * connection, so that there is no time between the two. */
static void
a_name_that_leads_inside_is_not_connected_to(void **state)
{
    static const char *const inside[] = {"127.0.0.1",          "127.0.0.2",   "[::1]",
                                         "[::ffff:127.0.0.1]", "0.0.0.0",     "10.0.0.1",
                                         "169.254.169.254",    "192.168.1.1", "[fe80::1]",
                                         "[64:ff9b::7f00:1]"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(inside); i++) {
        const char *resolve = arena_printf(&arena, "hooks.example.org:%u:%s", port, inside[i]);
        const struct post_config config = config_of(false, resolve);
        unsigned connects;
        const struct webhook_answer answer =
            fetch(&config, url_of("hooks.example.org"), NULL, &connects);

        assert_int_equal(connects, 0);
        assert_string_equal(
            answer.error,
            "the receiver's name leads to an address that is not on the Internet");
    }
}

static void
of_many_addresses_an_inner_one_is_never_tried(void **state)
{
    const char *resolve =
        arena_printf(&arena, "hooks.example.org:%u:127.0.0.1,127.0.0.2,[::1]", port);
    const struct post_config config = config_of(false, resolve);
    unsigned connects;

    (void)state;
    assert_non_null(fetch(&config, url_of("hooks.example.org"), NULL, &connects).error);
    assert_int_equal(connects, 0);
}

static void
localhost_itself_is_not_connected_to(void **state)
{
    const struct post_config config = config_of(false, NULL);
    unsigned connects;

    (void)state;
    assert_non_null(fetch(&config, url_of("localhost"), NULL, &connects).error);
    assert_int_equal(connects, 0);
    assert_non_null(fetch(&config, url_of("127.0.0.1"), NULL, &connects).error);
    assert_int_equal(connects, 0);
}

static void
a_protocol_other_than_https_is_refused_by_libcurl_as_well(void **state)
{
    static const char *const schemes[] = {"http", "gopher", "ftp", "dict", "telnet", "file"};
    const struct post_config config = config_of(false, NULL);
    unsigned connects;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(schemes); i++) {
        const char *url = arena_printf(&arena, "%s://127.0.0.1:%u/x", schemes[i], port);

        assert_non_null(fetch(&config, url, NULL, &connects).error);
        assert_int_equal(connects, 0);
    }
}

/* With the setting the proxy's address is one that may be connected to. */
static void
no_proxy_of_the_environment_is_used(void **state)
{
    const struct post_config config =
        config_of(true, arena_printf(&arena, "hooks.example.org:%u:10.0.0.1", port));
    char proxy[64];
    unsigned connects;

    (void)state;
    (void)snprintf(proxy, sizeof proxy, "http://127.0.0.1:%u", port);
    assert_int_equal(setenv("https_proxy", proxy, 1), 0);
    assert_int_equal(setenv("ALL_PROXY", proxy, 1), 0);
    assert_non_null(fetch(&config, url_of("hooks.example.org"), NULL, &connects).error);
    assert_int_equal(connects, 0);
    (void)unsetenv("https_proxy");
    (void)unsetenv("ALL_PROXY");
}

static struct webhook_answer
ask(const char *reply, unsigned *ret_connects)
{
    const struct post_config config = config_of(true, NULL);

    return fetch(&config, arena_printf(&arena, "http://127.0.0.1:%u/x", port), reply,
                 ret_connects);
}

static void
with_the_setting_the_answer_is_told(void **state)
{
    unsigned connects;
    struct webhook_answer answer = ask("HTTP/1.1 204 No Content\r\n\r\n", &connects);

    (void)state;
    assert_null(answer.error);
    assert_int_equal(answer.status, 204);
    assert_int_equal(connects, 1);
    answer =
        ask("HTTP/1.1 503 Later\r\nRetry-After: 77\r\nContent-Length: 0\r\n\r\n", &connects);
    assert_int_equal(answer.status, 503);
    assert_int_equal(answer.retry_after_s, 77);
}

static void
a_redirect_is_an_answer_and_leads_to_no_second_request(void **state)
{
    char reply[256];
    unsigned connects;
    struct webhook_answer answer;

    (void)state;
    (void)snprintf(reply, sizeof reply,
                   "HTTP/1.1 307 Elsewhere\r\nLocation: http://127.0.0.1:%u/y\r\n"
                   "Content-Length: 0\r\nConnection: close\r\n\r\n",
                   port);
    answer = ask(reply, &connects);
    assert_int_equal(answer.status, 307);
    assert_int_equal(connects, 1);
}

static void
what_is_no_http_is_no_answer(void **state)
{
    static const char *const replies[] = {
        "SSH-2.0-OpenSSH_9.2\r\n", "", "+OK redis\r\n", "HTTP/1.1 200", "\xff\xfe\x00",
        "HTTP/9.9 200 x\r\n\r\n"};
    unsigned connects;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(replies); i++) {
        const struct webhook_answer answer = ask(replies[i], &connects);

        assert_non_null(answer.error);
        assert_int_equal(answer.status, 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_that_leads_inside_is_not_connected_to),
        cmocka_unit_test(of_many_addresses_an_inner_one_is_never_tried),
        cmocka_unit_test(localhost_itself_is_not_connected_to),
        cmocka_unit_test(a_protocol_other_than_https_is_refused_by_libcurl_as_well),
        cmocka_unit_test(no_proxy_of_the_environment_is_used),
        cmocka_unit_test(with_the_setting_the_answer_is_told),
        cmocka_unit_test(a_redirect_is_an_answer_and_leads_to_no_second_request),
        cmocka_unit_test(what_is_no_http_is_no_answer),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
