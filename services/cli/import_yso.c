/* samverka import yso FILE...: subjects as the General Finnish Ontology YSO has them.
 *
 * Each FILE is a table of one language whose name ends in -fi.tsv, -sv.tsv or -en.tsv, plain or
 * packed (.gz): a line is "<URI>", a tab, and a label.  A concept has the labels of all files;
 * a second label in a language is an alternative.  It stands beside the vocabulary in use: what
 * is in use stays so.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/utf8.h"
#include "registry/v1/concepts.pb-c.h"
#include "services/cli/fingerprint.h"
#include "services/cli/import.h"

#define LANGS 3
#define LABEL_BYTES 500
#define LABELS_MOST 50 /* of one concept */
#define URI_BYTES 500

static const char *const langs[LANGS] = {"sv", "fi", "en"};

/* A line of a file. */
struct line {
    const char *uri, *label;
    size_t number; /* in its file, from 1 */
    unsigned char lang;
};

struct yso {
    struct source sources[LANGS];
    size_t source_count;
    struct line *lines; /* by URI, then by language and place */
    size_t count, room;
    size_t at;
    const char *version;
};

static int
by_uri(const void *a, const void *b)
{
    const struct line *left = a, *right = b;
    const int order = strcmp(left->uri, right->uri);

    if (order)
        return order;
    if (left->lang != right->lang)
        return left->lang < right->lang ? -1 : 1;
    return (left->number > right->number) - (left->number < right->number);
}

static struct status
add_line(struct arena *arena, struct yso *yso, struct line line)
{
    if (yso->count == yso->room) {
        const size_t room = yso->room ? 2 * yso->room : 65536;
        struct line *lines = ARENA_ARRAY(arena, struct line, room);

        TRY(need(lines));
        if (yso->count > 0)
            memcpy(lines, yso->lines, yso->count * sizeof *lines);
        yso->lines = lines;
        yso->room = room;
    }
    yso->lines[yso->count++] = line;
    return OK;
}

static struct status
bad(struct arena *arena, const struct source *source, size_t number, const char *reason)
{
    const char *field = arena_printf(arena, "line %zu", number);

    TRY(need(field));
    return FAIL_FIELD(arena, field, "%s: %s", source->name, reason);
}

/* Cuts a line in place. */
static struct status
read_line(struct arena *arena, struct yso *yso, const struct source *source, size_t number,
          unsigned char lang, char *text)
{
    char *tab = strchr(text, '\t');
    const size_t size = strlen(text);
    char *end;

    if (size > 0 && text[size - 1] == '\r')
        text[size - 1] = '\0';
    if (!*text)
        return OK;
    if (*text != '<' || !tab || tab[-1] != '>')
        return bad(arena, source, number, "must be <URI>, a tab and a label");
    end = tab - 1;
    *end = '\0';
    if (strncmp(text + 1, "http", 4) != 0 || end - text > URI_BYTES)
        return bad(arena, source, number, "has no URI of at most 500 bytes");
    if (!tab[1] || strlen(tab + 1) > LABEL_BYTES || strchr(tab + 1, '\t'))
        return bad(arena, source, number, "the label must have 1 to 500 bytes and no tab");
    return add_line(arena, yso, (struct line){text + 1, tab + 1, number, lang});
}

/* The language of a file by its name's end. */
static bool
language_of(const char *file, unsigned char *ret)
{
    for (unsigned char lang = 0; lang < LANGS; lang++) {
        char end[16];
        const char *at;

        (void)snprintf(end, sizeof end, "-%s.tsv", langs[lang]);
        at = strstr(file, end);
        if (at && (!at[strlen(end)] || strcmp(at + strlen(end), ".gz") == 0)) {
            *ret = lang;
            return true;
        }
    }
    return false;
}

static struct status
read_file(struct yso *yso, const char *file, struct arena *arena)
{
    struct source *source = &yso->sources[yso->source_count];
    unsigned char lang;
    size_t number = 0;
    char *save = NULL;

    if (!language_of(file, &lang))
        return FAIL(arena, INVALID_ARGUMENT,
                    "%s: the name must end in -fi.tsv, -sv.tsv or -en.tsv, or that and .gz",
                    file);
    if (yso->source_count == LANGS)
        return FAIL(arena, INVALID_ARGUMENT, "too many files");
    TRY(source_read(file, "", arena, source));
    yso->source_count++;
    if (!utf8_text(source->text, source->size))
        return FAIL(arena, INVALID_ARGUMENT, "%s: is not text in UTF-8", file);

    /* The fingerprint is of what was read, so lines are cut in a copy. */
    char *copy = arena_copy_n(arena, source->text, source->size);

    TRY(need(copy));
    for (char *line = copy; line; line = save) {
        save = strchr(line, '\n');
        if (save)
            *save++ = '\0';
        TRY(read_line(arena, yso, source, ++number, lang, line));
    }
    return OK;
}

static struct status
rewind_yso(void *context, struct arena *arena)
{
    struct yso *yso = context;

    (void)arena;
    yso->at = 0;
    return OK;
}

