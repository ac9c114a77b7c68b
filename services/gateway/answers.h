#pragma once

/* Stored answers of GETs that few events make wrong.
 *
 * An answer is kept for who may see it (tenant, roles), its path, query and language.  An event
 * that makes a route's answers wrong ends all of them at once, by a number that each route has;
 * an answer that was asked for before the event is then not stored either.  While the log is
 * not followed, and behind its time, an answer is stale: it is given only when the service
 * cannot answer, for a limited time, and says so (RFC 5861, stale-if-error).  Memory is
 * bounded; what has been used least lately goes.
 */

#include "common/base/buffer.h"
#include "services/gateway/exchange.h"

struct answers;

must_use struct status answers_create(const struct gateway_settings *settings,
                                      struct arena *arena, struct answers **ret);
void answers_destroy(struct answers **answers);

/* Makes exchange->cache_key; leaves NULL when the answer is not to be stored. */
must_use struct status answers_prepare(struct answers *answers, struct exchange *exchange);

/* Answers the exchange, with 304 where the client has it already; false: nothing is stored. */
bool answers_serve(struct answers *answers, struct exchange *exchange);

/* The same when the service could not answer: also with what is stale, then marked by the
 * headers Age and Warning. */
bool answers_serve_stale(struct answers *answers, struct exchange *exchange);

/* Keeps an answer to exchange->cache_key. */
void answers_keep(struct answers *answers, const struct exchange *exchange,
                  const struct buffer *body, const char *etag);

/* An event of this type has happened. */
void answers_event(struct answers *answers, const struct routes *routes, const char *type);

/* A write through this gateway: the stored answers of the same service are dropped at once, so
 * that who has written reads what it wrote. */
void answers_write(struct answers *answers, const struct routes *routes,
                   const struct route *written);

/* Events were missed: nothing that is stored may be used any more. */
void answers_forget_all(struct answers *answers);

/* The log is not followed now: all that is stored is stale. */
void answers_doubt_all(struct answers *answers);

/* Whether an If-None-Match header (may be NULL) names the tag, by weak comparison. */
bool etag_matches(const char *if_none_match, const char *etag);
