#include "services/events/frames.h"

#include <stdio.h>
#include <string.h>

#include "common/base/utf8.h"

static struct status
check_credit(uint32_t credit, const char *field, struct arena *arena)
{
    if (credit < 1 || credit > RULES_CREDIT_MAX)
        return FAIL_FIELD(arena, field, "must be 1 to %u", RULES_CREDIT_MAX);
    return OK;
}

struct status
frame_read(struct bytes packed, struct arena *arena, Events__V1__ClientFrame **ret)
{
    ProtobufCMessage *message;
    Events__V1__ClientFrame *frame;

    TRY(wire_unpack(&events__v1__client_frame__descriptor, packed, arena, &message));
    frame = (Events__V1__ClientFrame *)message;
    switch (frame->frame_case) {
    case EVENTS__V1__CLIENT_FRAME__FRAME_FOLLOW:
        TRY(check_credit(frame->follow->credit, "follow.credit", arena));
        if (frame->follow->after > INT64_MAX)
            return FAIL_FIELD(arena, "follow.after", "is not a position");
        TRY(rules_check_filter(frame->follow->filter, arena));
        break;
    case EVENTS__V1__CLIENT_FRAME__FRAME_CREDIT:
        TRY(check_credit(frame->credit->events, "credit.events", arena));
        break;
    case EVENTS__V1__CLIENT_FRAME__FRAME_UNFOLLOW:
    case EVENTS__V1__CLIENT_FRAME__FRAME_APPEND: /* checked with its batch */
        break;
    default:
        return FAIL_FIELD(arena, "frame", "must be follow, credit, unfollow, ack or append");
    }
    *ret = frame;
    return OK;
}

static size_t
put(const Events__V1__ServerFrame *frame, uint8_t into[FRAME_BYTES])
{
    return protobuf_c_message_pack(&frame->base, into);
}

size_t
frame_put_batch(uint64_t after, uint64_t through, uint32_t count, uint64_t head,
                uint8_t into[FRAME_BYTES])
{
    Events__V1__ServerFrame frame = EVENTS__V1__SERVER_FRAME__INIT;
    Events__V1__Batch batch = EVENTS__V1__BATCH__INIT;

    batch.after = after;
    batch.through = through;
    batch.count = count;
    batch.head = head > through ? head : through;
    frame.frame_case = EVENTS__V1__SERVER_FRAME__FRAME_BATCH;
    frame.batch = &batch;
    return put(&frame, into);
}

size_t
frame_put_heartbeat(uint64_t through, uint64_t head, uint8_t into[FRAME_BYTES])
{
    Events__V1__ServerFrame frame = EVENTS__V1__SERVER_FRAME__INIT;
    Events__V1__Heartbeat heartbeat = EVENTS__V1__HEARTBEAT__INIT;

    heartbeat.through = through;
    heartbeat.head = head > through ? head : through;
    frame.frame_case = EVENTS__V1__SERVER_FRAME__FRAME_HEARTBEAT;
    frame.heartbeat = &heartbeat;
    return put(&frame, into);
}

/* The status as one text, its field before it. */
static char *
put_detail(struct status status, char into[FRAME_DETAIL_BYTES])
{
    int size = snprintf(into, FRAME_DETAIL_BYTES, "%s%s%s", status.field ? status.field : "",
                        status.field ? ": " : "",
                        status.detail ? status.detail : code_meaning(status.code));

    if (size >= FRAME_DETAIL_BYTES)
        size = FRAME_DETAIL_BYTES - 1;
    while (size > 0 && !utf8_valid(into, (size_t)size))
        into[--size] = '\0'; /* a character was cut in two */
    return into;
}

size_t
frame_put_outcome(const struct frame_outcome *outcome, uint8_t into[FRAME_BYTES])
{
    Events__V1__ServerFrame frame = EVENTS__V1__SERVER_FRAME__INIT;
    Events__V1__AppendOutcome message = EVENTS__V1__APPEND_OUTCOME__INIT;
    char detail[FRAME_DETAIL_BYTES];

    if (strlen(outcome->source) <= FRAME_SOURCE_BYTES)
        message.source = outcome->source;
    message.batch_number = outcome->batch_number;
    message.code = (Wire__V1__Code)outcome->status.code;
    if (failed(outcome->status))
        message.detail = put_detail(outcome->status, detail);
    message.first_position = outcome->first;
    message.last_position = outcome->last;
    message.duplicates = outcome->duplicates;
    frame.frame_case = EVENTS__V1__SERVER_FRAME__FRAME_APPEND_OUTCOME;
    frame.append_outcome = &message;
    return put(&frame, into);
}

size_t
frame_put_ended(struct status status, uint64_t through, uint64_t first_kept,
                uint8_t into[FRAME_BYTES])
{
    Events__V1__ServerFrame frame = EVENTS__V1__SERVER_FRAME__INIT;
    Events__V1__Ended ended = EVENTS__V1__ENDED__INIT;
    char detail[FRAME_DETAIL_BYTES];

    ended.code = (Wire__V1__Code)status.code;
    ended.detail = put_detail(status, detail);
    ended.through = through;
    ended.first_kept = first_kept;
    frame.frame_case = EVENTS__V1__SERVER_FRAME__FRAME_ENDED;
    frame.ended = &ended;
    return put(&frame, into);
}
