#include "services/matching/engine/kernel.h"

struct vec {
    uint16_t numbers[64];
};

static inline uint16_t
saturate(uint32_t number)
{
    return (uint16_t)(number < UINT16_MAX ? number : UINT16_MAX);
}

static inline struct vec
vec_set(uint16_t number)
{
    struct vec made;

    for (int i = 0; i < 64; i++)
        made.numbers[i] = number;
    return made;
}

static inline struct vec
vec_load(const uint16_t *from)
{
    struct vec made;

    memcpy(&made, from, sizeof made);
    return made;
}

static inline void
vec_store(uint16_t *to, struct vec vec)
{
    memcpy(to, &vec, sizeof vec);
}

static inline struct vec
vec_add(struct vec a, struct vec b)
{
    for (int i = 0; i < 64; i++)
        a.numbers[i] = saturate((uint32_t)a.numbers[i] + b.numbers[i]);
    return a;
}

static inline struct vec
vec_max(struct vec a, struct vec b)
{
    for (int i = 0; i < 64; i++)
        a.numbers[i] = a.numbers[i] > b.numbers[i] ? a.numbers[i] : b.numbers[i];
    return a;
}

static inline struct vec
vec_add_where(struct vec a, uint64_t bits, uint16_t number)
{
    for (; bits; bits &= bits - 1) {
        uint16_t *at = &a.numbers[__builtin_ctzll(bits)];

        *at = saturate((uint32_t)*at + number);
    }
    return a;
}

static inline uint64_t
vec_reach(struct vec a, uint16_t least)
{
    uint64_t bits = 0;

    for (int i = 0; i < 64; i++)
        bits |= (uint64_t)(a.numbers[i] >= least) << i;
    return bits;
}

static inline struct vec
vec_grades(const uint8_t *grades, const uint16_t *table)
{
    struct vec made;

    for (int i = 0; i < 64; i++)
        made.numbers[i] = table[grades[i]];
    return made;
}

/* The words of a block: where one is missing, what is read instead is left out. */
static inline void
fetch_words(const uint64_t *present, const uint64_t *const *words, uint64_t bit,
            uint32_t stride, uint64_t *fetched)
{
    for (uint32_t i = 0; i < stride; i++) {
        const uint64_t *word = words[i] + __builtin_popcountll(present[i] & (bit - 1));

        fetched[i] = present[i] & bit ? *word : 0;
    }
}

static inline void
prefetch_words(const uint64_t *present, const uint64_t *const *words, uint64_t bit,
               uint32_t stride)
{
    for (uint32_t i = 0; i < stride; i++)
        __builtin_prefetch(words[i] + __builtin_popcountll(present[i] & (bit - 1)));
}

#include "services/matching/engine/kernel_area.h"

static bool
usable(void)
{
    return true;
}

const struct kernel kernel_scalar = {"scalar", usable, search_area};
