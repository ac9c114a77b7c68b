#include "services/matching/engine/kernel.h"

#ifdef __AVX512BW__

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

#include "services/matching/engine/kernel_area.h"

static bool
usable(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
           __builtin_cpu_supports("popcnt");
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
