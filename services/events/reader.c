#include "services/events/reader.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#include "common/base/log.h"
#include "services/events/store_kept.h"

#define RIGHTS_EVERY_MS 2000
#define READ_MS 2000
#define READ_BYTES ((size_t)64 << 20)
#define ASKED_MAX 4096

struct reader {
    struct reader_config config;
    struct line asked;
    atomic_bool stop;
    pthread_t thread;
    bool started;
    /* the thread's own */
    struct pg *pg;
    struct arena arena; /* of one transaction */
    struct mono rights_due;
    struct rights_table *rights; /* as last read and admitted; a copy went to the stream */
    bool unpublished_logged, failing;
};

void
reader_item_destroy(struct reader_item **item)
{
    struct reader_item *gone = take(item);

    if (!gone)
        return;
    rules_sieve_release(&gone->sieve);
    store_page_release(&gone->blocks);
    rights_destroy(&gone->rights);
    free(gone->consumer);
    census_destroy(&gone->census);
    free(gone);
}

static struct status
begin(struct reader *reader, bool read_only, struct pg_tx *ret)
{
    const struct pg_scope scope = {.deadline =
                                       mono_add_ms(clock_mono(reader->config.clock), READ_MS),
                                   .read_only = read_only,
                                   .together = true};

    return pg_tx_begin(reader->pg, &scope, &reader->arena, ret);
}

/* Before registry's migration there are no systems: said once. */
static struct status
note_publication(struct reader *reader, struct pg_tx *tx, const struct rights_table *table)
{
    bool published = true;

    if (table->count || reader->unpublished_logged)
        return OK;
    TRY(store_systems_published(tx, &published));
    if (!published)
        log_warn("registry publishes no systems yet: only services and operators may follow");
    reader->unpublished_logged = !published;
    return OK;
}

static struct status
read_rights(struct reader *reader, struct rights_table **ret_kept,
            struct rights_table **ret_copy)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};
    scoped(rights_destroy) struct rights_table *kept = NULL;
    scoped(rights_destroy) struct rights_table *copy = NULL;

    TRY(begin(reader, true, &tx));
    TRY(rights_read(&tx, &kept));
    TRY(note_publication(reader, &tx, kept));
    if (!rights_equal(reader->rights, kept))
        TRY(rights_read(&tx, &copy));
    *ret_kept = take(&kept);
    *ret_copy = take(&copy);
    return OK;
}

/* Both ZAP and the stream learn of a change; if one cannot, the next look tries both again. */
static struct status
spread_rights(struct reader *reader, struct rights_table **kept, struct rights_table **copy)
{
    scoped(reader_item_destroy) struct reader_item *item = calloc(1, sizeof *item);

    TRY(need(item));
    if (reader->config.zap)
        TRY(rights_admit(reader->config.zap, reader->config.own, reader->config.own_count,
                         *kept));
    item->kind = READER_RIGHTS;
    item->rights = take(copy);
    if (!line_push(reader->config.answers, &item->item))
        return FAIL(NULL, RESOURCE_EXHAUSTED, "the stream does not take its rights");
    item = NULL; /* the stream's now */
    rights_destroy(&reader->rights);
    reader->rights = take(kept);
    log_info("rights of systems read", KV("systems", reader->rights->count));
    return OK;
}

static struct status
renew_rights(struct reader *reader)
{
    scoped(rights_destroy) struct rights_table *kept = NULL;
    scoped(rights_destroy) struct rights_table *copy = NULL;

    TRY(read_rights(reader, &kept, &copy));
    if (!copy)
        return OK; /* as before */
    return spread_rights(reader, &kept, &copy);
}

static void
look_at_rights(struct reader *reader)
{
    struct status status;

    if (mono_left_ms(reader->rights_due, clock_mono(reader->config.clock)) > 0)
        return;
    status = renew_rights(reader);
    /* While Postgres is away the rights stay: nothing can be revoked either, and times of
     * expiry hold by the clock. */
    if (failed(status) != reader->failing) {
        reader->failing = failed(status);
        if (reader->failing)
            log_warn("rights cannot be read; the last ones hold",
                     KV("code", code_name(status.code)), KV("detail", status.detail));
        else
            log_info("rights can be read again");
    }
    arena_reset(&reader->arena);
    reader->rights_due = mono_add_ms(clock_mono(reader->config.clock), RIGHTS_EVERY_MS);
}

