#include "services/events/follower.h"

#include <string.h>

#include "services/events/build.h"
#include "services/events/test_sample.h"

static struct arena arena;
static struct tail tail;
static uint8_t scratch[BATCH_SCRATCH_BYTES];

static int
setup(void **state)
{
    (void)state;
    arena_init(&arena, (size_t)64 << 20);
    assert_ok(tail_init(&tail, (size_t)1 << 20));
    tail_start(&tail, 0);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    tail_fini(&tail);
    arena_fini(&arena);
    return 0;
}

static void
assert_same_part(const struct block *a, struct bytes in_a, const struct block *b,
                 struct bytes in_b)
{
    assert_int_equal(in_a.size, in_b.size);
    if (in_a.size)
        assert_int_equal(in_a.data - a->data.data, in_b.data - b->data.data);
}

/* What was noted while the block was built is what a reader finds in its bytes. */
static void
assert_same_events(const struct block *built, const struct block *read)
{
    assert_int_equal(built->count, read->count);
    assert_int_equal(built->last, read->last);
    for (uint32_t i = 0; i < built->count; i++) {
        const struct packed_event *a = &built->events[i].parts, *b = &read->events[i].parts;

        assert_same_part(built, built->events[i].framed, read, read->events[i].framed);
        assert_same_part(built, a->id, read, b->id);
        assert_same_part(built, a->source, read, b->source);
        assert_same_part(built, a->type, read, b->type);
        assert_same_part(built, a->tenant_id, read, b->tenant_id);
        assert_same_part(built, a->audience, read, b->audience);
        assert_same_part(built, a->subject, read, b->subject);
        assert_same_part(built, a->partition_key, read, b->partition_key);
        assert_same_part(built, a->programme, read, b->programme);
        assert_same_part(built, a->nuts, read, b->nuts);
        assert_same_part(built, a->concepts, read, b->concepts);
        assert_int_equal(a->numbered, b->numbered);
    }
}

/* A block of events of both tenants in turn. */
static struct block *
make_block(uint64_t head, size_t count, size_t data_bytes)
{
    scoped(build_fini) struct build build = {0};
    struct block *block;

    assert_ok(build_begin(&build, &arena, head, NULL, 0, count, count * PACKED_EVENT_BYTES));
    for (size_t i = 0; i < count; i++) {
        struct build_event event = {
            .tenant_id = i % 2 ? SAMPLE_OTHER_TENANT : SAMPLE_TENANT,
        };

        event.packed = sample_pack(
            &arena, (struct sample){.tenant_id = event.tenant_id, .data_bytes = data_bytes});
        assert_ok(
            packed_check_outbox(event.packed, event.tenant_id, false, &arena, &event.parts));
        assert_ok(build_add(&build, &event));
    }
    build_end(&build);
    assert_int_equal(build.block_count, 1);
    assert_ok(block_create(build.blocks[0].position, build.blocks[0].count,
                           build.blocks[0].data, &arena, &block));
    assert_same_events(build.blocks[0].memory, block);
    return block;
}

static struct follower *
make_follower(bool all, uint32_t credit)
{
    static const struct routing routing = {.size = 3, .bytes = "abc"};
    static const char *const tenants[] = {SAMPLE_TENANT};
    const struct rights rights = {.all = all, .tenant_ids = {tenants, 1}};
    struct follower *follower = follower_create(&routing, "system:x");

    assert_non_null(follower);
    assert_ok(rules_sieve_create(&rights, NULL, &follower->sieve));
    follower->credit = credit;
    return follower;
}

static size_t
count_events(struct bytes batch, uint64_t *ret_first)
{
    struct bytes event;
    bool broken = false;
    size_t count = 0;

    while (packed_next(&batch, &event, &broken))
        if (count++ == 0)
            *ret_first = strtoull(sample_attribute(&arena, event, "sequence"), NULL, 10);
    assert_false(broken);
    return count;
}

static void
small_blocks_go_together_in_one_batch(void **state)
{
    scoped(follower_destroy) struct follower *follower = make_follower(true, 100);
    struct batch batch;
    uint64_t first;

    (void)state;
    for (uint64_t head = 0; head < 10; head += 2)
        tail_push(&tail, make_block(head, 2, 50));
    follower->through = 3;
    follower_gather(follower, &tail, scratch, &batch);
    assert_null(batch.whole);
    assert_int_equal(batch.count, 7);
    assert_int_equal(batch.through, 10);
    assert_false(batch.more);
    assert_int_equal(count_events((struct bytes){scratch, batch.size}, &first), 7);
    assert_int_equal(first, 4);
}

static void
a_large_block_that_passes_whole_is_shared_and_not_copied(void **state)
{
    scoped(follower_destroy) struct follower *follower = make_follower(true, 100);
    struct block *block = make_block(0, 40, 500);
    struct batch batch;

    (void)state;
    tail_push(&tail, block);
    follower_gather(follower, &tail, scratch, &batch);
    assert_ptr_equal(batch.whole, block);
    assert_int_equal(batch.count, 40);
    follower->credit = 39;
    follower_gather(follower, &tail, scratch, &batch);
    assert_null(batch.whole);
    assert_int_equal(batch.count, 39);
    assert_int_equal(batch.through, 39);
}

