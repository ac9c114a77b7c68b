#include "services/gateway/auth.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "registry/v1/sessions.pb-c.h"
#include "services/gateway/exchange.h"

#define RESOLVE_RPC "registry.v1.Sessions/ResolveCredential"
#define BUCKETS (AUTH_ENTRIES * 2)
#define CREDENTIAL_MAX 512

struct entry {
    struct identity identity;
    struct mono since;
    struct entry *chain;         /* in its bucket, or in the free list */
    struct entry *older, *newer; /* by use */
};

struct auth {
    struct gateway *gateway;
    struct entry *buckets[BUCKETS];
    struct entry *oldest, *newest, *free;
    size_t made;
};

static struct entry **
bucket_of(struct auth *auth, const uint8_t *hash)
{
    uint64_t number;

    memcpy(&number, hash, sizeof number);
    return &auth->buckets[number % BUCKETS];
}

static void
unlink_use(struct auth *auth, struct entry *entry)
{
    *(entry->older ? &entry->older->newer : &auth->oldest) = entry->newer;
    *(entry->newer ? &entry->newer->older : &auth->newest) = entry->older;
}

static void
link_newest(struct auth *auth, struct entry *entry)
{
    entry->older = auth->newest;
    entry->newer = NULL;
    *(auth->newest ? &auth->newest->newer : &auth->oldest) = entry;
    auth->newest = entry;
}

static struct entry *
find(struct auth *auth, const uint8_t *hash)
{
    for (struct entry *entry = *bucket_of(auth, hash); entry; entry = entry->chain)
        if (memcmp(entry->identity.credential, hash, CREDENTIAL_HASH_BYTES) == 0)
            return entry;
    return NULL;
}

static void
drop(struct auth *auth, struct entry *entry)
{
    struct entry **at = bucket_of(auth, entry->identity.credential);

    while (*at != entry)
        at = &(*at)->chain;
    *at = entry->chain;
    unlink_use(auth, entry);
    sodium_memzero(&entry->identity, sizeof entry->identity);
    entry->chain = auth->free;
    auth->free = entry;
}

static void
remember(struct auth *auth, const struct identity *identity)
{
    struct entry *entry = find(auth, identity->credential);
    struct entry **bucket;

    if (entry)
        drop(auth, entry);
    if (!auth->free && auth->made == AUTH_ENTRIES)
        drop(auth, auth->oldest);
    entry = auth->free;
    if (entry)
        auth->free = entry->chain;
    else if ((entry = malloc(sizeof *entry)))
        auth->made++;
    else
        return; /* not remembered: registry is asked again */
    bucket = bucket_of(auth, identity->credential);
    entry->identity = *identity;
    entry->since = clock_mono(auth->gateway->clock);
    entry->chain = *bucket;
    *bucket = entry;
    link_newest(auth, entry);
}

/* What is known and not older than AUTH_FRESH_MS nor over; NULL otherwise. */
static const struct identity *
fresh(struct auth *auth, const uint8_t *hash)
{
    const struct clock *clock = auth->gateway->clock;
    struct entry *entry = find(auth, hash);

    if (!entry)
        return NULL;
    if (mono_left_ms(mono_add_ms(entry->since, AUTH_FRESH_MS), clock_mono(clock)) == 0 ||
        (entry->identity.expires_unix_ms > 0 &&
         (int64_t)entry->identity.expires_unix_ms <= clock_wall(clock).unix_ms)) {
        drop(auth, entry);
        return NULL;
    }
    unlink_use(auth, entry);
    link_newest(auth, entry);
    return &entry->identity;
}

struct status
auth_create(struct gateway *gateway, struct arena *arena, struct auth **ret)
{
    struct auth *auth = calloc(1, sizeof *auth);

    (void)arena;
    TRY(need(auth));
    auth->gateway = gateway;
    *ret = auth;
    return OK;
}

void
auth_destroy(struct auth **auth)
{
    if (!*auth)
        return;
    while ((*auth)->oldest)
        drop(*auth, (*auth)->oldest);
    while ((*auth)->free) {
        struct entry *entry = (*auth)->free;

        (*auth)->free = entry->chain;
        free(entry);
    }
    free(take(auth));
}

void
auth_hash(const char *credential, uint8_t ret[CREDENTIAL_HASH_BYTES])
{
    (void)crypto_generichash(ret, CREDENTIAL_HASH_BYTES, (const unsigned char *)credential,
                             strlen(credential), NULL, 0);
}

void
auth_forget(struct auth *auth, const char *credential)
{
    uint8_t hash[CREDENTIAL_HASH_BYTES];
    struct entry *entry;

    auth_hash(credential, hash);
    entry = find(auth, hash);
    if (entry)
        drop(auth, entry);
}

