#include "tests/eval/data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "services/cli/import.h"

const char *
eval_path(struct arena *arena, const char *fallback, const char *name)
{
    const char *folder = getenv("SAMVERKA_DATA");
    const char *path = arena_printf(arena, "%s/%s", folder ? folder : fallback, name);

    return path && access(path, R_OK) == 0 ? path : NULL;
}

uint64_t
eval_random(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* Rows of two columns. */
struct pair {
    const char *left, *right;
};

struct pairs {
    struct pair *items;
    size_t count, room;
};

static struct status
add_pair(struct arena *arena, struct pairs *pairs, const char *left, const char *right)
{
    if (pairs->count == pairs->room) {
        const size_t room = pairs->room ? pairs->room * 2 : 4096;
        struct pair *items = ARENA_ARRAY(arena, struct pair, room);

        TRY(need(items));
        if (pairs->count > 0)
            memcpy(items, pairs->items, pairs->count * sizeof *items);
        pairs->items = items;
        pairs->room = room;
    }
    pairs->items[pairs->count++] = (struct pair){left, right};
    return OK;
}

static int
by_left(const void *a, const void *b)
{
    const struct pair *left = a, *right = b;
    const int order = strcmp(left->left, right->left);

    return order ? order : strcmp(left->right, right->right);
}

/* Two columns of a table; where `only` is set, of rows whose column `relation` says it. */
static struct status
read_pairs(struct arena *arena, const char *zip, const char *member, const char *left,
           const char *right, const char *only, struct pairs *pairs)
{
    struct table *table = ARENA_NEW(arena, struct table);
    struct source *source = ARENA_NEW(arena, struct source);
    int from, to, relation;
    bool any;

    TRY(need(table));
    TRY(need(source));
    TRY(source_read(zip, member, arena, source));
    TRY(table_open(table, source, arena));
    from = table_column(table, left);
    to = table_column(table, right);
    relation = table_column(table, "relationType");
    for (;;) {
        TRY(table_next(table, arena, &any));
        if (!any)
            break;
        if (!only || strcmp(table_field(table, relation), only) == 0)
            TRY(add_pair(arena, pairs, table_field(table, from), table_field(table, to)));
    }
    source_fini(source);
    qsort(pairs->items, pairs->count, sizeof *pairs->items, by_left);
    return OK;
}

static uint32_t
find_concept(const struct eval_data *data, const char *uri)
{
    size_t low = 0, high = data->concept_count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (strcmp(data->concepts[middle].uri, uri) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low < data->concept_count && strcmp(data->concepts[low].uri, uri) == 0
               ? (uint32_t)low
               : UINT32_MAX;
}

static struct status
join_broader(struct arena *arena, const struct pairs *broader, struct eval_data *data)
{
    for (size_t i = 0; i < broader->count;) {
        const uint32_t concept = find_concept(data, broader->items[i].left);
        size_t end = i;

        while (end < broader->count &&
               strcmp(broader->items[end].left, broader->items[i].left) == 0)
            end++;
        if (concept != UINT32_MAX) {
            const char **uris = ARENA_ARRAY(arena, const char *, end - i);

            TRY(need(uris));
            for (size_t j = i; j < end; j++)
                uris[j - i] = broader->items[j].right;
            data->concepts[concept].broader = uris;
            data->concepts[concept].broader_count = end - i;
        }
        i = end;
    }
    return OK;
}

static struct status
join_occupations(struct arena *arena, const struct pairs *essential, const struct pairs *known,
                 size_t least, struct eval_data *data)
{
    size_t at = 0;

    TRY(need(data->occupations = ARENA_ARRAY(arena, struct eval_occupation, known->count)));
    for (size_t i = 0; i < essential->count;) {
        const char *uri = essential->items[i].left;
        struct eval_occupation occupation = {0};
        size_t end = i;

        while (end < essential->count && strcmp(essential->items[end].left, uri) == 0)
            end++;
        while (at < known->count && strcmp(known->items[at].left, uri) < 0)
            at++;
        TRY(need(occupation.skills = ARENA_ARRAY(arena, uint32_t, end - i)));
        for (size_t j = i; j < end; j++) {
            const uint32_t skill = find_concept(data, essential->items[j].right);

            if (skill != UINT32_MAX && (j == i || strcmp(essential->items[j].right,
                                                         essential->items[j - 1].right) != 0))
                occupation.skills[occupation.count++] = skill;
        }
        if (occupation.count >= least && at < known->count &&
            strcmp(known->items[at].left, uri) == 0)
            data->occupations[data->occupation_count++] = occupation;
        i = end;
    }
    return OK;
}

struct status
eval_read_esco(struct arena *arena, const char *english, const char *relations, size_t least,
               struct eval_data *ret)
{
    struct pairs skills = {0}, all = {0}, broader = {0}, essential = {0}, known = {0};
    struct eval_data data = {0};
    size_t at = 0;

    TRY(read_pairs(arena, english, "skills_en.csv", "conceptUri", "preferredLabel", NULL,
                   &skills));
    for (size_t i = 0; i < skills.count; i++)
        TRY(add_pair(arena, &all, skills.items[i].left, skills.items[i].right));
    TRY(read_pairs(arena, english, "skillGroups_en.csv", "conceptUri", "preferredLabel", NULL,
                   &all));
    TRY(read_pairs(arena, english, "occupations_en.csv", "conceptUri", "preferredLabel", NULL,
                   &known));
    TRY(read_pairs(arena, relations, "broaderRelationsSkillPillar.csv", "conceptUri",
                   "broaderUri", NULL, &broader));
    TRY(read_pairs(arena, relations, "occupationSkillRelations.csv", "occupationUri",
                   "skillUri", "essential", &essential));
    TRY(need(data.concepts = ARENA_ARRAY(arena, struct eval_concept, all.count)));
    TRY(need(data.skills = ARENA_ARRAY(arena, uint32_t, skills.count)));
    for (size_t i = 0; i < all.count; i++) {
        data.concepts[i] =
            (struct eval_concept){.uri = all.items[i].left, .label = {"", "", ""}};
        data.concepts[i].label[LANG_EN] = all.items[i].right;
        if (at < skills.count && strcmp(skills.items[at].left, all.items[i].left) == 0) {
            data.skills[data.skill_count++] = (uint32_t)i;
            at++;
        }
    }
    data.concept_count = all.count;
    TRY(join_broader(arena, &broader, &data));
    TRY(join_occupations(arena, &essential, &known, least, &data));
    *ret = data;
    return OK;
}

/* "<URI>", a tab, a label. */
static struct status
read_table(struct arena *arena, const char *file, struct pairs *pairs)
{
    struct source source = {0};
    char *copy;

    TRY(source_read(file, "", arena, &source));
    copy = arena_copy_n(arena, source.text, source.size);
    source_fini(&source);
    TRY(need(copy));
    for (char *save = NULL, *line = strtok_r(copy, "\n", &save); line;
         line = strtok_r(NULL, "\n", &save)) {
        char *tab = strchr(line, '\t');

        if (!tab)
            continue;
        *tab = '\0';
        TRY(add_pair(arena, pairs, line, tab + 1));
    }
    qsort(pairs->items, pairs->count, sizeof *pairs->items, by_left);
    return OK;
}

/* Only what has a label in every language. */
struct status
eval_read_yso(struct arena *arena, const char *const files[LANG_COUNT], struct eval_data *ret)
{
    struct pairs tables[LANG_COUNT] = {0};
    size_t at[LANG_COUNT] = {0};
    struct eval_data data = {0};

    for (size_t lang = 0; lang < LANG_COUNT; lang++)
        TRY(read_table(arena, files[lang], &tables[lang]));
    TRY(need(data.concepts = ARENA_ARRAY(arena, struct eval_concept, tables[0].count)));
    for (size_t i = 0; i < tables[0].count; i++) {
        struct eval_concept concept = {.uri = tables[0].items[i].left};
        bool all = i == 0 || strcmp(concept.uri, tables[0].items[i - 1].left) != 0;

        for (size_t lang = 0; lang < LANG_COUNT; lang++) {
            const struct pairs *table = &tables[lang];

            while (at[lang] < table->count &&
                   strcmp(table->items[at[lang]].left, concept.uri) < 0)
                at[lang]++;
            all = all && at[lang] < table->count &&
                  strcmp(table->items[at[lang]].left, concept.uri) == 0;
            if (all)
            concept.label[lang] = table->items[at[lang]].right;
        }
        if (all)
        data.concepts[data.concept_count++] = concept;
    }
    *ret = data;
    return OK;
}
