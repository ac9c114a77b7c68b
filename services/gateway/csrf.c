#include "services/gateway/csrf.h"

#include <string.h>
#include <strings.h>

/* Our public address, or, on loopback, whatever name and port the browser used to reach us: the
 * port of a test server is not known beforehand, and no other site is served there. */
static bool
origin_is_ours(const struct csrf_request *request)
{
    static const char *const loopback[] = {"http://127.0.0.1", "http://localhost",
                                           "http://[::1]"};
    const char *host = strstr(request->origin, "://");

    if (strcasecmp(request->origin, request->public_url) == 0)
        return true;
    if (!host || !request->host || strcasecmp(host + 3, request->host) != 0)
        return false;
    for (size_t i = 0; i < sizeof loopback / sizeof loopback[0]; i++) {
        const size_t size = strlen(loopback[i]);

        if (strncasecmp(request->origin, loopback[i], size) == 0 &&
            (request->origin[size] == ':' || request->origin[size] == '\0') &&
            strncmp(request->public_url, "http://", 7) == 0)
            return true;
    }
    return false;
}

bool
csrf_allowed(const struct csrf_request *request)
{
    if (request->sec_fetch_site && strcmp(request->sec_fetch_site, "same-origin") != 0)
        return false;
    return !request->origin || origin_is_ours(request);
}
