#include "services/cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BAR_WIDTH 40

void
progress_show(size_t done, size_t total, const char *what)
{
    const size_t percent = total ? done * 100 / total : 100;
    char bar[BAR_WIDTH + 1];

    if (!isatty(STDERR_FILENO))
        return;
    memset(bar, '.', BAR_WIDTH);
    memset(bar, '#', percent * BAR_WIDTH / 100);
    bar[BAR_WIDTH] = '\0';
    fprintf(stderr, "\r[%s] %3zu %%  %s%s", bar, percent, what, done == total ? "\n" : "");
}
