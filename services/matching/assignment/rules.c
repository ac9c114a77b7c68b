#include "services/matching/assignment/rules.h"

#include <string.h>

#include "common/base/utf8.h"

#define CHOICES_DEFAULT 10
#define OBJECTION_DAYS_DEFAULT 7
#define OBJECTION_DAYS_MAX 60

struct status
rules_text(struct arena *arena, const char *field, const char *text, size_t most)
{
    const char *trimmed;

    TRY(need(trimmed = utf8_trim(arena, text)));
    if (!*trimmed || utf8_length(text) > most)
        return FAIL_FIELD(arena, field, "must have 1 to %zu characters", most);
    return OK;
}

struct status
rules_code(struct arena *arena, const char *field, const char *code)
{
    if (!cohort_code_valid(code))
        return FAIL_FIELD(arena, field,
                          "must be a code: 1 to %d characters without spaces and commas",
                          COHORT_CODE_BYTES);
    return OK;
}

struct status
rules_round(struct arena *arena, const Matching__V1__CreateRoundRequest *request,
            Matching__V1__Round *ret)
{
    TRY(rules_text(arena, "title", request->title, RULES_TITLE_LETTERS_MAX));
    if (strpbrk(request->title, "\r\n"))
        return FAIL_FIELD(arena, "title", "must be one line");
    if ((int)request->objective < 0 ||
        request->objective > MATCHING__V1__ROUND_OBJECTIVE__LEAST_TOTAL)
        return FAIL_FIELD(arena, "objective", "is not an objective");
    if (request->choices_max > COHORT_CHOICES_MAX)
        return FAIL_FIELD(arena, "choices_max", "at most %d", COHORT_CHOICES_MAX);
    if (request->objection_days > OBJECTION_DAYS_MAX)
        return FAIL_FIELD(arena, "objection_days", "at most %d", OBJECTION_DAYS_MAX);
    ret->title = request->title;
    ret->objective =
        request->objective ? request->objective : MATCHING__V1__ROUND_OBJECTIVE__STABLE;
    ret->seed = request->seed;
    ret->choices_max = request->choices_max ? request->choices_max : CHOICES_DEFAULT;
    ret->fill = !request->no_fill;
    ret->objection_days =
        request->objection_days ? request->objection_days : OBJECTION_DAYS_DEFAULT;
    ret->state = MATCHING__V1__ROUND_STATE__SETUP;
    ret->version = 1;
    return OK;
}

#define IN(state) (1u << MATCHING__V1__ROUND_STATE__##state)

static const char *
state_name(Matching__V1__RoundState state)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(
        &matching__v1__round_state__descriptor, (int)state);

    return value ? value->name : "unknown";
}

struct status
rules_act(struct arena *arena, const Matching__V1__Round *round, enum round_act act)
{
    static const struct {
        unsigned states;
        const char *what;
    } acts[] = {
        [ACT_IMPORT_UNITS] = {IN(SETUP) | IN(COLLECTING_TOPICS) | IN(TOPIC_CHECK),
                              "limits and topics are taken in"},
        [ACT_IMPORT_STUDENTS] = {IN(SETUP) | IN(COLLECTING_TOPICS) | IN(TOPIC_CHECK) |
                                     IN(RANKING_OPEN),
                                 "students are taken in"},
        [ACT_CHECK_TOPICS] = {IN(TOPIC_CHECK), "topics are checked"},
        [ACT_CHOOSE] = {IN(RANKING_OPEN), "topics are ranked"},
        [ACT_RANK] = {IN(RANKING_OPEN) | IN(RANKING_CLOSED), "students are ranked"},
        [ACT_PIN] = {IN(RANKING_OPEN) | IN(RANKING_CLOSED) | IN(SOLVED) | IN(OBJECTIONS),
                     "students are pinned"},
        [ACT_SOLVE] = {IN(RANKING_CLOSED) | IN(SOLVED) | IN(OBJECTIONS),
                       "a round can be solved"},
        [ACT_TRY] = {IN(RANKING_CLOSED) | IN(SOLVED) | IN(OBJECTIONS) | IN(FINAL) |
                         IN(NOTIFIED),
                     "a round can be tried"},
        [ACT_READ_OWN] = {IN(OBJECTIONS) | IN(FINAL) | IN(NOTIFIED),
                          "students see what they got"},
        [ACT_OBJECT] = {IN(OBJECTIONS), "there are objections"},
        [ACT_AMEND] = {IN(FINAL) | IN(NOTIFIED), "a place is amended"},
    };

    if (acts[act].states & 1u << round->state)
        return OK;
    return FAIL(arena, FAILED_PRECONDITION, "this is not when %s: the round is %s",
                acts[act].what, state_name(round->state));
}

