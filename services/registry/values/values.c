#include "services/registry/values/values.h"

#include <ctype.h>
#include <string.h>

#include "common/base/utf8.h"
#include "common/base/uuid.h"

#define URL_BYTES 500
#define PAGE_SIZE_DEFAULT 50
#define PAGE_SIZE_MOST 200
#define SHARED_WITH_MOST 100
#define LANGUAGES_MOST 20
#define LIKE_LENGTH 200

static char *
item_path(struct arena *arena, const char *field, size_t index, const char *member)
{
    return arena_printf(arena, member ? "%s[%zu].%s" : "%s[%zu]", field, index, member);
}

struct status
values_id(struct arena *arena, const char *field, const char *id, bool required)
{
    if (*id == '\0')
        return required ? FAIL_FIELD(arena, field, "must be given") : OK;
    if (!uuid_valid(id))
        return FAIL_FIELD(arena, field, "must be a UUID in lower case");
    return OK;
}

struct status
values_ids(struct arena *arena, const char *field, const char *const *ids, size_t count,
           size_t most)
{
    if (count > most)
        return FAIL_FIELD(arena, field, "must have at most %zu items, not %zu", most, count);
    for (size_t i = 0; i < count; i++) {
        char *path = item_path(arena, field, i, NULL);

        TRY(need(path));
        TRY(values_id(arena, path, ids[i], true));
        for (size_t j = 0; j < i; j++)
            if (strcmp(ids[i], ids[j]) == 0)
                return FAIL_FIELD(arena, path, "is the same as item %zu", j);
    }
    return OK;
}

struct status
values_text(struct arena *arena, const char *field, const char **text, size_t least,
            size_t most)
{
    char *trimmed = utf8_trim(arena, *text);

    TRY(need(trimmed));
    const size_t length = utf8_length(trimmed);

    if (length == 0 && least > 0)
        return FAIL_FIELD(arena, field, "must not be empty");
    if (length < least || length > most)
        return FAIL_FIELD(arena, field, "must have %zu to %zu characters, not %zu", least, most,
                          length);
    *text = trimmed;
    return OK;
}

static bool
one_line(const char *text)
{
    uint32_t letter;

    while ((letter = utf8_next(&text)))
        if (letter < 0x20 || (letter >= 0x7f && letter < 0xa0) || letter == 0x2028 ||
            letter == 0x2029)
            return false;
    return true;
}

struct status
values_line(struct arena *arena, const char *field, const char **text, size_t least,
            size_t most)
{
    const char *line = *text;

    TRY(values_text(arena, field, &line, least, most));
    if (!one_line(line))
        return FAIL_FIELD(arena, field, "must be one line without control characters");
    *text = line;
    return OK;
}

struct status
values_enum(struct arena *arena, const char *field, const ProtobufCEnumDescriptor *descriptor,
            int value, bool required)
{
    if (value == 0 && !required)
        return OK;
    if (value == 0)
        return FAIL_FIELD(arena, field, "must be given");
    if (!protobuf_c_enum_descriptor_get_value(descriptor, value))
        return FAIL_FIELD(arena, field, "%d is not a value of %s", value, descriptor->name);
    return OK;
}

struct status
values_enums(struct arena *arena, const char *field, const ProtobufCEnumDescriptor *descriptor,
             const int *values, size_t count, size_t most)
{
    if (count > most)
        return FAIL_FIELD(arena, field, "must have at most %zu items, not %zu", most, count);
    for (size_t i = 0; i < count; i++) {
        char *path = item_path(arena, field, i, NULL);

        TRY(need(path));
        TRY(values_enum(arena, path, descriptor, values[i], true));
        for (size_t j = 0; j < i; j++)
            if (values[i] == values[j])
                return FAIL_FIELD(arena, path, "is the same as item %zu", j);
    }
    return OK;
}

static bool
leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static bool
read_date(const char *date, int *ret_year, int *ret_month, int *ret_day)
{
    static const char pattern[] = "dddd-dd-dd";
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    if (strlen(date) != sizeof pattern - 1)
        return false;
    for (size_t i = 0; i < sizeof pattern - 1; i++)
        if (pattern[i] == 'd' ? !isdigit((unsigned char)date[i]) : date[i] != pattern[i])
            return false;
    const int year =
        (date[0] - '0') * 1000 + (date[1] - '0') * 100 + (date[2] - '0') * 10 + (date[3] - '0');
    const int month = (date[5] - '0') * 10 + (date[6] - '0');
    const int day = (date[8] - '0') * 10 + (date[9] - '0');

    if (year < 1900 || year > 2199 || month < 1 || month > 12 || day < 1)
        return false;
    if (day > days[month - 1] + (month == 2 && leap(year)))
        return false;
    *ret_year = year;
    *ret_month = month;
    *ret_day = day;
    return true;
}

struct status
values_date(struct arena *arena, const char *field, const char *date, bool required)
{
    int year, month, day;

    if (*date == '\0')
        return required ? FAIL_FIELD(arena, field, "must be given") : OK;
    if (!read_date(date, &year, &month, &day))
        return FAIL_FIELD(arena, field, "must be a date such as 2026-11-22");
    return OK;
}

