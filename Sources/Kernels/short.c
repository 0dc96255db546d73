#include "gram.h"

// One row alone, at a request: a system of the size of its entries, in registers of its own.

// U'U = matrix in place (Cholesky), rows from the diagonal on; `inverses` gets 1 over each diagonal element, and `x` becomes the
// solution of U'x = x meanwhile. Zero when the matrix is not positive definite.
__attribute__((always_inline))
static inline int factor(float *matrix, size_t size, float *inverses, float *x, int rows) {
    for (size_t first = 0; first < size; first += (size_t)rows) {
        band(matrix, size, first, first, rows, SUBTRACTED, matrix, size);
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

__attribute__((always_inline))
static inline int solve(const kernels_row *row, float *space, float *solution, int rows) {
    size_t d = row->dimensions, size = rounded(row->count);
    float *matrix = aligned(space), *turned = matrix + size * size, *roots = turned + d * size, *right = roots + d;
    float *inverses = right + size;
    form_entries(row, turned, roots, matrix, right, size, rows);
    if (!factor(matrix, size, inverses, right, rows)) {
        memset(solution, 0, d * sizeof(float));
        return 0;
    }
    substitute(matrix, size, inverses, right);
    expand(row, right, solution);
    return is_finite(solution, d);
}

#if defined(__x86_64__)
__attribute__((target("avx512f")))
static int solve_avx512(const kernels_row *row, float *space, float *solution) { return solve(row, space, solution, 8); }
__attribute__((target("avx2")))
static int solve_avx2(const kernels_row *row, float *space, float *solution) { return solve(row, space, solution, 4); }
#endif

size_t kernels_short_space(size_t d, size_t count) { return rounded(count) * (rounded(count) + d + 2) + d + LANES; }

int kernels_solve_short(kernels_path path, const kernels_row *row, float *space, float *solution) {
#if defined(__x86_64__)
    if (path == KERNELS_VNNI) return solve_avx512(row, space, solution);
    if (path == KERNELS_AVX2) return solve_avx2(row, space, solution);
#endif
    return solve(row, space, solution, 2);
}
