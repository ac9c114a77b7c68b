#include "services/events/group.h"

#include <stdio.h>
#include <stdlib.h>

#include "services/events/test_sample.h"

#define EVENTS 2000
#define WORKERS 4

static struct group group;
static struct group_member members[WORKERS];

static int
setup(void **state)
{
    static const uint64_t begin[GROUP_LANES];

    (void)state;
    memset(&group, 0, sizeof group);
    memset(members, 0, sizeof members);
    group_open(&group, 1, begin);
    return 0;
}

static struct packed_event
keyed(const char *key)
{
    return (struct packed_event){.partition_key = {(const uint8_t *)key, strlen(key)}};
}

/* A deployment in small: events with one of 97 keys, workers that are sent them, and what each
 * key's work has come to. */
struct world {
    uint64_t done[EVENTS + 1]; /* how often */
    uint64_t last_of_key[97];
    unsigned out_of_order, repeats;
    bool may_repeat; /* somebody died */
};

static const char *
key_of(uint64_t position, char into[32])
{
    (void)snprintf(into, 32, "key-%u", (unsigned)(position * 31 % 97));
    return into;
}

/* Sends the member what is next for it up to `head`, one event a delivery, `most` at a time. */
static unsigned
send_on(struct world *world, struct group_member *member, uint64_t *cursor, uint64_t head,
        unsigned most)
{
    unsigned sent = 0;

    if (member->restart) {
        *cursor = group_member_start(member);
        member->restart = false;
    }
    while (member->lanes && *cursor < head && sent < most && group_has_room(member)) {
        char text[32];
        const struct packed_event event = keyed(key_of(++*cursor, text));

        if (!group_passes(member, &event, *cursor)) {
            group_note_passed(member, *cursor);
            continue;
        }
        const unsigned key = (unsigned)(*cursor * 31 % 97);

        (void)group_note_sent(member, *cursor, (struct mono){0});
        if (world->done[*cursor]++)
            world->repeats++;
        else if (*cursor < world->last_of_key[key])
            world->out_of_order++;
        world->last_of_key[key] = *cursor;
        sent++;
    }
    return sent;
}

static void
assert_all_done_once(const struct world *world)
{
    for (uint64_t position = 1; position <= EVENTS; position++)
        if (world->done[position] != 1)
            fail_msg("event %u was done %u times", (unsigned)position,
                     (unsigned)world->done[position]);
    assert_int_equal(world->out_of_order, 0);
}

static void
one_member_gets_everything_and_its_acknowledgement_moves_the_position(void **state)
{
    struct world world = {0};
    uint64_t cursor = 0;

    (void)state;
    assert_true(group_join(&group, &members[0]));
    assert_true(group_passes_all(&members[0], 1));
    while (cursor < EVENTS) {
        (void)send_on(&world, &members[0], &cursor, EVENTS, 100);
        assert_true(group_position(&group) < cursor);
        assert_true(group_ack(&members[0], members[0].last));
    }
    assert_all_done_once(&world);
    assert_int_equal(group_position(&group), EVENTS);
    assert_false(group_ack(&members[0], members[0].last + 1));
}

static void
members_that_come_and_go_in_order_share_without_repeats(void **state)
{
    struct world world = {0};
    uint64_t cursors[WORKERS] = {0};
    uint64_t head = 0;
    unsigned joined = 0;

    (void)state;
    while (group_position(&group) < EVENTS) {
        head = head + 40 < EVENTS ? head + 40 : EVENTS;
        if (joined < WORKERS && head > 300 * joined)
            assert_true(group_join(&group, &members[joined++]));
        for (unsigned i = 0; i < joined; i++)
            (void)send_on(&world, &members[i], &cursors[i], head, 7);
        for (unsigned i = 0; i < joined; i++)
            assert_true(group_ack(&members[i], members[i].last));
    }
    assert_all_done_once(&world);
    for (unsigned i = 0; i < WORKERS; i++)
        assert_int_equal(__builtin_popcountll(members[i].lanes), GROUP_LANES / WORKERS);
}

