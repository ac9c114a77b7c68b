#include "common/shards/shards.h"

#include <poll.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "common/shards/merge.h"
#include "matching/v1/shards.pb-c.h"

#define SERVICE "matching"
#define FIND "matching.v1.Matches/FindMatches"
#define SUGGEST "matching.v1.Matches/SuggestMatches"
#define LIMIT_DEFAULT 20 /* as the contract says */
#define ASKING_BYTES ((size_t)64 << 20)
#define HASH_BYTES 32

struct asking;

struct part {
    struct asking *asking;
    struct status status;
    Matching__V1__FindInShardReply *reply;
};

/* A question under way.  Lives until it is answered. */
struct asking {
    struct rpc_client *client;
    struct arena arena; /* of everything here */
    struct rpc_options options;
    Matching__V1__FindMatchesRequest find;
    Matching__V1__SuggestMatchesRequest *suggest; /* NULL: FindMatches */
    uint64_t as_of_unix_ms;
    struct part parts[RPC_SHARDS_MAX];
    uint32_t count, waiting;
    void (*done)(void *context, const struct rpc_answer *answer);
    void *context;
};

static void
asking_destroy(struct asking **asking)
{
    struct asking *gone = take(asking);

    if (!gone)
        return;
    arena_fini(&gone->arena);
    free(gone);
}

/* Ends it. */
static void
answer(struct asking *asking, const struct rpc_answer *given)
{
    asking->done(asking->context, given);
    asking_destroy(&asking);
}

static void
answer_failure(struct asking *asking, struct status status)
{
    answer(asking, &(struct rpc_answer){.status = status});
}

static void
answer_message(struct asking *asking, const Wire__V1__ReplyHead *head,
               const ProtobufCMessage *message)
{
    struct rpc_answer given = {.head = head};

    given.status = wire_pack(message, &asking->arena, &given.packed);
    answer(asking, &given);
}

static struct status
copy_text(struct arena *arena, const char *text, const char **ret)
{
    *ret = NULL;
    return text ? need(*ret = arena_copy(arena, text)) : OK;
}

static struct status
copy_options(struct asking *asking, const struct rpc_options *options)
{
    struct arena *arena = &asking->arena;
    struct bytes packed;
    ProtobufCMessage *principal;

    asking->options = *options;
    TRY(copy_text(arena, options->idempotency_key, &asking->options.idempotency_key));
    TRY(copy_text(arena, options->traceparent, &asking->options.traceparent));
    TRY(copy_text(arena, options->language, &asking->options.language));
    TRY(copy_text(arena, options->id, &asking->options.id));
    if (!options->principal)
        return OK;
    TRY(wire_pack(&options->principal->base, arena, &packed));
    TRY(wire_unpack(&wire__v1__principal__descriptor, packed, arena, &principal));
    asking->options.principal = (const Wire__V1__Principal *)principal;
    return OK;
}

/* Both questions have the same fields. */
#define COPY_QUESTION(into, from)                                                              \
    do {                                                                                       \
        (into)->subject = (from)->subject;                                                     \
        (into)->n_wanted = (from)->n_wanted;                                                   \
        (into)->wanted = (from)->wanted;                                                       \
        (into)->n_person_kinds = (from)->n_person_kinds;                                       \
        (into)->person_kinds = (from)->person_kinds;                                           \
        (into)->limit = (from)->limit;                                                         \
        (into)->nuts = (from)->nuts;                                                           \
        (into)->language = (from)->language;                                                   \
    } while (0)

static struct status
read_question(struct asking *asking, bool suggests, struct bytes packed)
{
    ProtobufCMessage *message;

    matching__v1__find_matches_request__init(&asking->find);
    if (!suggests) {
        TRY(wire_unpack(&matching__v1__find_matches_request__descriptor, packed, &asking->arena,
                        &message));
        COPY_QUESTION(&asking->find, (Matching__V1__FindMatchesRequest *)message);
        return OK;
    }
    TRY(wire_unpack(&matching__v1__suggest_matches_request__descriptor, packed, &asking->arena,
                    &message));
    asking->suggest = (Matching__V1__SuggestMatchesRequest *)message;
    COPY_QUESTION(&asking->find, asking->suggest);
    return OK;
}

