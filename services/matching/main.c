#include "common/service/service.h"
#include "services/matching/assignment/assignment.h"
#include "services/matching/composition/composition.h"
#include "services/matching/matching.h"
#include "services/matching/state.h"
#include "services/matching/store.h"

static const struct setting settings[] = {
#define SETTING_STRUCT struct matching_settings
#include "common/base/setting_table.h"
#include "services/matching/settings.def"
#include "common/base/setting_end.h"
    {0},
};

int
main(int argc, char **argv)
{
    static const struct service_timer timers[] = {
        {.name = "solve rounds", .every_ms = ROUNDS_SOLVE_MS, .run = rounds_solve},
        {.name = "solve compositions",
         .every_ms = COMPOSITION_JOB_MS,
         .run = composition_job_run},
        {.name = "exchange counts", .every_ms = EXCHANGE_EVERY_MS, .run = exchange_run},
        {0},
    };
    const ProtobufCService *const methods[] = {
        matches_service,    shards_service,       texts_service,    rounds_service,
        timetables_service, compositions_service, searches_service, NULL};
    const struct pg_statement *const *const statements[] = {
        matching_statements, rounds_statements, composition_statements, searches_statements,
        NULL};
    const char *const calls[] = {"events", "registry", NULL};
    struct matching_settings values;
    const struct service matching = {
        .name = "matching",
        .methods = methods,
        .inbox = &matching_inbox,
        .settings = settings,
        .settings_values = &values,
        .timers = timers,
        .statements = statements,
        .calls = calls,
        .schema_version = 6,
        .uses = USES_POSTGRES | USES_DOORBELL | USES_RPC,
        .create_state = state_create,
        .destroy_state = state_destroy,
        .not_ready = state_not_ready,
    };

    return service_main(argc, argv, &matching);
}
