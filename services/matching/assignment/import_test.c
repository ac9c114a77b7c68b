/* Tables into a cohort, and a cohort into numbers and a hash. */

#include "services/matching/assignment/import.h"

#include <string.h>

#include "common/base/test.h"
#include "matching/v1/assignment.pb-c.h"
#include "services/matching/assignment/words.h"

#define APPROVED MATCHING__V1__TOPIC_STATE__TOPIC_APPROVED

static struct cohort_limit limits[] = {
    {"c1", "Company", "", COHORT_COMPANY, 3, ""},
    {"h1", "First", "c1", COHORT_SUPERVISOR, 2, ""},
    {"h2", "Second", "c1", COHORT_SUPERVISOR, 2, ""},
};
static struct cohort_topic topics[] = {
    {"t1", "One", "h1", 1, 0, false, APPROVED, ""},
    {"t2", "Two", "h1", 2, 0, false, APPROVED, ""},
    {"t3", "Three", "h2", 2, 0, false, MATCHING__V1__TOPIC_STATE__TOPIC_REJECTED, "No."},
    {"t4", "Four", "", 1, 0, false, APPROVED, ""},
};
static struct cohort_student students[] = {
    {"s1", "", "t1 t2", "s2", "", ""},
    {"s2", "", "t2", "s1", "", ""},
    {"s3", "", "", "s1", "", ""},
};
static struct cohort_ranking rankings[] = {
    {"h1", "s2", 1},
    {"t1", "s1", 3},
};

static struct cohort
a_cohort(void)
{
    return (struct cohort){.limits = limits,
                           .topics = topics,
                           .students = students,
                           .rankings = rankings,
                           .limit_count = COUNT_OF(limits),
                           .topic_count = COUNT_OF(topics),
                           .student_count = COUNT_OF(students),
                           .ranking_count = COUNT_OF(rankings)};
}

static int
set_up(void **state)
{
    static struct arena arena;

    arena_init(&arena, (size_t)64 << 20);
    *state = &arena;
    return 0;
}

static int
tear_down(void **state)
{
    arena_fini(*state);
    return 0;
}

static struct import_table
read_table(struct arena *arena, enum import_part part, const char *csv)
{
    const struct cohort cohort = a_cohort();
    struct import_table table;

    assert_false(failed(import_read(&cohort, part, 3, csv, arena, &table)));
    return table;
}

/* One line after the heading is wrong, in this column, for this reason. */
static void
refused(struct arena *arena, enum import_part part, const char *csv, const char *column,
        enum import_fault fault)
{
    const struct import_table table = read_table(arena, part, csv);
    const char *text;

    assert_int_equal(table.problem_count, 1);
    assert_int_equal(table.problems[0].fault, fault);
    assert_string_equal(table.problems[0].column, column);
    for (int lang = 0; lang < LANG_COUNT; lang++) {
        assert_false(failed(words_problem(arena, &table.problems[0], (enum lang)lang, &text)));
        assert_null(strchr(text, '{'));
    }
}

static void
every_kind_of_row_is_read(void **state)
{
    struct import_table table;

    table = read_table(*state, IMPORT_LIMITS,
                       "capacity;kind;code;parent\n4;supervisor;h3;k1\n9;campus;k1;\n");
    assert_int_equal(table.problem_count, 0);
    assert_int_equal(table.added, 2);
    assert_string_equal(table.rows.limits[0].parent, "k1");
    assert_string_equal(table.rows.limits[1].title, "k1");
    table =
        read_table(*state, IMPORT_TOPICS,
                   "code,title,capacity,owner,least,optional\nt1,\"Again, one\",2,h1,2,yes\n");
    assert_int_equal(table.problem_count, 0);
    assert_int_equal(table.added, 0);
    assert_true(table.rows.topics[0].optional);
    assert_int_equal(table.rows.topics[0].least, 2);
    table = read_table(*state, IMPORT_CHOICES, "student,choices\ns3,  t4   t1 \n");
    assert_int_equal(table.problem_count, 0);
    assert_string_equal(table.rows.students[0].choices, "t4 t1");
    table = read_table(*state, IMPORT_RANKINGS, "owner,student,rank\nh2,s1,1\nt4,s1,1\n");
    assert_int_equal(table.problem_count, 0);
    assert_int_equal(table.rows.ranking_count, 2);
}

