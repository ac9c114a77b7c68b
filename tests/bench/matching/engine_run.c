/* The engine in process, told what to do line by line; the line that it answers:
 *
 *   load                        SECONDS BYTES_PER_PROFILE
 *   kernel NAME                 for later queries; "-": the best one, for there is no such
 *   settle                      merges all; BYTES_PER_PROFILE
 *   ask soft|strict N REPEAT    the first N queries, REPEAT times; RATE P50_US P99_US
 *   answers soft|strict N FILE  what is found, as population.h says; N
 *   oracle soft|strict N FILE   what there is to find, by a look at everybody; N
 *   explain N REPEAT            soft, with what each result matches; RATE P50_US P99_US
 *   updates RATE SECONDS        soft while so many are replaced a second; RATE P50_US P99_US
 *                               UPDATES_PER_S PUT_P50_US PUT_P99_US WAITED
 *   counts                      since the last time, a query; BLOCKS_KEPT SEEN POSTINGS
 *
 * usage: matching_engine FOLDER
 */

#include "services/matching/engine/forward.h"
#include "services/matching/swap.h"
#include "tests/bench/bench.h"
#include "tests/bench/matching/ask.h"
#include "tests/bench/matching/oracle.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define TAIL_DOCUMENTS 2048u

struct run {
    struct population population;
    struct engine *engine;
    struct swap swap;
    struct scan_scratch *scratch;
    const struct kernel *kernel;
    struct ask *asks[2]; /* soft, strict */
    uint64_t asked;
    struct scan_counts counted;
};

static struct engine *owner; /* of the versions that the swap gives back */

static void
give_back(void *memory)
{
    struct version *version = memory;

    engine_give_back(owner, &version);
}

static void
must(struct status status)
{
    if (failed(status))
        bench_die("engine", status.detail);
}

static void
publish(struct run *run)
{
    struct version *version;

    must(engine_version(run->engine, &version));
    if (!swap_publish(&run->swap, version))
        bench_die("engine", "readers hold too many versions");
}

static void
load(struct run *run)
{
    const struct engine_options options = {LANGUAGES, TAIL_DOCUMENTS, false, NULL};
    const struct base_source source = ask_source(&run->population);
    const uint64_t begun = bench_now_ns();

    must(engine_create(&options, &run->engine));
    owner = run->engine;
    must(engine_load(run->engine, &source, TERMS));
    swap_init(&run->swap, give_back);
    publish(run);
    (void)printf("%.2f\t%.1f\n", (double)(bench_now_ns() - begun) / 1e9,
                 (double)engine_state(run->engine).bytes / (double)run->population.count);
}

static void
prepare(struct run *run)
{
    for (int strict = 0; strict < 2; strict++) {
        run->asks[strict] = calloc(run->population.query_count, sizeof(struct ask));
        if (!run->asks[strict])
            bench_die("engine", "no memory");
        for (size_t i = 0; i < run->population.query_count; i++)
            ask_make(&run->population.queries[i], strict, &run->asks[strict][i]);
    }
    must(scan_scratch_create(&run->scratch));
}

static uint64_t
ask(struct run *run, const struct version *version, bool strict, size_t number, struct top *top)
{
    struct scan_query *query = &run->asks[strict][number].query;
    const uint64_t begun = bench_now_ns();

    query->kernel = run->kernel;
    must(top_run(version, query, run->scratch, top));
    run->asked++;
    return bench_now_ns() - begun;
}

static void
report(const struct bench_samples *samples)
{
    (void)printf("%.1f\t%.1f\t%.1f", (double)samples->count * 1e9 / (double)samples->sum_ns,
                 bench_median(samples), bench_quantile(samples, 0.99));
}

static struct bench_samples *
new_samples(void)
{
    struct bench_samples *samples = calloc(1, sizeof *samples);

    if (!samples)
        bench_die("engine", "no memory");
    return samples;
}

static void
ask_all(struct run *run, bool strict, size_t count, size_t repeat)
{
    struct bench_samples *samples = new_samples();
    struct held held = swap_hold(&run->swap);
    struct top_hit hits[ASK_BEST];
    struct top top = {hits, 0, ASK_BEST};

    for (size_t i = 0; i < count * repeat; i++)
        bench_sample(samples, ask(run, held.version, strict, i % count, &top));
    swap_release(&held);
    report(samples);
    (void)printf("\n");
    free(samples);
}

