#include "services/events/rules.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/uuid.h"

#define SIEVE_BYTES ((size_t)256 << 10)

static struct status
check_texts(const char *const *texts, size_t count, size_t limit, const char *field,
            struct arena *arena)
{
    if (count > limit)
        return FAIL_FIELD(arena, field, "has %zu terms; at most %zu are allowed", count, limit);
    for (size_t i = 0; i < count; i++) {
        const size_t size = strlen(texts[i]);

        if (!size || size > RULES_FILTER_TEXT_BYTES)
            return FAIL_FIELD(arena, arena_printf(arena, "%s[%zu]", field, i),
                              "must have 1 to %d bytes", RULES_FILTER_TEXT_BYTES);
    }
    return OK;
}

struct status
rules_check_filter(const Events__V1__Filter *filter, struct arena *arena)
{
    if (!filter)
        return OK;
    TRY(check_texts(filter->types, filter->n_types, RULES_FILTER_TYPES, "filter.types", arena));
    TRY(check_texts(filter->subjects, filter->n_subjects, RULES_FILTER_SUBJECTS,
                    "filter.subjects", arena));
    TRY(check_texts(filter->programmes, filter->n_programmes, RULES_FILTER_PROGRAMMES,
                    "filter.programmes", arena));
    TRY(check_texts(filter->nuts, filter->n_nuts, RULES_FILTER_NUTS, "filter.nuts", arena));
    TRY(check_texts(filter->concepts, filter->n_concepts, RULES_FILTER_CONCEPTS,
                    "filter.concepts", arena));
    TRY(check_texts(filter->tenant_ids, filter->n_tenant_ids, RULES_FILTER_TENANTS,
                    "filter.tenant_ids", arena));
    for (size_t i = 0; i < filter->n_tenant_ids; i++)
        if (!uuid_valid(filter->tenant_ids[i]))
            return FAIL_FIELD(arena, arena_printf(arena, "filter.tenant_ids[%zu]", i),
                              "must be a UUID in lower case");
    return OK;
}

struct status
rules_copy_texts(struct texts from, struct arena *arena, struct texts *ret)
{
    const char **items = NULL;

    if (from.count)
        TRY(need(items = ARENA_ARRAY(arena, const char *, from.count)));
    for (size_t i = 0; i < from.count; i++)
        TRY(need(items[i] = arena_copy(arena, from.items[i])));
    *ret = (struct texts){items, from.count};
    return OK;
}

struct status
rules_copy_rights(const struct rights *from, struct arena *arena, struct rights *ret)
{
    struct rights rights = *from;

    TRY(rules_copy_texts(from->tenant_ids, arena, &rights.tenant_ids));
    TRY(rules_copy_texts(from->types, arena, &rights.types));
    TRY(rules_copy_texts(from->append_types, arena, &rights.append_types));
    if (from->tenant_id)
        TRY(need(rights.tenant_id = arena_copy(arena, from->tenant_id)));
    if (from->key)
        TRY(need(rights.key = arena_copy(arena, from->key)));
    *ret = rights;
    return OK;
}

static struct status
copy_terms(const struct terms *from, struct arena *arena, struct terms *ret)
{
    TRY(rules_copy_texts(from->types, arena, &ret->types));
    TRY(rules_copy_texts(from->tenant_ids, arena, &ret->tenant_ids));
    TRY(rules_copy_texts(from->subjects, arena, &ret->subjects));
    TRY(rules_copy_texts(from->programmes, arena, &ret->programmes));
    TRY(rules_copy_texts(from->nuts, arena, &ret->nuts));
    return rules_copy_texts(from->concepts, arena, &ret->concepts);
}

static struct status
create(const struct rights *rights, const struct terms *terms, struct sieve **ret)
{
    scoped(rules_sieve_release) struct sieve *sieve = calloc(1, sizeof *sieve);

    TRY(need(sieve));
    atomic_init(&sieve->holders, 1);
    arena_init(&sieve->arena, SIEVE_BYTES);
    TRY(rules_copy_rights(rights, &sieve->arena, &sieve->rights));
    TRY(copy_terms(terms, &sieve->arena, &sieve->terms));
    *ret = take(&sieve);
    return OK;
}

struct status
rules_sieve_create(const struct rights *rights, const Events__V1__Filter *filter,
                   struct sieve **ret)
{
    struct terms terms = {0};

