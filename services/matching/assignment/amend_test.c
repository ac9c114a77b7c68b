/* What happens to a round after its end, and whom it is told to, through the doors and on a
 * real Postgres. */

#include "services/matching/assignment/assignment.h"

#include <sodium.h>
#include <string.h>

#include "common/pg/cursor.h"
#include "matching/v1/assignment.pb-c.h"
#include "services/matching/test_jobs.h"

#define ROUND "0193a000-0000-7000-8fff-000000000001"
#define EVENTS(type)                                                                           \
    "SELECT count(*) FROM events.outbox WHERE position('org.samverka." type "'::bytea IN "     \
    "event) > 0"
#define RESULT                                                                                 \
    "SELECT ('x' || left(md5(string_agg(student || topic || choice || basis || barriers, ',' " \
    "ORDER BY student)), 7))::bit(28)::int FROM matching.round_place"

/* Topics t0 to t3 under h0 and h1, which lie in c0; six students. h0 takes two, c0 five. */
static const char *const scene[] = {
    "TRUNCATE matching.round CASCADE",
    "TRUNCATE matching.roll, events.outbox",
    "INSERT INTO matching.round (tenant_id, id, title, objective, seed, choices_max, fill, "
    "objection_days, state, run) VALUES ('" TENANT_A "', '" ROUND "', 'x', 1, 5, 10, true, 7, "
    "9, 1)",
    "INSERT INTO matching.round_limit (tenant_id, round_id, code, kind, title, parent, "
    "capacity) "
    "VALUES ('" TENANT_A "', '" ROUND "', 'h0', 1, '', 'c0', 2), ('" TENANT_A "', '" ROUND
    "', 'h1', 1, '', 'c0', 9), ('" TENANT_A "', '" ROUND "', 'c0', 2, '', '', 5)",
    "INSERT INTO matching.round_topic (tenant_id, round_id, code, title, owner, capacity, "
    "least, optional, state) SELECT '" TENANT_A "', '" ROUND "', 't' || n, 'T' || n, "
    "'h' || n / 2, 3, 0, false, CASE n WHEN 3 THEN 3 ELSE 2 END FROM generate_series(0, 3) n",
    "INSERT INTO matching.round_student (tenant_id, round_id, code, choices) "
    "SELECT '" TENANT_A "', '" ROUND "', 's' || n, 't2 t0' FROM generate_series(0, 5) n",
    "INSERT INTO matching.round_place (tenant_id, round_id, student, topic, choice, basis, "
    "barriers) SELECT '" TENANT_A "', '" ROUND
    "', 's' || n, CASE WHEN n < 1 THEN 't0' WHEN n < "
    "4 THEN 't2' ELSE '' END, 1, CASE WHEN n < 4 THEN 2 ELSE 1 END, '1 t2 h1;' "
    "FROM generate_series(0, 5) n",
    "INSERT INTO matching.round_run (tenant_id, round_id, run, sheet) VALUES ('" TENANT_A
    "', '" ROUND "', 1, '')",
};

static struct test_jobs jobs;

static int
set_up(void **state)
{
    const unsigned char secret[CURSOR_SECRET_BYTES] = {1};

    (void)state;
    cursor_set_secret(secret);
    for (size_t i = 0; i < COUNT_OF(scene); i++)
        test_jobs_sql(scene[i]);
    test_jobs_begin(&jobs, rounds_statements);
    jobs.test.roles[0] = WIRE__V1__ROLE__PROGRAMME_DIRECTOR;
    jobs.test.principal.tenant_id = TENANT_A;
    return 0;
}

static int
tear_down(void **state)
{
    (void)state;
    test_jobs_end(&jobs);
    return 0;
}

