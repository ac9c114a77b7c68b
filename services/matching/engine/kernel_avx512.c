#include "services/matching/engine/kernel.h"

#if defined __AVX512BW__ && defined __AVX512VPOPCNTDQ__

#include <immintrin.h>

struct vec {
    __m512i low, high;
};

static inline struct vec
vec_set(uint16_t number)
{
    const __m512i all = _mm512_set1_epi16((short)number);

    return (struct vec){all, all};
}

static inline struct vec
vec_load(const uint16_t *from)
{
    return (struct vec){_mm512_load_si512(from), _mm512_load_si512(from + 32)};
}

static inline void
vec_store(uint16_t *to, struct vec vec)
{
    _mm512_store_si512(to, vec.low);
    _mm512_store_si512(to + 32, vec.high);
}

static inline struct vec
vec_add(struct vec a, struct vec b)
{
    return (struct vec){_mm512_adds_epu16(a.low, b.low), _mm512_adds_epu16(a.high, b.high)};
}

static inline struct vec
vec_max(struct vec a, struct vec b)
{
    return (struct vec){_mm512_max_epu16(a.low, b.low), _mm512_max_epu16(a.high, b.high)};
}

static inline struct vec
vec_add_where(struct vec a, uint64_t bits, uint16_t number)
{
    const __m512i all = _mm512_set1_epi16((short)number);

    return (struct vec){_mm512_mask_adds_epu16(a.low, (__mmask32)bits, a.low, all),
                        _mm512_mask_adds_epu16(a.high, (__mmask32)(bits >> 32), a.high, all)};
}

static inline uint64_t
vec_reach(struct vec a, uint16_t least)
{
    const __m512i all = _mm512_set1_epi16((short)least);

    return (uint64_t)_mm512_cmpge_epu16_mask(a.low, all) |
           (uint64_t)_mm512_cmpge_epu16_mask(a.high, all) << 32;
}

static inline struct vec
vec_grades(const uint8_t *grades, const uint16_t *table)
{
    const __m512i all = _mm512_loadu_si512(table);
    const __m512i bytes = _mm512_loadu_si512(grades);

    return (struct vec){
        _mm512_permutexvar_epi16(_mm512_cvtepu8_epi16(_mm512_castsi512_si256(bytes)), all),
        _mm512_permutexvar_epi16(_mm512_cvtepu8_epi16(_mm512_extracti64x4_epi64(bytes, 1)),
                                 all)};
}

/* Where the words of a block are, for eight terms. */
static inline __m512i
find_words(__m512i blocks, const uint64_t *const *words, uint64_t bit)
{
    const __m512i before = _mm512_set1_epi64((long long)(bit - 1));
    const __m512i rank = _mm512_popcnt_epi64(_mm512_and_si512(blocks, before));

    return _mm512_add_epi64(_mm512_load_si512(words), _mm512_slli_epi64(rank, 3));
}

static inline void
fetch_words(const uint64_t *present, const uint64_t *const *words, uint64_t bit,
            uint32_t stride, uint64_t *fetched)
{
    const __m512i this = _mm512_set1_epi64((long long)bit);

    for (uint32_t i = 0; i < stride; i += 8) {
        const __m512i blocks = _mm512_load_si512(present + i);
        const __mmask8 here = _mm512_test_epi64_mask(blocks, this);

        _mm512_store_si512(fetched + i, _mm512_mask_i64gather_epi64(
                                            _mm512_setzero_si512(), here,
                                            find_words(blocks, words + i, bit), NULL, 1));
    }
}

static inline void
prefetch_words(const uint64_t *present, const uint64_t *const *words, uint64_t bit,
               uint32_t stride)
{
    for (uint32_t i = 0; i < stride; i += 8) {
        _Alignas(64) const char *at[8];

        _mm512_store_si512(at, find_words(_mm512_load_si512(present + i), words + i, bit));
        for (int j = 0; j < 8; j++)
            __builtin_prefetch(at[j]);
    }
}

#include "services/matching/engine/kernel_area.h"

static bool
usable(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("avx512vpopcntdq") && __builtin_cpu_supports("popcnt");
}

const struct kernel kernel_avx512 = {"avx512", usable, search_area};

#else

static bool
usable(void)
{
    return false;
}

const struct kernel kernel_avx512 = {"avx512", usable, NULL};

#endif
