#include "common/wire/zap.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/metric.h"
#include "common/wire/keys.h"
#include "common/wire/socket.h"

#define HANDLER_ENDPOINT "inproc://zeromq.zap.01"
#define KEY_BYTES 32
#define DOMAIN_BYTES 32
#define REQUEST_FRAMES 12 /* more are dropped unread */
#define PATIENCE_MS 1000

/* The property a connection carries with the key it was made with. */
#define KEY_PROPERTY "X-Key"

struct domain {
    char name[DOMAIN_BYTES];
    struct zap_peer *by_key; /* sorted */
    struct zap_peer **by_name;
    size_t count;
};

struct zap {
    void *socket;
    int stop_fd;
    pthread_t thread;
    pthread_rwlock_t lock; /* of the domains */
    struct domain domains[ZAP_DOMAINS_MAX];
    _Atomic uint64_t refused;
};

static struct metric refused_total =
    METRIC("zap_refused_total", METRIC_COUNTER, "connections with a key that is not known",
           "domain", NULL);

static int
compare_keys(const void *left, const void *right)
{
    return strcmp(((const struct zap_peer *)left)->key, ((const struct zap_peer *)right)->key);
}

static int
compare_names(const void *left, const void *right)
{
    return strcmp((*(struct zap_peer *const *)left)->name,
                  (*(struct zap_peer *const *)right)->name);
}

static struct domain *
find_domain(struct zap *zap, const char *name)
{
    for (size_t i = 0; i < ZAP_DOMAINS_MAX; i++)
        if (zap->domains[i].name[0] && strcmp(zap->domains[i].name, name) == 0)
            return &zap->domains[i];
    return NULL;
}

static bool
expired(const struct zap_peer *peer)
{
    return peer->expires_unix_ms != 0 &&
           clock_wall(clock_system()).unix_ms >= peer->expires_unix_ms;
}

/* With the lock held. */
static const struct zap_peer *
find_by_key(struct zap *zap, const char *domain_name, const char *key)
{
    const struct domain *domain = find_domain(zap, domain_name);
    struct zap_peer wanted;
    const struct zap_peer *peer;

    if (!domain || domain->count == 0 || strlen(key) != KEY_TEXT_SIZE - 1)
        return NULL;
    memcpy(wanted.key, key, KEY_TEXT_SIZE);
    peer = bsearch(&wanted, domain->by_key, domain->count, sizeof wanted, compare_keys);
    return peer && !expired(peer) ? peer : NULL;
}

const char *
zap_message_peer(struct zap *zap, const char *domain, zmq_msg_t *message)
{
    const char *name = zmq_msg_gets(message, "User-Id");
    const char *key = zmq_msg_gets(message, KEY_PROPERTY);
    const struct zap_peer *peer;
    bool known;

    if (!name || !key)
        return NULL;
    (void)pthread_rwlock_rdlock(&zap->lock); /* cannot fail: never held twice by a thread */
    peer = find_by_key(zap, domain, key);
    known = peer && strcmp(peer->name, name) == 0;
    (void)pthread_rwlock_unlock(&zap->lock); /* as above */
    return known ? name : NULL;
}

bool
zap_peer_known(struct zap *zap, const char *domain_name, const char *user_id)
{
    const struct domain *domain;
    bool known = false;

    (void)pthread_rwlock_rdlock(&zap->lock); /* cannot fail: never held twice by a thread */
    domain = find_domain(zap, domain_name);
    if (domain) {
        size_t low = 0, high = domain->count;

        while (low < high) {
            const size_t middle = low + (high - low) / 2;

            if (strcmp(domain->by_name[middle]->name, user_id) < 0)
                low = middle + 1;
            else
                high = middle;
        }
        for (; !known && low < domain->count; low++) {
            if (strcmp(domain->by_name[low]->name, user_id) != 0)
                break;
            known = !expired(domain->by_name[low]);
        }
    }
    (void)pthread_rwlock_unlock(&zap->lock); /* as above */
    return known;
}

static void
domain_clear(struct domain *domain)
{
    free(domain->by_key);
    free(domain->by_name);
    *domain = (struct domain){0};
}