/* As the framework calls. */
static struct status
door(const char *method, const ProtobufCMessage *request, ProtobufCMessage **ret)
{
    const struct pg_scope scope = scope_of(TENANT_A, TEST_MS);
    scoped(pg_tx_end) struct pg_tx tx = {0};
    struct status status;

    assert_ok(pg_tx_begin(jobs.pg[0], &scope, &jobs.test.arena, &tx));
    jobs.test.call.tx = &tx;
    status = rpc_test_call_into(&jobs.test, rounds_service, method, request, ret);
    return failed(status) ? status : pg_tx_commit(&tx);
}

static struct status
amend(const char *student, const char *topic, uint64_t version,
      Matching__V1__AmendAssignmentReply **ret)
{
    Matching__V1__AmendAssignmentRequest request = MATCHING__V1__AMEND_ASSIGNMENT_REQUEST__INIT;

    request.round_id = ROUND;
    request.student = student;
    request.topic = topic;
    request.reason = "Avtalet föll.";
    request.expected_version = version;
    return door("AmendAssignment", &request.base, (ProtobufCMessage **)(void *)ret);
}

static const Matching__V1__Assignment *
place_of(const char *student, const char **ret_text)
{
    Matching__V1__GetAssignmentRequest request = MATCHING__V1__GET_ASSIGNMENT_REQUEST__INIT;
    Matching__V1__GetAssignmentReply *reply;

    request.round_id = ROUND;
    request.student = student;
    assert_ok(door("GetAssignment", &request.base, (ProtobufCMessage **)(void *)&reply));
    if (reply->assignment->amendment)
        assert_int_equal(reply->n_reasons, 0);
    *ret_text = reply->text;
    return reply->assignment;
}

static void
a_place_is_moved_removed_and_added_and_the_result_stays(void **state)
{
    const int64_t result = test_number(RESULT);
    Matching__V1__AmendAssignmentReply *reply;
    const Matching__V1__Assignment *place;
    const char *text;

    (void)state;
    assert_ok(amend("s0", "t1", 1, &reply));
    assert_int_equal(reply->amendment->number, 1);
    assert_int_equal(reply->version, 2);
    assert_string_equal(reply->amendment->from, "t0");
    assert_string_equal(reply->amendment->to, "t1");
    assert_string_equal(reply->amendment->amended_by, RPC_TEST_SUBJECT);
    assert_true(reply->amendment->amended_unix_ms > 0);
    assert_ok(amend("s1", "", 2, &reply));
    assert_ok(amend("s4", "t2", 3, &reply));

    place = place_of("s0", &text);
    assert_string_equal(place->topic, "t1");
    assert_string_equal(place->topic_title, "T1");
    assert_string_equal(place->solved_topic, "t0");
    assert_int_equal(place->amendment, 1);
    assert_int_equal(place->choice, 0);
    assert_int_equal(place->basis, MATCHING__V1__PLACE_BASIS__BY_AMENDMENT);
    assert_non_null(strstr(text, "T1"));
    place = place_of("s1", &text);
    assert_string_equal(place->topic, "");
    assert_non_null(strstr(text, "no place any more"));
    place = place_of("s4", &text);
    assert_string_equal(place->topic, "t2");
    assert_string_equal(place->solved_topic, "");
    assert_int_equal(place->choice, 1);
    place = place_of("s2", &text);
    assert_int_equal(place->amendment, 0);
    assert_string_equal(place->solved_topic, "");

    assert_int_equal(test_number(RESULT), result);
    assert_int_equal(test_number(EVENTS("round.amended.v1")), 3);
    assert_int_equal(test_number(EVENTS("round.told.v1")), 3);
    assert_int_equal(test_number("SELECT count(*) FROM events.outbox "
                                 "WHERE position('s4'::bytea IN event) > 0 "
                                 "OR position('Avtalet'::bytea IN event) > 0"),
                     0);
}

