#include "common/wire/rpc_head.h"

#include <string.h>

#define TEXT_BYTES 128 /* of a method's name and of a subject */
#define ROLES_MAX 32

#define BODY_FIELD 15 /* of both heads */
#define LENGTH 2      /* wire type */
#define ID_TAG 0x0a   /* field 1, of both heads, of type LENGTH */

static bool
take_varint(const uint8_t **at, const uint8_t *end, uint64_t *ret)
{
    uint64_t value = 0;

    for (unsigned shift = 0; *at < end && shift < 64; shift += 7) {
        const uint8_t byte = *(*at)++;

        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret = value;
            return true;
        }
    }
    return false;
}

/* One field at the top of a message: moves on, and gives the content of a body. */
static bool
take_field(const uint8_t **at, const uint8_t *end, bool *ret_is_body, struct bytes *ret_body)
{
    uint64_t tag, size = 0;

    if (!take_varint(at, end, &tag))
        return false;
    switch (tag & 7) {
    case 0:
        return take_varint(at, end, &size);
    case 1:
        size = 8;
        break;
    case 5:
        size = 4;
        break;
    case LENGTH:
        if (!take_varint(at, end, &size))
            return false;
        break;
    default:
        return false;
    }
    if (size > (uint64_t)(end - *at))
        return false;
    *ret_is_body = tag == (BODY_FIELD << 3 | LENGTH);
    if (*ret_is_body)
        *ret_body = (struct bytes){*at, (size_t)size};
    *at += size;
    return true;
}

/* The head's fields from both sides of a body that is not the last of them. */
static struct status
join(struct bytes before, struct bytes after, struct arena *arena, struct bytes *ret)
{
    uint8_t *joined = arena_alloc(arena, before.size + after.size);

    TRY(need(joined));
    memcpy(joined, before.data, before.size);
    memcpy(joined + before.size, after.data, after.size);
    *ret = (struct bytes){joined, before.size + after.size};
    return OK;
}

struct status
rpc_head_split(struct bytes frame, struct arena *arena, struct bytes *ret_head,
               struct bytes *ret_body)
{
    const uint8_t *at = frame.data, *const end = frame.data + frame.size;
    struct bytes head = frame, body = {frame.data, 0};
    bool found = false;

    while (at != end) {
        const uint8_t *start = at;
        bool is_body = false;

        if (!take_field(&at, end, &is_body, &body))
            return FAIL(arena, INVALID_ARGUMENT, "the frame is not a head with a body");
        if (!is_body)
            continue;
        if (found)
            return FAIL_FIELD(arena, "body", "comes twice");
        found = true;
        head.size = (size_t)(start - frame.data);
    }
    if (found && body.data + body.size != end) {
        const struct bytes after = {body.data + body.size,
                                    (size_t)(end - body.data) - body.size};

        if (head.size + after.size > RPC_HEAD_BYTES)
            return FAIL(arena, TOO_LARGE, "a head may have %d bytes", RPC_HEAD_BYTES);
        TRY(join(head, after, arena, &head));
    }
    *ret_head = head;
    *ret_body = body;
    return OK;
}

size_t
rpc_head_put_body_tag(uint8_t *into, size_t body_size)
{
    size_t size = 0;

    if (body_size == 0)
        return 0;
    into[size++] = BODY_FIELD << 3 | LENGTH;
    for (; body_size >= 0x80; body_size >>= 7)
        into[size++] = (uint8_t)(body_size | 0x80);
    into[size++] = (uint8_t)body_size;
    return size;
}

static bool
visible_ascii(const char *text)
{
    for (; *text; text++)
        if (*text < 0x21 || *text > 0x7e)
            return false;
    return true;
}

static bool
hex(const char *text, size_t from, size_t count)
{
    for (size_t i = from; i < from + count; i++)
        if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
            return false; /* also at an early NUL */
    return true;
}

/* "00-<32 hex>-<16 hex>-<2 hex>" (W3C Trace Context), or empty. */
static bool
traceparent_valid(const char *text)
{
    return !text[0] ||
           (hex(text, 0, 2) && text[2] == '-' && hex(text, 3, 32) && text[35] == '-' &&
            hex(text, 36, 16) && text[52] == '-' && hex(text, 53, 2) && text[55] == '\0');
}

static bool
language_valid(const char *text)
{
    return !text[0] || !strcmp(text, "en") || !strcmp(text, "sv") || !strcmp(text, "fi");
}

static bool
uuid_or_empty(const char *text)
{
    return !text[0] || uuid_valid(text);
}

