#include "int8.h"

#include <string.h>

static int32_t query_bias(const int8_t *query, size_t groups) {
    int32_t sum = 0;
    for (size_t i = 0; i < groups * 4; i++) sum += query[i];
    return 128 * sum;
}

// The totals are those of the block.
static void add_block(const int32_t *sums, int32_t bias, const int8_pass *pass, size_t first, float weight, float *totals) {
    size_t left = pass->count - first, end = left < KERNELS_BLOCK ? left : KERNELS_BLOCK;
    for (size_t item = 0; item < end; item++)
        totals[item] = (pass->begins ? 0 : totals[item]) + weight * ((float)(sums[item] - bias) * pass->scales[first + item]);
}

static void pass_portable(const int8_pass *pass) {
    int32_t bias = query_bias(pass->queries, pass->groups);
    for (size_t first = 0, at = 0; first < pass->count; first += KERNELS_BLOCK * pass->step, at += KERNELS_BLOCK) {
        if (!sixteen(pass->allowed, first, pass->count)) continue;
        const uint8_t *bytes = pass->blocks + first * pass->groups * 4;
        int32_t sums[KERNELS_BLOCK] = {0};
        for (size_t g = 0; g < pass->groups; g++)
            for (size_t item = 0; item < KERNELS_BLOCK; item++)
                for (size_t d = 0; d < 4; d++)
                    sums[item] += (int32_t)bytes[g * 64 + item * 4 + d] * (int32_t)pass->queries[g * 4 + d];
        add_block(sums, bias, pass, first, pass->weights[0], pass->totals[0] + at);
    }
}

#if defined(__x86_64__)

// Multiplying in 16 bits keeps the sums exact; the shorter unsigned-by-signed instruction would saturate.
__attribute__((target("avx2")))
static void pass_avx2(const int8_pass *pass) {
    int32_t bias = query_bias(pass->queries, pass->groups);
    for (size_t first = 0, at = 0; first < pass->count; first += KERNELS_BLOCK * pass->step, at += KERNELS_BLOCK) {
        if (!sixteen(pass->allowed, first, pass->count)) continue;
        const uint8_t *bytes = pass->blocks + first * pass->groups * 4;
        __m256i sums[4] = {_mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()};
        for (size_t g = 0; g < pass->groups; g++) {
            int32_t four;
            memcpy(&four, pass->queries + g * 4, 4);
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
        add_block(flat, bias, pass, first, pass->weights[0], pass->totals[0] + at);
    }
}

// A constant number of queries, so that their sums stay in registers; one query spreads over four sums instead, for the
// instruction takes longer to finish than to start.
__attribute__((target("avx512f,avx512bw,avx512vnni"), always_inline))
static inline void pass_vnni(const int8_pass *pass, const size_t queries) {
    const size_t spread = queries == 1 ? 4 : 1, width = pass->groups * 4;
    __m512i bias[8];
    __m512 weights[8];
    for (size_t q = 0; q < queries; q++) {
        bias[q] = _mm512_set1_epi32(query_bias(pass->queries + q * width, pass->groups));
        weights[q] = _mm512_set1_ps(pass->weights[q]);
    }
    for (size_t first = 0, at = 0; first < pass->count; first += KERNELS_BLOCK * pass->step, at += KERNELS_BLOCK) {
        if (!sixteen(pass->allowed, first, pass->count)) continue;
        const uint8_t *bytes = pass->blocks + first * width;
        __m512i sums[8];
        for (size_t s = 0; s < queries * spread; s++) sums[s] = _mm512_setzero_si512();
        for (size_t g = 0; g < pass->groups; g += spread) {
            for (size_t part = 0; part < spread; part++) {
                __m512i items = _mm512_load_si512(bytes + (g + part) * 64);
                for (size_t q = 0; q < queries; q++) {
                    int32_t four;
                    memcpy(&four, pass->queries + q * width + (g + part) * 4, 4);
                    sums[q + part] = _mm512_dpbusd_epi32(sums[q + part], items, _mm512_set1_epi32(four));
                }
            }
        }
        if (spread == 4) sums[0] = _mm512_add_epi32(_mm512_add_epi32(sums[0], sums[1]), _mm512_add_epi32(sums[2], sums[3]));
        size_t left = pass->count - first;
        __mmask16 inside = (__mmask16)(left >= KERNELS_BLOCK ? 0xffffu : (1u << left) - 1u);
        __m512 scales = _mm512_maskz_loadu_ps(inside, pass->scales + first);
        for (size_t q = 0; q < queries; q++) {
            __m512 scores = _mm512_mul_ps(_mm512_cvtepi32_ps(_mm512_sub_epi32(sums[q], bias[q])), scales);
            float *totals = pass->totals[q] + at;
            // A fused multiply-add would round once and part from the other paths.
            __m512 before = pass->begins ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(inside, totals);
            __m512 sum = _mm512_add_ps(before, _mm512_mul_ps(weights[q], scores));
            _mm512_mask_storeu_ps(totals, inside, sum);
        }
    }
}

__attribute__((target("avx512f,avx512bw,avx512vnni")))
static void pass_vnni_1(const int8_pass *pass) { pass_vnni(pass, 1); }
__attribute__((target("avx512f,avx512bw,avx512vnni")))
static void pass_vnni_4(const int8_pass *pass) { pass_vnni(pass, 4); }
__attribute__((target("avx512f,avx512bw,avx512vnni")))
static void pass_vnni_8(const int8_pass *pass) { pass_vnni(pass, 8); }

#endif

// Runs the pass for as many of the queries as it can take at once; returns how many those were.
static size_t run_some(kernels_path path, const int8_pass *pass, size_t queries) {
#if defined(__x86_64__)
    if (path == KERNELS_VNNI && queries >= 8) return pass_vnni_8(pass), 8;
    if (path == KERNELS_VNNI && queries >= 4) return pass_vnni_4(pass), 4;
    if (path == KERNELS_VNNI) return pass_vnni_1(pass), 1;
    if (path == KERNELS_AVX2) return pass_avx2(pass), 1;
#endif
    return pass_portable(pass), 1;
}

void int8_run(kernels_path path, int8_pass pass, size_t queries) {
    while (queries > 0) {
        size_t done = run_some(path, &pass, queries);
        pass.queries += done * pass.groups * 4;
        pass.weights += done;
        pass.totals += done;
        queries -= done;
    }
}

void kernels_add_int8(kernels_path path, const uint8_t *blocks, const float *scales, size_t count, size_t groups,
                      const int8_t *queries, size_t queryCount, const uint64_t *allowed, const float *weights, int begins,
                      float *const *totals) {
    int8_run(path, (int8_pass){blocks, scales, count, 1, groups, queries, allowed, weights, begins, totals}, queryCount);
}
