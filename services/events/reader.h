#pragma once

/* Reads for the stream, which must not wait: pages of the log for followers that are behind,
 * and every two seconds the rights.  A thread with a Postgres connection of its own. */

#include "services/events/line.h"
#include "services/events/rights.h"

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

/* One page wanted; becomes the answer.  Or the rights, of the reader's own accord. */
struct reader_item {
    struct line_item item;
    struct routing routing;
    uint64_t serial; /* of the follow that asks */
    uint64_t after;
    struct sieve *sieve;
    /* answer: OK, POSITION_GONE, INVALID_ARGUMENT (beyond the head), UNAVAILABLE */
    enum code code;
    struct block *blocks; /* a list; empty at the head */
    uint64_t head, first_kept;
    struct rights_table *rights; /* NULL in a page */
};

void reader_item_destroy(struct reader_item **item);

struct reader;

struct reader_config {
    const struct pg_config *pg;
    const struct clock *clock;
    struct zap *zap; /* NULL without CURVE */
    const struct zap_peer *own;
    size_t own_count;
    struct line *answers; /* must have room for every page asked for, and one more */
};

must_use struct status reader_create(const struct reader_config *config, struct arena *arena,
                                     struct reader **ret);
void reader_destroy(struct reader **reader);

/* Any thread.  False: too many wait; the item stays the caller's. */
bool reader_ask(struct reader *reader, struct reader_item *item);
