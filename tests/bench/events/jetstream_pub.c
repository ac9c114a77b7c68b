/* The peer of events_append: JetStream's asynchronous publishing, one connection each.
 *
 *     events_jetstream_pub endpoint=URL [publishers=N] [window=N] [rate=R] [events=N |
 * seconds=S]
 *
 * With a window of 1 each event is published synchronously.
 */

#include <nats/nats.h>
#include <string.h>

#include "tests/bench/events/run.h"

static void
check(natsStatus status, const char *step)
{
    if (status != NATS_OK)
        bench_die(step, natsStatus_GetText(status));
}

static natsConnection *
connect_to(const struct bench_load *load)
{
    natsOptions *options;
    natsConnection *connection;

    check(natsOptions_Create(&options), "options");
    check(natsOptions_SetURL(options, bench_text(&load->args, "endpoint", NULL)), "url");
    check(natsOptions_SetSendAsap(options, load->window == 1), "send_asap");
    check(natsConnection_Connect(&connection, options), "connect");
    natsOptions_Destroy(options);
    return connection;
}

static void
publish_one(struct bench_publisher *publisher, jsCtx *js, char *payload)
{
    const uint64_t due_ns = bench_await_due(publisher);
    jsPubAck *ack;

    memcpy(payload, &due_ns, sizeof due_ns);
    check(js_Publish(&ack, js, "events.bench", payload, BENCH_EVENT_BYTES, NULL, NULL),
          "publish");
    jsPubAck_Destroy(ack);
    publisher->sent++;
    bench_acknowledged(publisher, due_ns);
}

/* Requests whose answers come to one subscription: as quick as js_PublishAsync, for a little
 * less of the client's CPU, and each acknowledgement can be timed. */
static void
publish_window(struct bench_publisher *publisher, natsConnection *connection, char *payload)
{
    const uint64_t window = publisher->load->window;
    uint64_t *due = calloc(window, sizeof *due);
    char pattern[128], subject[160], *inbox;
    natsSubscription *subscription;

    check(due ? natsInbox_Create(&inbox) : NATS_NO_MEMORY, "inbox");
    (void)snprintf(pattern, sizeof pattern, "%s.*", inbox);
    check(natsConnection_SubscribeSync(&subscription, connection, pattern), "subscribe");
    check(natsSubscription_SetPendingLimits(subscription, -1, -1), "limits");
    while (bench_goes_on(publisher) || publisher->acknowledged < publisher->sent) {
        natsMsg *ack;
        uint64_t number;

        while (bench_goes_on(publisher) && publisher->sent - publisher->acknowledged < window) {
            const uint64_t due_ns = bench_await_due(publisher);

            (void)snprintf(subject, sizeof subject, "%s.%llu", inbox,
                           (unsigned long long)publisher->sent);
            due[publisher->sent % window] = due_ns;
            memcpy(payload, &due_ns, sizeof due_ns);
            check(natsConnection_PublishRequest(connection, "events.bench", subject, payload,
                                                BENCH_EVENT_BYTES),
                  "publish");
            publisher->sent++;
        }
        check(natsSubscription_NextMsg(&ack, subscription, BENCH_PATIENCE_MS), "ack");
        if (strstr(natsMsg_GetData(ack), "\"error\""))
            bench_die("publish", natsMsg_GetData(ack));
        number = strtoull(natsMsg_GetSubject(ack) + strlen(inbox) + 1, NULL, 10);
        bench_acknowledged(publisher, due[number % window]);
        natsMsg_Destroy(ack);
    }
    natsSubscription_Destroy(subscription);
    natsInbox_Destroy(inbox);
    free(due);
}

static void
publish(struct bench_publisher *publisher)
{
    natsConnection *connection = connect_to(publisher->load);
    char payload[BENCH_EVENT_BYTES];
    jsCtx *js;

    memset(payload, 'e', sizeof payload);
    check(natsConnection_JetStream(&js, connection, NULL), "jetstream");
    bench_connected(publisher);
    if (publisher->load->window > 1)
        publish_window(publisher, connection, payload);
    else
        while (bench_goes_on(publisher))
            publish_one(publisher, js, payload);
    jsCtx_Destroy(js);
    natsConnection_Destroy(connection);
}

int
main(int argc, char **argv)
{
    check(nats_Open(-1), "open");
    bench_publish((struct bench_args){argc, argv}, publish);
    return 0;
}
