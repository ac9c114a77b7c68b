#pragma once

/* The terms of one document in few bytes: how many, then the distances between them, each in
 * groups of seven bits, the last one marked. */

#include "services/matching/engine/document.h"

#define FORWARD_BYTES_MAX 5u /* for one number */

static inline uint8_t *
forward_put(uint8_t *at, uint32_t number)
{
    while (number >= 0x80) {
        *at++ = (uint8_t)(number & 0x7f);
        number >>= 7;
    }
    *at++ = (uint8_t)(number | 0x80);
    return at;
}

static inline const uint8_t *
forward_get(const uint8_t *at, uint32_t *ret)
{
    uint32_t number = *at & 0x7fu;

    for (unsigned shift = 7; !(*at++ & 0x80); shift += 7)
        number |= (uint32_t)(*at & 0x7f) << shift;
    *ret = number;
    return at;
}

/* Bytes that forward_put takes. */
static inline size_t
forward_size(uint32_t number)
{
    size_t size = 1;

    while (number >>= 7)
        size++;
    return size;
}

static inline size_t
forward_document_size(const uint32_t *terms, uint32_t count)
{
    size_t size = forward_size(count);

    for (uint32_t i = 0, last = 0; i < count; last = terms[i++])
        size += forward_size(terms[i] - last);
    return size;
}

static inline uint8_t *
forward_put_document(uint8_t *at, const uint32_t *terms, uint32_t count)
{
    at = forward_put(at, count);
    for (uint32_t i = 0, last = 0; i < count; last = terms[i++])
        at = forward_put(at, terms[i] - last);
    return at;
}

/* Into `terms`, which has DOCUMENT_TERMS_MAX places; how many there are. */
static inline uint32_t
forward_get_document(const uint8_t *at, uint32_t *terms)
{
    uint32_t count;

    at = forward_get(at, &count);
    for (uint32_t i = 0, last = 0; i < count; i++) {
        uint32_t step;

        at = forward_get(at, &step);
        terms[i] = last += step;
    }
    return count;
}
