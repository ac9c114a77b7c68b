#include "services/matching/assignment/timetable.h"

#include <string.h>

#include "services/matching/assignment/test_instance.h"

#define SLOTS 12
#define PEOPLE 40
#define MEETINGS 200

struct day {
    struct arena arena;
    struct timetable_meeting meetings[MEETINGS];
    uint64_t away[PEOPLE];
    uint32_t tables[SLOTS];
    struct timetable timetable;
};

/* Companies are the first ten participants, who meet the others. */
static void
make_day(struct day *day, uint32_t meetings, uint32_t tables, uint32_t gap_max, uint64_t seed)
{
    uint64_t random = seed * 977 + 3;

    memset(day, 0, sizeof *day);
    arena_init(&day->arena, 16 << 20);
    for (uint32_t m = 0; m < meetings; m++)
        day->meetings[m] =
            (struct timetable_meeting){{(uint32_t)made_random(&random) % 10,
                                        10 + (uint32_t)made_random(&random) % (PEOPLE - 10)},
                                       (uint32_t)made_random(&random) % 3,
                                       TIMETABLE_NONE};
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        day->tables[slot] = slot == 6 ? 0 : tables; /* a break */
    day->timetable = (struct timetable){day->meetings, day->away, day->tables, PEOPLE,
                                        meetings,      SLOTS,     gap_max};
}

/* No clash, no more than the tables, nobody where it cannot be, nobody waits too long. */
static uint32_t
check_day(const struct day *day)
{
    uint32_t held = 0, load[SLOTS] = {0};
    bool busy[PEOPLE][SLOTS] = {0};

    for (uint32_t m = 0; m < day->timetable.meeting_count; m++) {
        const struct timetable_meeting *meeting = &day->meetings[m];

        assert_int_equal(meeting->slot == TIMETABLE_NONE,
                         timetable_reason(&day->timetable, m) != TIMETABLE_HELD);
        if (meeting->slot == TIMETABLE_NONE)
            continue;
        held++;
        load[meeting->slot]++;
        for (int side = 0; side < 2; side++) {
            const uint32_t person = meeting->participant[side];

            assert_false(busy[person][meeting->slot]);
            assert_false(day->away[person] >> meeting->slot & 1);
            busy[person][meeting->slot] = true;
        }
    }
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        assert_true(load[slot] <= day->tables[slot]);
    for (uint32_t person = 0; person < PEOPLE; person++)
        assert_true(timetable_gap(&day->timetable, person) <= day->timetable.gap_max);
    return held;
}

static void
a_day_keeps_its_limits(void **state)
{
    uint32_t held = 0, asked = 0, moved;

    (void)state;
    for (uint64_t seed = 0; seed < 150; seed++) {
        struct day day;
        uint64_t random = seed;

        make_day(&day, 20 + (uint32_t)seed, 3 + (uint32_t)seed % 8, (uint32_t)seed % 5, seed);
        for (uint32_t person = 0; person < PEOPLE; person += 3)
            day.away[person] = made_random(&random) % 4096;
        assert_false(failed(timetable_plan(&day.timetable, &day.arena, &moved)));
        assert_int_equal(moved, 0);
        held += check_day(&day);
        asked += day.timetable.meeting_count;
        arena_fini(&day.arena);
    }
    assert_true(held * 2 > asked);
}

/* Koenig: two groups, nobody with more meetings than slots, tables enough. */
static void
without_other_limits_every_meeting_is_held(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        uint32_t degree[PEOPLE] = {0}, kept = 0, moved;
        struct day day;

        make_day(&day, MEETINGS, PEOPLE, SLOTS, seed);
        for (uint32_t m = 0; m < MEETINGS; m++) {
            const struct timetable_meeting meeting = day.meetings[m];

            if (degree[meeting.participant[0]] == SLOTS - 1 ||
                degree[meeting.participant[1]] == SLOTS - 1)
                continue;
            degree[meeting.participant[0]]++;
            degree[meeting.participant[1]]++;
            day.meetings[kept++] = meeting;
        }
        day.timetable.meeting_count = kept;
        assert_true(kept > 90);
        assert_false(failed(timetable_plan(&day.timetable, &day.arena, &moved)));
        assert_int_equal(check_day(&day), kept);
        arena_fini(&day.arena);
    }
}

static void
a_late_cancellation_is_repaired_where_it_is(void **state)
{
    uint32_t moved_all = 0, held_all = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct day day;
        uint32_t moved, held;

        make_day(&day, 80, 8, 3, seed);
        assert_false(failed(timetable_plan(&day.timetable, &day.arena, &moved)));
        held = check_day(&day);
        day.away[seed % 10] = 0xFFFFFFFF; /* a company does not come */
        assert_false(failed(timetable_plan(&day.timetable, &day.arena, &moved)));
        for (uint32_t m = 0; m < 80; m++)
            if (day.meetings[m].participant[0] == seed % 10) {
                assert_int_equal(day.meetings[m].slot, TIMETABLE_NONE);
                assert_int_equal(timetable_reason(&day.timetable, m), TIMETABLE_NO_COMMON_SLOT);
            }
        (void)check_day(&day);
        moved_all += moved;
        held_all += held;
        assert_false(failed(timetable_plan(&day.timetable, &day.arena, &moved)));
        assert_int_equal(moved, 0); /* nothing to repair */
        arena_fini(&day.arena);
    }
    assert_true(moved_all * 4 < held_all); /* the company's own meetings among them */
}

static void
the_wanted_ones_come_first(void **state)
{
    struct day day;
    uint32_t moved;

    (void)state;
    make_day(&day, 3, 1, 3, 0);
    for (uint32_t slot = 1; slot < SLOTS; slot++)
        day.tables[slot] = 0;
    for (uint32_t m = 0; m < 3; m++)
        day.meetings[m] = (struct timetable_meeting){{m, 10 + m}, 2 - m, TIMETABLE_NONE};
    assert_false(failed(timetable_plan(&day.timetable, &day.arena, &moved)));
    assert_int_equal(day.meetings[2].slot, 0);
    assert_int_equal(timetable_reason(&day.timetable, 0), TIMETABLE_NO_TABLE);
    arena_fini(&day.arena);
}

static void
what_is_no_day_is_refused_by_name(void **state)
{
    struct status status;
    struct day day;

    (void)state;
    make_day(&day, 3, 1, 3, 0);
    day.meetings[1].participant[1] = day.meetings[1].participant[0];
    status = timetable_check(&day.timetable, &day.arena);
    assert_string_equal(status.field, "meetings[1].participants");
    day.meetings[1].participant[1] = PEOPLE;
    status = timetable_check(&day.timetable, &day.arena);
    assert_string_equal(status.field, "meetings[1].participants");
    day.meetings[1].participant[1] = 20;
    day.meetings[2].slot = SLOTS;
    status = timetable_check(&day.timetable, &day.arena);
    assert_string_equal(status.field, "meetings[2].slot");
    day.timetable.slot_count = 65;
    status = timetable_check(&day.timetable, &day.arena);
    assert_string_equal(status.field, "slots");
    arena_fini(&day.arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_day_keeps_its_limits),
        cmocka_unit_test(without_other_limits_every_meeting_is_held),
        cmocka_unit_test(a_late_cancellation_is_repaired_where_it_is),
        cmocka_unit_test(the_wanted_ones_come_first),
        cmocka_unit_test(what_is_no_day_is_refused_by_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
