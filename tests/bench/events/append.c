/* Publishers that append at the stream endpoint of `events`.
 *
 *     events_append endpoint=E [key_folder=F key=K] [publishers=N] [window=EVENTS]
 * [batch=EVENTS] [rate=R] [events=N | seconds=S]
 *
 * A batch is acknowledged as a whole, after its commit; `window` is counted in events, so that
 * it compares with peers that acknowledge each.
 */

#include "tests/bench/events/event.h"
#include "tests/bench/events/stream.h"

#define BATCHES_MAX 4096

struct appender {
    struct bench_publisher *publisher;
    void *socket;
    struct event event;
    uint64_t batch_events, in_flight_max; /* the latter in batches */
    uint64_t batches_sent, batches_answered;
    struct {
        uint64_t due_ns, events;
    } under_way[BATCHES_MAX]; /* by batch number */
};

static void
send_batch(struct appender *appender)
{
    struct bench_publisher *publisher = appender->publisher;
    Events__V1__ClientFrame frame = EVENTS__V1__CLIENT_FRAME__INIT;
    Events__V1__Append append = EVENTS__V1__APPEND__INIT;
    const uint64_t due_ns = bench_await_due(publisher);
    uint64_t events = appender->batch_events;
    zmq_msg_t batch;
    uint8_t *into;

    if (publisher->load->events && publisher->load->events - publisher->sent < events)
        events = publisher->load->events - publisher->sent;
    if (zmq_msg_init_size(&batch, events * (BENCH_EVENT_BYTES + EVENT_FRAME_BYTES)) != 0)
        bench_die("batch", "no memory");
    into = zmq_msg_data(&batch);
    for (uint64_t i = 0; i < events; i++) {
        event_stamp(&appender->event, ++publisher->sent, due_ns);
        event_put(&appender->event, into + i * (BENCH_EVENT_BYTES + EVENT_FRAME_BYTES));
    }
    appender->under_way[appender->batches_sent % BATCHES_MAX].due_ns = due_ns;
    appender->under_way[appender->batches_sent % BATCHES_MAX].events = events;
    append.source = appender->event.source;
    append.batch_number = ++appender->batches_sent;
    append.tenant_id = EVENT_TENANT;
    frame.frame_case = EVENTS__V1__CLIENT_FRAME__FRAME_APPEND;
    frame.append = &append;
    stream_send(appender->socket, &frame, &batch);
}

static void
take_outcome(struct appender *appender, const Events__V1__AppendOutcome *outcome)
{
    const uint64_t i = (outcome->batch_number - 1) % BATCHES_MAX;
    const uint64_t events = appender->under_way[i].events;

    if (outcome->code != WIRE__V1__CODE__OK)
        bench_die("append", outcome->detail);
    if (outcome->last_position - outcome->first_position + 1 != events || outcome->duplicates)
        bench_die("append", "not all events of the batch were taken");
    for (uint64_t e = 0; e < events; e++)
        bench_acknowledged(appender->publisher, appender->under_way[i].due_ns);
    appender->batches_answered++;
}

static void
receive(struct appender *appender)
{
    zmq_pollitem_t item = {.socket = appender->socket, .events = ZMQ_POLLIN};
    struct stream_frame frame;

    if (zmq_poll(&item, 1, BENCH_PATIENCE_MS) <= 0)
        bench_die("append", "no answer");
    while (stream_receive(appender->socket, &frame)) {
        if (frame.head->frame_case == EVENTS__V1__SERVER_FRAME__FRAME_ENDED)
            bench_die("append", frame.head->ended->detail);
        if (frame.head->frame_case == EVENTS__V1__SERVER_FRAME__FRAME_APPEND_OUTCOME)
            take_outcome(appender, frame.head->append_outcome);
        stream_frame_free(&frame);
    }
}

static void
publish(struct bench_publisher *publisher)
{
    const struct bench_load *load = publisher->load;
    struct appender *appender = calloc(1, sizeof *appender);
    void *context = stream_context();

    if (!appender)
        bench_die("publisher", "no memory");
    appender->publisher = publisher;
    appender->batch_events = bench_number(&load->args, "batch", 1);
    appender->in_flight_max = load->window / appender->batch_events;
    if (!appender->in_flight_max || appender->in_flight_max > BATCHES_MAX)
        bench_die("usage", "window= is 1 to 4096 times batch=");
    appender->socket = stream_connect(context, &load->args);
    event_make(publisher, false, &appender->event);
    bench_connected(publisher);
    while (bench_goes_on(publisher) || appender->batches_answered < appender->batches_sent) {
        while (bench_goes_on(publisher) &&
               appender->batches_sent - appender->batches_answered < appender->in_flight_max)
            send_batch(appender);
        receive(appender);
    }
    socket_close(&appender->socket);
    (void)zmq_ctx_term(context);
    free(appender);
}

int
main(int argc, char **argv)
{
    bench_publish((struct bench_args){argc, argv}, publish);
    return 0;
}