/* The key of what is remembered: see shards.h. */
static struct status
make_key(struct asking *asking, const Matching__V1__FindMatchesReply *merged, const char **ret)
{
    const char *key = asking->options.idempotency_key;
    char *text = arena_alloc(&asking->arena, 2 * HASH_BYTES + 1);
    crypto_generichash_state state;
    uint8_t hash[HASH_BYTES];

    TRY(need(text));
    *ret = NULL;
    if (!key)
        return OK; /* the service says that it needs one */
    (void)crypto_generichash_init(&state, NULL, 0, HASH_BYTES); /* these cannot fail */
    (void)crypto_generichash_update(&state, (const uint8_t *)key, strlen(key) + 1);
    for (size_t i = 0; i < merged->n_candidates; i++) {
        const char *id = merged->candidates[i]->profile->id;

        (void)crypto_generichash_update(&state, (const uint8_t *)id, strlen(id) + 1);
    }
    (void)crypto_generichash_final(&state, hash, HASH_BYTES);
    *ret = sodium_bin2hex(text, 2 * HASH_BYTES + 1, hash, HASH_BYTES);
    return OK;
}

static void
on_remembered(void *context, const struct rpc_answer *given)
{
    struct asking *asking = context;
    const Matching__V1__RememberFoundReply *reply;
    ProtobufCMessage *message;
    struct status status;

    if (failed(given->status)) {
        answer(asking, given);
        return;
    }
    status = wire_unpack(&matching__v1__remember_found_reply__descriptor, given->packed,
                         &asking->arena, &message);
    if (failed(status)) {
        answer_failure(asking, status);
        return;
    }
    reply = (const Matching__V1__RememberFoundReply *)message;
    if (reply->answer)
        answer_message(asking, given->head, &reply->answer->base);
    else
        answer_failure(asking, FAIL(&asking->arena, INTERNAL, "an answer without an answer"));
}

static struct status
remember(struct asking *asking, const Matching__V1__FindMatchesReply *merged)
{
    Matching__V1__RememberFoundRequest request = MATCHING__V1__REMEMBER_FOUND_REQUEST__INIT;
    struct rpc_options options = asking->options;
    struct arena *arena = &asking->arena;
    struct bytes packed;

    request.ask = asking->suggest;
    request.n_found = merged->n_candidates;
    TRY(need(request.found =
                 ARENA_ARRAY(arena, Matching__V1__ProfileRef *, merged->n_candidates + 1)));
    for (size_t i = 0; i < merged->n_candidates; i++)
        request.found[i] = merged->candidates[i]->profile;
    TRY(make_key(asking, merged, &options.idempotency_key));
    TRY(wire_pack(&request.base, arena, &packed));
    return rpc_start(asking->client, "matching.v1.Shards/RememberFound", packed, &options,
                     on_remembered, asking, arena);
}

static bool
is_away(enum code code)
{
    return code == CODE_UNAVAILABLE || code == CODE_DEADLINE_EXCEEDED ||
           code == CODE_RESOURCE_EXHAUSTED || code == CODE_FAILED_PRECONDITION;
}

/* The first failure, with the shard's name where it is the shard's own. */
static struct status
check_parts(struct asking *asking)
{
    for (uint32_t i = 0; i < asking->count; i++) {
        const struct status status = asking->parts[i].status;

        if (failed(status) && is_away(status.code))
            return status_make(&asking->arena, status.code, "shard %u/%u of " SERVICE ": %s",
                               i + 1, asking->count, status.detail ? status.detail : "");
        TRY(status);
        if (!asking->parts[i].reply->answer)
            return FAIL(&asking->arena, INTERNAL, "shard %u/%u answered nothing", i + 1,
                        asking->count);
    }
    return OK;
}

static struct status
merge_parts(struct asking *asking, Matching__V1__FindMatchesReply *ret)
{
    Matching__V1__FindMatchesReply *answers[RPC_SHARDS_MAX];

    TRY(check_parts(asking));
    for (uint32_t i = 0; i < asking->count; i++)
        answers[i] = asking->parts[i].reply->answer;
    return merge_answers(answers, asking->count,
                         asking->find.limit ? asking->find.limit : LIMIT_DEFAULT,
                         &asking->arena, ret);
}

/* All shards have answered. */
static void
finish(struct asking *asking)
{
    Matching__V1__FindMatchesReply merged;
    struct status status = merge_parts(asking, &merged);

    if (!failed(status) && !asking->suggest) {
        answer_message(asking, NULL, &merged.base);
        return;
    }
    if (!failed(status))
        status = remember(asking, &merged);
    if (failed(status))
        answer_failure(asking, status);
}

/* The texts of an answer go with it. */
static struct status
copy_status(struct arena *arena, struct status from)
{
    struct status copy = status_make(arena, from.code, "%s", from.detail ? from.detail : "");

    if (from.field)
        copy.field = arena_copy(arena, from.field);
    return copy;
}

