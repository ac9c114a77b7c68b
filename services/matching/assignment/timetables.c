/* The timetable of a company day, asked for with everything it depends on; nothing is kept. */

#include "matching/v1/timetable.pb-c.h"

#include <stdlib.h>
#include <string.h>

#include "common/service/call.h"
#include "services/matching/assignment/assignment.h"
#include "services/matching/assignment/rules.h"
#include "services/matching/assignment/timetable.h"
#include "services/matching/assignment/words.h"

#define MEETINGS_MAX 1000
#define ABSENCES_MAX 500
#define TABLES_MAX 10000
#define PRIORITY_MAX 1000000

_Static_assert(TIMETABLE_WAITING + 1 == MATCHING__V1__MEETING_REASON__LONG_WAIT,
               "reasons differ");

/* Who takes part, by code. */
struct people {
    const char **codes; /* sorted, each once */
    size_t count;
};

static int
by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static uint32_t
number_of(const struct people *people, const char *code)
{
    const char **found = people->count == 0 ? NULL
                                            : bsearch(&code, people->codes, people->count,
                                                      sizeof *people->codes, by_text);

    return found ? (uint32_t)(found - people->codes) : TIMETABLE_NONE;
}

static struct status
check_meeting(struct call *call, const Matching__V1__AskedMeeting *meeting, size_t i,
              size_t slots)
{
    const struct {
        const char *name, *code;
    } codes[] = {{"meeting_id", meeting->meeting_id},
                 {"first", meeting->first},
                 {"second", meeting->second}};

    for (size_t k = 0; k < COUNT_OF(codes); k++)
        TRY(rules_code(call->arena,
                       arena_printf(call->arena, "meetings[%zu].%s", i, codes[k].name),
                       codes[k].code));
    if (strcmp(meeting->first, meeting->second) == 0)
        return FAIL_FIELD(call->arena, arena_printf(call->arena, "meetings[%zu].second", i),
                          "must be another participant");
    if (meeting->slot > slots)
        return FAIL_FIELD(call->arena, arena_printf(call->arena, "meetings[%zu].slot", i),
                          "there are %zu slots", slots);
    if (meeting->priority > PRIORITY_MAX)
        return FAIL_FIELD(call->arena, arena_printf(call->arena, "meetings[%zu].priority", i),
                          "at most %d", PRIORITY_MAX);
    return OK;
}

static struct status
check_request(struct call *call, const Matching__V1__PlanTimetableRequest *request)
{
    const size_t slots = request->n_tables;

    if (slots == 0 || slots > TIMETABLE_SLOTS_MAX)
        return FAIL_FIELD(call->arena, "tables", "must have 1 to %d slots",
                          TIMETABLE_SLOTS_MAX);
    for (size_t i = 0; i < slots; i++)
        if (request->tables[i] > TABLES_MAX)
            return FAIL_FIELD(call->arena, arena_printf(call->arena, "tables[%zu]", i),
                              "at most %d", TABLES_MAX);
    if (request->n_meetings > MEETINGS_MAX)
        return FAIL_FIELD(call->arena, "meetings", "at most %d", MEETINGS_MAX);
    if (request->n_absences > ABSENCES_MAX)
        return FAIL_FIELD(call->arena, "absences", "at most %d", ABSENCES_MAX);
    for (size_t i = 0; i < request->n_meetings; i++)
        TRY(check_meeting(call, request->meetings[i], i, slots));
    return OK;
}

static struct status
find_people(struct call *call, const Matching__V1__PlanTimetableRequest *request,
            struct people *ret)
{
    struct people people = {0};
    size_t count = 0;

    TRY(need(people.codes =
                 ARENA_ARRAY(call->arena, const char *, 2 * request->n_meetings + 1)));
    for (size_t i = 0; i < request->n_meetings; i++) {
        people.codes[count++] = request->meetings[i]->first;
        people.codes[count++] = request->meetings[i]->second;
    }
    qsort(people.codes, count, sizeof *people.codes, by_text);
    for (size_t i = 0; i < count; i++)
        if (i == 0 || strcmp(people.codes[i], people.codes[i - 1]) != 0)
            people.codes[people.count++] = people.codes[i];
    *ret = people;
    return OK;
}

