#pragma once

#include "services/registry/programmes/load_json.h"

/* One check of a rule: constraint, parameters, and a text for everything it can say. */
must_use struct status load_check(const struct loader *loader, const char *pointer,
                                  const json_t *json, struct rule_check *ret);