static FILE *
open_answers(const char *path)
{
    FILE *file = fopen(path, "we");

    if (!file)
        bench_die(path, "cannot be written");
    return file;
}

static void
write_oracle(const struct run *run, bool strict, size_t count, const char *path)
{
    FILE *file = open_answers(path);

    for (size_t i = 0; i < count; i++) {
        struct oracle_hit hits[ASK_BEST];
        const size_t found =
            oracle_best(&run->population, &run->population.queries[i], strict, hits, ASK_BEST);

        (void)fprintf(file, "%zu", i);
        for (size_t j = 0; j < found; j++)
            (void)fprintf(file, " %lu:%u", (unsigned long)hits[j].id, hits[j].points);
        (void)fputc('\n', file);
    }
    if (fclose(file) != 0)
        bench_die(path, "cannot be written");
    (void)printf("%zu\n", count);
}

static void
write_answers(struct run *run, bool strict, size_t count, const char *path)
{
    struct held held = swap_hold(&run->swap);
    FILE *file = open_answers(path);

    for (size_t i = 0; i < count; i++) {
        struct top_hit hits[ASK_BEST];
        struct top top = {hits, 0, ASK_BEST};

        (void)ask(run, held.version, strict, i, &top);
        (void)fprintf(file, "%zu", i);
        for (uint32_t j = 0; j < top.count; j++)
            (void)fprintf(file, " %lu:%u", (unsigned long)hits[j].id, hits[j].points);
        (void)fputc('\n', file);
    }
    swap_release(&held);
    if (fclose(file) != 0)
        bench_die(path, "cannot be written");
    (void)printf("%zu\n", count);
}

/* The terms that a result and the query have in common, with their points. */
static uint32_t
explain(const struct ask *ask, const struct top_hit *hit, struct scan_term *into)
{
    static uint32_t terms[DOCUMENT_TERMS_MAX];
    const uint32_t having = place_terms(&hit->place, terms);
    uint32_t count = 0;
    size_t at = 0;

    for (uint32_t i = 0; i < having && at < ask->query.term_count; i++) {
        while (at < ask->query.term_count && ask->terms[at].term < terms[i])
            at++;
        if (at < ask->query.term_count && ask->terms[at].term == terms[i])
            into[count++] = ask->terms[at];
    }
    return count;
}

static void
explain_all(struct run *run, size_t count, size_t repeat)
{
    struct bench_samples *samples = new_samples();
    struct held held = swap_hold(&run->swap);
    static struct scan_term reasons[ASK_BEST][QUERY_TERMS];
    uint64_t matched = 0;

    for (size_t i = 0; i < count * repeat; i++) {
        struct top_hit hits[ASK_BEST];
        struct top top = {hits, 0, ASK_BEST};
        const uint64_t begun = bench_now_ns();

        (void)ask(run, held.version, false, i % count, &top);
        for (uint32_t j = 0; j < top.count; j++)
            if (hits[j].place.unit->base)
                __builtin_prefetch(
                    base_forward(hits[j].place.unit->base, hits[j].place.number));
        for (uint32_t j = 0; j < top.count; j++)
            matched += explain(&run->asks[0][i % count], &hits[j], reasons[j]);
        bench_sample(samples, bench_now_ns() - begun);
    }
    swap_release(&held);
    if (matched == 0)
        bench_die("engine", "nothing is explained");
    report(samples);
    (void)printf("\n");
    free(samples);
}

/* ---- updates ---- */

struct writing {
    struct run *run;
    double rate;
    atomic_bool stop;
    uint64_t done;
    struct bench_samples *samples;
};

/* Replaces one person: what the next query sees. */
static void
update(struct run *run, uint64_t number)
{
    static uint32_t terms[DOCUMENT_TERMS_MAX];
    struct document document;

    ask_person(&run->population, number, number, terms, &document);
    must(engine_remove(run->engine, number, NULL, NULL));
    must(engine_insert(run->engine, &document));
    publish(run);
}

