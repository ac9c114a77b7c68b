#include "services/matching/test_world.h"

static const struct {
    const char *sv, *fi, *en;
    const char *alternative_sv;
    int broader;
} labels[WORLD_CONCEPTS] = {
    [AREA_DATA] = {"data och AI", "data ja tekoäly", "data and AI", NULL, -1},
    [MACHINE_LEARNING] = {"maskininlärning", "koneoppiminen", "machine learning", NULL,
                          AREA_DATA},
    [COMPUTER_VISION] = {"datorseende", "konenäkö", "computer vision", "bildanalys", AREA_DATA},
    [STATISTICS] = {"statistik", "tilastotiede", "statistics", NULL, AREA_DATA},
    [AREA_ENERGY] = {"energiområdet", "energia-ala", "energy field", NULL, -1},
    [ENERGY_EFFICIENCY] = {"energieffektivisering", "energiatehokkuus", "energy efficiency",
                           "lägre energianvändning", AREA_ENERGY},
    [HEAT_PUMPS] = {"värmepumpar", "lämpöpumput", "heat pumps", NULL, AREA_ENERGY},
    [SOLAR_POWER] = {"solkraft", "aurinkovoima", "solar power", NULL, AREA_ENERGY},
    [AREA_PRODUCTION] = {"tillverkningsområdet", "valmistusala", "manufacturing field", NULL,
                         -1},
    [PRODUCTION_PLANNING] = {"produktionsplanering", "tuotannonsuunnittelu",
                             "production planning", NULL, AREA_PRODUCTION},
    [WELDING] = {"svetsning", "hitsaus", "welding", NULL, AREA_PRODUCTION},
    [QUALITY_CONTROL] = {"kvalitetskontroll", "laadunvalvonta", "quality control", NULL,
                         AREA_PRODUCTION},
    [DEEP_LEARNING] = {"djupinlärning", "syväoppiminen", "deep learning", NULL,
                       MACHINE_LEARNING},
    [MACHINE_VISION_SYSTEMS] = {"maskinseendesystem", "konenäköjärjestelmät",
                                "machine vision systems", NULL, COMPUTER_VISION},
    [BIOECONOMY] = {"bioekonomi", "biotalous", "bioeconomy (circular)", NULL, -1},
};

static const char *const swedish[] = {
    "Vi vill sänka energianvändningen i vår produktionslinje.",
    "Företaget söker hjälp med bildanalys av svetsfogar.",
    "Forskning om värmepumpar och solkraft i byggnader.",
    "Erfarenhet av produktionsplanering, kvalitetskontroll och statistik.",
};
static const char *const finnish[] = {
    "Haluamme pienentää tuotantolinjamme energiankulutusta.",
    "Tutkimusta koneoppimisen käytöstä teollisuudessa.",
    "Kokemusta laadunvalvonnasta ja tuotannonsuunnittelusta.",
    "Etsimme osaajaa energiatehokkuuden parantamiseen.",
};
static const char *const english[] = {
    "We want to lower the energy use of our production line.",
    "Research on machine learning for quality control.",
    "Deep learning and computer vision for welding robots.",
    "Experience of heat pumps, statistics and production planning.",
};

uint32_t
world_random(struct world *world, uint32_t below)
{
    world->seed = world->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)((world->seed >> 33) % below);
}

const char *
world_id(struct world *world, unsigned space, unsigned number)
{
    const char *id =
        arena_printf(&world->arena, "0193a000-0000-7000-8%03x-%012x", space & 0xfffu, number);

    assert_non_null(id);
    return id;
}

const char *
world_tenant(struct world *world, unsigned number)
{
    return world_id(world, 0xf00, number);
}

const char *
world_concept(struct world *world, enum world_concept concept)
{
    return world_id(world, 0xc00, (unsigned)concept);
}

static struct vocabulary *
make_vocabulary(struct world *world)
{
    struct concept_row rows[WORLD_CONCEPTS] = {0};
    struct vocabulary *vocabulary;

    for (int i = 0; i < WORLD_CONCEPTS; i++) {
        rows[i].id = world_concept(world, (enum world_concept)i);
        rows[i].label[LANG_SV] = labels[i].sv;
        rows[i].label[LANG_FI] = labels[i].fi;
        rows[i].label[LANG_EN] = labels[i].en;
        if (labels[i].alternative_sv) {
            rows[i].alternatives[LANG_SV] = ARENA_NEW(&world->arena, const char *);
            rows[i].alternatives[LANG_SV][0] = labels[i].alternative_sv;
            rows[i].alternative_count[LANG_SV] = 1;
        }
        if (labels[i].broader >= 0) {
            rows[i].broader = ARENA_NEW(&world->arena, const char *);
            rows[i].broader[0] = world_concept(world, (enum world_concept)labels[i].broader);
            rows[i].broader_count = 1;
        }
    }
    assert_int_equal(
        vocabulary_create(rows, WORLD_CONCEPTS, world->words, &world->arena, &vocabulary).code,
        CODE_OK);
    return vocabulary;
}

