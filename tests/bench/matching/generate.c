/* Makes the people and the queries of population.h.
 *
 * usage: matching_generate FOLDER COUNT [table]     table: people.tsv for COPY as well
 */

#include "tests/bench/matching/population.h"

#include <math.h>
#include <string.h>

#include "tests/bench/bench.h"

#define SEED 42u
#define QUERY_SEED 777u
#define PERSON_WORDS 12u
#define ALLOWED_REGIONS 10u

/* Numbers picked by weight. */
struct lot {
    uint32_t count;
    double *until; /* sums of the weights */
};

struct maker {
    uint64_t seed;
    struct lot leaves, fields, words, regions, home[FIELDS];
    uint32_t leaf_at[LEAVES];    /* by popularity */
    uint32_t *home_leaf[FIELDS]; /* the same within a field */
    uint32_t field_at[FIELDS];
    double x[REGIONS], y[REGIONS]; /* on a square map */
    uint32_t *having;              /* people with a term */
    uint64_t count;
};

static void *
get(size_t count, size_t size)
{
    void *memory = calloc(count, size);

    if (!memory)
        bench_die("generate", "no memory");
    return memory;
}

/* SplitMix64 (Steele, Lea and Flood 2014). */
static uint64_t
next(struct maker *maker)
{
    uint64_t z = maker->seed += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static double
uniform(struct maker *maker)
{
    return (double)(next(maker) >> 11) * 0x1p-53;
}

/* Zipf: the weight of rank n is (n + shift) to the -power. */
static struct lot
zipf(uint32_t count, double shift, double power)
{
    struct lot lot = {count, get(count, sizeof(double))};
    double sum = 0;

    for (uint32_t i = 0; i < count; i++)
        lot.until[i] = sum += pow(i + shift, -power);
    return lot;
}

static uint32_t
pick(struct maker *maker, const struct lot *lot)
{
    const double wanted = uniform(maker) * lot->until[lot->count - 1];
    uint32_t low = 0;
    uint32_t high = lot->count - 1;

    while (low < high) {
        const uint32_t middle = (low + high) / 2;

        if (lot->until[middle] > wanted)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void
shuffle(struct maker *maker, uint32_t *numbers, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        numbers[i] = i;
    for (uint32_t i = count - 1; i > 0; i--) {
        const uint32_t j = (uint32_t)(next(maker) % (i + 1));
        const uint32_t other = numbers[i];

        numbers[i] = numbers[j];
        numbers[j] = other;
    }
}

static void
prepare(struct maker *maker)
{
    uint32_t counts[FIELDS] = {0};

    shuffle(maker, maker->leaf_at, LEAVES);
    shuffle(maker, maker->field_at, FIELDS);
    for (uint32_t field = 0; field < FIELDS; field++)
        maker->home_leaf[field] = get(LEAVES, sizeof(uint32_t));
    for (uint32_t i = 0; i < LEAVES; i++) {
        const uint32_t field = field_of(maker->leaf_at[i]);

        maker->home_leaf[field][counts[field]++] = maker->leaf_at[i];
    }
    for (uint32_t field = 0; field < FIELDS; field++)
        maker->home[field] = zipf(counts[field], 2, 1);
    maker->leaves = zipf(LEAVES, 3, 1);
    maker->fields = zipf(FIELDS, 1, 0.6);
    maker->words = zipf(WORDS, 5, 1);
    maker->regions = zipf(REGIONS, 1, 0.7);
    for (uint32_t i = 0; i < REGIONS; i++) {
        maker->x[i] = uniform(maker);
        maker->y[i] = uniform(maker);
    }
    maker->having = get(TERMS, sizeof(uint32_t));
}

static uint32_t
pick_home(struct maker *maker, uint32_t field)
{
    return maker->home_leaf[field][pick(maker, &maker->home[field])];
}

static uint32_t
pick_any(struct maker *maker)
{
    return maker->leaf_at[pick(maker, &maker->leaves)];
}

static bool
among(const uint32_t *numbers, uint32_t count, uint32_t number)
{
    for (uint32_t i = 0; i < count; i++)
        if (numbers[i] == number)
            return true;
    return false;
}

static int
by_number(const void *a, const void *b)
{
    return *(const uint16_t *)a - *(const uint16_t *)b;
}

struct person {
    uint16_t terms[PERSON_TERMS_MAX];
    uint32_t term_count;
    uint16_t day, cluster;
    uint8_t region, languages, year;
};

static void
add_skills(struct maker *maker, struct person *person)
{
    const uint32_t first = maker->field_at[pick(maker, &maker->fields)];
    const uint32_t second = maker->field_at[pick(maker, &maker->fields)];
    const uint32_t wanted = 8 + (uint32_t)(32 * pow(uniform(maker), 1.1));
    uint32_t skills[64];
    uint32_t count = 0;

    for (int tries = 0; count < wanted && tries < 400; tries++) {
        const double share = uniform(maker);
        const uint32_t leaf = share < 0.45   ? pick_home(maker, first)
                              : share < 0.65 ? pick_home(maker, second)
                                             : pick_any(maker);

        if (!among(skills, count, leaf))
            skills[count++] = leaf;
    }
    for (uint32_t i = 0; i < count; i++) {
        person->terms[person->term_count++] = (uint16_t)skills[i];
        person->terms[person->term_count++] = (uint16_t)(FIRST_GROUP + group_of(skills[i]));
        person->terms[person->term_count++] = (uint16_t)(FIRST_FIELD + field_of(skills[i]));
    }
}

/* The two fields with most of the person's leaves, which come first among the terms. */
static uint16_t
cluster_of(const struct person *person)
{
    uint32_t counts[FIELDS] = {0};
    uint32_t best = 0;
    uint32_t second = FIELDS;

    for (uint32_t i = 0; i < person->term_count && person->terms[i] < LEAVES; i++)
        counts[field_of(person->terms[i])]++;
    for (uint32_t i = 1; i < FIELDS; i++)
        best = counts[i] > counts[best] ? i : best;
    for (uint32_t i = 0; i < FIELDS; i++)
        if (i != best && (second == FIELDS || counts[i] > counts[second]))
            second = i;
    return (uint16_t)(best * FIELDS + second);
}

static void
make_person(struct maker *maker, struct person *person)
{
    static const double speaking[LANGUAGES] = {0.65, 0.40, 0.35, 0.06, 0.06, 0.06, 0.06, 0.06};
    uint32_t kept = 0;

    memset(person, 0, sizeof *person);
    add_skills(maker, person);
    for (uint32_t i = 0; i < PERSON_WORDS; i++)
        person->terms[person->term_count++] =
            (uint16_t)(FIRST_WORD + pick(maker, &maker->words));
    qsort(person->terms, person->term_count, sizeof person->terms[0], by_number);
    for (uint32_t i = 0; i < person->term_count; i++)
        if (kept == 0 || person->terms[kept - 1] != person->terms[i])
            person->terms[kept++] = person->terms[i];
    person->term_count = kept;
    person->cluster = cluster_of(person);
    person->region = (uint8_t)pick(maker, &maker->regions);
    for (uint32_t i = 0; i < LANGUAGES; i++)
        person->languages |= (uint8_t)((uniform(maker) < speaking[i]) << i);
    if (!person->languages)
        person->languages = 2;
    person->day = (uint16_t)(730 * uniform(maker));
    person->year = (uint8_t)(26 - 26 * pow(uniform(maker), 1.6));
}

/* ---- queries ---- */

static uint32_t
rarity(const struct maker *maker, uint32_t term, double scale)
{
    const uint32_t having = maker->having[term] ? maker->having[term] : 1;

    return (uint32_t)(scale * log((double)maker->count / having) + 0.5);
}

static void
seek_skills(struct maker *maker, struct sought *sought, uint32_t *points)
{
    const uint32_t home = maker->field_at[pick(maker, &maker->fields)];
    uint32_t skills[15];
    uint32_t groups[QUERY_REQUIRED];
    uint32_t count = 0;

    while (count < QUERY_REQUIRED) {
        const uint32_t leaf = pick_home(maker, home);

        if (among(groups, count, group_of(leaf)))
            continue;
        groups[count] = group_of(leaf);
        sought->required[count] = (uint16_t)(FIRST_GROUP + group_of(leaf));
        skills[count++] = leaf;
    }
    while (count < 15) {
        const uint32_t leaf = count < 11 ? pick_home(maker, home) : pick_any(maker);

        if (!among(skills, count, leaf))
            skills[count++] = leaf;
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t whole = rarity(maker, skills[i], 64) * (i < QUERY_REQUIRED ? 2 : 1);
        const uint32_t cousin = whole * 15 / 100;
        const uint32_t sibling = whole * 25 / 100;

        points[FIRST_FIELD + field_of(skills[i])] += cousin;
        points[FIRST_GROUP + group_of(skills[i])] += sibling;
        points[skills[i]] += whole - cousin - sibling;
    }
    for (uint32_t i = 0; i < 4; i++) {
        uint32_t word;

        do
            word = pick(maker, &maker->words);
        while (word < 100);
        points[FIRST_WORD + word] += rarity(maker, FIRST_WORD + word, 32);
    }
}

static int
by_distance(const void *a, const void *b)
{
    const double left = *(const double *)a;
    const double right = *(const double *)b;

    return (left > right) - (left < right);
}

static void
seek_place(struct maker *maker, struct sought *sought)
{
    const uint32_t here = pick(maker, &maker->regions);
    double distance[REGIONS], sorted[REGIONS], most;

    for (uint32_t i = 0; i < REGIONS; i++)
        distance[i] = sorted[i] =
            hypot(maker->x[i] - maker->x[here], maker->y[i] - maker->y[here]);
    qsort(sorted, REGIONS, sizeof sorted[0], by_distance);
    most = sorted[ALLOWED_REGIONS - 1];
    for (uint32_t i = 0; i < REGIONS; i++) {
        if (distance[i] > most)
            continue;
        sought->regions |= UINT64_C(1) << i;
        sought->region_points[i] = (uint16_t)(600 * (1 - distance[i] / (most + 1e-9)) + 0.5);
    }
}

static void
make_query(struct maker *maker, struct sought *sought)
{
    static uint32_t points[TERMS];
    double which;

    memset(points, 0, sizeof points);
    memset(sought, 0, sizeof *sought);
    seek_skills(maker, sought, points);
    for (uint32_t term = 0; term < TERMS; term++) {
        if (points[term] == 0)
            continue;
        sought->terms[sought->term_count] = (uint16_t)term;
        sought->points[sought->term_count++] = (uint16_t)points[term];
    }
    seek_place(maker, sought);
    which = uniform(maker);
    sought->languages = which < 0.35   ? 1
                        : which < 0.60 ? 2
                        : which < 0.80 ? 4
                        : which < 0.90 ? 3
                                       : 5;
    sought->latest = (uint16_t)(180 + 400 * uniform(maker));
    for (uint32_t year = 7; year < YEARS; year++)
        sought->year_points[year] = (uint16_t)(30 * (year - 6));
}

/* ---- files ---- */

static FILE *
create(const char *folder, const char *name)
{
    char path[4096];
    FILE *file;

    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    file = fopen(path, "we");
    if (!file)
        bench_die(path, "cannot be written");
    return file;
}

static void
put(FILE *file, const void *array, size_t count, size_t size)
{
    static const char zeros[8];
    const size_t pad = (8 - count * size % 8) % 8;

    if (fwrite(array, size, count, file) != count || fwrite(zeros, 1, pad, file) != pad)
        bench_die("generate", "cannot write");
}

static void
put_row(FILE *table, uint64_t number, const struct person *person)
{
    (void)fprintf(table, "%lu\t%u\t%u\t%u\t%u\t{", (unsigned long)number, person->region,
                  person->languages, person->day, person->year);
    for (uint32_t i = 0; i < person->term_count; i++)
        (void)fprintf(table, i ? ",%u" : "%u", person->terms[i]);
    (void)fputs("}\n", table);
}

static void
make_people(struct maker *maker, const char *folder, bool with_table)
{
    const uint64_t count = maker->count;
    uint64_t *first = get(count + 1, sizeof *first);
    uint16_t *day = get(count, sizeof *day);
    uint16_t *cluster = get(count, sizeof *cluster);
    uint8_t *facts = get(count, 3);
    uint16_t *terms = get(count * 90 + PERSON_TERMS_MAX, sizeof *terms);
    FILE *table = with_table ? create(folder, "people.tsv") : NULL;
    FILE *file = create(folder, "people.bin");
    uint64_t header[8] = {count};

    for (uint64_t i = 0; i < count; i++) {
        struct person person;

        make_person(maker, &person);
        memcpy(&terms[first[i]], person.terms, person.term_count * sizeof *terms);
        for (uint32_t j = 0; j < person.term_count; j++)
            maker->having[person.terms[j]]++;
        first[i + 1] = first[i] + person.term_count;
        day[i] = person.day;
        cluster[i] = person.cluster;
        facts[i] = person.region;
        facts[count + i] = person.languages;
        facts[2 * count + i] = person.year;
        if (table)
            put_row(table, i, &person);
    }
    header[1] = first[count];
    put(file, header, 8, sizeof *header);
    put(file, first, count + 1, sizeof *first);
    put(file, day, count, sizeof *day);
    put(file, cluster, count, sizeof *cluster);
    for (int i = 0; i < 3; i++)
        put(file, facts + (size_t)i * count, count, 1);
    put(file, terms, first[count], sizeof *terms);
    if (fclose(file) != 0 || (table && fclose(table) != 0))
        bench_die("generate", "cannot write");
}

int
main(int argc, char **argv)
{
    static struct maker maker = {.seed = SEED};
    struct sought *queries = get(QUERIES, sizeof *queries);
    FILE *file;

    if (argc < 3)
        bench_die("usage", "matching_generate FOLDER COUNT [table]");
    maker.count = strtoull(argv[2], NULL, 10);
    prepare(&maker);
    make_people(&maker, argv[1], argc > 3);
    maker.seed = QUERY_SEED;
    for (uint32_t i = 0; i < QUERIES; i++)
        make_query(&maker, &queries[i]);
    file = create(argv[1], "queries.bin");
    put(file, queries, QUERIES, sizeof *queries);
    if (fclose(file) != 0)
        bench_die("generate", "cannot write");
    return 0;
}
