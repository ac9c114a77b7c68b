#include "common/redis/flight.h"

#include <stdlib.h>
#include <string.h>

struct flight {
    struct flight *next;
    pthread_cond_t landed;
    unsigned users; /* the leader and the followers */
    bool listed, done, forgotten;
    void *value; /* NULL after landing: it failed */
    size_t size;
    char key[CACHE_KEY_SIZE];
};

static struct flight **
list_of(struct cache_shared *shared, const char *key)
{
    return &shared->flights[cache_hash(shared, key) % REDIS_FLIGHT_LISTS];
}

static struct flight *
find(struct cache_shared *shared, const char *key)
{
    struct flight *flight = *list_of(shared, key);

    while (flight && strcmp(flight->key, key) != 0)
        flight = flight->next;
    return flight;
}

static void
unlist(struct cache_shared *shared, struct flight *flight)
{
    struct flight **at = list_of(shared, flight->key);

    if (!flight->listed)
        return;
    while (*at != flight)
        at = &(*at)->next;
    *at = flight->next;
    flight->listed = false;
}

static struct flight *
depart(struct cache_shared *shared, const char *key)
{
    struct flight **list = list_of(shared, key);
    struct flight *flight = calloc(1, sizeof *flight);
    pthread_condattr_t attributes;

    if (!flight)
        return NULL;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&flight->landed, &attributes);
    pthread_condattr_destroy(&attributes);
    (void)snprintf(flight->key, sizeof flight->key, "%s", key);
    flight->users = 1;
    flight->listed = true;
    flight->next = *list;
    *list = flight;
    return flight;
}

static void
leave(struct flight *flight)
{
    if (--flight->users)
        return;
    pthread_cond_destroy(&flight->landed);
    free(flight->value);
    free(flight);
}

/* False at the deadline. */
static bool
await_landing(struct cache_shared *shared, struct flight *flight, struct mono deadline)
{
    while (!flight->done) {
        const int left_ms = mono_left_ms(deadline, clock_mono(shared->clock));
        struct timespec until;

        if (!left_ms)
            return false;
        (void)clock_gettime(CLOCK_MONOTONIC, &until);
        redis_add_ms(&until, left_ms);
        (void)pthread_cond_timedwait(&flight->landed, &shared->mutex, &until);
    }
    return true;
}

/* Follows until there is a value, or nobody to follow: then *ret_role is the leader's. */
static struct status
join_locked(struct cache_shared *shared, const char *key, struct mono deadline,
            struct arena *arena, enum flight_role *ret_role, struct flight **ret,
            const void **ret_value, size_t *ret_size)
{
    struct flight *flight;

    while ((flight = find(shared, key))) {
        struct status status = OK;
        bool landed;

        flight->users++;
        landed = await_landing(shared, flight, deadline);
        if (landed && flight->value) {
            *ret_role = FLIGHT_FOLLOWER;
            *ret_size = flight->size;
            status = need(*ret_value = arena_copy_n(arena, flight->value, flight->size));
            leave(flight);
            return status;
        }
        leave(flight);
        if (!landed)
            return FAIL(arena, DEADLINE_EXCEEDED, "another call is still fetching the value");
    }
    *ret_role = FLIGHT_LEADER;
    return need(*ret = depart(shared, key));
}

struct status
flight_join(struct cache_shared *shared, const char *key, struct mono deadline,
            struct arena *arena, enum flight_role *ret_role, struct flight **ret,
            const void **ret_value, size_t *ret_size)
{
    struct status status;

    pthread_mutex_lock(&shared->mutex);
    status = join_locked(shared, key, deadline, arena, ret_role, ret, ret_value, ret_size);
    pthread_mutex_unlock(&shared->mutex);
    return status;
}

void
flight_land(struct cache_shared *shared, struct flight *flight, const void *value, size_t size)
{
    pthread_mutex_lock(&shared->mutex);
    unlist(shared, flight);
    flight->done = true;
    if (value && flight->users > 1 && (flight->value = malloc(size + 1))) {
        memcpy(flight->value, value, size);
        flight->size = size;
    }
    pthread_cond_broadcast(&flight->landed);
    leave(flight);
    pthread_mutex_unlock(&shared->mutex);
}

void
flight_forget(struct cache_shared *shared, const char *key)
{
    struct flight *flight;

    pthread_mutex_lock(&shared->mutex);
    flight = find(shared, key);
    if (flight) {
        flight->forgotten = true;
        unlist(shared, flight);
    }
    pthread_mutex_unlock(&shared->mutex);
}

bool
flight_forgotten(struct cache_shared *shared, const struct flight *flight)
{
    bool forgotten;

    pthread_mutex_lock(&shared->mutex);
    forgotten = flight->forgotten;
    pthread_mutex_unlock(&shared->mutex);
    return forgotten;
}
