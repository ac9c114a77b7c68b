/* The mapper as a filter, for comparison with Python's json_format and for its bench.
 *
 *     json_tool                      frames on standard input and output
 *     json_tool bench MESSAGE ROUNDS  reads packed bytes, prints nanoseconds a round
 *
 * A frame in: 'r' (JSON to protobuf) or 'w' (back), a message name and a payload, each after
 * its size as 4 bytes, least first.  A frame out: the code as 4 bytes, then a sized text: the
 * result, or "<pointer>\n<detail>".
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/json/json.h"
#include "common/wire/contract.h"
#include "common/wire/message.h"
#include "json_test.pb-c.h"

#define DESCRIPTORS_MAX 512
#define FRAME_BYTES ((uint32_t)1 << 20)

struct tool {
    struct json_schema *schema;
    const ProtobufCMessageDescriptor *descriptors[DESCRIPTORS_MAX + 1];
    struct arena arena;
};

static void
collect(struct tool *tool)
{
    size_t count = 0;

    tool->descriptors[count++] = &gateway__test__v1__sample__descriptor;
    for (size_t i = 0; i < contract_service_count; i++)
        for (unsigned j = 0; j < contract_services[i]->n_methods; j++) {
            if (count + 2 > DESCRIPTORS_MAX)
                abort();
            tool->descriptors[count++] = contract_services[i]->methods[j].input;
            tool->descriptors[count++] = contract_services[i]->methods[j].output;
        }
}

static const struct json_plan *
find(const struct tool *tool, const char *name)
{
    for (size_t i = 0; tool->descriptors[i]; i++)
        if (strcmp(tool->descriptors[i]->name, name) == 0)
            return json_schema_find(tool->schema, tool->descriptors[i]);
    return NULL;
}

/* NULL at the end of the input. */
static char *
read_sized(struct arena *arena, uint32_t *ret_size)
{
    uint32_t size;
    char *data;

    if (fread(&size, sizeof size, 1, stdin) != 1 || size > FRAME_BYTES)
        return NULL;
    data = arena_alloc(arena, size + 1);
    if (!data || fread(data, 1, size, stdin) != size)
        return NULL;
    *ret_size = size;
    return data;
}

static void
write_sized(const void *data, size_t size)
{
    const uint32_t count = (uint32_t)size;

    fwrite(&count, sizeof count, 1, stdout);
    fwrite(data, 1, size, stdout);
}

static struct status
convert(struct tool *tool, int direction, const struct json_plan *plan, struct bytes payload,
        struct buffer *into)
{
    ProtobufCMessage *message;
    struct bytes packed;

    if (direction == 'w') {
        TRY(wire_unpack(json_plan_descriptor(plan), payload, &tool->arena, &message));
        return json_write(plan, message, &tool->arena, into);
    }
    TRY(json_read(plan, (const char *)payload.data, payload.size, NULL, &tool->arena, &message,
                  NULL));
    TRY(wire_pack(message, &tool->arena, &packed));
    buffer_put(into, packed.data, packed.size);
    return OK;
}

static int
filter(struct tool *tool)
{
    scoped(buffer_fini) struct buffer out = {0};
    int direction;

    buffer_init(&out, FRAME_BYTES * 4);
    while ((direction = getchar()) != EOF) {
        uint32_t name_size, size, code;
        const char *name = read_sized(&tool->arena, &name_size);
        const char *payload = name ? read_sized(&tool->arena, &size) : NULL;
        const struct json_plan *plan = payload ? find(tool, name) : NULL;
        struct status status;

        if (!plan)
            return 1;
        buffer_clear(&out);
        status = convert(tool, direction, plan, (struct bytes){(const uint8_t *)payload, size},
                         &out);
        if (failed(status)) {
            buffer_clear(&out);
            buffer_printf(&out, "%s\n%s", status.field ? status.field : "",
                          status.detail ? status.detail : "");
        }
        code = (uint32_t)status.code;
        fwrite(&code, sizeof code, 1, stdout);
        write_sized(out.data, out.size);
        fflush(stdout);
        arena_reset(&tool->arena);
    }
    return 0;
}

/* The processor's time, so that neighbours on the machine do not count. */
static int64_t
cpu_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * 1000000000 + now.tv_nsec;
}

static int
bench(struct tool *tool, const struct json_plan *plan, long rounds)
{
    static uint8_t input[FRAME_BYTES];
    const struct bytes packed = {input, fread(input, 1, sizeof input, stdin)};
    scoped(buffer_fini) struct buffer text = {0};
    struct arena call;
    ProtobufCMessage *message, *back;
    int64_t start, middle, end;

    buffer_init(&text, FRAME_BYTES);
    arena_init(&call, ARENA_CALL_BYTES);
    if (failed(wire_unpack(json_plan_descriptor(plan), packed, &tool->arena, &message)))
        return 1;
    start = cpu_ns();
    for (long i = 0; i < rounds; i++) {
        buffer_clear(&text);
        if (failed(json_write(plan, message, &call, &text)))
            return 1;
    }
    middle = cpu_ns();
    for (long i = 0; i < rounds; i++) {
        arena_reset(&call);
        if (failed(
                json_read(plan, (const char *)text.data, text.size, NULL, &call, &back, NULL)))
            return 1;
    }
    end = cpu_ns();
    printf("%zu %.1f %.1f\n", text.size, (double)(middle - start) / (double)rounds,
           (double)(end - middle) / (double)rounds);
    arena_fini(&call);
    return 0;
}

int
main(int argc, char **argv)
{
    struct tool tool = {0};
    int result = 1;

    arena_init(&tool.arena, ARENA_CALL_BYTES);
    collect(&tool);
    if (failed(json_schema_create(tool.descriptors, &tool.arena, &tool.schema)))
        return 1;
    if (argc == 1)
        result = filter(&tool);
    else if (argc == 4 && strcmp(argv[1], "bench") == 0 && find(&tool, argv[2]))
        result = bench(&tool, find(&tool, argv[2]), strtol(argv[3], NULL, 10));
    else
        fprintf(stderr, "usage: %s [bench MESSAGE ROUNDS]\n", argv[0]);
    json_schema_destroy(&tool.schema);
    arena_fini(&tool.arena);
    return result;
}
