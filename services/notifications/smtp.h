#pragma once

/* Handing a mail to the mail server, by libcurl.  One connection for each mail; blocking, for
 * settings.send_ms and a second at most. */

#include "common/base/buffer.h"
#include "common/base/clock.h"
#include "common/base/status.h"
#include "services/notifications/notifications.h"

/* UNAVAILABLE: try again later (no connection, a 4xx answer, time is up).
 * FAILED_PRECONDITION: the server refuses this mail for good (a 5xx answer). */
must_use struct status smtp_send(const struct mail_settings *settings, const char *from,
                                 const char *to, const struct buffer *mail,
                                 const struct clock *clock, struct arena *arena);
