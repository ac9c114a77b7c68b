#include "services/notifications/webhooks/rules.h"

#include <sodium.h>
#include <string.h>

#include "common/base/uuid.h"
#include "common/wire/follow.h"
#include "services/notifications/webhooks/guard.h"

#define ID_BYTES 64
#define HASH_BYTES 16

static struct status
check_terms(struct arena *arena, const char *field, const char *const *terms, size_t count)
{
    if (count > WEBHOOK_TERMS)
        return FAIL_FIELD(arena, field, "has %zu terms; at most %d are allowed", count,
                          WEBHOOK_TERMS);
    for (size_t i = 0; i < count; i++) {
        const size_t size = strlen(terms[i]);

        if (size < 1 || size > WEBHOOK_TERM_BYTES)
            return FAIL_FIELD(arena, arena_printf(arena, "%s[%zu]", field, i),
                              "must have 1 to %d bytes", WEBHOOK_TERM_BYTES);
    }
    return OK;
}

static struct status
check_filter(struct arena *arena, const Notifications__V1__WebhookFilter *filter)
{
    TRY(check_terms(arena, "filter.types", (const char *const *)filter->types,
                    filter->n_types));
    TRY(check_terms(arena, "filter.tenant_ids", (const char *const *)filter->tenant_ids,
                    filter->n_tenant_ids));
    TRY(check_terms(arena, "filter.subjects", (const char *const *)filter->subjects,
                    filter->n_subjects));
    TRY(check_terms(arena, "filter.programmes", (const char *const *)filter->programmes,
                    filter->n_programmes));
    TRY(check_terms(arena, "filter.nuts", (const char *const *)filter->nuts, filter->n_nuts));
    TRY(check_terms(arena, "filter.concepts", (const char *const *)filter->concepts,
                    filter->n_concepts));
    for (size_t i = 0; i < filter->n_tenant_ids; i++)
        if (!uuid_valid(filter->tenant_ids[i]))
            return FAIL_FIELD(arena, arena_printf(arena, "filter.tenant_ids[%zu]", i),
                              "must be a UUID in lower case");
    return OK;
}

static struct status
check_mode(struct arena *arena, Notifications__V1__WebhookMode *mode)
{
    if (*mode == NOTIFICATIONS__V1__WEBHOOK_MODE__WEBHOOK_MODE_UNSPECIFIED)
        *mode = NOTIFICATIONS__V1__WEBHOOK_MODE__WEBHOOK_STRUCTURED;
    if (!protobuf_c_enum_descriptor_get_value(&notifications__v1__webhook_mode__descriptor,
                                              (int)*mode))
        return FAIL_FIELD(arena, "mode",
                          "must be WEBHOOK_STRUCTURED, WEBHOOK_BINARY or WEBHOOK_BATCH");
    return OK;
}

struct status
rules_webhook(struct arena *arena, bool loopback, Notifications__V1__Webhook *webhook)
{
    if (!*webhook->url)
        return FAIL_FIELD(arena, "url", "must be given");
    TRY(guard_url(webhook->url, loopback, arena, &webhook->url));
    if (!webhook->filter) {
        TRY(need(webhook->filter = ARENA_NEW(arena, Notifications__V1__WebhookFilter)));
        notifications__v1__webhook_filter__init(webhook->filter);
    }
    TRY(check_filter(arena, webhook->filter));
    TRY(check_mode(arena, &webhook->mode));
    if (strlen(webhook->description) > WEBHOOK_DESCRIPTION_BYTES)
        return FAIL_FIELD(arena, "description", "must have at most %d bytes",
                          WEBHOOK_DESCRIPTION_BYTES);
    return OK;
}

static bool
is_one(const char *const *terms, size_t count, const char *value)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(terms[i], value) == 0)
            return true;
    return false;
}

static bool
begins_with_one(const char *const *terms, size_t count, const char *value)
{
    for (size_t i = 0; i < count; i++)
        if (strncmp(value, terms[i], strlen(terms[i])) == 0)
            return true;
    return false;
}

