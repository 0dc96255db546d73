#include "paths.h"

#include <string.h>

// Every element is summed in the order of the entries, one addition at a time, whatever the shape of the tiles; so all paths
// give the same bits, though each has tiles that fill its own registers.

typedef float lanes __attribute__((vector_size(64), aligned(4), may_alias));

enum { LANES = 16, GATHERED = 64 };

static inline size_t rounded(size_t count) { return (count + LANES - 1) / LANES * LANES; }

// Where a row begins that is kept from its diagonal on, in whole registers.
static inline size_t first_column(size_t row) { return row / LANES * LANES; }

typedef float half_lanes __attribute__((vector_size(32), aligned(4), may_alias));

// out[r][c] ±= sum over p of a[p][r] * a[p][c], for `rows` rows from `row` on and `wide` registers of columns from `column` on.
__attribute__((always_inline))
static inline void tile(const float *a, size_t stride, size_t count, size_t row, size_t column, int rows, int wide,
                        int subtracts, float *out, size_t size) {
    lanes sums[8][2];
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < wide; v++) sums[r][v] = *(const lanes *)(out + (row + r) * size + column + v * LANES);
    for (size_t p = 0; p < count; p++) {
        const float *entry = a + p * stride;
        lanes columns[2];
        for (int v = 0; v < wide; v++) columns[v] = *(const lanes *)(entry + column + v * LANES);
        for (int r = 0; r < rows; r++)
            for (int v = 0; v < wide; v++) {
                lanes product = entry[row + r] * columns[v];
                sums[r][v] = subtracts ? sums[r][v] - product : sums[r][v] + product;
            }
    }
    for (int r = 0; r < rows; r++)
        for (int v = 0; v < wide; v++) *(lanes *)(out + (row + r) * size + column + v * LANES) = sums[r][v];
}

// The same for half a register of columns.
__attribute__((always_inline))
static inline void half_tile(const float *a, size_t stride, size_t count, size_t row, size_t column, int rows, int subtracts,
                             float *out, size_t size) {
    half_lanes sums[8];
    for (int r = 0; r < rows; r++) sums[r] = *(half_lanes *)(out + (row + r) * size + column);
    for (size_t p = 0; p < count; p++) {
        const float *entry = a + p * stride;
        half_lanes columns = *(const half_lanes *)(entry + column);
        for (int r = 0; r < rows; r++) {
            half_lanes product = entry[row + r] * columns;
            sums[r] = subtracts ? sums[r] - product : sums[r] + product;
        }
    }
    for (int r = 0; r < rows; r++) *(half_lanes *)(out + (row + r) * size + column) = sums[r];
}

// The same for a whole band of rows, from the diagonal on.
__attribute__((always_inline))
static inline void band(const float *a, size_t stride, size_t count, size_t row, int rows, int wide, int subtracts, float *out,
                        size_t size) {
    size_t column = first_column(row);
    if (row - column >= LANES / 2) {
        half_tile(a, stride, count, row, column + LANES / 2, rows, subtracts, out, size);
        column += LANES;
    }
    if (wide == 2)
        for (; column + 2 * LANES <= size; column += 2 * LANES) tile(a, stride, count, row, column, rows, 2, subtracts, out, size);
    for (; column < size; column += LANES) tile(a, stride, count, row, column, rows, 1, subtracts, out, size);
}

// U'U = matrix in place (Cholesky), rows from the diagonal on; `inverses` gets 1 over each diagonal element, and `x` becomes the
// solution of U'x = x meanwhile. Zero when the matrix is not positive definite.
__attribute__((always_inline))
static inline int factor(float *matrix, size_t size, float *inverses, float *x, int rows, int wide) {
    for (size_t first = 0; first < size; first += (size_t)rows) {
        band(matrix, size, first, first, rows, wide, 1, matrix, size);
        for (size_t k = first; k < first + (size_t)rows; k++) {
            float *own = matrix + k * size;
            if (!(own[k] > 0) || own[k] > 3e38f) return 0;
            float inverse = 1 / __builtin_elementwise_sqrt(own[k]);
            inverses[k] = inverse;
            for (size_t c = first_column(k); c < k; c++) own[c] = 0;
            for (size_t c = first_column(k); c < size; c += LANES) *(lanes *)(own + c) *= inverse;
            // The row is zero before its diagonal, so what is solved already stays.
            float solved = x[k] * inverse;
            for (size_t c = first_column(k); c < size; c += LANES) *(lanes *)(x + c) -= solved * *(const lanes *)(own + c);
            x[k] = solved;
            for (size_t r = k + 1; r < first + (size_t)rows; r++) {
                float *other = matrix + r * size;
                for (size_t c = first_column(r); c < size; c += LANES) *(lanes *)(other + c) -= own[r] * *(lanes *)(own + c);
            }
        }
    }
    return 1;
}

