#include "services/matching/standing/standing.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "common/base/test.h"

#define SEARCHES 4000
#define DOCUMENTS 2500
#define TERMS 90u
#define TENANTS 7u

struct bench {
    struct standing *standing;
    struct standing_probe *probe;
    struct standing_search searches[SEARCHES]; /* what stands; the oracle reads these */
    bool stands[SEARCHES];
    uint32_t frequency[TERMS];
    uint64_t seed;
};

static uint32_t
below(uint64_t *seed, uint32_t limit)
{
    uint64_t mixed = (*seed += UINT64_C(0x9e3779b97f4a7c15));

    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((mixed ^ mixed >> 31) % limit);
}

static struct uid
uid_of(uint8_t space, uint32_t number)
{
    struct uid uid = {{space}};

    memcpy(&uid.bytes[8], &number, sizeof number);
    return uid;
}

static uint32_t
any_term(uint64_t *seed)
{
    return below(seed, 1 + below(seed, TERMS));
}

static uint8_t
some_terms(uint64_t *seed, uint32_t *into, size_t wanted)
{
    uint8_t count = 0;

    for (size_t i = 0; i < wanted; i++) {
        const uint32_t term = any_term(seed);
        bool known = false;

        for (uint8_t j = 0; j < count; j++)
            known |= into[j] == term;
        if (!known)
            into[count++] = term;
    }
    return count;
}

static void
any_region(uint64_t *seed, char ret[STANDING_NUTS_SIZE])
{
    static const char *const countries[] = {"SE", "FI", "NO"};

    (void)snprintf(ret, STANDING_NUTS_SIZE, "%s%u%u%u", countries[below(seed, 3)],
                   below(seed, 4), below(seed, 4), below(seed, 3));
    ret[2 + below(seed, 4)] = '\0';
}

static struct standing_search
any_search(uint64_t *seed, uint32_t number)
{
    struct standing_search search = {.id = uid_of(1, number),
                                     .tenant = uid_of(2, below(seed, TENANTS)),
                                     .latest =
                                         below(seed, 2) ? (int32_t)below(seed, 100) : DAY_NONE};

    search.required_count =
        some_terms(seed, search.required, below(seed, STANDING_REQUIRED_MAX + 1));
    search.optional_count =
        some_terms(seed, search.optional, below(seed, STANDING_OPTIONAL_MAX + 1));
    if (search.optional_count > 0)
        search.least = (uint8_t)below(seed, 1u + search.optional_count);
    if (search.required_count == 0 && search.least == 0)
        search.required[search.required_count++] = any_term(seed);
    if (below(seed, 2))
        for (uint32_t i = 0; i < 1 + below(seed, 4); i++)
            any_region(seed, search.regions[search.region_count++]);
    if (below(seed, 3) == 0)
        for (uint32_t i = 0; i < 1 + below(seed, 3); i++)
            search.languages[search.language_count++] = (uint16_t)(100 + below(seed, 20));
    if (below(seed, 3) == 0)
        search.kinds = (uint8_t)(1 + below(seed, 63));
    return search;
}

struct paper {
    struct standing_document document;
    uint32_t terms[TERMS];
    uint16_t languages[4];
    char nuts[STANDING_NUTS_SIZE];
    struct uid tenants[3];
};

static void
any_document(uint64_t *seed, struct paper *ret)
{
    struct standing_document *document = &ret->document;

    *document = (struct standing_document){.kind = (uint8_t)(1 + below(seed, 5)),
                                           .nuts = ret->nuts,
                                           .terms = ret->terms,
                                           .languages = ret->languages,
                                           .tenants = ret->tenants,
                                           .open = below(seed, 2)};
    document->term_count = some_terms(seed, ret->terms, below(seed, 40));
    document->language_count = below(seed, 4);
    for (size_t i = 0; i < document->language_count; i++)
        ret->languages[i] = (uint16_t)(100 + below(seed, 20));
    any_region(seed, ret->nuts);
    if (below(seed, 10) == 0)
        ret->nuts[0] = '\0';
    document->available_from = below(seed, 3) ? (int32_t)below(seed, 110) : DAY_NONE;
    document->tenant_count = below(seed, 4);
    for (size_t i = 0; i < document->tenant_count; i++)
        ret->tenants[i] = uid_of(2, below(seed, TENANTS + 1));
}

