#include "services/registry/programmes/vocabulary.h"

#include <inttypes.h>
#include <string.h>

static void
put(struct finding *finding, const char *name, enum rule_value_kind kind, const char *text)
{
    if (!text) {
        finding->broken = true;
        return;
    }
    /* The vocabulary's longest list is shorter; a test counts. */
    if (finding->value_count == RULE_VALUES) {
        finding->broken = true;
        return;
    }
    finding->values[finding->value_count++] = (struct rule_value){name, kind, text};
}

void
finding_pass(struct finding *finding)
{
    finding->outcome = RULE_PASS;
}

void
finding_fail(struct finding *finding, const char *change)
{
    finding->outcome = RULE_FAIL;
    finding->change = change;
}

void
finding_not_applicable(struct finding *finding, const char *reason)
{
    finding->outcome = RULE_NOT_APPLICABLE;
    finding->reason = reason;
}

void
finding_missing(struct finding *finding, const char *fact)
{
    finding->outcome = RULE_UNKNOWN;
    finding->reason = "missing";
    for (size_t i = 0; i < finding->missing_count; i++) {
        if (!strcmp(finding->missing[i], fact))
            return;
    }
    if (finding->missing_count < RULE_VALUES)
        finding->missing[finding->missing_count++] = fact;
}

void
finding_missing_of(struct finding *finding, const char *object, const char *fact)
{
    const char *path = arena_printf(finding->arena, "%s.%s", object, fact);

    if (!path)
        finding->broken = true;
    else
        finding_missing(finding, path);
}

void
finding_text(struct finding *finding, const char *name, const char *text)
{
    put(finding, name, RULE_VALUE_TEXT, text);
}

void
finding_number(struct finding *finding, const char *name, int64_t value)
{
    put(finding, name, RULE_VALUE_NUMBER, arena_printf(finding->arena, "%" PRId64, value));
}

void
finding_as(struct finding *finding, const char *name, enum rule_value_kind kind, int64_t value)
{
    if (kind == RULE_VALUE_FLAG)
        put(finding, name, kind, value ? "yes" : "no");
    else
        put(finding, name, kind, arena_printf(finding->arena, "%" PRId64, value));
}

void
finding_date(struct finding *finding, const char *name, struct rule_date date)
{
    char text[RULE_DATE_SIZE];

    rule_date_format(date, text);
    put(finding, name, RULE_VALUE_DATE, arena_copy(finding->arena, text));
}

void
finding_span(struct finding *finding, const char *name, struct rule_span span)
{
    const char *text;

    if (span.months && span.days)
        text = arena_printf(finding->arena, "%" PRId64 "m%" PRId64 "d", span.months, span.days);
    else if (span.months)
        text = arena_printf(finding->arena, "%" PRId64 "m", span.months);
    else
        text = arena_printf(finding->arena, "%" PRId64 "d", span.days);
    put(finding, name, RULE_VALUE_SPAN, text);
}

void
finding_money(struct finding *finding, const char *name, int64_t minor, const char *currency)
{
    put(finding, name, RULE_VALUE_MONEY,
        arena_printf(finding->arena, "%" PRId64 " %s", minor, currency));
}

static char *
join(struct arena *arena, const char *separator, const char *const *items, size_t count)
{
    const size_t gap = strlen(separator);
    size_t size = 1;
    char *text, *at;

    for (size_t i = 0; i < count; i++)
        size += strlen(items[i]) + gap;
    text = at = arena_alloc(arena, size);
    for (size_t i = 0; text && i < count; i++) {
        const size_t length = strlen(items[i]);
        if (i) {
            memcpy(at, separator, gap);
            at += gap;
        }
        memcpy(at, items[i], length);
        at += length;
    }
    return text;
}

void
finding_list(struct finding *finding, const char *name, enum rule_value_kind kind,
             const char *const *items, size_t count)
{
    const char *separator = kind == RULE_VALUE_PATH ? " > " : ",";

    put(finding, name, kind, join(finding->arena, separator, items, count));
}
