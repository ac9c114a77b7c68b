#pragma once

/* The few language extensions of the house, under readable names. */

#define must_use __attribute__((warn_unused_result))
#define printf_like(format_index, first_index)                                                 \
    __attribute__((format(printf, format_index, first_index)))

/* Calls destroy(&variable) when the variable leaves its scope. */
#define scoped(destroy) __attribute__((cleanup(destroy)))

/* Hands over what *pointer owns: returns it and leaves NULL behind. */
#define take(pointer)                                                                          \
    ({                                                                                         \
        __typeof__(*(pointer)) taken_ = *(pointer);                                            \
        *(pointer) = NULL;                                                                     \
        taken_;                                                                                \
    })

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