static void
every_fault_has_its_line_and_its_words(void **state)
{
    struct arena *arena = *state;

    refused(arena, IMPORT_LIMITS, "", "", IMPORT_BAD_TABLE);
    refused(arena, IMPORT_LIMITS, "code,kind,capacity\na\"b,company,1\n", "", IMPORT_BAD_TABLE);
    refused(arena, IMPORT_LIMITS, "code,kind\nx,company\n", "capacity", IMPORT_MISSING_COLUMN);
    refused(arena, IMPORT_STUDENTS, "code,name\nx,y\n", "name", IMPORT_UNKNOWN_COLUMN);
    refused(arena, IMPORT_STUDENTS, "code,code\nx,y\n", "code", IMPORT_UNKNOWN_COLUMN);
    refused(arena, IMPORT_STUDENTS, "code\ntwo words\n", "code", IMPORT_BAD_CODE);
    refused(arena, IMPORT_STUDENTS, "code,person_id\ns9,x\n", "person_id", IMPORT_BAD_PERSON);
    refused(arena, IMPORT_STUDENTS, "code\ns8\ns8\n", "code", IMPORT_DOUBLE_CODE);
    refused(arena, IMPORT_LIMITS, "code,kind,capacity\nx,team,1\n", "kind", IMPORT_BAD_WORD);
    refused(arena, IMPORT_LIMITS, "code,kind,capacity\nx,company,-1\n", "capacity",
            IMPORT_BAD_NUMBER);
    refused(arena, IMPORT_LIMITS, "code,kind,capacity,parent\nx,company,1,y\n", "parent",
            IMPORT_NO_LIMIT);
    refused(arena, IMPORT_LIMITS, "code,kind,capacity,parent\nx,company,1,c1\n", "parent",
            IMPORT_BAD_PARENT);
    refused(arena, IMPORT_LIMITS, "code,kind,capacity\nc1,supervisor,1\n", "kind",
            IMPORT_BAD_PARENT);
    refused(arena, IMPORT_LIMITS, "code,kind,capacity\nt1,supervisor,1\n", "code",
            IMPORT_DOUBLE_CODE);
    refused(arena, IMPORT_TOPICS, "code,title,capacity,owner\nx,X,1,h9\n", "owner",
            IMPORT_NO_LIMIT);
    refused(arena, IMPORT_TOPICS, "code,title,capacity,least\nx,X,1,2\n", "least",
            IMPORT_BAD_NUMBER);
    refused(arena, IMPORT_CHOICES, "student,choices\ns9,t1\n", "student", IMPORT_NO_STUDENT);
    refused(arena, IMPORT_CHOICES, "student,choices\ns1,t3\n", "choices", IMPORT_NO_TOPIC);
    refused(arena, IMPORT_CHOICES, "student,choices\ns1,t1 t2 t1\n", "choices",
            IMPORT_DOUBLE_CODE);
    refused(arena, IMPORT_CHOICES, "student,choices,partner\ns1,t1,s1\n", "partner",
            IMPORT_NO_STUDENT);
    refused(arena, IMPORT_RANKINGS, "owner,student,rank\nh1,s1,0\n", "rank", IMPORT_BAD_NUMBER);
    refused(arena, IMPORT_RANKINGS, "owner,student,rank\nh9,s1,1\n", "owner", IMPORT_NO_LIMIT);
    refused(arena, IMPORT_RANKINGS, "owner,student,rank\nh1,s1,1\nh1,s1,2\n", "student",
            IMPORT_DOUBLE_CODE);
}