static unsigned
met(const struct standing_document *document, const uint32_t *terms, size_t count)
{
    unsigned found = 0;

    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < document->term_count; j++)
            found += document->terms[j] == terms[i];
    return found;
}

static bool
region_met(const struct standing_document *document, const struct standing_search *search)
{
    for (size_t i = 0; i < search->region_count; i++)
        if (strncmp(document->nuts, search->regions[i], strlen(search->regions[i])) == 0)
            return true;
    return search->region_count == 0;
}

static bool
language_met(const struct standing_document *document, const struct standing_search *search)
{
    for (size_t i = 0; i < search->language_count; i++)
        for (size_t j = 0; j < document->language_count; j++)
            if (document->languages[j] == search->languages[i])
                return true;
    return search->language_count == 0 || document->language_count == 0;
}

static bool
tenant_met(const struct standing_document *document, const struct standing_search *search)
{
    for (size_t i = 0; i < document->tenant_count; i++)
        if (uid_equal(&document->tenants[i], &search->tenant))
            return true;
    return document->open;
}

/* The linear check: what a search says, word by word. */
static bool
satisfies(const struct standing_document *document, const struct standing_search *search)
{
    return met(document, search->required, search->required_count) == search->required_count &&
           met(document, search->optional, search->optional_count) >= search->least &&
           region_met(document, search) && language_met(document, search) &&
           tenant_met(document, search) &&
           (search->latest == DAY_NONE || document->available_from == DAY_NONE ||
            document->available_from <= search->latest) &&
           (search->kinds == 0 || search->kinds >> document->kind & 1);
}

static uint32_t
number_of(const struct uid *id)
{
    uint32_t number;

    memcpy(&number, &id->bytes[8], sizeof number);
    return number;
}

static size_t
assert_equal_to_linear_check(struct bench *bench, const struct standing_document *document)
{
    struct held held = standing_hold(bench->standing);
    bool found[SEARCHES] = {false};
    struct standing_hits hits;
    size_t expected = 0;

    assert_non_null(held.version);
    assert_int_equal(standing_match(&held, bench->probe, document, &hits).code, CODE_OK);
    for (size_t i = 0; i < hits.count; i++) {
        const uint32_t number = number_of(hits.items[i].id);

        assert_true(number < SEARCHES && !found[number]);
        assert_true(uid_equal(hits.items[i].tenant, &bench->searches[number].tenant));
        found[number] = true;
    }
    for (uint32_t i = 0; i < SEARCHES; i++) {
        const bool should = bench->stands[i] && satisfies(document, &bench->searches[i]);

        if (found[i] != should)
            fail_msg("search %u: found %d, should %d", i, found[i], should);
        expected += should;
    }
    assert_int_equal(hits.count, expected);
    swap_release(&held);
    return expected;
}

static void
put(struct bench *bench, uint32_t first, uint32_t count)
{
    struct standing_change *changes = calloc(count, sizeof *changes);

    assert_non_null(changes);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t number = first + i;

        bench->searches[number] = any_search(&bench->seed, number);
        bench->stands[number] = true;
        changes[i] = (struct standing_change){uid_of(1, number), &bench->searches[number]};
    }
    assert_int_equal(
        standing_apply(bench->standing, bench->frequency, TERMS, changes, count).code, CODE_OK);
    free(changes);
}

static int
set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof *bench);

    assert_non_null(bench);
    bench->seed = 42;
    for (uint32_t i = 0; i < TERMS; i++)
        bench->frequency[i] = (TERMS - i) * 10;
    assert_int_equal(standing_create(&bench->standing).code, CODE_OK);
    assert_int_equal(standing_probe_create(&bench->probe).code, CODE_OK);
    *state = bench;
    return 0;
}

static int
tear_down(void **state)
{
    struct bench *bench = *state;

    standing_probe_destroy(&bench->probe);
    standing_destroy(&bench->standing);
    free(bench);
    return 0;
}

