#pragma once

/* Outbox and log of a real Postgres, for tests. */

#include "services/events/store.h"
#include "services/events/test_sample.h"

/* Connections of a writer (app_registry) and of the service (app_events). */
struct pg *test_log_writer(void);
struct pg *test_log_reader(void);

/* Empties outbox and log and starts again at position 0. */
void test_log_clear(void);

/* One transaction with these events, in the tenant's scope.  Anybody's thread. */
struct status test_log_write(struct pg *writer, const char *tenant_id, bool internal,
                             const struct bytes *events, size_t count, bool commit);

/* The whole log as read now.  A list of the caller's. */
struct block *test_log_read(void);
uint64_t test_log_head(void);
int64_t test_log_count(const char *table);

/* Fails unless positions run from 1 without a gap, every tenant's numbers run from 1, its chain
 * ends where the table says, checksums are right, and internal events have no number. */
void test_log_verify(void);

/* Calls the condition until it is true; fails after ten seconds. */
void test_log_await(bool (*condition)(void *context), void *context, const char *what);
