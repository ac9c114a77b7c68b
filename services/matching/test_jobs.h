#pragma once

/* Two instances whose timer runs jobs, on a real Postgres, for the tests of rooms with jobs. */

#include "common/pg/pg_test.h"
#include "common/service/rpc_test.h"

struct test_jobs {
    struct rpc_test test;
    struct pg *pg[2]; /* each instance's own connection */
};

/* As superuser. */
void test_jobs_sql(const char *statement);

/* `statements`: the room's. */
void test_jobs_begin(struct test_jobs *jobs, const struct pg_statement *const *statements);
void test_jobs_end(struct test_jobs *jobs);

/* What the timer of this instance does, with 30 s for it; must succeed. */
void test_jobs_run(struct test_jobs *jobs, unsigned instance,
                   struct status (*run)(struct call *call));