static void
the_log_shows_who_when_why_before_and_after_and_so_does_the_sheet(void **state)
{
    Matching__V1__ListAmendmentsRequest list = MATCHING__V1__LIST_AMENDMENTS_REQUEST__INIT;
    Matching__V1__GetSheetRequest sheet = MATCHING__V1__GET_SHEET_REQUEST__INIT;
    Matching__V1__AmendAssignmentReply *reply;
    Matching__V1__ListAmendmentsReply *listed;
    Matching__V1__GetSheetReply *shown;

    (void)state;
    assert_ok(amend("s0", "t1", 1, &reply));
    assert_ok(amend("s0", "t0", 2, &reply)); /* from where it is by now */
    list.round_id = sheet.round_id = ROUND;
    list.page_size = 1;
    for (uint32_t number = 1; number <= 2; number++) {
        assert_ok(door("ListAmendments", &list.base, (ProtobufCMessage **)(void *)&listed));
        assert_int_equal(listed->n_amendments, 1);
        assert_int_equal(listed->amendments[0]->number, number);
        list.page_token = listed->next_page_token;
    }
    assert_string_equal(list.page_token, "");
    assert_string_equal(listed->amendments[0]->from, "t1");
    assert_string_equal(listed->amendments[0]->reason, "Avtalet föll.");
    assert_ok(door("GetSheet", &sheet.base, (ProtobufCMessage **)(void *)&shown));
    assert_int_equal(shown->sheet->amendment_count, 2);
    assert_int_equal(shown->sheet->n_amendments, 2);
    assert_string_equal(shown->sheet->amendments[1]->to, "t0");
}

static void
what_is_full_is_named(void **state)
{
    Matching__V1__AmendAssignmentReply *reply;
    struct status status;

    (void)state;
    assert_ok(amend("s4", "t0", 1, &reply));
    status = amend("s1", "t1", 2, &reply); /* h0 has s0 and s4 */
    assert_int_equal(status.code, CODE_FAILED_PRECONDITION);
    assert_non_null(strstr(status.detail, "h0 takes 2"));
    status = amend("s5", "t2", 2, &reply); /* s1, s2 and s3 */
    assert_non_null(strstr(status.detail, "t2 takes 3"));
    test_jobs_sql("UPDATE matching.round_topic SET capacity = 9");
    status = amend("s5", "t2", 2, &reply);
    assert_non_null(strstr(status.detail, "c0 takes 5"));
    /* Who leaves makes room for the next, and within one tree a move needs none. */
    assert_ok(amend("s4", "t2", 2, &reply));
    assert_ok(amend("s4", "", 3, &reply));
    assert_ok(amend("s5", "t0", 4, &reply));
    assert_int_equal(test_number("SELECT count(*) FROM matching.round_amendment"), 4);
}

static void
what_is_no_amendment_is_refused(void **state)
{
    Matching__V1__AmendAssignmentReply *reply;

    (void)state;
    assert_code(amend("s0", "t0", 1, &reply), INVALID_ARGUMENT); /* has it */
    assert_code(amend("s4", "", 1, &reply), INVALID_ARGUMENT);
    assert_code(amend("s0", "t3", 1, &reply), INVALID_ARGUMENT); /* rejected */
    assert_code(amend("s0", "t9", 1, &reply), INVALID_ARGUMENT);
    assert_code(amend("s9", "t1", 1, &reply), NOT_FOUND);
    assert_code(amend("s0", "t1", 0, &reply), PRECONDITION_REQUIRED);
    assert_code(amend("s0", "t1", 7, &reply), VERSION_MISMATCH);
    test_jobs_sql("UPDATE matching.round SET state = 8");
    assert_code(amend("s0", "t1", 1, &reply), FAILED_PRECONDITION);
    assert_int_equal(test_number("SELECT count(*) FROM matching.round_amendment"), 0);
    assert_int_equal(test_number("SELECT count(*) FROM events.outbox"), 0);
}

