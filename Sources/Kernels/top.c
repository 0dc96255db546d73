#include "top.h"

#include <string.h>

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

// At least k of the orders are above `low`, fewer above `high`.
typedef struct {
    int64_t low, high;
    size_t aboveLow, aboveHigh;
} bracket;

// Halves the bracket until it is one wide, or few more than k are above it: `slack` at most.
__attribute__((always_inline))
static inline void narrow(const int32_t *orders, size_t count, size_t k, size_t slack, bracket *within) {
    while (within->high - within->low > 1 && within->aboveLow > k + slack) {
        int32_t middle = (int32_t)(within->low + (within->high - within->low) / 2);
        uint32_t above = 0;
        for (size_t i = 0; i < count; i++) above += orders[i] > middle;
        if (above < k) {
            within->high = middle;
            within->aboveHigh = above;
        } else {
            within->low = middle;
            within->aboveLow = above;
        }
    }
}

static const int64_t lowest = INT32_MIN, highest = INT32_MAX;

// The best k stay, in their order; of equal ones the first. What is not above the new threshold cannot be among the best any more.
__attribute__((always_inline))
static inline void shrink_body(top_buffer *top) {
    if (top->count <= top->k) return;
    bracket within = {.low = lowest, .high = highest, .aboveLow = top->count};
    narrow(top->orders, top->count, top->k, 0, &within);
    // Either just k are above `low`, or all that are above it and not above `high` are equal.
    size_t equals = within.aboveLow == top->k ? 0 : top->k - within.aboveHigh, kept = 0;
    int32_t least = (int32_t)(within.aboveLow == top->k ? within.low : within.high);
    for (size_t i = 0; i < top->count; i++) {
        int32_t order = top->orders[i], row = top->rows[i];
        top->orders[kept] = order;
        top->rows[kept] = row;
        size_t isEqual = (order == least) & (equals > 0);
        kept += (order > least) | isEqual;
        equals -= isEqual;
    }
    top->count = kept;
    top->threshold = value_of(least);
}

// A threshold that at least k values are above, and few more. Of some four stretches for each of the k, every sixteenth value makes
// one stretch; the k-th largest of their maxima is bracketed. Spares most of the work with single rows.
__attribute__((always_inline))
static inline void first_threshold_body(const float *values, size_t count, const uint64_t *allowed, size_t k, float *threshold) {
    enum { MAXIMA = 4096 };
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
    bracket within = {.low = order_of(-__builtin_inff()), .high = order_of(__builtin_inff()), .aboveLow = m + k};
    narrow(maxima, m, k, k / 16, &within);
    // What lies between zero and all below is a negative zero, which no zero is above.
    *threshold = value_of((int32_t)(within.low == -1 ? -2 : within.low));
}

static void shrink_portable(top_buffer *top) { shrink_body(top); }

// Rows come in ascending order, so a later one must be above the threshold, not equal to it.
static inline void take_rows(top_buffer *top, const float *values, size_t row, size_t at, uint64_t mask) {
    for (; mask; mask &= mask - 1) {
        size_t place = at + (size_t)__builtin_ctzll(mask);
        if (!(values[place] > top->threshold)) continue;
        top->orders[top->count] = order_of(values[place]);
        top->rows[top->count++] = (int32_t)(row + place);
    }
}

// Rows that a look may bring.
enum { LOOK = 64 };

static inline int is_full(const top_buffer *top) { return top->count + LOOK > top->capacity; }

static void collect_portable(const float *values, size_t row, size_t count, const uint64_t *allowed, top_buffer *top) {
    for (size_t at = 0; at < count; at += 16) {
        if (is_full(top)) shrink_portable(top);
        take_rows(top, values, row, at, sixteen(allowed, at, count));
    }
}

#if defined(__x86_64__)

EVERY_PATH(shrink, (top_buffer *top), (top))
EVERY_PATH(first_threshold,
           (const float *values, size_t count, const uint64_t *allowed, size_t k, float *threshold),
           (values, count, allowed, k, threshold))

