#include "services/matching/rules.h"

#include "common/base/utf8.h"

#define NUTS_LETTERS_MAX 5
#define DAY_MS INT64_C(86400000)

/* The next piece of a list, without what separates and surrounds it; NULL after the last. */
static const char *
next_piece(struct arena *arena, const char **cursor)
{
    const char *start = *cursor + strspn(*cursor, " ,;");
    const size_t size = strcspn(start, ",;");

    if (!*start)
        return NULL;
    *cursor = start + size;
    return arena_copy_n(arena, start, size);
}

static struct status
parse_boost(struct arena *arena, const char *text, struct boost *ret)
{
    char name[16], first[DAY_TEXT_SIZE], last[DAY_TEXT_SIZE], end;
    struct boost boost = {0};

    if (sscanf(text, "%15s %10s %10s %u %c", name, first, last, &boost.points, &end) != 4 ||
        !day_parse(first, &boost.first_day) || !day_parse(last, &boost.last_day) ||
        boost.first_day > boost.last_day || boost.points == 0 ||
        boost.points > SCORE_BOOST_POINTS_MAX)
        return FAIL_FIELD(arena, "boosts", "'%s' is not 'name first-day last-day points'",
                          text);
    if (strcmp(name, "rural") == 0)
        boost.name = BOOST_RURAL;
    else if (strcmp(name, "sme") == 0)
        boost.name = BOOST_SME;
    else
        return FAIL_FIELD(arena, "boosts", "there is no boost named '%s'", name);
    *ret = boost;
    return OK;
}

static bool
nuts_valid(const char *nuts)
{
    const size_t size = strlen(nuts);

    if (size > NUTS_LETTERS_MAX)
        return false;
    for (size_t i = 0; i < size; i++)
        if (!((nuts[i] >= 'A' && nuts[i] <= 'Z') ||
              (i >= 2 && nuts[i] >= '0' && nuts[i] <= '9')))
            return false;
    return true;
}

struct status
rules_boosts(struct arena *arena, const char *boosts, const char *rural_nuts,
             struct score_rules *into)
{
    const char *piece;

    while ((piece = next_piece(arena, &boosts))) {
        if (into->boost_count == SCORE_BOOSTS_MAX)
            return FAIL_FIELD(arena, "boosts", "at most %d boosts", SCORE_BOOSTS_MAX);
        TRY(parse_boost(arena, piece, &into->boosts[into->boost_count]));
        into->boost_count++;
    }
    while ((piece = next_piece(arena, &rural_nuts))) {
        if (into->rural_count == SCORE_RURAL_MAX || strlen(piece) < 2 || !nuts_valid(piece))
            return FAIL_FIELD(arena, "rural_nuts", "'%s' is no NUTS code, or one too many",
                              piece);
        (void)snprintf(into->rural[into->rural_count++], sizeof into->rural[0], "%s", piece);
    }
    return OK;
}

struct status
rules_shard(struct arena *arena, const char *text, struct shard *ret)
{
    char *end = NULL;
    const unsigned long number = strtoul(text, &end, 10);
    const unsigned long count = *end == '/' ? strtoul(end + 1, &end, 10) : 0;

    if (*end || text[strspn(text, "0123456789/")] || number < 1 || number > count ||
        count > SHARDS_MAX)
        return FAIL_FIELD(arena, "shard", "must be like 2/4, the second of at most %d",
                          SHARDS_MAX);
    *ret = (struct shard){(uint32_t)number, (uint32_t)count};
    return OK;
}

struct status
rules_as_of(struct arena *arena, uint64_t given_unix_ms, struct wall now, struct wall *ret)
{
    const int64_t given = given_unix_ms > INT64_MAX ? INT64_MAX : (int64_t)given_unix_ms;

    if (given == 0) {
        *ret = now;
        return OK;
    }
    if (given < now.unix_ms - DAY_MS || given > now.unix_ms + DAY_MS)
        return FAIL_FIELD(arena, "as_of_unix_ms", "must be within a day of now");
    *ret = (struct wall){given};
    return OK;
}

struct status
rules_subject(struct arena *arena, const Matching__V1__ProfileRef *subject, enum kind *ret_kind,
              struct uid *ret_id)
{
    if (!subject)
        return FAIL_FIELD(arena, "subject", "is required");
    if (subject->kind <= 0 || (int)subject->kind >= KIND_COUNT)
        return FAIL_FIELD(arena, "subject.kind", "is required");
    if (!uid_parse(subject->id, ret_id))
        return FAIL_FIELD(arena, "subject.id", "must be a UUID in lower case");
    *ret_kind = (enum kind)subject->kind;
    return OK;
}

