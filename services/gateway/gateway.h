#pragma once

/* The gateway as a whole: what its rooms share.
 *
 * Everything here belongs to the main thread and its loop, except the feed (feed.h), which has
 * a thread of its own.  Nothing on the loop blocks.
 */

#include <stdatomic.h>

#include "common/service/common_settings.h"
#include "common/service/service.h"
#include "common/wire/rpc_client.h"
#include "services/gateway/route.h"

struct MHD_Daemon;
struct answers;
struct auth;
struct cluster;
struct event_json;
struct exchange_pool;
struct feed;
struct limits;
struct pages;
struct ring;
struct streams;

struct gateway_settings {
#include "common/base/setting_members.h"
#include "services/gateway/settings.def"
#include "common/base/setting_end.h"
};

struct gateway {
    const struct service_frame *frame;
    const struct gateway_settings *settings;
    const struct clock *clock;
    struct arena arena; /* lives as long as the gateway */
    struct routes *routes;
    struct pages *pages;
    struct auth *auth;
    struct limits *limits;
    struct answers *answers;
    struct event_json *events;
    struct ring *ring;
    struct streams *streams;
    struct cluster *cluster;
    struct exchange_pool *pool;
    /* Made by start, unmade when drained. */
    struct rpc_client *rpc;
    struct feed *feed;
    struct MHD_Daemon *daemon;
    int timer_fd;         /* wakes the loop for what is due without input */
    int64_t timer_due_ns; /* what it is set to; 0: not set */
    bool draining;
    uint32_t working;    /* exchanges whose rpc is under way */
    unsigned ticks;      /* seconds since the start */
    atomic_bool settled; /* the log is followed, or has been waited for long enough */
};

extern struct gateway_settings gateway_settings;
extern const struct setting gateway_settings_table[];

/* The hooks of struct service. */
struct status gateway_create(struct service_frame *frame, struct arena *arena, void **ret);
void gateway_destroy(void *state);
struct status gateway_start(struct service_frame *frame, struct arena *arena);
void gateway_stop(struct service_frame *frame);
bool gateway_drained(struct service_frame *frame);
const char *gateway_not_ready(void *state);

/* Asks the loop to look again in at most `ms`.  Loop thread. */
void gateway_wake_in(struct gateway *gateway, int ms);

/* Whether public_url is https: then cookies are Secure and HSTS is sent. */
bool gateway_is_https(const struct gateway *gateway);
