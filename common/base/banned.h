#pragma once

/* Functions that have a safer neighbour.  Force-included by the build for our own sources. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Hardened builds with clang have these as macros. */
#undef sprintf
#undef vsprintf
#pragma GCC poison strcpy strcat sprintf vsprintf gets strtok atoi atol atof