int32_t
values_days(const char *date)
{
    int year = 1970, month = 1, day = 1;

    (void)read_date(date, &year, &month, &day); /* the caller has checked it */
    /* Days from civil, with March as the first month of a year. */
    const int shifted = year - (month <= 2);
    const int era = shifted / 400;
    const int of_era = shifted - era * 400;
    const int of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    const int day_of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;

    return era * 146097 + day_of_era - 719468;
}

struct status
values_date_of(struct arena *arena, int32_t days, const char **ret)
{
    /* Civil from days: the way back of values_days. */
    const int shifted = days + 719468;
    const int era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    const int day_of_era = shifted - era * 146097;
    const int year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int of_march = (5 * day_of_year + 2) / 153;
    const int day = day_of_year - (153 * of_march + 2) / 5 + 1;
    const int month = of_march < 10 ? of_march + 3 : of_march - 9;
    const int year = year_of_era + era * 400 + (month <= 2);

    return need(*ret = arena_printf(arena, "%04d-%02d-%02d", year, month, day));
}

struct status
values_today(struct arena *arena, struct wall now, const char **ret)
{
    const int64_t day_ms = 86400000;

    return values_date_of(arena, (int32_t)(now.unix_ms / day_ms), ret);
}

struct status
values_country(struct arena *arena, const char *field, const char *country)
{
    if (strlen(country) != 2 || !isupper((unsigned char)country[0]) ||
        !isupper((unsigned char)country[1]))
        return FAIL_FIELD(arena, field, "must be an ISO 3166-1 code such as SE");
    return OK;
}

struct status
values_nuts(struct arena *arena, const char *field, const char *nuts)
{
    const size_t length = strlen(nuts);

    if (length == 0)
        return OK;
    bool fits = length >= 2 && length <= 5 && isupper((unsigned char)nuts[0]) &&
                isupper((unsigned char)nuts[1]);

    for (size_t i = 2; fits && i < length; i++)
        fits = isupper((unsigned char)nuts[i]) || isdigit((unsigned char)nuts[i]);
    if (!fits)
        return FAIL_FIELD(arena, field, "must be a NUTS code such as SE312");
    return OK;
}

struct status
values_nace(struct arena *arena, const char *field, const char *nace)
{
    const size_t length = strlen(nace);
    bool fits = true;

    if (length == 0)
        return OK;
    if (length == 1) {
        fits = nace[0] >= 'A' && nace[0] <= 'U';
    } else {
        static const char pattern[] = "dd.dd";

        fits = length != 3 && length <= 5;
        for (size_t i = 0; fits && i < length; i++)
            fits = pattern[i] == 'd' ? isdigit((unsigned char)nace[i]) != 0
                                     : nace[i] == pattern[i];
    }
    if (!fits)
        return FAIL_FIELD(arena, field, "must be a NACE code such as C, 25, 25.1 or 25.11");
    return OK;
}

struct status
values_isced_f(struct arena *arena, const char *field, const char *isced_f)
{
    const size_t length = strlen(isced_f);
    bool fits = length >= 2 && length <= 4;

    for (size_t i = 0; fits && i < length; i++)
        fits = isdigit((unsigned char)isced_f[i]) != 0;
    if (!fits)
        return FAIL_FIELD(arena, field, "must be an ISCED-F 2013 code of 2 to 4 digits");
    return OK;
}

struct status
values_languages(struct arena *arena, const char *field, const char *const *languages,
                 size_t count)
{
    if (count > LANGUAGES_MOST)
        return FAIL_FIELD(arena, field, "must have at most %d items", LANGUAGES_MOST);
    for (size_t i = 0; i < count; i++) {
        const size_t length = strlen(languages[i]);
        char *path = item_path(arena, field, i, NULL);
        bool fits = length == 2 || length == 3;

        TRY(need(path));
        for (size_t j = 0; fits && j < length; j++)
            fits = islower((unsigned char)languages[i][j]) != 0;
        if (!fits)
            return FAIL_FIELD(arena, path, "must be a language tag such as sv");
        for (size_t j = 0; j < i; j++)
            if (strcmp(languages[i], languages[j]) == 0)
                return FAIL_FIELD(arena, path, "is the same as item %zu", j);
    }
    return OK;
}

struct status
values_url(struct arena *arena, const char *field, const char *url)
{
    const size_t length = strlen(url);
    const bool scheme = strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0;

    if (length == 0)
        return OK;
    if (!scheme || length > URL_BYTES)
        return FAIL_FIELD(arena, field, "must be a web address of at most %d bytes", URL_BYTES);
    for (const char *at = url; *at; at++)
        if ((unsigned char)*at <= ' ' || *at == 0x7f)
            return FAIL_FIELD(arena, field, "must not contain spaces or control characters");
    return OK;
}

static bool
house_language(const char *lang)
{
    return strcmp(lang, "sv") == 0 || strcmp(lang, "fi") == 0 || strcmp(lang, "en") == 0;
}