static struct status
read_page(struct reader *reader, struct reader_item *item)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};

    TRY(begin(reader, true, &tx));
    TRY(store_head(&tx, &item->head, &item->first_kept));
    if (item->after > item->head)
        return FAIL(&reader->arena, INVALID_ARGUMENT, "beyond the head");
    if (item->after < item->first_kept)
        return FAIL(&reader->arena, POSITION_GONE, "no longer kept");
    if (item->after == item->head)
        return OK;
    TRY(store_page(&tx, item->after, READER_PAGE_BLOCKS, item->sieve, &item->blocks));
    if (!item->blocks || item->blocks->position > item->after + 1)
        return store_missing(&tx, item->after, &item->first_kept);
    return OK;
}

/* Only for people: it is told again soon, and need not outlive a crash of the database. */
static struct status
keep_census(struct reader *reader, struct reader_item *item)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};

    TRY(begin(reader, false, &tx));
    TRY(store_census_put(&tx, reader->config.instance, item->census->rows,
                         item->census->count));
    return pg_tx_commit(&tx);
}

static struct status
keep_consumer(struct reader *reader, struct reader_item *item)
{
    scoped(pg_tx_end) struct pg_tx tx = {0};

    TRY(begin(reader, false, &tx));
    if (item->kind == READER_OPEN)
        TRY(store_consumer_open(&tx, item->consumer, &item->head));
    else
        TRY(store_consumer_move(&tx, item->consumer));
    return pg_tx_commit(&tx);
}

static void
answer(struct reader *reader, struct reader_item *item)
{
    const struct status status = item->kind == READER_PAGE     ? read_page(reader, item)
                                 : item->kind == READER_CENSUS ? keep_census(reader, item)
                                                               : keep_consumer(reader, item);

    item->code = status.code;
    if (status.code == CODE_INTERNAL)
        log_error("the log cannot be read for a follower", KV("after", item->after),
                  KV("detail", status.detail));
    arena_reset(&reader->arena);
    if (item->kind == READER_CENSUS)
        reader_item_destroy(&item); /* nobody waits for it */
    else if (!line_push(reader->config.answers, &item->item))
        reader_item_destroy(&item); /* cannot happen: see reader_config.answers */
}

static void
wait_for_work(struct reader *reader)
{
    struct pollfd asked = {.fd = reader->asked.fd, .events = POLLIN};

    (void)poll(&asked, 1, /* interrupted: looks again, nothing is lost */
               mono_left_ms(reader->rights_due, clock_mono(reader->config.clock)));
}

/* At a stop nobody waits for pages, but positions are kept. */
static void
answer_unless_stopped(struct reader *reader, struct reader_item *item)
{
    if (atomic_load(&reader->stop) && item->kind != READER_MOVE) {
        reader_item_destroy(&item);
        return;
    }
    answer(reader, item);
    look_at_rights(reader);
}

static void *
run(void *argument)
{
    struct reader *reader = argument;

    while (!atomic_load(&reader->stop)) {
        struct line_item *item;

        look_at_rights(reader);
        item = line_take(&reader->asked);
        if (!item)
            wait_for_work(reader);
        while (item) {
            struct reader_item *page = (struct reader_item *)item;

            item = item->next;
            answer_unless_stopped(reader, page);
        }
    }
    return NULL;
}

struct status
reader_create(const struct reader_config *config, struct arena *arena, struct reader **ret)
{
    scoped(reader_destroy) struct reader *reader = calloc(1, sizeof *reader);

    TRY(need(reader));
    reader->config = *config;
    reader->asked.fd = -1;
    arena_init(&reader->arena, READ_BYTES);
    TRY(line_init(&reader->asked, ASKED_MAX, arena));
    TRY(pg_create(config->pg, arena, &reader->pg));
    if (pthread_create(&reader->thread, NULL, run, reader) != 0)
        return FAIL(arena, RESOURCE_EXHAUSTED, "no thread for the reader");
    reader->started = true;
    *ret = take(&reader);
    return OK;
}

void
reader_destroy(struct reader **reader)
{
    struct reader *gone = take(reader);

    if (!gone)
        return;
    if (gone->started) {
        atomic_store(&gone->stop, true);
        line_wake(&gone->asked);
        (void)pthread_join(gone->thread, NULL); /* it was created and is joined once */
        for (struct line_item *item = line_take(&gone->asked); item;) {
            struct reader_item *left = (struct reader_item *)item;

            item = item->next;
            answer_unless_stopped(gone, left);
        }
    }
    rights_destroy(&gone->rights);
    pg_destroy(&gone->pg);
    line_fini(&gone->asked);
    arena_fini(&gone->arena);
    free(gone);
}

bool
reader_ask(struct reader *reader, struct reader_item *item)
{
    return line_push(&reader->asked, &item->item);
}
