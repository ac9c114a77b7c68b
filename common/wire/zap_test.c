#include "common/wire/zap.h"

#include <string.h>

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/test.h"
#include "common/wire/socket.h"

#define PATIENCE_MS 5000
#define REFUSAL_MS 300 /* how long silence counts as a refusal */

struct play {
    void *context;
    struct zap *zap;
    struct arena arena;
    struct key_pair server, friend_pair, stranger;
    void *router;
    char endpoint[256];
};

static struct play play;

static int
open_play(void **state)
{
    (void)state;
    log_set_fd(-1); /* refusals are logged */
    play = (struct play){.context = zmq_ctx_new()};
    arena_init(&play.arena, 1 << 20);
    return failed(key_pair_create(&play.arena, &play.server)) ||
           failed(key_pair_create(&play.arena, &play.friend_pair)) ||
           failed(key_pair_create(&play.arena, &play.stranger)) ||
           failed(zap_create(play.context, &play.arena, &play.zap));
}

static int
close_play(void **state)
{
    (void)state;
    socket_close(&play.router);
    zap_destroy(&play.zap);
    (void)zmq_ctx_term(play.context);
    arena_fini(&play.arena);
    log_set_fd(1);
    return 0;
}

static void
bind_router(const char *domain)
{
    const struct wire_curve curve = {.on = true, .own = &play.server, .domain = domain};
    const int patience = PATIENCE_MS;

    assert_int_equal(socket_bind(play.context, ZMQ_ROUTER, "tcp://127.0.0.1:*", &curve,
                                 (struct socket_limits){0}, &play.arena, &play.router,
                                 play.endpoint)
                         .code,
                     CODE_OK);
    assert_int_equal(zmq_setsockopt(play.router, ZMQ_RCVTIMEO, &patience, sizeof patience), 0);
}

static struct zap_peer
peer_of(const char *name, const struct key_pair *pair, int64_t expires_unix_ms)
{
    struct zap_peer peer = {.expires_unix_ms = expires_unix_ms};

    (void)snprintf(peer.name, sizeof peer.name, "%s", name);
    memcpy(peer.key, pair->public_text, sizeof peer.key);
    return peer;
}

/* A client that waits until it may send; NULL when it may not within ms. */
static void *
connect_as(const struct key_pair *pair, int ms)
{
    const struct wire_curve curve = {
        .on = true, .own = pair, .server_public = play.server.public_text};
    zmq_pollitem_t item = {.events = ZMQ_POLLOUT};
    void *socket;

    assert_int_equal(socket_connect(play.context, ZMQ_DEALER, play.endpoint, &curve,
                                    (struct socket_limits){0}, &play.arena, &socket)
                         .code,
                     CODE_OK);
    item.socket = socket;
    if (zmq_poll(&item, 1, ms) == 1)
        return socket;
    socket_close(&socket);
    return NULL;
}

/* The next message's sender as the table names it now. */
static bool
hears_from(const char *domain, const char *name)
{
    const char *peer;
    zmq_msg_t message;
    bool same;

    assert_int_equal(zmq_msg_init(&message), 0);
    assert_true(zmq_msg_recv(&message, play.router, 0) >= 0);
    assert_true(zmq_msg_recv(&message, play.router, 0) >= 0);
    peer = zap_message_peer(play.zap, domain, &message);
    same = name ? peer && strcmp(peer, name) == 0 : !peer;
    (void)zmq_msg_close(&message);
    return same;
}

static void
a_known_key_enters_under_its_name(void **state)
{
    const struct zap_peer peers[] = {peer_of("service:matching", &play.friend_pair, 0),
                                     peer_of("service:other", &play.server, 0)};
    void *client;

    (void)state;
    assert_int_equal(zap_set_peers(play.zap, "services", peers, 2).code, CODE_OK);
    bind_router("services");
    client = connect_as(&play.friend_pair, PATIENCE_MS);
    assert_non_null(client);
    assert_int_equal(zmq_send(client, "x", 1, 0), 1);
    assert_true(hears_from("services", "service:matching"));
    socket_close(&client);
}

static void
a_stranger_and_a_key_of_another_domain_stay_outside_and_are_counted(void **state)
{
    const struct zap_peer peers[] = {peer_of("service:matching", &play.friend_pair, 0)};
    const struct zap_peer others[] = {peer_of("system:x", &play.stranger, 0)};

    (void)state;
    assert_int_equal(zap_set_peers(play.zap, "services", peers, 1).code, CODE_OK);
    assert_int_equal(zap_set_peers(play.zap, "stream", others, 1).code, CODE_OK);
    bind_router("services");
    assert_null(connect_as(&play.stranger, REFUSAL_MS));
    assert_true(zap_refused(play.zap) > 0);
}

