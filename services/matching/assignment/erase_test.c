/* A person leaves the rounds for ever, on a real Postgres. */

#include "services/matching/assignment/assignment.h"

#include <sodium.h>
#include <string.h>

#include "common/wire/message.h"
#include "matching/v1/assignment.pb-c.h"
#include "services/matching/assignment/store_job.h"
#include "services/matching/test_jobs.h"

#define ENDED "0193a000-0000-7000-8fff-000000000001"
#define OPEN "0193a000-0000-7000-8fff-000000000002"
#define REQUESTED "0193a000-0000-7000-8fff-000000000003"
#define PERSON "0193a000-0000-7000-8bed-00000000cafe"
#define CODE "canary17"
#define HEX_MAX 4096

/* In each round: the person is the student CODE, s1 names it as partner; h1 is the person's. */
static const char *const scene[] = {
    "TRUNCATE matching.round CASCADE",
    "TRUNCATE matching.roll, events.outbox",
    "INSERT INTO matching.round (tenant_id, id, title, objective, seed, choices_max, fill, "
    "objection_days, state, resume, attempts, lease_until, run, failure) SELECT '" TENANT_A
    "', id::uuid, 'x', 1, 5, 10, true, 7, state, CASE state WHEN 6 THEN 5 ELSE 0 END, 1, "
    "now() + interval '1 minute', 1, 'students[" CODE "].pinned: x' FROM (VALUES ('" ENDED
    "', 10), ('" OPEN "', 8), ('" REQUESTED "', 6)) AS given (id, state)",
    "INSERT INTO matching.round_limit (tenant_id, round_id, code, kind, title, parent, "
    "capacity, "
    "person_id) SELECT tenant_id, id, 'h1', 1, 'Handledare Canary', '', 5, '" PERSON
    "' FROM matching.round",
    "INSERT INTO matching.round_topic (tenant_id, round_id, code, title, owner, capacity, "
    "least, optional, state) SELECT tenant_id, id, 't1', 'T', 'h1', 5, 0, false, 2 "
    "FROM matching.round",
    "INSERT INTO matching.round_student (tenant_id, round_id, code, person_id, choices, "
    "partner, "
    "pinned, pin_reason) SELECT tenant_id, id, '" CODE "', '" PERSON
    "', 't1', 's1', 't1', 'Canary vill' FROM matching.round",
    "INSERT INTO matching.round_student (tenant_id, round_id, code, choices, partner) "
    "SELECT tenant_id, id, 's1', 't1', '" CODE "' FROM matching.round",
    "INSERT INTO matching.round_ranking (tenant_id, round_id, owner, student, rank) "
    "SELECT tenant_id, id, 'h1', student, 1 FROM matching.round, "
    "(VALUES ('" CODE "'), ('s1')) AS given (student)",
    "INSERT INTO matching.round_place (tenant_id, round_id, student, topic, choice, basis, "
    "barriers) SELECT tenant_id, id, student, 't1', 1, 2, '' FROM matching.round, "
    "(VALUES ('" CODE "'), ('s1')) AS given (student)",
    "INSERT INTO matching.round_objection (tenant_id, round_id, id, student, text, state, "
    "answer) "
    "SELECT tenant_id, id, gen_random_uuid(), '" CODE
    "', 'Jag heter Canary', decided, said FROM matching.round, (VALUES (1, ''), (2, 'Canary "
    "har "
    "rätt')) AS given (decided, said)",
    "INSERT INTO matching.round_amendment (tenant_id, round_id, number, student, from_topic, "
    "to_topic, choice, reason, amended_by) SELECT tenant_id, id, 1, '" CODE
    "', 't1', '', 0, 'Canary slutade', 'officer' FROM matching.round",
};

static struct test_jobs jobs;

static void
put_sheets(void)
{
    Matching__V1__BlockingPair pairs[] = {MATCHING__V1__BLOCKING_PAIR__INIT,
                                          MATCHING__V1__BLOCKING_PAIR__INIT};
    Matching__V1__BlockingPair *list[] = {&pairs[0], &pairs[1]};
    Matching__V1__Sheet sheet = MATCHING__V1__SHEET__INIT;
    struct bytes packed;
    char hex[HEX_MAX];

    pairs[0].student = "s1";
    pairs[1].student = CODE;
    pairs[0].topic = pairs[1].topic = "t1";
    sheet.blocking = list;
    sheet.n_blocking = sheet.blocking_count = COUNT_OF(list);
    sheet.students = sheet.placed = 2;
    assert_ok(wire_pack(&sheet.base, &jobs.test.arena, &packed));
    sodium_bin2hex(hex, sizeof hex, packed.data, packed.size);
    test_jobs_sql(
        arena_printf(&jobs.test.arena,
                     "INSERT INTO matching.round_run (tenant_id, round_id, run, sheet) "
                     "SELECT tenant_id, id, 1, '\\x%s' FROM matching.round",
                     hex));
}

static int
set_up(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(scene); i++)
        test_jobs_sql(scene[i]);
    test_jobs_begin(&jobs, rounds_statements);
    put_sheets();
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    test_jobs_end(&jobs);
    return 0;
}

