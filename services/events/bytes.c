#include "services/events/bytes.h"

#include <string.h>

bool
bytes_are(struct bytes bytes, const char *text)
{
    const size_t size = strlen(text);

    return bytes.size == size && (!size || memcmp(bytes.data, text, size) == 0);
}

bool
bytes_begin(struct bytes bytes, const char *prefix)
{
    const size_t size = strlen(prefix);

    return bytes.size >= size && (!size || memcmp(bytes.data, prefix, size) == 0);
}

bool
bytes_equal(struct bytes a, struct bytes b)
{
    return a.size == b.size && (!a.size || memcmp(a.data, b.data, a.size) == 0);
}

bool
bytes_next_item(struct bytes *rest, struct bytes *ret)
{
    const uint8_t *comma = rest->size ? memchr(rest->data, ',', rest->size) : NULL;
    const size_t size = comma ? (size_t)(comma - rest->data) : rest->size;

    if (!rest->size)
        return false;
    *ret = (struct bytes){rest->data, size};
    rest->data += size + (comma != NULL);
    rest->size -= size + (comma != NULL);
    return true;
}

bool
bytes_name_attribute(struct bytes name)
{
    static const char *const members[] = {"id", "source", "specversion", "type", "data"};

    for (size_t i = 0; i < name.size; i++)
        if (!(name.data[i] >= 'a' && name.data[i] <= 'z') &&
            !(name.data[i] >= '0' && name.data[i] <= '9'))
            return false;
    for (size_t i = 0; i < COUNT_OF(members); i++)
        if (bytes_are(name, members[i]))
            return false;
    return true;
}

uint64_t
bytes_hash(uint64_t hash, const void *data, size_t size)
{
    const uint8_t *bytes = data;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
    return hash ^ hash >> 32; /* the low bits decide, and know of all */
}
