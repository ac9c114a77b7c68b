#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/setting.h"
#include "services/cli/cli.h"

#define COMMAND_BYTES ((size_t)256 << 20)
#define DEADLINE_MS 10000
#define USAGE_EXIT 2

static const struct setting settings_table[] = {
#define SETTING_STRUCT struct cli_settings
#include "common/base/setting_table.h"
#include "services/cli/settings.def"
#include "common/base/setting_end.h"
    {0},
};

static const struct {
    const char *name;
    struct status (*run)(struct cli *cli, int count, char **words);
    const char *help;
} commands[] = {
    {"call", call_command,
     "call METHOD [JSON]                  one rpc: call registry.v1.Tenants/ListTenants"},
    {"import", import_command,
     "import esco FILE [RELATIONS]        a vocabulary, from the zips as published or a CSV\n"
     "  import yso FILE...                subjects beside it: labels in fi, sv, en (.tsv.gz)\n"
     "  import organisations FILE         CSV, or JSON of research organisations\n"
     "  import people FILE                CSV; --tenant says whose\n"
     "                                    --dry-run checks only, --from-start forgets an "
     "earlier run"},
    {"events", events_command,
     "events follow [--after N] [--count N] [FILTER]... [--consumer NAME [--shared]]\n"
     "                                    the log as it comes, one JSON object a line\n"
     "  events replay [--after N] [--through N] [--to FILE] [FILTER]...\n"
     "                                    what has come, in bulk\n"
     "                                    FILTER: --type --subject --programme --nuts "
     "--concept\n"
     "  events verify [--after N]         gaps, hash chains, checksums of the whole log\n"
     "  events export --to FILE|- [--through N] [--trim]\n"
     "                                    JSON lines on the disk, then lets go of those "
     "events\n"
     "  events consumers                  who follows, and how far\n"
     "  events forget USER CONSUMER       a durable consumer begins anew"},
    {"key", key_command, "key new NAME [--folder F]           a CURVE key pair"},
    {"tenant", tenant_command, "tenant list | show NAME | new SLUG NAME [--locale L] [--host]"},
    {"status", status_command,
     "status                              every instance of every service"},
    {"demo", demo_command, "demo load                           the demonstration data"},
};

static void
print_usage(FILE *out)
{
    fputs("usage: samverka [--settings-file F] [--tenant T] [--lang L] [--deadline MS] "
          "COMMAND\n\n",
          out);
    for (size_t i = 0; i < COUNT_OF(commands); i++)
        fprintf(out, "  %s\n", commands[i].help);
    fputs(
        "\n  --settings                        where it looks, and how to tell it otherwise\n",
        out);
}

static struct status
load_settings(struct cli *cli, int *count, char **words)
{
    const struct setting_set sets[] = {{settings_table, &cli->settings}, {0}};
    const char *file, *deadline;

    TRY(cli_option(cli, count, words, "--settings-file", &file));
    TRY(setting_load(sets, file, environ, cli->arena));
    TRY(cli_option(cli, count, words, "--tenant", &cli->tenant));
    TRY(cli_option(cli, count, words, "--lang", &cli->lang));
    TRY(cli_option(cli, count, words, "--key", &cli->idempotency_key));
    TRY(cli_option(cli, count, words, "--deadline", &deadline));
    cli->deadline_ms = DEADLINE_MS;
    if (deadline)
        cli->deadline_ms = (uint32_t)strtoul(deadline, NULL, 10);
    if (cli->deadline_ms < 1 || cli->deadline_ms > 60000)
        return FAIL_FIELD(cli->arena, "--deadline", "must be 1 to 60000 ms");
    if (!cli_flag(count, words, "--settings"))
        return OK;
    setting_print(sets, stdout);
    *count = 0;
    return OK;
}

/* One line: code, place, reason. */
static int
complain(struct status status)
{
    if (!failed(status))
        return 0;
    const char *place = status.field ? status.field : ""; /* "" is all of a JSON text, too */

    fprintf(stderr, "samverka: %s%s%s: %s\n", code_name(status.code), *place ? ": " : "", place,
            status.detail ? status.detail : "");
    return 1;
}

static int
run(struct cli *cli, int count, char **words)
{
    const struct status loaded = load_settings(cli, &count, words);

    if (failed(loaded))
        return complain(loaded);
    if (count == 0)
        return 0;
    for (size_t i = 0; i < COUNT_OF(commands); i++)
        if (strcmp(words[0], commands[i].name) == 0)
            return complain(commands[i].run(cli, count - 1, words + 1));
    print_usage(stderr);
    return USAGE_EXIT;
}

int
main(int argc, char **argv)
{
    struct arena arena;
    struct cli cli = {.arena = &arena, .clock = clock_system()};

    if (argc < 2 || strcmp(argv[1], "--help") == 0) {
        print_usage(argc < 2 ? stderr : stdout);
        return argc < 2 ? USAGE_EXIT : 0;
    }
    if (sodium_init() < 0) {
        fputs("samverka: libsodium does not start\n", stderr);
        return 1;
    }
    (void)signal(SIGPIPE, SIG_IGN); /* a closed pipe shows as a failed write */
    log_set_fd(STDERR_FILENO);
    log_init("cli", "", LOG_WARN_LEVEL);
    arena_init(&arena, COMMAND_BYTES);

    const int code = run(&cli, argc - 1, argv + 1);

    cli_disconnect(&cli);
    arena_fini(&arena);
    return code;
}
