#include "services/gateway/log_scan.h"

#define READ_LIMIT 1000u

static void
open_window(struct log_scan *scan, uint64_t high)
{
    scan->high = high;
    scan->low = high - scan->first_kept > scan->window ? high - scan->window : scan->first_kept;
    scan->at = scan->low;
    scan->found_count = 0;
    if (scan->window < LOG_WINDOW_MOST)
        scan->window = scan->window * 4 < LOG_WINDOW_MOST ? scan->window * 4 : LOG_WINDOW_MOST;
}

void
log_scan_begin(struct log_scan *scan, bool forward, uint64_t place, uint64_t head,
               uint64_t first_kept)
{
    *scan = (struct log_scan){
        .forward = forward, .head = head, .first_kept = first_kept, .window = LOG_WINDOW_FIRST};
    if (place < first_kept + !forward)
        place = first_kept + !forward;
    if (place > head + !forward)
        place = head + !forward;
    if (forward) {
        scan->low = scan->at = place;
        scan->high = head;
        return;
    }
    scan->top = place - 1;
    open_window(scan, scan->top);
}

/* The window's events, newest first, behind the rows that are there. */
static void
take_window(struct log_scan *scan)
{
    size_t left = scan->found_count < LOG_ROWS ? scan->found_count : LOG_ROWS;

    while (left-- > 0 && scan->row_count < LOG_ROWS)
        scan->rows[scan->row_count++] = scan->found[--scan->found_count % LOG_ROWS];
    scan->found_count = 0;
}

static bool
go_back(struct log_scan *scan)
{
    while (scan->at >= scan->high) {
        take_window(scan);
        if (scan->row_count == LOG_ROWS || scan->low <= scan->first_kept ||
            scan->reads >= LOG_READS_MOST) {
            scan->done = true;
            return false;
        }
        open_window(scan, scan->low);
    }
    return true;
}

static bool
go_on(struct log_scan *scan)
{
    if (scan->at < scan->high && scan->found_count < LOG_ROWS && scan->reads < LOG_READS_MOST)
        return true;
    take_window(scan);
    scan->done = true;
    return false;
}

bool
log_scan_next(struct log_scan *scan, uint64_t *ret_after, uint32_t *ret_limit)
{
    if (scan->done || !(scan->forward ? go_on(scan) : go_back(scan)))
        return false;
    scan->reads++;
    *ret_after = scan->at;
    *ret_limit = scan->forward ? (uint32_t)(LOG_ROWS - scan->found_count) : READ_LIMIT;
    return true;
}

void
log_scan_add(struct log_scan *scan, const struct log_row *row)
{
    if (row->position <= scan->at || row->position > scan->high)
        return;
    if (scan->forward && scan->found_count == LOG_ROWS)
        return;
    scan->found[scan->found_count++ % LOG_ROWS] = *row;
}

void
log_scan_through(struct log_scan *scan, uint64_t through)
{
    if (through <= scan->at) { /* the log does not go on: nothing more is to be had */
        scan->high = scan->at;
        return;
    }
    scan->at = through < scan->high ? through : scan->high;
}

uint64_t
log_scan_searched_after(const struct log_scan *scan)
{
    if (!scan->forward && scan->row_count == LOG_ROWS)
        return scan->rows[LOG_ROWS - 1].position - 1;
    return scan->low;
}

uint64_t
log_scan_searched_through(const struct log_scan *scan)
{
    return scan->forward ? scan->at : scan->top;
}
