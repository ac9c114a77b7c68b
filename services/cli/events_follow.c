/* samverka events follow [--after N] [--count N] [filters] [--consumer NAME [--shared]]
 * samverka events replay [--after N] [--through N] [--to FILE] [filters]
 * samverka events export --to FILE|- [--through N] [--trim] */

#include "services/cli/events.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <string.h>
#include <unistd.h>

#include "events/v1/log.pb-c.h"

#define FOLLOW_CREDIT 4096
#define BULK_CREDIT 50000
#define PATIENCE_MS 30000 /* of a command that ends: with an answer from nobody */

static void
close_follow(struct samverka_follow **follow)
{
    samverka_follow_close(*follow);
}

static struct status
follow_on(struct cli *cli, struct samverka_follow *follow, struct events_lines *lines,
          uint64_t left)
{
    while (left > 0) {
        struct samverka_batch batch = {0};
        struct samverka_error error;
        size_t printed = 0;

        TRY(events_next(cli, follow, -1, &batch));
        for (; printed < batch.count && left > 0; printed++, left--)
            TRY(events_lines_put(lines, cli, batch.events[printed]));
        TRY(events_lines_flush(lines, cli));
        if (batch.delivery && printed == batch.count &&
            samverka_follow_ack(follow, batch.delivery, &error) != SAMVERKA_OK)
            return FAIL(cli->arena, INTERNAL, "%s", error.text);
    }
    return OK;
}

struct status
events_follow(struct cli *cli, const struct events_words *words)
{
    scoped(close_follow) struct samverka_follow *follow = NULL;
    scoped(events_lines_fini) struct events_lines lines = {0};
    uint64_t after = 0, left, first_kept;

    TRY(events_number(cli, "--count", words->count, UINT64_MAX, &left));
    if (words->shared && !words->consumer)
        return FAIL_FIELD(cli->arena, "--shared", "needs --consumer");
    /* Without --after it begins with what comes next. */
    if (!words->after)
        TRY(events_head(cli, &after, &first_kept));
    TRY(events_number(cli, "--after", words->after, after, &after));
    TRY(events_open(cli, words, after, FOLLOW_CREDIT, &follow));
    TRY(events_lines_init(&lines, cli, stdout));
    lines.positions = true;
    return follow_on(cli, follow, &lines, left);
}

/* Everything with after < position <= through that passes.  `gapless`: each position is there.
 */
static struct status
copy(struct cli *cli, const struct events_words *words, uint64_t after, uint64_t through,
     bool gapless, struct events_rate *rate, struct events_lines *lines)
{
    scoped(close_follow) struct samverka_follow *follow = NULL;
    struct samverka_batch batch = {.through = after};
    uint64_t last = after;

    if (after >= through)
        return OK;
    TRY(events_open(cli, words, after, BULK_CREDIT, &follow));
    while (batch.through < through) {
        uint64_t taken = 0;

        TRY(events_next(cli, follow, PATIENCE_MS, &batch));
        for (size_t i = 0; i < batch.count; i++) {
            const uint64_t position = samverka_event_position(batch.events[i]);

            if (position > through)
                break;
            if (gapless && position != last + 1)
                return FAIL(cli->arena, FAILED_PRECONDITION, "position %" PRIu64 " is missing",
                            last + 1);
            last = position;
            TRY(events_lines_put(lines, cli, batch.events[i]));
            taken++;
        }
        events_rate_add(rate, taken, batch.through, through);
    }
    if (gapless && last != through)
        return FAIL(cli->arena, FAILED_PRECONDITION, "position %" PRIu64 " is missing",
                    last + 1);
    return events_lines_flush(lines, cli);
}

/* The file while it is not whole; it takes its name when it lies on the disk. */
struct target {
    FILE *file; /* NULL: standard output */
    char *part;
};

