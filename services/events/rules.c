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

static struct status
copy_rights(const struct rights *from, struct arena *arena, struct rights *ret)
{
    struct rights rights = *from;

    TRY(rules_copy_texts(from->tenant_ids, arena, &rights.tenant_ids));
    TRY(rules_copy_texts(from->types, arena, &rights.types));
    if (from->key)
        TRY(need(rights.key = arena_copy(arena, from->key)));
    *ret = rights;
    return OK;
}

static struct status
create(const struct rights *rights, struct texts types, struct texts tenant_ids,
       struct texts subjects, struct sieve **ret)
{
    scoped(rules_sieve_release) struct sieve *sieve = calloc(1, sizeof *sieve);

    TRY(need(sieve));
    atomic_init(&sieve->holders, 1);
    arena_init(&sieve->arena, SIEVE_BYTES);
    TRY(copy_rights(rights, &sieve->arena, &sieve->rights));
    TRY(rules_copy_texts(types, &sieve->arena, &sieve->types));
    TRY(rules_copy_texts(tenant_ids, &sieve->arena, &sieve->tenant_ids));
    TRY(rules_copy_texts(subjects, &sieve->arena, &sieve->subjects));
    *ret = take(&sieve);
    return OK;
}

struct status
rules_sieve_create(const struct rights *rights, const Events__V1__Filter *filter,
                   struct sieve **ret)
{
    struct texts types = {0}, tenant_ids = {0}, subjects = {0};

    if (filter) {
        types = (struct texts){(const char *const *)filter->types, filter->n_types};
        tenant_ids =
            (struct texts){(const char *const *)filter->tenant_ids, filter->n_tenant_ids};
        subjects = (struct texts){(const char *const *)filter->subjects, filter->n_subjects};
    }
    return create(rights, types, tenant_ids, subjects, ret);
}

struct status
rules_sieve_renew(const struct sieve *sieve, const struct rights *rights, struct sieve **ret)
{
    return create(rights, sieve->types, sieve->tenant_ids, sieve->subjects, ret);
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
    if (strcmp(a->key ? a->key : "", b->key ? b->key : "") != 0)
        return false;
    return a->all == b->all && a->expires_unix_ms == b->expires_unix_ms &&
           texts_equal(a->tenant_ids, b->tenant_ids) && texts_equal(a->types, b->types);
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

/* An audience is empty, "internal", "public" or tenant ids with commas between. */
static bool
audience_holds(struct bytes audience, struct texts tenant_ids)
{
    while (audience.size) {
        const uint8_t *comma = memchr(audience.data, ',', audience.size);
        const size_t size = comma ? (size_t)(comma - audience.data) : audience.size;

        if (has(tenant_ids, (struct bytes){audience.data, size}))
            return true;
        if (!comma)
            return false;
        audience.data += size + 1;
        audience.size -= size + 1;
    }
    return false;
}

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
           audience_holds(event->audience, rights->tenant_ids);
}

bool
rules_passes(const struct sieve *sieve, const struct packed_event *event)
{
    if (sieve->tenant_ids.count && !has(sieve->tenant_ids, event->tenant_id))
        return false;
    if (sieve->types.count && !has_prefix(sieve->types, event->type))
        return false;
    if (sieve->subjects.count && !has(sieve->subjects, event->subject))
        return false;
    return rules_visible(&sieve->rights, event);
}

bool
rules_passes_all(const struct sieve *sieve)
{
    return sieve->rights.all && !sieve->types.count && !sieve->tenant_ids.count &&
           !sieve->subjects.count;
}
