#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "common/redis/redis.h"

/* getaddrinfo() waits for a dead name server for many seconds, so it runs on a thread of its
 * own, one at a time, and a name is asked for again only now and then.  The last good address
 * is kept while the name server is away. */
#define ASK_AGAIN_MS 2000

/* Owned by the thread and by `shared` and its waiters; whoever leaves last frees it. */
struct lookup {
    pthread_mutex_t mutex;
    pthread_cond_t finished;
    unsigned users;
    bool done;
    char address[NI_MAXHOST]; /* "": no such name, or nobody to ask */
    char host[];
};

static bool
is_numeric(const char *host)
{
    struct in6_addr address;

    return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1;
}

static void
leave(struct lookup *lookup)
{
    bool last;

    pthread_mutex_lock(&lookup->mutex);
    last = --lookup->users == 0;
    pthread_mutex_unlock(&lookup->mutex);
    if (!last)
        return;
    pthread_cond_destroy(&lookup->finished);
    pthread_mutex_destroy(&lookup->mutex);
    free(lookup);
}

static void *
run(void *context)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct lookup *lookup = context;
    struct addrinfo *found = NULL;
    char address[NI_MAXHOST] = "";

    if (getaddrinfo(lookup->host, NULL, &hints, &found) == 0 &&
        getnameinfo(found->ai_addr, found->ai_addrlen, address, sizeof address, NULL, 0,
                    NI_NUMERICHOST) != 0)
        address[0] = '\0';
    if (found)
        freeaddrinfo(found);
    pthread_mutex_lock(&lookup->mutex);
    memcpy(lookup->address, address, sizeof address);
    lookup->done = true;
    pthread_cond_broadcast(&lookup->finished);
    pthread_mutex_unlock(&lookup->mutex);
    leave(lookup);
    return NULL;
}

/* NULL when there is no memory or no thread: then there is no answer this time. */
static struct lookup *
start(const char *host)
{
    struct lookup *lookup = calloc(1, sizeof *lookup + strlen(host) + 1);
    pthread_condattr_t attributes;
    pthread_t thread;

    if (!lookup)
        return NULL;
    memcpy(lookup->host, host, strlen(host) + 1);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&lookup->finished, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&lookup->mutex, NULL);
    lookup->users = 2;
    if (pthread_create(&thread, NULL, run, lookup) != 0) {
        lookup->users = 1;
        leave(lookup);
        return NULL;
    }
    pthread_detach(thread);
    return lookup;
}

/* Takes the answer of a finished lookup.  Under the lock of `shared`. */
static void
harvest(struct cache_shared *shared)
{
    struct lookup *lookup = shared->lookup;
    bool done;

    if (!lookup)
        return;
    pthread_mutex_lock(&lookup->mutex);
    done = lookup->done;
    if (done && lookup->address[0])
        memcpy(shared->address, lookup->address, sizeof shared->address);
    pthread_mutex_unlock(&lookup->mutex);
    if (done)
        leave(take(&shared->lookup));
}

static bool
is_due(const struct cache_shared *shared)
{
    const struct mono now = clock_mono(shared->clock);

    return !shared->looked_up_at.ns ||
           mono_micros_between(shared->looked_up_at, now) > ASK_AGAIN_MS * 1000;
}

/* True when an address is known; else *ret is what to wait for, NULL: nothing. */
static bool
look(struct cache_shared *shared, char ret[NI_MAXHOST], struct lookup **ret_lookup)
{
    bool known;

    pthread_mutex_lock(&shared->mutex);
    harvest(shared);
    if (!shared->lookup && is_due(shared)) {
        shared->looked_up_at = clock_mono(shared->clock);
        shared->lookup = start(shared->host);
    }
    known = shared->address[0] != '\0';
    if (known) {
        memcpy(ret, shared->address, sizeof shared->address);
    } else if (shared->lookup) {
        pthread_mutex_lock(&shared->lookup->mutex);
        shared->lookup->users++;
        pthread_mutex_unlock(&shared->lookup->mutex);
        *ret_lookup = shared->lookup;
    }
    pthread_mutex_unlock(&shared->mutex);
    return known;
}

/* False at the deadline. */
static bool
await(struct lookup *lookup, const struct timespec *until)
{
    bool done;

    pthread_mutex_lock(&lookup->mutex);
    while (!lookup->done &&
           pthread_cond_timedwait(&lookup->finished, &lookup->mutex, until) == 0)
        ;
    done = lookup->done;
    pthread_mutex_unlock(&lookup->mutex);
    return done;
}

bool
address_find(struct cache_shared *shared, struct mono deadline, char ret[NI_MAXHOST])
{
    const int left_ms = mono_left_ms(deadline, clock_mono(shared->clock));
    struct timespec until;

    if (is_numeric(shared->host)) {
        (void)snprintf(ret, NI_MAXHOST, "%s", shared->host);
        return true;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    redis_add_ms(&until, left_ms);
    for (;;) {
        struct lookup *lookup = NULL;
        bool done;

        if (look(shared, ret, &lookup))
            return true;
        if (!lookup)
            return false;
        done = await(lookup, &until);
        leave(lookup);
        if (!done)
            return false;
    }
}

void
address_end(struct cache_shared *shared)
{
    if (shared->lookup)
        leave(take(&shared->lookup));
}