static void
on_part(void *context, const struct rpc_answer *given)
{
    struct part *part = context;
    struct asking *asking = part->asking;
    ProtobufCMessage *message;

    if (failed(given->status)) {
        part->status = copy_status(&asking->arena, given->status);
    } else {
        part->status = wire_unpack(&matching__v1__find_in_shard_reply__descriptor,
                                   given->packed, &asking->arena, &message);
        if (failed(part->status))
            part->status.code = CODE_INTERNAL; /* the fault is the other side's */
        else
            part->reply = (Matching__V1__FindInShardReply *)message;
    }
    if (--asking->waiting == 0)
        finish(asking);
}

static struct status
ask_shard(struct asking *asking, uint32_t number)
{
    Matching__V1__FindInShardRequest request = MATCHING__V1__FIND_IN_SHARD_REQUEST__INIT;
    struct part *part = &asking->parts[number - 1];
    struct rpc_options options = asking->options;
    struct bytes packed;
    char service[32];

    (void)snprintf(service, sizeof service, SERVICE "/%u", number);
    options.service = service;
    options.id = NULL; /* one for each; the trace joins them */
    options.idempotency_key = NULL;
    request.ask = &asking->find;
    request.shard = number;
    request.shards = asking->count;
    request.as_of_unix_ms = asking->as_of_unix_ms;
    part->asking = asking;
    TRY(wire_pack(&request.base, &asking->arena, &packed));
    return rpc_start(asking->client, "matching.v1.Shards/FindInShard", packed, &options,
                     on_part, part, &asking->arena);
}

/* What cannot be asked any more when others were is told with their answers. */
static struct status
ask_all(struct asking *asking, struct arena *arena)
{
    for (uint32_t number = 1; number <= asking->count; number++) {
        const struct status asked = ask_shard(asking, number);

        if (!failed(asked)) {
            asking->waiting++;
            continue;
        }
        if (asking->waiting == 0)
            return copy_status(arena, asked);
        for (uint32_t i = number; i <= asking->count; i++)
            asking->parts[i - 1].status = asked;
        return OK;
    }
    return OK;
}

struct status
shards_start(struct rpc_client *client, const struct clock *clock, const char *method,
             struct bytes packed_request, const struct rpc_options *options,
             void (*done)(void *context, const struct rpc_answer *answer), void *context,
             struct arena *arena)
{
    const bool suggests = strcmp(method, SUGGEST) == 0;
    const uint32_t count = rpc_client_shards(client, SERVICE);
    scoped(asking_destroy) struct asking *asking = NULL;
    struct status read;

    if (count == 1 || (!suggests && strcmp(method, FIND) != 0))
        return rpc_start(client, method, packed_request, options, done, context, arena);
    TRY(need(asking = calloc(1, sizeof *asking)));
    arena_init(&asking->arena, ASKING_BYTES);
    asking->client = client;
    asking->count = count;
    asking->done = done;
    asking->context = context;
    asking->as_of_unix_ms = (uint64_t)clock_wall(clock).unix_ms;
    read = copy_options(asking, options);
    if (!failed(read))
        read = read_question(asking, suggests, packed_request);
    if (failed(read))
        return copy_status(arena, read);
    TRY(ask_all(asking, arena));
    (void)take(&asking); /* the answers' */
    return OK;
}

/* A call that somebody waits for. */
struct wait {
    bool done;
    struct status status;
    const ProtobufCMessageDescriptor *descriptor;
    struct arena *arena;
    ProtobufCMessage *reply;
};

static void
wake(void *context, const struct rpc_answer *given)
{
    struct wait *wait = context;

    wait->done = true;
    wait->status = failed(given->status) ? copy_status(wait->arena, given->status)
                                         : wire_unpack(wait->descriptor, given->packed,
                                                       wait->arena, &wait->reply);
}

struct status
shards_call(struct rpc_client *client, const struct clock *clock, const char *method,
            const ProtobufCMessage *request, const ProtobufCMessageDescriptor *reply_descriptor,
            const struct rpc_options *options, struct arena *arena, ProtobufCMessage **ret)
{
    struct wait wait = {.descriptor = reply_descriptor, .arena = arena};
    struct bytes packed;

    TRY(wire_pack(request, arena, &packed));
    TRY(shards_start(client, clock, method, packed, options, wake, &wait, arena));
    while (!wait.done) {
        struct pollfd item = {.fd = rpc_client_fd(client), .events = POLLIN};

        (void)poll(&item, 1, rpc_client_next_ms(client));
        rpc_client_poll(client);
    }
    TRY(wait.status);
    *ret = wait.reply;
    return OK;
}