static void
too_long_a_list_and_too_many_lines_are_refused(void **state)
{
    struct arena *arena = *state;
    const size_t lines = IMPORT_LINES_MAX + 10;
    const size_t size = 10 * lines;
    char *csv = arena_alloc(arena, size), *at = csv;

    topics[2].state = APPROVED;
    refused(arena, IMPORT_CHOICES, "student,choices\ns1,t1 t2 t3 t4\n", "choices",
            IMPORT_TOO_MANY);
    topics[2].state = MATCHING__V1__TOPIC_STATE__TOPIC_REJECTED;
    assert_non_null(csv);
    at += snprintf(at, size, "code\n");
    for (size_t i = 0; i < lines; i++)
        at += snprintf(at, size - (size_t)(at - csv), "s%zu\n", i);
    refused(arena, IMPORT_STUDENTS, csv, "", IMPORT_TOO_MANY);
    csv[2000] = '\0';
    assert_int_equal(read_table(arena, IMPORT_STUDENTS, csv).problem_count, 0);
}

static void
numbers_stand_for_what_is_approved(void **state)
{
    const struct cohort_question question = {.seed = 4};
    const struct cohort cohort = a_cohort();
    struct cohort_instance numbered;
    const struct assignment_instance *instance = &numbered.instance;

    assert_false(failed(cohort_number(&cohort, &question, *state, &numbered)));
    assert_int_equal(instance->topic_count, 3);
    assert_int_equal(instance->unit_count, 6);
    assert_string_equal(cohort_unit_code(&numbered, 2), "t4");
    assert_string_equal(cohort_unit_code(&numbered, 5), "c1"); /* behind its supervisors */
    assert_int_equal(instance->units[0].parent, 3);
    assert_int_equal(instance->units[3].parent, 5);
    assert_int_equal(instance->students[0].partner, 1);
    assert_int_equal(instance->students[2].partner, ASSIGNMENT_NONE); /* not the other way */
    assert_int_equal(instance->choices[0].rank, 3); /* the topic's own ranking */
    assert_true(instance->choices[1].rank > 3);     /* the owner's, who does not rank s1 */
    assert_int_equal(instance->choices[2].rank, 1);
}

static const char *
hash_of(struct arena *arena, struct cohort_question question)
{
    const struct cohort cohort = a_cohort();
    struct cohort_instance numbered;
    const char *hash;

    assert_false(failed(cohort_number(&cohort, &question, arena, &numbered)));
    assert_false(failed(cohort_hash(&numbered, arena, &hash)));
    assert_int_equal(strlen(hash), 64);
    return hash;
}

static void
the_hash_is_of_what_the_result_depends_on(void **state)
{
    const struct cohort_question question = {.seed = 4};
    const char *first = hash_of(*state, question);

    assert_string_equal(first, hash_of(*state, question));
    assert_string_not_equal(first, hash_of(*state, (struct cohort_question){.seed = 5}));
    assert_string_not_equal(first,
                            hash_of(*state, (struct cohort_question){.seed = 4, .fill = true}));
    topics[0].title = "Another title";
    assert_string_equal(first, hash_of(*state, question));
    limits[1].capacity++;
    assert_string_not_equal(first, hash_of(*state, question));
    limits[1].capacity--;
    students[0].pinned = "t4";
    assert_string_not_equal(first, hash_of(*state, question));
    students[0].pinned = "";
    rankings[0].rank = 2;
    assert_string_not_equal(first, hash_of(*state, question));
    rankings[0].rank = 1;
    assert_string_equal(first, hash_of(*state, question));
}

static void
what_cannot_be_is_told_in_codes(void **state)
{
    const struct cohort_question question = {.seed = 4};
    const struct cohort cohort = a_cohort();
    struct cohort_instance numbered;
    struct status status;

    students[0].pinned = students[2].pinned = "t1";
    status = cohort_number(&cohort, &question, *state, &numbered);
    assert_int_equal(status.code, CODE_INVALID_ARGUMENT);
    assert_string_equal(status.field, "students[s3].pinned");
    assert_non_null(strstr(status.detail, "units[t1]"));
    students[0].pinned = "t3"; /* rejected */
    status = cohort_number(&cohort, &question, *state, &numbered);
    assert_string_equal(status.field, "students[s1].pinned");
    students[0].pinned = students[2].pinned = "";
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_kind_of_row_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_fault_has_its_line_and_its_words, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(too_long_a_list_and_too_many_lines_are_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(numbers_stand_for_what_is_approved, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_hash_is_of_what_the_result_depends_on, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_is_told_in_codes, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
