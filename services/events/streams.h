#pragma once

/* Where tenants' streams stand, as this leader left them, so that a round need not read them.
 * Memory of one leadership; one thread. */

#include "services/events/store.h"

#define STREAMS_MAX 4096 /* then it begins anew */

struct streams;

must_use struct status streams_create(struct streams **ret);
void streams_destroy(struct streams **streams);
void streams_clear(struct streams *streams);

/* NULL: not known here.  Lives until the next note or clear. */
const struct store_stream *streams_find(const struct streams *streams, const char *tenant_id);
void streams_note(struct streams *streams, const struct store_stream *stream); /* copies it */
