#include "common/wire/resolver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <resolv.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/arena.h"
#include "common/base/log.h"

#define EVERY_S 2
#define NAMES_MAX 32   /* names or numbers in one list */
#define HOST_BYTES 254 /* a DNS name and its NUL */
#define QUESTION_S 1   /* patience with one name server */
#define QUESTION_TRIES 2

/* One element of a list, and what it stood for when it last could be resolved. */
struct name {
    char host[HOST_BYTES];
    char port[6];
    bool numeric; /* its one address is known and stays */
    size_t count;
    char addresses[RESOLVER_ENDPOINTS_MAX][INET6_ADDRSTRLEN + 2]; /* IPv6 in brackets */
};

struct list {
    char *text;
    struct name *names; /* the thread's own, once the list is watched */
    size_t name_count;
    struct resolved known; /* under the lock */
    _Atomic uint64_t version;
};

struct resolver {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop, hurry;
    _Atomic int list_count;
    struct list lists[RESOLVER_LISTS_MAX];
};

static bool
parse_port(const char *text, char ret[6])
{
    char *end;
    const long port = strtol(text, &end, 10);

    if (text[0] < '0' || text[0] > '9' || *end != '\0' || port < 1 || port > 65535)
        return false;
    (void)snprintf(ret, 6, "%ld", port); /* five digits at most */
    return true;
}

/* Numbers and localhost need nobody's answer. */
static void
resolve_numeric(struct name *name)
{
    struct in_addr v4;
    struct in6_addr v6;
    const char *host = strcmp(name->host, "localhost") == 0 ? "127.0.0.1" : name->host;
    char *into = name->addresses[0];

    /* An address fits: the precisions only tell the compiler. */
    if (inet_pton(AF_INET, host, &v4) == 1)
        (void)snprintf(into, sizeof name->addresses[0], "%.47s", host);
    else if (inet_pton(AF_INET6, host, &v6) == 1)
        (void)snprintf(into, sizeof name->addresses[0], "[%.45s]", host);
    else
        return;
    name->numeric = true;
    name->count = 1;
}

/* "tcp://host:port" or "tcp://[::1]:port". */
static bool
parse_name(const char *text, size_t size, struct name *ret)
{
    char copy[HOST_BYTES + 16];
    char *host = copy + 6, *colon;
    size_t host_size;

    if (size >= sizeof copy || size < 6 || memcmp(text, "tcp://", 6) != 0)
        return false;
    memcpy(copy, text, size);
    copy[size] = '\0';
    colon = strrchr(host, ':');
    if (!colon || !parse_port(colon + 1, ret->port))
        return false;
    *colon = '\0';
    host_size = strlen(host);
    if (host[0] == '[' && host[host_size - 1] == ']') {
        host[host_size - 1] = '\0';
        host++;
    } else if (strchr(host, ':')) {
        return false;
    }
    host_size = strlen(host);
    if (host_size == 0 || host_size >= HOST_BYTES || strpbrk(host, " \t/@[]"))
        return false;
    memcpy(ret->host, host, host_size + 1);
    resolve_numeric(ret);
    return true;
}

static struct status
parse_list(const char *text, struct arena *arena, struct list *into)
{
    while (*text) {
        const size_t size = strcspn(text, ",;");

        if (into->name_count == NAMES_MAX)
            return FAIL(arena, INVALID_ARGUMENT, "more than %d endpoints", NAMES_MAX);
        if (!parse_name(text, size, &into->names[into->name_count]))
            return FAIL(arena, INVALID_ARGUMENT, "\"%.*s\" is not tcp://name:port", (int)size,
                        text);
        into->name_count++;
        text += size;
        if (*text && !*++text)
            return FAIL(arena, INVALID_ARGUMENT, "an endpoint list ends in a comma");
    }
    if (into->name_count == 0)
        return FAIL(arena, INVALID_ARGUMENT, "an endpoint list is empty");
    return OK;
}

