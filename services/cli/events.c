/* samverka events follow | replay | verify | export | consumers | forget: the words. */

#include "services/cli/events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define USAGE "events follow | replay | verify | export | consumers | forget USER CONSUMER"

/* Which options a command takes, as bits. */
enum taken {
    AFTER = 1,
    THROUGH = 2,
    COUNT = 4,
    TO = 8,
    CONSUMER = 16,
    FILTERS = 32,
    TRIM = 64,
};

static const struct {
    const char *name;
    unsigned taken;
    struct status (*run)(struct cli *cli, const struct events_words *words);
} commands[] = {
    {"follow", AFTER | COUNT | CONSUMER | FILTERS, events_follow},
    {"replay", AFTER | THROUGH | TO | FILTERS, events_replay},
    {"verify", AFTER, events_verify},
    {"export", THROUGH | TO | TRIM, events_export},
};

struct status
events_number(struct cli *cli, const char *name, const char *text, uint64_t fallback,
              uint64_t *ret)
{
    unsigned long long number;
    char *end;

    if (!text) {
        *ret = fallback;
        return OK;
    }
    errno = 0;
    number = strtoull(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || errno)
        return FAIL_FIELD(cli->arena, name, "must be a number, not %.20s", text);
    *ret = number;
    return OK;
}

static struct status
read_terms(struct cli *cli, int *count, char **words, const char *name,
           const char *ret[EVENTS_TERMS_MOST + 1])
{
    for (size_t i = 0; i < EVENTS_TERMS_MOST; i++) {
        TRY(cli_option(cli, count, words, name, &ret[i]));
        if (!ret[i])
            return OK;
    }
    return OK; /* one more is an unknown option */
}

static struct status
read_words(struct cli *cli, unsigned taken, int *count, char **words, struct events_words *ret)
{
    if (taken & AFTER)
        TRY(cli_option(cli, count, words, "--after", &ret->after));
    if (taken & THROUGH)
        TRY(cli_option(cli, count, words, "--through", &ret->through));
    if (taken & COUNT)
        TRY(cli_option(cli, count, words, "--count", &ret->count));
    if (taken & TO)
        TRY(cli_option(cli, count, words, "--to", &ret->to));
    if (taken & TRIM)
        ret->trim = cli_flag(count, words, "--trim");
    if (taken & CONSUMER) {
        TRY(cli_option(cli, count, words, "--consumer", &ret->consumer));
        ret->shared = cli_flag(count, words, "--shared");
    }
    if (taken & FILTERS) {
        TRY(read_terms(cli, count, words, "--type", ret->types));
        TRY(read_terms(cli, count, words, "--subject", ret->subjects));
        TRY(read_terms(cli, count, words, "--programme", ret->programmes));
        TRY(read_terms(cli, count, words, "--nuts", ret->nuts));
        TRY(read_terms(cli, count, words, "--concept", ret->concepts));
    }
    return cli_no_more_options(cli, *count, words);
}

struct status
events_command(struct cli *cli, int count, char **words)
{
    struct events_words *chosen;

    TRY(cli_find_tenant(cli));
    TRY(need(chosen = ARENA_NEW(cli->arena, struct events_words)));
    for (size_t i = 0; count > 0 && i < COUNT_OF(commands); i++) {
        if (strcmp(words[0], commands[i].name) != 0)
            continue;
        TRY(read_words(cli, commands[i].taken, &count, words, chosen));
        if (count != 1)
            return FAIL(cli->arena, INVALID_ARGUMENT, "events %s takes options alone",
                        commands[i].name);
        return commands[i].run(cli, chosen);
    }
    TRY(cli_no_more_options(cli, count, words));
    if (count == 1 && strcmp(words[0], "consumers") == 0)
        return events_consumers(cli);
    if (count == 3 && strcmp(words[0], "forget") == 0)
        return events_forget(cli, words[1], words[2]);
    return FAIL(cli->arena, INVALID_ARGUMENT, USAGE);
}
