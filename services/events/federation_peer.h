#pragma once

/* The setting `federation_peers`: which deployments' public events are taken in.
 *
 *     lund=tcp://events.samverka.lu.example:5570#<key>@https://samverka.lu.example
 *
 * with semicolons between peers: a name, where its events stream (several with commas between),
 * their public CURVE key (40 characters of Z85, in which # and @ may occur) and the root of its
 * sources.
 */

#include "common/wire/keys.h"

#define FEDERATION_PEERS_MAX 16
#define FEDERATION_NAME_BYTES 60 /* of a-z 0-9 - */
#define FEDERATION_ROOT_BYTES 200

struct federation_peer {
    const char *name, *endpoints, *source;
    char key[KEY_TEXT_SIZE];
};

/* Reads the setting.  INVALID_ARGUMENT names the peer and its part: also a name or a root that
 * comes twice, and a root under `own_source` or above it. */
must_use struct status federation_peers_parse(const char *text, const char *own_source,
                                              struct arena *arena,
                                              struct federation_peer ret[FEDERATION_PEERS_MAX],
                                              size_t *ret_count);
