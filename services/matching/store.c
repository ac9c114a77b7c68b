#include "services/matching/store.h"

#include "services/matching/matching_sql.h"

#define FIRST_ID "00000000-0000-0000-0000-000000000000"

const struct pg_statement *const *const matching_statements = SQL_STATEMENTS;

static struct pg_value
after(const char *id)
{
    return pg_text(*id ? id : FIRST_ID);
}

/* pg_texts with what the row holds. */
#define TO_TEXTS(field, count) pg_to_texts(&(field), &(count))

struct status
store_concepts(struct pg_tx *tx, struct arena *arena, const char *after_id,
               struct concept_row **ret, size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct concept_row *list;
    size_t count = 0;

    TRY(pg_query(tx, &SQL_CONCEPTS_PAGE, PG_IN(after(after_id), pg_i64(STORE_PAGE)), &rows));
    TRY(need(list = ARENA_ARRAY(arena, struct concept_row, rows.count + 1)));
    for (struct concept_row row = {0};
         count < rows.count &&
         pg_next_row(
             &rows, arena,
             PG_OUT(pg_to_text(&row.id), TO_TEXTS(row.broader, row.broader_count),
                    pg_to_text(&row.label[LANG_SV]), pg_to_text(&row.label[LANG_FI]),
                    pg_to_text(&row.label[LANG_EN]),
                    TO_TEXTS(row.alternatives[LANG_SV], row.alternative_count[LANG_SV]),
                    TO_TEXTS(row.alternatives[LANG_FI], row.alternative_count[LANG_FI]),
                    TO_TEXTS(row.alternatives[LANG_EN], row.alternative_count[LANG_EN])));)
        list[count++] = row;
    TRY(pg_rows_status(&rows));
    *ret = list;
    *ret_count = count;
    return OK;
}

static bool
next_profile(struct pg_rows *rows, struct arena *arena, struct profile_row *row)
{
    return pg_next_row(
        rows, arena,
        PG_OUT(pg_to_text(&row->kind), pg_to_text(&row->id), pg_to_text(&row->tenant_id),
               pg_to_text(&row->person_kind), pg_to_text(&row->owner_organisation_id),
               pg_to_text(&row->organisation_type), pg_to_text(&row->visibility),
               TO_TEXTS(row->shared_with, row->shared_count),
               TO_TEXTS(row->concept_ids, row->concept_count),
               pg_to_i64s(&row->concept_weights, &row->weight_count),
               pg_to_text(&row->text[LANG_SV]), pg_to_text(&row->text[LANG_FI]),
               pg_to_text(&row->text[LANG_EN]), pg_to_text(&row->nuts),
               TO_TEXTS(row->languages, row->language_count),
               TO_TEXTS(row->isced_f, row->isced_f_count), pg_to_i64(&row->eqf),
               TO_TEXTS(row->focus, row->focus_count), TO_TEXTS(row->themes, row->theme_count),
               pg_to_text(&row->available_from), pg_to_text(&row->valid_until),
               pg_to_i64(&row->capacity), pg_to_bool(&row->sme), pg_to_u64(&row->version),
               pg_to_i64(&row->updated_unix_ms), TO_TEXTS(row->wished_ids, row->wished_count),
               pg_to_i64s(&row->wished_weights, &row->wished_weight_count),
               TO_TEXTS(row->wished_nuts, row->wished_nuts_count),
               TO_TEXTS(row->wished_tags, row->wished_tag_count)));
}

static struct status
take_profiles(struct pg_rows *rows, struct arena *arena, struct profile_row **ret,
              size_t *ret_count)
{
    struct profile_row *list = ARENA_ARRAY(arena, struct profile_row, rows->count + 1);
    size_t count = 0;

    TRY(need(list));
    while (count < rows->count && next_profile(rows, arena, &list[count]))
        count++;
    TRY(pg_rows_status(rows));
    *ret = list;
    *ret_count = count;
    return OK;
}

struct status
store_profiles_open(struct pg_tx *tx, enum kind kind)
{
    return pg_query(tx, &SQL_PROFILES_OPEN, PG_IN(pg_text(profile_kind_name(kind))), NULL);
}

struct status
store_profiles_next(struct pg_tx *tx, struct arena *arena, struct profile_row **ret,
                    size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};

    TRY(pg_query(tx, &SQL_PROFILES_NEXT, PG_NONE, &rows));
    return take_profiles(&rows, arena, ret, ret_count);
}