static struct status
add_label(struct arena *arena, const struct line *line, Registry__V1__LocalText **list,
          size_t *count)
{
    Registry__V1__LocalText *text = ARENA_NEW(arena, Registry__V1__LocalText);

    TRY(need(text));
    registry__v1__local_text__init(text);
    text->lang = langs[line->lang];
    text->value = line->label;
    list[(*count)++] = text;
    return OK;
}

static struct status
next_concept(void *context, struct arena *arena, ProtobufCMessage **ret, size_t *ret_line,
             bool *ret_lost)
{
    struct yso *yso = context;
    const struct line *first = &yso->lines[yso->at];
    Registry__V1__ConceptImport *concept_;
    int last = -1;

    *ret_lost = false;
    *ret = NULL;
    if (yso->at == yso->count)
        return OK;
    *ret_line = first->number;
    TRY(need(concept_ = ARENA_NEW(arena, Registry__V1__ConceptImport)));
    registry__v1__concept_import__init(concept_);
    concept_->uri = first->uri;
    concept_->kind = REGISTRY__V1__CONCEPT_KIND__SKILL;
    TRY(need(concept_->labels = ARENA_ARRAY(arena, Registry__V1__LocalText *, LANGS)));
    TRY(need(concept_->alternatives =
                 ARENA_ARRAY(arena, Registry__V1__LocalText *, LABELS_MOST)));
    for (; yso->at < yso->count && strcmp(yso->lines[yso->at].uri, first->uri) == 0;
         yso->at++) {
        const struct line *line = &yso->lines[yso->at];

        if (line->lang != last)
            TRY(add_label(arena, line, concept_->labels, &concept_->n_labels));
        else if (concept_->n_alternatives < LABELS_MOST)
            TRY(add_label(arena, line, concept_->alternatives, &concept_->n_alternatives));
        last = line->lang;
    }
    *ret = &concept_->base;
    return OK;
}

static struct status
fill_concepts(void *context, struct arena *arena, ProtobufCMessage **items, size_t count,
              size_t number, ProtobufCMessage **ret)
{
    const struct yso *yso = context;

    (void)number;
    return import_fill_concepts(arena, "yso", yso->version, items, count, ret);
}

static struct status
activate(struct cli *cli)
{
    Registry__V1__ActivateVocabularyRequest request =
        REGISTRY__V1__ACTIVATE_VOCABULARY_REQUEST__INIT;
    ProtobufCMessage *reply;

    request.vocabulary = "yso";
    request.beside = true;
    TRY(cli_call(cli, "registry.v1.Concepts/ActivateVocabulary", &request.base,
                 &registry__v1__activate_vocabulary_reply__descriptor, NULL, cli->arena,
                 &reply));
    printf("yso is in use beside the others: %u concepts\n",
           ((const Registry__V1__ActivateVocabularyReply *)reply)->active_concepts);
    return OK;
}

/* "cicero" out of yso-ysoplaces-cicero-fi.tsv.gz: what stands before the language. */
static struct status
find_version(struct arena *arena, const char *file, const char **ret)
{
    const char *slash = strrchr(file, '/');
    const char *name = slash ? slash + 1 : file;
    const char *end = strrchr(name, '-');
    const char *start = end;

    while (start > name && start[-1] != '-')
        start--;
    return need(*ret = end > start && (size_t)(end - start) ==
                                          strspn(start, "abcdefghijklmnopqrstuvwxyz0123456789.")
                           ? arena_copy_n(arena, start, (size_t)(end - start))
                           : "unknown");
}

static struct status
read_and_run(struct cli *cli, struct yso *yso, int count, char **files,
             struct import_options *options)
{
    const struct importer importer = {.what = "concepts",
                                      .method = "registry.v1.Concepts/ImportConcepts",
                                      .reply = &registry__v1__import_concepts_reply__descriptor,
                                      .context = yso,
                                      .rewind = rewind_yso,
                                      .next = next_concept,
                                      .fill = fill_concepts};

    for (int i = 0; i < count; i++)
        TRY(read_file(yso, files[i], cli->arena));
    if (yso->count == 0)
        return FAIL(cli->arena, INVALID_ARGUMENT, "no file has a label");
    qsort(yso->lines, yso->count, sizeof *yso->lines, by_uri);
    TRY(find_version(cli->arena, files[0], &yso->version));
    TRY(fingerprint_of(cli->arena, yso->sources, yso->source_count, &options->fingerprint));
    TRY(import_run(cli, &importer, options));
    return options->dry_run ? OK : activate(cli);
}

struct status
import_yso(struct cli *cli, int count, char **files, struct import_options *options)
{
    struct yso *yso = ARENA_NEW(cli->arena, struct yso);

    TRY(need(yso));

    const struct status status = read_and_run(cli, yso, count, files, options);

    for (size_t i = 0; i < yso->source_count; i++)
        source_fini(&yso->sources[i]);
    return status;
}
