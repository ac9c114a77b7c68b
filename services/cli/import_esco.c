/* samverka import esco FILE...: a vocabulary as ESCO publishes it.
 *
 * Each FILE is a zip as published, or one of its CSVs:
 *   skills_<lang>.csv, skillGroups_<lang>.csv   in sv, fi or en; the first language decides
 *                                               which concepts there are, others add their
 * labels broaderRelationsSkillPillar.csv             what stands above what
 *
 * After the import the vocabulary "esco" is the one in use.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/v1/concepts.pb-c.h"
#include "services/cli/fingerprint.h"
#include "services/cli/import.h"

#define LANGS 3
#define SOURCES 8
#define LABEL_BYTES 500
#define ALTERNATIVES_MOST 100
#define BROADER_MOST 20

static const char *const langs[LANGS] = {"sv", "fi", "en"};

/* A label of a concept in a further language, or a concept above it; sorted by uri. */
struct link {
    const char *uri, *other, *alternatives;
};

struct links {
    struct link *items;
    size_t count, room;
};

struct esco {
    struct source sources[SOURCES];
    size_t source_count;
    struct source *skills, *groups; /* of the first language */
    const char *lang;
    const char *version;
    struct links broader;
    struct links labels[LANGS]; /* of further languages */
    struct table table;
    bool in_groups, has_table;
    int uri, label, alternatives;
};

static struct status
add_link(struct arena *arena, struct links *links, struct link link)
{
    if (links->count == links->room) {
        const size_t room = links->room ? 2 * links->room : 4096;
        struct link *items = ARENA_ARRAY(arena, struct link, room);

        TRY(need(items));
        if (links->count > 0)
            memcpy(items, links->items, links->count * sizeof *items);
        links->items = items;
        links->room = room;
    }
    links->items[links->count++] = link;
    return OK;
}

static int
by_uri(const void *a, const void *b)
{
    return strcmp(((const struct link *)a)->uri, ((const struct link *)b)->uri);
}

