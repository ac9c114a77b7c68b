#include "services/gateway/answers.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/metric.h"

#define BUCKETS 4096
#define ROUTES_MAX 256
#define OVERHEAD_BYTES 256 /* of an entry beside its texts: list, headers, allocator */

/* One answer.  MHD may still be sending it after it has been dropped, so it is counted. */
struct entry {
    struct entry *chain, *older, *newer;
    unsigned references;
    unsigned route;
    uint64_t generation;
    uint64_t era;
    struct mono kept, until;
    uint64_t position;
    enum lang lang;
    uint64_t hash;
    size_t key_size, body_size, cost_bytes;
    char etag[48];
    char data[]; /* key, then body */
};

struct answers {
    struct entry *buckets[BUCKETS];
    struct entry *oldest, *newest;
    size_t bytes, limit_bytes;
    uint64_t keep_ms, stale_ms;
    uint64_t era; /* grows when the log is lost from sight */
    uint64_t generations[ROUTES_MAX];
};

enum trust {
    TRUST_NONE,  /* something that has happened makes it wrong */
    TRUST_STALE, /* something may have happened */
    TRUST_FRESH
};

static struct metric lookups = METRIC("cache_lookups_total", METRIC_COUNTER,
                                      "Looks into the stored answers.", "result", NULL);

struct status
answers_create(const struct gateway_settings *settings, struct arena *arena,
               struct answers **ret)
{
    struct answers *answers = calloc(1, sizeof *answers);

    (void)arena;
    TRY(need(answers));
    answers->limit_bytes = settings->cache_bytes;
    answers->keep_ms = settings->cache_ms;
    answers->stale_ms = settings->cache_stale_ms;
    *ret = answers;
    return OK;
}

static void
release(void *context)
{
    struct entry *entry = context;

    if (--entry->references == 0)
        free(entry);
}

static void
drop(struct answers *answers, struct entry *entry)
{
    struct entry **at = &answers->buckets[entry->hash % BUCKETS];

    while (*at != entry)
        at = &(*at)->chain;
    *at = entry->chain;
    *(entry->older ? &entry->older->newer : &answers->oldest) = entry->newer;
    *(entry->newer ? &entry->newer->older : &answers->newest) = entry->older;
    answers->bytes -= entry->cost_bytes;
    release(entry);
}

void
answers_destroy(struct answers **answers)
{
    if (!*answers)
        return;
    while ((*answers)->oldest)
        drop(*answers, (*answers)->oldest);
    free(take(answers));
}

static uint64_t
hash_text(const char *text)
{
    uint64_t hash = 14695981039346656037u;

    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 1099511628211u;
    return hash;
}

struct status
answers_prepare(struct answers *answers, struct exchange *exchange)
{
    const struct route *route = exchange->route;

    if (!route->line.cached_until || answers->limit_bytes == 0 || route->number >= ROUTES_MAX)
        return OK;
    TRY(need(exchange->cache_key =
                 arena_printf(&exchange->arena, "%s|%x|%d|%s?%s", exchange->identity->tenant_id,
                              exchange->identity->role_mask, (int)exchange->lang,
                              exchange->path, exchange->query)));
    exchange->cache_generation = answers->generations[route->number];
    exchange->cache_era = answers->era;
    return OK;
}

static enum trust
trust_in(const struct answers *answers, const struct entry *entry, struct mono now)
{
    const struct mono end = mono_add_ms(entry->until, (int64_t)answers->stale_ms);

    if (entry->generation != answers->generations[entry->route] || end.ns <= now.ns)
        return TRUST_NONE;
    return entry->era == answers->era && entry->until.ns > now.ns ? TRUST_FRESH : TRUST_STALE;
}

/* What is stored for the exchange and can be trusted so far. */
static struct entry *
find(struct answers *answers, const struct exchange *exchange, enum trust wanted)
{
    const uint64_t hash = hash_text(exchange->cache_key);
    enum trust trust;

    for (struct entry *entry = answers->buckets[hash % BUCKETS]; entry; entry = entry->chain) {
        if (entry->hash != hash || strcmp(entry->data, exchange->cache_key) != 0)
            continue;
        trust = trust_in(answers, entry, exchange->started);
        if (trust == TRUST_NONE)
            drop(answers, entry);
        return trust >= wanted && trust > TRUST_NONE ? entry : NULL;
    }
    return NULL;
}

bool
etag_matches(const char *if_none_match, const char *etag)
{
    const size_t size = strlen(etag);

    for (const char *at = if_none_match; at && *at; at++) {
        at += strspn(at, " \t,");
        if (*at == '*')
            return true;
        if (strncmp(at, "W/", 2) == 0)
            at += 2;
        if (strncmp(at, etag, size) == 0 && strchr(" \t,", at[size]))
            return true;
        at += *at == '"' ? 1 + strcspn(at + 1, "\"") : strcspn(at, ",");
        if (!*at)
            break;
    }
    return false;
}

static void
touch(struct answers *answers, struct entry *entry)
{
    if (answers->newest == entry)
        return;
    *(entry->older ? &entry->older->newer : &answers->oldest) = entry->newer;
    entry->newer->older = entry->older;
    entry->older = answers->newest;
    entry->newer = NULL;
    answers->newest->newer = entry;
    answers->newest = entry;
}