static void
a_client_without_curve_stays_outside(void **state)
{
    zmq_pollitem_t item = {.events = ZMQ_POLLOUT};
    const struct wire_curve off = {0};
    void *socket;

    (void)state;
    bind_router("services");
    assert_int_equal(socket_connect(play.context, ZMQ_DEALER, play.endpoint, &off,
                                    (struct socket_limits){0}, &play.arena, &socket)
                         .code,
                     CODE_OK);
    item.socket = socket;
    assert_int_equal(zmq_poll(&item, 1, REFUSAL_MS), 0);
    socket_close(&socket);
}

static void
a_revoked_key_is_unknown_on_its_open_connection_although_its_name_lives_on(void **state)
{
    const struct zap_peer old[] = {peer_of("service:matching", &play.friend_pair, 0)};
    const struct zap_peer new[] = {peer_of("service:matching", &play.stranger, 0)};
    void *client;

    (void)state;
    assert_int_equal(zap_set_peers(play.zap, "services", old, 1).code, CODE_OK);
    bind_router("services");
    client = connect_as(&play.friend_pair, PATIENCE_MS);
    assert_non_null(client);
    assert_int_equal(zap_set_peers(play.zap, "services", new, 1).code, CODE_OK);
    assert_int_equal(zmq_send(client, "x", 1, 0), 1);
    assert_true(hears_from("services", NULL));
    assert_true(zap_peer_known(play.zap, "services", "service:matching"));
    socket_close(&client);
}

static void
an_expired_key_is_unknown(void **state)
{
    const int64_t now = clock_wall(clock_system()).unix_ms;
    const struct zap_peer peers[] = {peer_of("service:old", &play.friend_pair, now - 1000),
                                     peer_of("service:new", &play.stranger, now + 3600000)};

    (void)state;
    assert_int_equal(zap_set_peers(play.zap, "services", peers, 2).code, CODE_OK);
    bind_router("services");
    assert_false(zap_peer_known(play.zap, "services", "service:old"));
    assert_true(zap_peer_known(play.zap, "services", "service:new"));
    assert_false(zap_peer_known(play.zap, "services", "service:nobody"));
    assert_false(zap_peer_known(play.zap, "nowhere", "service:new"));
    assert_null(connect_as(&play.friend_pair, REFUSAL_MS));
}

static void
tables_with_bad_entries_are_refused_and_the_old_one_stays(void **state)
{
    struct zap_peer peers[] = {peer_of("service:matching", &play.friend_pair, 0)};

    (void)state;
    assert_int_equal(zap_set_peers(play.zap, "services", peers, 1).code, CODE_OK);
    peers[0].key[5] = ' ';
    assert_int_equal(zap_set_peers(play.zap, "services", peers, 1).code, CODE_INVALID_ARGUMENT);
    assert_int_equal(zap_set_peers(play.zap, "services", peers, ZAP_PEERS_MAX + 1).code,
                     CODE_RESOURCE_EXHAUSTED);
    assert_int_equal(zap_set_peers(play.zap, "", peers, 0).code, CODE_INVALID_ARGUMENT);
    assert_true(zap_peer_known(play.zap, "services", "service:matching"));
}

static void
without_the_table_nobody_enters(void **state)
{
    const struct zap_peer peers[] = {peer_of("service:matching", &play.friend_pair, 0)};

    (void)state;
    assert_int_equal(zap_set_peers(play.zap, "services", peers, 1).code, CODE_OK);
    bind_router("services");
    zap_destroy(&play.zap);
    assert_null(connect_as(&play.friend_pair, REFUSAL_MS));
}

static void
a_second_table_for_a_context_is_refused(void **state)
{
    struct zap *second;

    (void)state;
    assert_int_equal(zap_create(play.context, &play.arena, &second).code, CODE_ALREADY_EXISTS);
}

static void
a_server_without_a_domain_does_not_open(void **state)
{
    const struct wire_curve curve = {.on = true, .own = &play.server};

    (void)state;
    assert_int_equal(socket_bind(play.context, ZMQ_ROUTER, "tcp://127.0.0.1:*", &curve,
                                 (struct socket_limits){0}, &play.arena, &play.router,
                                 play.endpoint)
                         .code,
                     CODE_INVALID_ARGUMENT);
    assert_null(play.router);
}

int
main(void)
{
#define PLAYED(test) cmocka_unit_test_setup_teardown(test, open_play, close_play)
    const struct CMUnitTest tests[] = {
        PLAYED(a_known_key_enters_under_its_name),
        PLAYED(a_stranger_and_a_key_of_another_domain_stay_outside_and_are_counted),
        PLAYED(a_client_without_curve_stays_outside),
        PLAYED(a_revoked_key_is_unknown_on_its_open_connection_although_its_name_lives_on),
        PLAYED(an_expired_key_is_unknown),
        PLAYED(tables_with_bad_entries_are_refused_and_the_old_one_stays),
        PLAYED(without_the_table_nobody_enters),
        PLAYED(a_second_table_for_a_context_is_refused),
        PLAYED(a_server_without_a_domain_does_not_open),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
