/* A follow of the log through libsamverka, and its events as lines of JSON. */

#include "services/cli/events.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/wire/message.h"
#include "events/v1/log.pb-c.h"

#define LINE_BYTES ((size_t)256 << 10)
#define EVENT_BYTES ((size_t)4 << 20)
#define WAIT_MS 1000
#define TELL_MS 1000

struct status
events_head(struct cli *cli, uint64_t *ret_position, uint64_t *ret_first_kept)
{
    Events__V1__HeadRequest request = EVENTS__V1__HEAD_REQUEST__INIT;
    const Events__V1__HeadReply *head;
    ProtobufCMessage *reply;

    TRY(cli_call(cli, "events.v1.Log/Head", &request.base, &events__v1__head_reply__descriptor,
                 NULL, cli->arena, &reply));
    head = (const Events__V1__HeadReply *)reply;
    *ret_position = head->position;
    *ret_first_kept = head->first_kept;
    return OK;
}

static struct status
status_of(struct cli *cli, const struct samverka_error *error)
{
    switch (error->code) {
    case SAMVERKA_INVALID:
        return FAIL(cli->arena, INVALID_ARGUMENT, "%s", error->text);
    case SAMVERKA_DENIED:
        return FAIL(cli->arena, PERMISSION_DENIED, "%s", error->text);
    case SAMVERKA_GONE:
        return FAIL(cli->arena, POSITION_GONE, "the first position kept is %" PRIu64,
                    error->first_kept);
    case SAMVERKA_TAKEN:
        return FAIL(cli->arena, ABORTED, "%s", error->text);
    default:
        return FAIL(cli->arena, INTERNAL, "%s", error->text);
    }
}

struct status
events_open(struct cli *cli, const struct events_words *words, uint64_t after, uint32_t credit,
            struct samverka_follow **ret)
{
    struct samverka_keys keys;
    char server_key[KEY_TEXT_SIZE] = "";
    struct samverka_error error;

    TRY(cli_connect(cli));
    if (cli->settings.curve)
        TRY(key_public_load(cli->settings.key_folder, "events", cli->arena, server_key));
    memcpy(keys.public_key, cli->key.public_text, sizeof keys.public_key);
    memcpy(keys.secret_key, cli->key.secret_text, sizeof keys.secret_key);

    const char *const tenants[] = {cli->tenant, NULL};
    const struct samverka_place place = {.endpoints = cli->settings.stream_endpoints,
                                         .server_key = cli->settings.curve ? server_key : NULL,
                                         .keys = &keys};
    const struct samverka_wish wish = {.after = after,
                                       .types = words->types,
                                       .tenant_ids = tenants,
                                       .subjects = words->subjects,
                                       .programmes = words->programmes,
                                       .nuts = words->nuts,
                                       .concepts = words->concepts,
                                       .consumer = words->consumer,
                                       .shared = words->shared,
                                       .credit = credit};

    return samverka_follow_open(&place, &wish, ret, &error) == SAMVERKA_OK
               ? OK
               : status_of(cli, &error);
}

struct status
events_next(struct cli *cli, struct samverka_follow *follow, int patience_ms,
            struct samverka_batch *batch)
{
    const struct mono deadline =
        mono_add_ms(clock_mono(cli->clock), patience_ms < 0 ? 0 : patience_ms);
    const uint64_t before = batch->through;

    for (;;) {
        struct samverka_error error;
        const enum samverka_code code = samverka_follow_next(follow, WAIT_MS, batch, &error);

        if (code == SAMVERKA_OK && (patience_ms < 0 || batch->through > before))
            return OK;
        if (code != SAMVERKA_OK && code != SAMVERKA_TIMEOUT && code != SAMVERKA_UNREACHABLE)
            return status_of(cli, &error);
        /* It connects again by itself. */
        if (patience_ms >= 0 && mono_left_ms(deadline, clock_mono(cli->clock)) == 0)
            return FAIL(cli->arena, UNAVAILABLE,
                        "nothing behind position %" PRIu64 " came in %d s", before,
                        patience_ms / 1000);
    }
}

struct status
events_lines_init(struct events_lines *lines, struct cli *cli, FILE *out)
{
    *lines = (struct events_lines){.out = out};
    TRY(event_json_create(cli->arena, &lines->json));
    buffer_init(&lines->line, LINE_BYTES);
    arena_init(&lines->arena, EVENT_BYTES);
    return OK;
}

void
events_lines_fini(struct events_lines *lines)
{
    if (!lines->json)
        return;
    buffer_fini(&lines->line);
    arena_fini(&lines->arena);
    event_json_destroy(&lines->json);
}

static struct status
write_failed(struct cli *cli)
{
    if (errno == EPIPE)
        return FAIL(cli->arena, UNAVAILABLE, "nobody reads the output any more");
    return FAIL(cli->arena, UNAVAILABLE, "the output cannot be written: %s", strerror(errno));
}

struct status
events_lines_put(struct events_lines *lines, struct cli *cli,
                 const struct samverka_event *event)
{
    struct buffer *line = &lines->line;
    ProtobufCMessage *message;
    struct bytes packed;

    arena_reset(&lines->arena);
    buffer_clear(line);
    packed.data = samverka_event_packed(event, &packed.size);
    TRY(wire_unpack(&io__cloudevents__v1__cloud_event__descriptor, packed, &lines->arena,
                    &message));
    if (lines->positions)
        buffer_printf(line, "{\"position\":%" PRIu64 ",", samverka_event_position(event));

    const size_t start = line->size;

    TRY(event_json_write(lines->json, (const Io__Cloudevents__V1__CloudEvent *)message,
                         &lines->arena, line));
    buffer_putc(line, '\n');
    TRY(buffer_check(line, cli->arena));
    if (lines->positions) /* one brace for both */
        memmove(line->data + start, line->data + start + 1, --line->size - start);
    if (fwrite(line->data, 1, line->size, lines->out) != line->size)
        return write_failed(cli);
    return OK;
}

struct status
events_lines_flush(struct events_lines *lines, struct cli *cli)
{
    return fflush(lines->out) == 0 ? OK : write_failed(cli);
}

void
events_rate_init(struct events_rate *rate, struct cli *cli, const char *verb)
{
    const struct mono now = clock_mono(cli->clock);

    *rate = (struct events_rate){verb, cli->clock, now, now, 0};
}

static uint64_t
per_second(const struct events_rate *rate)
{
    const int64_t ns = clock_mono(rate->clock).ns - rate->began.ns;

    return ns > 0 ? (uint64_t)((double)rate->events * 1e9 / (double)ns) : 0;
}

void
events_rate_add(struct events_rate *rate, uint64_t events, uint64_t position, uint64_t target)
{
    const struct mono now = clock_mono(rate->clock);

    rate->events += events;
    if (mono_left_ms(mono_add_ms(rate->told, TELL_MS), now) > 0)
        return;
    rate->told = now;
    fprintf(stderr,
            "%s %" PRIu64 " events, %" PRIu64 " a second, at position %" PRIu64 " of %" PRIu64
            "\n",
            rate->verb, rate->events, per_second(rate), position, target);
}

void
events_rate_end(const struct events_rate *rate, uint64_t position)
{
    fprintf(stderr, "%s %" PRIu64 " events, %" PRIu64 " a second, up to position %" PRIu64 "\n",
            rate->verb, rate->events, per_second(rate), position);
}
