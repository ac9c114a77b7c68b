#pragma once

/* The documents of rulesets/, built into the program by embed.py. */

#include <stddef.h>

struct ruleset_file {
    const char *file;
    const unsigned char *document;
    size_t size;
};

extern const struct ruleset_file rulesets[];
extern const size_t rulesets_count;
