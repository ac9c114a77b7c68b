#include "services/registry/accounts/password.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

_Static_assert(PASSWORD_HASH_SIZE >= crypto_pwhash_STRBYTES, "room for libsodium's text form");

struct password_gate {
    pthread_mutex_t mutex;
    pthread_cond_t freed;
    uint32_t limit, running, waiting;
    char decoy[PASSWORD_HASH_SIZE]; /* the hash of a password that nobody knows */
};

static struct status
hash_now(struct arena *arena, const char *password, char ret[PASSWORD_HASH_SIZE])
{
    char hash[PASSWORD_HASH_SIZE] = {0};

    if (crypto_pwhash_str_alg(
            hash, password, strlen(password), crypto_pwhash_OPSLIMIT_INTERACTIVE,
            crypto_pwhash_MEMLIMIT_INTERACTIVE, crypto_pwhash_ALG_ARGON2ID13) != 0)
        return FAIL(arena, RESOURCE_EXHAUSTED, "no memory to hash a password");
    memcpy(ret, hash, PASSWORD_HASH_SIZE);
    return OK;
}

struct status
password_gate_create(struct arena *arena, uint32_t side_by_side, struct password_gate **ret)
{
    unsigned char nobody[32];
    char text[65];
    struct password_gate *gate = calloc(1, sizeof *gate);
    pthread_condattr_t monotonic;

    TRY(need(gate));
    gate->limit = side_by_side;
    (void)pthread_mutex_init(&gate->mutex, NULL);
    (void)pthread_condattr_init(&monotonic);
    (void)pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&gate->freed, &monotonic);
    (void)pthread_condattr_destroy(&monotonic);
    randombytes_buf(nobody, sizeof nobody);
    sodium_bin2hex(text, sizeof text, nobody, sizeof nobody);

    const struct status hashed = hash_now(arena, text, gate->decoy);

    if (failed(hashed))
        password_gate_destroy(&gate);
    TRY(hashed);
    *ret = gate;
    return OK;
}

void
password_gate_destroy(struct password_gate **gate)
{
    if (!*gate)
        return;
    (void)pthread_cond_destroy(&(*gate)->freed);
    (void)pthread_mutex_destroy(&(*gate)->mutex);
    free(*gate);
    *gate = NULL;
}

/* Takes a place, waiting for one if not too many wait already. */
static bool
enter(struct password_gate *gate, int wait_ms)
{
    struct timespec until;
    bool in = true;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    (void)pthread_mutex_lock(&gate->mutex);
    if (gate->running >= gate->limit) {
        in = gate->waiting < gate->limit;
        gate->waiting += in;
        while (in && gate->running >= gate->limit)
            if (pthread_cond_timedwait(&gate->freed, &gate->mutex, &until) != 0) {
                gate->waiting--;
                in = false;
            }
        gate->waiting -= in;
    }
    gate->running += in;
    (void)pthread_mutex_unlock(&gate->mutex);
    return in;
}

static void
leave(struct password_gate *gate)
{
    (void)pthread_mutex_lock(&gate->mutex);
    gate->running--;
    (void)pthread_cond_signal(&gate->freed);
    (void)pthread_mutex_unlock(&gate->mutex);
}

static struct status
busy(struct arena *arena)
{
    return FAIL(arena, RESOURCE_EXHAUSTED, "too many people sign in just now");
}

struct status
password_hash(struct password_gate *gate, const struct clock *clock, struct mono deadline,
              struct arena *arena, const char *password, char ret[PASSWORD_HASH_SIZE])
{
    if (!enter(gate, mono_left_ms(deadline, clock_mono(clock))))
        return busy(arena);

    const struct status hashed = hash_now(arena, password, ret);

    leave(gate);
    return hashed;
}

struct status
password_verify(struct password_gate *gate, const struct clock *clock, struct mono deadline,
                struct arena *arena, const char *hash, const char *password, bool *ret_fits)
{
    if (!enter(gate, mono_left_ms(deadline, clock_mono(clock))))
        return busy(arena);

    const char *against = hash ? hash : gate->decoy;
    const bool fits = crypto_pwhash_str_verify(against, password, strlen(password)) == 0;

    leave(gate);
    *ret_fits = fits && hash;
    return OK;
}
