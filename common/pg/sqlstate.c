#include <string.h>

#include "common/base/log.h"
#include "common/pg/pg_link.h"

enum code
pg_sqlstate_code(const char *state, const char **ret_detail)
{
    static const struct {
        const char *prefix;
        enum code code;
        const char *detail;
    } table[] = {
#define SQLSTATE(prefix, name, detail) {prefix, CODE_##name, detail},
#include "common/pg/sqlstate.def"
#undef SQLSTATE
    };

    for (size_t i = 0; i < COUNT_OF(table); i++)
        if (strncmp(state, table[i].prefix, strlen(table[i].prefix)) == 0) {
            *ret_detail = table[i].detail;
            return table[i].code;
        }
    *ret_detail = "a statement failed";
    return CODE_INTERNAL;
}

static const char *
field(const PGresult *result, int code)
{
    const char *text = PQresultErrorField(result, code);

    return text ? text : "";
}

struct status
pg_result_status(const PGresult *result, const char *statement, struct arena *arena)
{
    const char *state = field(result, PG_DIAG_SQLSTATE);
    /* Class 22 (data exceptions) quotes the value in its text, which may be personal. */
    const bool quotes = strncmp(state, "22", 2) == 0;
    const char *detail;
    const enum code code = pg_sqlstate_code(state, &detail);

    if (code == CODE_INTERNAL)
        log_error("statement failed", KV("statement", statement), KV("sqlstate", state),
                  KV("text", quotes ? "" : field(result, PG_DIAG_MESSAGE_PRIMARY)),
                  KV("table", field(result, PG_DIAG_TABLE_NAME)),
                  KV("column", field(result, PG_DIAG_COLUMN_NAME)),
                  KV("constraint", field(result, PG_DIAG_CONSTRAINT_NAME)));
    return status_make(arena, code, "%s", detail);
}
