/* VerifyBlocks on a real log that is damaged on purpose. */

#include <string.h>

#include "services/events/test_kept.h"
#include "services/events/verify.h"

#define BIG 6000 /* bytes of data: ten events fill a block */

static void
write_log(void)
{
    kept_write(SAMPLE_TENANT, 40, BIG);
    assert_ok(kept_roll(40));
    kept_write(SAMPLE_OTHER_TENANT, 40, BIG);
    assert_true(test_log_count("log") >= 8);
}

/* The position of the block that holds `position`. */
static uint64_t
block_at(uint64_t position)
{
    char sql[120];

    (void)snprintf(sql, sizeof sql, "SELECT max(position) FROM events.log WHERE position <= %d",
                   (int)position);
    return (uint64_t)test_number(sql);
}

static void
damage(const char *format, uint64_t position)
{
    char sql[512];

    /* The formats are those of this file. */
    (void)snprintf(sql, sizeof sql, "%s %llu", format, (unsigned long long)position);
    test_run("postgres", NULL, sql);
}

static void
expect_one(uint64_t position, const char *reason)
{
    Events__V1__VerifyBlocksReply reply;

    kept_verify(&reply);
    assert_int_equal(reply.through, 80);
    assert_int_equal(reply.n_faults, 1);
    assert_int_equal(reply.faults[0]->position, position);
    if (!strstr(reply.faults[0]->reason, reason))
        fail_msg("\"%s\" does not say \"%s\"", reply.faults[0]->reason, reason);
}

static void
a_sound_log_has_no_faults(void **state)
{
    Events__V1__VerifyBlocksReply reply;

    (void)state;
    write_log();
    kept_verify(&reply);
    assert_int_equal(reply.n_faults, 0);
    assert_int_equal(reply.through, 80);
    assert_int_equal(reply.head, 80);
    assert_int_equal(reply.blocks, test_log_count("log"));
}

static void
an_empty_log_has_no_faults(void **state)
{
    Events__V1__VerifyBlocksReply reply;

    (void)state;
    kept_verify(&reply);
    assert_int_equal(reply.n_faults, 0);
    assert_int_equal(reply.blocks, 0);
}

static void
a_flipped_byte_is_found(void **state)
{
    const char *flip = "UPDATE events.log SET data = set_byte(data, 700, "
                       "get_byte(data, 700) # 4) WHERE position =";
    uint64_t position;

    (void)state;
    write_log();
    position = block_at(25);
    damage(flip, position);
    expect_one(position, "checksum");
}

static void
a_changed_checksum_is_found(void **state)
{
    uint64_t position;

    (void)state;
    write_log();
    position = block_at(65);
    damage("UPDATE events.log SET checksum = set_byte(checksum, 31, "
           "get_byte(checksum, 31) # 1) WHERE position =",
           position);
    expect_one(position, "checksum");
}

static void
a_block_that_was_removed_is_found(void **state)
{
    uint64_t position;

    (void)state;
    write_log();
    position = block_at(50);
    damage("DELETE FROM events.log WHERE position =", position);
    expect_one(position, "no block holds positions");
}

static void
blocks_that_were_removed_at_the_ends_are_found(void **state)
{
    Events__V1__VerifyBlocksReply reply;

    (void)state;
    write_log();
    damage("DELETE FROM events.log WHERE position =", 1);
    damage("DELETE FROM events.log WHERE position =", block_at(80));
    kept_verify(&reply);
    assert_int_equal(reply.n_faults, 2);
    assert_int_equal(reply.faults[0]->position, 1);
    assert_int_equal(reply.faults[1]->position, block_at(80) + 10);
    assert_int_equal(reply.through, 80);
}

/* Checksums do not see this: bytes of another block, with their checksum. */
static void
events_that_stand_in_another_place_are_found(void **state)
{
    uint64_t position;

    (void)state;
    write_log();
    position = block_at(15);
    damage("UPDATE events.log AS to_ SET data = from_.data, checksum = from_.checksum "
           "FROM events.log AS from_ WHERE from_.position = 1 AND to_.position =",
           position);
    expect_one(position, "does not say its position");
}

static void
a_block_that_hides_its_events_from_filters_is_found(void **state)
{
    uint64_t position;

    (void)state;
    write_log();
    position = block_at(15);
    damage("UPDATE events.log SET types = ARRAY['org.samverka.other'] WHERE position =",
           position);
    expect_one(position, "type");
    damage("UPDATE events.log SET types = ARRAY['" SAMPLE_TYPE "'], tenants = '{}' "
           "WHERE position =",
           position);
    expect_one(position, "tenant");
}

static void
data_that_is_no_batch_of_as_many_events_is_found(void **state)
{
    uint64_t position;

    (void)state;
    write_log();
    position = block_at(70);
    damage("UPDATE events.log SET count = count + 1, last = last + 1 WHERE position =",
           position);
    {
        Events__V1__VerifyBlocksReply reply;

        kept_verify(&reply);
        assert_true(reply.n_faults >= 1);
        assert_int_equal(reply.faults[0]->position, position);
        assert_non_null(strstr(reply.faults[0]->reason, "does not hold"));
    }
}