/* A domain made ready outside the lock. */
static struct status
domain_make(const char *name, const struct zap_peer *peers, size_t count, struct domain *ret)
{
    struct domain domain = {.count = count};

    if (snprintf(domain.name, sizeof domain.name, "%s", name) >= (int)sizeof domain.name ||
        !name[0])
        return FAIL(NULL, INVALID_ARGUMENT, "a domain's name is too long or empty");
    if (count > ZAP_PEERS_MAX)
        return FAIL(NULL, RESOURCE_EXHAUSTED, "too many peers");
    for (size_t i = 0; i < count; i++)
        if (!peers[i].name[0] || !memchr(peers[i].name, '\0', sizeof peers[i].name) ||
            !key_text_valid(peers[i].key))
            return FAIL(NULL, INVALID_ARGUMENT, "a peer without a name or a good key");
    domain.by_key = calloc(count + 1, sizeof *domain.by_key);
    domain.by_name = calloc(count + 1, sizeof *domain.by_name);
    if (!domain.by_key || !domain.by_name) {
        domain_clear(&domain);
        return need(NULL);
    }
    if (count > 0)
        memcpy(domain.by_key, peers, count * sizeof *peers);
    qsort(domain.by_key, count, sizeof *domain.by_key, compare_keys);
    for (size_t i = 0; i < count; i++)
        domain.by_name[i] = &domain.by_key[i];
    qsort(domain.by_name, count, sizeof(struct zap_peer *), compare_names);
    *ret = domain;
    return OK;
}

struct status
zap_set_peers(struct zap *zap, const char *domain_name, const struct zap_peer *peers,
              size_t count)
{
    struct domain made, *place;

    TRY(domain_make(domain_name, peers, count, &made));
    (void)pthread_rwlock_wrlock(&zap->lock); /* cannot fail: never held twice by a thread */
    place = find_domain(zap, domain_name);
    for (size_t i = 0; !place && i < ZAP_DOMAINS_MAX; i++)
        if (!zap->domains[i].name[0])
            place = &zap->domains[i];
    if (place) {
        const struct domain old = *place;

        *place = made;
        made = old;
    }
    (void)pthread_rwlock_unlock(&zap->lock); /* as above */
    domain_clear(&made);
    return place ? OK : FAIL(NULL, RESOURCE_EXHAUSTED, "too many domains");
}

uint64_t
zap_refused(const struct zap *zap)
{
    return atomic_load_explicit(&zap->refused, memory_order_relaxed);
}

/* One question of libzmq: version, request id, domain, address, identity, mechanism and the
 * credentials. */
enum {
    VERSION,
    REQUEST_ID,
    DOMAIN,
    ADDRESS,
    IDENTITY,
    MECHANISM,
    CREDENTIALS,
    QUESTION_FRAMES
};

struct question {
    uint8_t data[QUESTION_FRAMES][256];
    size_t size[QUESTION_FRAMES];
    size_t frames;
};

static bool
frame_is(const struct question *question, size_t frame, const char *text)
{
    return question->size[frame] == strlen(text) &&
           memcmp(question->data[frame], text, question->size[frame]) == 0;
}

/* False when nothing (whole) is there. */
static bool
take_question(void *socket, struct question *ret)
{
    int more = 1;
    size_t more_size = sizeof more;

    ret->frames = 0;
    while (more) {
        uint8_t rest[256];
        const bool kept = ret->frames < QUESTION_FRAMES;
        uint8_t *into = kept ? ret->data[ret->frames] : rest;
        const int size = zmq_recv(socket, into, sizeof rest, ZMQ_DONTWAIT);

        if (size < 0 || zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &more_size) != 0)
            return false;
        if (kept)
            ret->size[ret->frames] = (size_t)size > sizeof rest ? sizeof rest : (size_t)size;
        ret->frames++;
    }
    return true;
}

/* A ZMTP property: name and value with their lengths. */
static size_t
put_property(uint8_t *into, const char *name, const char *value)
{
    const size_t name_size = strlen(name), value_size = strlen(value);

    into[0] = (uint8_t)name_size;
    memcpy(into + 1, name, name_size);
    memset(into + 1 + name_size, 0, 3);
    into[1 + name_size + 3] = (uint8_t)value_size;
    memcpy(into + 1 + name_size + 4, value, value_size);
    return 1 + name_size + 4 + value_size;
}

static void
answer(void *socket, const struct question *question, const struct zap_peer *peer)
{
    uint8_t metadata[128];
    const size_t metadata_size = peer ? put_property(metadata, KEY_PROPERTY, peer->key) : 0;
    const char *code = peer ? "200" : "400", *text = peer ? "OK" : "unknown key";
    const char *user = peer ? peer->name : "";

    /* The requester is in this process and waits: a failed send means the context ends. */
    (void)zmq_send(socket, "1.0", 3, ZMQ_SNDMORE);
    (void)zmq_send(socket, question->data[REQUEST_ID], question->size[REQUEST_ID], ZMQ_SNDMORE);
    (void)zmq_send(socket, code, 3, ZMQ_SNDMORE);
    (void)zmq_send(socket, text, strlen(text), ZMQ_SNDMORE);
    (void)zmq_send(socket, user, strlen(user), ZMQ_SNDMORE);
    (void)zmq_send(socket, metadata, metadata_size, 0);
}

