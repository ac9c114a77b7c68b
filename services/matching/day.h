#pragma once

/* Dates as days since 1970-01-01, so that they compare and subtract. */

#include <stdbool.h>
#include <stdint.h>

#include "common/base/clock.h"

#define DAY_NONE INT32_MIN /* no date given */
#define DAY_TEXT_SIZE 11

/* "2026-11-22"; false: not a date of the calendar between 1900 and 9999. */
bool day_parse(const char *text, int32_t *ret);
void day_format(int32_t day, char ret[DAY_TEXT_SIZE]);
int32_t day_of(struct wall time);
