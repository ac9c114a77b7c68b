#pragma once

/* Comparing bytes with texts.  Pure. */

#include <stdbool.h>

#include "common/wire/message.h"

bool bytes_are(struct bytes bytes, const char *text);
bool bytes_equal(struct bytes a, struct bytes b);
/* The next of several texts with commas between; moves `*rest` on.  False: none is left. */
bool bytes_next_item(struct bytes *rest, struct bytes *ret);
bool bytes_begin(struct bytes bytes, const char *prefix);
/* FNV-1a (Fowler, Noll, Vo): for tables and lanes whose keys nobody gains by making meet. */
#define BYTES_HASH_START UINT64_C(14695981039346656037)
uint64_t bytes_hash(uint64_t hash, const void *data, size_t size); /* goes on from `hash` */
/* Whether an attribute may have this name: small letters and digits, and no member of
 * CloudEvents in JSON, because there and in headers of HTTP an attribute stands under its name
 * beside these.
 */
bool bytes_name_attribute(struct bytes name);