struct status
rules_ask(struct arena *arena, const struct ask_fields *fields, struct ask *ret)
{
    struct ask ask = {.person_kinds = fields->person_kinds,
                      .person_kind_count = fields->person_kind_count,
                      .limit = fields->limit ? fields->limit : RULES_LIMIT_DEFAULT,
                      .nuts = fields->nuts};

    TRY(rules_subject(arena, fields->subject, &ask.kind, &ask.id));
    for (size_t i = 0; i < fields->wanted_count; i++) {
        if (fields->wanted[i] <= 0 || (int)fields->wanted[i] >= KIND_COUNT)
            return FAIL_FIELD(arena, arena_printf(arena, "wanted[%zu]", i),
                              "is not a kind of profile");
        if (profile_kind_seeks((enum kind)fields->wanted[i]) == profile_kind_seeks(ask.kind))
            return FAIL_FIELD(arena, arena_printf(arena, "wanted[%zu]", i),
                              "does not pair with the subject's kind");
        ask.kinds |= 1u << fields->wanted[i];
    }
    if (ask.person_kind_count > RULES_PERSON_KINDS_MAX)
        return FAIL_FIELD(arena, "person_kinds", "at most %d", RULES_PERSON_KINDS_MAX);
    if (ask.limit > RULES_LIMIT_MAX)
        return FAIL_FIELD(arena, "limit", "at most %d", RULES_LIMIT_MAX);
    if (!nuts_valid(ask.nuts))
        return FAIL_FIELD(arena, "nuts", "must be the beginning of a NUTS code");
    *ret = ask;
    return OK;
}

static bool
has_role(const Wire__V1__Principal *principal, Wire__V1__Role role)
{
    for (size_t i = 0; i < principal->n_roles; i++)
        if (principal->roles[i] == role)
            return true;
    return false;
}

/* Roles that see everything their tenant sees. */
static bool
sees_all(const Wire__V1__Principal *principal)
{
    static const Wire__V1__Role roles[] = {
        WIRE__V1__ROLE__SERVICE,         WIRE__V1__ROLE__OPERATOR,
        WIRE__V1__ROLE__SYSTEM,          WIRE__V1__ROLE__PARTNERSHIP_OFFICER,
        WIRE__V1__ROLE__STRATEGIC_LEAD,  WIRE__V1__ROLE__PROGRAMME_DIRECTOR,
        WIRE__V1__ROLE__PROCESS_MANAGER,
    };

    for (size_t i = 0; i < COUNT_OF(roles); i++)
        if (has_role(principal, roles[i]))
            return true;
    return false;
}

static bool
same_id(const char *text, const struct uid *uid)
{
    struct uid parsed;

    return uid_parse(text, &parsed) && uid_equal(&parsed, uid);
}

struct status
rules_may_ask(struct arena *arena, const Wire__V1__Principal *principal,
              const struct profile *subject)
{
    struct uid tenant;

    /* Only operators and services act without a tenant. */
    if (uid_parse(principal->tenant_id, &tenant) && !profile_visible(subject, &tenant))
        return FAIL(arena, NOT_FOUND, "the profile is not published");
    if (sees_all(principal))
        return OK;
    if (has_role(principal, WIRE__V1__ROLE__COMPANY_CONTACT) &&
        same_id(principal->organisation_id, &subject->owner) && subject->kind != KIND_PERSON)
        return OK;
    if (subject->kind == KIND_PERSON && same_id(principal->person_id, &subject->id))
        return OK;
    return FAIL(arena, PERMISSION_DENIED, "matches may be asked for one's own profiles only");
}

void
rules_list_scope(const Wire__V1__Principal *principal, const char **ret_person_id,
                 const char **ret_organisation_id)
{
    /* An id that nothing has: who has neither profile nor organisation sees nothing. */
    static const char nobody[] = "00000000-0000-0000-0000-000000000000";

    *ret_person_id = "";
    *ret_organisation_id = "";
    if (sees_all(principal))
        return;
    if (has_role(principal, WIRE__V1__ROLE__COMPANY_CONTACT))
        *ret_organisation_id =
            *principal->organisation_id ? principal->organisation_id : nobody;
    else
        *ret_person_id = *principal->person_id ? principal->person_id : nobody;
}

