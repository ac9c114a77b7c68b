#pragma once

/* A sequencer for tests, and what it delivers. */

#include "services/events/sequencer.h"
#include "services/events/test_log.h"

/* What one sequencer delivered. */
struct sink {
    struct sequencer *sequencer;
    _Atomic uint64_t last; /* position */
    atomic_uint blocks, gaps, rings;
    bool started;
};

void test_sink_start(struct sink *sink); /* sequencer_destroy(&sink->sequencer) ends it */
/* For test_log_await, with a sink. */
bool test_sink_in_touch(void *sink);
bool test_sink_leads(void *sink);
