/* Four shards answer as one index does: the same counterparts, scores, reasons and order. */

#include "services/matching/counts.h"
#include "services/matching/find.h"
#include "services/matching/guest.h"
#include "services/matching/shard.h"
#include "services/matching/test_world.h"

#define SHARDS 4
#define SEEKERS 400
#define PROFILES 3000
#define LIMIT 50

#define assert_ok(step) assert_int_equal((step).code, CODE_OK)

static const enum kind offers[] = {KIND_PERSON, KIND_CAPABILITY, KIND_INFRASTRUCTURE};

/* The same profiles in one index and in four. */
struct town {
    struct world whole;
    struct world parts[SHARDS];
    struct profile_row rows[PROFILES];
    bool gone[PROFILES];
};

static struct shard
shard_of_part(uint32_t part)
{
    return (struct shard){part + 1, SHARDS};
}

static void
exchange_counts(struct town *town)
{
    struct bytes packed[SHARDS];

    for (uint32_t i = 0; i < SHARDS; i++)
        assert_ok(counts_pack(town->parts[i].snapshot, &town->whole.arena, &packed[i]));
    for (uint32_t i = 0; i < SHARDS; i++) {
        struct world *part = &town->parts[i];
        struct bytes others[SHARDS - 1];
        size_t count = 0;

        for (uint32_t j = 0; j < SHARDS; j++)
            if (j != i)
                others[count++] = packed[j];
        assert_ok(index_set_others(part->index, others, count));
        snapshot_destroy(&part->snapshot);
        assert_ok(index_snapshot(part->index, 1, &part->snapshot));
        assert_true(part->snapshot->complete);
        assert_int_equal(part->snapshot->live, town->whole.snapshot->live);
    }
}

static enum kind
kind_of(unsigned number)
{
    return number < SEEKERS ? (number % 5 ? KIND_NEED : KIND_PLACEMENT) : offers[number % 3];
}

static struct world *
holder(struct town *town, const char *id)
{
    struct uid uid;

    assert_true(uid_parse(id, &uid));
    for (uint32_t i = 0; i < SHARDS; i++)
        if (shard_holds(shard_of_part(i), &uid))
            return &town->parts[i];
    fail_msg("%s belongs to no shard", id);
    return NULL;
}

static void
put(struct town *town, unsigned number)
{
    town->rows[number] = world_random_row(&town->whole, kind_of(number), number);
    town->rows[number].version = 1 + world_random(&town->whole, 9);
    town->gone[number] = false;
    world_put(&town->whole, &town->rows[number], 1);
    world_put(holder(town, town->rows[number].id), &town->rows[number], 1);
}

static void
withdraw(struct town *town, unsigned number)
{
    town->gone[number] = true;
    world_remove(&town->whole, kind_of(number), number);
    world_remove(holder(town, town->rows[number].id), kind_of(number), number);
}

static int
set_up(void **state)
{
    struct town *town = calloc(1, sizeof *town);

    assert_non_null(town);
    world_init(&town->whole);
    for (uint32_t i = 0; i < SHARDS; i++) {
        world_init(&town->parts[i]);
        index_make_shard(town->parts[i].index);
    }
    for (unsigned i = 0; i < PROFILES; i++)
        put(town, i);
    exchange_counts(town);
    *state = town;
    return 0;
}

static int
tear_down(void **state)
{
    struct town *town = *state;

    for (uint32_t i = 0; i < SHARDS; i++)
        world_fini(&town->parts[i]);
    world_fini(&town->whole);
    free(town);
    return 0;
}

/* A candidate without pointers into a snapshot. */
struct answer {
    struct uid id;
    struct score score;
    const uint8_t *reasons;
    size_t reasons_size;
};

static int
by_score(const void *a, const void *b)
{
    const struct answer *left = a, *right = b;

    if (left->score.total != right->score.total)
        return left->score.total > right->score.total ? -1 : 1;
    return uid_compare(&left->id, &right->id);
}

static size_t
ask(struct world *world, const struct profile *subject, struct arena *arena,
    struct answer *into)
{
    struct search search = world_search(world, subject);
    struct found_list found;

    search.limit = LIMIT;
    assert_ok(find_run(world->snapshot, &search, arena, &found));
    for (size_t i = 0; i < found.count; i++) {
        into[i] =
            (struct answer){.id = found.items[i].other->id, .score = found.items[i].score};
        assert_ok(explain_pack(&found.items[i].reasons, arena, &into[i].reasons,
                               &into[i].reasons_size));
    }
    return found.count;
}

static size_t
ask_shards(struct town *town, const struct profile_row *row, struct arena *arena,
           struct answer *into)
{
    size_t count = 0;

    for (uint32_t i = 0; i < SHARDS; i++) {
        scoped(guest_maker_destroy) struct guest_maker *maker = NULL;
        const struct profile *subject;

        assert_ok(guest_maker_create(town->parts[i].snapshot, arena, &maker));
        assert_ok(guest_make(maker, row, arena, &subject));
        count += ask(&town->parts[i], subject, arena, &into[count]);
    }
    qsort(into, count, sizeof *into, by_score);
    return count < LIMIT ? count : LIMIT;
}

static void
assert_as_by_brute_force(struct town *town, const struct profile *subject,
                         const struct answer *answers, size_t count)
{
    struct search search = world_search(&town->whole, subject);
    struct hits hits;

    search.limit = LIMIT;
    hits = world_brute_force(&town->whole, &search);
    assert_int_equal(hits.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_true(uid_equal(&hits.items[i].profile->id, &answers[i].id));
        assert_memory_equal(&hits.items[i].score, &answers[i].score, sizeof(struct score));
    }
}

