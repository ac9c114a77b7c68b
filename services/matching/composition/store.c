#include "services/matching/composition/store.h"

#include "common/wire/message.h"
#include "services/matching/composition/composition.h"
#include "services/matching/composition/composition_sql.h"
#include "services/matching/composition/solve.h"
#include "services/matching/roll.h"

const struct pg_statement *const *const composition_statements = SQL_STATEMENTS;

/* What this service packed itself, and what may be larger than a message of the wire. */
static struct status
unpack(const ProtobufCMessageDescriptor *descriptor, struct bytes packed, struct arena *arena,
       ProtobufCMessage **ret)
{
    ProtobufCAllocator allocator = wire_allocator(arena);

    *ret = protobuf_c_message_unpack(descriptor, &allocator, packed.size, packed.data);
    return *ret ? OK : FAIL(arena, INTERNAL, "a stored composition cannot be read");
}

static struct status
enqueue(struct pg_tx *tx, const char *id)
{
    TRY(roll_put(tx, ROLL_COMPOSITIONS));
    return pg_query(tx, &SQL_QUEUE, PG_IN(pg_text(tx->scope.tenant_id), pg_text(id)), NULL);
}

struct status
composition_store_insert(struct pg_tx *tx, struct arena *arena, const char *id,
                         const Matching__V1__CompositionQuestion *question)
{
    struct bytes packed;

    TRY(wire_pack(&question->base, arena, &packed));
    TRY(pg_query(
        tx, &SQL_INSERT,
        PG_IN(pg_text(tx->scope.tenant_id), pg_text(id), pg_bytes(packed.data, packed.size)),
        NULL));
    return enqueue(tx, id);
}

struct status
composition_store_get(struct pg_tx *tx, struct arena *arena, const char *id,
                      Matching__V1__Composition **ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    Matching__V1__Composition *composition = ARENA_NEW(arena, Matching__V1__Composition);
    struct bytes question, run;
    ProtobufCMessage *message;
    uint32_t state;

    TRY(need(composition));
    matching__v1__composition__init(composition);
    TRY(pg_query(tx, &SQL_GET, PG_IN(pg_text(tx->scope.tenant_id), pg_text(id)), &rows));
    if (!pg_next_row(&rows, arena,
                     PG_OUT(pg_to_text(&composition->composition_id),
                            pg_to_bytes(&question.data, &question.size), pg_to_u32(&state),
                            pg_to_text(&composition->failure), pg_to_u64(&composition->version),
                            pg_to_u64(&composition->created_unix_ms),
                            pg_to_bytes(&run.data, &run.size)))) {
        TRY(pg_rows_status(&rows));
        return FAIL(arena, NOT_FOUND, "there is no composition %s", id);
    }
    composition->state = (Matching__V1__CompositionState)state;
    TRY(unpack(&matching__v1__composition_question__descriptor, question, arena, &message));
    composition->question = (Matching__V1__CompositionQuestion *)message;
    if (run.size) {
        TRY(unpack(&matching__v1__composition_run__descriptor, run, arena, &message));
        composition->run = (Matching__V1__CompositionRun *)message;
    }
    *ret = composition;
    return OK;
}

struct status
composition_store_repeat(struct pg_tx *tx, struct arena *arena, const char *id,
                         uint64_t expected_version)
{
    uint64_t touched;

    TRY(pg_execute(
        tx, &SQL_REPEAT,
        PG_IN(pg_text(tx->scope.tenant_id), pg_text(id), pg_i64((int64_t)expected_version)),
        &touched));
    if (!touched)
        return FAIL(arena, VERSION_MISMATCH, "the composition has changed since version %llu",
                    (unsigned long long)expected_version);
    return enqueue(tx, id);
}