static void
what_is_found_is_what_a_linear_check_finds(void **state)
{
    struct bench *bench = *state;
    size_t total = 0;

    put(bench, 0, SEARCHES);
    assert_int_equal(standing_count(bench->standing), SEARCHES);
    for (int i = 0; i < DOCUMENTS; i++) {
        struct paper paper;

        any_document(&bench->seed, &paper);
        total += assert_equal_to_linear_check(bench, &paper.document);
    }
    assert_true(total > DOCUMENTS);
}

static void
take_out(struct bench *bench, uint32_t number)
{
    const struct standing_change change = {uid_of(1, number), NULL};

    bench->stands[number] = false;
    assert_int_equal(standing_apply(bench->standing, bench->frequency, TERMS, &change, 1).code,
                     CODE_OK);
}

static size_t
standing_now(const struct bench *bench)
{
    size_t count = 0;

    for (size_t i = 0; i < SEARCHES; i++)
        count += bench->stands[i];
    return count;
}

static void
additions_changes_and_removals_one_by_one_are_as_exact(void **state)
{
    struct bench *bench = *state;
    size_t total = 0;

    put(bench, 0, 1000);
    for (int i = 0; i < 3000; i++) {
        const uint32_t number = below(&bench->seed, 2000);
        struct paper paper;

        if (below(&bench->seed, 3) == 0)
            take_out(bench, number); /* there or not */
        else
            put(bench, number, 1 + below(&bench->seed, 4));
        assert_int_equal(standing_count(bench->standing), standing_now(bench));
        any_document(&bench->seed, &paper);
        if (i % 3 == 0)
            total += assert_equal_to_linear_check(bench, &paper.document);
    }
    assert_true(total > 1000);
}

static void
when_all_are_removed_nothing_is_kept(void **state)
{
    struct bench *bench = *state;
    struct standing_change changes[500];

    put(bench, 0, 500);
    for (uint32_t i = 0; i < 500; i++)
        changes[i] = (struct standing_change){uid_of(1, i), NULL};
    assert_int_equal(standing_apply(bench->standing, NULL, 0, changes, 500).code, CODE_OK);
    assert_int_equal(standing_count(bench->standing), 0);
    assert_int_equal(standing_bytes(bench->standing), 0);
}

static void
a_batch_with_one_wrong_search_changes_nothing(void **state)
{
    struct bench *bench = *state;
    struct standing_search wrong[6];
    const struct standing_search right = {
        .id = uid_of(1, 7), .required = {1}, .required_count = 1, .latest = DAY_NONE};

    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        wrong[i] = right;
    wrong[0].required_count = 0;                 /* nothing to be found by */
    wrong[1].required[0] = STANDING_TERMS_MAX;   /* no such term */
    wrong[2].required[1] = wrong[2].required[0]; /* twice */
    wrong[2].required_count = 2;
    wrong[3].latest = STANDING_DAY_MAX + 1;
    wrong[4].least = 1; /* of none */
    wrong[5].regions[0][0] = '-';
    wrong[5].region_count = 1;
    put(bench, 0, 1);
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        const struct standing_change changes[] = {{uid_of(1, 0), NULL},
                                                  {uid_of(1, 7), &wrong[i]}};

        assert_int_equal(standing_apply(bench->standing, NULL, 0, changes, 2).code,
                         CODE_INVALID_ARGUMENT);
        assert_int_equal(standing_count(bench->standing), 1);
    }
    const struct standing_change twice[] = {{uid_of(1, 7), &right}, {uid_of(1, 7), &right}};

    assert_int_equal(standing_apply(bench->standing, NULL, 0, twice, 2).code,
                     CODE_INVALID_ARGUMENT);
    assert_int_equal(standing_count(bench->standing), 1);
}

/* Everybody asks for the term that everybody has, as widely as the rules allow: each search is
 * looked at a bounded number of times. */
