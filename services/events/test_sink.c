#include "services/events/test_sink.h"

#include <string.h>

static void
deliver(void *context, struct block *block)
{
    struct sink *sink = context;

    if (block->position != atomic_load(&sink->last) + 1)
        atomic_fetch_add(&sink->gaps, 1);
    atomic_store(&sink->last, block->last);
    atomic_fetch_add(&sink->blocks, 1);
    block_release(&block);
}

static void
reached(void *context, uint64_t head, uint64_t first_kept)
{
    struct sink *sink = context;

    (void)first_kept;
    atomic_store(&sink->last, head);
}

static void
ring(void *context)
{
    atomic_fetch_add(&((struct sink *)context)->rings, 1);
}

void
test_sink_start(struct sink *sink)
{
    static struct pg_config pg; /* dsn lives in this thread's buffer */
    static struct arena arena;

    arena_init(&arena, 1 << 20);
    pg = (struct pg_config){.dsn = test_dsn("app_events"),
                            .application_name = "sequencer_test",
                            .rooms = store_statements,
                            .clock = clock_system()};
    memset(sink, 0, sizeof *sink);
    assert_ok(sequencer_create(&(struct sequencer_config){.pg = &pg,
                                                          .clock = clock_system(),
                                                          .deliver = deliver,
                                                          .reached = reached,
                                                          .ring = ring,
                                                          .context = sink},
                               &arena, &sink->sequencer));
    arena_fini(&arena);
}

bool
test_sink_in_touch(void *sink)
{
    return sequencer_in_touch(((struct sink *)sink)->sequencer);
}

bool
test_sink_leads(void *sink)
{
    return sequencer_leads(((struct sink *)sink)->sequencer);
}