struct status
composition_store_runs(struct pg_tx *tx, struct arena *arena, const char *id,
                       Matching__V1__CompositionRun ***ret, size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    Matching__V1__CompositionRun **runs;
    struct bytes packed;
    size_t count = 0;

    TRY(pg_query(tx, &SQL_RUNS,
                 PG_IN(pg_text(tx->scope.tenant_id), pg_text(id), pg_i64(COMPOSITION_RUNS_MAX)),
                 &rows));
    TRY(need(runs = ARENA_ARRAY(arena, Matching__V1__CompositionRun *, rows.count + 1)));
    while (pg_next_row(&rows, arena, PG_OUT(pg_to_bytes(&packed.data, &packed.size)))) {
        ProtobufCMessage *message;

        TRY(unpack(&matching__v1__composition_run__descriptor, packed, arena, &message));
        runs[count++] = (Matching__V1__CompositionRun *)message;
    }
    TRY(pg_rows_status(&rows));
    *ret = runs;
    *ret_count = count;
    return OK;
}

struct status
composition_store_take(struct pg_tx *tx, struct arena *arena, int64_t lease_ms,
                       struct composition_job *ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct composition_job job = {.composition_id = "", .tenant_id = tx->scope.tenant_id};

    TRY(pg_query(tx, &SQL_TAKE, PG_IN(pg_i64(lease_ms)), &rows));
    if (!pg_next_row(&rows, arena,
                     PG_OUT(pg_to_text(&job.composition_id), pg_to_u64(&job.attempts))))
        TRY(pg_rows_status(&rows));
    *ret = job;
    return OK;
}

struct status
composition_store_inputs(struct pg_tx *tx, struct arena *arena, const char *id,
                         struct composition_inputs *ret)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct composition_inputs inputs = {0};
    struct bytes question, facts;
    ProtobufCMessage *message;

    TRY(pg_query(tx, &SQL_INPUTS, PG_IN(pg_text(tx->scope.tenant_id), pg_text(id)), &rows));
    if (!pg_next_row(&rows, arena,
                     PG_OUT(pg_to_bytes(&question.data, &question.size),
                            pg_to_bytes(&facts.data, &facts.size), pg_to_u64(&inputs.position),
                            pg_to_u32(&inputs.runs)))) {
        TRY(pg_rows_status(&rows));
        *ret = inputs;
        return OK;
    }
    TRY(unpack(&matching__v1__composition_question__descriptor, question, arena, &message));
    inputs.question = (Matching__V1__CompositionQuestion *)message;
    if (facts.size) {
        TRY(unpack(&matching__v1__composition_facts__descriptor, facts, arena, &message));
        inputs.facts = (Matching__V1__CompositionFacts *)message;
    }
    *ret = inputs;
    return OK;
}

/* Reads a row of parties.sql; false after the last. */
static bool
next_party(struct pg_rows *rows, struct arena *arena, size_t topic,
           Matching__V1__CompositionFacts__Party *party)
{
    uint32_t offered;

    if (!pg_next_row(rows, arena,
                     PG_OUT(pg_to_text(&party->organisation_id), pg_to_text(&party->name),
                            pg_to_text(&party->type), pg_to_text(&party->country),
                            pg_to_text(&party->nuts), pg_to_u32(&offered),
                            pg_to_u32(&party->required), pg_to_u32(&party->reliability),
                            pg_to_u32(&party->novelty))))
        return false;
    party->fit = topic ? offered * 1000 / (uint32_t)topic : 1000;
    party->cost = 1;
    return true;
}

/* Who is meant: those on board, those named, or (NULL) all. */
static struct status
ids_of(struct arena *arena, const Matching__V1__CompositionQuestion *question, bool board,
       struct pg_value *ret_wanted, struct pg_value *ret_excluded)
{
    const size_t excluded = question->n_excluded + question->n_board;
    const char **ids = ARENA_ARRAY(arena, const char *, excluded + 1);
    const char **named = ARENA_ARRAY(arena, const char *, question->n_candidates + 1);

    TRY(need(ids));
    TRY(need(named));
    for (size_t i = 0; i < question->n_candidates; i++)
        named[i] = question->candidates[i]->organisation_id;
    for (size_t i = 0; i < excluded; i++)
        ids[i] = i < question->n_board ? question->board[i]
                                       : question->excluded[i - question->n_board];
    if (board)
        *ret_wanted = pg_texts(question->board, question->n_board);
    else
        *ret_wanted =
            question->n_candidates ? pg_texts(named, question->n_candidates) : pg_text(NULL);
    *ret_excluded = pg_texts(ids, board ? 0 : excluded);
    return OK;
}

