#include "services/cli/import.h"

#include <errno.h>
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/cli/progress.h"

#define ARENA_BYTES ((size_t)64 << 20) /* of a batch */
#define NAME_BYTES 16
#define NAME_SIZE (2 * NAME_BYTES + 1)
#define ATTEMPTS 5

struct run {
    struct cli *cli;
    const struct importer *importer;
    struct arena arena;     /* of a batch */
    char name[NAME_SIZE];   /* of what is imported */
    char number[NAME_SIZE]; /* of this run and those it goes on with */
    char *state_path;
    size_t items, batches; /* found by the check */
    uint16_t *counts;      /* items of each batch */
    size_t room;           /* for counts */
    size_t done;           /* batches sent by this run and earlier ones */
    size_t lines[IMPORT_BATCH];
    uint64_t created, refreshed, unchanged;
};

_Static_assert(IMPORT_BATCH <= UINT16_MAX, "a batch's count fits");

static size_t count_fields(const ProtobufCMessage *message);

/* Those inside a message field, which is one message or a list of `count`. */
static size_t
count_inside(const void *member, bool list, size_t count)
{
    const ProtobufCMessage *const *messages = member;
    size_t total = 0;

    if (list)
        memcpy(&messages, member, sizeof messages);
    for (size_t i = 0; i < count; i++)
        if (messages[i])
            total += count_fields(messages[i]);
    return total;
}

/* Fields on the wire, at most.  The messages that are imported nest no deeper than their types
 * do. */
static size_t
count_fields(const ProtobufCMessage *message)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;
    size_t total = 0;

    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        const bool list = field->label == PROTOBUF_C_LABEL_REPEATED;
        const char *start = (const char *)message;
        size_t count = 1;

        if (list)
            memcpy(&count, start + field->quantifier_offset, sizeof count);
        total += count;
        if (field->type == PROTOBUF_C_TYPE_MESSAGE)
            total += count_inside(start + field->offset, list, count);
    }
    return total;
}

/* How full the batch is that is being cut. */
struct cut {
    size_t items, fields, bytes;
};

static struct status
end_batch(struct run *run, struct cut *cut)
{
    if (cut->items == 0)
        return OK;
    if (run->batches == run->room) {
        const size_t room = run->room ? 2 * run->room : 256;
        uint16_t *counts = ARENA_ARRAY(run->cli->arena, uint16_t, room);

        TRY(need(counts));
        if (run->batches > 0)
            memcpy(counts, run->counts, run->batches * sizeof *counts);
        run->counts = counts;
        run->room = room;
    }
    run->counts[run->batches++] = (uint16_t)cut->items;
    *cut = (struct cut){0};
    return OK;
}

static struct status
add_item(struct run *run, struct cut *cut, const ProtobufCMessage *item)
{
    const size_t fields = 1 + count_fields(item);
    const size_t bytes = 8 + protobuf_c_message_get_packed_size(item);

    if (cut->items == IMPORT_BATCH || cut->fields + fields > IMPORT_FIELDS ||
        cut->bytes + bytes > IMPORT_BYTES)
        TRY(end_batch(run, cut));
    cut->items++;
    cut->fields += fields;
    cut->bytes += bytes;
    run->items++;
    return OK;
}

/* Reads and checks every item and cuts the batches; tells what is wrong, line by line. */
static struct status
check_all(struct run *run)
{
    struct cut cut = {0};
    size_t errors = 0;
    bool lost = false;

    TRY(run->importer->rewind(run->importer->context, run->cli->arena));
    while (!lost) {
        ProtobufCMessage *item;
        size_t line;

        arena_reset(&run->arena);

        const struct status read =
            run->importer->next(run->importer->context, &run->arena, &item, &line, &lost);

        if (failed(read)) {
            if (++errors <= IMPORT_ERRORS)
                fprintf(stderr, "%s: %s\n", read.field ? read.field : "-", read.detail);
            continue;
        }
        if (!item)
            break;
        TRY(add_item(run, &cut, item));
    }
    if (errors == 0)
        return end_batch(run, &cut);
    return FAIL(run->cli->arena, INVALID_ARGUMENT,
                "%zu place%s in the file %s wrong%s; nothing was sent", errors,
                errors == 1 ? "" : "s", errors == 1 ? "is" : "are",
                lost ? ", and the rest could not be read" : "");
}

