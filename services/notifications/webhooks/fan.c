#include "services/notifications/webhooks/fan.h"

#include <sodium.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/metric.h"
#include "common/wire/follow.h"
#include "services/notifications/webhooks/content.h"

#define MODES (NOTIFICATIONS__V1__WEBHOOK_MODE__WEBHOOK_BATCH + 1)

static struct metric unmade = METRIC("webhook_unmade_total", METRIC_COUNTER,
                                     "events that no request can be made of", "type", NULL);

/* An event in the forms that were wanted so far. */
struct made {
    const char *message_id, *line;
    struct {
        const char *headers, *body; /* hexadecimal; NULL: not made yet */
        bool impossible;
    } as[MODES];
};

/* What one call of fan_out works with. */
struct work {
    const struct fan *fan;
    struct pg_tx *tx;
    struct fan_events events;
    struct made *made; /* one for each event */
    struct deliveries *deliveries;
    bool held;
};

static const char *
line_of(const Io__Cloudevents__V1__CloudEvent *event)
{
    const char *key = event_attribute(event, "partitionkey");
    const char *subject = event_attribute(event, "subject");

    if (key && *key)
        return key;
    return subject && *subject ? subject : event->id;
}

static struct status
make(struct work *work, size_t at, Notifications__V1__WebhookMode mode)
{
    const Io__Cloudevents__V1__CloudEvent *event = work->events.events[at];
    struct made *made = &work->made[at];
    struct content content;
    struct status status;
    char *hex;

    if (!made->message_id) {
        TRY(rules_webhook_message_id(work->fan->arena, event, &made->message_id));
        made->line = line_of(event);
    }
    if (made->as[mode].body || made->as[mode].impossible)
        return OK;
    status = content_make(work->fan->json, event, mode, work->fan->arena, &content);
    if (failed(status)) {
        /* The bytes will not get better; the log keeps them. */
        made->as[mode].impossible = true;
        metric_add(&unmade, event->type, NULL, 1);
        log_error("no webhook request can be made of an event", KV("event_id", event->id),
                  KV("type", event->type), KV("detail", status.detail));
        return OK;
    }
    TRY(need(hex = arena_alloc(work->fan->arena, 2 * content.size + 1)));
    sodium_bin2hex(hex, 2 * content.size + 1, content.body, content.size);
    made->as[mode].headers = content.headers;
    made->as[mode].body = hex;
    return OK;
}

static struct status
add(struct work *work, size_t at, Notifications__V1__WebhookMode mode)
{
    const Io__Cloudevents__V1__CloudEvent *event = work->events.events[at];
    struct deliveries *all = work->deliveries;
    const struct made *made = &work->made[at];
    const size_t i = all->count;

    TRY(make(work, at, mode));
    if (made->as[mode].impossible)
        return OK;
    all->positions[i] = (int64_t)event_position(event);
    all->message_ids[i] = made->message_id;
    all->event_ids[i] = event->id;
    all->types[i] = event->type;
    all->lines[i] = mode == NOTIFICATIONS__V1__WEBHOOK_MODE__WEBHOOK_BATCH ? "" : made->line;
    all->headers[i] = made->as[mode].headers;
    all->bodies[i] = made->as[mode].body;
    all->count++;
    return OK;
}

static struct status
hold_once(struct work *work)
{
    if (!work->held)
        TRY(store_hold_roll(work->tx));
    work->held = true;
    return OK;
}

static struct status
serve(struct work *work, struct webhook_sieve *sieve)
{
    const char *tenant_id = work->tx->scope.tenant_id;
    uint32_t open;

    work->deliveries->count = 0;
    for (size_t i = 0; i < work->events.count; i++)
        if (rules_webhook_passes(sieve, tenant_id, work->events.events[i]))
            TRY(add(work, i, sieve->mode));
    if (!work->deliveries->count)
        return OK;
    TRY(hold_once(work));
    TRY(store_open_count(work->tx, work->fan->arena, sieve->webhook_id, WEBHOOK_BACKLOG,
                         &open));
    if (open < WEBHOOK_BACKLOG)
        return store_add_deliveries(work->tx, sieve->webhook_id, work->fan->live,
                                    work->deliveries);
    sieve->full = true;
    sieve->fed_through = (uint64_t)work->deliveries->positions[0] - 1;
    return store_fed(work->tx, sieve->webhook_id, false, sieve->fed_through);
}

static struct status
part(const struct fan *fan, struct pg_tx *tx, struct webhook_sieve *sieves, size_t sieve_count,
     struct fan_events events, bool *ret_wrote)
{
    struct work work = {.fan = fan, .tx = tx, .events = events};

    arena_reset(fan->arena);
    TRY(need(work.made = ARENA_ARRAY(fan->arena, struct made, events.count)));
    TRY(need(work.deliveries = ARENA_NEW(fan->arena, struct deliveries)));
    for (size_t i = 0; i < sieve_count; i++)
        if (!sieves[i].full)
            TRY(serve(&work, &sieves[i]));
    *ret_wrote = *ret_wrote || work.held;
    return OK;
}

struct status
fan_out(const struct fan *fan, struct pg_tx *tx, struct webhook_sieve *sieves,
        size_t sieve_count, struct fan_events events, bool *ret_wrote)
{
    bool wrote = false;

    while (events.count) {
        const size_t count = events.count < FAN_EVENTS ? events.count : FAN_EVENTS;

        TRY(part(fan, tx, sieves, sieve_count, (struct fan_events){events.events, count},
                 &wrote));
        events.events += count;
        events.count -= count;
    }
    *ret_wrote = wrote;
    return OK;
}