struct status
composition_store_parties(struct pg_tx *tx, struct arena *arena,
                          const Matching__V1__CompositionQuestion *question, bool board,
                          Matching__V1__CompositionFacts__Party ***ret, size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    Matching__V1__CompositionFacts__Party **parties;
    struct pg_value wanted, excluded;
    size_t count = 0;

    TRY(ids_of(arena, question, board, &wanted, &excluded));
    TRY(pg_query(tx, &SQL_PARTIES,
                 PG_IN(pg_text(tx->scope.tenant_id), wanted,
                       pg_texts(question->topic, question->n_topic),
                       pg_texts(question->required, question->n_required), excluded,
                       pg_texts(question->board, question->n_board),
                       pg_i64(COMPOSITION_CANDIDATES_MAX + 1)),
                 &rows));
    if (rows.count > COMPOSITION_CANDIDATES_MAX)
        return FAIL(arena, RESOURCE_EXHAUSTED, "more than %u organisations: name candidates",
                    COMPOSITION_CANDIDATES_MAX);
    TRY(need(parties =
                 ARENA_ARRAY(arena, Matching__V1__CompositionFacts__Party *, rows.count + 1)));
    while (count < rows.count) {
        TRY(need(parties[count] = ARENA_NEW(arena, Matching__V1__CompositionFacts__Party)));
        matching__v1__composition_facts__party__init(parties[count]);
        if (!next_party(&rows, arena, question->n_topic, parties[count]))
            break;
        count++;
    }
    TRY(pg_rows_status(&rows));
    *ret = parties;
    *ret_count = count;
    return OK;
}

struct status
composition_store_owners(struct pg_tx *tx, struct arena *arena, uint32_t share_thousandths,
                         struct composition_owner **ret, size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct composition_owner *owners;
    size_t count = 0;

    TRY(pg_query(tx, &SQL_OWNERS,
                 PG_IN(pg_i64(share_thousandths), pg_i64(COMPOSITION_OWNERS_MAX)), &rows));
    TRY(need(owners = ARENA_ARRAY(arena, struct composition_owner, rows.count + 1)));
    while (pg_next_row(
        &rows, arena,
        PG_OUT(pg_to_text(&owners[count].parent_id), pg_to_text(&owners[count].child_id))))
        count++;
    TRY(pg_rows_status(&rows));
    *ret = owners;
    *ret_count = count;
    return OK;
}

static struct status
add_run(struct pg_tx *tx, struct arena *arena, const char *id,
        const Matching__V1__CompositionRun *run)
{
    const uint8_t *packed;
    size_t size;

    TRY(solve_pack(arena, &run->base, &packed, &size));
    return pg_query(tx, &SQL_ADD_RUN,
                    PG_IN(pg_text(tx->scope.tenant_id), pg_text(id), pg_i64(run->number),
                          pg_bytes(packed, size), pg_text(run->inputs_hash),
                          pg_text(run->answer_hash)),
                    NULL);
}

struct status
composition_store_done(struct pg_tx *tx, struct arena *arena, const struct composition_job *job,
                       const struct composition_result *result)
{
    const uint8_t *facts = (const uint8_t *)"";
    size_t size = 0;
    uint64_t touched;

    TRY(pg_execute(tx, &SQL_DROP_JOB,
                   PG_IN(pg_text(tx->scope.tenant_id), pg_text(job->composition_id),
                         pg_i64((int64_t)job->attempts)),
                   &touched));
    if (!touched)
        return FAIL(arena, ABORTED, "another instance has the composition %s",
                    job->composition_id);
    if (result->facts)
        TRY(solve_pack(arena, &result->facts->base, &facts, &size));
    if (result->run)
        TRY(add_run(tx, arena, job->composition_id, result->run));
    TRY(pg_query(tx, &SQL_DONE,
                 PG_IN(pg_text(tx->scope.tenant_id), pg_text(job->composition_id),
                       pg_i64(result->state), pg_text(result->failure), pg_bytes(facts, size),
                       pg_i64((int64_t)result->position)),
                 NULL));
    TRY(roll_hold(tx, ROLL_COMPOSITIONS));
    return pg_query(tx, &SQL_ROLL_TIE, PG_NONE, NULL);
}