struct status
store_profiles_by_id(struct pg_tx *tx, struct arena *arena, enum kind kind,
                     const char *const *ids, size_t count, struct profile_row **ret,
                     size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};

    TRY(pg_query(
        tx, &SQL_PROFILES_BY_ID,
        PG_IN(pg_text(profile_kind_name(kind)), pg_texts(ids, count), pg_i64(STORE_PAGE)),
        &rows));
    return take_profiles(&rows, arena, ret, ret_count);
}

/* The columns of several suggestions, for unnest. */
struct columns {
    const char **id, **query_id, **query_tenant, **query_organisation;
    const char **candidate_id, **candidate_tenant, **person_kind, **shared, **explanation;
    int64_t *query_kind, *candidate_kind, *score;
};

static struct status
uid_text(struct arena *arena, const struct uid *uid, const char **ret)
{
    char *text = arena_alloc(arena, UUID_SIZE);

    TRY(need(text));
    uid_format(uid, text);
    *ret = text;
    return OK;
}

static struct status
hex(struct arena *arena, const uint8_t *bytes, size_t size, const char **ret)
{
    static const char digits[] = "0123456789abcdef";
    char *text = arena_alloc(arena, size * 2 + 1);

    TRY(need(text));
    for (size_t i = 0; i < size; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    *ret = text;
    return OK;
}

static struct status
alloc_columns(struct arena *arena, size_t count, struct columns *ret)
{
    const char ***const texts[] = {&ret->id,           &ret->query_id,
                                   &ret->query_tenant, &ret->query_organisation,
                                   &ret->candidate_id, &ret->candidate_tenant,
                                   &ret->person_kind,  &ret->shared,
                                   &ret->explanation};
    int64_t **const numbers[] = {&ret->query_kind, &ret->candidate_kind, &ret->score};

    for (size_t i = 0; i < COUNT_OF(texts); i++)
        TRY(need(*texts[i] = ARENA_ARRAY(arena, const char *, count + 1)));
    for (size_t i = 0; i < COUNT_OF(numbers); i++)
        TRY(need(*numbers[i] = ARENA_ARRAY(arena, int64_t, count + 1)));
    return OK;
}

static struct status
make_columns(struct arena *arena, const struct suggestion *suggestions, size_t count,
             struct columns *ret)
{
    TRY(alloc_columns(arena, count, ret));
    for (size_t i = 0; i < count; i++) {
        const struct suggestion *suggestion = &suggestions[i];
        const struct profile *query = suggestion->query;
        const struct profile *candidate = suggestion->candidate;

        ret->id[i] = suggestion->id;
        TRY(uid_text(arena, &query->id, &ret->query_id[i]));
        TRY(uid_text(arena, &query->tenant, &ret->query_tenant[i]));
        if (!uid_is_zero(&query->owner))
            TRY(uid_text(arena, &query->owner, &ret->query_organisation[i]));
        TRY(uid_text(arena, &candidate->id, &ret->candidate_id[i]));
        TRY(uid_text(arena, &candidate->tenant, &ret->candidate_tenant[i]));
        TRY(need(ret->person_kind[i] = arena_copy(arena, candidate->person_kind)));
        TRY(hex(arena, suggestion->explanation, suggestion->explanation_size,
                &ret->explanation[i]));
        ret->shared[i] = suggestion->shared ? "t" : "f";
        ret->query_kind[i] = query->kind;
        ret->candidate_kind[i] = candidate->kind;
        ret->score[i] = suggestion->score;
    }
    return OK;
}

static struct status
put(struct pg_tx *tx, const struct pg_statement *statement, const struct columns *columns,
    size_t count, uint64_t position, struct pg_rows *ret)
{
    return pg_query(
        tx, statement,
        PG_IN(pg_texts(columns->id, count), pg_i64s(columns->query_kind, count),
              pg_texts(columns->query_id, count), pg_texts(columns->query_tenant, count),
              pg_texts(columns->query_organisation, count),
              pg_i64s(columns->candidate_kind, count), pg_texts(columns->candidate_id, count),
              pg_texts(columns->candidate_tenant, count), pg_texts(columns->person_kind, count),
              pg_texts(columns->shared, count), pg_i64s(columns->score, count),
              pg_i64((int64_t)position), pg_text(SCORE_WEIGHTS_VERSION),
              pg_texts(columns->explanation, count)),
        ret);
}

struct status
store_suggest_tell(struct pg_tx *tx, struct arena *arena, const struct suggestion *suggestions,
                   size_t count, uint64_t position, struct remembered **ret, size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct columns columns = {0};
    struct remembered *told;
    struct remembered row = {.state = MATCHING__V1__MATCH_STATE__SUGGESTED};
    size_t told_count = 0;
    bool first = false;

    TRY(make_columns(arena, suggestions, count, &columns));
    TRY(put(tx, &SQL_SUGGEST_TELL, &columns, count, position, &rows));
    TRY(need(told = ARENA_ARRAY(arena, struct remembered, rows.count + 1)));
    while (told_count < rows.count &&
           pg_next_row(&rows, arena,
                       PG_OUT(pg_to_text(&row.id), pg_to_text(&row.query_id),
                              pg_to_text(&row.candidate_id), pg_to_bool(&first))))
        if (first)
            told[told_count++] = row;
    TRY(pg_rows_status(&rows));
    *ret = told;
    *ret_count = told_count;
    return OK;
}

struct status
store_suggest_show(struct pg_tx *tx, struct arena *arena, const struct suggestion *suggestions,
                   size_t count, struct remembered **ret, size_t *ret_count)
{
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    struct columns columns = {0};
    struct remembered *known;
    size_t known_count = 0;
    uint32_t state;

    TRY(make_columns(arena, suggestions, count, &columns));
    TRY(put(tx, &SQL_SUGGEST_SHOW, &columns, count, 0, NULL));
    TRY(pg_query(
        tx, &SQL_SUGGEST_KNOWN,
        PG_IN(pg_texts(columns.query_id, count), pg_texts(columns.candidate_id, count)),
        &rows));
    TRY(need(known = ARENA_ARRAY(arena, struct remembered, rows.count + 1)));
    for (struct remembered row = {0};
         known_count < rows.count &&
         pg_next_row(&rows, arena,
                     PG_OUT(pg_to_text(&row.id), pg_to_text(&row.query_id),
                            pg_to_text(&row.candidate_id), pg_to_u32(&state),
                            pg_to_u64(&row.version)));) {
        row.state = (Matching__V1__MatchState)state;
        known[known_count++] = row;
    }
    TRY(pg_rows_status(&rows));
    *ret = known;
    *ret_count = known_count;
    return OK;
}

struct status
store_suggest_withdraw(struct pg_tx *tx, const char *const *ids, size_t count)
{
    return pg_query(tx, &SQL_SUGGEST_WITHDRAW, PG_IN(pg_texts(ids, count)), NULL);
}

struct status
store_match_decide(struct pg_tx *tx, struct arena *arena, const Matching__V1__Match *match,
                   uint64_t expected_version)
{
    uint64_t touched;

    TRY(pg_execute(tx, &SQL_MATCH_DECIDE,
                   PG_IN(pg_text(match->id), pg_i64((int64_t)expected_version),
                         pg_i64(match->state), pg_i64(match->role),
                         pg_i64(match->decline_reason), pg_text(match->note),
                         pg_text(match->decided_by)),
                   &touched));
    if (touched == 0)
        return FAIL(arena, VERSION_MISMATCH, "the match has changed since version %llu",
                    (unsigned long long)expected_version);
    return OK;
}

/* Each shard makes the suggestions among its own profiles. */
static struct status
progress_name(struct arena *arena, struct shard shard, const char **ret)
{
    return need(*ret = shard_whole(shard) ? "suggestions"
                                          : arena_printf(arena, "suggestions %u/%u",
                                                         shard.number, shard.count));
}

struct status
store_progress(struct pg_tx *tx, struct arena *arena, struct shard shard, uint64_t *ret)
{
    const char *name;
    scoped(pg_rows_clear) struct pg_rows rows = {0};
    uint64_t position = 0;

    TRY(progress_name(arena, shard, &name));
    TRY(pg_query(tx, &SQL_PROGRESS_GET, PG_IN(pg_text(name)), &rows));
    (void)pg_next_row(&rows, arena, PG_OUT(pg_to_u64(&position))); /* none: 0 */
    TRY(pg_rows_status(&rows));
    *ret = position;
    return OK;
}

struct status
store_progress_move(struct pg_tx *tx, struct arena *arena, struct shard shard,
                    uint64_t position)
{
    const char *name;

    TRY(progress_name(arena, shard, &name));
    return pg_query(tx, &SQL_PROGRESS_MOVE, PG_IN(pg_i64((int64_t)position), pg_text(name)),
                    NULL);
}
