#include "kernels.h"
#include "heap.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// One body for every width of registers: the compiler makes a version per processor, and contraction is off, so all give
// the same bits.
#define EVERY_PATH(name, parameters, arguments)                                                                       \
    __attribute__((target("avx512f"))) static void name##_avx512 parameters { name##_body arguments; }                \
    __attribute__((target("avx2"))) static void name##_avx2 parameters { name##_body arguments; }

void kernels_add_row(const int32_t *rows, const float *values, size_t count, float weight, float *totals, size_t items) {
    for (size_t i = 0; i < count; i++)
        if ((size_t)(uint32_t)rows[i] < items) totals[rows[i]] += weight * values[i];
}

__attribute__((always_inline))
static inline void add_scaled_body(const float *values, size_t count, float weight, float *totals) {
    for (size_t i = 0; i < count; i++) totals[i] += weight * values[i];
}

__attribute__((always_inline))
static inline void sum_squares_body(const float *values, size_t count, float *sum) {
    float lanes[16] = {0};
    size_t i = 0;
    for (; i + 16 <= count; i += 16)
        for (size_t lane = 0; lane < 16; lane++) lanes[lane] += values[i + lane] * values[i + lane];
    for (size_t lane = 0; i < count; i++, lane++) lanes[lane] += values[i] * values[i];
    for (size_t width = 8; width > 0; width /= 2)
        for (size_t lane = 0; lane < width; lane++) lanes[lane] += lanes[lane + width];
    *sum = lanes[0];
}

// The bits of `allowed` that belong to sixteen rows; rows past the end are not admitted.
static inline uint32_t sixteen(const uint64_t *allowed, size_t first, size_t count) {
    uint32_t mask = allowed ? (uint32_t)(allowed[first / 64] >> (first % 64)) & 0xffffu : 0xffffu;
    size_t left = count - first;
    return left >= 16 ? mask : mask & ((1u << left) - 1u);
}

static inline void offer(top_heap *heap, const float *values, size_t first, uint32_t mask) {
    for (; mask; mask &= mask - 1) {
        size_t row = first + (size_t)__builtin_ctz(mask);
        if (values[row] > heap->threshold) top_heap_offer(heap, values[row], (int32_t)row);
    }
}

static void top_portable(const float *values, size_t count, const uint64_t *allowed, top_heap *heap) {
    for (size_t first = 0; first < count; first += 16) offer(heap, values, first, sixteen(allowed, first, count));
}

// The k-th largest of m numbers; reorders them (Hoare 1961, in the form of Wirth).
static float select_largest(float *values, size_t m, size_t k) {
    ptrdiff_t low = 0, high = (ptrdiff_t)m - 1, at = (ptrdiff_t)k - 1;
    while (low < high) {
        float pivot = values[at];
        ptrdiff_t i = low, j = high;
        do {
            while (values[i] > pivot) i++;
            while (values[j] < pivot) j--;
            if (i <= j) {
                float swap = values[i];
                values[i++] = values[j];
                values[j--] = swap;
            }
        } while (i <= j);
        if (j < at) low = i;
        if (at < i) high = j;
    }
    return values[at];
}

enum { MAXIMA = 4096 };

// A threshold that at least k values reach: the k-th largest of the maxima of stretches. Spares the heap most of its work.
__attribute__((always_inline))
static inline void first_threshold_body(const float *values, size_t count, const uint64_t *allowed, size_t k, float *threshold) {
    size_t stretch = 16 * ((count / 16 + MAXIMA - 1) / MAXIMA);
    *threshold = -__builtin_inff();
    if (stretch == 0 || count / stretch < 2 * k) return;
    float maxima[MAXIMA];
    size_t m = 0;
    for (size_t first = 0; first + stretch <= count && m < MAXIMA; first += stretch) {
        float lanes[16];
        for (size_t lane = 0; lane < 16; lane++) lanes[lane] = -__builtin_inff();
        for (size_t at = first; at < first + stretch; at += 16) {
            uint32_t mask = allowed ? (uint32_t)(allowed[at / 64] >> (at % 64)) & 0xffffu : 0xffffu;
            if (!mask) continue;
            for (size_t lane = 0; lane < 16; lane++) {
                float value = mask >> lane & 1 ? values[at + lane] : -__builtin_inff();
                lanes[lane] = value > lanes[lane] ? value : lanes[lane];
            }
        }
        for (size_t width = 8; width > 0; width /= 2)
            for (size_t lane = 0; lane < width; lane++)
                lanes[lane] = lanes[lane + width] > lanes[lane] ? lanes[lane + width] : lanes[lane];
        maxima[m++] = lanes[0];
    }
    if (m < k) return;
    float reached = select_largest(maxima, m, k);
    // Values equal to it must pass.
    if (reached > -__builtin_inff()) *threshold = __builtin_nextafterf(reached, -__builtin_inff());
}

