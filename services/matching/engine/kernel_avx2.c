#include "services/matching/engine/kernel.h"

#ifdef __AVX2__

#include <immintrin.h>

#define PARTS 4

struct vec {
    __m256i parts[PARTS];
};

static inline struct vec
vec_set(uint16_t number)
{
    const __m256i all = _mm256_set1_epi16((short)number);

    return (struct vec){{all, all, all, all}};
}

static inline struct vec
vec_load(const uint16_t *from)
{
    struct vec made;

    for (int i = 0; i < PARTS; i++)
        made.parts[i] = _mm256_load_si256((const __m256i *)(const void *)(from + 16 * i));
    return made;
}

static inline void
vec_store(uint16_t *to, struct vec vec)
{
    for (int i = 0; i < PARTS; i++)
        _mm256_store_si256((__m256i *)(void *)(to + 16 * i), vec.parts[i]);
}

static inline struct vec
vec_add(struct vec a, struct vec b)
{
    for (int i = 0; i < PARTS; i++)
        a.parts[i] = _mm256_adds_epu16(a.parts[i], b.parts[i]);
    return a;
}

static inline struct vec
vec_max(struct vec a, struct vec b)
{
    for (int i = 0; i < PARTS; i++)
        a.parts[i] = _mm256_max_epu16(a.parts[i], b.parts[i]);
    return a;
}

/* Each of sixteen lanes looks at a bit of its own, in the two bytes of its part. */
static inline struct vec
vec_add_where(struct vec a, uint64_t bits, uint16_t number)
{
    const __m256i single =
        _mm256_setr_epi16(1, 1 << 1, 1 << 2, 1 << 3, 1 << 4, 1 << 5, 1 << 6, 1 << 7, 1 << 8,
                          1 << 9, 1 << 10, 1 << 11, 1 << 12, 1 << 13, 1 << 14, INT16_MIN);
    const __m256i all = _mm256_set1_epi16((short)number);
    const __m256i word = _mm256_set1_epi64x((long long)bits);

    for (int i = 0; i < PARTS; i++) {
        const __m256i spread =
            _mm256_shuffle_epi8(word, _mm256_set1_epi16((short)(0x0100 + 0x0202 * i)));
        const __m256i mask = _mm256_cmpeq_epi16(_mm256_and_si256(spread, single), single);

        a.parts[i] = _mm256_adds_epu16(a.parts[i], _mm256_and_si256(mask, all));
    }
    return a;
}

static inline uint64_t
vec_reach(struct vec a, uint16_t least)
{
    const __m256i all = _mm256_set1_epi16((short)least);
    uint64_t bits = 0;

    for (int i = 0; i < PARTS; i += 2) {
        const __m256i low = _mm256_cmpeq_epi16(_mm256_max_epu16(a.parts[i], all), a.parts[i]);
        const __m256i high =
            _mm256_cmpeq_epi16(_mm256_max_epu16(a.parts[i + 1], all), a.parts[i + 1]);
        /* The packing works within halves of 128 bits. */
        const __m256i bytes = _mm256_permute4x64_epi64(_mm256_packs_epi16(low, high), 0xd8);

        bits |= (uint64_t)(uint32_t)_mm256_movemask_epi8(bytes) << (16 * i);
    }
    return bits;
}

static inline struct vec
vec_grades(const uint8_t *grades, const uint16_t *table)
{
    struct vec made;
    _Alignas(32) uint16_t looked_up[64];

    for (int i = 0; i < 64; i++)
        looked_up[i] = table[grades[i]];
    for (int i = 0; i < PARTS; i++)
        made.parts[i] = _mm256_load_si256((const __m256i *)(const void *)(looked_up + 16 * i));
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
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("popcnt");
}

const struct kernel kernel_avx2 = {"avx2", usable, search_area};

#else

static bool
usable(void)
{
    return false;
}

const struct kernel kernel_avx2 = {"avx2", usable, NULL};

#endif
