#pragma once

/* What the commands about the event log share: words, a follow, events as lines. */

#include <stdio.h>

#include "clients/c/samverka.h"
#include "common/event/event_json.h"
#include "services/cli/cli.h"

#define EVENTS_TERMS_MOST 256 /* of one kind of filter */

/* What stands behind `events follow` and its like.  Lists end with NULL. */
struct events_words {
    const char *after, *through, *count, *to, *consumer;
    const char *types[EVENTS_TERMS_MOST + 1], *subjects[EVENTS_TERMS_MOST + 1];
    const char *programmes[EVENTS_TERMS_MOST + 1], *nuts[EVENTS_TERMS_MOST + 1];
    const char *concepts[EVENTS_TERMS_MOST + 1];
    bool shared, trim;
};

/* A whole number; `fallback` where there is none.  INVALID_ARGUMENT names the option. */
must_use struct status events_number(struct cli *cli, const char *name, const char *text,
                                     uint64_t fallback, uint64_t *ret);

/* Last position given and the smallest `after` that is served. */
must_use struct status events_head(struct cli *cli, uint64_t *ret_position,
                                   uint64_t *ret_first_kept);

/* Follows as the command line's key.  The tenant of the command line is a filter.  Destroy it
 * with samverka_follow_close. */
must_use struct status events_open(struct cli *cli, const struct events_words *words,
                                   uint64_t after, uint32_t credit,
                                   struct samverka_follow **ret);
/* The next batch or heartbeat.  With patience_ms: the next that goes beyond batch->through, or
 * UNAVAILABLE; -1: it waits for ever.  PERMISSION_DENIED, INVALID_ARGUMENT, POSITION_GONE,
 * ABORTED: the server's word. */
must_use struct status events_next(struct cli *cli, struct samverka_follow *follow,
                                   int patience_ms, struct samverka_batch *batch);

/* Events as CloudEvents in JSON, one a line. */
struct events_lines {
    struct event_json *json;
    struct buffer line;
    struct arena arena; /* of one event */
    FILE *out;
    bool positions; /* each begins with "position" */
};
must_use struct status events_lines_init(struct events_lines *lines, struct cli *cli,
                                         FILE *out);
void events_lines_fini(struct events_lines *lines);
/* UNAVAILABLE: nobody reads the output, or its disk is full. */
must_use struct status events_lines_put(struct events_lines *lines, struct cli *cli,
                                        const struct samverka_event *event);
must_use struct status events_lines_flush(struct events_lines *lines, struct cli *cli);

/* "replayed 120000 events, 45000 a second, at position 120000 of 900000", once a second and at
 * the end, on standard error. */
struct events_rate {
    const char *verb;
    const struct clock *clock;
    struct mono began, told;
    uint64_t events;
};
void events_rate_init(struct events_rate *rate, struct cli *cli, const char *verb);
void events_rate_add(struct events_rate *rate, uint64_t events, uint64_t position,
                     uint64_t target);
void events_rate_end(const struct events_rate *rate, uint64_t position);

/* The commands behind the word `events`. */
must_use struct status events_follow(struct cli *cli, const struct events_words *words);
must_use struct status events_replay(struct cli *cli, const struct events_words *words);
must_use struct status events_export(struct cli *cli, const struct events_words *words);
must_use struct status events_verify(struct cli *cli, const struct events_words *words);
must_use struct status events_consumers(struct cli *cli);
must_use struct status events_forget(struct cli *cli, const char *user, const char *consumer);
