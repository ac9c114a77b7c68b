/* Reading profiles, and the words that rows name things by. */

#include "services/matching/profile.h"

static const char *const kind_names[KIND_COUNT] = {
    [KIND_PERSON] = "person",         [KIND_NEED] = "need",
    [KIND_CAPABILITY] = "capability", [KIND_INFRASTRUCTURE] = "infrastructure",
    [KIND_PLACEMENT] = "placement",
};

enum kind
profile_kind_parse(const char *text)
{
    for (int kind = KIND_PERSON; kind < KIND_COUNT; kind++)
        if (strcmp(text, kind_names[kind]) == 0)
            return (enum kind)kind;
    return KIND_NONE;
}

const char *
profile_kind_name(enum kind kind)
{
    return kind > KIND_NONE && kind < KIND_COUNT ? kind_names[kind] : "";
}

bool
profile_kind_seeks(enum kind kind)
{
    return kind == KIND_NEED || kind == KIND_PLACEMENT;
}

uint16_t
profile_language(const char *tag)
{
    if (!tag[0] || !tag[1])
        return 0;
    return (uint16_t)(((unsigned)(unsigned char)tag[0] | 0x20u) << 8 |
                      ((unsigned)(unsigned char)tag[1] | 0x20u));
}

bool
profile_visible(const struct profile *profile, const struct uid *tenant)
{
    if (profile->visibility == VISIBLE_PUBLIC || uid_equal(&profile->tenant, tenant))
        return true;
    return profile->visibility == VISIBLE_SHARED &&
           bsearch(tenant, profile->shared_with, profile->shared_count, sizeof *tenant,
                   uid_order);
}

uint32_t
profile_find_term(const struct profile *profile, uint32_t term)
{
    uint32_t low = 0;
    uint32_t high = profile->term_count;

    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;

        if (TERM_OF(profile->terms[middle]) < term)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < profile->term_count && TERM_OF(profile->terms[low]) == term)
        return profile->terms[low];
    return 0;
}
