#include "common/service/service.h"
#include "services/registry/accounts/accounts.h"
#include "services/registry/accounts/password.h"
#include "services/registry/capabilities/capabilities.h"
#include "services/registry/concepts/concepts.h"
#include "services/registry/indicators/indicators.h"
#include "services/registry/infrastructure/infrastructure.h"
#include "services/registry/needs/needs.h"
#include "services/registry/organisations/organisations.h"
#include "services/registry/partnerships/partnerships.h"
#include "services/registry/people/people.h"
#include "services/registry/placements/placements.h"
#include "services/registry/programmes/programmes.h"
#include "services/registry/programmes/publish.h"
#include "services/registry/registry.h"
#include "services/registry/sessions/sessions.h"
#include "services/registry/systems/systems.h"
#include "services/registry/tenants/tenants.h"

struct registry_settings {
#include "common/base/setting_members.h"
#include "services/registry/settings.def"
#include "common/base/setting_end.h"
};

static struct registry_settings settings;

static const struct setting settings_table[] = {
#define SETTING_STRUCT struct registry_settings
#include "common/base/setting_table.h"
#include "services/registry/settings.def"
#include "common/base/setting_end.h"
    {0},
};

static struct registry_state state;

static struct status
create_state(struct service_frame *frame, struct arena *arena, void **ret)
{
    (void)frame;
    state.session_idle_ms = settings.session_idle_ms;
    state.session_absolute_ms = settings.session_absolute_ms;
    TRY(password_gate_create(arena, (uint32_t)settings.password_hashers, &state.passwords));
    TRY(programmes_create(arena, &state.programmes));
    *ret = &state;
    return OK;
}

static void
destroy_state(void *shared)
{
    struct registry_state *registry = shared;

    programmes_destroy(&registry->programmes);
    password_gate_destroy(&registry->passwords);
}

int
main(int argc, char **argv)
{
    const ProtobufCService *const methods[] = {
#define ROOM(name) name##_service,
#include "services/registry/rooms.def"
#undef ROOM
        NULL,
    };
    const struct pg_statement *const *const statements[] = {
#define ROOM(name) name##_statements,
#include "services/registry/rooms.def"
#undef ROOM
        NULL,
    };
    const struct service_timer timers[] = {
        {"publish rule sets", PROGRAMMES_PUBLISH_MS, programmes_publish},
        {"expire needs", NEEDS_EXPIRE_MS, needs_expire},
        {0},
    };
    const struct service registry = {
        .name = "registry",
        .methods = methods,
        .settings = settings_table,
        .settings_values = &settings,
        .timers = timers,
        .statements = statements,
        .schema_version = 9,
        .uses = USES_POSTGRES | USES_DOORBELL,
        .create_state = create_state,
        .destroy_state = destroy_state,
    };

    return service_main(argc, argv, &registry);
}
