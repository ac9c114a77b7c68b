#include "services/events/store.h"

#include <inttypes.h>
#include <string.h>

#include "services/events/events_sql.h"

const struct pg_statement *const *const store_statements[] = {SQL_STATEMENTS, NULL};

struct status
store_take(struct pg_tx *tx, size_t limit, struct store_taken *ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct store_taken taken = {0};
    struct store_outbox_row row;

    TRY(pg_query(tx, &SQL_TAKE, PG_IN(pg_i64(STORE_SEQUENCER_LOCK), pg_i64((int64_t)limit)),
                 &rows));
    TRY(need(taken.rows = ARENA_ARRAY(tx->arena, struct store_outbox_row, rows.count)));
    while (pg_next_row(
        &rows, tx->arena,
        PG_OUT(pg_to_bool(&taken.leader), pg_to_i64(&taken.session), pg_to_i64(&row.id),
               pg_to_text(&row.tenant_id), pg_to_bool(&row.internal),
               pg_to_bytes(&row.event.data, &row.event.size), pg_to_i64(&row.created_unix_ms))))
        if (row.id) /* 0: the one row of an empty outbox */
            taken.rows[taken.count++] = row;
    TRY(pg_rows_status(&rows));
    *ret = taken;
    return OK;
}

struct status
store_settle(struct pg_tx *tx)
{
    return pg_query(tx, &SQL_SETTLE, PG_NONE, NULL);
}

struct status
store_unseat(struct pg_tx *tx, uint64_t *ret_ended)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};

    TRY(pg_query(tx, &SQL_UNSEAT, PG_IN(pg_i64(STORE_SEQUENCER_LOCK)), &rows));
    return pg_one_row(&rows, tx->arena, PG_OUT(pg_to_u64(ret_ended)));
}

struct status
store_head(struct pg_tx *tx, uint64_t *ret_position, uint64_t *ret_first_kept)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};

    TRY(pg_query(tx, &SQL_HEAD, PG_NONE, &rows));
    return pg_one_row(&rows, tx->arena,
                      PG_OUT(pg_to_u64(ret_position), pg_to_u64(ret_first_kept)));
}

struct status
store_move_head(struct pg_tx *tx, uint64_t from, uint64_t to)
{
    return pg_defer(tx, &SQL_HEAD_MOVE, PG_IN(pg_i64((int64_t)from), pg_i64((int64_t)to)));
}

struct status
store_add_block(struct pg_tx *tx, const struct store_block *block)
{
    uint8_t checksum[PACKED_HASH_BYTES];

    packed_hash(block->data, checksum);
    return pg_defer(tx, &SQL_BLOCK_ADD,
                    PG_IN(pg_i64((int64_t)block->position),
                          pg_i64((int64_t)(block->position + block->count - 1)),
                          pg_i64(block->count),
                          pg_texts(block->tenant_ids.items, block->tenant_ids.count),
                          pg_texts(block->types.items, block->types.count),
                          pg_bool(block->shared), pg_bytes(block->data.data, block->data.size),
                          pg_bytes(checksum, sizeof checksum)));
}

/* Copies a hash out of a bytea. */
static struct status
read_hash(struct pg_tx *tx, struct bytes from, uint8_t ret[PACKED_HASH_BYTES])
{
    if (from.size != PACKED_HASH_BYTES)
        return FAIL(tx->arena, INTERNAL, "a hash of %zu bytes", from.size);
    memcpy(ret, from.data, PACKED_HASH_BYTES);
    return OK;
}

struct status
store_streams(struct pg_tx *tx, struct texts tenant_ids, struct store_stream **ret,
              size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct store_stream *streams;
    struct bytes chain;
    size_t count = 0;

    TRY(pg_query(tx, &SQL_STREAMS, PG_IN(pg_texts(tenant_ids.items, tenant_ids.count)), &rows));
    TRY(need(streams = ARENA_ARRAY(tx->arena, struct store_stream, rows.count + 1)));
    while (pg_next_row(&rows, tx->arena,
                       PG_OUT(pg_to_text(&streams[count].tenant_id),
                              pg_to_u64(&streams[count].last),
                              pg_to_bytes(&chain.data, &chain.size))))
        TRY(read_hash(tx, chain, streams[count++].chain));
    TRY(pg_rows_status(&rows));
    *ret = streams;
    *ret_count = count;
    return OK;
}

