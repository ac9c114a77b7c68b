#include "services/notifications/webhooks/post.h"

#include <string.h>
#include <sys/socket.h>

#include "services/notifications/webhooks/guard.h"

#define ANSWER_BYTES ((size_t)64 << 10)
#define CONNECT_MS 10000

static size_t
throw_away(char *data, size_t size, size_t count, void *context)
{
    struct post *post = context;

    (void)data;
    post->read += size * count;
    return post->read > ANSWER_BYTES ? 0 : size * count;
}

/* The address that is asked about is the one that is connected to: a name that resolves to
 * another one the next time gains nothing. */
static curl_socket_t
open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct post *post = context;

    if (purpose != CURLSOCKTYPE_IPCXN ||
        !guard_address(&address->addr, post->config->loopback)) {
        post->refused = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static bool
set_limits(CURL *easy, const struct post_config *config)
{
    const long connect_ms =
        config->timeout_ms < CONNECT_MS ? (long)config->timeout_ms : CONNECT_MS;
    bool ok = curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;

    ok &= curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)config->timeout_ms) == CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, connect_ms) == CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR,
                           config->loopback ? "https,http" : "https") == CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L) == CURLE_OK;
    if (*config->ca_file)
        ok &= curl_easy_setopt(easy, CURLOPT_CAINFO, config->ca_file) == CURLE_OK;
    return ok;
}

static bool
set_request(struct post *post, const struct post_request *request)
{
    CURL *easy = post->easy;
    bool ok = curl_easy_setopt(easy, CURLOPT_URL, request->url) == CURLE_OK;

    ok &= curl_easy_setopt(easy, CURLOPT_POST, 1L) == CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->size) ==
          CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->size ? request->body : "") ==
          CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_HTTPHEADER, post->headers) == CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_USERAGENT, "Samverka-Webhooks/1.0") == CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, throw_away) == CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_WRITEDATA, post) == CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket) == CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, post) == CURLE_OK;
    ok &= curl_easy_setopt(easy, CURLOPT_PRIVATE, post) == CURLE_OK;
    if (post->resolve)
        ok &= curl_easy_setopt(easy, CURLOPT_RESOLVE, post->resolve) == CURLE_OK;
    return ok;
}

static struct status
append(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);

    TRY(need(longer));
    *list = longer;
    return OK;
}

/* One header a line; libcurl is given none of its own making that a receiver would trip over.
 */
static struct status
add_headers(struct post *post, const char *headers, struct arena *arena)
{
    TRY(append(&post->headers, "Expect:"));
    TRY(append(&post->headers, "Content-Type:"));
    while (*headers) {
        const size_t size = strcspn(headers, "\n");
        char *line = arena_copy_n(arena, headers, size);

        TRY(need(line));
        TRY(append(&post->headers, line));
        headers += size + (headers[size] == '\n');
    }
    return OK;
}

struct status
post_start(struct post *post, CURLM *multi, const struct post_config *config,
           const struct post_request *request, void *owner, struct arena *arena)
{
    post->config = config;
    post->owner = owner;
    post->read = 0;
    post->refused = false;
    post->started = clock_mono(config->clock);
    if (!post->easy)
        TRY(need(post->easy = curl_easy_init()));
    TRY(add_headers(post, request->headers, arena));
    if (config->resolve)
        TRY(append(&post->resolve, config->resolve));
    if (!set_limits(post->easy, config) || !set_request(post, request))
        return FAIL(arena, INTERNAL, "libcurl does not take a webhook's request");
    if (curl_multi_add_handle(multi, post->easy) != CURLM_OK)
        return FAIL(arena, RESOURCE_EXHAUSTED, "libcurl takes no further request");
    return OK;
}

static const char *
error_text(const struct post *post, CURLcode result)
{
    if (post->refused)
        return "the receiver's name leads to an address that is not on the Internet";
    if (result == CURLE_OPERATION_TIMEDOUT)
        return "no answer in time";
    return curl_easy_strerror(result);
}

struct post *
post_ended(CURLM *multi, struct webhook_answer *ret, uint32_t *ret_latency_ms)
{
    const CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(multi, &left))) {
        struct post *post = NULL;
        curl_off_t retry_after = 0;
        long status = 0;

        if (message->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &post);
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_RETRY_AFTER, &retry_after);
        /* An answer that was cut off for its length is one. */
        const bool answered =
            message->data.result == CURLE_OK || (status >= 200 && post->read > ANSWER_BYTES);

        ret->status = answered && status > 0 ? (uint32_t)status : 0;
        ret->retry_after_s =
            answered && retry_after > 0 && retry_after < UINT32_MAX ? (uint32_t)retry_after : 0;
        ret->error = answered ? NULL : error_text(post, message->data.result);
        *ret_latency_ms =
            (uint32_t)(mono_micros_between(post->started, clock_mono(post->config->clock)) /
                       1000);
        return post;
    }
    return NULL;
}

void
post_end(struct post *post, CURLM *multi)
{
    if (post->easy) {
        (void)curl_multi_remove_handle(multi, post->easy); /* not in it: nothing to do */
        curl_easy_reset(post->easy);
    }
    curl_slist_free_all(post->headers);
    curl_slist_free_all(post->resolve);
    post->headers = post->resolve = NULL;
    post->owner = NULL;
}

void
post_fini(struct post *post)
{
    curl_easy_cleanup(post->easy);
    post->easy = NULL;
}
