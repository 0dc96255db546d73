#include "paths.h"

#include <string.h>

// The best pairs so far and some that may yet be among them. Each pair is one integer, score before row, so that one
// comparison decides and ties go to the lower row; when the space is full, the best k stay (amortized a few steps a pair).
typedef struct {
    uint64_t *keys;
    size_t count, k, capacity;
    // What is not above it cannot be among the best k.
    uint64_t least;
    float threshold;
} top_buffer;

// Quickselect (Hoare 1961, in the form of Wirth): afterwards the `k` largest come first, and the k-th is the least of them.
static uint64_t select_key(uint64_t *keys, size_t count, size_t k) {
    ptrdiff_t low = 0, high = (ptrdiff_t)count - 1, at = (ptrdiff_t)k - 1;
    while (low < high) {
        uint64_t pivot = keys[at];
        ptrdiff_t i = low, j = high;
        do {
            while (keys[i] > pivot) i++;
            while (keys[j] < pivot) j--;
            if (i <= j) {
                uint64_t swap = keys[i];
                keys[i++] = keys[j];
                keys[j--] = swap;
            }
        } while (i <= j);
        if (j < at) low = i;
        if (at < i) high = j;
    }
    return keys[at];
}

static void shrink(top_buffer *top) {
    if (top->count <= top->k) return;
    uint64_t least = select_key(top->keys, top->count, top->k);
    top->count = top->k;
    top->least = least;
    top->threshold = kernels_key_score(least);
}

static inline void offer(top_buffer *top, uint64_t key) {
    if (key <= top->least) return;
    top->keys[top->count++] = key;
    if (top->count == top->capacity) shrink(top);
}

// Largest first: heap sort with the smallest at the root.
static void sort_keys(uint64_t *keys, size_t count) {
    for (size_t next = count / 2, end = count; end > 1;) {
        uint64_t key;
        if (next > 0) {
            key = keys[--next];
        } else {
            key = keys[--end];
            keys[end] = keys[0];
        }
        size_t at = next;
        for (size_t child; (child = 2 * at + 1) < end; at = child) {
            child += child + 1 < end && keys[child + 1] < keys[child];
            if (key <= keys[child]) break;
            keys[at] = keys[child];
        }
        keys[at] = key;
    }
}

static size_t take(top_buffer *top, int ordered, float *scores, int32_t *rows) {
    shrink(top);
    if (ordered) sort_keys(top->keys, top->count);
    for (size_t i = 0; i < top->count; i++) {
        scores[i] = kernels_key_score(top->keys[i]);
        rows[i] = kernels_key_row(top->keys[i]);
    }
    return top->count;
}

enum { MAXIMA = 4096 };

// Ordered as the floats are; no NaN, and one zero.
static inline int32_t order_of(float value) {
    int32_t bits;
    value += 0.0f;
    memcpy(&bits, &value, 4);
    return bits ^ (bits >> 31 & 0x7fffffff);
}

static inline float value_of(int32_t order) {
    order ^= order >> 31 & 0x7fffffff;
    float value;
    memcpy(&value, &order, 4);
    return value;
}

// A threshold that at least k values are above, and few more. Of some four stretches for each of the k, every sixteenth value makes
// one stretch; the k-th largest of their maxima is bracketed by halves. Spares most offers.
__attribute__((always_inline))
static inline void first_threshold_body(const float *values, size_t count, const uint64_t *allowed, size_t k, float *threshold) {
    size_t wanted = 4 * k < MAXIMA ? 4 * k : MAXIMA, length = 16 * (count / wanted), m = 0;
    *threshold = -__builtin_inff();
    if (length == 0) return;
    int32_t maxima[MAXIMA];
    for (size_t first = 0; first + length <= count && m < MAXIMA; first += length) {
        float lanes[16];
        for (size_t lane = 0; lane < 16; lane++) lanes[lane] = -__builtin_inff();
        for (size_t at = first; at < first + length; at += 16) {
            uint32_t mask = allowed ? sixteen(allowed, at, count) : 0xffffu;
            if (mask == 0xffffu) {
                for (size_t lane = 0; lane < 16; lane++)
                    lanes[lane] = values[at + lane] > lanes[lane] ? values[at + lane] : lanes[lane];
            } else if (mask) {
                for (size_t lane = 0; lane < 16; lane++)
                    if (mask >> lane & 1 && values[at + lane] > lanes[lane]) lanes[lane] = values[at + lane];
            }
        }
        for (size_t lane = 0; lane < 16; lane++) maxima[m++] = order_of(lanes[lane]);
    }
    // At least k maxima are above `low`, fewer above `high`.
    int64_t low = order_of(-__builtin_inff()), high = order_of(__builtin_inff());
    for (size_t above = 0; high - low > 1; above = 0) {
        int32_t middle = (int32_t)(low + (high - low) / 2);
        for (size_t i = 0; i < m; i++) above += maxima[i] > middle;
        *(above < k ? &high : &low) = middle;
        if (above >= k && above <= k + k / 16) break;
    }
    // What lies between zero and all below is a negative zero, which no zero is above.
    *threshold = value_of((int32_t)(low == -1 ? -2 : low));
}

