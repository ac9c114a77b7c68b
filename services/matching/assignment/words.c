#include "services/matching/assignment/words.h"

#define TEXT(name, sv, fi, en) TEXT_COMPLETE(sv, fi, en);
#include "services/matching/assignment/texts.def"
#undef TEXT

enum words_name {
#define TEXT(name, sv, fi, en) WORDS_##name,
#include "services/matching/assignment/texts.def"
#undef TEXT
    WORDS_COUNT
};

static const struct text words[WORDS_COUNT] = {
#define TEXT(name, sv, fi, en) [WORDS_##name] = {{sv, fi, en}},
#include "services/matching/assignment/texts.def"
#undef TEXT
};

/* The texts stand in the order of the enums. */
_Static_assert(WORDS_import_too_many - WORDS_import_bad_table == IMPORT_FAULTS - 1,
               "a fault has no words");
_Static_assert(WORDS_place_by_amendment - WORDS_place_without ==
                   MATCHING__V1__PLACE_BASIS__BY_AMENDMENT -
                       MATCHING__V1__PLACE_BASIS__WITHOUT_PLACE,
               "a basis has no words");
_Static_assert(WORDS_barrier_other_objective - WORDS_barrier_outranked ==
                   MATCHING__V1__PLACE_BARRIER__OTHER_OBJECTIVE -
                       MATCHING__V1__PLACE_BARRIER__OUTRANKED,
               "a barrier has no words");
_Static_assert(WORDS_cause_other_objective - WORDS_cause_topic_closed ==
                   MATCHING__V1__PLACE_BARRIER__OTHER_OBJECTIVE -
                       MATCHING__V1__PLACE_BARRIER__TOPIC_CLOSED,
               "a cause has no words");

static struct status
say(struct arena *arena, int name, enum lang lang, const struct text_value *values,
    size_t count, const char **ret)
{
    char *text = text_fill(arena, words[name].in[lang], values, count);

    TRY(need(text));
    *ret = text;
    return OK;
}

struct status
words_problem(struct arena *arena, const struct import_problem *problem, enum lang lang,
              const char **ret)
{
    const struct text_value values[] = {{"value", problem->value}};

    return say(arena, WORDS_import_bad_table + (int)problem->fault, lang, values, 1, ret);
}

struct status
words_place(struct arena *arena, const Matching__V1__Assignment *place, enum lang lang,
            const char **ret)
{
    struct text_value values[] = {
        {"topic", *place->topic_title ? place->topic_title : place->topic},
        {"choice", arena_printf(arena, "%u", place->choice)}};

    TRY(need(values[1].value));
    if (place->basis == MATCHING__V1__PLACE_BASIS__BY_AMENDMENT && !*place->topic)
        return say(arena, WORDS_place_taken_away, lang, values, COUNT_OF(values), ret);
    return say(arena,
               WORDS_place_without +
                   ((int)place->basis - MATCHING__V1__PLACE_BASIS__WITHOUT_PLACE),
               lang, values, COUNT_OF(values), ret);
}

struct status
words_reason(struct arena *arena, const Matching__V1__PlaceReason *reason, enum lang lang,
             const char **ret)
{
    struct text_value values[] = {{"topic", reason->topic},
                                  {"limit", *reason->limit ? reason->limit : reason->topic},
                                  {"choice", arena_printf(arena, "%u", reason->choice)}};

    TRY(need(values[2].value));
    return say(arena,
               WORDS_barrier_outranked +
                   ((int)reason->barrier - MATCHING__V1__PLACE_BARRIER__OUTRANKED),
               lang, values, COUNT_OF(values), ret);
}

const char *
words_cause(Matching__V1__PlaceBarrier cause, enum lang lang)
{
    return words[WORDS_cause_topic_closed +
                 ((int)cause - MATCHING__V1__PLACE_BARRIER__TOPIC_CLOSED)]
        .in[lang];
}

_Static_assert(WORDS_meeting_long_wait - WORDS_meeting_no_common_slot ==
                   MATCHING__V1__MEETING_REASON__LONG_WAIT -
                       MATCHING__V1__MEETING_REASON__NO_COMMON_SLOT,
               "a meeting's reason has no words");

const char *
words_meeting(Matching__V1__MeetingReason reason, enum lang lang)
{
    return reason < MATCHING__V1__MEETING_REASON__NO_COMMON_SLOT
               ? ""
               : words[WORDS_meeting_no_common_slot +
                       ((int)reason - MATCHING__V1__MEETING_REASON__NO_COMMON_SLOT)]
                     .in[lang];
}
