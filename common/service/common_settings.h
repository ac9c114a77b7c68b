#pragma once

/* The settings that every process has: settings.def as a struct and as a table. */

#include "common/base/setting.h"

struct common_settings {
#include "common/base/setting_members.h"
#include "common/service/settings.def"
#include "common/base/setting_end.h"
};

extern const struct setting common_settings_table[];

/* Where a service takes requests, by its name; NULL: no such service. */
const char *common_settings_endpoints(const struct common_settings *settings,
                                      const char *service);
