#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "clients/c/error.h"

#define PATH_SIZE 4096

enum samverka_code
samverka_keys_generate(struct samverka_keys *keys, struct samverka_error *error)
{
    struct samverka_keys made;

    if (zmq_curve_keypair(made.public_key, made.secret_key) != 0)
        return smv_fail(error, SAMVERKA_SYSTEM, "no key pair: %s", zmq_strerror(errno));
    *keys = made;
    sodium_memzero(&made, sizeof made);
    return SAMVERKA_OK;
}

static enum samverka_code
path_of(const char *name, const char *suffix, char path[PATH_SIZE],
        struct samverka_error *error)
{
    const int size = snprintf(path, PATH_SIZE, "%s%s", name, suffix);

    if (!*name || size >= PATH_SIZE)
        return smv_fail(error, SAMVERKA_INVALID, "the name of a key has 1 to %d bytes",
                        PATH_SIZE - 5);
    return SAMVERKA_OK;
}

enum samverka_code
samverka_public_key_load(const char *path, char key[SAMVERKA_KEY_SIZE],
                         struct samverka_error *error)
{
    char text[SAMVERKA_KEY_SIZE + 1] = {0};
    uint8_t raw[32];
    ssize_t got;
    bool valid;
    const int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return smv_fail(error, SAMVERKA_SYSTEM, "%.180s: %s", path, strerror(errno));
    got = read(fd, text, sizeof text);
    (void)close(fd); /* it was only read */
    if (got == SAMVERKA_KEY_SIZE && text[got - 1] == '\n')
        text[got - 1] = '\0';
    text[SAMVERKA_KEY_SIZE] = '\0';
    valid = strlen(text) == SAMVERKA_KEY_SIZE - 1 && zmq_z85_decode(raw, text) != NULL;
    if (valid)
        memcpy(key, text, SAMVERKA_KEY_SIZE);
    sodium_memzero(text, sizeof text);
    sodium_memzero(raw, sizeof raw);
    if (!valid)
        return smv_fail(error, SAMVERKA_INVALID,
                        "%.180s does not hold one key of 40 characters", path);
    return SAMVERKA_OK;
}

enum samverka_code
samverka_keys_load(const char *name, struct samverka_keys *keys, struct samverka_error *error)
{
    enum samverka_code code;
    struct samverka_keys found;
    char path[PATH_SIZE], derived[SAMVERKA_KEY_SIZE];

    if ((code = path_of(name, ".pub", path, error)) != SAMVERKA_OK ||
        (code = samverka_public_key_load(path, found.public_key, error)) != SAMVERKA_OK ||
        (code = path_of(name, ".key", path, error)) != SAMVERKA_OK ||
        (code = samverka_public_key_load(path, found.secret_key, error)) != SAMVERKA_OK)
        return code;
    if (zmq_curve_public(derived, found.secret_key) != 0 ||
        strcmp(derived, found.public_key) != 0)
        code =
            smv_fail(error, SAMVERKA_INVALID, "%.180s does not belong to its .pub file", path);
    else
        *keys = found;
    sodium_memzero(&found, sizeof found);
    return code;
}

/* Through to the disk, or not at all. */
static enum samverka_code
write_key(const char *path, mode_t mode, const char *key, struct samverka_error *error)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    char line[SAMVERKA_KEY_SIZE];
    bool written;

    if (fd < 0)
        return smv_fail(error, SAMVERKA_SYSTEM, "%.180s: %s", path, strerror(errno));
    memcpy(line, key, sizeof line);
    line[sizeof line - 1] = '\n';
    written = write(fd, line, sizeof line) == (ssize_t)sizeof line && fchmod(fd, mode) == 0 &&
              fsync(fd) == 0;
    written = close(fd) == 0 && written;
    sodium_memzero(line, sizeof line);
    if (written)
        return SAMVERKA_OK;
    (void)unlink(path); /* half a key is worse than none */
    return smv_fail(error, SAMVERKA_SYSTEM, "%.180s could not be written", path);
}

enum samverka_code
samverka_keys_store(const char *name, const struct samverka_keys *keys,
                    struct samverka_error *error)
{
    enum samverka_code code;
    char path[PATH_SIZE];

    if ((code = path_of(name, ".key", path, error)) != SAMVERKA_OK ||
        (code = write_key(path, 0400, keys->secret_key, error)) != SAMVERKA_OK ||
        (code = path_of(name, ".pub", path, error)) != SAMVERKA_OK)
        return code;
    return write_key(path, 0444, keys->public_key, error);
}
