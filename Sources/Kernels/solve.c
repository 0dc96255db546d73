#include "gram.h"

// Sixteen systems at a time: their Gram matrices one by one, then every element of all systems in one register, so that the steps
// of Cholesky, each of which waits for the one before, are taken for sixteen systems at once. Lanes never meet: what a row
// gets does not depend on its company.

enum { GATHERED = 64 };

static inline int is_short(const kernels_row *row) { return rounded(row->count) < row->dimensions; }

static inline size_t triangle(size_t row) { return row * (row + 1) / 2; }

// Work space in the order of use; every part is a whole number of registers.
typedef struct {
    size_t size;
    // Rows of the lower triangle, each up to its diagonal, and the right side as one row more.
    lanes *lower, *inverses;
    // One matrix per system, rows from the diagonal on, and its right side.
    float *matrices, *rights;
    // Some rows of entries, or of dimensions.
    float *gathered, *roots;
} work;

static inline size_t gathered_floats(size_t d, size_t size) { return (size > GATHERED ? size : GATHERED) * d; }

size_t kernels_solve_space(size_t d, size_t longest, size_t count) {
    size_t size = rounded(longest) < d ? rounded(longest) : d;
    if (size < LANES) size = LANES;
    return LANES * (triangle(size + 1) + size + 1) + count * (size + 1) * size + gathered_floats(d, size) + d;
}

static inline work divide(float *space, size_t d, size_t size, size_t count) {
    work parts = {.size = size};
    parts.lower = (lanes *)aligned(space);
    parts.inverses = parts.lower + triangle(size + 1);
    parts.matrices = (float *)(parts.inverses + size);
    parts.rights = parts.matrices + count * size * size;
    parts.gathered = parts.rights + count * size;
    parts.roots = parts.gathered + gathered_floats(d, size);
    return parts;
}

// The system of the dimensions: D + sum of w t t', and sum of w t.
__attribute__((always_inline))
static inline void form_whole(const kernels_row *row, work parts, float *matrix, float *right, int rows) {
    size_t d = row->dimensions;
    memset(right, 0, d * sizeof(float));
    for (size_t first = 0; first < row->count; first += GATHERED) {
        size_t count = row->count - first < GATHERED ? row->count - first : GATHERED;
        float roots[GATHERED];
        for (size_t p = 0; p < count; p++) roots[p] = __builtin_elementwise_sqrt(row->weights[first + p]);
        for (size_t p = 0; p < count; p++) {
            if (first + p + 8 < row->count) fetch(row->factors + (size_t)row->rows[first + p + 8] * d, d);
            const float *factor = row->factors + (size_t)row->rows[first + p] * d;
            for (size_t c = 0; c < d; c += LANES) *(lanes *)(parts.gathered + p * d + c) = roots[p] * *(const lanes *)(factor + c);
        }
        for (size_t c = 0; c < d; c += LANES) {
            lanes sum = *(const lanes *)(right + c);
            for (size_t p = 0; p < count; p++) sum += roots[p] * *(const lanes *)(parts.gathered + p * d + c);
            *(lanes *)(right + c) = sum;
        }
        gram(parts.gathered, d, count, rows, first > 0 ? ADDED : FROM_ZERO, matrix);
    }
    for (size_t i = 0; i < d; i++) matrix[i * d + i] += row->diagonal[i];
}

// The systems' matrices and right sides, element by element of all.
__attribute__((always_inline))
static inline void interleave(work parts, size_t count) {
    size_t size = parts.size;
    for (size_t row = 0; row <= size; row++)
        for (size_t column = row < size ? first_column(row) : 0; column < size; column += LANES) {
            const float *from = row < size ? parts.matrices + row * size + column : parts.rights + column;
            lanes square[LANES];
            // Where there are fewer systems the last one is taken again.
            for (size_t s = 0; s < LANES; s++) {
                square[s] = *(const lanes *)from;
                if (s + 1 < count) from += row < size ? size * size : size;
            }
            transpose(square);
            for (size_t q = 0; q < LANES; q++) {
                if (row == size) parts.lower[triangle(size) + column + q] = square[q];
                else if (column + q >= row) parts.lower[triangle(column + q) + row] = square[q];
            }
        }
}

// A tile of the lower triangle less the products of what stands before it, times the inverse of the triangle above its columns.
__attribute__((always_inline))
static inline void reduce(lanes *lower, const lanes *inverses, size_t row, size_t column, int rows, int columns) {
    lanes sums[4][4];
    lanes *own[4];
    const lanes *others[4];
    for (int r = 0; r < rows; r++) own[r] = lower + triangle(row + r);
    for (int c = 0; c < columns; c++) others[c] = lower + triangle(column + c);
    for (int r = 0; r < rows; r++)
        for (int c = 0; c < columns; c++) sums[r][c] = own[r][column + c];
    for (size_t k = 0; k < column; k++)
        for (int r = 0; r < rows; r++)
            for (int c = 0; c < columns; c++) sums[r][c] -= own[r][k] * others[c][k];
    for (int c = 0; c < columns; c++)
        for (int r = 0; r < rows; r++) {
            for (int k = 0; k < c; k++) sums[r][c] -= sums[r][k] * others[c][column + k];
            own[r][column + c] = sums[r][c] *= inverses[column + c];
        }
}

