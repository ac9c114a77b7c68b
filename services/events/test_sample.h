#pragma once

/* Events for tests. */

#include "common/pg/pg_test.h"
#include "services/events/packed.h"

#define SAMPLE_TENANT "0193a000-0000-7000-8000-000000000001"
#define SAMPLE_OTHER_TENANT "0193a000-0000-7000-8000-000000000002"
#define SAMPLE_TYPE "org.samverka.need.published.v1"

struct sample {
    const char *id, *source, *version, *type;   /* NULL: a good one */
    const char *tenant_id, *audience, *subject; /* NULL: the attribute is left out */
    const char *extra_name, *extra_text;        /* one attribute more */
    size_t data_bytes;
};

/* A packed CloudEvent in the arena. */
struct bytes sample_pack(struct arena *arena, struct sample sample);
/* Several as a CloudEventBatch. */
struct bytes sample_batch(struct arena *arena, const struct bytes *events, size_t count);

/* A string attribute of a packed event, by a reader that is not packed.c; "" when it has none.
 */
const char *sample_attribute(struct arena *arena, struct bytes event, const char *name);

#define assert_fails(outcome, name, path)                                                      \
    do {                                                                                       \
        const struct status assert_fails_ = (outcome);                                         \
        const char *const assert_path_ = (path);                                               \
        assert_string_equal(code_name(assert_fails_.code), #name);                             \
        if (assert_path_)                                                                      \
            assert_string_equal(assert_fails_.field ? assert_fails_.field : "", assert_path_); \
    } while (0)
