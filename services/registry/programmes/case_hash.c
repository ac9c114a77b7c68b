#include "services/registry/programmes/case.h"

#include <sodium.h>
#include <string.h>

/* The canonical form: each value with its length or its sign of being given, in the order of
 * the struct; a list as the sorted digests of its items, so that the order in which rows were
 * read does not change it.  A new fact is put at the end of its item and only when it is given:
 * hashes of old cases then stay what they were. */

#define DIGEST crypto_generichash_BYTES

struct digest {
    uint8_t bytes[DIGEST];
};

struct canon {
    crypto_generichash_state state;
};

static void
canon_begin(struct canon *canon)
{
    crypto_generichash_init(&canon->state, NULL, 0, DIGEST);
}

static struct digest
canon_end(struct canon *canon)
{
    struct digest digest;

    crypto_generichash_final(&canon->state, digest.bytes, DIGEST);
    return digest;
}

static void
put_i64(struct canon *canon, int64_t value)
{
    uint8_t bytes[8];
    uint64_t left = (uint64_t)value;

    for (size_t i = 0; i < sizeof bytes; i++, left >>= 8)
        bytes[i] = (uint8_t)left;
    crypto_generichash_update(&canon->state, bytes, sizeof bytes);
}

static void
put_text(struct canon *canon, const char *text)
{
    const size_t size = text ? strlen(text) : 0;

    put_i64(canon, (int64_t)size);
    if (size)
        crypto_generichash_update(&canon->state, (const uint8_t *)text, size);
}

static void
put_number(struct canon *canon, struct rule_number number)
{
    put_i64(canon, number.given);
    put_i64(canon, number.given ? number.value : 0);
}

static void
put_date(struct canon *canon, struct rule_date date)
{
    put_i64(canon, rule_date_given(date) ? rule_date_days(date) : INT64_MIN);
}

static int
compare_digests(const void *a, const void *b)
{
    return memcmp(a, b, DIGEST);
}

/* What the helpers need of a list; `put` writes the item at `index`. */
struct list {
    bool given;
    size_t count;
    const void *items;
    void (*put)(struct canon *canon, const void *items, size_t index);
};

static struct status
put_list(struct canon *canon, struct list list, struct arena *arena)
{
    struct digest *digests = ARENA_ARRAY(arena, struct digest, list.count + 1);

    TRY(need(digests));
    for (size_t i = 0; i < list.count; i++) {
        struct canon item;
        canon_begin(&item);
        list.put(&item, list.items, i);
        digests[i] = canon_end(&item);
    }
    qsort(digests, list.count, sizeof *digests, compare_digests);
    put_i64(canon, list.given);
    put_i64(canon, (int64_t)list.count);
    if (list.count)
        crypto_generichash_update(&canon->state, digests[0].bytes, list.count * DIGEST);
    return OK;
}

/* A list of texts inside an item: order-free as well, without memory of its own. */
static void
put_texts(struct canon *canon, struct rule_texts texts)
{
    uint8_t sum[DIGEST] = {0};

    for (size_t i = 0; i < texts.count; i++) {
        struct canon item;
        struct digest digest;
        canon_begin(&item);
        put_text(&item, texts.items[i]);
        digest = canon_end(&item);
        sodium_add(sum, digest.bytes, DIGEST);
    }
    put_i64(canon, texts.given);
    put_i64(canon, (int64_t)texts.count);
    crypto_generichash_update(&canon->state, sum, DIGEST);
}

static void
put_party(struct canon *canon, const void *items, size_t index)
{
    const struct rule_party *party = &((const struct rule_party *)items)[index];

    put_text(canon, party->organisation_id);
    put_text(canon, party->role);
    put_text(canon, party->type);
    put_text(canon, party->country);
    put_text(canon, party->nuts);
    put_text(canon, party->ownership);
    put_number(canon, party->headcount);
    put_number(canon, party->turnover_eur);
    put_number(canon, party->balance_eur);
    put_i64(canon, party->competitive_market);
    put_texts(canon, party->has);
}

static void
put_relation(struct canon *canon, const void *items, size_t index)
{
    const struct rule_relation *relation = &((const struct rule_relation *)items)[index];

    put_text(canon, relation->parent_id);
    put_text(canon, relation->child_id);
    put_text(canon, relation->kind);
    put_i64(canon, relation->share_thousandths);
}

static void
put_person(struct canon *canon, const void *items, size_t index)
{
    const struct rule_person *person = &((const struct rule_person *)items)[index];

    put_text(canon, person->role);
    put_text(canon, person->person_id);
    put_texts(canon, person->affiliations);
    put_number(canon, person->degree_eqf);
    put_date(canon, person->degree_date);
}

static void
put_fact(struct canon *canon, const void *items, size_t index)
{
    const struct rule_fact *fact = &((const struct rule_fact *)items)[index];

    put_text(canon, fact->name);
    put_texts(canon, fact->values);
}

static void
put_text_item(struct canon *canon, const void *items, size_t index)
{
    put_text(canon, ((const char *const *)items)[index]);
}

static void
put_sign_off(struct canon *canon, const void *items, size_t index)
{
    const struct rule_sign_off *sign_off = &((const struct rule_sign_off *)items)[index];

    put_text(canon, sign_off->item);
    put_text(canon, sign_off->by);
    put_i64(canon, sign_off->granted);
}

