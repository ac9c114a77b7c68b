/* Reasons as sentences of a language: see explain.h. */

#include "services/matching/explain.h"
#include "services/matching/texts.h"

static const char *
label_of(const struct vocabulary *vocabulary, const char *id, enum lang lang)
{
    struct uid uid;
    uint32_t concept = VOCABULARY_NONE;

    if (uid_parse(id, &uid))
    concept = vocabulary_find(vocabulary, &uid);
    if (concept == VOCABULARY_NONE || !*vocabulary_label(vocabulary, concept, lang))
        return text_in(TEXT_unknown_concept, lang);
    return vocabulary_label(vocabulary, concept, lang);
}

static const char *
language_name(const char *tag, enum lang lang)
{
    switch (lang_parse(tag)) {
    case LANG_SV:
        return text_in(TEXT_language_sv, lang);
    case LANG_FI:
        return text_in(TEXT_language_fi, lang);
    case LANG_EN:
    case LANG_COUNT:
        break;
    }
    return text_in(TEXT_language_en, lang);
}

static struct status
join_words(const Matching__V1__Reason *reason, struct arena *arena, const char **ret)
{
    const char *joined = "";

    for (size_t i = 0; i < reason->n_words; i++) {
        if (i > 0 && strcmp(reason->words[i], reason->words[i - 1]) == 0)
            continue;
        joined = arena_printf(arena, "%s%s%s", joined, i ? ", " : "", reason->words[i]);
        TRY(need(joined));
    }
    *ret = joined;
    return OK;
}

static struct status
fill(struct arena *arena, enum text_name name, enum lang lang, const struct text_value *values,
     size_t count, const char **ret)
{
    char *text = text_fill(arena, text_in(name, lang), values, count);

    TRY(need(text));
    *ret = text;
    return OK;
}

static enum text_name
concept_text(const Matching__V1__Reason *reason)
{
    switch (reason->nearness) {
    case MATCHING__V1__NEARNESS__SIBLING:
        return TEXT_concept_sibling;
    case MATCHING__V1__NEARNESS__COUSIN:
        return TEXT_concept_cousin;
    case MATCHING__V1__NEARNESS__NAME:
        return TEXT_concept_name;
    default:
        return strcmp(reason->concept_id, reason->found_concept_id) == 0 ? TEXT_concept_equal
                                                                         : TEXT_concept_same;
    }
}

static enum text_name
wished_text(const Matching__V1__Reason *reason)
{
    switch (concept_text(reason)) {
    case TEXT_concept_equal:
        return TEXT_wish_equal;
    case TEXT_concept_same:
        return TEXT_wish_same;
    default:
        return TEXT_wish_near;
    }
}

static struct status
tell_concept(Matching__V1__Reason *reason, const struct vocabulary *vocabulary, enum lang lang,
             struct arena *arena)
{
    const char *words;
    const char *origin;

    TRY(join_words(reason, arena, &words));
    const struct text_value values[] = {{"language", language_name(reason->language, lang)},
                                        {"words", words}};
    if (reason->source == MATCHING__V1__REASON_SOURCE__FROM_LINKED_WORDS)
        TRY(fill(arena, TEXT_from_linked, lang, values, COUNT_OF(values), &origin));
    else
        TRY(fill(arena, TEXT_from_concepts, lang, NULL, 0, &origin));
    TRY(need(reason->concept_label =
                 arena_copy(arena, label_of(vocabulary, reason->concept_id, lang))));
    TRY(need(reason->found_concept_label =
                 arena_copy(arena, label_of(vocabulary, reason->found_concept_id, lang))));
    const struct text_value all[] = {{"sought", reason->concept_label},
                                     {"found", reason->found_concept_label},
                                     {"origin", origin},
                                     {"words", words}};
    return fill(arena,
                reason->part == MATCHING__V1__SCORE_PART__WISHES ? wished_text(reason)
                                                                 : concept_text(reason),
                lang, all, COUNT_OF(all), &reason->text);
}

/* How far the person's wishes are met: the reason that names none of them. */
static struct status
tell_share(Matching__V1__Reason *reason, enum lang lang, struct arena *arena)
{
    char percent[sizeof "4294967295"];
    const struct text_value values[] = {{"percent", percent}};
    enum text_name name = TEXT_wishes_fit;

    (void)snprintf(percent, sizeof percent, "%u", (unsigned)reason->share_percent);
    if (reason->share_percent == 0)
        name = TEXT_wishes_none;
    else if (reason->deduction_thousandths > 0)
        name = TEXT_wishes_less;
    return fill(arena, name, lang, values, COUNT_OF(values), &reason->text);
}

static struct status
tell_wish(Matching__V1__Reason *reason, const struct vocabulary *vocabulary, enum lang lang,
          struct arena *arena)
{
    const struct text_value values[] = {{"name", text_named(reason->name, lang)}};

    if (*reason->concept_id)
        return tell_concept(reason, vocabulary, lang, arena);
    if (!*reason->name)
        return tell_share(reason, lang, arena);
    /* The code of a region is in capitals, the name of a focus or theme is not. */
    return fill(arena, *reason->name <= 'Z' ? TEXT_wish_region : TEXT_wish_work, lang, values,
                COUNT_OF(values), &reason->text);
}

static struct status
tell_text(Matching__V1__Reason *reason, enum lang lang, struct arena *arena)
{
    const char *words;

    TRY(join_words(reason, arena, &words));
    const struct text_value values[] = {{"language", language_name(reason->language, lang)},
                                        {"words", words}};
    return fill(arena, reason->n_words ? TEXT_words_met : TEXT_word_parts_met, lang, values,
                COUNT_OF(values), &reason->text);
}

static struct status
tell_fact(Matching__V1__Reason *reason, enum lang lang, struct arena *arena)
{
    const struct text_value values[] = {{"name", text_named(reason->name, lang)},
                                        {"until", reason->valid_until}};
    enum text_name name = TEXT_freshness;

    switch (reason->part) {
    case MATCHING__V1__SCORE_PART__FIELD:
        name = TEXT_field;
        break;
    case MATCHING__V1__SCORE_PART__LEVEL:
        name = TEXT_level;
        break;
    case MATCHING__V1__SCORE_PART__REGION:
        name = TEXT_region;
        break;
    case MATCHING__V1__SCORE_PART__FOCUS:
        name = TEXT_focus;
        break;
    case MATCHING__V1__SCORE_PART__BOOST:
        name = strcmp(reason->name, "rural") == 0 ? TEXT_boost_rural : TEXT_boost_sme;
        break;
    default:
        break;
    }
    return fill(arena, name, lang, values, COUNT_OF(values), &reason->text);
}

struct status
explain_tell(const struct reasons *reasons, const struct vocabulary *vocabulary, enum lang lang,
             struct arena *arena)
{
    for (size_t i = 0; i < reasons->count; i++) {
        Matching__V1__Reason *reason = reasons->items[i];

        switch (reason->part) {
        case MATCHING__V1__SCORE_PART__CONCEPTS:
            TRY(tell_concept(reason, vocabulary, lang, arena));
            break;
        case MATCHING__V1__SCORE_PART__TEXT:
            TRY(tell_text(reason, lang, arena));
            break;
        case MATCHING__V1__SCORE_PART__WISHES:
            TRY(tell_wish(reason, vocabulary, lang, arena));
            break;
        default:
            TRY(tell_fact(reason, lang, arena));
            break;
        }
    }
    return OK;
}
