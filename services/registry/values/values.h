#pragma once

/* Checks of the small values that several aggregates share.
 *
 * Each function returns INVALID_ARGUMENT with `field` as the path of what is wrong, or passes.
 * `field` is a proto path: "skills", "text".  Results live in the arena.  Thread-safe.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/base/lang.h"
#include "common/base/status.h"
#include "registry/v1/types.pb-c.h"

/* A UUID; `required`: not empty. */
must_use struct status values_id(struct arena *arena, const char *field, const char *id,
                                 bool required);
must_use struct status values_ids(struct arena *arena, const char *field,
                                  const char *const *ids, size_t count, size_t most);

/* Characters (code points) after trimming; *text becomes the trimmed copy. */
must_use struct status values_text(struct arena *arena, const char *field, const char **text,
                                   size_t least, size_t most);
/* The same for a name or a title, which is one line: it may stand in a mail's header, a table's
 * cell or a file. */
must_use struct status values_line(struct arena *arena, const char *field, const char **text,
                                   size_t least, size_t most);

/* A number of an enum that the contract knows; 0 only when it is not required. */
must_use struct status values_enum(struct arena *arena, const char *field,
                                   const ProtobufCEnumDescriptor *descriptor, int value,
                                   bool required);

/* As values_enum for each of a list: none is 0, none comes twice. */
must_use struct status values_enums(struct arena *arena, const char *field,
                                    const ProtobufCEnumDescriptor *descriptor,
                                    const int *values, size_t count, size_t most);

/* A calendar date "2026-11-22" between 1900 and 2199. */
must_use struct status values_date(struct arena *arena, const char *field, const char *date,
                                   bool required);
/* Days since 1970-01-01; the date must have passed values_date. */
int32_t values_days(const char *date);
/* The date of a day that values_days gives. */
must_use struct status values_date_of(struct arena *arena, int32_t days, const char **ret);
/* The date of `now`, in UTC. */
must_use struct status values_today(struct arena *arena, struct wall now, const char **ret);

must_use struct status values_country(struct arena *arena, const char *field,
                                      const char *country);
/* NUTS 2021 shape: two letters and up to three more characters; empty passes. */
must_use struct status values_nuts(struct arena *arena, const char *field, const char *nuts);
/* NACE Rev. 2 shape: "C", "25", "25.1", "25.11"; empty passes. */
must_use struct status values_nace(struct arena *arena, const char *field, const char *nace);
/* ISCED-F 2013 shape: 2 to 4 digits. */
must_use struct status values_isced_f(struct arena *arena, const char *field,
                                      const char *isced_f);
/* BCP 47 primary tags of two or three letters, no doubles. */
must_use struct status values_languages(struct arena *arena, const char *field,
                                        const char *const *languages, size_t count);
/* "https://..." or "http://...", at most 500 bytes; empty passes. */
must_use struct status values_url(struct arena *arena, const char *field, const char *url);

/* Texts in sv, fi, en, each language once; values are trimmed in place. */
struct values_text_rule {
    size_t least, most; /* entries */
    size_t most_length; /* characters of one */
    bool one_line;      /* names, not prose */
};
must_use struct status values_texts(struct arena *arena, const char *field,
                                    Registry__V1__LocalText **texts, size_t count,
                                    struct values_text_rule rule);

/* Weights become 1..1000, labels are dropped; no concept twice; at most `most`. */
must_use struct status values_skills(struct arena *arena, const char *field,
                                     Registry__V1__Skill **skills, size_t count, size_t most);

/* *visibility UNSPECIFIED becomes PRIVATE; SHARED needs tenants, the others have none. */
must_use struct status values_visibility(struct arena *arena,
                                         Registry__V1__Visibility *visibility,
                                         const char *const *shared_with, size_t count);

/* Whom an event about a thing of this visibility is for, besides its tenant: "public", tenants
 * joined by commas, or NULL. */
must_use struct status values_audience(struct arena *arena, Registry__V1__Visibility visibility,
                                       const char *const *shared_with, size_t count,
                                       const char **ret);

/* A part of a text to look for: folded, and escaped for SQL LIKE; at most 200 characters. */
must_use struct status values_like(struct arena *arena, const char *field, const char *part,
                                   const char **ret);

/* A fresh UUIDv7. */
must_use struct status values_new_id(struct arena *arena, const struct clock *clock,
                                     const char **ret);

/* 0 becomes 50; more than 200 is refused. */
must_use struct status values_page_size(struct arena *arena, uint32_t page_size, uint32_t *ret);

/* Swedish organisation number (Luhn), Finnish Y-tunnus (mod 11), ROR (Crockford base 32 with
 * mod 97), LEI (mod 97): *ret_checked says whether the scheme has a check that passed.
 * INVALID_ARGUMENT: the scheme is known and the value is not one of it. */
must_use struct status values_external_id(struct arena *arena, const char *field,
                                          const Registry__V1__ExternalId *id,
                                          bool *ret_checked);