    if (filter)
        terms = (struct terms){
            .types = {(const char *const *)filter->types, filter->n_types},
            .tenant_ids = {(const char *const *)filter->tenant_ids, filter->n_tenant_ids},
            .subjects = {(const char *const *)filter->subjects, filter->n_subjects},
            .programmes = {(const char *const *)filter->programmes, filter->n_programmes},
            .nuts = {(const char *const *)filter->nuts, filter->n_nuts},
            .concepts = {(const char *const *)filter->concepts, filter->n_concepts}};
    return create(rights, &terms, ret);
}

struct status
rules_sieve_renew(const struct sieve *sieve, const struct rights *rights, struct sieve **ret)
{
    return create(rights, &sieve->terms, ret);
}

struct sieve *
rules_sieve_hold(struct sieve *sieve)
{
    atomic_fetch_add_explicit(&sieve->holders, 1, memory_order_relaxed);
    return sieve;
}

void
rules_sieve_release(struct sieve **sieve)
{
    struct sieve *gone = take(sieve);

    if (!gone || atomic_fetch_sub_explicit(&gone->holders, 1, memory_order_acq_rel) != 1)
        return;
    arena_fini(&gone->arena);
    free(gone);
}

/* NULL is as "". */
static bool
text_equal(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool
texts_equal(struct texts a, struct texts b)
{
    if (a.count != b.count)
        return false;
    for (size_t i = 0; i < a.count; i++)
        if (strcmp(a.items[i], b.items[i]) != 0)
            return false;
    return true;
}

bool
rules_rights_equal(const struct rights *a, const struct rights *b)
{
    return a->all == b->all && a->expires_unix_ms == b->expires_unix_ms &&
           text_equal(a->key, b->key) && text_equal(a->tenant_id, b->tenant_id) &&
           texts_equal(a->tenant_ids, b->tenant_ids) && texts_equal(a->types, b->types) &&
           texts_equal(a->append_types, b->append_types) &&
           a->limits.follows == b->limits.follows &&
           a->limits.events_per_second == b->limits.events_per_second &&
           a->limits.appends_per_second == b->limits.appends_per_second;
}

bool
rules_expired(const struct rights *rights, int64_t now_unix_ms)
{
    return rights->expires_unix_ms && now_unix_ms >= rights->expires_unix_ms;
}

static bool
has(struct texts texts, struct bytes value)
{
    for (size_t i = 0; i < texts.count; i++)
        if (bytes_are(value, texts.items[i]))
            return true;
    return false;
}

static bool
has_prefix(struct texts prefixes, struct bytes value)
{
    for (size_t i = 0; i < prefixes.count; i++)
        if (bytes_begin(value, prefixes.items[i]))
            return true;
    return false;
}

/* Whether one of the items, with commas between, is among the texts. */
static bool
has_item(struct texts texts, struct bytes items)
{
    struct bytes item;

    while (bytes_next_item(&items, &item))
        if (has(texts, item))
            return true;
    return false;
}

/* An audience is empty, "internal", "public" or tenant ids with commas between. */
bool
rules_visible(const struct rights *rights, const struct packed_event *event)
{
    if (rights->all)
        return true;
    if (bytes_are(event->audience, "internal"))
        return false;
    if (rights->types.count && !has_prefix(rights->types, event->type))
        return false;
    return has(rights->tenant_ids, event->tenant_id) || bytes_are(event->audience, "public") ||
           has_item(rights->tenant_ids, event->audience);
}

bool
rules_passes(const struct sieve *sieve, const struct packed_event *event)
{
    const struct terms *terms = &sieve->terms;

    return (!terms->tenant_ids.count || has(terms->tenant_ids, event->tenant_id)) &&
           (!terms->types.count || has_prefix(terms->types, event->type)) &&
           (!terms->subjects.count || has(terms->subjects, event->subject)) &&
           (!terms->programmes.count || has(terms->programmes, event->programme)) &&
           (!terms->nuts.count || has_prefix(terms->nuts, event->nuts)) &&
           (!terms->concepts.count || has_item(terms->concepts, event->concepts)) &&
           rules_visible(&sieve->rights, event);
}

bool
rules_passes_all(const struct sieve *sieve)
{
    const struct terms *terms = &sieve->terms;

    return sieve->rights.all && !terms->types.count && !terms->tenant_ids.count &&
           !terms->subjects.count && !terms->programmes.count && !terms->nuts.count &&
           !terms->concepts.count;
}
