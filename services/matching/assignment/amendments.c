/* What is changed after the end: one place at a time, by hand, with a reason, where there is
 * room. The result stays as it was; readings put the last amendment of a place over it. */

#include "services/matching/assignment/handlers.h"

#include <stdlib.h>
#include <string.h>

#include "common/pg/cursor.h"
#include "services/matching/assignment/news.h"
#include "services/matching/assignment/store_amend.h"

#define AMENDMENTS_DEFAULT 100
#define AMENDMENTS_PAGE_MAX 500
#define CIRCLE_MAX 6 /* two topics, up to three limits above each */

/* What the student has now, and what all others have. */
static struct status
read_places(struct call *call, const char *round_id, const char *student,
            const struct stored_place **ret_own, const char ***ret_held, size_t *ret_count)
{
    const struct stored_place *own = NULL;
    struct stored_place *places;
    const char **held;
    size_t count, kept = 0;

    TRY(store_place_page(call->tx, call->arena, round_id, "", COHORT_STUDENTS_MAX, &places,
                         &count));
    TRY(need(held = ARENA_ARRAY(call->arena, const char *, count + 1)));
    for (size_t i = 0; i < count; i++) {
        if (strcmp(places[i].assignment.student, student) == 0)
            own = &places[i];
        else if (*places[i].assignment.topic)
            held[kept++] = places[i].assignment.topic;
    }
    if (!own)
        return FAIL(call->arena, NOT_FOUND, "there is no student %s in the round", student);
    *ret_own = own;
    *ret_held = held;
    *ret_count = kept;
    return OK;
}

/* At which place of the student's list the topic stands; 0: nowhere. */
static uint32_t
choice_of(const char *choices, const char *topic)
{
    const char *piece;
    uint32_t place = 0;
    size_t size;

    while ((size = cohort_next_choice(&choices, &piece)) > 0) {
        place++;
        if (size == strlen(topic) && memcmp(piece, topic, size) == 0)
            return place;
    }
    return 0;
}

static struct status
tell_amended(struct call *call, const Matching__V1__Round *round, const struct cohort *units,
             const Matching__V1__Amendment *amendment)
{
    Matching__V1__RoundAmended event = MATCHING__V1__ROUND_AMENDED__INIT;
    const char *const ends[] = {amendment->from, amendment->to};
    const char *limits[CIRCLE_MAX];
    struct news_circle circle = {.students = &amendment->student, .student_count = 1};

    for (size_t i = 0; i < COUNT_OF(ends); i++)
        for (const char *at = rules_above(units, ends[i]);
             *at && circle.limit_count < CIRCLE_MAX; at = rules_above(units, at))
            limits[circle.limit_count++] = at;
    circle.limits = limits;
    event.round_id = round->round_id;
    event.run = round->run;
    event.amendment = amendment->number;
    TRY(call_emit(call,
                  (struct outbox_event){.data = &event.base, .subject = round->round_id}));
    return news_tell(call, round->round_id, MATCHING__V1__ROUND_NEWS__NEWS_AMENDED, &circle);
}

struct status
amend_assignment(struct call *call, const Matching__V1__AmendAssignmentRequest *request,
                 Matching__V1__AmendAssignmentReply *reply)
{
    Matching__V1__Amendment *amendment = ARENA_NEW(call->arena, Matching__V1__Amendment);
    const struct stored_place *own;
    struct cohort_student student;
    Matching__V1__Round *round;
    struct cohort units;
    const char **held;
    size_t count;

    TRY(need(amendment));
    TRY(rules_code(call->arena, "student", request->student));
    TRY(rules_text(call->arena, "reason", request->reason, RULES_REASON_LETTERS_MAX));
    TRY(round_find(call, request->round_id, STORE_LOCK, &round));
    TRY(round_version(call, round, request->expected_version));
    TRY(rules_act(call->arena, round, ACT_AMEND));
    TRY(store_student(call->tx, call->arena, round->round_id, request->student, "", &student));
    TRY(store_cohort_units(call->tx, call->arena, round->round_id, &units));
    TRY(read_places(call, round->round_id, student.code, &own, &held, &count));
    if (strcmp(own->assignment.topic, request->topic) == 0)
        return FAIL_FIELD(call->arena, "topic", "is what the student has");
    if (*request->topic)
        TRY(rules_room(call->arena, &units, request->topic, held, count));
    matching__v1__amendment__init(amendment);
    amendment->student = student.code;
    amendment->from = own->assignment.topic;
    amendment->to = request->topic;
    amendment->reason = request->reason;
    amendment->amended_by = call->principal->subject_id;
    TRY(store_amend(call->tx, call->arena, round, choice_of(student.choices, request->topic),
                    amendment));
    TRY(tell_amended(call, round, &units, amendment));
    reply->amendment = amendment;
    reply->version = round->version;
    return OK;
}

struct status
list_amendments(struct call *call, const Matching__V1__ListAmendmentsRequest *request,
                Matching__V1__ListAmendmentsReply *reply)
{
    const char *after, *ignored, *listing;
    Matching__V1__Round *round;
    uint32_t shown;

    TRY(round_find(call, request->round_id, STORE_LOOK, &round));
    TRY(round_page_size(call, request->page_size, AMENDMENTS_DEFAULT, AMENDMENTS_PAGE_MAX,
                        &shown));
    TRY(need(listing = arena_printf(call->arena, "amendments/%s", round->round_id)));
    TRY(cursor_read(call->arena, call->tenant_id, listing, request->page_token, &ignored,
                    &after));
    TRY(store_amendments(call->tx, call->arena, round->round_id,
                         (uint32_t)strtoul(after, NULL, 10), shown + 1, &reply->amendments,
                         &reply->n_amendments));
    if (reply->n_amendments <= shown)
        return OK;
    reply->n_amendments = shown;
    TRY(need(after = arena_printf(call->arena, "%u", reply->amendments[shown - 1]->number)));
    return cursor_make(call->arena, call->tenant_id, listing, "", after,
                       &reply->next_page_token);
}