static const char *
text_of(const Io__Cloudevents__V1__CloudEvent *event, const char *name)
{
    const char *text = event_attribute(event, name);

    return text ? text : "";
}

/* Whether a list with commas between holds one of the terms. */
static bool
list_holds(const char *list, const char *const *terms, size_t count)
{
    while (*list) {
        const size_t size = strcspn(list, ",");

        for (size_t i = 0; i < count; i++)
            if (strlen(terms[i]) == size && memcmp(terms[i], list, size) == 0)
                return true;
        list += size + (list[size] == ',');
    }
    return false;
}

static bool
visible(const char *tenant_id, const Io__Cloudevents__V1__CloudEvent *event)
{
    const char *audience = text_of(event, "audience");

    if (strcmp(audience, "internal") == 0)
        return false;
    return strcmp(text_of(event, "tenantid"), tenant_id) == 0 ||
           strcmp(audience, "public") == 0 || list_holds(audience, &tenant_id, 1);
}

bool
rules_webhook_passes(const struct webhook_sieve *sieve, const char *tenant_id,
                     const Io__Cloudevents__V1__CloudEvent *event)
{
    const Notifications__V1__WebhookFilter *filter = &sieve->filter;

    if (!visible(tenant_id, event))
        return false;
    return (!filter->n_types || begins_with_one((const char *const *)filter->types,
                                                filter->n_types, event->type)) &&
           (!filter->n_tenant_ids ||
            is_one((const char *const *)filter->tenant_ids, filter->n_tenant_ids,
                   text_of(event, "tenantid"))) &&
           (!filter->n_subjects || is_one((const char *const *)filter->subjects,
                                          filter->n_subjects, text_of(event, "subject"))) &&
           (!filter->n_programmes ||
            is_one((const char *const *)filter->programmes, filter->n_programmes,
                   text_of(event, "programme"))) &&
           (!filter->n_nuts || begins_with_one((const char *const *)filter->nuts,
                                               filter->n_nuts, text_of(event, "nuts"))) &&
           (!filter->n_concepts ||
            list_holds(text_of(event, "esco"), (const char *const *)filter->concepts,
                       filter->n_concepts));
}

struct status
rules_webhook_message_id(struct arena *arena, const Io__Cloudevents__V1__CloudEvent *event,
                         const char **ret)
{
    static const char fit[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    const size_t size = strlen(event->id);
    unsigned char hash[HASH_BYTES];
    char hex[2 * HASH_BYTES + 1];
    char *text;

    if (size >= 1 && size <= ID_BYTES && strspn(event->id, fit) == size)
        return need(*ret = arena_copy(arena, event->id));
    TRY(need(text = arena_printf(arena, "%s\n%s", event->source, event->id)));
    crypto_generichash(hash, sizeof hash, (const unsigned char *)text, strlen(text), NULL, 0);
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    return need(*ret = arena_printf(arena, "evt_%s", hex));
}

int64_t
rules_webhook_retry_ms(uint32_t attempts, uint32_t chance, uint32_t thousandths)
{
    static const int64_t seconds[] = {5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400};
    int64_t ms;

    if (attempts < 1 || attempts > COUNT_OF(seconds))
        return attempts < 1 ? 0 : -1;
    ms = seconds[attempts - 1] * thousandths;
    return ms * (900 + (int64_t)(chance % 1000) / 5) / 1000;
}

enum webhook_verdict
rules_webhook_verdict(const struct webhook_answer *answer, uint32_t *ret_patience_s)
{
    *ret_patience_s = 0;
    if (answer->error)
        return VERDICT_AGAIN;
    if (answer->status >= 200 && answer->status < 300)
        return VERDICT_DELIVERED;
    if (answer->status == 410)
        return VERDICT_GONE;
    if (answer->status == 429 || (answer->status >= 502 && answer->status <= 504)) {
        *ret_patience_s = answer->retry_after_s > WEBHOOK_PATIENCE_S ? WEBHOOK_PATIENCE_S
                                                                     : answer->retry_after_s;
        return VERDICT_SLOW_DOWN;
    }
    return VERDICT_AGAIN;
}
