#pragma once

/* Reads and keeps for the stream, which must not wait: pages of the log for followers that are
 * behind, positions of consumers, and every two seconds the rights.  A thread with a Postgres
 * connection of its own. */

#include "services/events/census.h"
#include "services/events/line.h"
#include "services/events/rights.h"
#include "services/events/store_consumer.h"

#define READER_PAGE_BLOCKS 20
#define READER_PAGE_BYTES                                                                      \
    ((size_t)READER_PAGE_BLOCKS * (BLOCK_BYTES * 2)) /* with the index                         \
                                                      */
#define ROUTING_BYTES 255

/* A ZeroMQ routing id. */
struct routing {
    uint8_t size;
    uint8_t bytes[ROUTING_BYTES];
};

enum reader_kind {
    READER_PAGE,
    READER_RIGHTS, /* of the reader's own accord */
    READER_OPEN,   /* a consumer's positions are wanted */
    READER_MOVE,   /* and kept */
    READER_CENSUS, /* who follows here is told */
};

/* What is wanted; becomes the answer. */
struct reader_item {
    struct line_item item;
    enum reader_kind kind;
    struct routing routing;
    uint64_t serial; /* of the follow that asks */
    uint64_t after;
    struct sieve *sieve;
    struct store_consumer *consumer; /* to open or to move; the item's */
    struct census *census;           /* the item's */
    /* answer: OK, POSITION_GONE, INVALID_ARGUMENT (beyond the head), UNAVAILABLE; of a consumer
     * RESOURCE_EXHAUSTED or NOT_FOUND, too */
    enum code code;
    struct block *blocks; /* a list; empty at the head */
    uint64_t head, first_kept;
    struct rights_table *rights;
};

void reader_item_destroy(struct reader_item **item);

struct reader;

struct reader_config {
    const struct pg_config *pg;
    const struct clock *clock;
    struct zap *zap; /* NULL without CURVE */
    const char *instance;
    const struct zap_peer *own;
    size_t own_count;
    struct line *answers; /* must have room for every page asked for, and one more */
};

must_use struct status reader_create(const struct reader_config *config, struct arena *arena,
                                     struct reader **ret);
void reader_destroy(struct reader **reader);

/* Any thread.  False: too many wait; the item stays the caller's.  What is to be kept is kept
 * before the reader ends. */
bool reader_ask(struct reader *reader, struct reader_item *item);
