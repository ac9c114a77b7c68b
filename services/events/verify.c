#include "services/events/verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "io/cloudevents/v1/cloudevents.pb-c.h"

bool
verify_is_full(const struct verify *verify)
{
    return verify->fault_count == VERIFY_FAULTS_MAX;
}

struct status
verify_note(struct verify *verify, uint64_t position, const char *format, ...)
{
    va_list args;
    char *reason;

    if (verify_is_full(verify))
        return OK;
    va_start(args, format);
    reason = arena_vprintf(verify->arena, format, args);
    va_end(args);
    TRY(need(reason));
    verify->faults[verify->fault_count++] = (struct verify_fault){position, reason};
    return OK;
}

struct status
verify_gap(struct verify *verify, uint64_t last)
{
    const uint64_t first = verify->next;

    verify->next = last + 1;
    return verify_note(verify, first, "no block holds positions %" PRIu64 " to %" PRIu64, first,
                       last);
}

static bool
holds(struct texts texts, struct bytes wanted)
{
    for (size_t i = 0; i < texts.count; i++)
        if (bytes_are(wanted, texts.items[i]))
            return true;
    return false;
}

static bool
has_attribute(const Io__Cloudevents__V1__CloudEvent *event, const char *name, const char *text)
{
    for (size_t i = 0; i < event->n_attributes; i++) {
        const Io__Cloudevents__V1__CloudEvent__AttributesEntry *entry = event->attributes[i];

        if (strcmp(entry->key, name) == 0)
            return entry->value &&
                   entry->value->attr_case ==
                       IO__CLOUDEVENTS__V1__CLOUD_EVENT__CLOUD_EVENT_ATTRIBUTE_VALUE__ATTR_CE_STRING &&
                   strcmp(entry->value->ce_string, text) == 0;
    }
    return false;
}

/* NULL: the event stands where it says it does, and the row's filters let it be found. */
static const char *
fault_of_event(const struct store_raw *row, const struct block_event *event, uint64_t position,
               struct arena *scratch)
{
    ProtobufCMessage *message;
    struct bytes framed = event->framed, packed;
    bool broken;
    char text[24];

    (void)snprintf(text, sizeof text, "%019" PRIu64, position);
    if (!packed_next(&framed, &packed, &broken) ||
        failed(wire_unpack(&io__cloudevents__v1__cloud_event__descriptor, packed, scratch,
                           &message)))
        return "is no event";
    if (!has_attribute((const Io__Cloudevents__V1__CloudEvent *)message, "sequence", text))
        return "does not say its position";
    if (!holds(row->types, event->parts.type))
        return "has a type that the block does not name";
    if (!holds(row->tenant_ids, event->parts.tenant_id))
        return "is of a tenant that the block does not name";
    return NULL;
}

static struct status
check_events(struct verify *verify, const struct store_raw *row, const struct block *block,
             struct arena *scratch)
{
    for (uint32_t i = 0; i < block->count; i++) {
        const uint64_t position = block->position + i;
        const char *fault = fault_of_event(row, &block->events[i], position, scratch);

        if (fault) /* one is enough: the block must be looked at by a person */
            return verify_note(verify, row->position, "the event at %" PRIu64 " %s", position,
                               fault);
    }
    return OK;
}

/* Whether the bytes are those that were written; if so, whether they make sense is still to be
 * asked. */
static struct status
check_bytes(struct verify *verify, const struct store_raw *row, bool *ret_sound)
{
    uint8_t checksum[PACKED_HASH_BYTES];

    packed_hash(row->data, checksum);
    *ret_sound = row->checksum.size == sizeof checksum &&
                 memcmp(row->checksum.data, checksum, sizeof checksum) == 0;
    if (*ret_sound)
        return OK;
    return verify_note(verify, row->position, "the data does not have the checksum");
}

static struct status
check_data(struct verify *verify, const struct store_raw *row, struct arena *scratch)
{
    scoped(block_release) struct block *block = NULL;
    struct status status;
    bool sound;

    TRY(check_bytes(verify, row, &sound));
    if (!sound)
        return OK;
    status = block_create(row->position, row->count, row->data, scratch, &block);
    if (status.code == CODE_RESOURCE_EXHAUSTED)
        return status;
    if (failed(status))
        return verify_note(verify, row->position, "the data does not hold %u events",
                           row->count);
    return check_events(verify, row, block, scratch);
}

static struct status
check_place(struct verify *verify, const struct store_raw *row)
{
    if (row->position > verify->next)
        TRY(verify_gap(verify, row->position - 1));
    else if (row->position < verify->next)
        TRY(verify_note(verify, row->position,
                        "the block overlaps the one that ends at %" PRIu64, verify->next - 1));
    if (row->last - row->position + 1 != row->count)
        TRY(verify_note(verify, row->position, "the block ends at %" PRIu64 " but counts %u",
                        row->last, row->count));
    return OK;
}

struct status
verify_row(struct verify *verify, const struct store_raw *row, struct arena *scratch)
{
    TRY(check_place(verify, row));
    TRY(check_data(verify, row, scratch));
    verify->blocks++;
    if (row->last >= verify->next)
        verify->next = row->last + 1;
    return OK;
}
