#pragma once

/* The admin port: /livez, /readyz, /startupz and /metrics over HTTP, in the main thread's loop.
 * For the internal network; shows no tenant's data. */

#include "common/service/frame.h"

struct admin_http;

must_use struct status admin_http_start(struct frame *frame, struct arena *arena,
                                        struct admin_http **ret);
void admin_http_stop(struct admin_http **admin);
