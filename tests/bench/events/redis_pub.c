/* The peer of events_append: XADD in a pipeline, one connection each.
 *
 *     events_redis_pub port=P [publishers=N] [window=N] [rate=R] [events=N | seconds=S]
 */

#include <hiredis/hiredis.h>
#include <string.h>

#include "tests/bench/events/run.h"

struct pipeline {
    struct bench_publisher *publisher;
    redisContext *redis;
    uint64_t *due;
};

static void
send_one(struct pipeline *pipeline, char *payload)
{
    struct bench_publisher *publisher = pipeline->publisher;
    const uint64_t due_ns = bench_await_due(publisher), now_ns = bench_now_ns();

    pipeline->due[publisher->sent++ % publisher->load->window] = due_ns;
    memcpy(payload, &now_ns, sizeof now_ns);
    if (redisAppendCommand(pipeline->redis, "XADD events * e %b", payload,
                           (size_t)BENCH_EVENT_BYTES) != REDIS_OK)
        bench_die("XADD", pipeline->redis->errstr);
}

static void
take_one(struct pipeline *pipeline)
{
    struct bench_publisher *publisher = pipeline->publisher;
    void *answer;
    const redisReply *reply;

    if (redisGetReply(pipeline->redis, &answer) != REDIS_OK)
        bench_die("XADD", pipeline->redis->errstr);
    reply = answer;
    if (reply->type == REDIS_REPLY_ERROR)
        bench_die("XADD", reply->str);
    freeReplyObject(answer);
    bench_acknowledged(publisher,
                       pipeline->due[publisher->acknowledged % publisher->load->window]);
}

static void
publish(struct bench_publisher *publisher)
{
    const struct bench_load *load = publisher->load;
    const int port = (int)bench_number(&load->args, "port", 6379);
    struct pipeline pipeline = {.publisher = publisher,
                                .redis = redisConnect("127.0.0.1", port),
                                .due = calloc(load->window, sizeof *pipeline.due)};
    char payload[BENCH_EVENT_BYTES];

    if (!pipeline.redis || pipeline.redis->err || !pipeline.due)
        bench_die("connect", "Redis does not answer");
    memset(payload, 'e', sizeof payload);
    bench_connected(publisher);
    while (bench_goes_on(publisher) || publisher->acknowledged < publisher->sent) {
        while (bench_goes_on(publisher) &&
               publisher->sent - publisher->acknowledged < load->window)
            send_one(&pipeline, payload);
        /* Down to half of the window, so that several travel in one write. */
        do
            take_one(&pipeline);
        while (publisher->sent - publisher->acknowledged > load->window / 2);
    }
    redisFree(pipeline.redis);
    free(pipeline.due);
}

int
main(int argc, char **argv)
{
    bench_publish((struct bench_args){argc, argv}, publish);
    return 0;
}