enum round_act
rules_import_act(Matching__V1__CohortPart part)
{
    switch (part) {
    case MATCHING__V1__COHORT_PART__STUDENTS:
        return ACT_IMPORT_STUDENTS;
    case MATCHING__V1__COHORT_PART__CHOICES:
        return ACT_CHOOSE;
    case MATCHING__V1__COHORT_PART__RANKINGS:
        return ACT_RANK;
    default:
        return ACT_IMPORT_UNITS;
    }
}

struct status
rules_move(struct arena *arena, const Matching__V1__Round *round, Matching__V1__RoundState to)
{
    static const unsigned before[] = {
        [MATCHING__V1__ROUND_STATE__COLLECTING_TOPICS] = IN(SETUP),
        [MATCHING__V1__ROUND_STATE__TOPIC_CHECK] = IN(COLLECTING_TOPICS),
        [MATCHING__V1__ROUND_STATE__RANKING_OPEN] = IN(TOPIC_CHECK),
        [MATCHING__V1__ROUND_STATE__RANKING_CLOSED] = IN(RANKING_OPEN),
        [MATCHING__V1__ROUND_STATE__OBJECTIONS] = IN(SOLVED),
        [MATCHING__V1__ROUND_STATE__FINAL] = IN(SOLVED) | IN(OBJECTIONS),
        [MATCHING__V1__ROUND_STATE__NOTIFIED] = IN(FINAL),
        [MATCHING__V1__ROUND_STATE__CANCELLED] =
            IN(SETUP) | IN(COLLECTING_TOPICS) | IN(TOPIC_CHECK) | IN(RANKING_OPEN) |
            IN(RANKING_CLOSED) | IN(SOLVED) | IN(OBJECTIONS),
    };

    if ((int)to <= 0 || to > MATCHING__V1__ROUND_STATE__CANCELLED || before[to] == 0)
        return FAIL_FIELD(arena, "state", "is no state that a round is moved to");
    if (!(before[to] & 1u << round->state))
        return FAIL(arena, FAILED_PRECONDITION, "%s does not follow on %s", state_name(to),
                    state_name(round->state));
    return OK;
}

struct status
rules_topics_checked(struct arena *arena, const struct cohort *cohort)
{
    bool approved = false;

    for (size_t i = 0; i < cohort->topic_count; i++) {
        if (cohort->topics[i].state == MATCHING__V1__TOPIC_STATE__TOPIC_PROPOSED)
            return FAIL(arena, FAILED_PRECONDITION, "the topic %s is not checked yet",
                        cohort->topics[i].code);
        approved |= cohort->topics[i].state == MATCHING__V1__TOPIC_STATE__TOPIC_APPROVED;
    }
    return approved ? OK : FAIL(arena, FAILED_PRECONDITION, "no topic is approved");
}

struct status
rules_choices(struct arena *arena, const struct cohort *units, const char *const *codes,
              size_t count, uint32_t most, const char **ret)
{
    const char *joined = "";

    if (count > most)
        return FAIL_FIELD(arena, "topics", "at most %u choices", most);
    for (size_t i = 0; i < count; i++) {
        const struct cohort_topic *topic = cohort_topic(units, codes[i]);

        if (!topic || topic->state != MATCHING__V1__TOPIC_STATE__TOPIC_APPROVED)
            return FAIL_FIELD(arena, arena_printf(arena, "topics[%zu]", i),
                              "is no approved topic of this round");
        for (size_t j = 0; j < i; j++)
            if (strcmp(codes[i], codes[j]) == 0)
                return FAIL_FIELD(arena, arena_printf(arena, "topics[%zu]", i),
                                  "is the same as topics[%zu]", j);
        TRY(need(joined = arena_printf(arena, "%s%s%s", joined, i ? " " : "", codes[i])));
    }
    *ret = joined;
    return OK;
}

