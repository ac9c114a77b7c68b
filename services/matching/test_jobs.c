#include "services/matching/test_jobs.h"

#include <string.h>

#include "common/pg/outbox.h"
#include "services/matching/store.h"

#define RUN_MS 30000

void
test_jobs_sql(const char *statement)
{
    test_run("postgres", NULL, statement);
}

void
test_jobs_begin(struct test_jobs *jobs, const struct pg_statement *const *statements)
{
    const struct pg_statement *const *const lists[] = {matching_statements, statements,
                                                       outbox_statements, NULL};

    memset(jobs, 0, sizeof *jobs);
    log_init("matching", "test", LOG_ERROR_LEVEL);
    rpc_test_init(&jobs->test, WIRE__V1__ROLE__SERVICE);
    jobs->test.call.clock = clock_system();
    jobs->test.call.arena = &jobs->test.arena;
    for (size_t i = 0; i < COUNT_OF(jobs->pg); i++) {
        jobs->pg[i] = test_pg("app_matching", lists);
        assert_ok(pg_connect(jobs->pg[i], in_ms(TEST_MS), &jobs->test.arena));
    }
}

void
test_jobs_end(struct test_jobs *jobs)
{
    for (size_t i = 0; i < COUNT_OF(jobs->pg); i++)
        pg_destroy(&jobs->pg[i]);
    rpc_test_fini(&jobs->test);
}

void
test_jobs_run(struct test_jobs *jobs, unsigned instance,
              struct status (*run)(struct call *call))
{
    jobs->test.call.pg = jobs->pg[instance];
    jobs->test.call.tx = NULL;
    jobs->test.call.tenant_id = "";
    jobs->test.call.deadline = in_ms(RUN_MS);
    assert_ok(run(&jobs->test.call));
}
