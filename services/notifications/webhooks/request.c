#include "services/notifications/webhooks/request.h"

#include <inttypes.h>
#include <string.h>

#include "services/notifications/webhooks/guard.h"

#define SIGNATURES_BYTES 2048
#define BATCH_TYPE "content-type: application/cloudevents-batch+json\n"

static struct status
sign(const struct seal_ring *ring, const char *tenant_id, const struct due *due,
     const struct seal_message *message, struct arena *arena, const char **ret)
{
    const struct seal_owner owner = {tenant_id, due->webhook_id};
    scoped(buffer_fini) struct buffer text = {0};

    buffer_init(&text, SIGNATURES_BYTES);
    TRY(seal_sign(ring, &owner, due->secret, due->secret_size, message, arena, &text));
    if (due->old_secret_size)
        TRY(seal_sign(ring, &owner, due->old_secret, due->old_secret_size, message, arena,
                      &text));
    return need(*ret = arena_copy_n(arena, text.data, text.size));
}

static struct status
copy_body(const struct due *due, const struct buffer *body, struct arena *arena,
          struct post_request *ret)
{
    const bool batch = due->mode == NOTIFICATIONS__V1__WEBHOOK_MODE__WEBHOOK_BATCH;
    uint8_t *copy = arena_alloc(arena, body->size + 2);

    TRY(need(copy));
    if (body->size)
        memcpy(copy + batch, body->data, body->size);
    if (batch) {
        copy[0] = '[';
        copy[body->size + 1] = ']';
    }
    ret->body = copy;
    ret->size = body->size + (batch ? 2 : 0);
    return OK;
}

struct status
request_make(const struct seal_ring *ring, const char *tenant_id, const struct due *due,
             const char *batch, const struct buffer *body, struct wall now, bool loopback,
             struct arena *arena, struct post_request *ret)
{
    struct seal_message message = {.id = *batch ? batch : due->message_id,
                                   .timestamp = now.unix_ms / 1000};
    struct post_request request = {0};
    const char *signatures;

    TRY(guard_url(due->url, loopback, arena, &request.url));
    TRY(copy_body(due, body, arena, &request));
    message.body = request.body;
    message.size = request.size;
    TRY(sign(ring, tenant_id, due, &message, arena, &signatures));
    TRY(need(request.headers = arena_printf(
                 arena,
                 "%s%swebhook-id: %s\nwebhook-timestamp: %" PRId64 "\nwebhook-signature: %s\n",
                 due->mode == NOTIFICATIONS__V1__WEBHOOK_MODE__WEBHOOK_BATCH ? BATCH_TYPE : "",
                 due->headers, message.id, message.timestamp, signatures)));
    *ret = request;
    return OK;
}
