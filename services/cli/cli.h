#pragma once

/* What every command of `samverka` works with.
 *
 * A command gets the words after its name and returns a status; main prints a failure as one
 * line on standard error and exits with 1 (2 for wrong words).  Results go to standard output.
 */

#include "common/base/arena.h"
#include "common/base/buffer.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/wire/follow.h"
#include "common/wire/rpc_client.h"

struct cli_settings {
#include "common/base/setting_members.h"
#include "services/cli/settings.def"
#include "common/base/setting_end.h"
};

#define CLI_ROLES_MOST 4

/* On whose behalf a call is made: the cluster takes an operator's word for it.  "" is none. */
struct cli_actor {
    const char *account_id, *person_id, *organisation_id;
    Wire__V1__Role roles[CLI_ROLES_MOST];
    size_t role_count;
};

struct cli {
    struct cli_settings settings;
    struct arena *arena; /* of the command; big enough for a few messages at a time */
    const struct clock *clock;
    /* Made by cli_connect. */
    void *zmq_context;
    struct resolver *resolver;
    struct rpc_client *rpc;
    struct key_pair key;
    /* Options that all commands share. */
    const char *tenant;            /* id or slug; NULL: none */
    const struct cli_actor *actor; /* NULL: the operator's own */
    const char *lang;
    const char *idempotency_key; /* NULL: a fresh one for each call */
    uint32_t deadline_ms;
};

/* Opens keys, resolver and client.  Does nothing the second time. */
must_use struct status cli_connect(struct cli *cli);
void cli_disconnect(struct cli *cli);

/* Calls a method as cli->actor in cli->tenant (an id by now; see cli_find_tenant). */
must_use struct status cli_call(struct cli *cli, const char *method,
                                const ProtobufCMessage *request,
                                const ProtobufCMessageDescriptor *reply_descriptor,
                                const char *idempotency_key, struct arena *arena,
                                ProtobufCMessage **ret);

/* Turns cli->tenant from a slug into an id.  NOT_FOUND. */
must_use struct status cli_find_tenant(struct cli *cli);

/* A text option "--name VALUE", taken out of the words; NULL when it is not there.
 * INVALID_ARGUMENT: it is the last word. */
must_use struct status cli_option(struct cli *cli, int *count, char **words, const char *name,
                                  const char **ret);
/* The same for a flag "--name". */
bool cli_flag(int *count, char **words, const char *name);
/* INVALID_ARGUMENT when words that look like options are left. */
must_use struct status cli_no_more_options(struct cli *cli, int count, char **words);

/* The commands. */
must_use struct status call_command(struct cli *cli, int count, char **words);
must_use struct status import_command(struct cli *cli, int count, char **words);
must_use struct status events_command(struct cli *cli, int count, char **words);
must_use struct status key_command(struct cli *cli, int count, char **words);
must_use struct status tenant_command(struct cli *cli, int count, char **words);
must_use struct status status_command(struct cli *cli, int count, char **words);
must_use struct status demo_command(struct cli *cli, int count, char **words);