struct status
store_move_streams(struct pg_tx *tx, const struct store_stream *streams, size_t count)
{
    const char **tenant_ids = ARENA_ARRAY(tx->arena, const char *, count + 1);
    int64_t *last = ARENA_ARRAY(tx->arena, int64_t, count + 1);
    uint8_t *chains = arena_alloc(tx->arena, count * PACKED_HASH_BYTES + 1);

    TRY(need(tenant_ids));
    TRY(need(last));
    TRY(need(chains));
    for (size_t i = 0; i < count; i++) {
        tenant_ids[i] = streams[i].tenant_id;
        last[i] = (int64_t)streams[i].last;
        memcpy(chains + i * PACKED_HASH_BYTES, streams[i].chain, PACKED_HASH_BYTES);
    }
    return pg_defer(tx, &SQL_STREAM_MOVE,
                    PG_IN(pg_texts(tenant_ids, count), pg_i64s(last, count),
                          pg_bytes(chains, count * PACKED_HASH_BYTES)));
}

struct status
store_find_append(struct pg_tx *tx, struct store_append *append, uint64_t *ret_highest)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    uint8_t known[PACKED_HASH_BYTES];
    struct bytes digest;

    TRY(pg_query(tx, &SQL_APPEND_FIND,
                 PG_IN(pg_text(append->tenant_id), pg_text(append->source),
                       pg_i64((int64_t)append->batch_number)),
                 &rows));
    TRY(pg_one_row(&rows, tx->arena,
                   PG_OUT(pg_to_bytes(&digest.data, &digest.size), pg_to_u64(&append->first),
                          pg_to_u64(&append->last), pg_to_u32(&append->duplicates),
                          pg_to_u64(ret_highest))));
    if (!digest.size)
        return FAIL(tx->arena, NOT_FOUND, "the batch is new");
    TRY(read_hash(tx, digest, known));
    if (memcmp(known, append->digest, sizeof known) != 0)
        return FAIL(tx->arena, KEY_REUSED,
                    "batch_number: batch %" PRIu64 " of %s came before with other bytes",
                    append->batch_number, append->source);
    return OK;
}

struct status
store_claims_begin(struct store_claims *claims, struct arena *arena, size_t room)
{
    *claims = (struct store_claims){0};
    TRY(need(claims->tenant_ids = ARENA_ARRAY(arena, const char *, room + 1)));
    TRY(need(claims->sources = ARENA_ARRAY(arena, const char *, room + 1)));
    TRY(need(claims->batch_numbers = ARENA_ARRAY(arena, int64_t, room + 1)));
    TRY(need(claims->first = ARENA_ARRAY(arena, int64_t, room + 1)));
    TRY(need(claims->last = ARENA_ARRAY(arena, int64_t, room + 1)));
    TRY(need(claims->duplicates = ARENA_ARRAY(arena, int64_t, room + 1)));
    return need(claims->digests = arena_alloc(arena, room * PACKED_HASH_BYTES + 1));
}

void
store_claims_add(struct store_claims *claims, const struct store_append *append)
{
    const size_t i = claims->count++;

    claims->tenant_ids[i] = append->tenant_id;
    claims->sources[i] = append->source;
    claims->batch_numbers[i] = (int64_t)append->batch_number;
    claims->first[i] = (int64_t)append->first;
    claims->last[i] = (int64_t)append->last;
    claims->duplicates[i] = append->duplicates;
    memcpy(claims->digests + i * PACKED_HASH_BYTES, append->digest, PACKED_HASH_BYTES);
}

struct status
store_claims_put(struct pg_tx *tx, const struct store_claims *claims)
{
    const size_t count = claims->count;

    if (!count)
        return OK;
    return pg_defer(tx, &SQL_APPEND_CLAIM,
                    PG_IN(pg_texts(claims->tenant_ids, count), pg_texts(claims->sources, count),
                          pg_i64s(claims->batch_numbers, count),
                          pg_bytes(claims->digests, count * PACKED_HASH_BYTES),
                          pg_i64s(claims->first, count), pg_i64s(claims->last, count),
                          pg_i64s(claims->duplicates, count)));
}

struct status
store_park(struct pg_tx *tx, const struct store_outbox_row *row, const char *reason)
{
    return pg_execute(tx, &SQL_PARK,
                      PG_IN(pg_i64(row->id), pg_text(row->tenant_id), pg_bool(row->internal),
                            pg_bytes(row->event.data, row->event.size), pg_text(reason),
                            pg_i64(row->created_unix_ms)),
                      NULL);
}

/* No terms: no restriction, SQL NULL. */
static struct pg_value
terms(struct texts texts)
{
    return texts.count ? pg_texts(texts.items, texts.count) : pg_text(NULL);
}

