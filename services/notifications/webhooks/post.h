#pragma once

/* Requests to receivers, many at a time, by one libcurl multi handle of one thread.
 *
 * What is connected to has passed guard_address, whatever its name resolves to; a redirect is
 * an answer, never followed; no proxy, no cookie, no other protocol; 64 KiB of the answer are
 * read and thrown away. */

#include <curl/curl.h>

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "services/notifications/webhooks/rules.h"

struct post_config {
    const struct clock *clock;
    uint32_t timeout_ms;
    bool loopback;       /* see guard.h */
    const char *ca_file; /* "": the system's */
    const char *resolve; /* tests: "name:port:address"; NULL: none */
};

struct post_request {
    const char *url;     /* from guard_url */
    const char *headers; /* "name: value\n" each */
    const void *body;
    size_t size;
};

/* One request; lives until its end is known. */
struct post {
    CURL *easy;
    struct curl_slist *headers, *resolve;
    const struct post_config *config;
    void *owner;
    struct mono started;
    size_t read;  /* bytes of the answer */
    bool refused; /* an address that is not allowed */
};

/* Starts the request; everything in it must live until post_end.  `post` must not move. */
must_use struct status post_start(struct post *post, CURLM *multi,
                                  const struct post_config *config,
                                  const struct post_request *request, void *owner,
                                  struct arena *arena);

/* The next request that has ended; NULL: none.  Its answer's text lives for ever. */
struct post *post_ended(CURLM *multi, struct webhook_answer *ret, uint32_t *ret_latency_ms);

/* Lets go of it, ended or not; the handle is kept for the next. */
void post_end(struct post *post, CURLM *multi);
void post_fini(struct post *post);
