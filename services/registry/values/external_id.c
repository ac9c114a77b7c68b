/* Identifiers that others gave, by their published check digits:
 *   se-orgnr    ten digits, Luhn (Skatteverket)
 *   fi-ytunnus  seven digits, a hyphen, check digit modulo 11 (PRH)
 *   ror         "0", six characters of Crockford's base 32 and two digits, ISO 7064 mod 97-10
 *   lei         18 characters and two digits, ISO 17442 (mod 97-10)
 */

#include <ctype.h>
#include <string.h>

#include "services/registry/values/values.h"

#define VALUE_BYTES 200

static bool
all_digits(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!isdigit((unsigned char)text[i]))
            return false;
    return true;
}

static bool
swedish_number(const char *value)
{
    int sum = 0;

    if (strlen(value) != 11 || value[6] != '-' || !all_digits(value, 6) ||
        !all_digits(value + 7, 4))
        return false;
    for (int i = 0, place = 0; i < 11; i++) {
        if (i == 6)
            continue;
        const int digit = (value[i] - '0') * (place % 2 == 0 ? 2 : 1);

        sum += digit > 9 ? digit - 9 : digit;
        place++;
    }
    return sum % 10 == 0;
}

static bool
finnish_number(const char *value)
{
    static const int weights[] = {7, 9, 10, 5, 8, 4, 2};
    int sum = 0;

    if (strlen(value) != 9 || value[7] != '-' || !all_digits(value, 7) ||
        !isdigit((unsigned char)value[8]))
        return false;
    for (int i = 0; i < 7; i++)
        sum += (value[i] - '0') * weights[i];
    const int rest = sum % 11;

    return rest != 1 && value[8] - '0' == (rest == 0 ? 0 : 11 - rest);
}

static bool
ror_id(const char *value)
{
    static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";
    static const char prefix[] = "https://ror.org/";
    uint64_t number = 0;

    if (strncmp(value, prefix, sizeof prefix - 1) == 0)
        value += sizeof prefix - 1;
    if (strlen(value) != 9 || value[0] != '0' || !all_digits(value + 7, 2))
        return false;
    for (int i = 1; i < 7; i++) {
        const char *at = strchr(alphabet, value[i]);

        if (!at)
            return false;
        number = number * 32 + (uint64_t)(at - alphabet);
    }
    const uint64_t check = 98 - (number * 100) % 97;

    return check == (uint64_t)((value[7] - '0') * 10 + (value[8] - '0'));
}

static bool
lei(const char *value)
{
    unsigned rest = 0;

    if (strlen(value) != 20)
        return false;
    for (int i = 0; i < 20; i++) {
        const unsigned char c = (unsigned char)value[i];

        if (isdigit(c))
            rest = (rest * 10 + (unsigned)(c - '0')) % 97;
        else if (isupper(c))
            rest = (rest * 100 + (unsigned)(c - 'A') + 10) % 97;
        else
            return false;
    }
    return rest == 1;
}

static const struct {
    const char *scheme;
    bool (*valid)(const char *value); /* NULL: no check digit */
    const char *shape;
} schemes[] = {
    {"se-orgnr", swedish_number, "ten digits such as 556036-0793 with a valid check digit"},
    {"fi-ytunnus", finnish_number, "a number such as 2285733-9 with a valid check digit"},
    {"ror", ror_id, "an identifier such as https://ror.org/000hdh770"},
    {"lei", lei, "20 characters with valid check digits"},
    {"vat", NULL, ""},
    {"pic", NULL, ""},
    {"isni", NULL, ""},
    {"url", NULL, ""},
    {"grid", NULL, ""},
    {"wikidata", NULL, ""},
};

struct status
values_external_id(struct arena *arena, const char *field, const Registry__V1__ExternalId *id,
                   bool *ret_checked)
{
    const size_t length = strlen(id->value);

    if (length == 0 || length > VALUE_BYTES)
        return FAIL_FIELD(arena, field, "the value must have 1 to %d bytes", VALUE_BYTES);
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        if (strcmp(id->scheme, schemes[i].scheme) != 0)
            continue;
        if (schemes[i].valid && !schemes[i].valid(id->value))
            return FAIL_FIELD(arena, field, "%s must be %s", id->scheme, schemes[i].shape);
        *ret_checked = schemes[i].valid != NULL;
        return OK;
    }
    return FAIL_FIELD(
        arena, field,
        "the scheme must be se-orgnr, fi-ytunnus, ror, lei, vat, pic, isni, grid, "
        "wikidata or url");
}