struct status
rules_may_see(struct arena *arena, const Wire__V1__Principal *principal,
              const Matching__V1__Match *match)
{
    if (sees_all(principal))
        return OK;
    if (has_role(principal, WIRE__V1__ROLE__COMPANY_CONTACT) && *principal->organisation_id &&
        strcmp(principal->organisation_id, match->query_organisation_id) == 0)
        return OK;
    if (*principal->person_id && match->candidate->kind == MATCHING__V1__PROFILE_KIND__PERSON &&
        strcmp(principal->person_id, match->candidate->id) == 0)
        return OK;
    return FAIL(arena, NOT_FOUND, "there is no match %s", match->id);
}

bool
rules_may_read_note(const Wire__V1__Principal *principal, const Matching__V1__Match *match)
{
    if (strcmp(principal->tenant_id, match->tenant_id) != 0)
        return false;
    return has_role(principal, WIRE__V1__ROLE__PARTNERSHIP_OFFICER) ||
           has_role(principal, WIRE__V1__ROLE__PROCESS_MANAGER) ||
           strcmp(principal->subject_id, match->decided_by) == 0;
}

static struct status
may_decide(struct arena *arena, const Wire__V1__Principal *principal,
           const Matching__V1__Match *match, uint64_t expected_version)
{
    TRY(rules_may_see(arena, principal, match));
    if (expected_version == 0)
        return FAIL(arena, PRECONDITION_REQUIRED, "say which version of the match is decided");
    if (strcmp(principal->tenant_id, match->tenant_id) != 0)
        return FAIL(arena, PERMISSION_DENIED, "the match is decided by the tenant that seeks");
    if (match->version != expected_version)
        return FAIL(arena, VERSION_MISMATCH, "the match has version %llu",
                    (unsigned long long)match->version);
    if (match->state != MATCHING__V1__MATCH_STATE__SUGGESTED)
        return FAIL(arena, FAILED_PRECONDITION, "the match is no longer open");
    return OK;
}

static struct status
check_note(struct arena *arena, const char *note)
{
    if (utf8_length(note) > RULES_NOTE_LETTERS_MAX)
        return FAIL_FIELD(arena, "note", "at most %d characters", RULES_NOTE_LETTERS_MAX);
    return OK;
}

static bool
role_fits(Matching__V1__MatchRole role, Matching__V1__ProfileKind kind)
{
    switch (role) {
    case MATCHING__V1__MATCH_ROLE__ACADEMIC_COACH:
    case MATCHING__V1__MATCH_ROLE__BUSINESS_COACH:
    case MATCHING__V1__MATCH_ROLE__ASSOCIATE:
    case MATCHING__V1__MATCH_ROLE__SUPERVISOR:
        return kind == MATCHING__V1__PROFILE_KIND__PERSON;
    case MATCHING__V1__MATCH_ROLE__EXPERT:
        return kind != MATCHING__V1__PROFILE_KIND__INFRASTRUCTURE;
    case MATCHING__V1__MATCH_ROLE__EQUIPMENT:
        return kind == MATCHING__V1__PROFILE_KIND__INFRASTRUCTURE;
    case MATCHING__V1__MATCH_ROLE__PARTNER:
        return true;
    default:
        return false;
    }
}

struct status
rules_accept(struct arena *arena, const Wire__V1__Principal *principal,
             const Matching__V1__AcceptMatchRequest *request, Matching__V1__Match *match)
{
    TRY(may_decide(arena, principal, match, request->expected_version));
    if (!role_fits(request->role, match->candidate->kind))
        return FAIL_FIELD(arena, "role", "must be a role that this kind of candidate can have");
    TRY(check_note(arena, request->note));
    match->state = MATCHING__V1__MATCH_STATE__ACCEPTED;
    match->role = request->role;
    match->note = request->note;
    match->decided_by = principal->subject_id;
    return OK;
}

struct status
rules_decline(struct arena *arena, const Wire__V1__Principal *principal,
              const Matching__V1__DeclineMatchRequest *request, Matching__V1__Match *match)
{
    TRY(may_decide(arena, principal, match, request->expected_version));
    if (request->reason <= MATCHING__V1__DECLINE_REASON__DECLINE_REASON_UNSPECIFIED ||
        request->reason > MATCHING__V1__DECLINE_REASON__OTHER_REASON)
        return FAIL_FIELD(arena, "reason", "is required");
    if (request->reason == MATCHING__V1__DECLINE_REASON__OTHER_REASON && !*request->note)
        return FAIL_FIELD(arena, "note", "another reason needs a note that says it");
    TRY(check_note(arena, request->note));
    match->state = MATCHING__V1__MATCH_STATE__DECLINED;
    match->decline_reason = request->reason;
    match->note = request->note;
    match->decided_by = principal->subject_id;
    return OK;
}
