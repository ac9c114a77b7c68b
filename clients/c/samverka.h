#pragma once

/* libsamverka: following the partnership event log of Samverka, and adding to it, from C99.
 *
 *   samverka_keys_*    CURVE key pairs in files
 *   samverka_follow_*  events as they come, from any position, or as a durable consumer
 *   samverka_event_*   what stands in an event
 *   samverka_chain_*   proof that a tenant's events are complete and unchanged
 *   samverka_append_*  adding events in batches, each exactly once
 *
 * Threads: an object belongs to one thread at a time; different objects may be used at once.
 * Ownership: what a call returns belongs to its object and lives until the next call that may
 * wait, or the end of the object.  Texts that are passed in are copied.  Texts are UTF-8.
 * Errors: a call returns SAMVERKA_OK or says what is wrong in `error`, which is never NULL, and
 * leaves its results as they were.  Time: no call waits longer than its `wait_ms`.
 * Connections mend themselves: a lost one, or three seconds of silence, leads to a fresh socket
 * at the next endpoint, with pauses that grow from 50 ms to 1 s, and nothing lost or repeated.
 * Names of hosts are looked up by ZeroMQ, which takes the first address: list every instance.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

enum samverka_code {
    SAMVERKA_OK = 0,
    SAMVERKA_TIMEOUT,     /* nothing came in wait_ms: call again */
    SAMVERKA_UNREACHABLE, /* nothing came, and no endpoint answers: calling again tries on */
    SAMVERKA_INVALID,     /* a parameter is wrong, or was refused: mend it */
    SAMVERKA_DENIED,      /* the key has no rights, or no longer: ask the tenant's officer */
    SAMVERKA_GONE,        /* events that old are not kept: take a fresh copy */
    SAMVERKA_CONFLICT,    /* the batch number, or an id, came before with other content */
    SAMVERKA_FULL,        /* the window is full: take outcomes first */
    SAMVERKA_TAKEN,       /* another follow has the consumer: calling again takes it back */
    SAMVERKA_UNPROVEN,    /* a gap or a changed byte in a tenant's stream */
    SAMVERKA_SYSTEM       /* memory, files, sockets: the text says which */
};
const char *samverka_code_name(enum samverka_code code);
struct samverka_error {
    enum samverka_code code;
    char text[240];
    uint64_t first_kept; /* with SAMVERKA_GONE: the smallest `after` that is served */
};

#define SAMVERKA_KEY_SIZE 41 /* Z85, with its end */
struct samverka_keys {
    char public_key[SAMVERKA_KEY_SIZE], secret_key[SAMVERKA_KEY_SIZE];
};

enum samverka_code samverka_keys_generate(struct samverka_keys *keys,
                                          struct samverka_error *error);
/* The files <name>.key (readable for its owner alone) and <name>.pub; an existing file is left
 * alone, and that is an error.  `name` may begin with a folder. */
enum samverka_code samverka_keys_store(const char *name, const struct samverka_keys *keys,
                                       struct samverka_error *error);
enum samverka_code samverka_keys_load(const char *name, struct samverka_keys *keys,
                                      struct samverka_error *error);
/* One public key from a file, for example the server's. */
enum samverka_code samverka_public_key_load(const char *path, char key[SAMVERKA_KEY_SIZE],
                                            struct samverka_error *error);

/* Where to connect, and as whom. */
struct samverka_place {
    const char *endpoints;  /* of the stream: "tcp://a:5570,tcp://b:5570", 1 to 16 */
    const char *server_key; /* Z85; NULL: without CURVE, for a deployment that has it off */
    const struct samverka_keys *keys;
};

/* What to follow.  All zero: every event that the key may see. */
struct samverka_wish {
    uint64_t after; /* a position; for a durable consumer: where it begins when it is new */
    /* Each list ends with NULL; a list that is NULL restricts nothing. */
    const char *const *types; /* prefixes: "org.samverka.placement." */
    const char *const *tenant_ids, *const *subjects, *const *programmes, *const *concepts;
    const char *const *nuts; /* prefixes: "SE3" passes SE312 */
    const char *consumer;    /* durable consumer, 1..64 of a-z 0-9 - _ . ; NULL: none */
    bool shared;             /* several processes share the consumer */
    uint32_t credit;         /* events under way at most, up to 100000; 0: 4096 */
};

struct samverka_event;
struct samverka_follow;

/* Everything that passes the wish with after < position <= through; may hold no event. */
struct samverka_batch {
    uint64_t after, through;
    uint64_t head;     /* last position of the log then */
    uint64_t delivery; /* to a durable consumer: the number to acknowledge; else 0 */
    size_t count;
    const struct samverka_event *const *events;
};

enum samverka_code samverka_follow_open(const struct samverka_place *place,
                                        const struct samverka_wish *wish,
                                        struct samverka_follow **follow,
                                        struct samverka_error *error);
/* NULL is fine.  Waits 500 ms at most, for the last acknowledgement to leave. */
void samverka_follow_close(struct samverka_follow *follow);

