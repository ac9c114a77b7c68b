#pragma once

/* What equipment must be like.  Pure: no I/O, no clock. */

#include "common/base/arena.h"
#include "common/base/status.h"
#include "registry/v1/infrastructure.pb-c.h"

/* Checks and normalises the whole.  INVALID_ARGUMENT names the field. */
must_use struct status rules_equipment(struct arena *arena, Registry__V1__Equipment *equipment);

/* FAILED_PRECONDITION: it is delisted already. */
must_use struct status rules_equipment_delist(struct arena *arena,
                                              const Registry__V1__Equipment *equipment);
