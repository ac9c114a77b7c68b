#pragma once

/* Paging cursors: opaque, signed (HMAC-SHA-512-256 of libsodium), bound to tenant and
 * listing, so that a cursor of one list or tenant is refused by another. */

#include "common/base/arena.h"
#include "common/base/status.h"

#define CURSOR_SECRET_BYTES 32

/* Set once at start, the same in every instance. */
void cursor_set_secret(const unsigned char secret[CURSOR_SECRET_BYTES]);

/* `listing` names the list and its filters; `sort_key` and `id` are of the last row shown. */
must_use struct status cursor_make(struct arena *arena, const char *tenant_id,
                                   const char *listing, const char *sort_key, const char *id,
                                   const char **ret);
/* "" gives ret_sort_key and ret_id "".  INVALID_ARGUMENT, field page_token, when it is not
 * ours. */
must_use struct status cursor_read(struct arena *arena, const char *tenant_id,
                                   const char *listing, const char *cursor,
                                   const char **ret_sort_key, const char **ret_id);
