#include "kernels.h"
#include "heap.h"

#include <string.h>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

int kernels_path_available(kernels_path path) {
    switch (path) {
    case KERNELS_PORTABLE:
        return 1;
#if defined(__x86_64__)
    case KERNELS_AVX2:
        return __builtin_cpu_supports("avx2") != 0;
    case KERNELS_VNNI:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
            && __builtin_cpu_supports("avx512vnni");
#endif
    default:
        return 0;
    }
}

kernels_path kernels_best_path(void) {
    if (kernels_path_available(KERNELS_VNNI)) return KERNELS_VNNI;
    if (kernels_path_available(KERNELS_AVX2)) return KERNELS_AVX2;
    return KERNELS_PORTABLE;
}

// The bits of `allowed` that belong to one block; the padding after the last item is never admitted.
static inline uint32_t block_mask(const uint64_t *allowed, size_t block, size_t count) {
    size_t first = block * KERNELS_BLOCK;
    uint32_t mask = allowed ? (uint32_t)(allowed[first / 64] >> (first % 64)) & 0xffffu : 0xffffu;
    size_t left = count - first;
    return left >= KERNELS_BLOCK ? mask : mask & ((1u << left) - 1u);
}

static inline int32_t query_bias(const int8_t *query, size_t groups) {
    int32_t sum = 0;
    for (size_t i = 0; i < groups * 4; i++) sum += query[i];
    return 128 * sum;
}

static void scan_portable(const uint8_t *blocks, const float *scales, size_t count, size_t groups, const int8_t *query,
                          const uint64_t *allowed, top_heap *heap) {
    int32_t bias = query_bias(query, groups);
    for (size_t block = 0; block * KERNELS_BLOCK < count; block++) {
        uint32_t mask = block_mask(allowed, block, count);
        if (!mask) continue;
        const uint8_t *bytes = blocks + block * groups * 64;
        int32_t sums[KERNELS_BLOCK] = {0};
        for (size_t g = 0; g < groups; g++)
            for (size_t item = 0; item < KERNELS_BLOCK; item++)
                for (size_t d = 0; d < 4; d++)
                    sums[item] += (int32_t)bytes[g * 64 + item * 4 + d] * (int32_t)query[g * 4 + d];
        for (; mask; mask &= mask - 1) {
            size_t item = (size_t)__builtin_ctz(mask), row = block * KERNELS_BLOCK + item;
            float score = (float)(sums[item] - bias) * scales[row];
            if (score > heap->threshold) top_heap_offer(heap, score, (int32_t)row);
        }
    }
}

#if defined(__x86_64__)

// Multiplying in 16 bits keeps the sums exact; the shorter unsigned-by-signed instruction would saturate.
__attribute__((target("avx2")))
static void scan_avx2(const uint8_t *blocks, const float *scales, size_t count, size_t groups, const int8_t *query,
                      const uint64_t *allowed, top_heap *heap) {
    int32_t bias = query_bias(query, groups);
    for (size_t block = 0; block * KERNELS_BLOCK < count; block++) {
        uint32_t mask = block_mask(allowed, block, count);
        if (!mask) continue;
        const uint8_t *bytes = blocks + block * groups * 64;
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
        for (; mask; mask &= mask - 1) {
            size_t item = (size_t)__builtin_ctz(mask), row = block * KERNELS_BLOCK + item;
            float score = (float)(flat[item] - bias) * scales[row];
            if (score > heap->threshold) top_heap_offer(heap, score, (int32_t)row);
        }
    }
}