/* Postgres itself cannot read the block: a piece of its data is gone from the file.  What
 * stands behind it is looked at all the same. */
static void
a_block_that_postgres_cannot_read_is_a_fault_and_not_the_end(void **state)
{
    Events__V1__VerifyBlocksReply reply;
    uint64_t position, next;

    (void)state;
    /* As blocks were stored before they were compressed: these events' data is all zeros. */
    test_run("postgres", NULL,
             "ALTER TABLE events.log_1 ALTER COLUMN data SET STORAGE EXTERNAL");
    write_log();
    test_run("postgres", NULL, "CREATE EXTENSION IF NOT EXISTS pg_surgery");
    /* About eight pages of pieces to a block: this one is of the third, in the middle of what
     * is read at once. */
    test_run("postgres", NULL,
             "DO $$ BEGIN PERFORM heap_force_kill(reltoastrelid, ARRAY['(20,1)']::tid[]) "
             "FROM pg_class WHERE oid = 'events.log_1'::regclass; END $$");
    damage("UPDATE events.log SET checksum = set_byte(checksum, 0, "
           "get_byte(checksum, 0) # 1) WHERE position =",
           block_at(75));
    kept_verify(&reply);
    assert_int_equal(reply.n_faults, 2);
    position = reply.faults[0]->position;
    assert_in_range(position, 11, 31);
    assert_int_equal(position, block_at(position));
    assert_non_null(strstr(reply.faults[0]->reason, "cannot be read"));
    next = strtoull(strrchr(reply.faults[0]->reason, ' ') + 1, NULL, 10);
    assert_int_equal(next, position + 10);
    assert_int_equal(reply.faults[1]->position, block_at(75));
    assert_int_equal(reply.through, 80);
    assert_int_equal(reply.blocks, test_log_count("log") - 1);
}

static void
more_faults_than_an_answer_holds_are_told_by_the_next(void **state)
{
    Events__V1__VerifyBlocksRequest request = EVENTS__V1__VERIFY_BLOCKS_REQUEST__INIT;
    Events__V1__VerifyBlocksReply reply = EVENTS__V1__VERIFY_BLOCKS_REPLY__INIT;
    struct call call;

    (void)state;
    kept_write(SAMPLE_TENANT, 1, 10);
    test_run("postgres", NULL,
             "INSERT INTO events.log SELECT 1 + n, 1 + n, 1, tenants, types, shared, data, "
             "checksum FROM events.log, generate_series(1, 105) AS n");
    test_run("postgres", NULL, "UPDATE events.head SET position = 106");
    call = kept_call(NULL, "");
    assert_ok(retention_verify_blocks(&call, &request, &reply));
    assert_int_equal(reply.n_faults, VERIFY_FAULTS_MAX);
    assert_int_equal(reply.through, 1 + VERIFY_FAULTS_MAX);
    kept_verify(&reply);
    assert_int_equal(reply.n_faults, 105);
}

static void
what_was_trimmed_is_no_fault(void **state)
{
    Events__V1__VerifyBlocksReply reply;

    (void)state;
    write_log();
    assert_ok(kept_trim(40, 0, NULL));
    kept_verify(&reply);
    assert_int_equal(reply.n_faults, 0);
    assert_int_equal(reply.through, 80);
}

static void
looking_behind_the_head_names_the_field(void **state)
{
    Events__V1__VerifyBlocksRequest request = EVENTS__V1__VERIFY_BLOCKS_REQUEST__INIT;
    Events__V1__VerifyBlocksReply reply = EVENTS__V1__VERIFY_BLOCKS_REPLY__INIT;
    struct call call = kept_call(NULL, "");

    (void)state;
    request.after = 1;
    assert_fails(retention_verify_blocks(&call, &request, &reply), INVALID_ARGUMENT, "after");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, kept_start, kept_stop)
        TEST(a_sound_log_has_no_faults),
        TEST(an_empty_log_has_no_faults),
        TEST(a_flipped_byte_is_found),
        TEST(a_changed_checksum_is_found),
        TEST(a_block_that_was_removed_is_found),
        TEST(blocks_that_were_removed_at_the_ends_are_found),
        TEST(events_that_stand_in_another_place_are_found),
        TEST(a_block_that_hides_its_events_from_filters_is_found),
        TEST(data_that_is_no_batch_of_as_many_events_is_found),
        TEST(a_block_that_postgres_cannot_read_is_a_fault_and_not_the_end),
        TEST(more_faults_than_an_answer_holds_are_told_by_the_next),
        TEST(what_was_trimmed_is_no_fault),
        TEST(looking_behind_the_head_names_the_field),
    };

    return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