static void
never_more_than_the_credit_is_gathered(void **state)
{
    scoped(follower_destroy) struct follower *follower = make_follower(true, 5);
    struct batch batch;

    (void)state;
    tail_push(&tail, make_block(0, 12, 50));
    follower_gather(follower, &tail, scratch, &batch);
    assert_int_equal(batch.count, 5);
    assert_int_equal(batch.through, 5);
    assert_true(batch.more);
}

static void
what_does_not_pass_is_covered_by_the_range(void **state)
{
    scoped(follower_destroy) struct follower *follower = make_follower(false, 100);
    struct batch batch;
    uint64_t first;

    (void)state;
    tail_push(&tail, make_block(0, 9, 50));
    follower_gather(follower, &tail, scratch, &batch);
    assert_int_equal(batch.count, 5); /* 1, 3, 5, 7, 9 */
    assert_int_equal(batch.through, 9);
    follower->through = 9;
    tail_push(&tail, make_block(9, 1, 50));
    follower->through = 1;
    follower_gather(follower, &tail, scratch, &batch);
    assert_int_equal(count_events((struct bytes){scratch, batch.size}, &first), batch.count);
    assert_int_equal(first, 3);
}

static void
a_follower_behind_the_tail_asks_for_a_page_and_goes_over_without_a_seam(void **state)
{
    scoped(follower_destroy) struct follower *follower = make_follower(true, 100);
    struct reader_item page = {.code = CODE_OK};
    struct batch batch;
    uint64_t after;

    (void)state;
    tail_start(&tail, 6);
    tail_push(&tail, make_block(6, 2, 50));
    assert_false(follower_is_live(follower, &tail));
    assert_true(follower_wants_page(follower, &tail, &after));
    assert_int_equal(after, 0);
    page.sieve = follower->sieve;
    page.blocks = make_block(0, 4, 50);
    page.blocks->next = make_block(4, 4, 50); /* reaches into the tail */
    follower_take_page(follower, &page);
    assert_null(page.blocks);
    assert_int_equal(follower_pages(follower), 1);
    follower_gather(follower, &tail, scratch, &batch);
    assert_int_equal(batch.through, 8);
    assert_int_equal(batch.count, 8);
    follower->through = batch.through;
    assert_true(follower_is_live(follower, &tail));
    follower_gather(follower, &tail, scratch, &batch);
    assert_int_equal(follower_pages(follower), 0);
}

static void
a_page_asked_for_under_other_rights_is_not_taken(void **state)
{
    scoped(follower_destroy) struct follower *follower = make_follower(true, 100);
    struct reader_item page = {.code = CODE_OK};
    struct sieve *old;

    (void)state;
    tail_start(&tail, 6);
    old = rules_sieve_hold(follower->sieve);
    page.sieve = old;
    page.blocks = make_block(0, 4, 50);
    rules_sieve_release(&follower->sieve);
    assert_ok(rules_sieve_create(&(struct rights){0}, NULL, &follower->sieve));
    follower_take_page(follower, &page);
    assert_non_null(page.blocks);
    assert_int_equal(follower_pages(follower), 0);
    store_page_release(&page.blocks);
    rules_sieve_release(&old);
}

static void
the_tail_keeps_to_its_limit_and_forgets_the_oldest(void **state)
{
    (void)state;
    for (uint64_t head = 0; head < 400; head += 4)
        tail_push(&tail, make_block(head, 4, 5000));
    assert_true(tail.bytes <= tail.limit_bytes);
    assert_int_equal(tail.last, 400);
    assert_null(tail_find(&tail, tail_after(&tail)));
    assert_null(tail_find(&tail, 401));
    for (uint64_t position = tail_after(&tail) + 1; position <= 400; position++) {
        const struct block *block = tail_find(&tail, position);

        assert_non_null(block);
        assert_in_range(position, block->position, block->last);
    }
}

static void
a_block_that_does_not_join_starts_the_tail_anew(void **state)
{
    (void)state;
    tail_push(&tail, make_block(0, 2, 50));
    tail_push(&tail, make_block(5, 2, 50));
    assert_int_equal(tail_after(&tail), 5);
    assert_int_equal(tail.last, 7);
    assert_null(tail_find(&tail, 2));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
        TEST(small_blocks_go_together_in_one_batch),
        TEST(a_large_block_that_passes_whole_is_shared_and_not_copied),
        TEST(never_more_than_the_credit_is_gathered),
        TEST(what_does_not_pass_is_covered_by_the_range),
        TEST(a_follower_behind_the_tail_asks_for_a_page_and_goes_over_without_a_seam),
        TEST(a_page_asked_for_under_other_rights_is_not_taken),
        TEST(the_tail_keeps_to_its_limit_and_forgets_the_oldest),
        TEST(a_block_that_does_not_join_starts_the_tail_anew),
    };

    return cmocka_run_group_tests_name("follower", tests, NULL, NULL);
}
