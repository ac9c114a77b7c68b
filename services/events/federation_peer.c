#include "services/events/federation_peer.h"

#include <ctype.h>
#include <string.h>

#include "common/base/arena.h"
#include "services/events/federation_event.h"

#define KEY_BYTES ((size_t)KEY_TEXT_SIZE - 1)
#define ENDPOINTS_BYTES 1000

#define FAULT(arena, number, part, ...)                                                        \
    FAIL_FIELD((arena), "federation_peers", "peer %zu, " part, (number), __VA_ARGS__)

static bool
name_fits(const char *name)
{
    const size_t length = strlen(name);

    if (length < 1 || length > FEDERATION_NAME_BYTES || name[0] == '-')
        return false;
    for (size_t i = 0; i < length; i++)
        if (!islower((unsigned char)name[i]) && !isdigit((unsigned char)name[i]) &&
            name[i] != '-')
            return false;
    return true;
}

static bool
root_fits(const char *root)
{
    const size_t length = strlen(root);

    if (length < 1 || length > FEDERATION_ROOT_BYTES || root[length - 1] == '/')
        return false;
    for (size_t i = 0; i < length; i++)
        if (!isgraph((unsigned char)root[i]))
            return false;
    return true;
}

/* Cuts `text` at its parts; number is the peer's, from 1. */
static struct status
parse_peer(char *text, size_t number, struct arena *arena, struct federation_peer *ret)
{
    struct federation_peer peer = {.name = text};
    char *equals = strchr(text, '=');
    char *hash = equals ? strchr(equals, '#') : NULL;

    if (!equals || !hash)
        return FAULT(arena, number, "form: %s", "must be name=tcp://host:port#key@root");
    *equals = *hash = '\0';
    if (!name_fits(peer.name))
        return FAULT(arena, number, "name: must be 1 to %d of a-z, 0-9 and -",
                     FEDERATION_NAME_BYTES);
    peer.endpoints = equals + 1;
    if (strncmp(peer.endpoints, "tcp://", 6) != 0 || strlen(peer.endpoints) > ENDPOINTS_BYTES)
        return FAULT(arena, number, "endpoint: %s", "must be tcp://host:port");
    if (strlen(hash + 1) >= KEY_BYTES)
        memcpy(peer.key, hash + 1, KEY_BYTES);
    if (!key_text_valid(peer.key))
        return FAULT(arena, number, "key: must be %zu characters of Z85", KEY_BYTES);
    if (hash[1 + KEY_BYTES] != '@')
        return FAULT(arena, number, "root: %s", "must stand behind the key and an @");
    peer.source = hash + 1 + KEY_BYTES + 1;
    if (!root_fits(peer.source))
        return FAULT(arena, number, "root: must be 1 to %d bytes without a / at the end",
                     FEDERATION_ROOT_BYTES);
    *ret = peer;
    return OK;
}

/* Whether one of the two lies under the other: then nobody could tell whose a source is. */
static bool
overlap(const char *a, const char *b)
{
    return federation_under((struct bytes){(const uint8_t *)a, strlen(a)}, b) ||
           federation_under((struct bytes){(const uint8_t *)b, strlen(b)}, a);
}

static struct status
check_peer(const struct federation_peer *peers, size_t i, const char *own_source,
           struct arena *arena)
{
    if (overlap(peers[i].source, own_source))
        return FAULT(arena, i + 1, "root: %s and our own event_source %s overlap",
                     peers[i].source, own_source);
    for (size_t j = 0; j < i; j++) {
        if (strcmp(peers[j].name, peers[i].name) == 0)
            return FAULT(arena, i + 1, "name: %s comes twice", peers[i].name);
        if (overlap(peers[j].source, peers[i].source))
            return FAULT(arena, i + 1, "root: %s and that of %s overlap", peers[i].source,
                         peers[j].name);
    }
    return OK;
}

struct status
federation_peers_parse(const char *text, const char *own_source, struct arena *arena,
                       struct federation_peer ret[FEDERATION_PEERS_MAX], size_t *ret_count)
{
    struct federation_peer peers[FEDERATION_PEERS_MAX];
    size_t count = 0;
    char *copy, *rest, *item;

    TRY(need(copy = rest = arena_copy(arena, text)));
    while (*copy && (item = strsep(&rest, ";"))) {
        if (count == FEDERATION_PEERS_MAX)
            return FAIL_FIELD(arena, "federation_peers", "more than %d peers",
                              FEDERATION_PEERS_MAX);
        item += strspn(item, " ");
        TRY(parse_peer(item, count + 1, arena, &peers[count]));
        TRY(check_peer(peers, count, own_source, arena));
        count++;
    }
    memcpy(ret, peers, count * sizeof *peers);
    *ret_count = count;
    return OK;
}
