#include "services/events/stream.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "common/base/log.h"
#include "common/base/metric.h"

#define NEWS_MAX 1024     /* blocks that may wait: 64 MiB at most */
#define FRAMES_A_TURN 256 /* of clients, before followers get their share */
#define PEER_BATCHES 64   /* under way to one follower: 4 MiB */
#define PEER_FRAMES 256   /* received and not yet read, of one peer */
#define LINGER_MS 500     /* for the last frames at a stop */
#define LATE_MS 5         /* until outcomes are tried again whose peer had no room */

static struct metric dropped_total =
    METRIC("tail_dropped_total", METRIC_COUNTER, "blocks the stream could not take in time",
           NULL, NULL);

/* A block, or where the log ends. */
struct news {
    struct line_item item;
    struct block *block; /* NULL: only the head */
    uint64_t head;
};

struct stream {
    struct stream_config config;
    struct line news, answers;
    struct reader *reader;
    struct delivery delivery;
    void *socket;
    char endpoint[256];
    atomic_bool stop;
    pthread_t thread;
    bool started;
};

static void
news_destroy(struct news **news)
{
    struct news *gone = take(news);

    if (!gone)
        return;
    block_release(&gone->block);
    free(gone);
}

static void
take_news(struct stream *stream)
{
    for (struct line_item *item = line_take(&stream->news); item;) {
        struct news *news = (struct news *)item;

        item = item->next;
        if (news->block)
            tail_push(&stream->delivery.tail, take(&news->block));
        else
            tail_start(&stream->delivery.tail, news->head);
        news_destroy(&news);
    }
}

static void
take_answers(struct stream *stream)
{
    for (struct line_item *item = line_take(&stream->answers); item;) {
        struct reader_item *answer = (struct reader_item *)item;

        item = item->next;
        if (answer->rights)
            delivery_take_rights(&stream->delivery, take(&answer->rights));
        else
            delivery_take_page(&stream->delivery, answer);
        reader_item_destroy(&answer);
    }
}

static bool
has_more(void *socket)
{
    int more = 0;
    size_t size = sizeof more;

    return zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &size) == 0 && more;
}

/* Reads what is left of a message, its first frame into `batch`; returns the number of frames.
 */
static unsigned
take_rest(void *socket, zmq_msg_t *batch)
{
    unsigned taken = 0;

    while (has_more(socket)) {
        zmq_msg_t rest;

        (void)zmq_msg_init(&rest);
        if (zmq_msg_recv(&rest, socket, ZMQ_DONTWAIT) >= 0 && taken++ == 0)
            (void)zmq_msg_move(batch, &rest); /* both are messages */
        (void)zmq_msg_close(&rest);
    }
    return taken;
}

static void
hand_over(struct stream *stream, const struct routing *routing, zmq_msg_t *frame)
{
    struct delivery_message message = {.routing = routing, .user_id = ""};
    zmq_msg_t batch;

    (void)zmq_msg_init(&batch);
    if (stream->config.zap)
        message.user_id = zap_message_peer(stream->config.zap, RIGHTS_DOMAIN, frame);
    if (!message.user_id)
        message.user_id = "";
    message.parts = 1 + take_rest(stream->socket, &batch);
    message.frame = (struct bytes){zmq_msg_data(frame), zmq_msg_size(frame)};
    message.batch = &batch;
    delivery_take(&stream->delivery, &message);
    (void)zmq_msg_close(&batch);
}

/* One message of a peer.  False: none has come. */
static bool
receive(struct stream *stream)
{
    struct routing routing;
    zmq_msg_t frame;
    const int size =
        zmq_recv(stream->socket, routing.bytes, sizeof routing.bytes, ZMQ_DONTWAIT);

    if (size < 0)
        return false;
    routing.size = (uint8_t)(size < ROUTING_BYTES ? size : ROUTING_BYTES);
    if (!has_more(stream->socket))
        return true; /* a message without a frame: there is nothing to answer */
    (void)zmq_msg_init(&frame);
    if (zmq_msg_recv(&frame, stream->socket, ZMQ_DONTWAIT) >= 0)
        hand_over(stream, &routing, &frame);
    (void)zmq_msg_close(&frame);
    return true;
}

static void
wait_for_work(struct stream *stream, int left_ms)
{
    zmq_pollitem_t items[] = {
        {.socket = stream->socket, .events = ZMQ_POLLIN},
        {.fd = stream->news.fd, .events = ZMQ_POLLIN},
        {.fd = stream->answers.fd, .events = ZMQ_POLLIN},
        {.fd = stream->delivery.appends.outcomes.fd, .events = ZMQ_POLLIN},
    };

    (void)zmq_poll(items, COUNT_OF(items), left_ms); /* interrupted: looks again */
}