static void
erase(unsigned instance, const char *tenant_id)
{
    jobs.test.call.pg = jobs.pg[instance];
    jobs.test.call.tenant_id = tenant_id;
    jobs.test.call.deadline = in_ms(TEST_MS);
    assert_ok(rounds_erase(&jobs.test.call, PERSON));
}

/* Rows of any of matching's tables that know the person, the code, or a word of the person's.
 */
static int64_t
traces(void)
{
    static const char *const tables[] = {"round",         "round_limit",     "round_topic",
                                         "round_student", "round_ranking",   "round_run",
                                         "round_place",   "round_objection", "round_amendment"};
    int64_t count = 0;

    for (size_t i = 0; i < COUNT_OF(tables); i++)
        count += test_number(arena_printf(
            &jobs.test.arena,
            "SELECT count(*) FROM matching.%s r WHERE to_jsonb(r)::text LIKE '%%" PERSON
            "%%' OR to_jsonb(r)::text ILIKE '%%canary%%'",
            tables[i]));
    return count + test_number("SELECT count(*) FROM matching.round_run "
                               "WHERE position('" CODE "'::bytea IN sheet) > 0");
}

#define IN_ROUND(table, id, where)                                                             \
    test_number("SELECT count(*) FROM matching." table " WHERE round_id = '" id "' "           \
                "AND " where)

static void
no_row_of_any_round_knows_the_person_any_more(void **state)
{
    (void)state;
    assert_true(traces() > 20);
    erase(0, TENANT_A);
    assert_int_equal(traces(), 0);
    erase(1, TENANT_A); /* another instance hears it, too */
    assert_int_equal(traces(), 0);
}

static void
an_ended_round_keeps_its_counts_and_the_places_of_others(void **state)
{
    (void)state;
    erase(0, TENANT_A);
    assert_int_equal(IN_ROUND("round_student", ENDED, "true"), 2);
    assert_int_equal(IN_ROUND("round_student", ENDED, "code LIKE 'erased-%' AND choices = ''"),
                     1);
    assert_int_equal(IN_ROUND("round_place", ENDED, "topic = 't1'"), 2);
    assert_int_equal(IN_ROUND("round_ranking", ENDED, "true"), 2);
    assert_int_equal(IN_ROUND("round_objection", ENDED, "state > 1"), 2);
    assert_int_equal(IN_ROUND("round_amendment", ENDED, "to_topic = '' AND amended_by <> ''"),
                     1);
    /* One code all through the round, and another in each round. */
    assert_int_equal(
        test_number("SELECT count(*) FROM matching.round_student s JOIN matching.round_place p "
                    "ON p.round_id = s.round_id AND p.student = s.code "
                    "JOIN matching.round_amendment a ON a.round_id = s.round_id AND "
                    "a.student = s.code JOIN matching.round_run r ON r.round_id = s.round_id "
                    "AND position(s.code::bytea IN r.sheet) > 0 "
                    "JOIN matching.round_student o ON o.round_id = s.round_id AND "
                    "o.partner = s.code"),
        1);
    assert_int_equal(
        test_number("SELECT count(DISTINCT student) FROM matching.round_amendment"), 3);
}

static void
a_round_that_has_not_ended_loses_the_student_and_is_to_be_solved_anew(void **state)
{
    (void)state;
    erase(0, TENANT_A);
    assert_int_equal(IN_ROUND("round_student", OPEN, "true"), 1);
    assert_int_equal(IN_ROUND("round_student", OPEN, "partner = ''"), 1);
    assert_int_equal(IN_ROUND("round_ranking", OPEN, "true"), 1);
    /* What was solved is as it was, for the audit. */
    assert_int_equal(IN_ROUND("round_place", OPEN, "true"), 2);
}

static void
an_attempt_to_solve_that_has_read_the_person_does_not_stand(void **state)
{
    const struct store_request request = {.round_id = REQUESTED,
                                          .attempt = 1,
                                          .resume = MATCHING__V1__ROUND_STATE__RANKING_CLOSED};
    const struct pg_scope scope = scope_of(TENANT_A, TEST_MS);
    Matching__V1__Sheet sheet = MATCHING__V1__SHEET__INIT;
    scoped(pg_tx_end) struct pg_tx tx = {0};
    struct store_request next;
    bool stood = true;

    (void)state;
    erase(0, TENANT_A);
    assert_ok(pg_tx_begin(jobs.pg[0], &scope, &jobs.test.arena, &tx));
    assert_ok(store_solved(&tx, &jobs.test.arena, &request, MATCHING__V1__ROUND_STATE__SOLVED,
                           &sheet, NULL, 0, &stood));
    assert_false(stood);
    assert_ok(store_take(&tx, &jobs.test.arena, 60000, &next)); /* at once */
    assert_string_equal(next.round_id, REQUESTED);
    assert_ok(pg_tx_commit(&tx));
}

static void
another_tenants_news_change_nothing(void **state)
{
    const int64_t before = traces();

    (void)state;
    erase(0, TENANT_B);
    assert_int_equal(traces(), before);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_row_of_any_round_knows_the_person_any_more, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            an_ended_round_keeps_its_counts_and_the_places_of_others, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            a_round_that_has_not_ended_loses_the_student_and_is_to_be_solved_anew, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(
            an_attempt_to_solve_that_has_read_the_person_does_not_stand, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_tenants_news_change_nothing, set_up, tear_down),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