static int32_t query_bias(const int8_t *query, size_t groups) {
    int32_t sum = 0;
    for (size_t i = 0; i < groups * 4; i++) sum += query[i];
    return 128 * sum;
}

static void add_block(int32_t *sums, int32_t bias, const float *scales, size_t first, size_t count, float weight, float *totals) {
    size_t end = count - first < KERNELS_BLOCK ? count - first : KERNELS_BLOCK;
    for (size_t item = 0; item < end; item++)
        totals[first + item] += weight * ((float)(sums[item] - bias) * scales[first + item]);
}

static void int8_portable(const uint8_t *blocks, const float *scales, size_t count, size_t groups, const int8_t *query,
                          const uint64_t *allowed, float weight, float *totals) {
    int32_t bias = query_bias(query, groups);
    for (size_t first = 0; first < count; first += KERNELS_BLOCK) {
        if (!sixteen(allowed, first, count)) continue;
        const uint8_t *bytes = blocks + first * groups * 4;
        int32_t sums[KERNELS_BLOCK] = {0};
        for (size_t g = 0; g < groups; g++)
            for (size_t item = 0; item < KERNELS_BLOCK; item++)
                for (size_t d = 0; d < 4; d++)
                    sums[item] += (int32_t)bytes[g * 64 + item * 4 + d] * (int32_t)query[g * 4 + d];
        add_block(sums, bias, scales, first, count, weight, totals);
    }
}

#if defined(__x86_64__)

EVERY_PATH(add_scaled, (const float *values, size_t count, float weight, float *totals), (values, count, weight, totals))
EVERY_PATH(first_threshold,
           (const float *values, size_t count, const uint64_t *allowed, size_t k, float *threshold),
           (values, count, allowed, k, threshold))
EVERY_PATH(sum_squares, (const float *values, size_t count, float *sum), (values, count, sum))

__attribute__((target("avx2")))
static void int8_avx2(const uint8_t *blocks, const float *scales, size_t count, size_t groups, const int8_t *query,
                      const uint64_t *allowed, float weight, float *totals) {
    int32_t bias = query_bias(query, groups);
    for (size_t first = 0; first < count; first += KERNELS_BLOCK) {
        if (!sixteen(allowed, first, count)) continue;
        const uint8_t *bytes = blocks + first * groups * 4;
        __m256i sums[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()};
        for (size_t g = 0; g < groups; g++) {
            int32_t four;
            memcpy(&four, query + g * 4, 4);
            __m256i q = _mm256_cvtepi8_epi16(_mm_set1_epi32(four));
            for (size_t part = 0; part < 4; part++) {
                __m128i items = _mm_load_si128((const __m128i *)(bytes + g * 64 + part * 16));
                sums[part] = _mm256_add_epi32(sums[part], _mm256_madd_epi16(_mm256_cvtepu8_epi16(items), q));
            }
        }
        int32_t flat[KERNELS_BLOCK];
        __m256i low = _mm256_permute4x64_epi64(_mm256_hadd_epi32(sums[0], sums[1]), 0xd8);
        __m256i high = _mm256_permute4x64_epi64(_mm256_hadd_epi32(sums[2], sums[3]), 0xd8);
        _mm256_storeu_si256((__m256i *)flat, low);
        _mm256_storeu_si256((__m256i *)(flat + 8), high);
        add_block(flat, bias, scales, first, count, weight, totals);
    }
}

