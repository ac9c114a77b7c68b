#include "matching/v1/concepts.pb-c.h"

#include "common/base/utf8.h"
#include "common/service/call.h"
#include "services/matching/matching.h"
#include "services/matching/state.h"

#define TEXT_BYTES_MAX 20000
#define LINKS_MAX 200
#define LANGUAGE_WORDS 60 /* that tell the language of a text */

/* A text in one language. */
struct reading {
    struct link links[LINKS_MAX];
    size_t count;
    uint64_t worth; /* bytes named, by how surely */
};

static struct status
check_lang(struct call *call, const char *field, const char *tag)
{
    if (*tag && strcmp(tag, lang_tag(lang_parse(tag))) != 0)
        return FAIL_FIELD(call->arena, field, "must be sv, fi or en");
    return OK;
}

static void
destroy_words(struct words **words)
{
    words_destroy(words);
}

static struct status
read_in(struct call *call, const struct vocabulary *vocabulary, struct words *words,
        const char *text, enum lang lang, size_t word_count, struct reading **ret)
{
    struct reading *reading = ARENA_NEW(call->arena, struct reading);
    struct word_list list;

    TRY(need(reading));
    TRY(words_split(words, lang, text, call->arena, &list));
    if (list.count > word_count)
        list.count = word_count;
    reading->count = vocabulary_link(vocabulary, lang, &list, reading->links, LINKS_MAX);
    for (size_t i = 0; i < reading->count; i++)
        reading->worth += (uint64_t)reading->links[i].size * reading->links[i].score;
    *ret = reading;
    return OK;
}

/* The language in which the beginning of the text names most; of equals that of the call. */
static struct status
find_language(struct call *call, const struct vocabulary *vocabulary, struct words *words,
              const char *text, enum lang *ret)
{
    enum lang best = call->lang;
    struct reading *reading, *most;

    TRY(read_in(call, vocabulary, words, text, best, LANGUAGE_WORDS, &most));
    for (int lang = 0; lang < LANG_COUNT; lang++) {
        TRY(read_in(call, vocabulary, words, text, (enum lang)lang, LANGUAGE_WORDS, &reading));
        if (reading->worth > most->worth) {
            most = reading;
            best = (enum lang)lang;
        }
    }
    *ret = best;
    return OK;
}

static struct status
read_text(struct call *call, const struct vocabulary *vocabulary, const char *text,
          const char *given, enum lang *ret_lang, struct reading **ret)
{
    scoped(destroy_words) struct words *words = NULL;
    enum lang lang = lang_parse(given);

    TRY(words_create(call->arena, &words));
    if (!*given)
        TRY(find_language(call, vocabulary, words, text, &lang));
    TRY(read_in(call, vocabulary, words, text, lang, WORDS_PER_TEXT_MAX, ret));
    *ret_lang = lang;
    return OK;
}

static struct status
tell_link(struct call *call, const struct vocabulary *vocabulary, enum lang lang,
          const struct link *link, Matching__V1__TextLink **ret)
{
    Matching__V1__TextLink *told = ARENA_NEW(call->arena, Matching__V1__TextLink);
    char id[UUID_SIZE];

    TRY(need(told));
    matching__v1__text_link__init(told);
    uid_format(vocabulary_id(vocabulary, link->concept), id);
    TRY(need(told->concept_id = arena_copy(call->arena, id)));
    TRY(need(told->label =
                 arena_copy(call->arena, vocabulary_label(vocabulary, link->concept, lang))));
    told->start_byte = link->at;
    told->end_byte = link->at + link->size;
    told->reason = (Matching__V1__LinkReason)link->reason;
    told->score_thousandths = link->score;
    *ret = told;
    return OK;
}

static struct status
tell_links(struct call *call, const struct vocabulary *vocabulary,
           const Matching__V1__LinkTextRequest *request, Matching__V1__LinkTextReply *reply)
{
    const enum lang lang = *request->language ? lang_parse(request->language) : call->lang;
    struct reading *reading;
    enum lang read;

    TRY(read_text(call, vocabulary, request->text, request->text_lang, &read, &reading));
    TRY(need(reply->links =
                 ARENA_ARRAY(call->arena, Matching__V1__TextLink *, reading->count + 1)));
    for (size_t i = 0; i < reading->count; i++)
        TRY(tell_link(call, vocabulary, lang, &reading->links[i], &reply->links[i]));
    reply->n_links = reading->count;
    reply->text_lang = lang_tag(read);
    return OK;
}

static struct status
link_text(struct call *call, const Matching__V1__LinkTextRequest *request,
          Matching__V1__LinkTextReply *reply)
{
    const struct snapshot *snapshot;
    struct held held = {0};
    struct status told;

    if (!*request->text || strlen(request->text) > TEXT_BYTES_MAX)
        return FAIL_FIELD(call->arena, "text", "must have 1 to %d bytes", TEXT_BYTES_MAX);
    TRY(check_lang(call, "text_lang", request->text_lang));
    TRY(check_lang(call, "language", request->language));
    TRY(state_hold(call->state, call->arena, &held, &snapshot));
    told = tell_links(call, snapshot->vocabulary, request, reply);
    swap_release(&held);
    return told;
}

RPC_METHOD(Matching__V1__Texts_Service, link_text, Matching__V1__LinkTextRequest,
           Matching__V1__LinkTextReply)

static Matching__V1__Texts_Service service = MATCHING__V1__TEXTS__INIT(rpc_);
const ProtobufCService *const texts_service = &service.base;
