#pragma once

/* What an account must be like.  Pure: no I/O, no clock. */

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/status.h"
#include "registry/v1/accounts.pb-c.h"

struct account_entry {
    const char *email;        /* as given, trimmed */
    const char *email_folded; /* lower case: the key */
    const char *display_name;
    const char *language;
    const char *person_id, *organisation_id; /* "" when none */
    const Wire__V1__Role *roles;
    size_t role_count;
};

/* `by_operator`: the caller may give OPERATOR.  INVALID_ARGUMENT or PERMISSION_DENIED. */
must_use struct status rules_account(struct arena *arena,
                                     const Registry__V1__CreateAccountRequest *request,
                                     bool by_operator, struct account_entry *ret);

/* 12..200 characters. */
must_use struct status rules_password(struct arena *arena, const char *password);

/* Known, given once, and the caller's to give. */
must_use struct status rules_roles(struct arena *arena, const Wire__V1__Role *roles,
                                   size_t count, bool by_operator);

/* An address in lower case, as it is looked up.  INVALID_ARGUMENT names field "email". */
must_use struct status rules_email(struct arena *arena, const char *email,
                                   const char **ret_trimmed, const char **ret_folded);
