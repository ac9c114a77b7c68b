/* A stored block whatever its bytes: looked at without harm, and one without a fault holds what
 * it says.  The first byte is the count, the rest the data. */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/cloudevents/v1/cloudevents.pb-c.h"
#include "services/events/verify.h"

#define TENANT "0193a000-0000-7000-8000-000000000001"
#define TYPE "org.samverka.need.published.v1"
#define POSITION 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool
says(const Io__Cloudevents__V1__CloudEvent *event, uint64_t position)
{
    char text[24];

    (void)snprintf(text, sizeof text, "%019" PRIu64, position);
    for (size_t i = 0; i < event->n_attributes; i++)
        if (strcmp(event->attributes[i]->key, "sequence") == 0)
            return strcmp(event->attributes[i]->value->ce_string, text) == 0;
    return false;
}

/* By protobuf-c alone. */
static void
check_sound(struct bytes packed, uint32_t count, struct arena *arena)
{
    ProtobufCMessage *message;
    const Io__Cloudevents__V1__CloudEventBatch *batch;

    if (failed(wire_unpack(&io__cloudevents__v1__cloud_event_batch__descriptor, packed, arena,
                           &message)))
        return; /* the guard's limits hold for the batch as for one event: too many fields */
    batch = (const Io__Cloudevents__V1__CloudEventBatch *)message;
    if (batch->n_events != count)
        abort();
    for (uint32_t i = 0; i < count; i++)
        if (!says(batch->events[i], POSITION + i))
            abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const tenants[] = {TENANT}, *const types[] = {TYPE};
    uint8_t checksum[PACKED_HASH_BYTES];
    struct arena arena;
    struct verify verify = {.arena = &arena, .next = POSITION};
    struct store_raw row = {.position = POSITION,
                            .tenant_ids = {tenants, 1},
                            .types = {types, 1},
                            .checksum = {checksum, sizeof checksum}};

    if (size < 2 || !data[0])
        return 0;
    row.count = data[0];
    row.last = POSITION + row.count - 1;
    row.data = (struct bytes){data + 1, size - 1};
    packed_hash(row.data, checksum);
    arena_init(&arena, (size_t)32 << 20);
    if (failed(verify_row(&verify, &row, &arena)) || verify.next != row.last + 1 ||
        verify.fault_count > 1)
        abort();
    if (!verify.fault_count)
        check_sound(row.data, row.count, &arena);
    arena_fini(&arena);
    return 0;
}
