#include "services/gateway/log_scan.h"

#include "common/base/attr.h"
#include "common/base/test.h"

#define READ_BYTES_ROWS 400 /* a reply is full of bytes before it is full of events */

/* Reads a log in which every `stride`th position is one of ours, as the log answers reads. */
static void
run(struct log_scan *scan, uint64_t stride)
{
    uint64_t after;
    uint32_t limit;

    while (log_scan_next(scan, &after, &limit)) {
        uint32_t count = 0;
        uint64_t position = after;

        while (position < scan->head && position < after + 20000) {
            if ((position + 1) % stride == 0) {
                if (count == limit || count == READ_BYTES_ROWS)
                    break;
                count++;
                log_scan_add(scan, &(struct log_row){.position = position + 1});
            }
            position++;
        }
        log_scan_through(scan, position);
    }
}

static void
assert_rows(const struct log_scan *scan, size_t count, uint64_t newest, uint64_t stride)
{
    assert_int_equal(scan->row_count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(scan->rows[i].position, newest - i * stride);
}

static void
the_newest_come_first_from_the_end_of_the_log(void **context)
{
    static const uint64_t strides[] = {1, 2, 7, 50, 100};
    struct log_scan scan;

    (void)context;
    for (size_t i = 0; i < COUNT_OF(strides); i++) {
        log_scan_begin(&scan, false, UINT64_MAX, 10000, 0);
        run(&scan, strides[i]);
        assert_rows(&scan, LOG_ROWS, 10000 / strides[i] * strides[i], strides[i]);
        assert_int_equal(log_scan_searched_through(&scan), 10000);
        assert_int_equal(log_scan_searched_after(&scan), scan.rows[LOG_ROWS - 1].position - 1);
    }
}

static void
pages_backwards_and_forwards_show_everything_once(void **context)
{
    struct log_scan scan;
    uint64_t before = UINT64_MAX, wanted = 2000, pages = 0;

    (void)context;
    do {
        log_scan_begin(&scan, false, before, 2000, 300);
        run(&scan, 4);
        for (size_t i = 0; i < scan.row_count; i++, wanted -= 4)
            assert_int_equal(scan.rows[i].position, wanted);
        before = log_scan_searched_after(&scan) + 1;
        pages++;
    } while (log_scan_searched_after(&scan) > 300);
    assert_int_equal(wanted, 300);
    assert_int_equal(pages, 18); /* the last three positions are looked at as well */

    wanted = 304;
    for (uint64_t after = 0; after < 2000; after = log_scan_searched_through(&scan)) {
        log_scan_begin(&scan, true, after, 2000, 300);
        run(&scan, 4);
        for (size_t i = scan.row_count; i > 0; i--, wanted += 4)
            assert_int_equal(scan.rows[i - 1].position, wanted);
    }
    assert_int_equal(wanted, 2004);
}

static void
a_window_full_of_events_keeps_its_newest(void **context)
{
    struct log_scan scan;

    (void)context;
    /* Nothing in the newest 4000, everything before: the window that meets them is wide. */
    log_scan_begin(&scan, false, UINT64_MAX, 9000, 0);
    for (;;) {
        uint64_t after;
        uint32_t limit;

        if (!log_scan_next(&scan, &after, &limit))
            break;
        if (after >= 5000) {
            log_scan_through(&scan, 9000);
            continue;
        }
        for (uint64_t i = 1; i <= READ_BYTES_ROWS && after + i <= 5000; i++)
            log_scan_add(&scan, &(struct log_row){.position = after + i});
        log_scan_through(&scan, after + READ_BYTES_ROWS);
    }
    assert_rows(&scan, LOG_ROWS, 5000, 1);
}

static void
what_is_rare_ends_the_search_at_a_limit_that_is_told(void **context)
{
    struct log_scan scan;

    (void)context;
    log_scan_begin(&scan, false, UINT64_MAX, 1000000, 0);
    run(&scan, 999999999);
    assert_int_equal(scan.row_count, 0);
    assert_int_equal(scan.reads, LOG_READS_MOST);
    assert_in_range(log_scan_searched_after(&scan), 1000000 - 24 * LOG_WINDOW_MOST, 900000);
    assert_int_equal(log_scan_searched_through(&scan), 1000000);
}

static void
places_outside_of_the_log_are_moved_to_its_ends(void **context)
{
    struct log_scan scan;

    (void)context;
    log_scan_begin(&scan, false, 0, 100, 50);
    run(&scan, 1);
    assert_rows(&scan, 0, 0, 1);
    log_scan_begin(&scan, true, UINT64_MAX, 100, 50);
    run(&scan, 1);
    assert_rows(&scan, 0, 0, 1);
    log_scan_begin(&scan, true, 0, 100, 50);
    run(&scan, 1);
    assert_rows(&scan, LOG_ROWS, 75, 1);
    log_scan_begin(&scan, false, UINT64_MAX, 0, 0);
    run(&scan, 1);
    assert_rows(&scan, 0, 0, 1);
    log_scan_begin(&scan, false, 61, 100, 50);
    run(&scan, 1);
    assert_rows(&scan, 10, 60, 1);
}

static void
a_log_that_does_not_go_on_ends_the_search(void **context)
{
    struct log_scan scan;
    uint64_t after;
    uint32_t limit;

    (void)context;
    for (int forward = 0; forward < 2; forward++) {
        log_scan_begin(&scan, forward, forward ? 10 : 90, 100, 0);
        while (log_scan_next(&scan, &after, &limit))
            log_scan_through(&scan, after);
        assert_int_equal(scan.row_count, 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_come_first_from_the_end_of_the_log),
        cmocka_unit_test(pages_backwards_and_forwards_show_everything_once),
        cmocka_unit_test(a_window_full_of_events_keeps_its_newest),
        cmocka_unit_test(what_is_rare_ends_the_search_at_a_limit_that_is_told),
        cmocka_unit_test(places_outside_of_the_log_are_moved_to_its_ends),
        cmocka_unit_test(a_log_that_does_not_go_on_ends_the_search),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