__attribute__((always_inline))
static inline float total(const lanes *pointer) {
    lanes sum = *pointer;
    typedef float eight __attribute__((vector_size(32)));
    typedef float four __attribute__((vector_size(16)));
    eight half = __builtin_shufflevector(sum, sum, 0, 1, 2, 3, 4, 5, 6, 7) + __builtin_shufflevector(sum, sum, 8, 9, 10, 11, 12, 13, 14, 15);
    four quarter = __builtin_shufflevector(half, half, 0, 1, 2, 3) + __builtin_shufflevector(half, half, 4, 5, 6, 7);
    return (quarter[0] + quarter[2]) + (quarter[1] + quarter[3]);
}

// Solves U x = x in place.
__attribute__((always_inline))
static inline void substitute(const float *matrix, size_t size, const float *inverses, float *x) {
    for (size_t first = size; first > 0;) {
        first -= LANES;
        float sums[LANES];
        for (size_t r = 0; r < LANES; r++) {
            const float *own = matrix + (first + r) * size;
            lanes sum = {0};
            for (size_t c = first + LANES; c < size; c += LANES) sum += *(const lanes *)(own + c) * *(const lanes *)(x + c);
            sums[r] = total(&sum);
        }
        for (size_t k = LANES; k-- > 0;) {
            float solved = (x[first + k] - sums[k]) * inverses[first + k];
            x[first + k] = solved;
            for (size_t r = 0; r < k; r++) sums[r] += matrix[(first + r) * size + first + k] * solved;
        }
    }
}

// Work space in the order of use; every part is a whole number of registers.
typedef struct {
    float *matrix, *entries, *turned, *inverses, *roots, *right;
} work;

static inline work divide(float *space, size_t d) {
    work parts;
    parts.matrix = space;
    parts.entries = parts.matrix + d * d;
    parts.turned = parts.entries + (d > GATHERED ? d : GATHERED) * d;
    parts.inverses = parts.turned + d * d;
    parts.roots = parts.inverses + d;
    parts.right = parts.roots + d;
    return parts;
}

static inline void fetch(const float *row, size_t d) {
    for (size_t at = 0; at < d && at < 256; at += LANES) __builtin_prefetch(row + at);
}

// The system of the dimensions: D + sum of w t t'.
__attribute__((always_inline))
static inline int solve_whole(const kernels_row *row, work parts, float *solution, int rows, int wide) {
    size_t d = row->dimensions;
    memset(parts.matrix, 0, d * d * sizeof(float));
    memset(solution, 0, d * sizeof(float));
    for (size_t i = 0; i < d; i++) parts.matrix[i * d + i] = row->diagonal[i];
    for (size_t first = 0; first < row->count; first += GATHERED) {
        size_t count = row->count - first < GATHERED ? row->count - first : GATHERED;
        for (size_t p = 0; p < count; p++) {
            if (first + p + 4 < row->count) fetch(row->factors + (size_t)row->rows[first + p + 4] * d, d);
            const float *factor = row->factors + (size_t)row->rows[first + p] * d;
            float weight = row->weights[first + p], root = __builtin_elementwise_sqrt(weight);
            for (size_t c = 0; c < d; c += LANES) {
                lanes values = *(const lanes *)(factor + c);
                *(lanes *)(parts.entries + p * d + c) = root * values;
                *(lanes *)(solution + c) += weight * values;
            }
        }
        for (size_t r = 0; r < d; r += (size_t)rows) band(parts.entries, d, count, r, rows, wide, 0, parts.matrix, d);
    }
    if (!factor(parts.matrix, d, parts.inverses, solution, rows, wide)) return 0;
    substitute(parts.matrix, d, parts.inverses, solution);
    return 1;
}