static void
what_a_dead_member_had_not_acknowledged_is_sent_again_to_others(void **state)
{
    struct world world = {0};
    uint64_t cursors[WORKERS] = {0};
    uint64_t before;

    (void)state;
    for (unsigned i = 0; i < 2; i++)
        assert_true(group_join(&group, &members[i]));
    for (unsigned i = 0; i < 2; i++)
        (void)send_on(&world, &members[i], &cursors[i], 400, 60);
    assert_true(group_ack(&members[0], 30)); /* half of its work */
    assert_true(group_ack(&members[1], members[1].last));
    before = world.repeats;
    group_leave(&members[0]);
    while (group_position(&group) < EVENTS) {
        (void)send_on(&world, &members[1], &cursors[1], EVENTS, 100);
        assert_true(group_ack(&members[1], members[1].last));
    }
    for (uint64_t position = 1; position <= EVENTS; position++)
        assert_in_range(world.done[position], 1, 2);
    assert_int_equal(world.repeats - before, 30); /* exactly those that it left */
    assert_int_equal(world.out_of_order, 0);
}

static void
a_lane_leaves_a_living_member_only_after_its_acknowledgement(void **state)
{
    struct world world = {0};
    uint64_t cursor = 0;

    (void)state;
    assert_true(group_join(&group, &members[0]));
    (void)send_on(&world, &members[0], &cursor, 200, 200);
    assert_true(group_join(&group, &members[1]));
    assert_int_equal(members[1].lanes, 0);
    assert_int_equal(__builtin_popcountll(members[0].leaving), GROUP_LANES / 2);
    assert_true(group_ack(&members[0], members[0].last));
    assert_int_equal(members[0].leaving, 0);
    assert_int_equal(__builtin_popcountll(members[1].lanes), GROUP_LANES / 2);
    assert_int_equal(members[0].lanes & members[1].lanes, 0);
}

static void
a_member_that_acknowledges_nothing_is_sent_so_much_and_no_more(void **state)
{
    struct world world = {0};
    uint64_t cursor = 0;

    (void)state;
    assert_true(group_join(&group, &members[0]));
    (void)send_on(&world, &members[0], &cursor, EVENTS, EVENTS);
    assert_int_equal(members[0].count, GROUP_DELIVERIES);
    assert_false(group_has_room(&members[0]));
    assert_true(group_ack(&members[0], 1));
    assert_true(group_has_room(&members[0]));
    assert_int_equal(group_position(&group), 1);
}

static void
a_walk_of_any_kind_does_everything_and_keeps_the_order_of_a_key(void **state)
{
    (void)state;
    for (unsigned seed = 1; seed <= 50; seed++) {
        struct world world = {0};
        uint64_t cursors[WORKERS] = {0};
        bool in[WORKERS] = {false};
        uint64_t head = 0;

        srand(seed);
        (void)setup(NULL);
        while (group_position(&group) < EVENTS) {
            const unsigned i = (unsigned)rand() % WORKERS;

            head = head + 10 < EVENTS ? head + 10 : EVENTS;
            if (!in[i]) {
                assert_true(group_join(&group, &members[i]));
                in[i] = true;
            } else if (rand() % 40 == 0) {
                group_leave(&members[i]);
                in[i] = false;
            } else if (rand() % 2) {
                (void)send_on(&world, &members[i], &cursors[i], head, 20);
            } else {
                const uint64_t open = members[i].count;

                assert_true(group_ack(&members[i],
                                      members[i].last - (open ? (uint64_t)rand() % open : 0)));
            }
        }
        for (uint64_t position = 1; position <= EVENTS; position++)
            if (!world.done[position])
                fail_msg("seed %u: event %u was not done", seed, (unsigned)position);
        if (world.out_of_order)
            fail_msg("seed %u: %u out of order", seed, world.out_of_order);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, setup)
        TEST(one_member_gets_everything_and_its_acknowledgement_moves_the_position),
        TEST(members_that_come_and_go_in_order_share_without_repeats),
        TEST(what_a_dead_member_had_not_acknowledged_is_sent_again_to_others),
        TEST(a_lane_leaves_a_living_member_only_after_its_acknowledgement),
        TEST(a_member_that_acknowledges_nothing_is_sent_so_much_and_no_more),
        TEST(a_walk_of_any_kind_does_everything_and_keeps_the_order_of_a_key),
    };

    return cmocka_run_group_tests_name("group", tests, NULL, NULL);
}