/* Returns how many candidates there were. */
static size_t
assert_same(struct town *town, unsigned number, bool by_brute_force)
{
    const struct profile *subject = world_find(&town->whole, kind_of(number), number);
    struct answer whole[LIMIT], merged[SHARDS * LIMIT];
    scoped(arena_fini) struct arena arena;
    size_t count;

    arena_init(&arena, (size_t)64 << 20);
    assert_non_null(subject);
    count = ask(&town->whole, subject, &arena, whole);
    assert_int_equal(ask_shards(town, &town->rows[number], &arena, merged), count);
    for (size_t i = 0; i < count; i++) {
        assert_true(uid_equal(&whole[i].id, &merged[i].id));
        assert_memory_equal(&whole[i].score, &merged[i].score, sizeof(struct score));
        assert_int_equal(whole[i].reasons_size, merged[i].reasons_size);
        assert_memory_equal(whole[i].reasons, merged[i].reasons, whole[i].reasons_size);
    }
    if (by_brute_force)
        assert_as_by_brute_force(town, subject, merged, count);
    return count;
}

static void
compare(struct town *town)
{
    size_t found_by_seekers = 0, found_by_offers = 0;

    for (unsigned i = 0; i < SEEKERS; i += 3)
        if (!town->gone[i])
            found_by_seekers += assert_same(town, i, i % 60 == 0);
    for (unsigned i = SEEKERS; i < PROFILES; i += 23)
        if (!town->gone[i])
            found_by_offers += assert_same(town, i, i % 10 == 0);
    assert_true(found_by_seekers > 100 * LIMIT / 2);
    assert_true(found_by_offers > 100 * LIMIT / 4);
}

static void
four_shards_answer_as_one_index_and_as_brute_force(void **state)
{
    struct town *town = *state;

    for (uint32_t i = 0; i < SHARDS; i++)
        assert_in_range(town->parts[i].snapshot->own_live, PROFILES / 5, PROFILES / 3);
    compare(town);
    for (uint32_t i = 0; i < SHARDS; i++)
        world_settle(&town->parts[i]);
    world_settle(&town->whole);
    compare(town);
}

static void
they_do_so_after_inserts_updates_and_withdrawals_too(void **state)
{
    struct town *town = *state;

    for (unsigned i = 0; i < 900; i++) {
        const unsigned number = world_random(&town->whole, PROFILES);

        if (i % 3 == 0 && !town->gone[number])
            withdraw(town, number);
        else
            put(town, number);
    }
    exchange_counts(town);
    compare(town);
}

/* So the exchange is what makes the scores agree. */
static void
without_the_counts_of_the_others_scores_differ(void **state)
{
    struct town *town = *state;
    struct answer whole[LIMIT], merged[SHARDS * LIMIT];
    scoped(arena_fini) struct arena arena;
    size_t differ = 0;

    arena_init(&arena, (size_t)256 << 20);
    for (uint32_t i = 0; i < SHARDS; i++) {
        struct world *part = &town->parts[i];

        assert_ok(index_set_others(part->index, NULL, 0));
        snapshot_destroy(&part->snapshot);
        assert_ok(index_snapshot(part->index, 1, &part->snapshot));
    }
    for (unsigned i = 0; i < 40; i++) {
        const struct profile *subject = world_find(&town->whole, kind_of(i), i);
        const size_t count = ask(&town->whole, subject, &arena, whole);
        const size_t others = ask_shards(town, &town->rows[i], &arena, merged);

        differ += others != count;
        for (size_t j = 0; j < count && j < others; j++)
            differ += whole[j].score.total != merged[j].score.total;
    }
    assert_true(differ > 0);
}

static void
counts_that_are_not_whole_are_refused(void **state)
{
    struct town *town = *state;
    struct bytes packed, cut;
    uint32_t live;

    assert_ok(counts_pack(town->parts[0].snapshot, &town->whole.arena, &packed));
    assert_ok(counts_check(packed, &live));
    assert_int_equal(live, town->parts[0].snapshot->own_live);
    for (size_t size = 0; size < packed.size; size += size < 40 ? 1 : 997) {
        cut = (struct bytes){packed.data, size};
        assert_int_equal(counts_check(cut, &live).code, CODE_INTERNAL);
    }
}

/* As when a deployment starts. */
static void
empty_shards_know_each_others_counts_too(void **state)
{
    struct arena *arena = &((struct town *)*state)->whole.arena;
    struct vocabulary *vocabulary;
    struct words *words;
    struct index *index;
    struct snapshot *snapshot;
    struct bytes packed;
    uint32_t live = 1;

    assert_ok(words_create(arena, &words));
    assert_ok(vocabulary_create(NULL, 0, words, arena, &vocabulary));
    assert_ok(index_create(vocabulary, words, &index));
    index_make_shard(index);
    assert_ok(index_snapshot(index, 0, &snapshot));
    assert_false(snapshot->complete);
    assert_ok(counts_pack(snapshot, arena, &packed));
    assert_ok(counts_check(packed, &live));
    assert_int_equal(live, 0);
    snapshot_destroy(&snapshot);
    assert_ok(index_set_others(index, &packed, 1));
    assert_ok(index_snapshot(index, 0, &snapshot));
    assert_true(snapshot->complete);
    snapshot_destroy(&snapshot);
    index_destroy(&index);
    words_destroy(&words);
}

int
main(void)
{
#define TOWN_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TOWN_TEST(four_shards_answer_as_one_index_and_as_brute_force),
        TOWN_TEST(they_do_so_after_inserts_updates_and_withdrawals_too),
        TOWN_TEST(without_the_counts_of_the_others_scores_differ),
        TOWN_TEST(counts_that_are_not_whole_are_refused),
        TOWN_TEST(empty_shards_know_each_others_counts_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