struct status
values_texts(struct arena *arena, const char *field, Registry__V1__LocalText **texts,
             size_t count, struct values_text_rule rule)
{
    if (count < rule.least)
        return FAIL_FIELD(arena, field, "must be given in at least %zu language%s", rule.least,
                          rule.least == 1 ? "" : "s");
    if (count > rule.most)
        return FAIL_FIELD(arena, field, "must have at most %zu items", rule.most);
    for (size_t i = 0; i < count; i++) {
        char *lang = item_path(arena, field, i, "lang");
        char *value = item_path(arena, field, i, "value");

        TRY(need(lang));
        TRY(need(value));
        if (!house_language(texts[i]->lang))
            return FAIL_FIELD(arena, lang, "must be sv, fi or en");
        for (size_t j = 0; j < i; j++)
            if (strcmp(texts[i]->lang, texts[j]->lang) == 0)
                return FAIL_FIELD(arena, lang, "%s is given twice", texts[i]->lang);
        if (rule.one_line)
            TRY(values_line(arena, value, &texts[i]->value, 1, rule.most_length));
        else
            TRY(values_text(arena, value, &texts[i]->value, 1, rule.most_length));
    }
    return OK;
}

struct status
values_skills(struct arena *arena, const char *field, Registry__V1__Skill **skills,
              size_t count, size_t most)
{
    if (count > most)
        return FAIL_FIELD(arena, field, "must have at most %zu items, not %zu", most, count);
    for (size_t i = 0; i < count; i++) {
        char *concept_path = item_path(arena, field, i, "concept_id");
        char *weight_path = item_path(arena, field, i, "weight");

        TRY(need(concept_path));
        TRY(need(weight_path));
        TRY(values_id(arena, concept_path, skills[i]->concept_id, true));
        if (skills[i]->weight > 1000)
            return FAIL_FIELD(arena, weight_path, "must be 0 to 1000 thousandths");
        for (size_t j = 0; j < i; j++)
            if (strcmp(skills[i]->concept_id, skills[j]->concept_id) == 0)
                return FAIL_FIELD(arena, concept_path, "is the same as item %zu", j);
        if (skills[i]->weight == 0)
            skills[i]->weight = 1000;
        skills[i]->label = "";
    }
    return OK;
}

struct status
values_visibility(struct arena *arena, Registry__V1__Visibility *visibility,
                  const char *const *shared_with, size_t count)
{
    if (*visibility == REGISTRY__V1__VISIBILITY__VISIBILITY_UNSPECIFIED)
        *visibility = REGISTRY__V1__VISIBILITY__PRIVATE;
    TRY(values_enum(arena, "visibility", &registry__v1__visibility__descriptor,
                    (int)*visibility, true));
    TRY(values_ids(arena, "shared_with", shared_with, count, SHARED_WITH_MOST));
    if (*visibility == REGISTRY__V1__VISIBILITY__SHARED && count == 0)
        return FAIL_FIELD(arena, "shared_with", "must name the tenants it is shared with");
    if (*visibility != REGISTRY__V1__VISIBILITY__SHARED && count > 0)
        return FAIL_FIELD(arena, "shared_with", "is only for visibility SHARED");
    return OK;
}

struct status
values_audience(struct arena *arena, Registry__V1__Visibility visibility,
                const char *const *shared_with, size_t count, const char **ret)
{
    const char *audience = NULL;

    if (visibility == REGISTRY__V1__VISIBILITY__PUBLIC)
        audience = "public";
    if (visibility == REGISTRY__V1__VISIBILITY__SHARED)
        for (size_t i = 0; i < count; i++)
            TRY(need(audience = i ? arena_printf(arena, "%s,%s", audience, shared_with[i])
                                  : arena_copy(arena, shared_with[i])));
    *ret = audience;
    return OK;
}

struct status
values_like(struct arena *arena, const char *field, const char *part, const char **ret)
{
    const char *trimmed = part;
    char *escaped, *at;

    TRY(values_text(arena, field, &trimmed, 0, LIKE_LENGTH));
    char *folded = utf8_fold(arena, trimmed);

    TRY(need(folded));
    TRY(need(escaped = at = arena_alloc(arena, 2 * strlen(folded) + 1)));
    for (const char *from = folded; *from; from++) {
        if (strchr("%_\\", *from))
            *at++ = '\\';
        *at++ = *from;
    }
    *at = '\0';
    *ret = escaped;
    return OK;
}

struct status
values_new_id(struct arena *arena, const struct clock *clock, const char **ret)
{
    char id[UUID_SIZE];

    uuid_v7(clock, id);
    return need(*ret = arena_copy(arena, id));
}

struct status
values_page_size(struct arena *arena, uint32_t page_size, uint32_t *ret)
{
    if (page_size > PAGE_SIZE_MOST)
        return FAIL_FIELD(arena, "page_size", "must be at most %d", PAGE_SIZE_MOST);
    *ret = page_size ? page_size : PAGE_SIZE_DEFAULT;
    return OK;
}