const char *
auth_cookie_name(const struct gateway *gateway)
{
    return gateway_is_https(gateway) ? "__Host-samverka" : "samverka";
}

struct status
auth_credential(struct exchange *exchange, const char **ret, bool *ret_by_cookie)
{
    const char *header = exchange_header(exchange, "Authorization");
    const char *cookie;

    *ret_by_cookie = false;
    if (header) {
        if (strncasecmp(header, "Bearer ", 7) != 0 || header[7] == '\0' ||
            strlen(header) > CREDENTIAL_MAX)
            return FAIL(&exchange->arena, UNAUTHENTICATED,
                        "the Authorization header must be a "
                        "bearer token");
        *ret = header + 7 + strspn(header + 7, " ");
        return OK;
    }
    cookie = MHD_lookup_connection_value(exchange->connection, MHD_COOKIE_KIND,
                                         auth_cookie_name(exchange->gateway));
    if (cookie && *cookie && strlen(cookie) <= CREDENTIAL_MAX) {
        *ret = cookie;
        *ret_by_cookie = true;
        return OK;
    }
    *ret = NULL;
    return OK;
}

static struct status
copy_id(char *into, size_t room, const char *from, struct arena *arena)
{
    if (strlen(from) >= room)
        return FAIL(arena, INTERNAL, "a principal holds an id that is too long");
    memcpy(into, from, strlen(from) + 1);
    return OK;
}

static struct status
identity_of(const Registry__V1__ResolveCredentialReply *reply, struct arena *arena,
            struct identity *ret)
{
    const Wire__V1__Principal *principal = reply->principal;

    if (!principal)
        return FAIL(arena, INTERNAL, "a resolved credential has no principal");
    ret->known = true;
    ret->kind = principal->kind;
    ret->expires_unix_ms = reply->expires_unix_ms;
    for (size_t i = 0; i < principal->n_roles; i++)
        if ((unsigned)principal->roles[i] < 32)
            ret->role_mask |= 1u << (unsigned)principal->roles[i];
    TRY(copy_id(ret->subject_id, sizeof ret->subject_id, principal->subject_id, arena));
    TRY(copy_id(ret->tenant_id, sizeof ret->tenant_id, principal->tenant_id, arena));
    TRY(copy_id(ret->person_id, sizeof ret->person_id, principal->person_id, arena));
    TRY(copy_id(ret->organisation_id, sizeof ret->organisation_id, principal->organisation_id,
                arena));
    TRY(copy_id(ret->language, sizeof ret->language, lang_tag(lang_parse(reply->language)),
                arena));
    snprintf(ret->display_name, sizeof ret->display_name, "%s", reply->display_name);
    return OK;
}

void
identity_to_principal(const struct identity *identity, struct identity_principal *ret)
{
    Wire__V1__Principal *principal = &ret->principal;

    wire__v1__principal__init(principal);
    principal->kind = identity->kind;
    principal->subject_id = identity->subject_id;
    principal->tenant_id = identity->tenant_id;
    principal->person_id = identity->person_id;
    principal->organisation_id = identity->organisation_id;
    principal->roles = ret->roles;
    for (unsigned role = 0; role < 32; role++)
        if ((identity->role_mask >> role) & 1)
            ret->roles[principal->n_roles++] = (Wire__V1__Role)role;
}

bool
identity_has_role(const struct identity *identity, Wire__V1__Role role)
{
    return (identity->role_mask >> (unsigned)role) & 1;
}

/* A question to registry that is under way: for an exchange, or for a stream. */
struct asking {
    struct auth *auth;
    struct exchange *exchange; /* NULL: for a stream */
    bool by_cookie;
    void (*then)(struct exchange *exchange);
    void (*done)(void *context, bool good);
    void *context;
    uint8_t hash[CREDENTIAL_HASH_BYTES];
};

static struct status
take_answer(struct asking *asking, const struct rpc_answer *answer, struct arena *arena,
            struct identity *ret)
{
    ProtobufCMessage *reply;

    TRY(answer->status);
    TRY(wire_unpack(&registry__v1__resolve_credential_reply__descriptor, answer->packed, arena,
                    &reply));
    memcpy(ret->credential, asking->hash, sizeof ret->credential);
    TRY(identity_of((const Registry__V1__ResolveCredentialReply *)reply, arena, ret));
    remember(asking->auth, ret);
    return OK;
}

/* A reply that has nobody's arena to live in. */
#define STREAM_ARENA_BYTES ((size_t)256 << 10)

static void
on_stream_answer(struct asking *asking, const struct rpc_answer *answer)
{
    struct identity identity = {0};
    struct arena arena;
    struct status status;

    arena_init(&arena, STREAM_ARENA_BYTES);
    status = take_answer(asking, answer, &arena, &identity);
    /* Only a clear no ends a stream; a registry that is away does not. */
    asking->done(asking->context, status.code != CODE_UNAUTHENTICATED);
    arena_fini(&arena);
    free(asking);
}