void
world_init(struct world *world)
{
    memset(world, 0, sizeof *world);
    arena_init(&world->arena, (size_t)512 << 20);
    world->seed = 42;
    world->rules.substance_min = 3000;
    world->context.rules = &world->rules;
    world->context.now.unix_ms = INT64_C(1795348800000); /* 2026-11-22T12:00Z */
    assert_int_equal(words_create(&world->arena, &world->words).code, CODE_OK);
    assert_int_equal(index_create(make_vocabulary(world), world->words, &world->index).code,
                     CODE_OK);
}

void
world_fini(struct world *world)
{
    snapshot_destroy(&world->snapshot);
    index_destroy(&world->index);
    words_destroy(&world->words);
    arena_fini(&world->arena);
}

struct profile_row
world_row(struct world *world, enum kind kind, unsigned number)
{
    return (struct profile_row){.kind = profile_kind_name(kind),
                                .id = world_id(world, (unsigned)kind, number),
                                .tenant_id = world_tenant(world, 0),
                                .person_kind = kind == KIND_PERSON ? "researcher" : "",
                                .owner_organisation_id = "",
                                .organisation_type = "company",
                                .visibility = "public",
                                .nuts = "",
                                .capacity = -1,
                                .version = 1,
                                .updated_unix_ms = world->context.now.unix_ms};
}

#define ROW_CONCEPTS_MAX 8

void
world_wants(struct world *world, struct profile_row *row, enum world_concept concept,
            int64_t weight)
{
    if (!row->concept_ids) {
        row->concept_ids = ARENA_ARRAY(&world->arena, const char *, ROW_CONCEPTS_MAX);
        row->concept_weights = ARENA_ARRAY(&world->arena, int64_t, ROW_CONCEPTS_MAX);
    }
    assert_true(row->concept_count < ROW_CONCEPTS_MAX);
    row->concept_ids[row->concept_count++] = world_concept(world, concept);
    row->concept_weights[row->weight_count++] = weight;
}

void
world_wishes(struct world *world, struct profile_row *row, enum world_concept concept,
             int64_t weight)
{
    if (!row->wished_ids) {
        row->wished_ids = ARENA_ARRAY(&world->arena, const char *, ROW_CONCEPTS_MAX);
        row->wished_weights = ARENA_ARRAY(&world->arena, int64_t, ROW_CONCEPTS_MAX);
    }
    assert_true(row->wished_count < ROW_CONCEPTS_MAX);
    row->wished_ids[row->wished_count++] = world_concept(world, concept);
    row->wished_weights[row->wished_weight_count++] = weight;
}

static const char **
one_text(struct world *world, const char *text)
{
    const char **list = ARENA_NEW(&world->arena, const char *);

    assert_non_null(list);
    list[0] = text;
    return list;
}

static void
add_chance_facts(struct world *world, struct profile_row *row)
{
    static const char *const nuts[] = {"", "SE312", "SE313", "SE110", "FI1D3", "FI1D2"};
    static const char *const fields[] = {"0613", "0612", "0713", "0533"};
    static const char *const people[] = {"researcher", "graduate", "student", "coach"};
    static const char *const tags[] = {"process", "energy_transition", "digitalisation"};
    static const char *const languages[] = {"sv", "fi", "en"};

    row->nuts = nuts[world_random(world, COUNT_OF(nuts))];
    if (world_random(world, 2)) {
        row->isced_f = one_text(world, fields[world_random(world, COUNT_OF(fields))]);
        row->isced_f_count = 1;
        row->eqf = 5 + world_random(world, 4);
    }
    if (world_random(world, 2)) {
        row->focus = one_text(world, tags[world_random(world, COUNT_OF(tags))]);
        row->focus_count = 1;
        row->themes = one_text(world, tags[world_random(world, COUNT_OF(tags))]);
        row->theme_count = 1;
    }
    if (world_random(world, 3) == 0) {
        row->languages = one_text(world, languages[world_random(world, COUNT_OF(languages))]);
        row->language_count = 1;
    }
    if (*row->person_kind)
        row->person_kind = people[world_random(world, COUNT_OF(people))];
    row->sme = world_random(world, 2);
    row->capacity = (int64_t)world_random(world, 5) - 1;
    if (world_random(world, 4) == 0)
        row->valid_until = world_random(world, 4) ? "2027-03-31" : "2026-01-31";
    if (world_random(world, 4) == 0)
        row->available_from = world_random(world, 4) ? "2027-02-01" : "2027-06-01";
    row->updated_unix_ms -= (int64_t)world_random(world, 500) * 86400000;
    if (world_random(world, 2))
        row->owner_organisation_id = world_id(world, 0xa00, world_random(world, 20));
}

/* Each list with some, none in half of the rows. */
static void
add_chance_wishes(struct world *world, struct profile_row *row)
{
    static const char *const nuts[] = {"SE", "SE31", "SE312", "FI1D"};
    static const char *const tags[] = {"process", "energy_transition", "digitalisation"};
    const uint32_t concepts = world_random(world, 4);

    if (world_random(world, 2))
        return;
    for (uint32_t i = 0; i < concepts; i++) {
        const uint32_t concept = world_random(world, WORLD_CONCEPTS);

        world_wishes(world, row, (enum world_concept) concept, 100 + world_random(world, 901));
    }
    if (world_random(world, 2)) {
        row->wished_nuts = one_text(world, nuts[world_random(world, COUNT_OF(nuts))]);
        row->wished_nuts_count = 1;
    }
    if (world_random(world, 2)) {
        row->wished_tags = one_text(world, tags[world_random(world, COUNT_OF(tags))]);
        row->wished_tag_count = 1;
    }
}