static void
keep_address(struct name *name, const struct addrinfo *info)
{
    char *into = name->addresses[name->count];
    char text[INET6_ADDRSTRLEN];

    if (name->count == RESOLVER_ENDPOINTS_MAX)
        return;
    if (info->ai_family == AF_INET) {
        struct sockaddr_in v4;

        memcpy(&v4, info->ai_addr, sizeof v4);
        if (inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text) == NULL)
            return;
        (void)snprintf(into, sizeof name->addresses[0], "%s", text); /* fits */
    } else if (info->ai_family == AF_INET6) {
        struct sockaddr_in6 v6;

        memcpy(&v6, info->ai_addr, sizeof v6);
        if (inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text) == NULL)
            return;
        (void)snprintf(into, sizeof name->addresses[0], "[%s]", text); /* fits */
    } else {
        return;
    }
    name->count++;
}

/* Asks for a name; on failure what was known stays. */
static void
resolve(struct name *name)
{
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct addrinfo *infos = NULL;

    if (name->numeric || getaddrinfo(name->host, NULL, &hints, &infos) != 0)
        return;
    name->count = 0;
    for (const struct addrinfo *info = infos; info; info = info->ai_next)
        keep_address(name, info);
    freeaddrinfo(infos);
}

static int
compare_endpoints(const void *left, const void *right)
{
    return strcmp(left, right);
}

/* All addresses of a list's names, sorted, each once. */
static void
gather(const struct list *list, struct resolved *ret)
{
    size_t unique = 0;

    ret->count = 0;
    for (size_t i = 0; i < list->name_count; i++)
        for (size_t j = 0; j < list->names[i].count; j++)
            if (ret->count < RESOLVER_ENDPOINTS_MAX)
                (void)snprintf(ret->endpoints[ret->count++], RESOLVER_ENDPOINT_SIZE,
                               "tcp://%s:%s", list->names[i].addresses[j],
                               list->names[i].port); /* fits: 6 + 48 + 1 + 5 */
    qsort(ret->endpoints, ret->count, sizeof ret->endpoints[0], compare_endpoints);
    for (size_t i = 0; i < ret->count; i++)
        if (unique == 0 || strcmp(ret->endpoints[unique - 1], ret->endpoints[i]) != 0)
            memmove(ret->endpoints[unique++], ret->endpoints[i], sizeof ret->endpoints[0]);
    ret->count = unique;
}

static bool
same(const struct resolved *left, const struct resolved *right)
{
    if (left->count != right->count)
        return false;
    for (size_t i = 0; i < left->count; i++)
        if (strcmp(left->endpoints[i], right->endpoints[i]) != 0)
            return false;
    return true;
}

static void
publish(struct resolver *resolver, struct list *list)
{
    struct resolved now = {0};

    gather(list, &now);
    (void)pthread_mutex_lock(&resolver->lock); /* cannot fail: never held twice */
    if (!same(&now, &list->known)) {
        now.version = list->known.version + 1;
        list->known = now;
        atomic_store_explicit(&list->version, now.version, memory_order_release);
    }
    (void)pthread_mutex_unlock(&resolver->lock); /* as above */
}

/* Waits for the next round; false when it is time to end. */
static bool
wait_round(struct resolver *resolver)
{
    struct timespec until;
    bool go_on;

    (void)clock_gettime(CLOCK_MONOTONIC, &until); /* cannot fail with this clock */
    until.tv_sec += EVERY_S;
    (void)pthread_mutex_lock(&resolver->lock); /* cannot fail: never held twice */
    while (!resolver->stop && !resolver->hurry &&
           pthread_cond_timedwait(&resolver->wake, &resolver->lock, &until) != ETIMEDOUT)
        ;
    resolver->hurry = false;
    go_on = !resolver->stop;
    (void)pthread_mutex_unlock(&resolver->lock); /* as above */
    return go_on;
}

static void *
run(void *context)
{
    struct resolver *resolver = context;

    do {
        const int count = atomic_load_explicit(&resolver->list_count, memory_order_acquire);

        /* Short patience, for this thread alone, and fresh: the file may have changed. */
        if (res_init() == 0) {
            _res.retrans = QUESTION_S;
            _res.retry = QUESTION_TRIES;
        }
        for (int i = 0; i < count; i++) {
            struct list *list = &resolver->lists[i];

            for (size_t j = 0; j < list->name_count; j++)
                resolve(&list->names[j]);
            publish(resolver, list);
        }
    } while (wait_round(resolver));
    res_nclose(&_res);
    return NULL;
}