// rows x columns to columns x rows, both whole numbers of four.
__attribute__((always_inline))
static inline void transpose(const float *from, size_t rows, size_t columns, float *to) {
    typedef float four __attribute__((vector_size(16), aligned(4), may_alias));
    for (size_t r = 0; r < rows; r += 4)
        for (size_t c = 0; c < columns; c += 4) {
            const float *source = from + r * columns + c;
            four a = *(const four *)source, b = *(const four *)(source + columns);
            four e = *(const four *)(source + 2 * columns), f = *(const four *)(source + 3 * columns);
            four low = __builtin_shufflevector(a, b, 0, 4, 1, 5), high = __builtin_shufflevector(a, b, 2, 6, 3, 7);
            four lower = __builtin_shufflevector(e, f, 0, 4, 1, 5), higher = __builtin_shufflevector(e, f, 2, 6, 3, 7);
            float *target = to + c * rows + r;
            *(four *)target = __builtin_shufflevector(low, lower, 0, 1, 4, 5);
            *(four *)(target + rows) = __builtin_shufflevector(low, lower, 2, 3, 6, 7);
            *(four *)(target + 2 * rows) = __builtin_shufflevector(high, higher, 0, 1, 4, 5);
            *(four *)(target + 3 * rows) = __builtin_shufflevector(high, higher, 2, 3, 6, 7);
        }
}

// The system of the entries (Woodbury 1950): x = D^-1 T' v with (W^-1 + T D^-1 T') v = 1. Entries that fill a register up are
// zero, and v of them is too.
__attribute__((always_inline))
static inline int solve_entries(const kernels_row *row, work parts, float *solution, int rows, int wide) {
    size_t d = row->dimensions, count = row->count, size = rounded(count);
    for (size_t c = 0; c < d; c += LANES) {
        *(lanes *)(parts.roots + c) = 1 / __builtin_elementwise_sqrt(*(const lanes *)(row->diagonal + c));
        *(lanes *)(solution + c) = (lanes){0};
    }
    for (size_t p = 0; p < count; p++) {
        if (p + 4 < count) fetch(row->factors + (size_t)row->rows[p + 4] * d, d);
        const float *factor = row->factors + (size_t)row->rows[p] * d;
        for (size_t c = 0; c < d; c += LANES)
            *(lanes *)(parts.entries + p * d + c) = *(const lanes *)(parts.roots + c) * *(const lanes *)(factor + c);
    }
    memset(parts.entries + count * d, 0, (size - count) * d * sizeof(float));
    transpose(parts.entries, size, d, parts.turned);
    memset(parts.matrix, 0, size * size * sizeof(float));
    for (size_t p = 0; p < size; p++) {
        parts.matrix[p * size + p] = p < count ? 1 / row->weights[p] : 1;
        parts.right[p] = p < count ? 1 : 0;
    }
    for (size_t r = 0; r < size; r += (size_t)rows) band(parts.turned, size, d, r, rows, wide, 0, parts.matrix, size);
    if (!factor(parts.matrix, size, parts.inverses, parts.right, rows, wide)) return 0;
    substitute(parts.matrix, size, parts.inverses, parts.right);
    for (size_t p = 0; p < count; p++)
        for (size_t c = 0; c < d; c += LANES)
            *(lanes *)(solution + c) += parts.right[p] * *(const lanes *)(parts.entries + p * d + c);
    for (size_t c = 0; c < d; c += LANES) *(lanes *)(solution + c) *= *(const lanes *)(parts.roots + c);
    return 1;
}

__attribute__((always_inline))
static inline float dot(const float *a, const float *b, size_t d) {
    lanes sum = {0};
    for (size_t c = 0; c < d; c += LANES) sum += *(const lanes *)(a + c) * *(const lanes *)(b + c);
    return total(&sum);
}

// out = D v + sum of w (t.v - target) t
__attribute__((always_inline))
static inline void apply(const kernels_row *row, const float *v, float target, float *out) {
    size_t d = row->dimensions;
    for (size_t c = 0; c < d; c += LANES) *(lanes *)(out + c) = *(const lanes *)(row->diagonal + c) * *(const lanes *)(v + c);
    for (size_t p = 0; p < row->count; p++) {
        if (p + 4 < row->count) fetch(row->factors + (size_t)row->rows[p + 4] * d, d);
        const float *factor = row->factors + (size_t)row->rows[p] * d;
        float step = row->weights[p] * (dot(factor, v, d) - target);
        for (size_t c = 0; c < d; c += LANES) *(lanes *)(out + c) += step * *(const lanes *)(factor + c);
    }
}

