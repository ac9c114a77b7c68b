#include "common/wire/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sodium.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "common/base/arena.h"

#define KEY_BYTES 32
#define NAME_MAX_BYTES 40

bool
key_text_valid(const char *text)
{
    uint8_t raw[KEY_BYTES];
    bool valid;

    valid = text != NULL && strnlen(text, KEY_TEXT_SIZE) == KEY_TEXT_SIZE - 1 &&
            zmq_z85_decode(raw, text) != NULL;
    sodium_memzero(raw, sizeof raw);
    return valid;
}

struct status
key_pair_create(struct arena *arena, struct key_pair *ret)
{
    if (zmq_curve_keypair(ret->public_text, ret->secret_text) != 0)
        return FAIL(arena, INTERNAL, "no key pair: %s", zmq_strerror(errno));
    return OK;
}

/* The name becomes part of a path: letters, digits, '-' and '_' alone. */
static bool
name_valid(const char *name)
{
    const size_t size = strnlen(name, NAME_MAX_BYTES + 1);

    return size > 0 && size <= NAME_MAX_BYTES &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-_") == size;
}

static struct status
key_path(const char *folder, const char *name, const char *suffix, struct arena *arena,
         char **ret)
{
    char *path;

    if (!name_valid(name))
        return FAIL(arena, INVALID_ARGUMENT, "a key's name has letters, digits, - and _");
    TRY(need(path = arena_printf(arena, "%s/%s%s", folder, name, suffix)));
    *ret = path;
    return OK;
}

static void
close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd); /* read only, or synced before */
}

/* Reads a file that holds one key and perhaps a newline. */
static struct status
read_key(const char *path, struct arena *arena, char ret[KEY_TEXT_SIZE])
{
    scoped(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
    char text[KEY_TEXT_SIZE + 1] = {0};
    ssize_t got;
    bool valid;

    if (fd < 0 && errno == ENOENT)
        return FAIL(arena, NOT_FOUND, "there is no key file %s", path);
    if (fd < 0)
        return FAIL(arena, PERMISSION_DENIED, "%s: %s", path, strerror(errno));
    got = read(fd, text, sizeof text);
    if (got == KEY_TEXT_SIZE && text[KEY_TEXT_SIZE - 1] == '\n')
        text[KEY_TEXT_SIZE - 1] = '\0';
    text[KEY_TEXT_SIZE] = '\0';
    valid = got >= KEY_TEXT_SIZE - 1 && got <= KEY_TEXT_SIZE && key_text_valid(text);
    if (valid)
        memcpy(ret, text, KEY_TEXT_SIZE);
    sodium_memzero(text, sizeof text);
    if (!valid)
        return FAIL(arena, INVALID_ARGUMENT, "%s does not hold one key of 40 characters", path);
    return OK;
}

struct status
key_public_load(const char *folder, const char *name, struct arena *arena,
                char ret[KEY_TEXT_SIZE])
{
    char *path;

    TRY(key_path(folder, name, ".pub", arena, &path));
    return read_key(path, arena, ret);
}

struct status
key_pair_load(const char *folder, const char *name, struct arena *arena, struct key_pair *ret)
{
    struct key_pair pair;
    char derived[KEY_TEXT_SIZE];
    char *path;

    TRY(key_public_load(folder, name, arena, pair.public_text));
    TRY(key_path(folder, name, ".key", arena, &path));
    TRY(read_key(path, arena, pair.secret_text));
    if (zmq_curve_public(derived, pair.secret_text) != 0 ||
        strcmp(derived, pair.public_text) != 0) {
        sodium_memzero(&pair, sizeof pair);
        return FAIL(arena, INVALID_ARGUMENT, "%s does not belong to its .pub file", path);
    }
    *ret = pair;
    sodium_memzero(&pair, sizeof pair);
    return OK;
}

/* Writes a new file through to the disk; an existing one is left alone. */
static struct status
write_key(const char *path, mode_t mode, const char *text, struct arena *arena)
{
    scoped(close_fd) int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    char line[KEY_TEXT_SIZE];
    bool written;

    if (fd < 0 && errno == EEXIST)
        return FAIL(arena, ALREADY_EXISTS, "there is a key file %s already", path);
    if (fd < 0)
        return FAIL(arena, UNAVAILABLE, "%s: %s", path, strerror(errno));
    memcpy(line, text, KEY_TEXT_SIZE - 1);
    line[KEY_TEXT_SIZE - 1] = '\n';
    written = write(fd, line, sizeof line) == (ssize_t)sizeof line && fchmod(fd, mode) == 0 &&
              fsync(fd) == 0;
    sodium_memzero(line, sizeof line);
    if (!written) {
        (void)unlink(path); /* half a key is worse than none */
        return FAIL(arena, STORAGE_FULL, "%s could not be written", path);
    }
    return OK;
}

struct status
key_pair_store(const char *folder, const char *name, const struct key_pair *pair,
               struct arena *arena)
{
    struct status status;
    char *secret_path, *public_path;

    TRY(key_path(folder, name, ".key", arena, &secret_path));
    TRY(key_path(folder, name, ".pub", arena, &public_path));
    if (access(public_path, F_OK) == 0)
        return FAIL(arena, ALREADY_EXISTS, "there is a key file %s already", public_path);
    TRY(write_key(secret_path, 0400, pair->secret_text, arena));
    status = write_key(public_path, 0444, pair->public_text, arena);
    if (failed(status))
        (void)unlink(secret_path); /* made by this call */
    return status;
}