// A tile on the diagonal. `inverses` gets 1 over the diagonal elements; where there is none it is not a finite number.
__attribute__((always_inline))
static inline void factor(lanes *lower, lanes *inverses, size_t first, int rows) {
    lanes sums[4][4];
    lanes *own[4];
    for (int r = 0; r < rows; r++) own[r] = lower + triangle(first + r);
    for (int r = 0; r < rows; r++)
        for (int c = 0; c <= r; c++) sums[r][c] = own[r][first + c];
    for (size_t k = 0; k < first; k++)
        for (int r = 0; r < rows; r++)
            for (int c = 0; c <= r; c++) sums[r][c] -= own[r][k] * own[c][k];
    for (int c = 0; c < rows; c++) {
        lanes inverse = 1 / __builtin_elementwise_sqrt(sums[c][c]);
        inverses[first + c] = inverse;
        for (int r = c + 1; r < rows; r++) {
            own[r][first + c] = sums[r][c] *= inverse;
            for (int k = c + 1; k <= r; k++) sums[r][k] -= sums[r][c] * sums[k][c];
        }
    }
}

// L L' = the matrices, and L y = the right sides.
__attribute__((always_inline))
static inline void factor_all(lanes *lower, lanes *inverses, size_t size, int edge) {
    for (size_t row = 0; row < size; row += (size_t)edge) {
        for (size_t column = 0; column < row; column += (size_t)edge) reduce(lower, inverses, row, column, edge, edge);
        factor(lower, inverses, row, edge);
    }
    for (size_t column = 0; column < size; column += (size_t)edge) reduce(lower, inverses, size, column, 1, edge);
}

// L'x = y, in the place of y.
__attribute__((always_inline))
static inline void substitute(const lanes *lower, const lanes *inverses, lanes *x, size_t size, int edge) {
    for (size_t first = size; first > 0;) {
        first -= (size_t)edge;
        const lanes *own[4];
        for (int r = 0; r < edge; r++) own[r] = lower + triangle(first + r);
        for (int r = edge; r-- > 0;) {
            x[first + r] *= inverses[first + r];
            for (int k = 0; k < r; k++) x[first + k] -= own[r][first + k] * x[first + r];
        }
        for (size_t k = 0; k < first; k++) {
            lanes sum = x[k];
            for (int r = edge; r-- > 0;) sum -= own[r][k] * x[first + r];
            x[k] = sum;
        }
    }
}

__attribute__((always_inline))
static inline uint32_t solve(const kernels_row *rows, size_t count, float *space, float *const *solutions, int band, int edge) {
    size_t d = rows[0].dimensions, size = LANES;
    for (size_t s = 0; s < count; s++) {
        size_t own = is_short(rows + s) ? rounded(rows[s].count) : d;
        if (own > size) size = own;
    }
    work parts = divide(space, d, size, count);
    for (size_t s = 0; s < count; s++) {
        float *matrix = parts.matrices + s * size * size, *right = parts.rights + s * size;
        if (is_short(rows + s)) form_entries(rows + s, parts.gathered, parts.roots, matrix, right, size, band);
        else form_whole(rows + s, parts, matrix, right, band);
    }
    interleave(parts, count);
    factor_all(parts.lower, parts.inverses, size, edge);
    lanes *x = parts.lower + triangle(size);
    substitute(parts.lower, parts.inverses, x, size, edge);
    for (size_t c = 0; c < size; c += LANES) {
        transpose(x + c);
        for (size_t s = 0; s < count; s++) *(lanes *)(parts.rights + s * size + c) = x[c + s];
    }
    uint32_t solved = 0;
    for (size_t s = 0; s < count; s++) {
        const float *v = parts.rights + s * size;
        if (is_short(rows + s)) expand(rows + s, v, solutions[s]);
        else memcpy(solutions[s], v, d * sizeof(float));
        solved |= (uint32_t)is_finite(solutions[s], d) << s;
    }
    return solved;
}

#if defined(__x86_64__)
__attribute__((target("avx512f")))
static uint32_t solve_avx512(const kernels_row *rows, size_t count, float *space, float *const *solutions) {
    return solve(rows, count, space, solutions, 8, 4);
}
__attribute__((target("avx2")))
static uint32_t solve_avx2(const kernels_row *rows, size_t count, float *space, float *const *solutions) {
    return solve(rows, count, space, solutions, 4, 2);
}
#endif

uint32_t kernels_solve_rows(kernels_path path, const kernels_row *rows, size_t count, float *space, float *const *solutions) {
#if defined(__x86_64__)
    if (path == KERNELS_VNNI) return solve_avx512(rows, count, space, solutions);
    if (path == KERNELS_AVX2) return solve_avx2(rows, count, space, solutions);
#endif
    return solve(rows, count, space, solutions, 2, 1);
}
