/* samverka events follow [--after N] [--type T]... [--count N]: one JSON object a line. */

#include "services/cli/cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json/json.h"
#include "common/wire/contract.h"
#include "events/v1/log.pb-c.h"

#define LINE_BYTES ((size_t)256 << 10)
#define TYPES_MOST 16
#define WAIT_MS 1000
#define BATCH_BYTES ((size_t)64 << 20)

struct following {
    struct cli *cli;
    struct json_schema *schema; /* of every event's data */
    struct buffer line;
    uint64_t left; /* events still wanted; UINT64_MAX: no end */
};

/* JSON of every event type that the contract has. */
static struct status
make_schema(struct arena *arena, struct json_schema **ret)
{
    const ProtobufCMessageDescriptor **roots;

    TRY(need(roots = ARENA_ARRAY(arena, const ProtobufCMessageDescriptor *,
                                 contract_event_count + 1)));
    for (size_t i = 0; i < contract_event_count; i++)
        roots[i] = contract_events[i].descriptor;
    return json_schema_create(roots, arena, ret);
}

static void
put_text(struct buffer *line, const char *name, const char *value)
{
    if (!value)
        return;
    buffer_printf(line, ",\"%s\":", name);
    buffer_put_json(line, value, strlen(value));
}

/* The data as JSON; an event of a type that this program does not know has none. */
static void
put_data(struct following *f, const Io__Cloudevents__V1__CloudEvent *event, struct arena *arena)
{
    const struct contract_event *known = contract_find_event_type(event->type);
    ProtobufCMessage *data;

    if (!known || failed(event_data(event, known->descriptor, arena, &data)))
        return;
    buffer_puts(&f->line, ",\"data\":");
    if (failed(
            json_write(json_schema_find(f->schema, known->descriptor), data, arena, &f->line)))
        f->line.broken = true;
}

static struct status
print_event(struct following *f, const Io__Cloudevents__V1__CloudEvent *event,
            struct arena *arena)
{
    static const char *const attributes[] = {"subject",        "tenantid",  "audience",
                                             "tenantsequence", "programme", "nuts",
                                             "correlationid"};

    buffer_clear(&f->line);
    buffer_printf(&f->line, "{\"position\":%" PRIu64, event_position(event));
    put_text(&f->line, "type", event->type);
    put_text(&f->line, "id", event->id);
    put_text(&f->line, "source", event->source);
    for (size_t i = 0; i < COUNT_OF(attributes); i++)
        put_text(&f->line, attributes[i], event_attribute(event, attributes[i]));
    put_data(f, event, arena);
    buffer_puts(&f->line, "}\n");
    TRY(buffer_check(&f->line, arena));
    if (fwrite(f->line.data, 1, f->line.size, stdout) != f->line.size || fflush(stdout) != 0)
        return FAIL(arena, UNAVAILABLE, "nobody reads the output any more");
    return OK;
}

/* A heartbeat is a batch without events. */
static struct status
print_batch(struct following *f, const struct follow_batch *batch, struct arena *arena)
{
    if (!batch->events)
        return OK;
    for (size_t i = 0; i < batch->events->n_events && f->left > 0; i++, f->left--)
        TRY(print_event(f, batch->events->events[i], arena));
    return OK;
}

static struct status
follow_events(struct following *f, struct follow *follow)
{
    struct arena arena;
    struct status status = OK;

    arena_init(&arena, BATCH_BYTES);
    while (!failed(status) && f->left > 0) {
        struct follow_batch batch;

        arena_reset(&arena);
        status = follow_next(follow, WAIT_MS, &arena, &batch);
        if (status.code == CODE_DEADLINE_EXCEEDED || status.code == CODE_UNAVAILABLE)
            status = OK; /* it connects again by itself */
        else if (status.code == CODE_POSITION_GONE)
            status = FAIL(f->cli->arena, POSITION_GONE, "the first position kept is %" PRIu64,
                          batch.through);
        else if (!failed(status))
            status = print_batch(f, &batch, &arena);
    }
    arena_fini(&arena);
    return status;
}

struct follow_words {
    const char *after, *count;
    const char *types[TYPES_MOST + 1];
};

static struct status
read_words(struct cli *cli, int count, char **words, struct follow_words *ret)
{
    TRY(cli_option(cli, &count, words, "--after", &ret->after));
    TRY(cli_option(cli, &count, words, "--count", &ret->count));
    for (size_t i = 0; i < TYPES_MOST; i++) {
        TRY(cli_option(cli, &count, words, "--type", &ret->types[i]));
        if (!ret->types[i])
            break;
    }
    TRY(cli_no_more_options(cli, count, words));
    if (count != 1 || strcmp(words[0], "follow") != 0)
        return FAIL(cli->arena, INVALID_ARGUMENT,
                    "events follow [--after N] [--type T] [--count N]");
    return OK;
}

static struct status
number(struct cli *cli, const char *name, const char *text, uint64_t fallback, uint64_t *ret)
{
    char *end;

    *ret = fallback;
    if (!text)
        return OK;
    *ret = strtoull(text, &end, 10);
    if (*end || end == text || *text == '-')
        return FAIL_FIELD(cli->arena, name, "must be a number, not %.20s", text);
    return OK;
}

/* Without --after it begins with what comes next. */
static struct status
head_position(struct cli *cli, uint64_t *ret)
{
    Events__V1__HeadRequest request = EVENTS__V1__HEAD_REQUEST__INIT;
    ProtobufCMessage *reply;

    TRY(cli_call(cli, "events.v1.Log/Head", &request.base, &events__v1__head_reply__descriptor,
                 NULL, cli->arena, &reply));
    *ret = ((const Events__V1__HeadReply *)reply)->position;
    return OK;
}

struct status
events_command(struct cli *cli, int count, char **words)
{
    scoped(follow_destroy) struct follow *follow = NULL;
    scoped(json_schema_destroy) struct json_schema *schema = NULL;
    struct follow_words chosen = {0};
    char public_key[KEY_TEXT_SIZE] = "";
    struct following f = {.cli = cli};
    uint64_t after = 0;

    TRY(read_words(cli, count, words, &chosen));
    TRY(number(cli, "--count", chosen.count, UINT64_MAX, &f.left));
    TRY(cli_connect(cli));
    if (!chosen.after)
        TRY(head_position(cli, &after));
    TRY(number(cli, "--after", chosen.after, after, &after));
    if (cli->settings.curve)
        TRY(key_public_load(cli->settings.key_folder, "events", cli->arena, public_key));
    TRY(make_schema(cli->arena, &schema));

    const struct follow_config config = {.zmq_context = cli->zmq_context,
                                         .resolver = cli->resolver,
                                         .clock = cli->clock,
                                         .endpoint_list = cli->settings.stream_endpoints,
                                         .curve = cli->settings.curve,
                                         .own = &cli->key,
                                         .server_public = public_key,
                                         .types = chosen.types[0] ? chosen.types : NULL,
                                         .after = after};

    TRY(follow_create(&config, cli->arena, &follow));
    f.schema = schema;
    buffer_init(&f.line, LINE_BYTES);

    const struct status status = follow_events(&f, follow);

    buffer_fini(&f.line);
    return status;
}