__attribute__((always_inline))
static inline int improve(const kernels_row *row, int steps, float *space, float *solution) {
    size_t d = row->dimensions;
    float *residual = space, *scaled = space + d, *direction = space + 2 * d, *product = space + 3 * d, *inverses = space + 4 * d;
    float *result = space + 5 * d;
    memcpy(inverses, row->diagonal, d * sizeof(float));
    for (size_t p = 0; p < row->count; p++) {
        const float *factor = row->factors + (size_t)row->rows[p] * d;
        if (p + 4 < row->count) fetch(row->factors + (size_t)row->rows[p + 4] * d, d);
        for (size_t c = 0; c < d; c += LANES) {
            lanes values = *(const lanes *)(factor + c);
            *(lanes *)(inverses + c) += row->weights[p] * (values * values);
        }
    }
    memcpy(result, solution, d * sizeof(float));
    apply(row, result, 1, residual);
    for (size_t c = 0; c < d; c++) {
        inverses[c] = 1 / inverses[c];
        residual[c] = -residual[c];
        direction[c] = inverses[c] * residual[c];
    }
    float square = dot(residual, direction, d);
    for (int step = 0; step < steps && square > 1e-20f; step++) {
        apply(row, direction, 0, product);
        float length = square / dot(direction, product, d);
        for (size_t c = 0; c < d; c++) {
            result[c] += length * direction[c];
            residual[c] -= length * product[c];
            scaled[c] = inverses[c] * residual[c];
        }
        float next = dot(residual, scaled, d);
        for (size_t c = 0; c < d; c++) direction[c] = scaled[c] + next / square * direction[c];
        square = next;
    }
    float sum = square * 0;
    for (size_t c = 0; c < d; c++) sum += result[c] * 0;
    if (sum != 0) return 0;
    memcpy(solution, result, d * sizeof(float));
    return 1;
}

__attribute__((always_inline))
static inline int solve(const kernels_row *row, float *space, float *solution, int rows, int wide) {
    work parts = divide(space, row->dimensions);
    int isSolved = rounded(row->count) < row->dimensions ? solve_entries(row, parts, solution, rows, wide)
                                                         : solve_whole(row, parts, solution, rows, wide);
    float sum = 0;
    for (size_t c = 0; c < row->dimensions && isSolved; c++) sum += solution[c] * 0;
    if (isSolved && sum == 0) return 1;
    memset(solution, 0, row->dimensions * sizeof(float));
    return 0;
}

#if defined(__x86_64__)
__attribute__((target("avx512f")))
static int solve_avx512(const kernels_row *row, float *space, float *solution) { return solve(row, space, solution, 8, 2); }
__attribute__((target("avx2")))
static int solve_avx2(const kernels_row *row, float *space, float *solution) { return solve(row, space, solution, 4, 1); }
__attribute__((target("avx512f")))
static int improve_avx512(const kernels_row *row, int steps, float *space, float *x) { return improve(row, steps, space, x); }
__attribute__((target("avx2")))
static int improve_avx2(const kernels_row *row, int steps, float *space, float *x) { return improve(row, steps, space, x); }
#endif

size_t kernels_solve_space(size_t dimensions) {
    return dimensions * (2 * dimensions + (dimensions > GATHERED ? dimensions : GATHERED) + 3);
}

int kernels_solve_row(kernels_path path, const kernels_row *row, float *space, float *solution) {
#if defined(__x86_64__)
    if (path == KERNELS_VNNI) return solve_avx512(row, space, solution);
    if (path == KERNELS_AVX2) return solve_avx2(row, space, solution);
#endif
    return solve(row, space, solution, 2, 1);
}

int kernels_improve_row(kernels_path path, const kernels_row *row, int steps, float *space, float *solution) {
#if defined(__x86_64__)
    if (path == KERNELS_VNNI) return improve_avx512(row, steps, space, solution);
    if (path == KERNELS_AVX2) return improve_avx2(row, steps, space, solution);
#endif
    return improve(row, steps, space, solution);
}
