#include "services/notifications/rules.h"

#include "notifications/v1/webhooks.pb-c.h"
#include "registry/v1/programmes.pb-c.h"

enum text_name {
#define TEXT(name, sv, fi, en) TEXT_##name,
#include "services/notifications/texts.def"
#undef TEXT
};

static const struct text texts[] = {
#define TEXT(name, sv, fi, en) [TEXT_##name] = {{sv, fi, en}},
#include "services/notifications/texts.def"
#undef TEXT
};

#define TEXT(name, sv, fi, en) TEXT_COMPLETE(sv, fi, en);
#include "services/notifications/texts.def"
#undef TEXT

#define ROUND_WORDS(topic, news)                                                               \
    {                                                                                          \
        NOTIFICATIONS__V1__TOPIC__##topic, TEXT_ROUND_##news##_TITLE, TEXT_ROUND_##news##_TEXT \
    }

static const struct {
    Notifications__V1__Topic topic;
    enum text_name title, text;
} kinds[] = {
    [MESSAGE_MATCH_SUGGESTED] = {NOTIFICATIONS__V1__TOPIC__MATCH_SUGGESTED,
                                 TEXT_MATCH_SUGGESTED_TITLE, TEXT_MATCH_SUGGESTED_TEXT},
    [MESSAGE_MATCH_ACCEPTED] = {NOTIFICATIONS__V1__TOPIC__MATCH_DECIDED,
                                TEXT_MATCH_ACCEPTED_TITLE, TEXT_MATCH_ACCEPTED_TEXT},
    [MESSAGE_MATCH_DECLINED] = {NOTIFICATIONS__V1__TOPIC__MATCH_DECIDED,
                                TEXT_MATCH_DECLINED_TITLE, TEXT_MATCH_DECLINED_TEXT},
    [MESSAGE_VERDICT] = {NOTIFICATIONS__V1__TOPIC__VERDICT_CHANGED, TEXT_VERDICT_TITLE,
                         TEXT_VERDICT_TEXT},
    [MESSAGE_PLACEMENT_STARTED] = {NOTIFICATIONS__V1__TOPIC__PLACEMENT_MOVED,
                                   TEXT_STARTED_TITLE, TEXT_STARTED_TEXT},
    [MESSAGE_PLACEMENT_ENDED] = {NOTIFICATIONS__V1__TOPIC__PLACEMENT_MOVED, TEXT_ENDED_TITLE,
                                 TEXT_ENDED_TEXT},
    [MESSAGE_PLACEMENT_OUTCOME] = {NOTIFICATIONS__V1__TOPIC__PLACEMENT_MOVED,
                                   TEXT_OUTCOME_TITLE, TEXT_OUTCOME_TEXT},
    [MESSAGE_WEBHOOK_STOPPED] = {NOTIFICATIONS__V1__TOPIC__WEBHOOK_STOPPED,
                                 TEXT_WEBHOOK_STOPPED_TITLE, TEXT_WEBHOOK_STOPPED_TEXT},
    [MESSAGE_SEARCH_HIT] = {NOTIFICATIONS__V1__TOPIC__SEARCH_HIT, TEXT_SEARCH_HIT_TITLE,
                            TEXT_SEARCH_HIT_TEXT},
    [MESSAGE_ROUND_OPENED] = ROUND_WORDS(ROUND_MOVED, OPENED),
    [MESSAGE_OWN_ROUND_OPENED] = ROUND_WORDS(ROUND_OWN, OPENED),
    [MESSAGE_ROUND_SOLVED] = ROUND_WORDS(ROUND_MOVED, SOLVED),
    [MESSAGE_OWN_ROUND_SOLVED] = ROUND_WORDS(ROUND_OWN, SOLVED),
    [MESSAGE_ROUND_RESULT] = ROUND_WORDS(ROUND_MOVED, RESULT),
    [MESSAGE_OWN_ROUND_RESULT] = ROUND_WORDS(ROUND_OWN, RESULT),
    [MESSAGE_ROUND_CHANGED] = ROUND_WORDS(ROUND_MOVED, CHANGED),
    [MESSAGE_OWN_ROUND_CHANGED] = ROUND_WORDS(ROUND_OWN, CHANGED),
    [MESSAGE_ROUND_FINAL] = ROUND_WORDS(ROUND_MOVED, FINAL),
    [MESSAGE_OWN_ROUND_FINAL] = ROUND_WORDS(ROUND_OWN, FINAL),
    [MESSAGE_ROUND_AMENDED] = ROUND_WORDS(ROUND_MOVED, AMENDED),
    [MESSAGE_OWN_ROUND_AMENDED] = ROUND_WORDS(ROUND_OWN, AMENDED),
};

