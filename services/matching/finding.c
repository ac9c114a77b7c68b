#include "services/matching/finding.h"

#include "common/service/call.h"
#include "services/matching/texts.h"

void
finding_end(struct finding *finding)
{
    guest_maker_destroy(&finding->guests);
    swap_release(&finding->held);
}

/* Published profiles of any shard; NULL where there is none. */
static struct status
read_guests(struct call *call, struct finding *finding, struct index_change *keys, size_t count,
            const struct profile **ret)
{
    TRY(state_read(call, call->arena, keys, count));
    if (!finding->guests)
        TRY(guest_maker_create(finding->snapshot, call->arena, &finding->guests));
    for (size_t i = 0; i < count; i++) {
        ret[i] = NULL;
        if (keys[i].row)
            TRY(guest_make(finding->guests, keys[i].row, call->arena, &ret[i]));
    }
    return OK;
}

static struct status
find_profiles(struct call *call, struct finding *finding, struct index_change *keys,
              size_t count, const struct profile **ret)
{
    const struct state *state = call->state;

    if (!shard_whole(state->shard))
        return read_guests(call, finding, keys, count, ret);
    for (size_t i = 0; i < count; i++)
        ret[i] = snapshot_find(finding->snapshot, keys[i].kind, &keys[i].id);
    return OK;
}

struct status
finding_begin(struct call *call, const struct ask_fields *fields, const char *language,
              uint64_t as_of_unix_ms, struct finding *finding)
{
    struct state *state = call->state;
    const struct profile *subject;
    struct index_change key = {0};
    struct ask ask;

    finding->position = atomic_load(&state->position);
    finding->lang = *language ? lang_parse(language) : call->lang;
    finding->context.rules = &state->rules;
    TRY(rules_ask(call->arena, fields, &ask));
    TRY(rules_as_of(call->arena, as_of_unix_ms, clock_wall(call->clock),
                    &finding->context.now));
    TRY(state_hold_complete(state, call->arena, &finding->held, &finding->snapshot));
    key.kind = ask.kind;
    key.id = ask.id;
    TRY(find_profiles(call, finding, &key, 1, &subject));
    if (!subject)
        return FAIL(call->arena, NOT_FOUND, "the profile is not published");
    TRY(rules_may_ask(call->arena, call->principal, subject));
    finding->search = (struct search){
        .subject = subject,
        .context = &finding->context,
        .viewer = uid_parse(call->tenant_id, &finding->viewer) ? &finding->viewer : NULL,
        .kinds = ask.kinds,
        .person_kinds = ask.person_kinds,
        .person_kind_count = ask.person_kind_count,
        .nuts = ask.nuts,
        .limit = ask.limit};
    return OK;
}

struct status
finding_search(struct call *call, struct finding *finding)
{
    return find_run(finding->snapshot, &finding->search, call->arena, &finding->found);
}

struct status
finding_among(struct call *call, struct finding *finding, Matching__V1__ProfileRef *const *refs,
              size_t count)
{
    struct index_change *keys = ARENA_ARRAY(call->arena, struct index_change, count + 1);
    const struct profile **profiles =
        ARENA_ARRAY(call->arena, const struct profile *, count + 1);
    size_t there = 0;

    TRY(need(keys));
    TRY(need(profiles));
    if (count > finding->search.limit)
        return FAIL_FIELD(call->arena, "found", "more than the limit");
    for (size_t i = 0; i < count; i++)
        TRY(rules_subject(call->arena, refs[i], &keys[i].kind, &keys[i].id));
    TRY(find_profiles(call, finding, keys, count, profiles));
    for (size_t i = 0; i < count; i++)
        if (profiles[i])
            profiles[there++] = profiles[i];
    return find_among(finding->snapshot, &finding->search, profiles, there, call->arena,
                      &finding->found);
}

/* FindMatchesReply and SuggestMatchesReply have the same fields. */
#define ANSWER(call, finding, known, known_count, reply)                                       \
    do {                                                                                       \
        TRY(find_candidates(&(finding)->found, (finding)->snapshot, (finding)->lang, known,    \
                            known_count, (call)->arena, &(reply)->candidates));                \
        (reply)->n_candidates = (finding)->found.count;                                        \
        (reply)->statement = text_in(TEXT_statement, (finding)->lang);                         \
        (reply)->position = (finding)->position;                                               \
        (reply)->weights_version = SCORE_WEIGHTS_VERSION;                                      \
        (reply)->as_of_unix_ms = (uint64_t)(finding)->context.now.unix_ms;                     \
        TRY(find_input_hash(&(finding)->search, (call)->arena, &(reply)->input_hash));         \
        if ((finding)->found.count == 0)                                                       \
            (reply)->empty_because = find_empty_because(&(finding)->search, (finding)->lang);  \
    } while (0)

struct status
finding_answer(struct call *call, const struct finding *finding,
               Matching__V1__FindMatchesReply *reply)
{
    ANSWER(call, finding, NULL, 0, reply);
    return OK;
}

struct status
finding_remember(struct call *call, const struct finding *finding,
                 Matching__V1__SuggestMatchesReply *reply)
{
    struct suggestion *suggestions;
    struct remembered *known = NULL;
    size_t known_count = 0;

    TRY(find_suggestions(&finding->found, call->clock, call->arena, &suggestions));
    if (finding->found.count > 0)
        TRY(store_suggest_show(call->tx, call->arena, suggestions, finding->found.count, &known,
                               &known_count));
    ANSWER(call, finding, known, known_count, reply);
    return OK;
}
