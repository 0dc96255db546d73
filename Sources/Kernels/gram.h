#pragma once
#include "kernels.h"

#include <string.h>

// Every element is summed in the order of the entries, one addition at a time, whatever the shape of the tiles; so all paths
// give the same bits, though each has tiles that fill its own registers.

typedef float lanes __attribute__((vector_size(64), aligned(4), may_alias));
typedef float half_lanes __attribute__((vector_size(32), aligned(4), may_alias));

enum { LANES = 16 };

static inline size_t rounded(size_t count) { return (count + LANES - 1) / LANES * LANES; }

// Where a row begins that is kept from its diagonal on, in whole registers.
static inline size_t first_column(size_t row) { return row / LANES * LANES; }

// Lanes added up, in one order for all paths. By a pointer, since passing registers in halves has no common convention.
__attribute__((always_inline))
static inline float total(const lanes *pointer) {
    lanes sum = *pointer;
    typedef float four __attribute__((vector_size(16)));
    half_lanes half = __builtin_shufflevector(sum, sum, 0, 1, 2, 3, 4, 5, 6, 7) + __builtin_shufflevector(sum, sum, 8, 9, 10, 11, 12, 13, 14, 15);
    four quarter = __builtin_shufflevector(half, half, 0, 1, 2, 3) + __builtin_shufflevector(half, half, 4, 5, 6, 7);
    return (quarter[0] + quarter[2]) + (quarter[1] + quarter[3]);
}

// A row that is soon to be read.
static inline void fetch(const float *row, size_t d) {
    for (size_t at = 0; at < d && at < 256; at += LANES) __builtin_prefetch(row + at);
}

// What a sum of products begins with and what becomes of them.
typedef enum { FROM_ZERO, ADDED, SUBTRACTED } gram_mode;

// out[r][c] = (0 or out[r][c]) ± sum over p of a[p][r] * a[p][c], for `rows` rows from `row` on and a register of columns from
// `column` on. The columns are multiplied by elements straight out of memory; two registers of columns that share an element
// run at two thirds of the rate on Zen 4.
#define TILE(name, columns)                                                                                              \
    __attribute__((always_inline))                                                                                       \
    static inline void name(const float *a, size_t stride, size_t count, size_t row, size_t column, int rows,            \
                            gram_mode mode, float *out, size_t size) {                                                   \
        columns sums[8];                                                                                                 \
        for (int r = 0; r < rows; r++)                                                                                   \
            sums[r] = mode == FROM_ZERO ? (columns){0} : *(const columns *)(out + (row + r) * size + column);            \
        for (size_t p = 0; p < count; p++) {                                                                             \
            const float *entry = a + p * stride;                                                                         \
            columns values = *(const columns *)(entry + column);                                                         \
            for (int r = 0; r < rows; r++) {                                                                             \
                columns product = entry[row + r] * values;                                                               \
                sums[r] = mode == SUBTRACTED ? sums[r] - product : sums[r] + product;                                    \
            }                                                                                                            \
        }                                                                                                                \
        for (int r = 0; r < rows; r++) *(columns *)(out + (row + r) * size + column) = sums[r];                          \
    }

TILE(tile, lanes)
TILE(half_tile, half_lanes)
#undef TILE

// The same for a whole band of rows, from the diagonal on.
__attribute__((always_inline))
static inline void band(const float *a, size_t stride, size_t count, size_t row, int rows, gram_mode mode, float *out, size_t size) {
    size_t column = first_column(row);
    if (row - column >= LANES / 2) {
        half_tile(a, stride, count, row, column + LANES / 2, rows, mode, out, size);
        column += LANES;
    }
    for (; column < size; column += LANES) tile(a, stride, count, row, column, rows, mode, out, size);
}

// out = a'a of `count` rows of `size` values, or that added; each row of the result from its diagonal on.
__attribute__((always_inline))
static inline void gram(const float *a, size_t size, size_t count, int rows, gram_mode mode, float *out) {
    for (size_t row = 0; row < size; row += (size_t)rows) {
        // Twice, so that the compiler knows the mode.
        if (mode == FROM_ZERO) band(a, size, count, row, rows, FROM_ZERO, out, size);
        else band(a, size, count, row, rows, ADDED, out, size);
    }
}

// Sixteen registers as the rows of a square to its columns, by exchanging ever larger parts (Eklundh 1972).
__attribute__((always_inline))
static inline void transpose(lanes square[LANES]) {
#define EXCHANGE(step, low, high)                                                                                        \
    for (int r = 0; r < LANES; r++)                                                                                      \
        if (!(r & step)) {                                                                                               \
            lanes a = square[r], b = square[r + step];                                                                   \
            square[r] = __builtin_shufflevector(a, b, low);                                                              \
            square[r + step] = __builtin_shufflevector(a, b, high);                                                      \
        }
#define LIST(...) __VA_ARGS__
    EXCHANGE(1, LIST(0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30),
             LIST(1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31))
    EXCHANGE(2, LIST(0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29),
             LIST(2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31))
    EXCHANGE(4, LIST(0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27),
             LIST(4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31))
    EXCHANGE(8, LIST(0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23),
             LIST(8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31))
#undef LIST
#undef EXCHANGE
}

// The system of the entries (Woodbury 1950): (W^-1 + T D^-1 T') v = 1, and x = D^-1 T' v. Entries up to `size` are zero, and v of
// them is too. `turned` has room for dimensions x size values, `roots` for the dimensions.
__attribute__((always_inline))
static inline void form_entries(const kernels_row *row, float *turned, float *roots, float *matrix, float *right, size_t size, int rows) {
    size_t d = row->dimensions, count = row->count;
    for (size_t c = 0; c < d; c += LANES) *(lanes *)(roots + c) = 1 / __builtin_elementwise_sqrt(*(const lanes *)(row->diagonal + c));
    for (size_t first = 0; first < size; first += LANES)
        for (size_t c = 0; c < d; c += LANES) {
            lanes square[LANES];
            for (size_t p = 0; p < LANES; p++)
                square[p] = first + p < count ? *(const lanes *)(roots + c)
                                                    * *(const lanes *)(row->factors + (size_t)row->rows[first + p] * d + c)
                                              : (lanes){0};
            transpose(square);
            for (size_t q = 0; q < LANES; q++) *(lanes *)(turned + (c + q) * size + first) = square[q];
        }
    gram(turned, size, d, rows, FROM_ZERO, matrix);
    for (size_t p = 0; p < size; p++) {
        matrix[p * size + p] += p < count ? 1 / row->weights[p] : 1;
        right[p] = p < count ? 1 : 0;
    }
}

// x of v.
__attribute__((always_inline))
static inline void expand(const kernels_row *row, const float *v, float *solution) {
    size_t d = row->dimensions;
    for (size_t c = 0; c < d; c += LANES) {
        lanes sum = {0};
        for (size_t p = 0; p < row->count; p++) sum += v[p] * *(const lanes *)(row->factors + (size_t)row->rows[p] * d + c);
        *(lanes *)(solution + c) = sum / *(const lanes *)(row->diagonal + c);
    }
}

// Zero, with zeros written, when the solution is not finite.
__attribute__((always_inline))
static inline int is_finite(float *solution, size_t d) {
    float sum = 0;
    for (size_t c = 0; c < d; c++) sum += solution[c] * 0;
    if (sum == 0) return 1;
    memset(solution, 0, d * sizeof(float));
    return 0;
}

// Work space from the next whole register on.
static inline float *aligned(float *space) {
    return (float *)(((uintptr_t)space + sizeof(lanes) - 1) / sizeof(lanes) * sizeof(lanes));
}
