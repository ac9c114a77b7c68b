#include "services/events/federation_event.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/uuid.h"
#include "common/wire/contract.h"
#include "common/wire/follow.h"

/* What the peer's log has put behind its event. */
#define NUMBERS_BYTES (PACKED_SEQUENCE_BYTES + PACKED_TENANT_SEQUENCE_BYTES)
#define SCRATCH_BYTES ((size_t)4 << 20) /* of one event, unpacked */

bool
federation_under(struct bytes source, const char *root)
{
    const size_t size = strlen(root);

    return bytes_begin(source, root) && (source.size == size || source.data[size] == '/');
}

/* What is wrong with an event's form has a place in it; the reason is "form". */
static struct status
as_form(struct status status, struct arena *arena)
{
    if (!failed(status) || status.code == CODE_RESOURCE_EXHAUSTED)
        return status; /* our memory is not the peer's fault */
    return FAIL_FIELD(arena, "form", "%s: %s", status.field ? status.field : "event",
                      status.detail ? status.detail : code_name(status.code));
}

static struct status
check_form(struct bytes foreign, struct arena *arena, struct packed_event *ret)
{
    if (foreign.size > PACKED_EVENT_BYTES + NUMBERS_BYTES)
        return FAIL_FIELD(arena, "size", "%zu bytes", foreign.size);
    TRY(as_form(wire_check(&io__cloudevents__v1__cloud_event__descriptor, foreign, arena),
                arena));
    return as_form(packed_scan(foreign, arena, ret), arena);
}

static struct status
check_owner(const struct federation_roots *roots, const struct packed_event *parts,
            struct arena *arena, const char **ret_tenant)
{
    const char *tenant_id;

    if (!bytes_are(parts->audience, "public"))
        return FAIL_FIELD(arena, "audience", "is not public");
    if (federation_under(parts->source, roots->own))
        return FAIL_FIELD(arena, "own", "its source is ours");
    if (!federation_under(parts->source, roots->peer))
        return FAIL_FIELD(arena, "source", "does not lie under %s", roots->peer);
    TRY(need(tenant_id = arena_copy_n(arena, parts->tenant_id.data, parts->tenant_id.size)));
    if (!uuid_valid(tenant_id))
        return FAIL_FIELD(arena, "tenant", "is no UUID");
    *ret_tenant = tenant_id;
    return OK;
}

/* That the data is the message which the type promises. */
static struct status
check_data(struct bytes foreign, const struct contract_event *contract, struct arena *arena)
{
    scoped(arena_fini) struct arena scratch = {0};
    ProtobufCMessage *event, *data;

    arena_init(&scratch, SCRATCH_BYTES);
    if (failed(wire_unpack(&io__cloudevents__v1__cloud_event__descriptor, foreign, &scratch,
                           &event)) ||
        failed(event_data((const Io__Cloudevents__V1__CloudEvent *)event, contract->descriptor,
                          &scratch, &data)))
        return FAIL_FIELD(arena, "data", "is not the message of its type");
    return OK;
}

/* Types that this version does not know are kept: a peer may be newer. */
static struct status
check_type(struct bytes foreign, const struct packed_event *parts, struct arena *arena)
{
    const struct contract_event *contract;
    const char *type;

    TRY(need(type = arena_copy_n(arena, parts->type.data, parts->type.size)));
    contract = contract_find_event_type(type);
    if (!contract)
        return OK;
    if (contract->internal)
        return FAIL_FIELD(arena, "type", "%s never leaves a deployment", type);
    return check_data(foreign, contract, arena);
}

static bool
read_number(struct bytes text, uint64_t *ret)
{
    uint64_t number = 0;

    if (!text.size)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        const unsigned digit = (unsigned)text.data[i] - '0';

        if (digit > 9 || number > ((uint64_t)INT64_MAX - digit) / 10)
            return false;
        number = number * 10 + digit;
    }
    *ret = number;
    return true;
}

/* The event without the numbers that its log gave it. */
struct stripped {
    uint8_t *data; /* room for the number that it gets instead */
    size_t size;
    struct bytes sequence;
};

static struct status
strip(struct bytes foreign, struct arena *arena, struct stripped *ret)
{
    struct stripped stripped = {.size = 0};
    struct packed_field field;

    TRY(need(stripped.data = arena_alloc(arena, foreign.size + PACKED_ORIGIN_BYTES)));
    while (packed_next_field(&foreign, &field)) {
        if (!bytes_name_attribute(field.name))
            return FAIL_FIELD(arena, "form", "an attribute has a name that is none");
        if (bytes_are(field.name, "originsequence"))
            return FAIL_FIELD(arena, "forwarded", "is an event of a third deployment");
        if (bytes_are(field.name, "sequence")) {
            stripped.sequence = field.text;
        } else if (!bytes_are(field.name, "tenantsequence")) {
            memcpy(stripped.data + stripped.size, field.whole.data, field.whole.size);
            stripped.size += field.whole.size;
        }
    }
    if (stripped.size > PACKED_EVENT_BYTES)
        return FAIL_FIELD(arena, "size", "%zu bytes", stripped.size);
    *ret = stripped;
    return OK;
}

struct status
federation_event_take(const struct federation_roots *roots, struct federation_range range,
                      struct bytes foreign, struct arena *arena, struct federation_event *ret)
{
    struct federation_event event;
    struct packed_event parts;
    struct stripped stripped = {0};

    TRY(check_form(foreign, arena, &parts));
    TRY(strip(foreign, arena, &stripped));
    if (!read_number(stripped.sequence, &event.position) || event.position <= range.after ||
        event.position > range.through)
        return FAIL_FIELD(arena, "sequence", "is not after %" PRIu64 " and up to %" PRIu64,
                          range.after, range.through);
    TRY(check_owner(roots, &parts, arena, &event.tenant_id));
    TRY(check_type(foreign, &parts, arena));
    stripped.size += packed_put_origin(stripped.data + stripped.size, event.position);
    event.packed = (struct bytes){stripped.data, stripped.size};
    TRY(packed_scan(event.packed, arena, &event.parts));
    *ret = event;
    return OK;
}
