#pragma once

/* How far each source's running batch numbers have come, as this leader knows it, so that a new
 * batch need not be looked up.  Memory of one leadership; one thread. */

#include <stdint.h>

#include "common/base/status.h"

#define SOURCES_MAX 1024 /* then it begins anew: batches are looked up again */

struct sources;

must_use struct status sources_create(struct sources **ret);
void sources_destroy(struct sources **sources);
void sources_clear(struct sources *sources);

/* Whether no batch with this number or a greater one has ever come from the source. */
bool sources_is_new(const struct sources *sources, const char *tenant_id, const char *source,
                    uint64_t batch_number);
/* All numbers up to this one may have come. */
void sources_note(struct sources *sources, const char *tenant_id, const char *source,
                  uint64_t batch_number);