static struct status
name_run(struct run *run, const char *fingerprint)
{
    const char *tenant = run->cli->tenant ? run->cli->tenant : "";
    char *all = arena_printf(run->cli->arena, "%s\n%s\n%s\n%d %d %zu", run->importer->method,
                             tenant, fingerprint, IMPORT_BATCH, IMPORT_FIELDS, IMPORT_BYTES);
    unsigned char hash[NAME_BYTES], random[NAME_BYTES];

    TRY(need(all));
    (void)crypto_generichash(hash, sizeof hash, (const unsigned char *)all, strlen(all), NULL,
                             0); /* cannot fail with these sizes */
    sodium_bin2hex(run->name, sizeof run->name, hash, sizeof hash);
    randombytes_buf(random, sizeof random);
    sodium_bin2hex(run->number, sizeof run->number, random, sizeof random);
    return need(run->state_path = arena_printf(run->cli->arena, "%s/%s",
                                               run->cli->settings.state_folder, run->name));
}

/* The number of an earlier run that did not end, and the batches it has sent. */
static void
load_state(struct run *run)
{
    FILE *file = fopen(run->state_path, "r");
    char number[NAME_SIZE];
    size_t done;

    if (!file)
        return;
    if (fscanf(file, "%32s %zu", number, &done) == 2 && done <= run->batches &&
        strlen(number) == NAME_SIZE - 1) {
        run->done = done;
        memcpy(run->number, number, sizeof run->number);
    }
    (void)fclose(file); /* it was only read */
}

static struct status
store_state(struct run *run)
{
    const char *folder = run->cli->settings.state_folder;
    FILE *file;

    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return FAIL(run->cli->arena, INVALID_ARGUMENT, "state_folder %s: %s", folder,
                    strerror(errno));
    file = fopen(run->state_path, "w");
    if (!file)
        return FAIL(run->cli->arena, INVALID_ARGUMENT, "%s: %s", run->state_path,
                    strerror(errno));
    fprintf(file, "%s %zu\n", run->number, run->done);
    if (fclose(file) != 0)
        return FAIL(run->cli->arena, INVALID_ARGUMENT, "%s: %s", run->state_path,
                    strerror(errno));
    return OK;
}

/* "organisations[17].names[0].value" of a batch as the place of its item in the file. */
static struct status
place_failure(struct run *run, struct status status)
{
    const char *bracket = status.field ? strchr(status.field, '[') : NULL;
    const size_t index = bracket ? strtoul(bracket + 1, NULL, 10) : IMPORT_BATCH;
    const char *rest = bracket ? strchr(bracket, ']') : NULL;
    const char *place = run->importer->pointers ? "/" : "line ";

    if (index >= IMPORT_BATCH || !rest)
        return status;
    rest += rest[1] == '.' ? 2 : 1;
    status.field = arena_printf(run->cli->arena, "%s%zu%s%s", place, run->lines[index],
                                *rest ? ", " : "", rest);
    status.detail =
        arena_printf(run->cli->arena, "%s; this batch was not stored, %zu of %zu were",
                     status.detail, run->done, run->batches);
    return status;
}

static uint32_t
counter(const ProtobufCMessage *reply, const char *name)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(reply->descriptor, name);
    uint32_t value = 0;

    if (field && field->type == PROTOBUF_C_TYPE_UINT32)
        memcpy(&value, (const char *)reply + field->offset, sizeof value);
    return value;
}

/* Sends a batch; a part of the cluster that is away for a while is waited for. */
static struct status
send_batch(struct run *run, const ProtobufCMessage *request, size_t number)
{
    char *key = arena_printf(&run->arena, "import-%s-%zu", run->number, number);
    struct status sent = OK;
    ProtobufCMessage *reply;

    TRY(need(key));
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        sent = cli_call(run->cli, run->importer->method, request, run->importer->reply, key,
                        &run->arena, &reply);
        if (!failed(sent) || code_retry(sent.code) == RETRY_NEVER)
            break;
    }
    TRY(sent);
    run->created += counter(reply, "created");
    run->refreshed += counter(reply, "refreshed");
    run->unchanged += counter(reply, "unchanged");
    run->done = number + 1;
    return store_state(run);
}

