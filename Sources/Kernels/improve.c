#include "gram.h"

// Eight entries at a time: their products with the direction side by side, then one pass over the sums that they go into.
enum { ENTRIES = 8 };

// One of eight from each half of sixteen lanes: every register's lanes added up, in one order for all paths.
__attribute__((always_inline))
static inline void add_up(lanes sums[ENTRIES], float *out) {
    half_lanes halves[ENTRIES];
    for (int p = 0; p < ENTRIES; p++)
        halves[p] = __builtin_shufflevector(sums[p], sums[p], 0, 1, 2, 3, 4, 5, 6, 7)
            + __builtin_shufflevector(sums[p], sums[p], 8, 9, 10, 11, 12, 13, 14, 15);
    for (int p = 0; p < 4; p++)
        halves[p] = __builtin_shufflevector(halves[p], halves[p + 4], 0, 1, 2, 3, 8, 9, 10, 11)
            + __builtin_shufflevector(halves[p], halves[p + 4], 4, 5, 6, 7, 12, 13, 14, 15);
    for (int p = 0; p < 2; p++)
        halves[p] = __builtin_shufflevector(halves[p], halves[p + 2], 0, 1, 8, 9, 4, 5, 12, 13)
            + __builtin_shufflevector(halves[p], halves[p + 2], 2, 3, 10, 11, 6, 7, 14, 15);
    *(half_lanes *)out = __builtin_shufflevector(halves[0], halves[1], 0, 8, 2, 10, 4, 12, 6, 14)
        + __builtin_shufflevector(halves[0], halves[1], 1, 9, 3, 11, 5, 13, 7, 15);
}

__attribute__((always_inline))
static inline float dot(const float *a, const float *b, size_t d) {
    lanes sum = {0};
    for (size_t c = 0; c < d; c += LANES) sum += *(const lanes *)(a + c) * *(const lanes *)(b + c);
    return total(&sum);
}

// out += sum of (e.v - targets) e over eight entries one after another in memory; `targets` may be NULL for zeros.
__attribute__((always_inline))
static inline void apply_some(const float *entries, size_t d, const float *v, const float *targets, float *out) {
    lanes sums[ENTRIES];
    float products[ENTRIES];
    for (size_t p = 0; p < ENTRIES; p++) sums[p] = (lanes){0};
    for (size_t c = 0; c < d; c += LANES) {
        lanes along = *(const lanes *)(v + c);
        for (size_t p = 0; p < ENTRIES; p++) sums[p] += *(const lanes *)(entries + p * d + c) * along;
    }
    add_up(sums, products);
    if (targets)
        for (size_t p = 0; p < ENTRIES; p++) products[p] -= targets[p];
    lanes steps[ENTRIES];
    for (size_t p = 0; p < ENTRIES; p++) steps[p] = products[p] - (lanes){0};
    for (size_t c = 0; c < d; c += LANES) {
        lanes sum = *(const lanes *)(out + c);
        for (size_t p = 0; p < ENTRIES; p++) sum += steps[p] * *(const lanes *)(entries + p * d + c);
        *(lanes *)(out + c) = sum;
    }
}

// out = D v
__attribute__((always_inline))
static inline void scale(const float *diagonal, const float *v, size_t d, float *out) {
    for (size_t c = 0; c < d; c += LANES) *(lanes *)(out + c) = *(const lanes *)(diagonal + c) * *(const lanes *)(v + c);
}

// Gathers the entries times the roots of their weights, and from them out = D v + sum of w (t.v - 1) t, squares = D + sum of w t^2.
__attribute__((always_inline))
static inline void begin(const kernels_row *row, const float *v, float *entries, float *out, float *squares) {
    size_t d = row->dimensions;
    scale(row->diagonal, v, d, out);
    memcpy(squares, row->diagonal, d * sizeof(float));
    for (size_t first = 0; first < row->count; first += ENTRIES, entries += ENTRIES * d) {
        // The last eight are filled up by zeros.
        const float *factors[ENTRIES];
        float roots[ENTRIES];
        for (size_t p = 0; p < ENTRIES; p++) {
            size_t at = first + p < row->count ? first + p : row->count - 1;
            factors[p] = row->factors + (size_t)row->rows[at] * d;
            roots[p] = first + p < row->count ? row->weights[at] : 0;
            if (at + ENTRIES < row->count) fetch(row->factors + (size_t)row->rows[at + ENTRIES] * d, d);
        }
        for (size_t p = 0; p < ENTRIES; p++) roots[p] = __builtin_elementwise_sqrt(roots[p]);
        for (size_t c = 0; c < d; c += LANES) {
            lanes sum = *(const lanes *)(squares + c);
            for (size_t p = 0; p < ENTRIES; p++) {
                lanes values = roots[p] * *(const lanes *)(factors[p] + c);
                *(lanes *)(entries + p * d + c) = values;
                sum += values * values;
            }
            *(lanes *)(squares + c) = sum;
        }
        apply_some(entries, d, v, roots, out);
    }
}

__attribute__((always_inline))
static inline int improve(const kernels_row *row, int steps, float *space, float *solution) {
    size_t d = row->dimensions;
    space = aligned(space);
    float *residual = space, *scaled = space + d, *direction = space + 2 * d, *product = space + 3 * d, *inverses = space + 4 * d;
    float *result = space + 5 * d, *entries = space + 6 * d;
    memcpy(result, solution, d * sizeof(float));
    begin(row, result, entries, residual, inverses);
    for (size_t c = 0; c < d; c++) {
        inverses[c] = 1 / inverses[c];
        residual[c] = -residual[c];
        direction[c] = inverses[c] * residual[c];
    }
    float square = dot(residual, direction, d);
    for (int step = 0; step < steps && square > 1e-20f; step++) {
        scale(row->diagonal, direction, d, product);
        for (size_t first = 0; first < row->count; first += ENTRIES) apply_some(entries + first * d, d, direction, NULL, product);
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
    // Where the first square is no number no step was taken.
    if (square * 0 != 0 || !is_finite(result, d)) return 0;
    memcpy(solution, result, d * sizeof(float));
    return 1;
}

#if defined(__x86_64__)
__attribute__((target("avx512f")))
static int improve_avx512(const kernels_row *row, int steps, float *space, float *x) { return improve(row, steps, space, x); }
__attribute__((target("avx2")))
static int improve_avx2(const kernels_row *row, int steps, float *space, float *x) { return improve(row, steps, space, x); }
#endif

size_t kernels_improve_space(size_t d, size_t count) { return (6 + (count + ENTRIES - 1) / ENTRIES * ENTRIES) * d + LANES; }

int kernels_improve_row(kernels_path path, const kernels_row *row, int steps, float *space, float *solution) {
#if defined(__x86_64__)
    if (path == KERNELS_VNNI) return improve_avx512(row, steps, space, solution);
    if (path == KERNELS_AVX2) return improve_avx2(row, steps, space, solution);
#endif
    return improve(row, steps, space, solution);
}