static bool
known(enum message_kind kind)
{
    return (size_t)kind < COUNT_OF(kinds) && kinds[kind].topic;
}

Notifications__V1__Topic
rules_topic(enum message_kind kind)
{
    return known(kind) ? kinds[kind].topic : NOTIFICATIONS__V1__TOPIC__TOPIC_UNSPECIFIED;
}

static const char *
verdict_word(int64_t overall, enum lang lang)
{
    switch (overall) {
    case REGISTRY__V1__VERDICT__OVERALL__ELIGIBLE:
        return texts[TEXT_ELIGIBLE].in[lang];
    case REGISTRY__V1__VERDICT__OVERALL__ELIGIBLE_WITH_WAIVER:
        return texts[TEXT_ELIGIBLE_WITH_WAIVER].in[lang];
    case REGISTRY__V1__VERDICT__OVERALL__INCOMPLETE:
        return texts[TEXT_INCOMPLETE].in[lang];
    default:
        return texts[TEXT_INELIGIBLE].in[lang];
    }
}

static const char *
webhook_reason(int64_t reason, enum lang lang)
{
    return reason == NOTIFICATIONS__V1__WEBHOOK_REASON__WEBHOOK_GONE
               ? texts[TEXT_WEBHOOK_GONE].in[lang]
               : texts[TEXT_WEBHOOK_EXHAUSTED].in[lang];
}

struct status
rules_words(struct arena *arena, enum message_kind kind, int64_t detail, enum lang lang,
            struct message_words *ret)
{
    struct message_words words;
    char *score;

    if (!known(kind))
        return FAIL(arena, INTERNAL, "a message of unknown kind %d", (int)kind);
    TRY(need(score = arena_printf(arena, "%lld", (long long)(detail / 1000))));

    const struct text_value values[] = {{"score", score},
                                        {"verdict", verdict_word(detail, lang)},
                                        {"reason", webhook_reason(detail, lang)}};

    TRY(need(words.title = text_fill(arena, texts[kinds[kind].title].in[lang], values,
                                     COUNT_OF(values))));
    TRY(need(words.text =
                 text_fill(arena, texts[kinds[kind].text].in[lang], values, COUNT_OF(values))));
    words.why = kinds[kind].topic == NOTIFICATIONS__V1__TOPIC__WEBHOOK_STOPPED ? WHY_OFFICER
                : kinds[kind].topic == NOTIFICATIONS__V1__TOPIC__ROUND_OWN     ? WHY_TAKES_PART
                                                                               : WHY_SUBSCRIBED;
    *ret = words;
    return OK;
}

struct status
rules_letter(struct arena *arena, const struct message_words *words, const char *name,
             const char *public_url, enum lang lang, const char **ret)
{
    static const enum text_name footers[] = {[WHY_SUBSCRIBED] = TEXT_MAIL_FOOTER,
                                             [WHY_OFFICER] = TEXT_MAIL_FOOTER_OFFICER,
                                             [WHY_TAKES_PART] = TEXT_MAIL_FOOTER_TAKES_PART};
    const struct text_value values[] = {{"name", name}, {"link", public_url}};
    const char *greeting, *footer;

    TRY(need(greeting = text_fill(arena, texts[TEXT_MAIL_GREETING].in[lang], values,
                                  COUNT_OF(values))));
    TRY(need(footer = text_fill(arena, texts[footers[words->why]].in[lang], values,
                                COUNT_OF(values))));
    return need(
        *ret = arena_printf(arena, "%s\n\n%s\n\n-- \n%s\n", greeting, words->text, footer));
}

struct status
rules_subscription(struct arena *arena, const Notifications__V1__SubscribeRequest *request,
                   bool officer)
{
    if (request->topic == NOTIFICATIONS__V1__TOPIC__WEBHOOK_STOPPED)
        return FAIL_FIELD(arena, "topic", "is told to every officer without a subscription");
    if (request->topic == NOTIFICATIONS__V1__TOPIC__TOPIC_UNSPECIFIED ||
        !protobuf_c_enum_descriptor_get_value(&notifications__v1__topic__descriptor,
                                              (int)request->topic))
        return FAIL_FIELD(arena, "topic", "must be a topic such as MATCH_SUGGESTED");
    if (request->topic == NOTIFICATIONS__V1__TOPIC__ROUND_MOVED && !officer)
        return FAIL(arena, PERMISSION_DENIED, "the rounds of a tenant are for its officers");
    return OK;
}

int64_t
rules_retry_seconds(uint32_t attempts)
{
    static const int64_t seconds[] = {5, 30, 120, 600, 1800, 3600, 7200, 14400, 21600};
    const size_t last = COUNT_OF(seconds) - 1;
    const size_t at = attempts > 0 ? attempts - 1 : 0;

    return seconds[at < last ? at : last];
}