static void *
write_on(void *context)
{
    struct writing *writing = context;
    const uint64_t begun = bench_now_ns();
    uint64_t seed = 99;

    while (!atomic_load(&writing->stop)) {
        const uint64_t now = bench_now_ns();

        if ((double)writing->done > (double)(now - begun) / 1e9 * writing->rate) {
            const struct timespec pause = {0, 50000};

            (void)ppoll(NULL, 0, &pause, NULL); /* until the next one is due */
            continue;
        }
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        update(writing->run, (seed >> 20) % writing->run->population.count);
        bench_sample(writing->samples, bench_now_ns() - now);
        writing->done++;
    }
    return NULL;
}

static void
ask_while_updating(struct run *run, double rate, double seconds)
{
    struct writing writing = {.run = run, .rate = rate, .samples = new_samples()};
    struct bench_samples *samples = new_samples();
    const uint64_t begun = bench_now_ns();
    const uint64_t waited = engine_state(run->engine).waited;
    struct top_hit hits[ASK_BEST];
    struct top top = {hits, 0, ASK_BEST};
    pthread_t thread;

    if (rate > 0 && pthread_create(&thread, NULL, write_on, &writing) != 0)
        bench_die("engine", "no thread");
    for (size_t i = 0; (double)(bench_now_ns() - begun) < seconds * 1e9; i++) {
        struct held held = swap_hold(&run->swap);

        bench_sample(samples,
                     ask(run, held.version, false, i % run->population.query_count, &top));
        swap_release(&held);
    }
    atomic_store(&writing.stop, true);
    if (rate > 0)
        (void)pthread_join(thread, NULL);
    report(samples);
    (void)printf("\t%.0f\t%.1f\t%.1f\t%lu\n",
                 (double)writing.done * 1e9 / (double)(bench_now_ns() - begun),
                 bench_median(writing.samples), bench_quantile(writing.samples, 0.99),
                 (unsigned long)(engine_state(run->engine).waited - waited));
    free(writing.samples);
    free(samples);
}

static void
settle(struct run *run)
{
    must(engine_settle(run->engine, true));
    publish(run);
    (void)printf("%.1f\n",
                 (double)engine_state(run->engine).bytes / (double)run->population.count);
}

static void
counts(struct run *run)
{
    const struct scan_counts now = *scan_counts(run->scratch);
    const double asked = run->asked ? (double)run->asked : 1;

    (void)printf("%.0f\t%.0f\t%.0f\n",
                 (double)(now.blocks_kept - run->counted.blocks_kept) / asked,
                 (double)(now.blocks_seen - run->counted.blocks_seen) / asked,
                 (double)(now.postings - run->counted.postings) / asked);
    run->counted = now;
    run->asked = 0;
}

static void
obey(struct run *run, const char *line)
{
    char word[32], path[4096];
    size_t count, repeat;
    double rate, seconds;

    if (strcmp(line, "load") == 0)
        load(run);
    else if (strcmp(line, "settle") == 0)
        settle(run);
    else if (strcmp(line, "counts") == 0)
        counts(run);
    else if (sscanf(line, "kernel %31s", word) == 1)
        (void)printf("%s\n", (run->kernel = kernel_find(word)) ? word : "-");
    else if (sscanf(line, "ask %31s %zu %zu", word, &count, &repeat) == 3)
        ask_all(run, strcmp(word, "strict") == 0, count, repeat);
    else if (sscanf(line, "answers %31s %zu %4095s", word, &count, path) == 3)
        write_answers(run, strcmp(word, "strict") == 0, count, path);
    else if (sscanf(line, "oracle %31s %zu %4095s", word, &count, path) == 3)
        write_oracle(run, strcmp(word, "strict") == 0, count, path);
    else if (sscanf(line, "explain %zu %zu", &count, &repeat) == 2)
        explain_all(run, count, repeat);
    else if (sscanf(line, "updates %lf %lf", &rate, &seconds) == 2)
        ask_while_updating(run, rate, seconds);
    else
        bench_die("unknown", line);
    (void)fflush(stdout);
}

int
main(int argc, char **argv)
{
    static struct run run;
    char line[8192];

    if (argc != 2)
        bench_die("usage", "matching_engine FOLDER");
    population_open(argv[1], &run.population);
    prepare(&run);
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        obey(&run, line);
    }
    return 0;
}
