#include "common/service/common_settings.h"

#include <string.h>

#include "common/base/attr.h"

const struct setting common_settings_table[] = {
#define SETTING_STRUCT struct common_settings
#include "common/base/setting_table.h"
#include "common/service/settings.def"
#include "common/base/setting_end.h"
    {0},
};

const char *
common_settings_endpoints(const struct common_settings *settings, const char *service)
{
    const struct {
        const char *name, *endpoints;
    } known[] = {
#define SERVICE(name, port)
#define CALLED(name) {#name, settings->name##_endpoints},
#include "common/service/services.def"
#undef CALLED
#undef SERVICE
    };

    for (size_t i = 0; i < COUNT_OF(known); i++)
        if (strcmp(known[i].name, service) == 0)
            return known[i].endpoints;
    return NULL;
}
