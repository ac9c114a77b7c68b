/* The main thread: one zloop over the ROUTER, the workers' answers, the admin port, the signals
 * and the timers.  Nothing here blocks. */

#include <czmq.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/service/frame.h"
#include "common/service/listener.h"

#define DRAIN_TICK_MS 20
/* A drain lasts at least this long, so that clients hear `draining` rather than silence. */
#define DRAIN_LEAST_MS 100

static int
on_rpc(zloop_t *loop, zmq_pollitem_t *item, void *context)
{
    struct frame *frame = context;

    (void)loop;
    (void)item;
    rpc_server_serve(frame->open.rpc);
    return 0;
}

static bool
drained(struct frame *frame)
{
    const struct mono now = clock_mono(frame->open.clock);
    /* Asked every time: the first question begins the service's own drain. */
    const bool own = !frame->service->drained || frame->service->drained(&frame->open);

    const bool heard = !frame->listener || listener_ended(frame->listener);

    return own && heard && rpc_server_idle(frame->open.rpc) &&
           mono_micros_between(frame->drain_since, now) >= DRAIN_LEAST_MS * 1000;
}

/* -1 ends the loop. */
static int
on_drain_tick(zloop_t *loop, int timer, void *context)
{
    struct frame *frame = context;

    (void)loop;
    (void)timer;
    if (drained(frame))
        return -1;
    if (mono_left_ms(frame->drain_deadline, clock_mono(frame->open.clock)) > 0)
        return 0;
    frame->cut_short = true;
    return -1;
}

void
loop_drain(struct frame *frame, const char *why)
{
    if (atomic_exchange(&frame->readiness.draining, true))
        return;
    log_info("draining", KV("why", why), KV("drain_ms", frame->settings.drain_ms));
    frame->drain_since = clock_mono(frame->open.clock);
    frame->drain_deadline = mono_add_ms(frame->drain_since, (int64_t)frame->settings.drain_ms);
    rpc_server_drain(frame->open.rpc);
    if (frame->listener)
        listener_end(frame->listener);
    if (zloop_timer(frame->open.loop, DRAIN_TICK_MS, 0, on_drain_tick, frame) < 0)
        abort(); /* no memory for a timer, and no other way to end */
}

/* The second signal does not wait: every service may be killed at any moment. */
static int
on_signal(zloop_t *loop, zmq_pollitem_t *item, void *context)
{
    struct frame *frame = context;
    struct signalfd_siginfo info;

    (void)loop;
    (void)item;
    if (read(frame->signal_fd, &info, sizeof info) != sizeof info)
        return 0;
    if (atomic_load(&frame->readiness.draining)) {
        log_warn("stopped by a second signal", KV("signal", (unsigned)info.ssi_signo));
        _exit(128 + (int)info.ssi_signo);
    }
    loop_drain(frame, "signal");
    return 0;
}

static struct status
listen_to(struct frame *frame, zmq_pollitem_t item, zloop_fn *handler)
{
    if (zloop_poller(frame->open.loop, &item, handler, frame) < 0)
        return need(NULL);
    zloop_poller_set_tolerant(frame->open.loop, &item);
    return OK;
}

struct status
loop_run(struct frame *frame, struct arena *arena)
{
    const zmq_pollitem_t router = {.socket = rpc_server_socket(frame->open.rpc),
                                   .events = ZMQ_POLLIN};
    const zmq_pollitem_t answers = {.fd = rpc_server_answers_fd(frame->open.rpc),
                                    .events = ZMQ_POLLIN};
    const zmq_pollitem_t signals = {.fd = frame->signal_fd, .events = ZMQ_POLLIN};

    TRY(listen_to(frame, router, on_rpc));
    TRY(listen_to(frame, answers, on_rpc));
    TRY(listen_to(frame, signals, on_signal));
    TRY(timers_start(frame, arena));
    atomic_store(&frame->readiness.started, true);
    log_info("started", KV("version", SAMVERKA_VERSION),
             KV("rpc", rpc_server_endpoint(frame->open.rpc)));
    (void)zloop_start(frame->open.loop);
    return OK;
}