/* The first of the links of a uri; NULL: it has none. */
static const struct link *
find_links(const struct links *links, const char *uri)
{
    size_t low = 0, high = links->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (strcmp(links->items[middle].uri, uri) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < links->count && strcmp(links->items[low].uri, uri) == 0 ? &links->items[low]
                                                                         : NULL;
}

static struct status
read_links(struct arena *arena, const struct source *source, const char *other,
           struct links *links)
{
    struct table *table = ARENA_NEW(arena, struct table);
    bool any;

    TRY(need(table));
    TRY(table_open(table, source, arena));

    const int uri = table_column(table, "conceptUri");
    const int value = table_column(table, other);
    const int alternatives = table_column(table, "altLabels");

    if (uri < 0 || value < 0)
        return FAIL_FIELD(arena, "line 1", "%s: the columns conceptUri and %s are needed",
                          source->name, other);
    for (;;) {
        TRY(table_next(table, arena, &any));
        if (!any)
            break;
        TRY(add_link(arena, links,
                     (struct link){table_field(table, uri), table_field(table, value),
                                   table_field(table, alternatives)}));
    }
    qsort(links->items, links->count, sizeof *links->items, by_uri);
    return OK;
}

/* Reads a member if the file has it; *ret NULL when it has not. */
static struct status
try_source(struct esco *esco, const char *file, const char *member, struct arena *arena,
           struct source **ret)
{
    struct source *source = &esco->sources[esco->source_count];
    const char *slash = strrchr(file, '/');
    const bool plain = !source_is_zip(file);

    *ret = NULL;
    if (plain && strcmp(slash ? slash + 1 : file, member) != 0)
        return OK;
    if (esco->source_count == SOURCES)
        return FAIL(arena, INVALID_ARGUMENT, "too many files");

    const struct status read = source_read(file, member, arena, source);

    if (read.code == CODE_NOT_FOUND && !plain)
        return OK;
    TRY(read);
    esco->source_count++;
    *ret = source;
    return OK;
}

static struct status
read_language(struct esco *esco, const char *file, size_t lang, struct arena *arena,
              bool *ret_found)
{
    struct source *skills, *groups;
    char *skills_name = arena_printf(arena, "skills_%s.csv", langs[lang]);
    char *groups_name = arena_printf(arena, "skillGroups_%s.csv", langs[lang]);

    TRY(need(skills_name));
    TRY(need(groups_name));
    TRY(try_source(esco, file, skills_name, arena, &skills));
    TRY(try_source(esco, file, groups_name, arena, &groups));
    *ret_found |= skills || groups;
    if (!skills && !groups)
        return OK;
    if (!esco->lang || strcmp(esco->lang, langs[lang]) == 0) {
        esco->lang = langs[lang];
        esco->skills = skills ? skills : esco->skills;
        esco->groups = groups ? groups : esco->groups;
        return OK;
    }
    if (skills)
        TRY(read_links(arena, skills, "preferredLabel", &esco->labels[lang]));
    if (groups)
        TRY(read_links(arena, groups, "preferredLabel", &esco->labels[lang]));
    return OK;
}

static struct status
read_file(struct esco *esco, const char *file, struct arena *arena)
{
    struct source *relations;
    bool found = false;

    for (size_t lang = 0; lang < LANGS; lang++)
        TRY(read_language(esco, file, lang, arena, &found));
    TRY(try_source(esco, file, "broaderRelationsSkillPillar.csv", arena, &relations));
    if (relations)
        TRY(read_links(arena, relations, "broaderUri", &esco->broader));
    if (!found && !relations)
        return FAIL(arena, INVALID_ARGUMENT,
                    "%s: has no skills_<lang>.csv, skillGroups_<lang>.csv or "
                    "broaderRelationsSkillPillar.csv",
                    file);
    return OK;
}

/* Goes to the next of the two tables. */
static struct status
open_table(struct esco *esco, struct arena *arena)
{
    const struct source *source = esco->in_groups ? esco->groups : esco->skills;

    esco->has_table = source != NULL;
    if (!source)
        return OK;
    TRY(table_open(&esco->table, source, arena));
    esco->uri = table_column(&esco->table, "conceptUri");
    esco->label = table_column(&esco->table, "preferredLabel");
    esco->alternatives = table_column(&esco->table, "altLabels");
    if (esco->uri < 0 || esco->label < 0)
        return FAIL_FIELD(arena, "line 1",
                          "%s: the columns conceptUri and preferredLabel are needed",
                          source->name);
    return OK;
}

static struct status
rewind_esco(void *context, struct arena *arena)
{
    struct esco *esco = context;

    esco->in_groups = true; /* the groups come first, so that what is above exists */
    return open_table(esco, arena);
}

static struct status
add_label(struct arena *arena, Registry__V1__LocalText **list, size_t *count, const char *lang,
          const char *value)
{
    Registry__V1__LocalText *text;

    if (!*value || strlen(value) > LABEL_BYTES)
        return OK;
    TRY(need(text = ARENA_NEW(arena, Registry__V1__LocalText)));
    registry__v1__local_text__init(text);
    text->lang = lang;
    text->value = value;
    list[(*count)++] = text;
    return OK;
}

/* Alternative labels stand one a line in one field. */
static struct status
add_alternatives(struct arena *arena, Registry__V1__ConceptImport *concept_, const char *lang,
                 const char *lines)
{
    char *text = arena_copy(arena, lines);

    TRY(need(text));
    for (char *save = NULL, *line = strtok_r(text, "\n", &save);
         line && concept_->n_alternatives < ALTERNATIVES_MOST;
         line = strtok_r(NULL, "\n", &save))
        TRY(add_label(arena, concept_->alternatives, &concept_->n_alternatives, lang, line));
    return OK;
}

static struct status
add_other_languages(struct esco *esco, struct arena *arena,
                    Registry__V1__ConceptImport *concept_)
{
    for (size_t lang = 0; lang < LANGS; lang++) {
        const struct link *label = find_links(&esco->labels[lang], concept_->uri);

        if (!label)
            continue;
        TRY(add_label(arena, concept_->labels, &concept_->n_labels, langs[lang], label->other));
        TRY(add_alternatives(arena, concept_, langs[lang], label->alternatives));
    }
    return OK;
}

static void
add_broader(const struct esco *esco, Registry__V1__ConceptImport *concept_)
{
    const struct link *end = esco->broader.items + esco->broader.count;
    const struct link *link = find_links(&esco->broader, concept_->uri);

    for (; link && link < end && strcmp(link->uri, concept_->uri) == 0; link++)
        if (concept_->n_broader_uris < BROADER_MOST)
            concept_->broader_uris[concept_->n_broader_uris++] = link->other;
}

static struct status
read_concept(struct esco *esco, struct arena *arena, Registry__V1__ConceptImport *concept_)
{
    const char *uri = table_field(&esco->table, esco->uri);
    const char *label = table_field(&esco->table, esco->label);

    if (strncmp(uri, "http://", 7) != 0 && strncmp(uri, "https://", 8) != 0)
        return table_bad(&esco->table, arena, "conceptUri", "must be a URI");
    if (!*label || strlen(label) > LABEL_BYTES)
        return table_bad(&esco->table, arena, "preferredLabel", "must have 1 to 500 bytes");
    concept_->uri = uri;
    concept_->kind = esco->in_groups ? REGISTRY__V1__CONCEPT_KIND__SKILL_GROUP
                                     : REGISTRY__V1__CONCEPT_KIND__SKILL;
    TRY(need(concept_->labels = ARENA_ARRAY(arena, Registry__V1__LocalText *, LANGS)));
    TRY(need(concept_->alternatives =
                 ARENA_ARRAY(arena, Registry__V1__LocalText *, ALTERNATIVES_MOST)));
    TRY(need(concept_->broader_uris = ARENA_ARRAY(arena, const char *, BROADER_MOST)));
    TRY(add_label(arena, concept_->labels, &concept_->n_labels, esco->lang, label));
    TRY(add_alternatives(arena, concept_, esco->lang,
                         table_field(&esco->table, esco->alternatives)));
    TRY(add_other_languages(esco, arena, concept_));
    add_broader(esco, concept_);
    return OK;
}

static struct status
next_concept(void *context, struct arena *arena, ProtobufCMessage **ret, size_t *ret_line,
             bool *ret_lost)
{
    struct esco *esco = context;
    Registry__V1__ConceptImport *concept_;
    bool any = false;

    *ret = NULL;
    *ret_lost = true;
    if (esco->has_table)
        TRY(table_next(&esco->table, arena, &any));
    if (!any && esco->in_groups) {
        esco->in_groups = false;
        TRY(open_table(esco, arena));
        if (esco->has_table)
            TRY(table_next(&esco->table, arena, &any));
    }
    *ret_lost = false;
    *ret_line = esco->table.csv.line;
    if (!any)
        return OK;
    TRY(need(concept_ = ARENA_NEW(arena, Registry__V1__ConceptImport)));
    registry__v1__concept_import__init(concept_);
    TRY(read_concept(esco, arena, concept_));
    *ret = &concept_->base;
    return OK;
}

struct status
import_fill_concepts(struct arena *arena, const char *vocabulary, const char *version,
                     ProtobufCMessage **items, size_t count, ProtobufCMessage **ret)
{
    Registry__V1__ImportConceptsRequest *request;

    TRY(need(request = ARENA_NEW(arena, Registry__V1__ImportConceptsRequest)));
    registry__v1__import_concepts_request__init(request);
    TRY(need(request->concepts = ARENA_ARRAY(arena, Registry__V1__ConceptImport *, count)));
    for (size_t i = 0; i < count; i++)
        request->concepts[i] = (Registry__V1__ConceptImport *)items[i];
    request->n_concepts = count;
    request->vocabulary = vocabulary;
    request->vocabulary_version = version;
    *ret = &request->base;
    return OK;
}

static struct status
fill_concepts(void *context, struct arena *arena, ProtobufCMessage **items, size_t count,
              size_t number, ProtobufCMessage **ret)
{
    const struct esco *esco = context;

    (void)number;
    return import_fill_concepts(arena, "esco", esco->version, items, count, ret);
}

static struct status
activate(struct cli *cli)
{
    Registry__V1__ActivateVocabularyRequest request =
        REGISTRY__V1__ACTIVATE_VOCABULARY_REQUEST__INIT;
    ProtobufCMessage *reply;

    request.vocabulary = "esco";
    TRY(cli_call(cli, "registry.v1.Concepts/ActivateVocabulary", &request.base,
                 &registry__v1__activate_vocabulary_reply__descriptor, NULL, cli->arena,
                 &reply));
    printf("esco is the vocabulary in use: %u concepts\n",
           ((const Registry__V1__ActivateVocabularyReply *)reply)->active_concepts);
    return OK;
}

/* "1.1.1" out of a name such as esco-1.1.1-en-csv.zip; "unknown" when there is none. */
static struct status
find_version(struct arena *arena, const char *file, const char **ret)
{
    const char *slash = strrchr(file, '/');
    const char *at = strpbrk(slash ? slash : file, "0123456789");
    const size_t size = at ? strspn(at, "0123456789.") : 0;

    return need(*ret = size ? arena_copy_n(arena, at, size) : "unknown");
}

static struct status
read_and_run(struct cli *cli, struct esco *esco, int count, char **files,
             struct import_options *options)
{
    const struct importer importer = {.what = "concepts",
                                      .method = "registry.v1.Concepts/ImportConcepts",
                                      .reply = &registry__v1__import_concepts_reply__descriptor,
                                      .context = esco,
                                      .rewind = rewind_esco,
                                      .next = next_concept,
                                      .fill = fill_concepts};

    for (int i = 0; i < count; i++)
        TRY(read_file(esco, files[i], cli->arena));
    if (!esco->lang)
        return FAIL(cli->arena, INVALID_ARGUMENT, "no file has skills in sv, fi or en");
    TRY(find_version(cli->arena, files[0], &esco->version));
    TRY(fingerprint_of(cli->arena, esco->sources, esco->source_count, &options->fingerprint));
    TRY(import_run(cli, &importer, options));
    return options->dry_run ? OK : activate(cli);
}

struct status
import_esco(struct cli *cli, int count, char **files, struct import_options *options)
{
    struct esco *esco = ARENA_NEW(cli->arena, struct esco);

    TRY(need(esco));

    const struct status status = read_and_run(cli, esco, count, files, options);

    for (size_t i = 0; i < esco->source_count; i++)
        source_fini(&esco->sources[i]);
    return status;
}