static void
target_fini(struct target *target)
{
    if (!target->file)
        return;
    (void)fclose(target->file); /* what was to be kept is synced by now */
    (void)unlink(target->part); /* gone already when it was kept */
    target->file = NULL;
}

static struct status
target_open(struct cli *cli, const char *to, struct target *ret)
{
    if (!to || strcmp(to, "-") == 0)
        return OK;
    TRY(need(ret->part = arena_printf(cli->arena, "%s.part", to)));
    ret->file = fopen(ret->part, "we");
    if (!ret->file)
        return FAIL_FIELD(cli->arena, "--to", "%s: %s", ret->part, strerror(errno));
    return OK;
}

static struct status
target_keep(struct cli *cli, const char *to, struct target *target)
{
    char *copy = arena_copy(cli->arena, to ? to : "");
    int folder;
    bool kept;

    if (!target->file)
        return OK;
    TRY(need(copy));
    if (fflush(target->file) != 0 || fsync(fileno(target->file)) != 0 ||
        rename(target->part, to) != 0)
        return FAIL_FIELD(cli->arena, "--to", "%s: %s", to, strerror(errno));
    folder = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    kept = folder >= 0 && fsync(folder) == 0; /* its name, too */
    if (folder >= 0)
        (void)close(folder);
    return kept ? OK : FAIL_FIELD(cli->arena, "--to", "%s: %s", to, strerror(errno));
}

static struct status
copy_to(struct cli *cli, const struct events_words *words, const char *verb, uint64_t after,
        uint64_t through, bool gapless)
{
    scoped(target_fini) struct target target = {0};
    scoped(events_lines_fini) struct events_lines lines = {0};
    struct events_rate rate;

    TRY(target_open(cli, words->to, &target));
    TRY(events_lines_init(&lines, cli, target.file ? target.file : stdout));
    lines.positions = !gapless;
    events_rate_init(&rate, cli, verb);
    TRY(copy(cli, words, after, through, gapless, &rate, &lines));
    TRY(target_keep(cli, words->to, &target));
    events_rate_end(&rate, through);
    return OK;
}

struct status
events_replay(struct cli *cli, const struct events_words *words)
{
    uint64_t head, first_kept, after, through;

    TRY(events_head(cli, &head, &first_kept));
    TRY(events_number(cli, "--after", words->after, first_kept, &after));
    TRY(events_number(cli, "--through", words->through, head, &through));
    if (through > head)
        return FAIL_FIELD(cli->arena, "--through", "the log ends at %" PRIu64, head);
    return copy_to(cli, words, "replayed", after, through, false);
}

static struct status
trim(struct cli *cli, uint64_t through)
{
    Events__V1__TrimRequest request = EVENTS__V1__TRIM_REQUEST__INIT;
    ProtobufCMessage *reply;

    request.through = through;
    TRY(cli_call(cli, "events.v1.Log/Trim", &request.base, &events__v1__trim_reply__descriptor,
                 NULL, cli->arena, &reply));
    fprintf(stderr, "the log begins after position %" PRIu64 " now\n",
            ((const Events__V1__TrimReply *)reply)->first_kept);
    return OK;
}

struct status
events_export(struct cli *cli, const struct events_words *words)
{
    uint64_t head, first_kept, through;

    if (!words->to)
        return FAIL_FIELD(cli->arena, "--to", "names a file, or - for standard output");
    if (words->trim && strcmp(words->to, "-") == 0)
        return FAIL_FIELD(cli->arena, "--trim",
                          "needs a file, which is known to be on the disk");
    if (cli->tenant)
        return FAIL_FIELD(cli->arena, "--tenant", "an export is of the whole log");
    TRY(events_head(cli, &head, &first_kept));
    TRY(events_number(cli, "--through", words->through, head, &through));
    if (through > head)
        return FAIL_FIELD(cli->arena, "--through", "the log ends at %" PRIu64, head);
    TRY(copy_to(cli, words, "exported", first_kept, through, true));
    return words->trim ? trim(cli, through) : OK;
}
