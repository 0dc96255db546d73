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

static uint64_t key_of(float score, int32_t row) {
    uint32_t bits;
    score += 0.0f;  // no negative zero
    memcpy(&bits, &score, 4);
    bits ^= bits >> 31 ? 0xffffffffu : 0x80000000u;
    return (uint64_t)bits << 32 | (0xffffffffu - (uint32_t)row);
}

static float score_of(uint64_t key) {
    uint32_t bits = (uint32_t)(key >> 32);
    bits ^= bits >> 31 ? 0x80000000u : 0xffffffffu;
    float score;
    memcpy(&score, &bits, 4);
    return score;
}

// Quickselect (Hoare 1961, in the form of Wirth): afterwards the `k` largest come first, and the k-th is the least of them.
#define SELECT_LARGEST(name, type)                                                                                    \
    static type name(type *values, size_t count, size_t k) {                                                          \
        ptrdiff_t low = 0, high = (ptrdiff_t)count - 1, at = (ptrdiff_t)k - 1;                                        \
        while (low < high) {                                                                                          \
            type pivot = values[at];                                                                                  \
            ptrdiff_t i = low, j = high;                                                                              \
            do {                                                                                                      \
                while (values[i] > pivot) i++;                                                                        \
                while (values[j] < pivot) j--;                                                                        \
                if (i <= j) {                                                                                         \
                    type swap = values[i];                                                                            \
                    values[i++] = values[j];                                                                          \
                    values[j--] = swap;                                                                               \
                }                                                                                                     \
            } while (i <= j);                                                                                         \
            if (j < at) low = i;                                                                                      \
            if (at < i) high = j;                                                                                     \
        }                                                                                                             \
        return values[at];                                                                                            \
    }

SELECT_LARGEST(select_float, float)
SELECT_LARGEST(select_key, uint64_t)

static void shrink(top_buffer *top) {
    if (top->count <= top->k) return;
    uint64_t least = select_key(top->keys, top->count, top->k);
    top->count = top->k;
    top->least = least;
    top->threshold = score_of(least);
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
        scores[i] = score_of(top->keys[i]);
        rows[i] = (int32_t)(0xffffffffu - (uint32_t)top->keys[i]);
    }
    return top->count;
}

enum { MAXIMA = 4096 };

// A threshold that at least k values are above: just below the k-th largest of the maxima of some four stretches for each of
// the k. Spares most offers.
__attribute__((always_inline))
static inline void first_threshold_body(const float *values, size_t count, const uint64_t *allowed, size_t k, float *threshold) {
    size_t stretches = 4 * k < MAXIMA ? 4 * k : MAXIMA, stretch = 16 * ((count / 16 + stretches - 1) / stretches);
    *threshold = -__builtin_inff();
    if (stretch == 0 || count / stretch < k) return;
    float maxima[MAXIMA];
    size_t m = 0;
    for (size_t first = 0; first + stretch <= count && m < MAXIMA; first += stretch) {
        float lanes[16];
        for (size_t lane = 0; lane < 16; lane++) lanes[lane] = -__builtin_inff();
        for (size_t at = first; at < first + stretch; at += 16) {
            uint32_t mask = sixteen(allowed, at, count);
            if (!mask) continue;
            if (mask == 0xffffu) {
                for (size_t lane = 0; lane < 16; lane++)
                    lanes[lane] = values[at + lane] > lanes[lane] ? values[at + lane] : lanes[lane];
                continue;
            }
            for (size_t lane = 0; lane < 16; lane++)
                if (mask >> lane & 1 && values[at + lane] > lanes[lane]) lanes[lane] = values[at + lane];
        }
        for (size_t width = 8; width > 0; width /= 2)
            for (size_t lane = 0; lane < width; lane++)
                lanes[lane] = lanes[lane + width] > lanes[lane] ? lanes[lane + width] : lanes[lane];
        maxima[m++] = lanes[0];
    }
    if (m < k) return;
    float reached = select_float(maxima, m, k);
    if (reached > -__builtin_inff()) *threshold = __builtin_nextafterf(reached, -__builtin_inff());
}

// Rows come in ascending order, so a later one must be above the threshold, not equal to it.
static inline void offer_rows(top_buffer *top, const float *values, size_t first, uint32_t mask) {
    for (; mask; mask &= mask - 1) {
        size_t row = first + (size_t)__builtin_ctz(mask);
        if (values[row] > top->threshold) offer(top, key_of(values[row], (int32_t)row));
    }
}

static void collect_portable(const float *values, size_t count, const uint64_t *allowed, top_buffer *top) {
    for (size_t first = 0; first < count; first += 16) offer_rows(top, values, first, sixteen(allowed, first, count));
}

#if defined(__x86_64__)

EVERY_PATH(first_threshold,
           (const float *values, size_t count, const uint64_t *allowed, size_t k, float *threshold),
           (values, count, allowed, k, threshold))

__attribute__((target("avx512f")))
static void collect_avx512(const float *values, size_t count, const uint64_t *allowed, top_buffer *top) {
    for (size_t first = 0; first < count; first += 16) {
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
        if (values[row] > -__builtin_inff()) offer(&top, key_of(values[row], among[i]));
    }
    return take(&top, ordered, scores, rows);
}
