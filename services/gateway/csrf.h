#pragma once

/* Whether a browser sent a changing request on behalf of our own pages.
 *
 * Asked for requests that a cookie authenticates, and for signing in and out.  Sec-Fetch-Site
 * decides where the browser sends it; Origin must be ours where it is sent.  A request with
 * neither is no browser's: all of them send Origin with what a foreign page can cause.
 */

#include <stdbool.h>

struct csrf_request {
    const char *sec_fetch_site; /* NULL: not sent */
    const char *origin;
    const char *host;
    const char *public_url; /* "https://samverka.example", no slash at the end */
};

bool csrf_allowed(const struct csrf_request *request);
