#include "services/notifications/webhooks/note.h"

#include <sodium.h>

#include "common/base/log.h"
#include "common/base/metric.h"

#define READY NOTIFICATIONS__V1__DELIVERY_STATE__DELIVERY_READY
#define FAILED_FOR_GOOD NOTIFICATIONS__V1__DELIVERY_STATE__DELIVERY_FAILED

static struct metric outcomes =
    METRIC("webhook_deliveries_total", METRIC_COUNTER,
           "requests to receivers by what came of them", "outcome", NULL);
static struct metric latencies = METRIC("webhook_delivery_seconds", METRIC_HISTOGRAM,
                                        "time from a request's start to its end", NULL, NULL);

static struct status
delivered(struct pg_tx *tx, const struct tried *tried)
{
    bool noted;

    TRY(store_delivered(tx, tried, &noted));
    if (!noted)
        return OK;
    if (tried->due->kind == DELIVERY_VERIFICATION)
        TRY(store_verified(tx, tried->due->webhook_id));
    return tried->due->kind == DELIVERY_EVENT ? store_next_of_line(tx, tried->due) : OK;
}

/* An event waits until the webhook is resumed; what we asked of our own is over. */
static struct status
disable(struct pg_tx *tx, const struct tried *tried, Notifications__V1__WebhookReason reason)
{
    bool noted;

    TRY(store_put_off(tx, tried, 0,
                      tried->due->kind == DELIVERY_EVENT ? READY : FAILED_FOR_GOOD, &noted));
    if (!noted)
        return OK;
    log_warn("webhook disabled", KV("webhook_id", tried->due->webhook_id),
             KV("reason", (int)reason), KV("status", tried->status), KV("error", tried->error),
             KV("attempts", tried->due->attempts));
    return store_disable(tx, tried->due->webhook_id, reason);
}

static struct status
again(struct pg_tx *tx, const struct tried *tried, uint32_t patience_s, uint32_t thousandths)
{
    int64_t ms =
        rules_webhook_retry_ms(tried->due->attempts, randombytes_uniform(1000), thousandths);
    bool noted;

    if (ms < 0)
        return disable(tx, tried, NOTIFICATIONS__V1__WEBHOOK_REASON__WEBHOOK_EXHAUSTED);
    if (ms < (int64_t)patience_s * 1000)
        ms = (int64_t)patience_s * 1000;
    TRY(store_put_off(tx, tried, ms, READY, &noted));
    if (patience_s && noted)
        TRY(store_slow_down(tx, tried->due->webhook_id, (int64_t)patience_s * 1000));
    return OK;
}

struct status
note_write(struct pg_tx *tx, struct arena *arena, const struct note *note, uint32_t thousandths)
{
    static const char *const names[] = {[VERDICT_DELIVERED] = "delivered",
                                        [VERDICT_AGAIN] = "failed",
                                        [VERDICT_SLOW_DOWN] = "slow_down",
                                        [VERDICT_GONE] = "gone"};
    struct tried tried = {.due = note->due,
                          .status = note->answer.status,
                          .latency_ms = note->latency_ms,
                          .error = note->answer.error ? note->answer.error : ""};
    uint32_t patience_s;
    const enum webhook_verdict verdict = rules_webhook_verdict(&note->answer, &patience_s);
    bool noted;

    metric_add(&outcomes, names[verdict], NULL, 1);
    metric_observe_seconds(&latencies, NULL, NULL, note->latency_ms / 1000.0);
    if (verdict == VERDICT_DELIVERED)
        return delivered(tx, &tried);
    if (!note->answer.error)
        TRY(need(tried.error = arena_printf(arena, "the receiver answered %u", tried.status)));
    if (verdict == VERDICT_GONE)
        return disable(tx, &tried, NOTIFICATIONS__V1__WEBHOOK_REASON__WEBHOOK_GONE);
    if (note->due->kind == DELIVERY_TEST)
        return store_put_off(tx, &tried, 0, FAILED_FOR_GOOD, &noted);
    return again(tx, &tried, patience_s, thousandths);
}