/* Copies the peer whose key the question shows. */
static bool
judge(struct zap *zap, const struct question *question, const char *domain,
      struct zap_peer *ret)
{
    const struct zap_peer *peer;
    char key[KEY_TEXT_SIZE];

    if (question->frames != QUESTION_FRAMES || !frame_is(question, VERSION, "1.0") ||
        !frame_is(question, MECHANISM, "CURVE") || question->size[CREDENTIALS] != KEY_BYTES ||
        !zmq_z85_encode(key, question->data[CREDENTIALS], KEY_BYTES))
        return false;
    (void)pthread_rwlock_rdlock(&zap->lock); /* cannot fail: never held twice by a thread */
    peer = find_by_key(zap, domain, key);
    if (peer)
        *ret = *peer;
    (void)pthread_rwlock_unlock(&zap->lock); /* as above */
    return peer != NULL;
}

static void
serve(struct zap *zap, const struct question *question)
{
    char domain[DOMAIN_BYTES] = "";
    struct zap_peer peer;

    if (question->frames > DOMAIN && question->size[DOMAIN] < sizeof domain)
        memcpy(domain, question->data[DOMAIN], question->size[DOMAIN]);
    if (judge(zap, question, domain, &peer)) {
        answer(zap->socket, question, &peer);
        return;
    }
    atomic_fetch_add_explicit(&zap->refused, 1, memory_order_relaxed);
    metric_add(&refused_total, domain, NULL, 1);
    log_warn("connection refused: unknown key", KV("domain", domain));
    answer(zap->socket, question, NULL);
}

static void *
run(void *context)
{
    struct zap *zap = context;
    zmq_pollitem_t items[] = {{.socket = zap->socket, .events = ZMQ_POLLIN},
                              {.fd = zap->stop_fd, .events = ZMQ_POLLIN}};

    for (;;) {
        struct question question;

        if (zmq_poll(items, COUNT_OF(items), PATIENCE_MS) < 0 && errno != EINTR)
            break; /* ETERM: the context ends */
        if (items[1].revents)
            break;
        while (take_question(zap->socket, &question))
            serve(zap, &question);
    }
    return NULL;
}

static void
dismantle(struct zap **zap)
{
    socket_close(&(*zap)->socket);
    if ((*zap)->stop_fd >= 0)
        (void)close((*zap)->stop_fd); /* nothing was written that could be lost */
    for (size_t i = 0; i < ZAP_DOMAINS_MAX; i++)
        domain_clear(&(*zap)->domains[i]);
    (void)pthread_rwlock_destroy(&(*zap)->lock); /* nobody holds it */
    free(*zap);
    *zap = NULL;
}

static struct status
start(struct zap *zap, void *zmq_context, struct arena *arena)
{
    zap->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (zap->stop_fd < 0)
        return FAIL(arena, RESOURCE_EXHAUSTED, "eventfd: %s", strerror(errno));
    TRY(socket_local(zmq_context, ZMQ_REP, HANDLER_ENDPOINT, true, arena, &zap->socket));
    if (pthread_create(&zap->thread, NULL, run, zap) != 0)
        return FAIL(arena, RESOURCE_EXHAUSTED, "no thread for the key table");
    return OK;
}

struct status
zap_create(void *zmq_context, struct arena *arena, struct zap **ret)
{
    struct zap *zap = calloc(1, sizeof *zap);
    struct status status;

    TRY(need(zap));
    zap->stop_fd = -1;
    (void)pthread_rwlock_init(&zap->lock, NULL); /* cannot fail with these attributes */
    status = start(zap, zmq_context, arena);
    if (failed(status)) {
        dismantle(&zap);
        return status;
    }
    *ret = zap;
    return OK;
}

void
zap_destroy(struct zap **zap)
{
    const uint64_t one = 1;

    if (!*zap)
        return;
    if (write((*zap)->stop_fd, &one, sizeof one) != sizeof one)
        abort(); /* an eventfd of our own that takes nothing: the join below would hang */
    (void)pthread_join((*zap)->thread, NULL); /* our own thread, joined once */
    dismantle(zap);
}