static void
on_answer(void *context, const struct rpc_answer *answer)
{
    struct asking *asking = context;
    struct exchange *exchange = asking->exchange;
    void (*then)(struct exchange *) = asking->then;
    struct status status;

    if (!exchange) {
        on_stream_answer(asking, answer);
        return;
    }
    exchange->gateway->working--;
    status = take_answer(asking, answer, &exchange->arena, exchange->identity);
    exchange->identity->by_cookie = asking->by_cookie;
    exchange->stale_cookie = asking->by_cookie && status.code == CODE_UNAUTHENTICATED;
    free(asking);
    if (failed(status))
        exchange_refuse(exchange, status, 0);
    else
        then(exchange);
}

static struct status
ask(struct asking *asking, const char *credential, struct mono deadline,
    const char *traceparent, struct arena *arena)
{
    Registry__V1__ResolveCredentialRequest request =
        REGISTRY__V1__RESOLVE_CREDENTIAL_REQUEST__INIT;
    Wire__V1__Role roles[] = {WIRE__V1__ROLE__SERVICE};
    Wire__V1__Principal principal = WIRE__V1__PRINCIPAL__INIT;
    const struct rpc_options options = {
        .principal = &principal, .traceparent = traceparent, .deadline = deadline};
    char copy[CREDENTIAL_MAX + 1];
    struct bytes packed;

    snprintf(copy, sizeof copy, "%s", credential);
    request.credential = copy;
    principal.kind = WIRE__V1__PRINCIPAL__KIND__SERVICE;
    principal.subject_id = "gateway";
    principal.roles = roles;
    principal.n_roles = COUNT_OF(roles);
    TRY(wire_pack(&request.base, arena, &packed));
    return rpc_start(asking->auth->gateway->rpc, RESOLVE_RPC, packed, &options, on_answer,
                     asking, arena);
}

void
auth_resolve(struct exchange *exchange, const char *credential, bool by_cookie,
             void (*then)(struct exchange *exchange))
{
    struct auth *auth = exchange->gateway->auth;
    const struct identity *known;
    struct asking *asking;
    uint8_t hash[CREDENTIAL_HASH_BYTES];
    struct status status;

    auth_hash(credential, hash);
    known = fresh(auth, hash);
    if (known) {
        *exchange->identity = *known;
        exchange->identity->by_cookie = by_cookie;
        then(exchange);
        return;
    }
    asking = calloc(1, sizeof *asking);
    if (!asking) {
        exchange_refuse(exchange, need(NULL), 0);
        return;
    }
    *asking = (struct asking){
        .auth = auth, .exchange = exchange, .by_cookie = by_cookie, .then = then};
    memcpy(asking->hash, hash, sizeof hash);
    status =
        ask(asking, credential, exchange->deadline, exchange->traceparent, &exchange->arena);
    if (failed(status)) {
        free(asking);
        exchange_refuse(exchange, status, 0);
        return;
    }
    exchange->gateway->working++;
}

void
auth_check_again(struct auth *auth, const uint8_t hash[CREDENTIAL_HASH_BYTES],
                 const char *credential, void (*done)(void *context, bool good), void *context)
{
    struct asking *asking;
    struct arena arena;

    if (fresh(auth, hash)) {
        done(context, true);
        return;
    }
    asking = calloc(1, sizeof *asking);
    if (!asking) {
        done(context, true);
        return;
    }
    *asking = (struct asking){.auth = auth, .done = done, .context = context};
    memcpy(asking->hash, hash, sizeof asking->hash);
    arena_init(&arena, STREAM_ARENA_BYTES);
    if (failed(ask(asking, credential, mono_add_ms(clock_mono(auth->gateway->clock), 5000),
                   NULL, &arena))) {
        free(asking);
        done(context, true); /* registry is away: asked again next time */
    }
    arena_fini(&arena);
}

struct status
auth_set_cookie(struct exchange *exchange, const char *credential, uint64_t expires_unix_ms,
                const char **ret)
{
    const int64_t left_ms =
        (int64_t)expires_unix_ms - clock_wall(exchange->gateway->clock).unix_ms;
    const bool https = gateway_is_https(exchange->gateway);

    TRY(need(*ret = arena_printf(
                 &exchange->arena, "%s=%s; Path=/; HttpOnly; SameSite=Lax; Max-Age=%lld%s",
                 auth_cookie_name(exchange->gateway), credential ? credential : "",
                 credential && left_ms > 0 ? (long long)left_ms / 1000 : 0LL,
                 https ? "; Secure" : "")));
    return OK;
}