static void
hostile_searches_cost_a_bounded_number_of_looks(void **state)
{
    struct bench *bench = *state;
    struct standing_change changes[SEARCHES];
    uint32_t terms[TERMS];
    const struct standing_document document = {.terms = terms,
                                               .term_count = TERMS,
                                               .nuts = "SE312",
                                               .open = true,
                                               .kind = 1,
                                               .available_from = DAY_NONE};
    struct standing_hits hits;
    struct held held;

    for (uint32_t i = 0; i < TERMS; i++)
        terms[i] = i;
    for (uint32_t i = 0; i < SEARCHES; i++) {
        struct standing_search *search = &bench->searches[i];

        *search = (struct standing_search){.id = uid_of(1, i),
                                           .latest = DAY_NONE,
                                           .optional_count = STANDING_OPTIONAL_MAX,
                                           .least = 1};
        for (uint32_t j = 0; j < STANDING_OPTIONAL_MAX; j++)
            search->optional[j] = j;
        bench->stands[i] = true;
        changes[i] = (struct standing_change){search->id, search};
    }
    assert_int_equal(
        standing_apply(bench->standing, bench->frequency, TERMS, changes, SEARCHES).code,
        CODE_OK);
    assert_int_equal(assert_equal_to_linear_check(bench, &document), SEARCHES);
    held = standing_hold(bench->standing);
    assert_int_equal(standing_match(&held, bench->probe, &document, &hits).code, CODE_OK);
    assert_true(hits.looked_at <= (SEARCHES + 1) * STANDING_OPTIONAL_MAX);
    swap_release(&held);
}

/* One search that is always satisfied stands while others come and go; a change of it is never
 * seen half. */
struct reading {
    struct standing *standing;
    atomic_bool stop;
    atomic_size_t rounds;
    atomic_bool wrong;
};

static void *
read_on(void *memory)
{
    struct reading *reading = memory;
    struct standing_probe *probe = NULL;
    const uint32_t terms[] = {0, 1, 2, 3};
    const struct standing_document document = {.terms = terms,
                                               .term_count = 4,
                                               .nuts = "",
                                               .open = true,
                                               .kind = 1,
                                               .available_from = DAY_NONE};
    const struct uid wanted = uid_of(1, 0);

    if (failed(standing_probe_create(&probe))) {
        atomic_store(&reading->wrong, true);
        return NULL;
    }
    while (!atomic_load(&reading->stop)) {
        struct held held = standing_hold(reading->standing);
        struct standing_hits hits = {0};
        size_t found = 0;

        if (held.version && failed(standing_match(&held, probe, &document, &hits)))
            atomic_store(&reading->wrong, true);
        for (size_t i = 0; i < hits.count; i++)
            found += uid_equal(hits.items[i].id, &wanted);
        if (found != 1)
            atomic_store(&reading->wrong, true);
        swap_release(&held);
        atomic_fetch_add(&reading->rounds, 1);
    }
    standing_probe_destroy(&probe);
    return NULL;
}

static void
readers_always_see_a_whole_version_while_it_changes(void **state)
{
    struct bench *bench = *state;
    struct reading reading = {.standing = bench->standing};
    struct standing_search always = {
        .id = uid_of(1, 0), .required_count = 1, .latest = DAY_NONE};
    const struct standing_change change = {always.id, &always};
    pthread_t threads[3];

    assert_int_equal(standing_apply(bench->standing, NULL, 0, &change, 1).code, CODE_OK);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, &reading), 0);
    for (uint32_t i = 0; i < 2000 || atomic_load(&reading.rounds) < 1000; i++) {
        always.required[0] = i % 4;
        assert_int_equal(standing_apply(bench->standing, NULL, 0, &change, 1).code, CODE_OK);
        put(bench, 1 + i % (SEARCHES - 1), 1);
    }
    atomic_store(&reading.stop, true);
    for (size_t i = 0; i < COUNT_OF(threads); i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_false(atomic_load(&reading.wrong));
}

int
main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(what_is_found_is_what_a_linear_check_finds),
        CASE(additions_changes_and_removals_one_by_one_are_as_exact),
        CASE(when_all_are_removed_nothing_is_kept),
        CASE(a_batch_with_one_wrong_search_changes_nothing),
        CASE(hostile_searches_cost_a_bounded_number_of_looks),
        CASE(readers_always_see_a_whole_version_while_it_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
