/* The peer of rpc_bench: NATS request/reply with a payload of 200 bytes.
 *
 *     nats_bench URL WINDOW SECONDS
 *
 * The responder is a process of its own.  With one request in flight the library's own
 * natsConnection_Request is used; with more, requests are published with a reply subject each
 * and the answers are read from one subscription, which is the quickest way libnats offers.
 * Prints the rate and the median round trip in microseconds.
 */

#include <nats/nats.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/bench/bench.h"

#define PAYLOAD_BYTES 200
#define PATIENCE_MS 5000
#define SUBJECT "bench.ping"

static void
check(natsStatus status, const char *step)
{
    if (status != NATS_OK)
        bench_die(step, natsStatus_GetText(status));
}

static natsConnection *
connect_to(const char *url, bool send_asap)
{
    natsOptions *options;
    natsConnection *connection;

    check(natsOptions_Create(&options), "options");
    check(natsOptions_SetURL(options, url), "url");
    check(natsOptions_SetSendAsap(options, send_asap), "send_asap");
    check(natsConnection_Connect(&connection, options), "connect");
    natsOptions_Destroy(options);
    return connection;
}

static void
respond(natsConnection *connection, natsSubscription *subscription, natsMsg *message,
        void *context)
{
    (void)subscription;
    (void)context;
    check(natsConnection_Publish(connection, natsMsg_GetReply(message),
                                 natsMsg_GetData(message), natsMsg_GetDataLength(message)),
          "reply");
    natsMsg_Destroy(message);
}

/* The responder's process; ends with its parent. */
static void
run_responder(const char *url, int ready_fd)
{
    natsConnection *connection;
    natsSubscription *subscription;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* cannot fail with this signal */
    connection = connect_to(url, true);
    check(natsConnection_Subscribe(&subscription, connection, SUBJECT, respond, NULL),
          "subscribe");
    check(natsConnection_Flush(connection), "flush");
    if (write(ready_fd, "r", 1) != 1)
        bench_die("pipe", "not written");
    for (;;)
        (void)pause(); /* returns at a signal */
}

static void
run_one(const char *url, uint64_t stop_ns, struct bench_samples *samples)
{
    natsConnection *connection = connect_to(url, true);
    char payload[PAYLOAD_BYTES];

    memset(payload, 'p', sizeof payload);
    for (uint64_t now = bench_now_ns(); now < stop_ns;) {
        const uint64_t begun = now;
        natsMsg *reply;

        check(natsConnection_Request(&reply, connection, SUBJECT, payload, sizeof payload,
                                     PATIENCE_MS),
              "request");
        natsMsg_Destroy(reply);
        now = bench_now_ns();
        bench_sample(samples, now - begun);
    }
    natsConnection_Destroy(connection);
}

static void
run_window(const char *url, uint64_t window, uint64_t stop_ns, struct bench_samples *samples)
{
    natsConnection *connection = connect_to(url, false);
    uint64_t *begun = calloc(window, sizeof *begun), sent = 0, received = 0;
    natsSubscription *subscription;
    char payload[PAYLOAD_BYTES], pattern[128], *inbox;
    size_t inbox_size;

    memset(payload, 'p', sizeof payload);
    check(begun ? natsInbox_Create(&inbox) : NATS_NO_MEMORY, "inbox");
    inbox_size = strlen(inbox);
    (void)snprintf(pattern, sizeof pattern, "%s.*", inbox);
    check(natsConnection_SubscribeSync(&subscription, connection, pattern), "subscribe");
    check(natsSubscription_SetPendingLimits(subscription, -1, -1), "limits");
    for (uint64_t now = bench_now_ns(); now < stop_ns || received < sent;) {
        natsMsg *reply;
        uint64_t number;

        for (; now < stop_ns && sent - received < window; sent++) {
            char subject[160];

            (void)snprintf(subject, sizeof subject, "%s.%llu", inbox, (unsigned long long)sent);
            begun[sent % window] = bench_now_ns();
            check(natsConnection_PublishRequest(connection, SUBJECT, subject, payload,
                                                sizeof payload),
                  "publish");
        }
        check(natsSubscription_NextMsg(&reply, subscription, PATIENCE_MS), "next");
        number = strtoull(natsMsg_GetSubject(reply) + inbox_size + 1, NULL, 10);
        natsMsg_Destroy(reply);
        now = bench_now_ns();
        bench_sample(samples, now - begun[number % window]);
        received++;
    }
    natsInbox_Destroy(inbox);
    free(begun);
    natsSubscription_Destroy(subscription);
    natsConnection_Destroy(connection);
}

int
main(int argc, char **argv)
{
    static struct bench_samples samples;
    uint64_t begun, window;
    int ready[2];
    pid_t responder;
    char byte;

    if (argc != 4)
        bench_die("usage", "nats_bench URL WINDOW SECONDS");
    window = strtoull(argv[2], NULL, 10);
    if (window == 0 || pipe(ready) != 0)
        bench_die("window", "must be 1 or more");
    responder = fork();
    if (responder == 0)
        run_responder(argv[1], ready[1]);
    if (read(ready[0], &byte, 1) != 1)
        bench_die("pipe", "no responder");
    begun = bench_now_ns();
    if (window == 1)
        run_one(argv[1], begun + (uint64_t)(strtod(argv[3], NULL) * 1e9), &samples);
    else
        run_window(argv[1], window, begun + (uint64_t)(strtod(argv[3], NULL) * 1e9), &samples);
    bench_report(&samples, bench_now_ns() - begun);
    (void)kill(responder, SIGKILL); /* our own child */
    (void)waitpid(responder, NULL, 0);
    return 0;
}
