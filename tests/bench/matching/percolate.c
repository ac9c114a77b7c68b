/* A million saved searches, and which of them each of some people satisfies.
 *
 * usage: matching_percolate FOLDER SEARCHES EVENTS SECONDS
 *
 * Reads FOLDER/people.bin of matching_generate. Writes FOLDER/searches.tsv and
 * FOLDER/events.tsv, which are all that Percolate.java needs, and FOLDER/percolate.ours: a line
 * for each event, the satisfied searches in rising order. Prints "RATE<TAB>MEDIAN": events a
 * second of CPU time, and microseconds of wall time.
 *
 * A search is drawn from a person's skills, so that it can be satisfied: 3 to 8 skills, 2 to 4
 * of them required, 35 % of those widened to their group; at most 2 of the optional ones are
 * needed; 1 to 10 neighbouring regions (a fifth: everywhere), languages, a day.
 */

#include <string.h>

#include "services/matching/standing/standing.h"
#include "tests/bench/bench.h"
#include "tests/bench/matching/population.h"

#define SEED 4242u
#define SKILLS_LEAST 8u
#define EVENT_STRIDE 7919u

static uint64_t seed = SEED;

/* SplitMix64 (Steele, Lea and Flood 2014). */
static uint64_t
next(void)
{
    uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static bool
chance(unsigned percent)
{
    return next() % 100 < percent;
}

static void *
get(size_t count, size_t size)
{
    void *memory = calloc(count + 1, size);

    if (!memory)
        bench_die("percolate", "no memory");
    return memory;
}

static void
must(struct status status)
{
    if (failed(status))
        bench_die("percolate", status.detail);
}

/* A person with enough skills, shuffled into `leaves`. */
static uint64_t
draw_person(const struct population *people, uint16_t *leaves, size_t *ret_count)
{
    for (;;) {
        const uint64_t person = next() % people->count;
        size_t count = 0;

        for (uint64_t i = people->first[person];
             i < people->first[person + 1] && people->terms[i] < LEAVES; i++)
            leaves[count++] = people->terms[i];
        if (count < SKILLS_LEAST)
            continue;
        for (size_t i = count - 1; i > 0; i--) {
            const size_t j = next() % (i + 1);
            const uint16_t other = leaves[i];

            leaves[i] = leaves[j];
            leaves[j] = other;
        }
        *ret_count = count;
        return person;
    }
}

static void
draw_terms(struct standing_search *search, const uint16_t *leaves)
{
    const unsigned all = 3 + (unsigned)(next() % 6);
    unsigned required = 2 + (unsigned)(next() % 3);

    required = required > all ? all : required;
    for (unsigned i = 0; i < required; i++) {
        uint32_t term = chance(35) ? FIRST_GROUP + group_of(leaves[i]) : leaves[i];

        for (unsigned j = 0; j < i; j++)
            if (search->required[j] == term)
                term = leaves[i];
        search->required[search->required_count++] = term;
    }
    for (unsigned i = required; i < all && search->optional_count < 5; i++)
        search->optional[search->optional_count++] = leaves[i];
    if (search->optional_count > 0) {
        const unsigned most = search->optional_count < 2 ? 1 : 2;

        search->least = (uint8_t)(next() % (most + 1));
    }
}

static void
region_name(unsigned region, char ret[STANDING_NUTS_SIZE])
{
    ret[0] = 'S';
    ret[1] = 'E';
    ret[2] = (char)('0' + region / 10);
    ret[3] = (char)('0' + region % 10);
    ret[4] = '\0';
}

static void
draw_search(const struct population *people, uint32_t number, struct standing_search *ret)
{
    uint16_t leaves[PERSON_TERMS_MAX];
    size_t count;
    const uint64_t person = draw_person(people, leaves, &count);

    *ret = (struct standing_search){.latest = 180 + (int32_t)(next() % 551)};
    memcpy(ret->id.bytes, &number, sizeof number);
    draw_terms(ret, leaves);
    if (!chance(20))
        for (unsigned i = 0, width = 1 + (unsigned)(next() % 10); i < width; i++)
            region_name((people->region[person] + i) % REGIONS,
                        ret->regions[ret->region_count++]);
    if (chance(40)) {
        ret->languages[ret->language_count++] = 0;
    } else if (chance(50)) {
        ret->languages[ret->language_count++] = 0;
        ret->languages[ret->language_count++] = 1;
    }
}

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
finish(FILE *file)
{
    if (ferror(file) || fclose(file) != 0)
        bench_die("percolate", "a file cannot be written");
}

/* required, optional, least, regions, languages, latest; lists by comma. */
static void
write_search(FILE *file, const struct standing_search *search)
{
    for (size_t i = 0; i < search->required_count; i++)
        (void)fprintf(file, "%s%u", i ? "," : "", search->required[i]);
    (void)fputc('\t', file);
    for (size_t i = 0; i < search->optional_count; i++)
        (void)fprintf(file, "%s%u", i ? "," : "", search->optional[i]);
    (void)fprintf(file, "\t%u\t", search->least);
    for (size_t i = 0; i < search->region_count; i++)
        (void)fprintf(file, "%s%s", i ? "," : "", search->regions[i]);
    (void)fputc('\t', file);
    for (size_t i = 0; i < search->language_count; i++)
        (void)fprintf(file, "%s%u", i ? "," : "", search->languages[i]);
    (void)fprintf(file, "\t%d\n", search->latest);
}

struct event {
    struct standing_document document;
    uint32_t terms[PERSON_TERMS_MAX];
    uint16_t languages[LANGUAGES];
    char region[STANDING_NUTS_SIZE];
};

/* Skills and groups; fields and words are in no search. */
static void
make_event(const struct population *people, uint64_t person, struct event *ret)
{
    struct standing_document *document = &ret->document;

    *document = (struct standing_document){.terms = ret->terms,
                                           .languages = ret->languages,
                                           .nuts = ret->region,
                                           .available_from = people->day[person],
                                           .open = true};
    for (uint64_t i = people->first[person];
         i < people->first[person + 1] && people->terms[i] < FIRST_FIELD; i++)
        ret->terms[document->term_count++] = people->terms[i];
    for (uint16_t i = 0; i < LANGUAGES; i++)
        if (people->languages[person] >> i & 1)
            ret->languages[document->language_count++] = i;
    region_name(people->region[person], ret->region);
}

/* terms, region, languages, day */
static void
write_event(FILE *file, const struct event *event)
{
    for (size_t i = 0; i < event->document.term_count; i++)
        (void)fprintf(file, "%s%u", i ? "," : "", event->terms[i]);
    (void)fprintf(file, "\t%s\t", event->region);
    for (size_t i = 0; i < event->document.language_count; i++)
        (void)fprintf(file, "%s%u", i ? "," : "", event->languages[i]);
    (void)fprintf(file, "\t%d\n", event->document.available_from);
}

static int
rising(const void *a, const void *b)
{
    const uint32_t left = *(const uint32_t *)a;
    const uint32_t right = *(const uint32_t *)b;

    return (left > right) - (left < right);
}

static void
write_hits(FILE *file, const struct standing_hits *hits)
{
    uint32_t *numbers = get(hits->count, sizeof *numbers);

    for (size_t i = 0; i < hits->count; i++)
        memcpy(&numbers[i], hits->items[i].id->bytes, sizeof numbers[i]);
    qsort(numbers, hits->count, sizeof *numbers, rising);
    for (size_t i = 0; i < hits->count; i++)
        (void)fprintf(file, "%s%u", i ? " " : "", numbers[i]);
    (void)fputc('\n', file);
    free(numbers);
}

static void
fill(struct standing *standing, const struct population *people, const char *folder,
     uint32_t count)
{
    uint32_t *frequency = get(TERMS, sizeof *frequency);
    struct standing_search *searches = get(count, sizeof *searches);
    struct standing_change *changes = get(count, sizeof *changes);
    FILE *file = create(folder, "searches.tsv");
    uint64_t before;

    for (uint64_t i = 0; i < people->posting_count; i++)
        frequency[people->terms[i]]++;
    for (uint32_t i = 0; i < count; i++) {
        draw_search(people, i, &searches[i]);
        write_search(file, &searches[i]);
        changes[i] = (struct standing_change){searches[i].id, &searches[i]};
    }
    finish(file);
    before = bench_now_ns();
    must(standing_apply(standing, frequency, TERMS, changes, count));
    (void)fprintf(stderr, "%u searches in %.2f s, %.1f bytes each\n", count,
                  (double)(bench_now_ns() - before) / 1e9,
                  (double)standing_bytes(standing) / count);
    free(changes);
    free(searches);
    free(frequency);
}

static double
cpu_seconds(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now); /* cannot fail with this clock */
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
measure(const struct held *held, const struct event *events, size_t count, double seconds)
{
    struct bench_samples *samples = get(1, sizeof *samples);
    struct standing_probe *probe = NULL;
    uint64_t looked_at = 0;
    uint64_t hit_count = 0;
    const double start = cpu_seconds();

    must(standing_probe_create(&probe));
    do {
        for (size_t i = 0; i < count; i++) {
            const uint64_t before = bench_now_ns();
            struct standing_hits hits;

            must(standing_match(held, probe, &events[i].document, &hits));
            bench_sample(samples, bench_now_ns() - before);
            looked_at += hits.looked_at;
            hit_count += hits.count;
        }
    } while (cpu_seconds() - start < seconds);
    (void)fprintf(stderr, "%.1f hits and %.0f looks an event; p99 %.1f us\n",
                  (double)hit_count / (double)samples->count,
                  (double)looked_at / (double)samples->count, bench_quantile(samples, 0.99));
    (void)printf("%.0f\t%.1f\n", (double)samples->count / (cpu_seconds() - start),
                 bench_median(samples));
    standing_probe_destroy(&probe);
    free(samples);
}

int
main(int argc, char **argv)
{
    struct standing *standing = NULL;
    struct standing_probe *probe = NULL;
    struct population people;
    struct event *events;
    struct held held;

    if (argc != 5)
        bench_die("usage", "matching_percolate FOLDER SEARCHES EVENTS SECONDS");
    const char *folder = argv[1];
    const size_t event_count = strtoul(argv[3], NULL, 10);

    population_open(folder, &people);
    must(standing_create(&standing));
    must(standing_probe_create(&probe));
    fill(standing, &people, folder, (uint32_t)strtoul(argv[2], NULL, 10));
    held = standing_hold(standing);
    events = get(event_count, sizeof *events);
    FILE *file = create(folder, "events.tsv");
    FILE *found = create(folder, "percolate.ours");

    for (size_t i = 0; i < event_count; i++) {
        struct standing_hits hits;

        make_event(&people, (i * EVENT_STRIDE + 13) % people.count, &events[i]);
        write_event(file, &events[i]);
        must(standing_match(&held, probe, &events[i].document, &hits));
        write_hits(found, &hits);
    }
    finish(file);
    finish(found);
    measure(&held, events, event_count, strtod(argv[4], NULL));
    swap_release(&held);
    free(events);
    standing_probe_destroy(&probe);
    standing_destroy(&standing);
    return 0;
}
