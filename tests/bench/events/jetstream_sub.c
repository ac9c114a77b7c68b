/* The peer of events_follow: JetStream's ordered consumer, one connection each.
 *
 *     events_jetstream_sub endpoint=URL [threads=N] [fresh=1] [total=N]
 *
 * fresh=1: the stream is made anew; without, it is read from its first event.
 */

#include <nats/nats.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/events/run.h"

#define STREAM "EVENTS"
#define LOOK_MS 50 /* at the total, which may be told late */

static void
check(natsStatus status, const char *step)
{
    if (status != NATS_OK)
        bench_die(step, natsStatus_GetText(status));
}

static jsCtx *
connect_to(const struct bench_args *args)
{
    natsConnection *connection;
    jsCtx *js;

    check(natsConnection_ConnectTo(&connection, bench_text(args, "endpoint", NULL)), "connect");
    check(natsConnection_JetStream(&js, connection, NULL), "jetstream");
    return js; /* both end with the process */
}

static void
make_stream(const struct bench_args *args)
{
    const char *subjects[] = {"events.>"};
    jsCtx *js = connect_to(args);
    jsStreamConfig config;
    jsErrCode error;

    (void)js_DeleteStream(js, STREAM, NULL, &error); /* there may be none */
    check(jsStreamConfig_Init(&config), "stream");
    config.Name = STREAM;
    config.Subjects = subjects;
    config.SubjectsLen = 1;
    config.Storage = js_FileStorage;
    check(js_AddStream(NULL, js, &config, NULL, &error), "stream");
}

static void
follow(struct bench_follower *follower)
{
    jsCtx *js = connect_to(&follower->crowd->args);
    natsSubscription *subscription;
    jsSubOptions options;
    uint64_t due_ns, quiet_ms = 0;

    check(jsSubOptions_Init(&options), "options");
    options.Ordered = true;
    check(js_SubscribeSync(&subscription, js, "events.>", NULL, &options, NULL), "subscribe");
    check(natsSubscription_SetPendingLimits(subscription, -1, -1), "limits");
    bench_ready(follower);
    while (!bench_has_all(follower)) {
        natsMsg *message;
        const natsStatus status = natsSubscription_NextMsg(&message, subscription, LOOK_MS);

        if (status == NATS_TIMEOUT) {
            if ((quiet_ms += LOOK_MS) > BENCH_PATIENCE_MS)
                bench_die("follow", "events are missing");
            continue;
        }
        check(status, "follow");
        quiet_ms = 0;
        memcpy(&due_ns, natsMsg_GetData(message), sizeof due_ns);
        bench_received(follower, due_ns);
        natsMsg_Destroy(message);
    }
}

int
main(int argc, char **argv)
{
    const struct bench_args args = {argc, argv};

    check(nats_Open(-1), "open");
    if (bench_number(&args, "fresh", 0))
        make_stream(&args);
    bench_follow(args, follow);
    (void)fflush(stdout);
    /* libnats 3.4 may crash when an ordered subscription ends while events come. */
    _exit(0);
}
