#include <malloc.h>

#include "common/service/common_settings.h"
#include "common/service/service.h"
#include "services/events/state.h"

#define KEPT_BYTES (32 << 20) /* the most that M_MMAP_THRESHOLD may be */

static struct events_settings settings;

static const struct setting settings_table[] = {
#define SETTING_STRUCT struct events_settings
#include "common/base/setting_table.h"
#include "services/events/settings.def"
#include "common/base/setting_end.h"
    {0},
};

static struct events_state state;

static struct status
create_state(struct service_frame *frame, struct arena *arena, void **ret)
{
    TRY(state_create(frame, &settings, arena, &state));
    *ret = &state;
    return OK;
}

static void
destroy_state(void *shared)
{
    state_destroy(shared);
}

static const char *
not_ready(void *shared)
{
    return state_not_ready(shared);
}

/* Rounds and pages take and leave megabytes many times a second: kept, they need not be mapped
 * and cleared by the kernel each time.  What is kept is bounded by the largest round. */
static void
keep_memory(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, KEPT_BYTES); /* these fail only for values out of range */
    (void)mallopt(M_TRIM_THRESHOLD, 4 * KEPT_BYTES);
}

int
main(int argc, char **argv)
{
    const ProtobufCService *const methods[] = {log_service, NULL};
    const struct service events = {
        .name = "events",
        .methods = methods,
        .settings = settings_table,
        .settings_values = &settings,
        .timers = log_timers,
        .statements = store_statements,
        .schema_version = 7,
        .uses = USES_POSTGRES | USES_DOORBELL,
        .create_state = create_state,
        .destroy_state = destroy_state,
        .not_ready = not_ready,
    };

    keep_memory();
    return service_main(argc, argv, &events);
}