static struct MHD_Response *
response_of(struct entry *entry, bool not_modified)
{
    struct MHD_Response *response;

    if (not_modified)
        return MHD_create_response_from_buffer(0, (void *)(uintptr_t) "",
                                               MHD_RESPMEM_PERSISTENT);
    entry->references++;
    response = MHD_create_response_from_buffer_with_free_callback_cls(
        entry->body_size, entry->data + entry->key_size + 1, release, entry);
    if (!response)
        release(entry);
    return response;
}

static void
mark_stale(const struct exchange *exchange, const struct entry *entry,
           struct MHD_Response *response)
{
    char age[24];

    snprintf(age, sizeof age, "%lld",
             (long long)((exchange->started.ns - entry->kept.ns) / 1000000000));
    (void)MHD_add_response_header(response, "Age", age);
    (void)MHD_add_response_header(response, "Warning", "110 - \"Response is Stale\"");
}

static void
answer_with(struct answers *answers, struct exchange *exchange, struct entry *entry, bool stale)
{
    struct MHD_Response *response;
    char position[24];
    bool same;

    touch(answers, entry);
    same = etag_matches(exchange_header(exchange, "If-None-Match"), entry->etag);
    response = response_of(entry, same);
    if (response) {
        snprintf(position, sizeof position, "%llu", (unsigned long long)entry->position);
        (void)MHD_add_response_header(response, "ETag", entry->etag);
        (void)MHD_add_response_header(response, "Cache-Control", "private, no-cache");
        (void)MHD_add_response_header(response, "Vary",
                                      "Accept-Language, Authorization, Cookie");
        (void)MHD_add_response_header(response, "Samverka-Position", position);
        if (!same) {
            (void)MHD_add_response_header(response, "Content-Type", "application/json");
            (void)MHD_add_response_header(response, "Content-Language", lang_tag(entry->lang));
        }
        if (stale)
            mark_stale(exchange, entry, response);
    }
    exchange_answer(exchange, same ? 304 : 200, response);
}

bool
answers_serve(struct answers *answers, struct exchange *exchange)
{
    struct entry *entry = find(answers, exchange, TRUST_FRESH);

    metric_add(&lookups, entry ? "hit" : "miss", NULL, 1);
    if (entry)
        answer_with(answers, exchange, entry, false);
    return entry != NULL;
}

bool
answers_serve_stale(struct answers *answers, struct exchange *exchange)
{
    struct entry *entry = find(answers, exchange, TRUST_STALE);

    if (!entry)
        return false;
    metric_add(&lookups, "stale", NULL, 1);
    answer_with(answers, exchange, entry, true);
    return true;
}

void
answers_keep(struct answers *answers, const struct exchange *exchange,
             const struct buffer *body, const char *etag)
{
    const size_t key_size = strlen(exchange->cache_key);
    const size_t cost = sizeof(struct entry) + key_size + body->size + OVERHEAD_BYTES;
    struct entry *entry;

    if (cost > answers->limit_bytes / 16 || strlen(etag) >= sizeof entry->etag ||
        exchange->cache_generation != answers->generations[exchange->route->number])
        return;
    entry = find(answers, exchange, TRUST_STALE);
    if (entry)
        drop(answers, entry);
    while (answers->bytes + cost > answers->limit_bytes && answers->oldest)
        drop(answers, answers->oldest);
    entry = malloc(sizeof *entry + key_size + 1 + body->size);
    if (!entry)
        return;
    *entry = (struct entry){.references = 1,
                            .route = exchange->route->number,
                            .generation = exchange->cache_generation,
                            .era = exchange->cache_era,
                            .kept = exchange->started,
                            .until = mono_add_ms(exchange->started, (int64_t)answers->keep_ms),
                            .position = exchange->position,
                            .lang = exchange->lang,
                            .hash = hash_text(exchange->cache_key),
                            .key_size = key_size,
                            .body_size = body->size,
                            .cost_bytes = cost};
    memcpy(entry->etag, etag, strlen(etag) + 1);
    memcpy(entry->data, exchange->cache_key, key_size + 1);
    memcpy(entry->data + key_size + 1, body->data, body->size);
    entry->chain = answers->buckets[entry->hash % BUCKETS];
    answers->buckets[entry->hash % BUCKETS] = entry;
    entry->older = answers->newest;
    *(answers->newest ? &answers->newest->newer : &answers->oldest) = entry;
    answers->newest = entry;
    answers->bytes += cost;
}

void
answers_event(struct answers *answers, const struct routes *routes, const char *type)
{
    const struct route *route;

    for (size_t i = 0; i < ROUTES_MAX && (route = routes_at(routes, i)); i++) {
        const char *prefix = route->line.cached_until;

        if (prefix && strncmp(type, prefix, strlen(prefix)) == 0)
            answers->generations[i]++;
    }
}

void
answers_write(struct answers *answers, const struct routes *routes, const struct route *written)
{
    const size_t service = strcspn(written->line.rpc, "/");
    const struct route *route;

    for (size_t i = 0; i < ROUTES_MAX && (route = routes_at(routes, i)); i++)
        if (route->line.cached_until &&
            strncmp(route->line.rpc, written->line.rpc, service) == 0)
            answers->generations[i]++;
}

void
answers_forget_all(struct answers *answers)
{
    for (size_t i = 0; i < ROUTES_MAX; i++)
        answers->generations[i]++;
}

void
answers_doubt_all(struct answers *answers)
{
    answers->era++;
}
