/* The peer of events_follow: XREAD, blocking, one connection each.
 *
 *     events_redis_sub port=P [threads=N] [fresh=1] [total=N]
 *
 * fresh=1: the stream is removed first; without, it is read from its first event.
 */

#include <hiredis/hiredis.h>
#include <string.h>

#include "tests/bench/events/run.h"

#define LOOK_MS 50 /* at the total, which may be told late */
#define PAGE 1000
#define ID_BYTES 64

static redisContext *
connect_to(const struct bench_args *args)
{
    redisContext *redis = redisConnect("127.0.0.1", (int)bench_number(args, "port", 6379));

    if (!redis || redis->err)
        bench_die("connect", "Redis does not answer");
    return redis;
}

/* A page of [[stream, [[id, [name, value]], ...]]]; nothing when the time passed. */
static void
take_page(struct bench_follower *follower, const redisReply *reply, char last[ID_BYTES])
{
    const redisReply *items;

    if (reply->type == REDIS_REPLY_ERROR)
        bench_die("XREAD", reply->str);
    if (reply->type != REDIS_REPLY_ARRAY || !reply->elements)
        return;
    items = reply->element[0]->element[1];
    for (size_t i = 0; i < items->elements; i++) {
        const redisReply *value = items->element[i]->element[1]->element[1];
        uint64_t due_ns;

        memcpy(&due_ns, value->str, sizeof due_ns);
        bench_received(follower, due_ns);
    }
    (void)snprintf(last, ID_BYTES, "%s", items->element[items->elements - 1]->element[0]->str);
}

static void
follow(struct bench_follower *follower)
{
    redisContext *redis = connect_to(&follower->crowd->args);
    const uint64_t begun_ns = bench_now_ns();
    char last[ID_BYTES] = "0-0";

    bench_ready(follower);
    while (!bench_has_all(follower)) {
        const uint64_t heard_ns = follower->last_ns ? follower->last_ns : begun_ns;
        redisReply *reply = redisCommand(redis, "XREAD COUNT %d BLOCK %d STREAMS events %s",
                                         PAGE, LOOK_MS, last);

        if (!reply)
            bench_die("XREAD", redis->errstr);
        take_page(follower, reply, last);
        freeReplyObject(reply);
        if (bench_now_ns() - heard_ns > BENCH_PATIENCE_NS)
            bench_die("follow", "events are missing");
    }
    redisFree(redis);
}

int
main(int argc, char **argv)
{
    const struct bench_args args = {argc, argv};

    if (bench_number(&args, "fresh", 0)) {
        redisContext *redis = connect_to(&args);

        freeReplyObject(redisCommand(redis, "DEL events"));
        redisFree(redis);
    }
    bench_follow(args, follow);
    return 0;
}