static struct status
check_principal(const Wire__V1__Principal *principal, struct arena *arena)
{
    if (strlen(principal->subject_id) > TEXT_BYTES || !visible_ascii(principal->subject_id))
        return FAIL_FIELD(arena, "principal.subject_id", "at most %d visible characters",
                          TEXT_BYTES);
    if (!uuid_or_empty(principal->tenant_id))
        return FAIL_FIELD(arena, "principal.tenant_id", "must be a UUID or empty");
    if (!uuid_or_empty(principal->person_id))
        return FAIL_FIELD(arena, "principal.person_id", "must be a UUID or empty");
    if (!uuid_or_empty(principal->organisation_id))
        return FAIL_FIELD(arena, "principal.organisation_id", "must be a UUID or empty");
    if (principal->n_roles > ROLES_MAX)
        return FAIL_FIELD(arena, "principal.roles", "at most %d roles", ROLES_MAX);
    return OK;
}

static struct status
check(const Wire__V1__RequestHead *head, struct arena *arena)
{
    if (!uuid_valid(head->id))
        return FAIL_FIELD(arena, "id", "must be a UUID in lower case");
    if (!head->method[0] || strlen(head->method) > TEXT_BYTES)
        return FAIL_FIELD(arena, "method", "must have 1 to %d bytes", TEXT_BYTES);
    if (head->remaining_ms < 1 || head->remaining_ms > RPC_REMAINING_MAX_MS)
        return FAIL_FIELD(arena, "remaining_ms", "must be 1 to %d", RPC_REMAINING_MAX_MS);
    if (strlen(head->idempotency_key) > RPC_KEY_BYTES || !visible_ascii(head->idempotency_key))
        return FAIL_FIELD(arena, "idempotency_key", "1 to %d visible ASCII characters",
                          RPC_KEY_BYTES);
    if (!traceparent_valid(head->traceparent))
        return FAIL_FIELD(arena, "traceparent", "must be a W3C trace parent or empty");
    if (!language_valid(head->language))
        return FAIL_FIELD(arena, "language", "must be sv, fi, en or empty");
    return head->principal ? check_principal(head->principal, arena) : OK;
}

struct status
rpc_head_again(struct bytes packed, struct arena *arena, Wire__V1__RequestHead **ret)
{
    ProtobufCAllocator allocator = wire_allocator(arena);
    ProtobufCMessage *head = protobuf_c_message_unpack(&wire__v1__request_head__descriptor,
                                                       &allocator, packed.size, packed.data);

    TRY(need(head)); /* it was unpacked before: only memory can be missing */
    *ret = (Wire__V1__RequestHead *)head;
    return OK;
}

struct status
rpc_head_read(struct bytes packed, struct arena *arena, Wire__V1__RequestHead **ret)
{
    Wire__V1__RequestHead *head;

    if (packed.size > RPC_HEAD_BYTES)
        return FAIL(arena, TOO_LARGE, "a head may have %d bytes", RPC_HEAD_BYTES);
    TRY(wire_check(&wire__v1__request_head__descriptor, packed, arena));
    TRY(rpc_head_again(packed, arena, &head));
    TRY(check(head, arena));
    *ret = head;
    return OK;
}

/* Field 1, a string of 36 bytes, as every client writes it first: searched for no further,
 * since the rest is broken. */
bool
rpc_head_find_id(struct bytes packed, char ret[UUID_SIZE])
{
    char id[UUID_SIZE] = {0};

    if (packed.size < 2 + UUID_SIZE - 1 || packed.data[0] != ID_TAG ||
        packed.data[1] != UUID_SIZE - 1)
        return false;
    memcpy(id, packed.data + 2, UUID_SIZE - 1);
    if (!uuid_valid(id))
        return false;
    memcpy(ret, id, UUID_SIZE);
    return true;
}

bool
rpc_head_peer_trusted(const char *peer)
{
    return strncmp(peer, "service:", 8) == 0 || strncmp(peer, "operator:", 9) == 0;
}

