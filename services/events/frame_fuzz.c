/* Frames of followers: what is accepted keeps to the documented limits and can be followed;
 * what is refused gets a last frame that a client can read. */

#include <stdlib.h>
#include <string.h>

#include "services/events/frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_follow(const Events__V1__Follow *follow)
{
    static const struct packed_event event = {
        .type = {(const uint8_t *)"org.samverka.x", 14},
        .tenant_id = {(const uint8_t *)"t", 1},
        .audience = {(const uint8_t *)"public", 6},
    };
    static const char *const types[] = {"org."};
    const struct rights rights = {.types = {types, 1}};
    struct sieve *sieve, *again;

    if (follow->credit < 1 || follow->credit > RULES_CREDIT_MAX || follow->after > INT64_MAX)
        abort();
    if (follow->filter && (follow->filter->n_types > RULES_FILTER_TYPES ||
                           follow->filter->n_tenant_ids > RULES_FILTER_TENANTS ||
                           follow->filter->n_subjects > RULES_FILTER_SUBJECTS))
        abort();
    if (failed(rules_sieve_create(&rights, follow->filter, &sieve)))
        abort();
    if (failed(rules_sieve_renew(sieve, &rights, &again)) ||
        rules_passes(sieve, &event) != rules_passes(again, &event) ||
        (!follow->filter && !rules_passes(sieve, &event)))
        abort();
    rules_sieve_release(&sieve);
    rules_sieve_release(&again);
}

static void
check_answer(struct status why, struct arena *arena)
{
    uint8_t packed[FRAME_BYTES];
    const Events__V1__ServerFrame *frame;
    ProtobufCMessage *message;

    if (failed(wire_unpack(&events__v1__server_frame__descriptor,
                           (struct bytes){packed, frame_put_ended(why, 1, 2, packed)}, arena,
                           &message)))
        abort();
    frame = (const Events__V1__ServerFrame *)message;
    if (frame->frame_case != EVENTS__V1__SERVER_FRAME__FRAME_ENDED ||
        !frame->ended->detail[0] ||
        (frame->ended->code != WIRE__V1__CODE__INVALID_ARGUMENT &&
         frame->ended->code != WIRE__V1__CODE__RESOURCE_EXHAUSTED &&
         frame->ended->code != WIRE__V1__CODE__TOO_LARGE))
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Events__V1__ClientFrame *frame;
    struct arena arena;
    struct status status;

    arena_init(&arena, (size_t)4 << 20);
    status = frame_read((struct bytes){data, size}, &arena, &frame);
    if (failed(status))
        check_answer(status, &arena);
    else if (frame->frame_case == EVENTS__V1__CLIENT_FRAME__FRAME_FOLLOW)
        check_follow(frame->follow);
    arena_fini(&arena);
    return 0;
}