__attribute__((target("avx512f,avx512bw,avx512vnni")))
static void int8_vnni(const uint8_t *blocks, const float *scales, size_t count, size_t groups, const int8_t *query,
                      const uint64_t *allowed, float weight, float *totals) {
    __m512i bias = _mm512_set1_epi32(query_bias(query, groups));
    __m512 weights = _mm512_set1_ps(weight);
    for (size_t first = 0; first < count; first += KERNELS_BLOCK) {
        if (!sixteen(allowed, first, count)) continue;
        const uint8_t *bytes = blocks + first * groups * 4;
        __m512i a = _mm512_setzero_si512(), b = a, c = a, d = a;
        for (size_t g = 0; g < groups; g += 4) {
            int32_t four[4];
            memcpy(four, query + g * 4, 16);
            a = _mm512_dpbusd_epi32(a, _mm512_load_si512(bytes + g * 64), _mm512_set1_epi32(four[0]));
            b = _mm512_dpbusd_epi32(b, _mm512_load_si512(bytes + g * 64 + 64), _mm512_set1_epi32(four[1]));
            c = _mm512_dpbusd_epi32(c, _mm512_load_si512(bytes + g * 64 + 128), _mm512_set1_epi32(four[2]));
            d = _mm512_dpbusd_epi32(d, _mm512_load_si512(bytes + g * 64 + 192), _mm512_set1_epi32(four[3]));
        }
        __m512i sums = _mm512_sub_epi32(_mm512_add_epi32(_mm512_add_epi32(a, b), _mm512_add_epi32(c, d)), bias);
        __mmask16 inside = (__mmask16)(count - first >= KERNELS_BLOCK ? 0xffffu : (1u << (count - first)) - 1u);
        __m512 scores = _mm512_mul_ps(_mm512_cvtepi32_ps(sums), _mm512_maskz_loadu_ps(inside, scales + first));
        __m512 old = _mm512_maskz_loadu_ps(inside, totals + first);
        // A fused multiply-add would round once and part from the other paths.
        _mm512_mask_storeu_ps(totals + first, inside, _mm512_add_ps(old, _mm512_mul_ps(weights, scores)));
    }
}

__attribute__((target("avx512f")))
static void top_avx512(const float *values, size_t count, const uint64_t *allowed, top_heap *heap) {
    for (size_t first = 0; first < count; first += 16) {
        uint32_t mask = sixteen(allowed, first, count);
        __m512 scores = _mm512_maskz_loadu_ps((__mmask16)mask, values + first);
        mask &= (uint32_t)_mm512_cmp_ps_mask(scores, _mm512_set1_ps(heap->threshold), _CMP_GT_OQ);
        if (mask) offer(heap, values, first, mask);
    }
}

#endif

void kernels_add_scaled(kernels_path path, const float *values, size_t count, float weight, float *totals) {
#if defined(__x86_64__)
    if (path == KERNELS_VNNI) return add_scaled_avx512(values, count, weight, totals);
    if (path == KERNELS_AVX2) return add_scaled_avx2(values, count, weight, totals);
#endif
    add_scaled_body(values, count, weight, totals);
}

float kernels_sum_squares(kernels_path path, const float *values, size_t count) {
    float sum = 0;
#if defined(__x86_64__)
    if (path == KERNELS_VNNI)
        sum_squares_avx512(values, count, &sum);
    else if (path == KERNELS_AVX2)
        sum_squares_avx2(values, count, &sum);
    else
#endif
        sum_squares_body(values, count, &sum);
    return sum;
}

void kernels_add_int8(kernels_path path, const uint8_t *blocks, const float *scales, size_t count, size_t groups,
                      const int8_t *query, const uint64_t *allowed, float weight, float *totals) {
#if defined(__x86_64__)
    if (path == KERNELS_VNNI) return int8_vnni(blocks, scales, count, groups, query, allowed, weight, totals);
    if (path == KERNELS_AVX2) return int8_avx2(blocks, scales, count, groups, query, allowed, weight, totals);
#endif
    int8_portable(blocks, scales, count, groups, query, allowed, weight, totals);
}

size_t kernels_top_float(kernels_path path, const float *values, size_t count, const uint64_t *allowed, size_t k,
                         float *scores, int32_t *rows) {
    if (k == 0 || count == 0) return 0;
    float threshold;
#if defined(__x86_64__)
    if (path == KERNELS_VNNI)
        first_threshold_avx512(values, count, allowed, k, &threshold);
    else if (path == KERNELS_AVX2)
        first_threshold_avx2(values, count, allowed, k, &threshold);
    else
#endif
        first_threshold_body(values, count, allowed, k, &threshold);
    top_heap heap;
    if (!top_heap_open(&heap, k < count ? k : count, threshold)) return 0;
#if defined(__x86_64__)
    if (path == KERNELS_VNNI)
        top_avx512(values, count, allowed, &heap);
    else
#endif
        top_portable(values, count, allowed, &heap);
    return top_heap_take(&heap, scores, rows);
}