struct profile_row
world_random_row(struct world *world, enum kind kind, unsigned number)
{
    static const char *const seen[] = {"public", "public", "shared", "private"};
    struct profile_row row = world_row(world, kind, number);
    const uint32_t concepts = world_random(world, 6);

    for (uint32_t i = 0; i < concepts; i++) {
        const uint32_t concept = world_random(world, WORLD_CONCEPTS);

        world_wants(world, &row, (enum world_concept) concept, 100 + world_random(world, 901));
    }
    if (world_random(world, 2))
        row.text[LANG_SV] = swedish[world_random(world, COUNT_OF(swedish))];
    if (world_random(world, 3) == 0)
        row.text[LANG_FI] = finnish[world_random(world, COUNT_OF(finnish))];
    if (world_random(world, 3) == 0)
        row.text[LANG_EN] = english[world_random(world, COUNT_OF(english))];
    row.tenant_id = world_tenant(world, world_random(world, WORLD_TENANTS));
    row.visibility = seen[world_random(world, COUNT_OF(seen))];
    row.shared_with = one_text(world, world_tenant(world, world_random(world, WORLD_TENANTS)));
    row.shared_count = 1;
    add_chance_facts(world, &row);
    if (kind == KIND_PERSON)
        add_chance_wishes(world, &row);
    return row;
}

static void
take_snapshot(struct world *world)
{
    snapshot_destroy(&world->snapshot);
    assert_int_equal(index_snapshot(world->index, 1, &world->snapshot).code, CODE_OK);
}

void
world_put(struct world *world, const struct profile_row *rows, size_t count)
{
    struct index_change *changes = calloc(count, sizeof *changes);

    assert_non_null(changes);
    for (size_t i = 0; i < count; i++) {
        changes[i] =
            (struct index_change){.kind = profile_kind_parse(rows[i].kind), .row = &rows[i]};
        assert_true(uid_parse(rows[i].id, &changes[i].id));
    }
    assert_int_equal(index_apply(world->index, changes, count, &world->arena).code, CODE_OK);
    free(changes);
    take_snapshot(world);
}

void
world_remove(struct world *world, enum kind kind, unsigned number)
{
    struct index_change change = {.kind = kind};

    assert_true(uid_parse(world_id(world, (unsigned)kind, number), &change.id));
    assert_int_equal(index_apply(world->index, &change, 1, &world->arena).code, CODE_OK);
    take_snapshot(world);
}

const struct profile *
world_find(struct world *world, enum kind kind, unsigned number)
{
    struct uid id;

    assert_true(uid_parse(world_id(world, (unsigned)kind, number), &id));
    return snapshot_find(world->snapshot, kind, &id);
}

struct search
world_search(struct world *world, const struct profile *subject)
{
    static struct uid viewer;

    assert_true(uid_parse(world_tenant(world, 0), &viewer));
    return (struct search){.subject = subject,
                           .context = &world->context,
                           .viewer = &viewer,
                           .nuts = "",
                           .limit = SEARCH_LIMIT_MAX};
}

static int
compare_hits(const void *a, const void *b)
{
    return hit_compare(a, b);
}

struct looking {
    struct world *world;
    const struct search *search;
    struct score_statistics statistics;
    struct hits hits;
};

static bool
look(void *context, const struct profile *other)
{
    struct looking *looking = context;
    const struct search *search = looking->search;
    const bool seeks = profile_kind_seeks((enum kind)search->subject->kind);
    struct hit hit = {.profile = other};
    struct query query;

    if (!search_admits(search, other))
        return true;
    assert_int_equal(query_make(seeks ? search->subject : other, &looking->statistics,
                                &looking->world->arena, &query)
                         .code,
                     CODE_OK);
    if (score_pair(search->context, &query, seeks ? other : search->subject, &hit.score) &&
        hit.score.total >= search->least_total)
        looking->hits.items[looking->hits.count++] = hit;
    return true;
}

struct hits
world_brute_force(struct world *world, const struct search *search)
{
    struct looking looking = {
        .world = world, .search = search, .statistics = snapshot_statistics(world->snapshot)};
    struct hits *hits = &looking.hits;

    hits->items = ARENA_ARRAY(&world->arena, struct hit, world->snapshot->live + 1u);
    assert_non_null(hits->items);
    snapshot_each(world->snapshot, 0, look, &looking);
    qsort(hits->items, hits->count, sizeof *hits->items, compare_hits);
    if (hits->count > search->limit)
        hits->count = search->limit;
    return *hits;
}

void
world_settle(struct world *world)
{
    assert_int_equal(index_settle(world->index, true).code, CODE_OK);
    take_snapshot(world);
}