static void *
run(void *argument)
{
    struct stream *stream = argument;
    const struct clock *clock = stream->config.clock;
    struct mono tick = clock_mono(clock);
    int due_ms = 0;

    while (!atomic_load(&stream->stop)) {
        const int tick_ms = mono_left_ms(tick, clock_mono(clock));
        unsigned frames = 0;

        wait_for_work(stream, due_ms < tick_ms ? due_ms : tick_ms);
        appends_send(&stream->delivery.appends);
        take_news(stream);
        take_answers(stream);
        while (frames < FRAMES_A_TURN && receive(stream))
            frames++;
        due_ms = delivery_pump(&stream->delivery);
        if (frames == FRAMES_A_TURN)
            due_ms = 0;
        else if (due_ms > LATE_MS && appends_are_late(&stream->delivery.appends))
            due_ms = LATE_MS;
        if (mono_left_ms(tick, clock_mono(clock)) == 0) {
            delivery_tick(&stream->delivery);
            tick = mono_add_ms(clock_mono(clock), DELIVERY_TICK_MS);
        }
    }
    delivery_end_all(&stream->delivery);
    return NULL;
}

static struct status
bind_socket(struct stream *stream, struct arena *arena)
{
    const struct stream_config *config = &stream->config;

    return socket_bind(config->zmq_context, ZMQ_ROUTER, config->bind, &config->curve,
                       (struct socket_limits){.send_high_water = PEER_BATCHES,
                                              .receive_high_water = PEER_FRAMES,
                                              .linger_ms = LINGER_MS},
                       arena, &stream->socket, stream->endpoint);
}

static struct status
create_reader(struct stream *stream, struct arena *arena)
{
    const struct stream_config *config = &stream->config;

    return reader_create(&(struct reader_config){.pg = config->pg,
                                                 .clock = config->clock,
                                                 .zap = config->zap,
                                                 .own = config->own,
                                                 .own_count = config->own_count,
                                                 .answers = &stream->answers},
                         arena, &stream->reader);
}

static struct status
prepare(struct stream *stream, struct arena *arena)
{
    const struct stream_config *config = &stream->config;

    TRY(line_init(&stream->news, NEWS_MAX, arena));
    if (config->zap)
        TRY(rights_admit(config->zap, config->own, config->own_count, NULL));
    TRY(bind_socket(stream, arena));
    TRY(delivery_init(&stream->delivery,
                      &(struct delivery_config){.socket = stream->socket,
                                                .clock = config->clock,
                                                .zap = config->zap,
                                                .tail_bytes = config->tail_bytes,
                                                .replay_bytes = config->replay_bytes,
                                                .followers_limit = config->followers_limit,
                                                .slow_ms = config->slow_ms,
                                                .limits = config->limits,
                                                .post = config->post,
                                                .context = config->context},
                      arena));
    /* Room for every page that may be under way, also of follows that have ended, and rights.
     */
    TRY(line_init(&stream->answers, (unsigned)(2 * config->followers_limit) + 1024, arena));
    TRY(create_reader(stream, arena));
    stream->delivery.reader = stream->reader;
    return OK;
}

struct status
stream_create(const struct stream_config *config, struct arena *arena, struct stream **ret)
{
    scoped(stream_destroy) struct stream *stream = calloc(1, sizeof *stream);

    TRY(need(stream));
    stream->config = *config;
    stream->news.fd = stream->answers.fd = stream->delivery.appends.outcomes.fd = -1;
    TRY(prepare(stream, arena));
    if (pthread_create(&stream->thread, NULL, run, stream) != 0)
        return FAIL(arena, RESOURCE_EXHAUSTED, "no thread for the stream");
    stream->started = true;
    *ret = take(&stream);
    return OK;
}

void
stream_stop(struct stream *stream)
{
    if (!stream || !stream->started)
        return;
    atomic_store(&stream->stop, true);
    line_wake(&stream->news);
    (void)pthread_join(stream->thread, NULL); /* it was created and is joined once */
    stream->started = false;
}

void
stream_destroy(struct stream **stream)
{
    struct stream *gone = take(stream);

    if (!gone)
        return;
    stream_stop(gone);
    reader_destroy(&gone->reader);
    if (gone->news.fd >= 0)
        take_news(gone);
    if (gone->answers.fd >= 0)
        take_answers(gone);
    delivery_fini(&gone->delivery);
    socket_close(&gone->socket);
    line_fini(&gone->news);
    line_fini(&gone->answers);
    free(gone);
}

const char *
stream_endpoint(const struct stream *stream)
{
    return stream->endpoint;
}

static void
tell(struct stream *stream, struct block *block, uint64_t head)
{
    struct news *news = calloc(1, sizeof *news);

    if (news) {
        news->block = take(&block);
        news->head = head;
        if (line_push(&stream->news, &news->item))
            return;
    }
    metric_add(&dropped_total, NULL, NULL, 1);
    block_release(&block);
    news_destroy(&news);
}

void
stream_offer(struct stream *stream, struct block *block)
{
    tell(stream, block, block->last);
}

void
stream_reach(struct stream *stream, uint64_t head)
{
    tell(stream, NULL, head);
}
