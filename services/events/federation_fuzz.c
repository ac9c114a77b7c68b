/* Events of another deployment: whatever bytes come, an event is refused for a reason that is
 * known, or every field but its numbers stands in the new bytes as it stood, in its order.
 * And the setting that names the peers is read or refused.
 */

#include <stdlib.h>
#include <string.h>

#include "services/events/federation_event.h"
#include "services/events/federation_peer.h"

static const struct federation_roots roots = {.peer = "/p", .own = "/own"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
is_number(struct bytes name)
{
    return bytes_are(name, "sequence") || bytes_are(name, "tenantsequence") ||
           bytes_are(name, "originsequence");
}

/* The next field that is no number of a log's. */
static bool
next_kept(struct bytes *rest, struct packed_field *ret)
{
    while (packed_next_field(rest, ret))
        if (!is_number(ret->name))
            return true;
    return false;
}

static void
compare(struct bytes foreign, const struct federation_event *event)
{
    struct bytes before = foreign, after = event->packed;
    struct packed_field one, other;

    while (next_kept(&before, &one))
        if (!next_kept(&after, &other) || !bytes_equal(one.whole, other.whole))
            abort();
    if (next_kept(&after, &other))
        abort();
}

static void
check_taken(struct bytes foreign, const struct federation_event *event, struct arena *arena)
{
    struct federation_event again;
    struct packed_event parts;
    struct packed_field field;
    struct bytes rest = event->packed;
    size_t origins = 0;

    compare(foreign, event);
    while (packed_next_field(&rest, &field)) {
        origins += bytes_are(field.name, "originsequence");
        if (bytes_are(field.name, "sequence") || bytes_are(field.name, "tenantsequence"))
            abort();
    }
    if (origins != 1 || rest.size || event->position == 0 ||
        event->packed.size > PACKED_EVENT_BYTES + PACKED_ORIGIN_BYTES)
        abort();
    if (failed(packed_scan(event->packed, arena, &parts)) || !parts.numbered ||
        !bytes_are(parts.audience, "public") || !bytes_are(parts.tenant_id, event->tenant_id) ||
        !federation_under(parts.source, roots.peer))
        abort();
    /* What has been taken in is never taken in again. */
    if (!failed(federation_event_take(&roots, (struct federation_range){0, INT64_MAX},
                                      event->packed, arena, &again)))
        abort();
}

static void
check_refused(struct status status)
{
    static const char *const reasons[] = {"size", "form",   "sequence", "audience", "forwarded",
                                          "own",  "source", "tenant",   "type",     "data"};

    if (status.code == CODE_RESOURCE_EXHAUSTED)
        return;
    if (status.code != CODE_INVALID_ARGUMENT || !status.field)
        abort();
    for (size_t i = 0; i < COUNT_OF(reasons); i++)
        if (strcmp(reasons[i], status.field) == 0)
            return;
    abort();
}

static void
try_event(struct bytes foreign, struct arena *arena)
{
    struct federation_event event;
    const struct status status = federation_event_take(
        &roots, (struct federation_range){0, INT64_MAX}, foreign, arena, &event);

    if (failed(status))
        check_refused(status);
    else
        check_taken(foreign, &event, arena);
}

static void
try_setting(struct bytes bytes, struct arena *arena)
{
    struct federation_peer peers[FEDERATION_PEERS_MAX];
    const char *text = arena_copy_n(arena, bytes.data, bytes.size);
    size_t count = 0;
    struct status status;

    if (!text)
        return;
    status = federation_peers_parse(text, "/own", arena, peers, &count);
    if (failed(status) ? !status.field : count > FEDERATION_PEERS_MAX)
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;

    arena_init(&arena, (size_t)16 << 20);
    try_event((struct bytes){data, size}, &arena);
    try_setting((struct bytes){data, size}, &arena);
    arena_fini(&arena);
    return 0;
}
