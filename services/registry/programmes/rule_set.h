#pragma once

/* A rule set: a versioned document that never changes once it is published.
 *
 * A rule is one or more checks that must all hold; a check is a constraint of the vocabulary
 * with parameters and texts.  Loaded rule sets are constant and shared by all threads; they
 * live in the arena they were loaded into. */

#include "common/base/lang.h"
#include "services/registry/programmes/case.h"

#define RULE_SET_BYTES ((size_t)512 << 10)
#define RULE_SET_RULES 100
#define RULE_CHECKS 8
#define RULE_PARAMS 12
#define RULE_TEXT_BYTES 2000

/* The numbers are the contract's. */
enum rule_severity { RULE_HARD = 1, RULE_SOFT = 2, RULE_INFO = 3 };
enum rule_origin { RULE_SEED, RULE_EXT, RULE_ASSUMP };

struct constraint;
struct param_spec;

struct rule_param {
    const struct param_spec *spec;
    bool given;
    bool assumed;     /* a number nobody gave */
    bool overridable; /* a call may set another */
    int64_t number;   /* thousandths for ratios */
    struct rule_texts texts;
    size_t number_count; /* of a list of integers */
    const int64_t *numbers;
};

struct rule_remedy {
    const char *change;
    struct text text;
};

struct rule_check {
    const struct constraint *constraint;
    struct rule_param params[RULE_PARAMS]; /* in the order of the constraint's */
    struct text pass, fail;
    size_t remedy_count;
    const struct rule_remedy *remedies;
};

struct rule_source {
    const char *reference, *quote, *note;
};

struct rule {
    const char *id;
    enum rule_severity severity;
    enum rule_origin origin;
    struct text title;
    size_t check_count;
    const struct rule_check *checks;
    size_t source_count;
    const struct rule_source *sources;
    size_t applies_from; /* index of the state */
    struct rule_texts waivable_by;
    const char *replaces; /* a rule that does not apply while this one is on, or NULL */
};

struct rule_label {
    const char *code;
    struct text text;
};

struct rule_set {
    const char *id;
    uint32_t version;
    const char *name; /* "RS-KTP-SE v1" */
    const char *programme;
    struct text programme_name, description;
    const char *funder, *successor;
    struct rule_date valid_from, valid_until;
    struct rule_texts states; /* in order */
    struct rule_texts programme_countries;
    size_t label_count;
    const struct rule_label *labels;
    size_t rule_count;
    const struct rule *rules;
    char checksum[RULE_HASH_SIZE]; /* BLAKE2b-256 of the document */
    const char *document;          /* as loaded */
    size_t document_size;
};

/* NULL: there is no such rule. */
const struct rule *rule_set_find(const struct rule_set *set, const char *rule_id);

/* "seed", "ext" or "assump". */
const char *rule_origin_word(enum rule_origin origin);

/* The parameter, given or not.  Asking for one that the constraint does not have is a bug. */
const struct rule_param *rule_check_param(const struct rule_check *check, const char *name);

/* Reads a document.  `file` is only for messages.
 * INVALID_ARGUMENT: the detail is "file: /json/pointer: reason", the field is the pointer. */
must_use struct status rule_set_load(const char *file, const char *document, size_t size,
                                     struct arena *arena, struct rule_set *ret);