static void
put_assessment(struct canon *canon, const void *items, size_t index)
{
    const struct rule_assessment *assessment = &((const struct rule_assessment *)items)[index];

    put_text(canon, assessment->item);
    put_i64(canon, assessment->positive);
}

static void
put_participation(struct canon *canon, const void *items, size_t index)
{
    const struct rule_participation *item = &((const struct rule_participation *)items)[index];

    put_text(canon, item->part);
    put_text(canon, item->organisation_id);
}

static void
put_budget_line(struct canon *canon, const void *items, size_t index)
{
    const struct rule_budget_line *line = &((const struct rule_budget_line *)items)[index];

    put_text(canon, line->organisation_id);
    put_text(canon, line->payer);
    put_text(canon, line->category);
    put_i64(canon, line->amount_minor);
    put_text(canon, line->currency);
}

static void
put_aid(struct canon *canon, const void *items, size_t index)
{
    const struct rule_aid *aid = &((const struct rule_aid *)items)[index];

    put_text(canon, aid->organisation_id);
    put_date(canon, aid->decided);
    put_i64(canon, aid->amount_eur);
}

static void
put_observation(struct canon *canon, const void *items, size_t index)
{
    const struct rule_observation *seen = &((const struct rule_observation *)items)[index];

    put_text(canon, seen->indicator);
    put_i64(canon, seen->numerator);
    put_i64(canon, seen->denominator);
}

static void
put_measure(struct canon *canon, const void *items, size_t index)
{
    const struct rule_measure *measure = &((const struct rule_measure *)items)[index];

    put_text(canon, measure->name);
    put_i64(canon, measure->value);
}

static void
put_override(struct canon *canon, const void *items, size_t index)
{
    const struct rule_override *override = &((const struct rule_override *)items)[index];

    put_text(canon, override->rule_id);
    put_text(canon, override->parameter);
    put_text(canon, override->value);
}

/* Whether a waiver is in force is an input, not the day on which that was asked. */
struct dated_waiver {
    const struct rule_waiver *waiver;
    bool in_force;
};

static void
put_waiver(struct canon *canon, const void *items, size_t index)
{
    const struct dated_waiver *item = &((const struct dated_waiver *)items)[index];

    put_text(canon, item->waiver->rule_id);
    put_text(canon, item->waiver->granted_by);
    put_text(canon, item->waiver->reason);
    put_date(canon, item->waiver->expires);
    put_i64(canon, item->in_force);
}

#define LIST(member, function)                                                                 \
    ((struct list){true, facts->member.count, facts->member.items, (function)})
#define GIVEN_LIST(member, function)                                                           \
    ((struct list){facts->member.given, facts->member.count, facts->member.items, (function)})

static struct status
put_waivers(struct canon *canon, const struct rule_case *facts, struct rule_date today,
            struct arena *arena)
{
    struct dated_waiver *dated =
        ARENA_ARRAY(arena, struct dated_waiver, facts->waivers.count + 1);

    TRY(need(dated));
    for (size_t i = 0; i < facts->waivers.count; i++) {
        const struct rule_waiver *waiver = &facts->waivers.items[i];
        dated[i].waiver = waiver;
        dated[i].in_force =
            !rule_date_given(waiver->expires) || rule_date_compare(today, waiver->expires) < 0;
    }
    return put_list(canon, (struct list){true, facts->waivers.count, dated, put_waiver}, arena);
}

static struct status
put_case(struct canon *canon, const struct rule_case *facts, struct arena *arena)
{
    put_text(canon, facts->state);
    put_date(canon, facts->period.start);
    put_date(canon, facts->period.end);
    put_number(canon, facts->fte_thousandths);
    put_i64(canon, facts->funded_project_linked);
    put_date(canon, facts->funded_project.start);
    put_date(canon, facts->funded_project.end);
    put_date(canon, facts->follow_up);
    TRY(put_list(canon, GIVEN_LIST(parties, put_party), arena));
    TRY(put_list(canon, LIST(relations, put_relation), arena));
    TRY(put_list(canon, LIST(persons, put_person), arena));
    TRY(put_list(canon, LIST(facts, put_fact), arena));
    TRY(put_list(canon, GIVEN_LIST(texts, put_text_item), arena));
    TRY(put_list(canon, LIST(sign_offs, put_sign_off), arena));
    TRY(put_list(canon, LIST(assessments, put_assessment), arena));
    TRY(put_list(canon, LIST(participations, put_participation), arena));
    TRY(put_list(canon, GIVEN_LIST(budget, put_budget_line), arena));
    TRY(put_list(canon, GIVEN_LIST(aids, put_aid), arena));
    TRY(put_list(canon, LIST(observations, put_observation), arena));
    TRY(put_list(canon, GIVEN_LIST(switches, put_text_item), arena));
    TRY(put_list(canon, LIST(measures, put_measure), arena));
    return put_list(canon, LIST(overrides, put_override), arena);
}

struct status
rule_case_hash(const struct rule_case *facts, const char *context, struct rule_date today,
               struct arena *arena, char ret[RULE_HASH_SIZE])
{
    struct canon canon;
    struct digest digest;

    canon_begin(&canon);
    put_text(&canon, context);
    TRY(put_case(&canon, facts, arena));
    TRY(put_waivers(&canon, facts, today, arena));
    digest = canon_end(&canon);
    sodium_bin2hex(ret, RULE_HASH_SIZE, digest.bytes, DIGEST);
    return OK;
}
