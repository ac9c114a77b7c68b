#pragma once

/* Which ids came by Append of late, and with what content: CloudEvents says that source and id
 * together name one event, so the same pair with other bytes is a producer's fault.  The window
 * is the last RECENT_EVENTS appended events; it is memory, made anew from the log by whoever
 * begins to lead.  One thread.
 *
 * Keys and contents are SipHash-2-4 (Aumasson and Bernstein, 2012) under a key of this process,
 * so that nobody can make two of them meet.
 */

#include "services/events/packed.h"

#define RECENT_EVENTS 100000

struct recent;

must_use struct status recent_create(struct recent **ret);
void recent_destroy(struct recent **recent);
void recent_clear(struct recent *recent);

enum recent_outcome { RECENT_NEW, RECENT_SAME, RECENT_OTHER };

/* What is known of the id.  `packed` is the event as its producer made it. */
enum recent_outcome recent_look(const struct recent *recent, const struct packed_event *parts,
                                struct bytes packed);
/* Notes a new one; the oldest goes.  False: it was known. */
bool recent_add(struct recent *recent, const struct packed_event *parts, struct bytes packed);
/* Forgets the newest ones again; what went for them stays away. */
void recent_undo(struct recent *recent, size_t count);
