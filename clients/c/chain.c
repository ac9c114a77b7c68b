#include <inttypes.h>
#include <sodium.h>
#include <string.h>

#include "clients/c/error.h"
#include "clients/c/event.h"

enum samverka_code
samverka_chain_begin(const char *tenant_id, struct samverka_chain *chain,
                     struct samverka_error *error)
{
    struct samverka_chain made = {.number = 0};

    if (!smv_uuid(tenant_id))
        return smv_fail(error, SAMVERKA_INVALID, "a tenant's id is a UUID in small letters");
    if (sodium_init() < 0)
        return smv_fail(error, SAMVERKA_SYSTEM, "libsodium does not start");
    memcpy(made.tenant_id, tenant_id, sizeof made.tenant_id);
    (void)crypto_generichash(made.link, sizeof made.link, (const uint8_t *)tenant_id,
                             SMV_UUID_CHARS, NULL, 0); /* fails for wrong sizes alone */
    *chain = made;
    return SAMVERKA_OK;
}

enum samverka_code
samverka_chain_add(struct samverka_chain *chain, const struct samverka_event *event,
                   struct samverka_error *error)
{
    const char *tenant_id = samverka_event_attribute(event, "tenantid");
    const char *audience = samverka_event_attribute(event, "audience");
    const uint64_t number = smv_event_number(event, "tenantsequence");
    crypto_generichash_state state;

    if (!tenant_id || strcmp(tenant_id, chain->tenant_id) != 0 ||
        (audience && strcmp(audience, "internal") == 0))
        return SAMVERKA_OK;
    if (number != chain->number + 1)
        return smv_fail(error, SAMVERKA_UNPROVEN,
                        "position %" PRIu64 ": number %" PRIu64
                        " of tenant %s follows %" PRIu64,
                        samverka_event_position(event), number, tenant_id, chain->number);
    (void)crypto_generichash_init(&state, NULL, 0, sizeof chain->link);
    (void)crypto_generichash_update(&state, chain->link, sizeof chain->link);
    (void)crypto_generichash_update(&state, event->packed, event->size);
    (void)crypto_generichash_final(&state, chain->link, sizeof chain->link);
    chain->number = number;
    return SAMVERKA_OK;
}