static int
find_list(const struct resolver *resolver, const char *text)
{
    const int count = atomic_load_explicit(&resolver->list_count, memory_order_relaxed);

    for (int i = 0; i < count; i++)
        if (strcmp(resolver->lists[i].text, text) == 0)
            return i;
    return -1;
}

static void
list_clear(struct list *list)
{
    free(list->text);
    free(list->names);
    *list = (struct list){0};
}

/* With the lock held: the thread does not see the list before list_count has grown. */
static struct status
add_list(struct resolver *resolver, const char *text, struct arena *arena, int *ret_handle)
{
    const int handle = atomic_load_explicit(&resolver->list_count, memory_order_relaxed);
    struct list *list = &resolver->lists[handle];
    struct status status;

    if (handle == RESOLVER_LISTS_MAX)
        return FAIL(arena, RESOURCE_EXHAUSTED, "too many endpoint lists");
    list->text = strdup(text);
    list->names = calloc(NAMES_MAX, sizeof *list->names);
    status = list->text && list->names ? parse_list(text, arena, list) : need(NULL);
    if (failed(status)) {
        list_clear(list);
        return status;
    }
    gather(list, &list->known);
    list->known.version = list->known.count > 0 ? 1 : 0;
    atomic_store_explicit(&list->version, list->known.version, memory_order_relaxed);
    atomic_store_explicit(&resolver->list_count, handle + 1, memory_order_release);
    resolver->hurry = true;
    (void)pthread_cond_signal(&resolver->wake); /* cannot fail */
    *ret_handle = handle;
    return OK;
}

struct status
resolver_watch(struct resolver *resolver, const char *endpoint_list, struct arena *arena,
               int *ret_handle)
{
    struct status status = OK;
    int handle;

    (void)pthread_mutex_lock(&resolver->lock); /* cannot fail: never held twice */
    handle = find_list(resolver, endpoint_list);
    if (handle < 0)
        status = add_list(resolver, endpoint_list, arena, &handle);
    (void)pthread_mutex_unlock(&resolver->lock); /* as above */
    TRY(status);
    *ret_handle = handle;
    return OK;
}

void
resolver_get(struct resolver *resolver, int handle, struct resolved *ret)
{
    (void)pthread_mutex_lock(&resolver->lock); /* cannot fail: never held twice */
    *ret = resolver->lists[handle].known;
    (void)pthread_mutex_unlock(&resolver->lock); /* as above */
}

uint64_t
resolver_version(struct resolver *resolver, int handle)
{
    return atomic_load_explicit(&resolver->lists[handle].version, memory_order_acquire);
}

struct status
resolver_create(struct arena *arena, struct resolver **ret)
{
    struct resolver *resolver = calloc(1, sizeof *resolver);
    pthread_condattr_t attributes;

    TRY(need(resolver));
    (void)pthread_mutex_init(&resolver->lock, NULL); /* cannot fail with these attributes */
    (void)pthread_condattr_init(&attributes);        /* as above */
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC); /* as above */
    (void)pthread_cond_init(&resolver->wake, &attributes);         /* as above */
    (void)pthread_condattr_destroy(&attributes);                   /* as above */
    if (pthread_create(&resolver->thread, NULL, run, resolver) != 0) {
        free(resolver);
        return FAIL(arena, RESOURCE_EXHAUSTED, "no thread to resolve names");
    }
    *ret = resolver;
    return OK;
}

void
resolver_destroy(struct resolver **resolver)
{
    struct resolver *self = *resolver;

    if (!self)
        return;
    (void)pthread_mutex_lock(&self->lock); /* cannot fail: never held twice */
    self->stop = true;
    (void)pthread_cond_signal(&self->wake);   /* cannot fail */
    (void)pthread_mutex_unlock(&self->lock);  /* as above */
    (void)pthread_join(self->thread, NULL);   /* our own thread, joined once */
    (void)pthread_cond_destroy(&self->wake);  /* nobody waits */
    (void)pthread_mutex_destroy(&self->lock); /* nobody holds it */
    for (size_t i = 0; i < RESOLVER_LISTS_MAX; i++)
        list_clear(&self->lists[i]);
    free(self);
    *resolver = NULL;
}