struct status
rules_bands(struct arena *arena, const struct cohort *cohort,
            const Matching__V1__RankStudentsRequest *request, struct cohort_ranking **ret,
            size_t *ret_count)
{
    struct cohort_ranking *rows =
        ARENA_ARRAY(arena, struct cohort_ranking, cohort->student_count + 1);
    bool *seen = ARENA_ARRAY(arena, bool, cohort->student_count + 1);
    size_t count = 0;

    TRY(need(rows));
    TRY(need(seen));
    for (size_t b = 0; b < request->n_bands; b++)
        for (size_t i = 0; i < request->bands[b]->n_students; i++) {
            const char *code = request->bands[b]->students[i];
            const struct cohort_student *student = cohort_student(cohort, code);

            if (!student)
                return FAIL_FIELD(arena, arena_printf(arena, "bands[%zu].students[%zu]", b, i),
                                  "is no student of this round");
            if (seen[student - cohort->students])
                return FAIL_FIELD(arena, arena_printf(arena, "bands[%zu].students[%zu]", b, i),
                                  "names a student twice");
            seen[student - cohort->students] = true;
            rows[count++] =
                (struct cohort_ranking){request->owner, student->code, (uint32_t)b + 1};
        }
    *ret = rows;
    *ret_count = count;
    return OK;
}

const char *
rules_above(const struct cohort *units, const char *code)
{
    const struct cohort_topic *topic = cohort_topic(units, code);
    const struct cohort_limit *limit = topic ? NULL : cohort_limit(units, code);

    return topic ? topic->owner : limit ? limit->parent : "";
}

/* How many of the topics `held` lie in the unit. */
static uint32_t
load_of(const struct cohort *units, const char *unit, const char *const *held, size_t count)
{
    uint32_t load = 0;

    for (size_t i = 0; i < count; i++)
        for (const char *at = held[i]; *at; at = rules_above(units, at))
            if (strcmp(at, unit) == 0) {
                load++;
                break;
            }
    return load;
}

struct status
rules_room(struct arena *arena, const struct cohort *units, const char *code,
           const char *const *held, size_t count)
{
    const struct cohort_topic *topic = cohort_topic(units, code);

    if (!topic || topic->state != MATCHING__V1__TOPIC_STATE__TOPIC_APPROVED)
        return FAIL_FIELD(arena, "topic", "is no approved topic of this round");
    for (const char *at = code; *at; at = rules_above(units, at)) {
        const struct cohort_limit *limit = at == code ? NULL : cohort_limit(units, at);
        const uint32_t capacity = limit ? limit->capacity : at == code ? topic->capacity : 0;

        if (load_of(units, at, held, count) >= capacity)
            return FAIL(arena, FAILED_PRECONDITION, "%s takes %u, and they are there", at,
                        capacity);
    }
    return OK;
}

static struct status
try_capacity(struct arena *arena, struct cohort *cohort,
             const Matching__V1__TryCapacity *change, size_t i)
{
    struct cohort_limit *limit = cohort_limit(cohort, change->code);
    struct cohort_topic *topic = cohort_topic(cohort, change->code);

    if (!limit && !topic)
        return FAIL_FIELD(arena, arena_printf(arena, "capacities[%zu].code", i),
                          "is no limit and no topic of this round");
    if (change->capacity > COHORT_CAPACITY_MAX)
        return FAIL_FIELD(arena, arena_printf(arena, "capacities[%zu].capacity", i),
                          "at most %d", COHORT_CAPACITY_MAX);
    if (limit) {
        limit->capacity = change->capacity;
    } else {
        topic->capacity = change->capacity;
        if (topic->least > topic->capacity)
            topic->least = topic->capacity;
    }
    return OK;
}

struct status
rules_try(struct arena *arena, struct cohort *cohort,
          const Matching__V1__TryRoundRequest *request)
{
    if ((int)request->objective < 0 ||
        request->objective > MATCHING__V1__ROUND_OBJECTIVE__LEAST_TOTAL)
        return FAIL_FIELD(arena, "objective", "is not an objective");
    if (request->n_pins > RULES_TRIES_MAX)
        return FAIL_FIELD(arena, "pins", "at most %d", RULES_TRIES_MAX);
    if (request->n_capacities > RULES_TRIES_MAX)
        return FAIL_FIELD(arena, "capacities", "at most %d", RULES_TRIES_MAX);
    for (size_t i = 0; i < request->n_pins; i++) {
        struct cohort_student *student = cohort_student(cohort, request->pins[i]->student);

        if (!student)
            return FAIL_FIELD(arena, arena_printf(arena, "pins[%zu].student", i),
                              "is no student of this round");
        student->pinned = request->pins[i]->topic;
    }
    for (size_t i = 0; i < request->n_capacities; i++)
        TRY(try_capacity(arena, cohort, request->capacities[i], i));
    return OK;
}
