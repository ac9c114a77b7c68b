/* Followers of the log, many connections to a thread.
 *
 *     events_follow endpoint=E [key_folder=F key=K] [followers=N] [threads=T] [after=POSITION]
 *                   [total=N]
 *
 * Each follower checks that the batches join and hold what they say.
 */

#include <sys/epoll.h>

#include "tests/bench/events/event.h"
#include "tests/bench/events/stream.h"

#define CREDIT 100000 /* the most there can be */
#define EPOLL_MAX 64
#define LOOK_MS 50 /* at the total, which may be told late */

struct connection {
    void *socket;
    uint64_t received, through;
    uint32_t credit;
    bool heard;
};

struct group {
    struct bench_follower *follower;
    struct connection *connections;
    size_t count, heard;
    int epoll_fd;
};

static void
send_follow(struct connection *connection, uint64_t after)
{
    Events__V1__ClientFrame frame = EVENTS__V1__CLIENT_FRAME__INIT;
    Events__V1__Follow follow = EVENTS__V1__FOLLOW__INIT;

    follow.after = connection->through = after;
    follow.credit = connection->credit = CREDIT;
    frame.frame_case = EVENTS__V1__CLIENT_FRAME__FRAME_FOLLOW;
    frame.follow = &follow;
    stream_send(connection->socket, &frame, NULL);
}

static void
send_credit(struct connection *connection)
{
    Events__V1__ClientFrame frame = EVENTS__V1__CLIENT_FRAME__INIT;
    Events__V1__Credit credit = EVENTS__V1__CREDIT__INIT;

    credit.events = CREDIT - connection->credit;
    connection->credit = CREDIT;
    frame.frame_case = EVENTS__V1__CLIENT_FRAME__FRAME_CREDIT;
    frame.credit = &credit;
    stream_send(connection->socket, &frame, NULL);
}

static void
take_batch(struct group *group, struct connection *connection, const Events__V1__Batch *batch,
           struct bytes events)
{
    struct bench_follower *follower = group->follower;
    const uint64_t now = bench_now_ns();
    uint32_t count = 0;
    struct bytes event;

    if (batch->after != connection->through)
        bench_die("follow", "batches do not join");
    for (; event_next(&events, &event); count++) {
        const uint64_t due_ns = event_due(event);

        bench_sample(&follower->samples, now > due_ns ? now - due_ns : 0);
    }
    if (count != batch->count)
        bench_die("follow", "a batch does not hold what it says");
    if (count && !follower->first_ns)
        follower->first_ns = now;
    if (count)
        follower->last_ns = now;
    connection->through = batch->through;
    connection->received += count;
    connection->credit -= count;
    if (connection->credit < CREDIT / 2)
        send_credit(connection);
}

static void
drain(struct group *group, struct connection *connection)
{
    struct stream_frame frame;

    while (stream_receive(connection->socket, &frame)) {
        if (frame.head->frame_case == EVENTS__V1__SERVER_FRAME__FRAME_ENDED)
            bench_die("follow", frame.head->ended->detail);
        if (frame.head->frame_case == EVENTS__V1__SERVER_FRAME__FRAME_BATCH)
            take_batch(group, connection, frame.head->batch,
                       (struct bytes){zmq_msg_data(&frame.body), zmq_msg_size(&frame.body)});
        stream_frame_free(&frame);
        if (connection->heard)
            continue;
        connection->heard = true;
        if (++group->heard == group->count)
            bench_ready(group->follower);
    }
}

/* What the follower with the fewest has. */
static void
note_received(struct group *group)
{
    uint64_t fewest = UINT64_MAX;

    for (size_t i = 0; i < group->count; i++)
        if (group->connections[i].received < fewest)
            fewest = group->connections[i].received;
    group->follower->received = fewest;
}

static void
join(struct group *group, void *context)
{
    const struct bench_args *args = &group->follower->crowd->args;

    for (size_t i = 0; i < group->count; i++) {
        struct connection *connection = &group->connections[i];
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        size_t size = sizeof(int);
        int fd;

        connection->socket = stream_connect(context, args);
        send_follow(connection, bench_number(args, "after", 0));
        if (zmq_getsockopt(connection->socket, ZMQ_FD, &fd, &size) != 0 ||
            epoll_ctl(group->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
            bench_die("follow", "no descriptor");
    }
    /* The descriptor tells of changes alone. */
    for (size_t i = 0; i < group->count; i++)
        drain(group, &group->connections[i]);
}

static void
follow(struct bench_follower *follower)
{
    const struct bench_crowd *crowd = follower->crowd;
    const uint64_t begun_ns = bench_now_ns();
    struct group group = {.follower = follower, .epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
    struct epoll_event ready[EPOLL_MAX];
    void *context = stream_context();

    group.count = bench_number(&crowd->args, "followers", crowd->threads) / crowd->threads;
    group.connections = calloc(group.count, sizeof *group.connections);
    if (!group.connections || group.epoll_fd < 0 || !group.count)
        bench_die("usage", "followers= is a multiple of threads=");
    join(&group, context);
    while (!bench_has_all(follower)) {
        const int count = epoll_wait(group.epoll_fd, ready, EPOLL_MAX, LOOK_MS);

        for (int i = 0; i < count; i++)
            drain(&group, ready[i].data.ptr);
        note_received(&group);
        if (follower->last_ns && bench_now_ns() - follower->last_ns > BENCH_PATIENCE_NS)
            bench_die("follow", "events are missing");
        if (!follower->last_ns && bench_now_ns() - begun_ns > BENCH_PATIENCE_NS)
            bench_die("follow", "no event came");
    }
    for (size_t i = 0; i < group.count; i++)
        socket_close(&group.connections[i].socket);
    (void)zmq_ctx_term(context);
    free(group.connections);
}

int
main(int argc, char **argv)
{
    bench_follow((struct bench_args){argc, argv}, follow);
    return 0;
}
