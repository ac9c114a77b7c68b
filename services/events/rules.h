#pragma once

/* Who may see which event, and which events a follower wants.  Pure decisions. */

#include <stdatomic.h>

#include "events/v1/stream.pb-c.h"
#include "services/events/packed.h"

/* Limits of a filter. */
#define RULES_FILTER_TYPES 64
#define RULES_FILTER_TENANTS 256
#define RULES_FILTER_SUBJECTS 256
#define RULES_FILTER_PROGRAMMES 64
#define RULES_FILTER_NUTS 64
#define RULES_FILTER_CONCEPTS 256
#define RULES_FILTER_TEXT_BYTES 128
#define RULES_CREDIT_MAX 100000u
#define RULES_READ_LIMIT 1000u
#define RULES_READ_DEFAULT 100u

struct texts {
    const char *const *items;
    size_t count;
};

/* How much a key may ask of one instance; 0: no limit of its own. */
struct limits {
    uint32_t follows;
    uint32_t events_per_second;  /* sent to it */
    uint32_t appends_per_second; /* events taken from it */
};

/* What a key or a principal may see and say. */
struct rights {
    bool all;                /* one of our services or an operator */
    struct texts tenant_ids; /* whose events, beside public ones */
    struct texts types;      /* prefixes; none: every type */
    int64_t expires_unix_ms; /* 0: never */
    const char *key;         /* of a system, Z85; NULL: one of our own */
    const char *tenant_id;   /* of a system: whose the events that it appends become; or NULL */
    struct texts append_types; /* prefixes of what a system may append */
    struct limits limits;
};

/* What a follower wants; none of a kind: no restriction. */
struct terms {
    struct texts types, tenant_ids, subjects, programmes, nuts, concepts;
};

/* Rights and filter of one follower; immutable, shared by count, with its own copies. */
struct sieve {
    atomic_uint holders;
    struct arena arena;
    struct rights rights;
    struct terms terms;
};

/* INVALID_ARGUMENT names the field: too many terms, too long, empty, not a UUID. */
must_use struct status rules_check_filter(const Events__V1__Filter *filter,
                                          struct arena *arena);

/* `filter` must have passed the check; NULL: none. */
must_use struct status rules_sieve_create(const struct rights *rights,
                                          const Events__V1__Filter *filter, struct sieve **ret);
/* The same filter under other rights. */
must_use struct status rules_sieve_renew(const struct sieve *sieve, const struct rights *rights,
                                         struct sieve **ret);
struct sieve *rules_sieve_hold(struct sieve *sieve);
void rules_sieve_release(struct sieve **sieve);

/* Copies texts into the arena. */
must_use struct status rules_copy_texts(struct texts from, struct arena *arena,
                                        struct texts *ret);
must_use struct status rules_copy_rights(const struct rights *from, struct arena *arena,
                                         struct rights *ret);
bool rules_rights_equal(const struct rights *a, const struct rights *b);
bool rules_expired(const struct rights *rights, int64_t now_unix_ms);

/* Whether rights alone let the event through. */
bool rules_visible(const struct rights *rights, const struct packed_event *event);
/* Whether rights and filter let it through. */
bool rules_passes(const struct sieve *sieve, const struct packed_event *event);
/* Whether everything passes, so that events need not be looked at. */
bool rules_passes_all(const struct sieve *sieve);