__attribute__((target("avx2")))
static void collect_avx2(const float *values, size_t row, size_t count, const uint64_t *allowed, top_buffer *top) {
    size_t at = 0;
    for (; at + 16 <= count; at += 16) {
        if (is_full(top)) shrink_avx2(top);
        __m256 least = _mm256_set1_ps(top->threshold);
        uint32_t mask = (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(values + at), least, _CMP_GT_OQ))
            | (uint32_t)_mm256_movemask_ps(_mm256_cmp_ps(_mm256_loadu_ps(values + at + 8), least, _CMP_GT_OQ)) << 8;
        if (mask && allowed) mask &= sixteen(allowed, at, count);
        if (mask) take_rows(top, values, row, at, mask);
    }
    if (is_full(top)) shrink_avx2(top);
    if (at < count) take_rows(top, values, row, at, sixteen(allowed, at, count));
}

// Those of sixteen that are above the threshold, next to each other.
__attribute__((target("avx512f"), always_inline))
static inline void take_sixteen(top_buffer *top, __m512 values, __mmask16 mask, size_t row) {
    __m512i bits = _mm512_castps_si512(_mm512_add_ps(values, _mm512_setzero_ps()));
    __m512i orders = _mm512_xor_si512(bits, _mm512_and_si512(_mm512_srai_epi32(bits, 31), _mm512_set1_epi32(0x7fffffff)));
    __m512i rows = _mm512_add_epi32(
        _mm512_set1_epi32((int32_t)row), _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
    _mm512_storeu_si512(top->orders + top->count, _mm512_maskz_compress_epi32(mask, orders));
    _mm512_storeu_si512(top->rows + top->count, _mm512_maskz_compress_epi32(mask, rows));
    top->count += (size_t)__builtin_popcount(mask);
}

__attribute__((target("avx512f")))
static void collect_avx512(const float *values, size_t row, size_t count, const uint64_t *allowed, top_buffer *top) {
    size_t at = 0;
    // Most are below: four times sixteen with one look.
    for (; !allowed && at + LOOK <= count; at += LOOK) {
        if (is_full(top)) shrink_avx512(top);
        __m512 least = _mm512_set1_ps(top->threshold), four[4];
        __mmask16 masks[4], any = 0;
        for (size_t part = 0; part < 4; part++) {
            four[part] = _mm512_loadu_ps(values + at + 16 * part);
            any |= masks[part] = _mm512_cmp_ps_mask(four[part], least, _CMP_GT_OQ);
        }
        if (!any) continue;
        for (size_t part = 0; part < 4; part++)
            if (masks[part]) take_sixteen(top, four[part], masks[part], row + at + 16 * part);
    }
    for (; at < count; at += 16) {
        if (is_full(top)) shrink_avx512(top);
        __mmask16 mask = (__mmask16)sixteen(allowed, at, count);
        __m512 scores = _mm512_maskz_loadu_ps(mask, values + at);
        mask &= _mm512_cmp_ps_mask(scores, _mm512_set1_ps(top->threshold), _CMP_GT_OQ);
        if (mask) take_sixteen(top, scores, mask, row + at);
    }
}

#endif

void top_begin(top_buffer *top, uint64_t *space, size_t k, float threshold) {
    size_t capacity = kernels_top_space(k);
    *top = (top_buffer){.orders = (int32_t *)space, .rows = (int32_t *)space + capacity, .k = k, .capacity = capacity, .threshold = threshold};
}

float top_threshold(kernels_path path, const float *values, size_t count, const uint64_t *allowed, size_t k) {
    float threshold;
#if defined(__x86_64__)
    if (path == KERNELS_VNNI)
        first_threshold_avx512(values, count, allowed, k, &threshold);
    else if (path == KERNELS_AVX2)
        first_threshold_avx2(values, count, allowed, k, &threshold);
    else
#endif
        first_threshold_body(values, count, allowed, k, &threshold);
    return threshold;
}

void top_collect(kernels_path path, const float *values, size_t first, size_t count, const uint64_t *allowed, top_buffer *top) {
#if defined(__x86_64__)
    if (path == KERNELS_VNNI) return collect_avx512(values, first, count, allowed, top);
    if (path == KERNELS_AVX2) return collect_avx2(values, first, count, allowed, top);
#endif
    collect_portable(values, first, count, allowed, top);
}

size_t top_take(kernels_path path, top_buffer *top, float *scores, int32_t *rows) {
#if defined(__x86_64__)
    if (path == KERNELS_VNNI)
        shrink_avx512(top);
    else if (path == KERNELS_AVX2)
        shrink_avx2(top);
    else
#endif
        shrink_portable(top);
    for (size_t i = 0; i < top->count; i++) scores[i] = value_of(top->orders[i]);
    memcpy(rows, top->rows, top->count * sizeof(int32_t));
    return top->count;
}

// Few keys: as many places behind the first as there are larger ones.
enum { FEW = 256 };

__attribute__((always_inline))
static inline void sort_few_body(uint64_t *keys, size_t count) {
    uint64_t unsorted[FEW];
    memcpy(unsorted, keys, count * sizeof(uint64_t));
    for (size_t i = 0; i < count; i++) {
        uint64_t larger = 0;
        for (size_t j = 0; j < count; j++) larger += unsorted[j] > unsorted[i];
        keys[larger] = unsorted[i];
    }
}

#if defined(__x86_64__)
EVERY_PATH(sort_few, (uint64_t *keys, size_t count), (keys, count))
#endif

// Many: heap sort with the smallest at the root.
static void sort_many(uint64_t *keys, size_t count) {
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

// Distinct keys, largest first.
static void sort_keys(uint64_t *keys, size_t count) {
    if (count > FEW) return sort_many(keys, count);
#if defined(__x86_64__)
    kernels_path path = kernels_best_path();
    if (path == KERNELS_VNNI) return sort_few_avx512(keys, count);
    if (path == KERNELS_AVX2) return sort_few_avx2(keys, count);
#endif
    sort_few_body(keys, count);
}

// Puts what was found into order, best first.
static void sort_found(uint64_t *space, size_t count, float *scores, int32_t *rows) {
    for (size_t i = 0; i < count; i++) space[i] = kernels_key(scores[i], rows[i]);
    sort_keys(space, count);
    for (size_t i = 0; i < count; i++) {
        scores[i] = kernels_key_score(space[i]);
        rows[i] = kernels_key_row(space[i]);
    }
}

size_t kernels_top_float(kernels_path path, const float *values, size_t count, const uint64_t *allowed, size_t k,
                         int ordered, uint64_t *space, float *scores, int32_t *rows) {
    if (k == 0 || count == 0) return 0;
    top_buffer top;
    top_begin(&top, space, k, top_threshold(path, values, count, allowed, k));
    top_collect(path, values, 0, count, allowed, &top);
    size_t found = top_take(path, &top, scores, rows);
    if (ordered) sort_found(space, found, scores, rows);
    return found;
}

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

size_t kernels_top_among(const float *values, const int32_t *among, size_t count, const uint64_t *allowed, size_t k,
                         int ordered, uint64_t *space, float *scores, int32_t *rows) {
    if (k == 0) return 0;
    size_t held = 0, capacity = kernels_top_space(k);
    // What is not above it cannot be among the best k.
    uint64_t least = 0;
    for (size_t i = 0; i < count; i++) {
        size_t row = (size_t)among[i];
        if (allowed && !(allowed[row / 64] >> (row % 64) & 1)) continue;
        if (!(values[row] > -__builtin_inff())) continue;
        uint64_t key = kernels_key(values[row], among[i]);
        if (key <= least) continue;
        space[held++] = key;
        if (held < capacity) continue;
        least = select_key(space, held, k);
        held = k;
    }
    if (held > k) select_key(space, held, k);
    size_t found = held < k ? held : k;
    for (size_t i = 0; i < found; i++) {
        scores[i] = kernels_key_score(space[i]);
        rows[i] = kernels_key_row(space[i]);
    }
    if (ordered) sort_found(space, found, scores, rows);
    return found;
}

size_t kernels_largest_keys(uint64_t *keys, size_t count, size_t k) {
    if (k == 0 || count == 0) return 0;
    if (k < count) select_key(keys, count, k);
    else k = count;
    sort_keys(keys, k);
    return k;
}
