#pragma once

/* A bar on standard error while something long is under way; nothing when that is no terminal.
 */

#include <stddef.h>

/* `done` of `total` steps; the line ends with the last.  `what` follows the bar. */
void progress_show(size_t done, size_t total, const char *what);
