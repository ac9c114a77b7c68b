/* RabbitMQ's stream queue by AMQP 0.9.1, one connection each: filled, and read from its start.
 *
 *     events_rabbit publish port=P [publishers=N] [window=N] [events=N | seconds=S]
 *     events_rabbit follow port=P [threads=N] [fresh=1] [total=N]
 */

#include <amqp.h>
#include <amqp_tcp_socket.h>
#include <string.h>
#include <sys/time.h>

#include "tests/bench/events/run.h"

#define CHANNEL 1
#define QUEUE "events"
#define PREFETCH 2000
#define ACKNOWLEDGE_EVERY 500
#define FRAME_MAX 131072
#define LOOK_US 50000 /* at the total, which may be told late */

static void
check(amqp_rpc_reply_t reply, const char *step)
{
    if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION)
        bench_die(step, amqp_error_string2(reply.library_error));
    if (reply.reply_type != AMQP_RESPONSE_NORMAL)
        bench_die(step, "the server refused it");
}

static amqp_connection_state_t
connect_to(const struct bench_args *args)
{
    amqp_connection_state_t connection = amqp_new_connection();
    amqp_socket_t *socket = amqp_tcp_socket_new(connection);

    if (!socket || amqp_socket_open(socket, "127.0.0.1",
                                    (int)bench_number(args, "port", 5672)) != AMQP_STATUS_OK)
        bench_die("connect", "RabbitMQ does not answer");
    check(
        amqp_login(connection, "/", 0, FRAME_MAX, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest"),
        "login");
    (void)amqp_channel_open(connection, CHANNEL);
    check(amqp_get_rpc_reply(connection), "channel");
    return connection;
}

static amqp_table_t
one_text(amqp_table_entry_t *entry, const char *name, const char *value)
{
    entry->key = amqp_cstring_bytes(name);
    entry->value.kind = AMQP_FIELD_KIND_UTF8;
    entry->value.value.bytes = amqp_cstring_bytes(value);
    return (amqp_table_t){1, entry};
}

static void
make_queue(const struct bench_args *args)
{
    amqp_connection_state_t connection = connect_to(args);
    amqp_table_entry_t entry;

    (void)amqp_queue_delete(connection, CHANNEL, amqp_cstring_bytes(QUEUE), 0, 0);
    check(amqp_get_rpc_reply(connection), "queue");
    (void)amqp_queue_declare(connection, CHANNEL, amqp_cstring_bytes(QUEUE), 0, 1, 0, 0,
                             one_text(&entry, "x-queue-type", "stream"));
    check(amqp_get_rpc_reply(connection), "queue");
    (void)amqp_connection_close(connection, AMQP_REPLY_SUCCESS);
    (void)amqp_destroy_connection(connection);
}

/* Confirmations come in order; one may stand for several. */
static void
take_confirmation(struct bench_publisher *publisher, amqp_connection_state_t connection,
                  const uint64_t *due)
{
    amqp_frame_t frame;
    const amqp_basic_ack_t *ack;

    amqp_maybe_release_buffers(connection);
    if (amqp_simple_wait_frame(connection, &frame) != AMQP_STATUS_OK)
        bench_die("publish", "the connection broke");
    if (frame.frame_type != AMQP_FRAME_METHOD)
        return;
    if (frame.payload.method.id != AMQP_BASIC_ACK_METHOD)
        bench_die("publish", "refused");
    ack = frame.payload.method.decoded;
    while (publisher->acknowledged < ack->delivery_tag)
        bench_acknowledged(publisher, due[publisher->acknowledged % publisher->load->window]);
}

static void
publish(struct bench_publisher *publisher)
{
    const struct bench_load *load = publisher->load;
    amqp_connection_state_t connection = connect_to(&load->args);
    uint64_t *due = calloc(load->window, sizeof *due);
    uint8_t payload[BENCH_EVENT_BYTES];
    const amqp_bytes_t body = {sizeof payload, payload};
    amqp_basic_properties_t properties = {._flags = AMQP_BASIC_DELIVERY_MODE_FLAG,
                                          .delivery_mode = AMQP_DELIVERY_PERSISTENT};

    if (!due)
        bench_die("publisher", "no memory");
    memset(payload, 'e', sizeof payload);
    (void)amqp_confirm_select(connection, CHANNEL);
    check(amqp_get_rpc_reply(connection), "confirm");
    bench_connected(publisher);
    while (bench_goes_on(publisher) || publisher->acknowledged < publisher->sent) {
        while (bench_goes_on(publisher) &&
               publisher->sent - publisher->acknowledged < load->window) {
            const uint64_t due_ns = bench_await_due(publisher);

            due[publisher->sent++ % load->window] = due_ns;
            memcpy(payload, &due_ns, sizeof due_ns);
            if (amqp_basic_publish(connection, CHANNEL, amqp_empty_bytes,
                                   amqp_cstring_bytes(QUEUE), 0, 0, &properties,
                                   body) != AMQP_STATUS_OK)
                bench_die("publish", "the connection broke");
        }
        take_confirmation(publisher, connection, due);
    }
    (void)amqp_destroy_connection(connection);
    free(due);
}

static void
consume(amqp_connection_state_t connection)
{
    amqp_table_entry_t entry;

    (void)amqp_basic_qos(connection, CHANNEL, 0, PREFETCH, 0);
    check(amqp_get_rpc_reply(connection), "qos");
    (void)amqp_basic_consume(connection, CHANNEL, amqp_cstring_bytes(QUEUE), amqp_empty_bytes,
                             0, 0, 0, one_text(&entry, "x-stream-offset", "first"));
    check(amqp_get_rpc_reply(connection), "consume");
}

/* False: none has come. */
static bool
take_one(struct bench_follower *follower, amqp_connection_state_t connection)
{
    struct timeval patience = {.tv_usec = LOOK_US};
    amqp_envelope_t envelope;
    amqp_rpc_reply_t reply;
    uint64_t due_ns;

    amqp_maybe_release_buffers(connection);
    reply = amqp_consume_message(connection, &envelope, &patience, 0);
    if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION &&
        reply.library_error == AMQP_STATUS_TIMEOUT)
        return false;
    check(reply, "follow");
    memcpy(&due_ns, envelope.message.body.bytes, sizeof due_ns);
    bench_received(follower, due_ns);
    if (follower->received % ACKNOWLEDGE_EVERY == 0 &&
        amqp_basic_ack(connection, CHANNEL, envelope.delivery_tag, 1) != AMQP_STATUS_OK)
        bench_die("follow", "the connection broke");
    amqp_destroy_envelope(&envelope);
    return true;
}

static void
follow(struct bench_follower *follower)
{
    amqp_connection_state_t connection = connect_to(&follower->crowd->args);
    const uint64_t begun_ns = bench_now_ns();

    consume(connection);
    bench_ready(follower);
    while (!bench_has_all(follower)) {
        const uint64_t heard_ns = follower->last_ns ? follower->last_ns : begun_ns;

        if (!take_one(follower, connection) && bench_now_ns() - heard_ns > BENCH_PATIENCE_NS)
            bench_die("follow", "events are missing");
    }
    (void)amqp_destroy_connection(connection);
}

int
main(int argc, char **argv)
{
    const struct bench_args args = {argc, argv};

    if (argc < 2)
        bench_die("usage", "events_rabbit publish|follow port=P ...");
    if (strcmp(argv[1], "publish") == 0) {
        bench_publish(args, publish);
        return 0;
    }
    if (bench_number(&args, "fresh", 0))
        make_queue(&args);
    bench_follow(args, follow);
    return 0;
}