static struct status
own_principal(const char *peer, struct arena *arena, const Wire__V1__Principal **ret)
{
    Wire__V1__Principal *principal = ARENA_NEW(arena, Wire__V1__Principal);
    Wire__V1__Role *roles = ARENA_ARRAY(arena, Wire__V1__Role, 2);
    const char *colon = strchr(peer, ':');

    TRY(need(principal));
    TRY(need(roles));
    wire__v1__principal__init(principal);
    principal->roles = roles;
    if (colon)
        TRY(need(principal->subject_id = arena_copy(arena, colon + 1)));
    principal->kind = WIRE__V1__PRINCIPAL__KIND__SERVICE;
    if (strncmp(peer, "system:", 7) == 0) {
        principal->kind = WIRE__V1__PRINCIPAL__KIND__SYSTEM;
        roles[principal->n_roles++] = WIRE__V1__ROLE__SYSTEM;
    } else if (strncmp(peer, "operator:", 9) == 0) {
        roles[principal->n_roles++] = WIRE__V1__ROLE__OPERATOR;
    } else if (strncmp(peer, "service:", 8) == 0) {
        roles[principal->n_roles++] = WIRE__V1__ROLE__SERVICE;
    } else {
        /* Without CURVE everybody who can connect is taken for one of us. */
        roles[principal->n_roles++] = WIRE__V1__ROLE__SERVICE;
        roles[principal->n_roles++] = WIRE__V1__ROLE__OPERATOR;
    }
    *ret = principal;
    return OK;
}

struct status
rpc_head_principal(const Wire__V1__RequestHead *head, const char *peer, bool trusted,
                   struct arena *arena, const Wire__V1__Principal **ret)
{
    if (trusted && head->principal) {
        *ret = head->principal;
        return OK;
    }
    return own_principal(peer, arena, ret);
}

void
rpc_head_traceparent(const char *id, char ret[RPC_TRACEPARENT_SIZE])
{
    /* The trace is the id without its hyphens; the parent is the trace's second half. */
    static const uint8_t parts[][2] = {{0, 8}, {9, 4}, {14, 4}, {19, 4}, {24, 12}};
    char *at = ret + 3;

    for (size_t i = 0; i < COUNT_OF(parts); i++) {
        memcpy(at, id + parts[i][0], parts[i][1]);
        at += parts[i][1];
    }
    memcpy(ret, "00-", 3);
    ret[35] = '-';
    memcpy(ret + 36, ret + 19, 16);
    memcpy(ret + 52, "-01", 4);
}

/* Most replies say nothing but their id and OK.  These few bytes are made and read here: it
 * halves the work on a head. */
#define PLAIN_BYTES (2 + UUID_SIZE - 1)

static bool
is_plain(const Wire__V1__ReplyHead *head)
{
    return head->code == WIRE__V1__CODE__OK && !head->detail[0] && !head->field[0] &&
           head->retry_after_ms == 0 && !head->draining && !head->replayed &&
           strlen(head->id) == UUID_SIZE - 1;
}

static void
pack_reply_head(const Wire__V1__ReplyHead *head, bool plain, uint8_t *into)
{
    if (!plain) {
        (void)protobuf_c_message_pack(&head->base, into); /* measured by the caller */
        return;
    }
    into[0] = ID_TAG;
    into[1] = UUID_SIZE - 1;
    memcpy(into + 2, head->id, UUID_SIZE - 1);
}

struct status
rpc_head_read_reply(struct bytes packed, struct arena *arena, Wire__V1__ReplyHead *ret)
{
    Wire__V1__ReplyHead head = WIRE__V1__REPLY_HEAD__INIT;
    ProtobufCMessage *message;
    char id[UUID_SIZE];

    if (packed.size == PLAIN_BYTES && rpc_head_find_id(packed, id)) {
        TRY(need(head.id = arena_copy_n(arena, id, UUID_SIZE - 1)));
        *ret = head;
        return OK;
    }
    TRY(wire_unpack(&wire__v1__reply_head__descriptor, packed, arena, &message));
    *ret = *(const Wire__V1__ReplyHead *)message;
    return OK;
}

struct status
rpc_head_pack_reply(const Wire__V1__ReplyHead *head, const struct rpc_body *body,
                    zmq_msg_t *ret)
{
    const bool plain = is_plain(head);
    const size_t head_size =
        plain ? PLAIN_BYTES : protobuf_c_message_get_packed_size(&head->base);
    uint8_t tag[RPC_BODY_TAG_BYTES];
    const size_t tag_size = rpc_head_put_body_tag(tag, body->size);
    uint8_t *data;

    if (zmq_msg_init_size(ret, head_size + tag_size + body->size) != 0)
        return need(NULL);
    data = zmq_msg_data(ret);
    pack_reply_head(head, plain, data);
    memcpy(data + head_size, tag, tag_size);
    if (body->message)
        (void)protobuf_c_message_pack(body->message, data + head_size + tag_size);
    else if (body->size > 0)
        memcpy(data + head_size + tag_size, body->packed.data, body->size);
    return OK;
}
