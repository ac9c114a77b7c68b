#pragma once

/* Which part of the log a page of it needs: the newest events before a position, or the next
 * ones behind one, whatever the filter lets through.
 *
 * Pure.  The log is read forwards only, so going back means windows that grow while little is
 * found, each read to its end.  Rows live in the arena given with each.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_ROWS 25
#define LOG_WINDOW_FIRST 200u
#define LOG_WINDOW_MOST 5000u
#define LOG_READS_MOST 24 /* then the page shows what it has, and how far it has looked */

/* An event as a line of the page; texts are "" for none. */
struct log_row {
    uint64_t position;
    const char *type, *subject, *programme, *nuts, *tenant_id, *time;
};

struct log_scan {
    bool forward;
    uint64_t head, first_kept;
    uint64_t low, high; /* the window: low < position <= high */
    uint64_t at;        /* read up to here */
    uint64_t window, top;
    unsigned reads;
    bool done;
    struct log_row found[LOG_ROWS]; /* of the window, oldest first, a ring when going back */
    size_t found_count;
    struct log_row rows[LOG_ROWS]; /* newest first, complete when done */
    size_t row_count;
};

/* `place`: events before it, or with `forward` behind it.  Places outside of the log are moved
 * to its ends. */
void log_scan_begin(struct log_scan *scan, bool forward, uint64_t place, uint64_t head,
                    uint64_t first_kept);
/* What to read next; false: the rows are complete. */
bool log_scan_next(struct log_scan *scan, uint64_t *ret_after, uint32_t *ret_limit);
/* An event of the page that was read, in the log's order. */
void log_scan_add(struct log_scan *scan, const struct log_row *row);
/* The page ends here. */
void log_scan_through(struct log_scan *scan, uint64_t through);

/* What has been looked at: after < position <= through. */
uint64_t log_scan_searched_after(const struct log_scan *scan);
uint64_t log_scan_searched_through(const struct log_scan *scan);
