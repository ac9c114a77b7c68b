/* The importers' promise: whatever the file holds, it is read to its end or refused; nothing is
 * sent by a dry run.
 *
 * The first byte chooses the importer: organisations (JSON or CSV), people. */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "services/cli/import.h"

#define MEMORY_BYTES ((size_t)256 << 20)

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int file;
static char path[32];

/* In the place of connect.c: a dry run asks nobody. */
struct status
cli_call(struct cli *cli, const char *method, const ProtobufCMessage *request,
         const ProtobufCMessageDescriptor *reply_descriptor, const char *idempotency_key,
         struct arena *arena, ProtobufCMessage **ret)
{
    (void)cli;
    (void)method;
    (void)request;
    (void)reply_descriptor;
    (void)idempotency_key;
    (void)arena;
    (void)ret;
    abort();
}

struct status
cli_find_tenant(struct cli *cli)
{
    (void)cli;
    abort();
}

bool
cli_flag(int *count, char **words, const char *name)
{
    (void)count;
    (void)words;
    (void)name;
    abort();
}

struct status
cli_no_more_options(struct cli *cli, int count, char **words)
{
    (void)cli;
    (void)count;
    (void)words;
    abort();
}

/* What is told about a bad file goes nowhere; libFuzzer has taken its own stderr before. */
int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    stdout = fopen("/dev/null", "w");
    stderr = fopen("/dev/null", "w");
    file = memfd_create("import", MFD_CLOEXEC);
    if (!stdout || !stderr || file < 0 ||
        snprintf(path, sizeof path, "/proc/self/fd/%d", file) >= (int)sizeof path)
        abort();
    return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct import_options options = {.dry_run = true};
    struct arena arena;
    struct status status;

    if (size == 0)
        return 0;
    if (ftruncate(file, 0) != 0 || pwrite(file, data + 1, size - 1, 0) != (ssize_t)size - 1)
        abort();
    arena_init(&arena, MEMORY_BYTES);

    struct cli cli = {.arena = &arena, .clock = clock_system()};

    status = data[0] % 2 ? import_people(&cli, path, &options)
                         : import_organisations(&cli, path, &options);
    if (failed(status) && (!status.detail || !*status.detail))
        abort(); /* a refusal has a reason */
    arena_fini(&arena);
    return 0;
}
