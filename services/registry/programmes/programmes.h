#pragma once

/* The aggregate's door: for main.c, and for aggregates that have cases evaluated.
 *
 *     const struct rule_set *set = programmes_find(library, "KTP-SE", 0, today);
 *     TRY(rule_evaluate(set, &facts, RULE_SUBMISSION, today, arena, &verdict));
 *     TRY(programmes_verdict(&verdict, clock_wall(clock), arena, &neutral));
 *     ... wire_pack(&neutral->base, ...) is what is stored, and again:
 *     TRY(programmes_render(library, neutral, lang, arena, &shown));
 *
 * A stored verdict has no words: rule ids, codes and values.  Its texts are made when it is
 * read, with the very version of the rule set that decided. */

#include <protobuf-c/protobuf-c.h>

#include "common/base/clock.h"
#include "common/pg/pg.h"
#include "registry/v1/programmes.pb-c.h"
#include "services/registry/programmes/verdict.h"

/* All rule sets, constant after programmes_create; shared by threads without a lock. */
struct programmes;

/* Loads the rule sets that are built into the program.  INVALID_ARGUMENT names the file, the
 * place in it and the reason. */
must_use struct status programmes_create(struct arena *arena, struct programmes **ret);
void programmes_destroy(struct programmes **programmes);

size_t programmes_count(const struct programmes *programmes);
const struct rule_set *programmes_at(const struct programmes *programmes, size_t index);

/* The rule set of a programme.  Version 0: the newest that is valid from `today` or before.
 * NULL: there is none. */
const struct rule_set *programmes_find(const struct programmes *programmes, const char *code,
                                       uint32_t version, struct rule_date today);
/* By the name in a verdict: "RS-KTP-SE v1".  NULL: there is none. */
const struct rule_set *programmes_find_name(const struct programmes *programmes,
                                            const char *rule_set_version);

/* The day of a moment, in UTC. */
struct rule_date programmes_day(struct wall wall);

/* Facts of the contract as facts of the engine; borrows the request's memory.
 * INVALID_ARGUMENT: a date that is none. */
must_use struct status programmes_case(const Registry__V1__RuleCase *message,
                                       struct arena *arena, struct rule_case *ret);

/* A verdict without words, to be stored or rendered. */
must_use struct status programmes_verdict(const struct rule_verdict *verdict,
                                          struct wall evaluated, struct arena *arena,
                                          Registry__V1__Verdict **ret);

/* A copy of a verdict without words, with the texts of one language.  A verdict by a rule set
 * that is no longer known keeps its codes and has no texts. */
must_use struct status programmes_render(const struct programmes *programmes,
                                         const Registry__V1__Verdict *neutral, enum lang lang,
                                         struct arena *arena, Registry__V1__Verdict **ret);

/* What the contract shows of a programme and its rule set. */
must_use struct status programmes_describe(const struct rule_set *set, enum lang lang,
                                           struct arena *arena, Registry__V1__Programme **ret);
must_use struct status programmes_describe_rules(const struct rule_set *set, enum lang lang,
                                                 struct arena *arena,
                                                 Registry__V1__RuleSet **ret);

/* What the rule set asks of who the members are: the checks of its HARD rules that are on. */
must_use struct status programmes_composition(const struct rule_set *set,
                                              struct rule_texts switches, enum lang lang,
                                              struct arena *arena,
                                              Registry__V1__GetCompositionRulesReply *reply);

extern const ProtobufCService *const programmes_service;
extern const struct pg_statement *const *const programmes_statements;