static struct status
read_absences(struct call *call, const Matching__V1__PlanTimetableRequest *request,
              const struct people *people, uint64_t *away)
{
    for (size_t i = 0; i < request->n_absences; i++) {
        const Matching__V1__Absence *absence = request->absences[i];
        const uint32_t number = number_of(people, absence->participant);

        if (number == TIMETABLE_NONE)
            return FAIL_FIELD(call->arena,
                              arena_printf(call->arena, "absences[%zu].participant", i),
                              "has no meeting");
        if (absence->n_slots == 0)
            away[number] = UINT64_MAX;
        for (size_t k = 0; k < absence->n_slots; k++) {
            if (absence->slots[k] == 0 || absence->slots[k] > request->n_tables)
                return FAIL_FIELD(call->arena,
                                  arena_printf(call->arena, "absences[%zu].slots[%zu]", i, k),
                                  "there are slots 1 to %zu", request->n_tables);
            away[number] |= (uint64_t)1 << (absence->slots[k] - 1);
        }
    }
    return OK;
}

static struct status
make_day(struct call *call, const Matching__V1__PlanTimetableRequest *request,
         const struct people *people, struct timetable *ret)
{
    struct timetable_meeting *meetings =
        ARENA_ARRAY(call->arena, struct timetable_meeting, request->n_meetings + 1);
    uint64_t *away = ARENA_ARRAY(call->arena, uint64_t, people->count + 1);

    TRY(need(meetings));
    TRY(need(away));
    for (size_t i = 0; i < request->n_meetings; i++) {
        const Matching__V1__AskedMeeting *asked = request->meetings[i];

        meetings[i] = (struct timetable_meeting){
            {number_of(people, asked->first), number_of(people, asked->second)},
            asked->priority,
            asked->slot ? asked->slot - 1 : TIMETABLE_NONE};
    }
    TRY(read_absences(call, request, people, away));
    *ret = (struct timetable){.meetings = meetings,
                              .away = away,
                              .tables = request->tables,
                              .participant_count = (uint32_t)people->count,
                              .meeting_count = (uint32_t)request->n_meetings,
                              .slot_count = (uint32_t)request->n_tables,
                              .gap_max = request->gap_max};
    return OK;
}

static struct status
tell_day(struct call *call, const Matching__V1__PlanTimetableRequest *request,
         const struct timetable *day, Matching__V1__PlanTimetableReply *reply)
{
    uint32_t taken[TIMETABLE_SLOTS_MAX] = {0};

    TRY(need(reply->meetings = ARENA_ARRAY(call->arena, Matching__V1__PlannedMeeting *,
                                           day->meeting_count + 1)));
    for (uint32_t m = 0; m < day->meeting_count; m++) {
        Matching__V1__PlannedMeeting *told =
            ARENA_NEW(call->arena, Matching__V1__PlannedMeeting);
        const uint32_t slot = day->meetings[m].slot;

        TRY(need(told));
        matching__v1__planned_meeting__init(told);
        told->meeting_id = request->meetings[m]->meeting_id;
        told->reason = (Matching__V1__MeetingReason)(timetable_reason(day, m) + 1);
        told->text = words_meeting(told->reason, call->lang);
        if (slot != TIMETABLE_NONE) {
            told->slot = slot + 1;
            told->table = ++taken[slot];
            reply->held++;
        }
        reply->meetings[reply->n_meetings++] = told;
    }
    for (uint32_t p = 0; p < day->participant_count; p++)
        if (timetable_gap(day, p) > reply->longest_wait)
            reply->longest_wait = timetable_gap(day, p);
    return OK;
}

static struct status
plan_timetable(struct call *call, const Matching__V1__PlanTimetableRequest *request,
               Matching__V1__PlanTimetableReply *reply)
{
    struct timetable day;
    struct people people;

    TRY(check_request(call, request));
    TRY(find_people(call, request, &people));
    TRY(make_day(call, request, &people, &day));
    TRY(timetable_plan(&day, call->arena, &reply->moved));
    return tell_day(call, request, &day, reply);
}

#define METHOD(handler, Name)                                                                  \
    RPC_METHOD(Matching__V1__Timetables_Service, handler, Matching__V1__##Name##Request,       \
               Matching__V1__##Name##Reply)

METHOD(plan_timetable, PlanTimetable)

static Matching__V1__Timetables_Service service = MATCHING__V1__TIMETABLES__INIT(rpc_);
const ProtobufCService *const timetables_service = &service.base;