/* A system without tenants sees public events: an empty array, not NULL. */
static struct pg_value
rights_tenants(const struct sieve *sieve)
{
    if (!sieve || sieve->rights.all)
        return pg_text(NULL);
    return pg_texts(sieve->rights.tenant_ids.items, sieve->rights.tenant_ids.count);
}

static struct status
read_block(struct arena *arena, uint64_t position, uint32_t count, struct bytes data,
           struct block **ret)
{
    if (!data.size)
        return block_create_empty(position, count, ret);
    return block_create(position, count, data, arena, ret);
}

struct status
store_page(struct pg_tx *tx, uint64_t after, size_t limit, const struct sieve *sieve,
           struct block **ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    scoped(store_page_release) struct block *page = NULL;
    struct block **end = &page;
    const struct texts none = {0};
    uint64_t position, last;
    uint32_t count;
    struct bytes data;

    TRY(pg_query(tx, &SQL_PAGE,
                 PG_IN(pg_i64((int64_t)after), pg_i64((int64_t)limit), rights_tenants(sieve),
                       terms(sieve ? sieve->terms.tenant_ids : none),
                       terms(sieve ? sieve->terms.types : none),
                       terms(sieve ? sieve->rights.types : none)),
                 &rows));
    while (pg_next_row(&rows, tx->arena,
                       PG_OUT(pg_to_u64(&position), pg_to_u64(&last), pg_to_u32(&count),
                              pg_to_bytes(&data.data, &data.size)))) {
        TRY(read_block(tx->arena, position, count, data, end));
        end = &(*end)->next;
    }
    TRY(pg_rows_status(&rows));
    *ret = take(&page);
    return OK;
}

void
store_page_release(struct block **page)
{
    struct block *block = take(page);

    while (block) {
        struct block *next = block->next;

        block->next = NULL;
        block_release(&block);
        block = next;
    }
}

static bool
next_system(struct pg_rows *rows, struct arena *arena, struct store_system *ret)
{
    struct rights *rights = &ret->rights;
    struct limits *limits = &rights->limits;
    const char **tenant_ids = NULL, **types = NULL, **append_types = NULL;

    if (!pg_next_row(rows, arena,
                     PG_OUT(pg_to_text(&ret->system_id), pg_to_text(&rights->key),
                            pg_to_texts(&tenant_ids, &rights->tenant_ids.count),
                            pg_to_texts(&types, &rights->types.count),
                            pg_to_i64(&rights->expires_unix_ms), pg_to_text(&rights->tenant_id),
                            pg_to_texts(&append_types, &rights->append_types.count),
                            pg_to_u32(&limits->follows), pg_to_u32(&limits->events_per_second),
                            pg_to_u32(&limits->appends_per_second))))
        return false;
    rights->tenant_ids.items = tenant_ids;
    rights->types.items = types;
    rights->append_types.items = append_types;
    return true;
}

struct status
store_systems(struct pg_tx *tx, struct store_system **ret, size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct store_system *systems;
    size_t count = 0;

    TRY(pg_query(tx, &SQL_SYSTEMS, PG_NONE, &rows));
    TRY(need(systems = ARENA_ARRAY(tx->arena, struct store_system, rows.count + 1)));
    while (count < rows.count && next_system(&rows, tx->arena, &systems[count]))
        count++;
    TRY(pg_rows_status(&rows));
    *ret = systems;
    *ret_count = count;
    return OK;
}

struct status
store_find_system(struct pg_tx *tx, const char *system_id, struct store_system *ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct store_system system = {0};

    TRY(pg_query(tx, &SQL_SYSTEM, PG_IN(pg_text(system_id)), &rows));
    if (!next_system(&rows, tx->arena, &system)) {
        TRY(pg_rows_status(&rows));
        return FAIL(tx->arena, NOT_FOUND, "no such system");
    }
    *ret = system;
    return OK;
}

struct status
store_systems_published(struct pg_tx *tx, bool *ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};

    TRY(pg_query(tx, &SQL_SYSTEMS_PUBLISHED, PG_NONE, &rows));
    return pg_one_row(&rows, tx->arena, PG_OUT(pg_to_bool(ret)));
}

struct status
store_outbox_age(struct pg_tx *tx, double *ret_seconds)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};

    TRY(pg_query(tx, &SQL_OUTBOX_AGE, PG_NONE, &rows));
    return pg_one_row(&rows, tx->arena, PG_OUT(pg_to_f64(ret_seconds)));
}