static struct status
read_batch(struct run *run, size_t number, ProtobufCMessage **items)
{
    bool lost;

    for (size_t i = 0; i < run->counts[number]; i++)
        TRY(run->importer->next(run->importer->context, &run->arena, &items[i], &run->lines[i],
                                &lost));
    return OK;
}

static struct status
fill_and_send(struct run *run, ProtobufCMessage **items, size_t number)
{
    ProtobufCMessage *request;

    TRY(run->importer->fill(run->importer->context, &run->arena, items, run->counts[number],
                            number, &request));
    return send_batch(run, request, number);
}

static struct status
send_all(struct run *run)
{
    ProtobufCMessage *items[IMPORT_BATCH];
    const size_t already = run->done;
    char *progress = arena_printf(run->cli->arena, "%zu %s", run->items, run->importer->what);

    TRY(need(progress));
    TRY(run->importer->rewind(run->importer->context, run->cli->arena));
    for (size_t number = 0; number < run->batches; number++) {
        arena_reset(&run->arena);
        TRY(read_batch(run, number, items));
        if (number < already)
            continue;

        const struct status sent = fill_and_send(run, items, number);

        if (failed(sent))
            return place_failure(run, sent);
        progress_show(run->done, run->batches, progress);
    }
    return OK;
}

static struct status
run_import(struct run *run, const struct import_options *options)
{
    const struct mono begun = clock_mono(run->cli->clock);

    TRY(check_all(run));
    if (options->dry_run) {
        printf("%zu %s, nothing wrong with them; nothing was sent\n", run->items,
               run->importer->what);
        return OK;
    }
    TRY(name_run(run, options->fingerprint));
    if (!options->from_start)
        load_state(run);
    if (run->done > 0)
        fprintf(stderr, "going on after batch %zu of %zu\n", run->done, run->batches);
    TRY(store_state(run));
    TRY(send_all(run));
    (void)unlink(run->state_path); /* at worst the next run finds nothing left to send */
    printf("%zu %s: %" PRIu64 " created, %" PRIu64 " refreshed, %" PRIu64
           " unchanged, in %.1f s\n",
           run->items, run->importer->what, run->created, run->refreshed, run->unchanged,
           (double)mono_micros_between(begun, clock_mono(run->cli->clock)) / 1e6);
    return OK;
}

struct status
import_run(struct cli *cli, const struct importer *importer,
           const struct import_options *options)
{
    struct run *run = ARENA_NEW(cli->arena, struct run);

    TRY(need(run));
    run->cli = cli;
    run->importer = importer;
    arena_init(&run->arena, ARENA_BYTES);

    const struct status status = run_import(run, options);
    /* What is told lives longer than the batch. */
    const struct status kept = {
        .code = status.code,
        .detail = status.detail ? arena_copy(cli->arena, status.detail) : NULL,
        .field = status.field ? arena_copy(cli->arena, status.field) : NULL};

    arena_fini(&run->arena);
    return kept;
}

struct status
import_command(struct cli *cli, int count, char **words)
{
    struct import_options options = {.dry_run = cli_flag(&count, words, "--dry-run"),
                                     .from_start = cli_flag(&count, words, "--from-start")};

    TRY(cli_no_more_options(cli, count, words));
    if (!options.dry_run)
        TRY(cli_find_tenant(cli));
    if (count >= 2 && strcmp(words[0], "esco") == 0)
        return import_esco(cli, count - 1, words + 1, &options);
    if (count >= 2 && strcmp(words[0], "yso") == 0)
        return import_yso(cli, count - 1, words + 1, &options);
    if (count == 2 && strcmp(words[0], "organisations") == 0)
        return import_organisations(cli, words[1], &options);
    if (count == 2 && strcmp(words[0], "people") == 0)
        return import_people(cli, words[1], &options);
    return FAIL(cli->arena, INVALID_ARGUMENT,
                "import esco FILE... | yso FILE... | organisations FILE | people FILE "
                "[--dry-run] [--from-start]");
}
