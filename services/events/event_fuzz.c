/* Events as bytes: what the log reads without unpacking is what protobuf-c reads, an event that
 * was accepted carries its numbers once and keeps everything else, and nothing breaks a batch.
 */

#include <stdlib.h>
#include <string.h>

#include "io/cloudevents/v1/cloudevents.pb-c.h"
#include "services/events/append.h"

#define TENANT "0193a000-0000-7000-8000-000000000001"

typedef Io__Cloudevents__V1__CloudEvent Event;
typedef Io__Cloudevents__V1__CloudEvent__CloudEventAttributeValue Value;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const Event *
unpack(struct bytes packed, struct arena *arena)
{
    ProtobufCMessage *message;

    if (failed(wire_unpack(&io__cloudevents__v1__cloud_event__descriptor, packed, arena,
                           &message)))
        abort();
    return (const Event *)message;
}

static const char *
text_of(const Value *value)
{
    switch (value ? value->attr_case : 0) {
    case IO__CLOUDEVENTS__V1__CLOUD_EVENT__CLOUD_EVENT_ATTRIBUTE_VALUE__ATTR_CE_STRING:
        return value->ce_string;
    case IO__CLOUDEVENTS__V1__CLOUD_EVENT__CLOUD_EVENT_ATTRIBUTE_VALUE__ATTR_CE_URI:
        return value->ce_uri;
    case IO__CLOUDEVENTS__V1__CLOUD_EVENT__CLOUD_EVENT_ATTRIBUTE_VALUE__ATTR_CE_URI_REF:
        return value->ce_uri_ref;
    default:
        return "";
    }
}

/* "" when absent; aborts when it is there twice. */
static const char *
attribute(const Event *event, const char *name)
{
    const char *found = NULL;

    for (size_t i = 0; i < event->n_attributes; i++) {
        if (strcmp(event->attributes[i]->key, name) != 0)
            continue;
        if (found)
            abort();
        found = text_of(event->attributes[i]->value);
    }
    return found ? found : "";
}

static void
compare(const struct packed_event *parts, const Event *event)
{
    if (!bytes_are(parts->id, event->id) || !bytes_are(parts->source, event->source) ||
        !bytes_are(parts->type, event->type) ||
        !bytes_are(parts->tenant_id, attribute(event, "tenantid")) ||
        !bytes_are(parts->audience, attribute(event, "audience")) ||
        !bytes_are(parts->subject, attribute(event, "subject")))
        abort();
}

static void
check_stored(struct bytes stored, const Event *before, bool give_tenant, struct arena *arena)
{
    const Event *after = unpack(stored, arena);

    if (strcmp(attribute(after, "sequence"), "0000000000000000008") != 0 ||
        strcmp(attribute(after, "tenantsequence"), "0000000000000000001") != 0 ||
        strcmp(attribute(after, "tenantid"), TENANT) != 0 ||
        after->n_attributes != before->n_attributes + 2 + give_tenant ||
        strcmp(after->id, before->id) != 0 || strcmp(after->type, before->type) != 0 ||
        strcmp(attribute(after, "audience"), attribute(before, "audience")) != 0 ||
        after->data_case != before->data_case)
        abort();
}

static void
number(struct bytes event, const struct packed_event *parts, bool give_tenant,
       struct arena *arena)
{
    const struct build_event item = {
        .packed = event, .tenant_id = TENANT, .parts = *parts, .give_tenant = give_tenant};
    struct bytes rest, stored;
    struct block *block;
    struct build build;
    bool broken = true;

    if (failed(build_begin(&build, arena, 7, NULL, 0, 1)) || failed(build_add(&build, &item)))
        abort();
    build_end(&build);
    if (failed(block_create(8, 1, build.blocks[0].data, arena, &block)))
        abort();
    rest = block->data;
    if (!packed_next(&rest, &stored, &broken) || rest.size)
        abort();
    check_stored(stored, unpack(event, arena), give_tenant, arena);
    block_release(&block);
}

static void
try_event(struct bytes event, struct arena *arena)
{
    struct packed_event parts;

    if (!failed(packed_check_outbox(event, TENANT, false, arena, &parts))) {
        compare(&parts, unpack(event, arena));
        number(event, &parts, false, arena);
    }
    if (!failed(packed_check_append(event, "/", arena, &parts))) {
        compare(&parts, unpack(event, arena));
        number(event, &parts, true, arena);
    }
}

static void
try_batch(struct bytes batch, struct arena *arena)
{
    scoped(append_job_release) struct append_job *job = NULL;
    struct block *block = NULL;

    const struct append_request request = {
        .tenant_id = TENANT, .source = "/", .batch_number = 1, .batch = batch};

    if (!failed(append_job_create(&request, arena, &job)) &&
        (job->event_count == 0 || job->event_count > PACKED_BATCH_EVENTS))
        abort();
    if (!failed(block_create(1, 2, batch, arena, &block)) &&
        (block->last != 2 || !block->events[1].parts.id.size))
        abort();
    block_release(&block);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;

    arena_init(&arena, (size_t)32 << 20);
    try_event((struct bytes){data, size}, &arena);
    try_batch((struct bytes){data, size}, &arena);
    arena_fini(&arena);
    return 0;
}