/* Accounts are registry's; here a hundred students and two supervisors have one. */
static void
an_amendment_is_told_to_its_student_and_supervisors_and_a_step_to_all(void **state)
{
    static const char *const people[] = {
        "INSERT INTO registry.tenant (id, slug, name, locale) VALUES ('" TENANT_A
        "', 'aa', 'A', 'sv') ON CONFLICT DO NOTHING",
        "INSERT INTO registry.account (id, email, email_folded, password_hash, display_name, "
        "language) SELECT ('0193a000-0000-"
        "7000-8ace-' || lpad(n::text, 12, '0'))::uuid, n || '@a.example', n || '@a.example', "
        "'x', 'A', 'sv' "
        "FROM generate_series(1, 302) n ON CONFLICT DO NOTHING",
        "INSERT INTO registry.membership (tenant_id, account_id, roles) SELECT '" TENANT_A
        "', ('0193a000-0000-7000-8ace-' || lpad(n::text, 12, '0'))::uuid, '{}' "
        "FROM generate_series(1, 302) n",
        "INSERT INTO registry.person (tenant_id, id, kind, display_name, name_sort, "
        "account_id) "
        "SELECT '" TENANT_A
        "', ('0193a000-0000-7000-8bed-' || lpad(n::text, 12, '0'))::uuid, 3, "
        "'A', 'a', ('0193a000-0000-7000-8ace-' || lpad(n::text, 12, '0'))::uuid "
        "FROM generate_series(1, 302) n",
        "INSERT INTO matching.round_student (tenant_id, round_id, code) SELECT '" TENANT_A
        "', '" ROUND "', 'x' || n FROM generate_series(1, 300) n",
        "UPDATE matching.round_student SET person_id = ('0193a000-0000-7000-8bed-' || "
        "lpad(substr(code, 2), 12, '0'))::uuid WHERE code LIKE 'x%'",
        "UPDATE matching.round_student SET person_id = NULL WHERE code = 'x1'",
        "UPDATE matching.round_student SET person_id = '0193a000-0000-7000-8bed-000000000001' "
        "WHERE code = 's0'",
        "UPDATE matching.round_limit SET person_id = ('0193a000-0000-7000-8bed-' || "
        "lpad((301 + right(code, 1)::int)::text, 12, '0'))::uuid WHERE code LIKE 'h%'",
    };
    Matching__V1__MoveRoundRequest move = MATCHING__V1__MOVE_ROUND_REQUEST__INIT;
    Matching__V1__AmendAssignmentReply *reply;
    Matching__V1__MoveRoundReply *moved;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(people); i++)
        test_jobs_sql(people[i]);
    assert_ok(amend("s0", "t1", 1, &reply)); /* within h0 */
    assert_int_equal(test_number(EVENTS("round.told.v1")), 1);
    assert_int_equal(test_number("SELECT count(*) FROM events.outbox WHERE "
                                 "position('7000-8ace-000000000001'::bytea IN event) > 0 AND "
                                 "position('7000-8ace-000000000301'::bytea IN event) > 0 AND "
                                 "position('7000-8ace-000000000302'::bytea IN event) = 0"),
                     1);
    test_jobs_sql("TRUNCATE events.outbox");
    test_jobs_sql("UPDATE matching.round SET state = 7");
    move.round_id = ROUND;
    move.state = MATCHING__V1__ROUND_STATE__OBJECTIONS;
    move.expected_version = 2;
    assert_ok(door("MoveRound", &move.base, (ProtobufCMessage **)(void *)&moved));
    assert_int_equal(test_number(EVENTS("round.objections_opened.v1")), 1);
    assert_int_equal(test_number(EVENTS("round.told.v1")), 2); /* 302 accounts, each once */
    assert_int_equal(test_number("SELECT sum((length(encode(event, 'escape')) - length(replace("
                                 "encode(event, 'escape'), '7000-8ace-', ''))) / 10) "
                                 "FROM events.outbox"),
                     302);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_place_is_moved_removed_and_added_and_the_result_stays,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            the_log_shows_who_when_why_before_and_after_and_so_does_the_sheet, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(what_is_full_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_amendment_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            an_amendment_is_told_to_its_student_and_supervisors_and_a_step_to_all, set_up,
            tear_down),
    };

    if (sodium_init() < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
