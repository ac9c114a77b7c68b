#pragma once

/* The demonstration data: steps in the order in which they are taken, one JSON object a line.
 *
 *   id       of the step; its idempotency key is made from it
 *   call     the method
 *   request  proto3 JSON, in which a whole string may be
 *              "@name"           the id of what the step `name` made
 *              "@name.version"   its latest version
 *              "{today-400d+24m}"  a date: days, months and years from the day of the load
 *              "{password}"      the passphrase of the demonstration's accounts
 *   tenant   "@name" of the tenant that it is done in; none: in no tenant
 *   as       {"roles": [...], "account", "person", "organisation": "@name"}; none: the operator
 *   learn    {"list": "people", "key": "reference", "prefix": "person/"}: the call lists things
 *            that an import has made; each gets the name prefix + key
 *   login    {"who", "where"}: the step makes an account, which is told at the end
 */

#include <jansson.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/status.h"

/* Made from demo/ by demo/make_steps.py at build time. */
extern const unsigned char demo_steps[];
extern const size_t demo_steps_size;

/* What the steps have made so far, and what their placeholders mean. */
struct demo_values {
    json_t *ids;      /* name -> id */
    json_t *versions; /* id -> version, as proto3 JSON has it */
    int32_t today;    /* days since 1970-01-01 */
    const char *password;
};

must_use struct status demo_values_init(struct demo_values *values, int32_t today,
                                        const char *password);
void demo_values_fini(struct demo_values *values);

/* A copy of `from` with everything filled in; the caller owns *ret.
 * FAILED_PRECONDITION: nothing has that name.  INVALID_ARGUMENT: no date. */
must_use struct status demo_values_fill(const struct demo_values *values, struct arena *arena,
                                        json_t *from, json_t **ret);

/* One string of it. */
must_use struct status demo_values_text(const struct demo_values *values, struct arena *arena,
                                        const char *from, const char **ret);

/* Remembers ids and versions of the resources in a reply; the first is what `name` made. */
must_use struct status demo_values_learn(struct demo_values *values, const char *name,
                                         json_t *reply);
/* Remembers the ids of a list, but no versions, which would differ when the load is repeated.
 * The first of a name keeps it, because what was there before stands first in a list.
 * `key` is where an item's name stands, "reference" or "names/0/value". */
must_use struct status demo_values_learn_list(struct demo_values *values, struct arena *arena,
                                              json_t *list, const char *prefix,
                                              const char *key);

/* "2026-11-22" of days since 1970-01-01. */
must_use struct status demo_date(struct arena *arena, int32_t days, const char **ret);
