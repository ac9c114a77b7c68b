#include "common/redis/redis.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

void
redis_add(struct redis_args *args, const void *bytes, size_t size)
{
    args->texts[args->count] = bytes;
    args->sizes[args->count++] = size;
}

void
redis_add_text(struct redis_args *args, const char *text)
{
    redis_add(args, text, strlen(text));
}

void
redis_add_ms(struct timespec *time, int ms)
{
    time->tv_sec += ms / 1000;
    time->tv_nsec += ms % 1000 * 1000000L;
    if (time->tv_nsec >= 1000000000L) {
        time->tv_sec++;
        time->tv_nsec -= 1000000000L;
    }
}

void
redis_close(struct cache *cache)
{
    if (cache->context)
        redisFree(cache->context);
    cache->context = NULL;
}

static bool
append(struct cache *cache, const struct redis_args *args)
{
    const char *texts[REDIS_COMMAND_ARGS_MAX];

    memcpy(texts, args->texts, sizeof texts);
    return redisAppendCommandArgv(cache->context, args->count, texts, args->sizes) == REDIS_OK;
}

/* Starts a connection; what a new one must say first goes before the command.  Gives the number
 * of replies to pass over. */
static bool
open_connection(struct cache *cache, struct mono deadline, int *ret_greetings)
{
    struct cache_shared *shared = cache->shared;
    struct redis_args auth = {0};
    struct redis_args name = {0};
    char address[NI_MAXHOST];
    char title[64];

    if (!address_find(shared, deadline, address))
        return false;
    cache->context = redisConnectNonBlock(address, shared->port);
    if (!cache->context || cache->context->err)
        return false;
    (void)fcntl(cache->context->fd, F_SETFD, FD_CLOEXEC); /* at worst a child inherits it */
    if (*shared->password) {
        redis_add_text(&auth, "AUTH");
        redis_add_text(&auth, shared->password);
        ++*ret_greetings;
        if (!append(cache, &auth))
            return false;
    }
    (void)snprintf(title, sizeof title, "samverka/%s", shared->service);
    redis_add_text(&name, "CLIENT");
    redis_add_text(&name, "SETNAME");
    redis_add_text(&name, title);
    ++*ret_greetings;
    return append(cache, &name);
}

/* Writes, waits and reads once.  False: the connection is no good, or it is too late. */
static bool
step(struct cache *cache, struct mono deadline, bool *ret_late)
{
    struct pollfd fd = {.fd = cache->context->fd, .events = POLLIN};
    int written = 0;
    int ready;
    int left_ms;

    if (redisBufferWrite(cache->context, &written) != REDIS_OK)
        return false;
    if (!written)
        fd.events |= POLLOUT;
    left_ms = mono_left_ms(deadline, clock_mono(cache->shared->clock));
    ready = poll(&fd, 1, left_ms);
    if (ready < 0)
        return errno == EINTR;
    if (ready == 0) {
        *ret_late = left_ms == 0;
        return left_ms != 0;
    }
    if (fd.revents & (POLLIN | POLLERR | POLLHUP))
        return redisBufferRead(cache->context) == REDIS_OK;
    return true;
}

static redisReply *
await_reply(struct cache *cache, struct mono deadline, bool *ret_late)
{
    void *reply = NULL;

    for (;;) {
        if (redisGetReplyFromReader(cache->context, &reply) != REDIS_OK)
            return NULL;
        if (reply)
            return reply;
        if (!step(cache, deadline, ret_late))
            return NULL;
    }
}

static redisReply *
try_run(struct cache *cache, const struct redis_args *args, bool *ret_late)
{
    const struct mono deadline =
        mono_add_ms(clock_mono(cache->shared->clock), cache->shared->command_ms);
    int greetings = 0;

    if (!cache->context && !open_connection(cache, deadline, &greetings)) {
        *ret_late = !mono_left_ms(deadline, clock_mono(cache->shared->clock));
        return NULL;
    }
    if (!append(cache, args))
        return NULL;
    for (; greetings; greetings--) {
        redisReply *greeting = await_reply(cache, deadline, ret_late);

        if (!greeting)
            return NULL;
        freeReplyObject(greeting); /* a wrong password shows in every answer after it */
    }
    return await_reply(cache, deadline, ret_late);
}

/* A connection that Redis has closed while it was idle is no failure: it is made anew. */
static void
drop_if_dead(struct cache *cache)
{
    struct pollfd fd = {.events = POLLIN};

    if (!cache->context)
        return;
    fd.fd = cache->context->fd;
    if (poll(&fd, 1, 0) > 0) /* nothing may come unasked */
        redis_close(cache);
}

redisReply *
redis_run(struct cache *cache, const struct redis_args *args)
{
    redisReply *reply;
    bool late = false;

    if (!breaker_admits(cache->shared))
        return NULL;
    drop_if_dead(cache);
    reply = try_run(cache, args, &late);
    if (!reply)
        redis_close(cache); /* a context with an error, or with an answer due, is unusable */
    breaker_tell(cache->shared, reply ? BREAKER_OK : late ? BREAKER_TIMED_OUT : BREAKER_FAILED);
    return reply;
}
