#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "common/redis/redis.h"

/* getaddrinfo() waits for a dead name server for many seconds, so it runs on a thread of the C
 * library's (getaddrinfo_a), and a name is asked for again only now and then.  The last good
 * address is kept while the name server is away. */
#define ASK_AGAIN_MS 2000

static bool
is_numeric(const char *host)
{
    struct in6_addr address;

    return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

static void
start_lookup(struct cache_shared *shared)
{
    struct gaicb *list[] = {&shared->lookup};

    shared->lookup_hints =
        (struct addrinfo){.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    shared->lookup =
        (struct gaicb){.ar_name = shared->host, .ar_request = &shared->lookup_hints};
    shared->looked_up_at = clock_mono(shared->clock);
    shared->looking_up = getaddrinfo_a(GAI_NOWAIT, list, 1, NULL) == 0;
}

/* Takes the answer, if it is there. */
static void
finish_lookup(struct cache_shared *shared)
{
    const int state = gai_error(&shared->lookup);

    if (state == EAI_INPROGRESS)
        return;
    shared->looking_up = false;
    if (state == 0 && shared->lookup.ar_result) {
        const struct addrinfo *first = shared->lookup.ar_result;

        if (getnameinfo(first->ai_addr, first->ai_addrlen, shared->address,
                        sizeof shared->address, NULL, 0, NI_NUMERICHOST) != 0)
            shared->address[0] = '\0';
        freeaddrinfo(shared->lookup.ar_result);
        shared->lookup.ar_result = NULL;
    }
}

/* One step under the lock; true when an address is known. */
static bool
look(struct cache_shared *shared, char ret[NI_MAXHOST])
{
    bool known;

    pthread_mutex_lock(&shared->mutex);
    if (shared->looking_up)
        finish_lookup(shared);
    if (!shared->looking_up &&
        (!shared->looked_up_at.ns ||
         mono_micros_between(shared->looked_up_at, clock_mono(shared->clock)) >
             ASK_AGAIN_MS * 1000))
        start_lookup(shared);
    known = shared->address[0] != '\0';
    if (known)
        memcpy(ret, shared->address, sizeof shared->address);
    pthread_mutex_unlock(&shared->mutex);
    return known;
}

bool
address_find(struct cache_shared *shared, struct mono deadline, char ret[NI_MAXHOST])
{
    if (is_numeric(shared->host)) {
        (void)snprintf(ret, NI_MAXHOST, "%s", shared->host);
        return true;
    }
    while (!look(shared, ret)) {
        const struct gaicb *const list[] = {&shared->lookup};
        const struct timespec most = {.tv_nsec = 5000000};

        if (!mono_left_ms(deadline, clock_mono(shared->clock)))
            return false;
        (void)gai_suspend(list, 1, &most); /* done, not done, interrupted: look again */
    }
    return true;
}

void
address_end(struct cache_shared *shared)
{
    const struct gaicb *const list[] = {&shared->lookup};

    /* The C library writes into `lookup` until it is done. */
    while (shared->looking_up) {
        (void)gai_cancel(&shared->lookup);
        (void)gai_suspend(list, 1, NULL);
        finish_lookup(shared);
    }
}
