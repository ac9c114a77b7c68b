#pragma once

/* The counts behind indicators.  Conventions as in organisations/store.h. */

#include "common/pg/pg_tx.h"
#include "services/registry/indicators/rules.h"

/* Of the transaction's tenant; "" leaves a bound open. */
must_use struct status store_indicator_counts(struct pg_tx *tx, struct arena *arena,
                                              const char *period_start, const char *period_end,
                                              const char *nuts_prefix,
                                              struct indicator_counts *ret);
