#include "services/registry/accounts/rules.h"

#include <string.h>

#include "common/base/utf8.h"
#include "services/registry/values/values.h"

#define EMAIL_BYTES 254 /* RFC 5321, 4.5.3.1.3 */
#define NAME_LENGTH 200
#define PASSWORD_LEAST 12
#define PASSWORD_MOST 200
#define ROLES_MOST 12

/* A deliverable shape, not RFC 5322: one @, a domain with a dot, no spaces, no control
 * characters and nothing that could start a new header. */
static bool
email_fits(const char *email)
{
    const char *at = strchr(email, '@');

    if (!at || at == email || strchr(at + 1, '@') || !strchr(at + 1, '.'))
        return false;
    if (at[1] == '.' || email[strlen(email) - 1] == '.')
        return false;
    for (const char *c = email; *c; c++)
        if ((unsigned char)*c <= ' ' || *c == 0x7f || strchr("<>,;:\"()[]\\", *c))
            return false;
    return true;
}

struct status
rules_email(struct arena *arena, const char *email, const char **ret_trimmed,
            const char **ret_folded)
{
    char *trimmed = utf8_trim(arena, email);
    char *folded;

    TRY(need(trimmed));
    if (strlen(trimmed) > EMAIL_BYTES || !email_fits(trimmed))
        return FAIL_FIELD(arena, "email", "must be an e-mail address");
    TRY(need(folded = utf8_fold(arena, trimmed)));
    *ret_trimmed = trimmed;
    *ret_folded = folded;
    return OK;
}

struct status
rules_password(struct arena *arena, const char *password)
{
    const size_t length = utf8_length(password);

    if (length < PASSWORD_LEAST || length > PASSWORD_MOST)
        return FAIL_FIELD(arena, "password", "must have %d to %d characters", PASSWORD_LEAST,
                          PASSWORD_MOST);
    return OK;
}

struct status
rules_roles(struct arena *arena, const Wire__V1__Role *roles, size_t count, bool by_operator)
{
    if (count > ROLES_MOST)
        return FAIL_FIELD(arena, "roles", "must have at most %d items", ROLES_MOST);
    for (size_t i = 0; i < count; i++) {
        char *field = arena_printf(arena, "roles[%zu]", i);

        TRY(need(field));
        TRY(values_enum(arena, field, &wire__v1__role__descriptor, (int)roles[i], true));
        if (roles[i] == WIRE__V1__ROLE__ANYONE || roles[i] == WIRE__V1__ROLE__SERVICE ||
            roles[i] == WIRE__V1__ROLE__SYSTEM)
            return FAIL_FIELD(arena, field, "is not a role of people");
        if (roles[i] == WIRE__V1__ROLE__OPERATOR && !by_operator)
            return FAIL(arena, PERMISSION_DENIED, "only an operator makes operators");
        for (size_t j = 0; j < i; j++)
            if (roles[i] == roles[j])
                return FAIL_FIELD(arena, field, "is the same as item %zu", j);
    }
    return OK;
}

struct status
rules_account(struct arena *arena, const Registry__V1__CreateAccountRequest *request,
              bool by_operator, struct account_entry *ret)
{
    struct account_entry entry = {.display_name = request->display_name,
                                  .language = request->language,
                                  .person_id = request->person_id,
                                  .organisation_id = request->organisation_id,
                                  .roles = request->roles,
                                  .role_count = request->n_roles};

    TRY(rules_email(arena, request->email, &entry.email, &entry.email_folded));
    TRY(values_line(arena, "display_name", &entry.display_name, 1, NAME_LENGTH));
    if (strcmp(entry.language, "sv") != 0 && strcmp(entry.language, "fi") != 0 &&
        strcmp(entry.language, "en") != 0)
        return FAIL_FIELD(arena, "language", "must be sv, fi or en");
    TRY(rules_password(arena, request->password));
    if (entry.role_count == 0)
        return FAIL_FIELD(arena, "roles", "must name at least one role");
    TRY(rules_roles(arena, entry.roles, entry.role_count, by_operator));
    TRY(values_id(arena, "person_id", entry.person_id, false));
    TRY(values_id(arena, "organisation_id", entry.organisation_id, false));
    *ret = entry;
    return OK;
}