/* The next batch or heartbeat (a batch without events and with delivery 0).  Batches join: each
 * `after` is the `through` before it; where one does not, the library asks again from there.
 * A durable consumer's batches begin where it acknowledged last, and may come again after a
 * lost connection; those of a shared one have gaps, which its fellows work on.
 * TIMEOUT, UNREACHABLE; the server's word: INVALID, DENIED, GONE, TAKEN. */
enum samverka_code samverka_follow_next(struct samverka_follow *follow, int wait_ms,
                                        struct samverka_batch *batch,
                                        struct samverka_error *error);
/* Every batch up to and with this delivery is done.  One of a lost connection comes again. */
enum samverka_code samverka_follow_ack(struct samverka_follow *follow, uint64_t delivery,
                                       struct samverka_error *error);
/* Batches that did not join. */
uint64_t samverka_follow_gaps(const struct samverka_follow *follow);

/* Texts are "" where the event has none. */
uint64_t samverka_event_position(const struct samverka_event *event);
const char *samverka_event_id(const struct samverka_event *event);
const char *samverka_event_source(const struct samverka_event *event);
const char *samverka_event_type(const struct samverka_event *event);
const char *samverka_event_subject(const struct samverka_event *event);
int64_t samverka_event_time_unix_ms(const struct samverka_event *event); /* or 0 */
/* A text or URI by its name; NULL: it has none such. */
const char *samverka_event_attribute(const struct samverka_event *event, const char *name);
/* The data as it came, and its protobuf type URL ("" when it is no protobuf message). */
const void *samverka_event_data(const struct samverka_event *event, size_t *size);
const char *samverka_event_data_type(const struct samverka_event *event);
/* The whole packed io.cloudevents.v1.CloudEvent, for a protobuf library or an archive. */
const void *samverka_event_packed(const struct samverka_event *event, size_t *size);

/* A tenant's hash chain.  Begin it at number 0, or fill it in from what Log/ListChains says of
 * the first event that is kept; keep it with your position. */
struct samverka_chain {
    char tenant_id[37];
    uint64_t number; /* `tenantsequence` of the last event taken */
    unsigned char link[32];
};
enum samverka_code samverka_chain_begin(const char *tenant_id, struct samverka_chain *chain,
                                        struct samverka_error *error);
/* Takes the next event; those of other tenants and internal ones change nothing.
 * UNPROVEN: its number does not follow.  Compare `link` with another's at the same number. */
enum samverka_code samverka_chain_add(struct samverka_chain *chain,
                                      const struct samverka_event *event,
                                      struct samverka_error *error);

struct samverka_append;
struct samverka_new_event {
    const char *id;      /* unique for ever; a UUID of version 7 is best: samverka_new_id */
    const char *type;    /* reverse domain name and version: "org.example.order.placed.v1" */
    const char *subject; /* NULL: none */
    int64_t time_unix_ms;
    const char *data_type; /* type URL of the protobuf message; NULL: data is of any kind */
    const void *data;
    size_t data_size; /* the event is at most 16 KiB */
    const char *const
        *attributes; /* name, value, name, value, NULL; NULL: none.  The log itself
                        gives sequence, tenantsequence, tenantid and audience */
};
struct samverka_outcome {
    uint64_t batch_number;
    uint64_t first_position, last_position; /* 0: all its events were in the log before */
    uint32_t duplicates;
};

void samverka_new_id(char id[37]);
struct samverka_producer {
    const char *source;    /* URI reference that names it */
    const char *tenant_id; /* whose the events become; NULL: the key's own tenant */
    uint64_t next_batch;   /* 1, or one more than the last number used */
    unsigned window; /* batches without an outcome, 1..64; with more than one, one that must be
                        repeated may come to stand behind later ones */
};
enum samverka_code samverka_append_open(const struct samverka_place *place,
                                        const struct samverka_producer *producer,
                                        struct samverka_append **append,
                                        struct samverka_error *error);
void samverka_append_close(struct samverka_append *append); /* NULL is fine */
/* Adds to the batch that is being made.  FULL: it has 1000 events or 900 KiB: send it. */
enum samverka_code samverka_append_event(struct samverka_append *append,
                                         const struct samverka_new_event *event,
                                         struct samverka_error *error);
/* Sends the batch and gives its number.  FULL: take outcomes first.  Does not wait. */
enum samverka_code samverka_append_send(struct samverka_append *append, uint64_t *batch_number,
                                        struct samverka_error *error);
/* The next outcome.  What has none yet is repeated with its number until it has: after a lost
 * connection, at a new leader, when a limit is used up.  INVALID, DENIED, CONFLICT, SYSTEM: the
 * server refused the batch outcome->batch_number (0: all appends of the key, which stay
 * waiting); nothing of it is in the log.  TIMEOUT, UNREACHABLE: none yet. */
enum samverka_code samverka_append_next(struct samverka_append *append, int wait_ms,
                                        struct samverka_outcome *outcome,
                                        struct samverka_error *error);
size_t samverka_append_waiting(const struct samverka_append *append);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