// Rows come in ascending order, so a later one must be above the threshold, not equal to it.
static inline void offer_rows(top_buffer *top, const float *values, size_t first, uint64_t mask) {
    for (; mask; mask &= mask - 1) {
        size_t row = first + (size_t)__builtin_ctzll(mask);
        if (values[row] > top->threshold) offer(top, kernels_key(values[row], (int32_t)row));
    }
}

static void collect_portable(const float *values, size_t count, const uint64_t *allowed, top_buffer *top) {
    for (size_t first = 0; first < count; first += 16) offer_rows(top, values, first, sixteen(allowed, first, count));
}

#if defined(__x86_64__)

EVERY_PATH(first_threshold,
           (const float *values, size_t count, const uint64_t *allowed, size_t k, float *threshold),
           (values, count, allowed, k, threshold))

__attribute__((target("avx2")))
static void collect_avx2(const float *values, size_t count, const uint64_t *allowed, top_buffer *top) {
    size_t first = 0;
    for (; first + 16 <= count; first += 16) {
        __m256 least = _mm256_set1_ps(top->threshold);
        uint32_t mask = (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(values + first), least, _CMP_GT_OQ))
            | (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(values + first + 8), least, _CMP_GT_OQ)) << 8;
        if (mask && allowed) mask &= sixteen(allowed, first, count);
        if (mask) offer_rows(top, values, first, mask);
    }
    if (first < count) offer_rows(top, values, first, sixteen(allowed, first, count));
}

__attribute__((target("avx512f")))
static void collect_avx512(const float *values, size_t count, const uint64_t *allowed, top_buffer *top) {
    size_t first = 0;
    // Most are below: four times sixteen with one look.
    for (; !allowed && first + 64 <= count; first += 64) {
        __m512 least = _mm512_set1_ps(top->threshold);
        uint64_t mask = 0;
        for (size_t part = 0; part < 4; part++)
            mask |= (uint64_t)_mm512_cmp_ps_mask(_mm512_loadu_ps(values + first + 16 * part), least, _CMP_GT_OQ) << 16 * part;
        if (mask) offer_rows(top, values, first, mask);
    }
    for (; first < count; first += 16) {
        uint32_t mask = sixteen(allowed, first, count);
        __m512 scores = _mm512_maskz_loadu_ps((__mmask16)mask, values + first);
        mask &= (uint32_t)_mm512_cmp_ps_mask(scores, _mm512_set1_ps(top->threshold), _CMP_GT_OQ);
        if (mask) offer_rows(top, values, first, mask);
    }
}

#endif

size_t kernels_top_float(kernels_path path, const float *values, size_t count, const uint64_t *allowed, size_t k,
                         int ordered, uint64_t *space, float *scores, int32_t *rows) {
    if (k == 0 || count == 0) return 0;
    top_buffer top = {.keys = space, .k = k, .capacity = kernels_top_space(k)};
#if defined(__x86_64__)
    if (path == KERNELS_VNNI)
        first_threshold_avx512(values, count, allowed, k, &top.threshold);
    else if (path == KERNELS_AVX2)
        first_threshold_avx2(values, count, allowed, k, &top.threshold);
    else
#endif
        first_threshold_body(values, count, allowed, k, &top.threshold);
#if defined(__x86_64__)
    if (path == KERNELS_VNNI)
        collect_avx512(values, count, allowed, &top);
    else if (path == KERNELS_AVX2)
        collect_avx2(values, count, allowed, &top);
    else
#endif
        collect_portable(values, count, allowed, &top);
    return take(&top, ordered, scores, rows);
}

size_t kernels_top_among(const float *values, const int32_t *among, size_t count, const uint64_t *allowed, size_t k,
                         int ordered, uint64_t *space, float *scores, int32_t *rows) {
    if (k == 0) return 0;
    top_buffer top = {.keys = space, .k = k, .capacity = kernels_top_space(k)};
    for (size_t i = 0; i < count; i++) {
        size_t row = (size_t)among[i];
        if (allowed && !(allowed[row / 64] >> (row % 64) & 1)) continue;
        if (values[row] > -__builtin_inff()) offer(&top, kernels_key(values[row], among[i]));
    }
    return take(&top, ordered, scores, rows);
}

size_t kernels_largest_keys(uint64_t *keys, size_t count, size_t k) {
    if (k == 0 || count == 0) return 0;
    if (k < count) select_key(keys, count, k);
    else k = count;
    sort_keys(keys, k);
    return k;
}