__attribute__((target("avx512f,avx512bw,avx512vnni")))
static void scan_vnni(const uint8_t *blocks, const float *scales, size_t count, size_t groups, const int8_t *query,
                      const uint64_t *allowed, top_heap *heap) {
    __m512i bias = _mm512_set1_epi32(query_bias(query, groups));
    for (size_t block = 0; block * KERNELS_BLOCK < count; block++) {
        uint32_t mask = block_mask(allowed, block, count);
        if (!mask) continue;
        const uint8_t *bytes = blocks + block * groups * 64;
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
        size_t first = block * KERNELS_BLOCK;
        __mmask16 inside = (__mmask16)(count - first >= KERNELS_BLOCK ? 0xffffu : (1u << (count - first)) - 1u);
        __m512 scores = _mm512_mul_ps(_mm512_cvtepi32_ps(sums), _mm512_maskz_loadu_ps(inside, scales + first));
        __mmask16 better = _mm512_cmp_ps_mask(scores, _mm512_set1_ps(heap->threshold), _CMP_GT_OQ);
        uint32_t left = mask & (uint32_t)better;
        if (!left) continue;
        float flat[KERNELS_BLOCK];
        _mm512_storeu_ps(flat, scores);
        for (; left; left &= left - 1) {
            size_t item = (size_t)__builtin_ctz(left);
            if (flat[item] > heap->threshold) top_heap_offer(heap, flat[item], (int32_t)(first + item));
        }
    }
}

#endif

size_t kernels_top_int8(kernels_path path, const uint8_t *blocks, const float *scales, size_t count, size_t groups,
                        const int8_t *query, const uint64_t *allowed, size_t k, float *scores, int32_t *rows) {
    if (k == 0 || count == 0) return 0;
    if (k > count) k = count;
    top_heap heap;
    if (!top_heap_open(&heap, k, -__builtin_inff())) return 0;
#if defined(__x86_64__)
    if (path == KERNELS_VNNI)
        scan_vnni(blocks, scales, count, groups, query, allowed, &heap);
    else if (path == KERNELS_AVX2)
        scan_avx2(blocks, scales, count, groups, query, allowed, &heap);
    else
#endif
        scan_portable(blocks, scales, count, groups, query, allowed, &heap);
    return top_heap_take(&heap, scores, rows);
}

// Sixteen sums side by side, added up in one order whatever the width of the registers.
__attribute__((always_inline))
static inline void dot_rows(const float *factors, size_t dimensions, const float *query, const int32_t *rows, size_t count,
                            float *out) {
    for (size_t i = 0; i < count; i++) {
        const float *row = factors + (size_t)rows[i] * dimensions;
        // The rows lie all over the matrix: the one after next is on its way from memory meanwhile.
        if (i + 2 < count) {
            const char *next = (const char *)(factors + (size_t)rows[i + 2] * dimensions);
            for (size_t line = 0; line < dimensions * sizeof(float) && line < 512; line += 64) __builtin_prefetch(next + line);
        }
        float lanes[16] = {0};
        for (size_t d = 0; d < dimensions; d += 16)
            for (size_t lane = 0; lane < 16; lane++) lanes[lane] += row[d + lane] * query[d + lane];
        for (size_t width = 8; width > 0; width /= 2)
            for (size_t lane = 0; lane < width; lane++) lanes[lane] += lanes[lane + width];
        out[i] = lanes[0];
    }
}

#if defined(__x86_64__)
__attribute__((target("avx512f")))
static void dot_rows_avx512(const float *factors, size_t dimensions, const float *query, const int32_t *rows, size_t count,
                            float *out) {
    dot_rows(factors, dimensions, query, rows, count, out);
}

__attribute__((target("avx2")))
static void dot_rows_avx2(const float *factors, size_t dimensions, const float *query, const int32_t *rows, size_t count,
                          float *out) {
    dot_rows(factors, dimensions, query, rows, count, out);
}
#endif

void kernels_dot_rows(kernels_path path, const float *factors, size_t dimensions, const float *query, const int32_t *rows,
                      size_t count, float *out) {
#if defined(__x86_64__)
    if (path == KERNELS_VNNI) return dot_rows_avx512(factors, dimensions, query, rows, count, out);
    if (path == KERNELS_AVX2) return dot_rows_avx2(factors, dimensions, query, rows, count, out);
#endif
    dot_rows(factors, dimensions, query, rows, count, out);
}
