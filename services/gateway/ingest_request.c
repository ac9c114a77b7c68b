#include "services/gateway/ingest_request.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "services/gateway/route.h"

#define SOURCE_BYTES 256 /* of a batch, as the log limits it */
#define MADE_NUMBERS ((uint64_t)1 << 62)

static bool
type_is(const char *content_type, const char *wanted)
{
    const size_t size = strcspn(content_type, "; \t");

    return strlen(wanted) == size && strncasecmp(content_type, wanted, size) == 0;
}

struct status
ingest_mode_of(const char *content_type, bool has_headers, struct arena *arena,
               enum ingest_mode *ret)
{
    if (content_type && type_is(content_type, "application/cloudevents+json"))
        *ret = INGEST_STRUCTURED;
    else if (content_type && type_is(content_type, "application/cloudevents-batch+json"))
        *ret = INGEST_BATCH;
    else if (has_headers &&
             !(content_type && strncasecmp(content_type, "application/cloudevents", 23) == 0))
        *ret = INGEST_BINARY;
    else
        return FAIL(arena, UNSUPPORTED_MEDIA_TYPE,
                    "send application/cloudevents+json, application/cloudevents-batch+json, or "
                    "the attributes as ce- headers");
    return OK;
}

static struct status
counted_batch(const char *source, const char *number, struct arena *arena,
              struct ingest_batch *ret)
{
    struct ingest_batch batch = {.source = source};

    if (!source || !*source || strlen(source) > SOURCE_BYTES)
        return FAIL_FIELD(arena, "/Samverka-Source",
                          "must have 1 to %d bytes, and comes with Samverka-Batch-Number",
                          SOURCE_BYTES);
    if (number && *number && strlen(number) < 19 &&
        strspn(number, "0123456789") == strlen(number))
        batch.number = strtoull(number, NULL, 10);
    if (batch.number == 0 || batch.number >= MADE_NUMBERS)
        return FAIL_FIELD(arena, "/Samverka-Batch-Number",
                          "must be the source's running number, from 1, and comes with "
                          "Samverka-Source");
    *ret = batch;
    return OK;
}

/* With its end, so that two texts are never one. */
static void
hash_text(crypto_generichash_state *hash, const char *text)
{
    (void)crypto_generichash_update(hash, (const unsigned char *)text, strlen(text) + 1);
}

struct status
ingest_batch_of(const char *source, const char *number, const char *sender, const char *key,
                const Io__Cloudevents__V1__CloudEventBatch *events, struct arena *arena,
                struct ingest_batch *ret)
{
    struct ingest_batch batch = {.source = events->events[0]->source};
    crypto_generichash_state hash;
    uint64_t made;

    if (source || number)
        return counted_batch(source, number, arena, ret);
    if (strlen(batch.source) > SOURCE_BYTES)
        return FAIL_FIELD(arena, "/source", "must have at most %d bytes", SOURCE_BYTES);
    (void)crypto_generichash_init(&hash, NULL, 0, sizeof made);
    hash_text(&hash, sender);
    hash_text(&hash, key ? "key" : "ids");
    if (key)
        hash_text(&hash, key);
    for (size_t i = 0; i < events->n_events; i++) {
        if (strcmp(events->events[i]->source, batch.source) != 0)
            return FAIL_FIELD(arena, arena_printf(arena, "/%zu/source", i),
                              "is not the first event's: send Samverka-Source and "
                              "Samverka-Batch-Number with a batch of several sources");
        if (!key)
            hash_text(&hash, events->events[i]->id);
    }
    (void)crypto_generichash_final(&hash, (unsigned char *)&made, sizeof made);
    batch.number = (made & (MADE_NUMBERS - 1)) | MADE_NUMBERS;
    *ret = batch;
    return OK;
}

/* The attribute at the end of a field's path, by its name in CloudEvents. */
static const char *
attribute_of(const char *path)
{
    if (strncmp(path, "attributes.", 11) == 0)
        path += 11;
    return strcmp(path, "spec_version") == 0 ? "specversion" : path;
}

const char *
ingest_pointer(const char *field, enum ingest_mode mode, struct arena *arena)
{
    static const char events[] = "batch.events[";
    const char *tail;
    size_t digits;

    if (strcmp(field, "source") == 0)
        return "/Samverka-Source";
    if (strcmp(field, "batch_number") == 0)
        return "/Samverka-Batch-Number";
    if (strncmp(field, events, sizeof events - 1) != 0)
        return "";
    field += sizeof events - 1;
    digits = strspn(field, "0123456789");
    tail = field + digits + (field[digits] == ']');
    tail += *tail == '.';
    tail = attribute_of(tail);
    if (mode == INGEST_BATCH)
        return arena_printf(arena, "/%.*s%s%s", (int)digits, field, *tail ? "/" : "", tail);
    if (!*tail)
        return "";
    return arena_printf(arena, mode == INGEST_BINARY ? "/ce-%s" : "/%s", tail);
}

struct status
ingest_header_value(const char *value, struct arena *arena, const char **ret)
{
    size_t size = strlen(value), kept = 0;
    char *plain;

    if (size < 2 || value[0] != '"' || value[size - 1] != '"')
        return percent_decode(value, size, false, arena, ret);
    TRY(need(plain = arena_copy_n(arena, value + 1, size - 2)));
    for (const char *at = plain; *at; at++) {
        if (*at == '\\' && at[1])
            at++;
        plain[kept++] = *at;
    }
    return percent_decode(plain, kept, false, arena, ret);
}
