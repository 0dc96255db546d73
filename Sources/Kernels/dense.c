#include "paths.h"

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

void kernels_add_row(const int32_t *rows, const float *values, size_t count, float weight, float *totals, size_t items) {
    for (size_t i = 0; i < count; i++)
        if ((size_t)(uint32_t)rows[i] < items) totals[rows[i]] += weight * values[i];
}

size_t kernels_add_row_touching(const int32_t *rows, const float *values, size_t count, float weight, float *totals,
                                size_t items, int32_t *touched, size_t found) {
    for (size_t i = 0; i < count; i++) {
        size_t row = (uint32_t)rows[i];
        if (row >= items) continue;
        touched[found] = rows[i];
        found += totals[row] == 0;
        totals[row] += weight * values[i];
    }
    return found;
}

size_t kernels_settle(int32_t *touched, size_t found, float *totals, float *values) {
    size_t kept = 0;
    for (size_t i = 0; i < found; i++) {
        int32_t row = touched[i];
        float total = totals[row];
        totals[row] = 0;
        touched[kept] = row;
        values[kept] = total;
        kept += total != 0;
    }
    for (size_t i = 0; i < kept; i++) totals[touched[i]] = values[i];
    return kept;
}

__attribute__((always_inline))
static inline void add_scaled_body(const float *values, size_t count, float weight, float *totals) {
    for (size_t i = 0; i < count; i++) totals[i] += weight * values[i];
}

__attribute__((always_inline))
static inline void sum_squares_body(const float *values, size_t count, float *sum) {
    float lanes[16] = {0};
    size_t i = 0;
    for (; i + 16 <= count; i += 16)
        for (size_t lane = 0; lane < 16; lane++) lanes[lane] += values[i + lane] * values[i + lane];
    for (size_t lane = 0; i < count; i++, lane++) lanes[lane] += values[i] * values[i];
    for (size_t width = 8; width > 0; width /= 2)
        for (size_t lane = 0; lane < width; lane++) lanes[lane] += lanes[lane + width];
    *sum = lanes[0];
}

// The rows lie all over the matrix: those that are four kilobytes further on are on their way from memory meanwhile.
__attribute__((always_inline))
static inline void prefetch_after(const float *factors, size_t dimensions, const int32_t *rows, size_t count, size_t i) {
    size_t ahead = 1 + 1024 / dimensions;
    if (i + ahead >= count) return;
    const char *next = (const char *)(factors + (size_t)rows[i + ahead] * dimensions);
    for (size_t line = 0; line < dimensions * sizeof(float) && line < 1024; line += 64) __builtin_prefetch(next + line);
}

// Sixteen sums side by side, added up in one order whatever the width of the registers.
__attribute__((always_inline))
static inline void dot_rows_body(const float *factors, size_t dimensions, const float *query, const int32_t *rows,
                                 size_t count, float *out) {
    for (size_t i = 0; i < count; i++) {
        const float *row = factors + (size_t)rows[i] * dimensions;
        prefetch_after(factors, dimensions, rows, count, i);
        float lanes[16] = {0};
        for (size_t d = 0; d < dimensions; d += 16)
            for (size_t lane = 0; lane < 16; lane++) lanes[lane] += row[d + lane] * query[d + lane];
        for (size_t width = 8; width > 0; width /= 2)
            for (size_t lane = 0; lane < width; lane++) lanes[lane] += lanes[lane + width];
        out[i] = lanes[0];
    }
}

// As above with two queries, so that a row comes from memory once.
__attribute__((always_inline))
static inline void dot_rows_twice_body(const float *factors, size_t dimensions, const float *const queries[2], const int32_t *rows,
                                       size_t count, float *const out[2]) {
    const float *first = queries[0], *second = queries[1];
    for (size_t i = 0; i < count; i++) {
        const float *row = factors + (size_t)rows[i] * dimensions;
        prefetch_after(factors, dimensions, rows, count, i);
        float lanes[16] = {0}, others[16] = {0};
        for (size_t d = 0; d < dimensions; d += 16)
            for (size_t lane = 0; lane < 16; lane++) {
                lanes[lane] += row[d + lane] * first[d + lane];
                others[lane] += row[d + lane] * second[d + lane];
            }
        for (size_t width = 8; width > 0; width /= 2)
            for (size_t lane = 0; lane < width; lane++) {
                lanes[lane] += lanes[lane + width];
                others[lane] += others[lane + width];
            }
        out[0][i] = lanes[0];
        out[1][i] = others[0];
    }
}

#if defined(__x86_64__)
EVERY_PATH(add_scaled, (const float *values, size_t count, float weight, float *totals), (values, count, weight, totals))
EVERY_PATH(sum_squares, (const float *values, size_t count, float *sum), (values, count, sum))
EVERY_PATH(dot_rows,
           (const float *factors, size_t dimensions, const float *query, const int32_t *rows, size_t count, float *out),
           (factors, dimensions, query, rows, count, out))
EVERY_PATH(dot_rows_twice,
           (const float *factors, size_t dimensions, const float *const queries[2], const int32_t *rows, size_t count,
            float *const out[2]),
           (factors, dimensions, queries, rows, count, out))
#endif

void kernels_add_scaled(kernels_path path, const float *values, size_t count, float weight, float *totals) {
#if defined(__x86_64__)
    if (path == KERNELS_VNNI) return add_scaled_avx512(values, count, weight, totals);
    if (path == KERNELS_AVX2) return add_scaled_avx2(values, count, weight, totals);
#endif
    add_scaled_body(values, count, weight, totals);
}

float kernels_sum_squares(kernels_path path, const float *values, size_t count) {
    float sum = 0;
#if defined(__x86_64__)
    if (path == KERNELS_VNNI)
        sum_squares_avx512(values, count, &sum);
    else if (path == KERNELS_AVX2)
        sum_squares_avx2(values, count, &sum);
    else
#endif
        sum_squares_body(values, count, &sum);
    return sum;
}

void kernels_dot_rows(kernels_path path, const float *factors, size_t dimensions, const float *query, const int32_t *rows,
                      size_t count, float *out) {
#if defined(__x86_64__)
    if (path == KERNELS_VNNI) return dot_rows_avx512(factors, dimensions, query, rows, count, out);
    if (path == KERNELS_AVX2) return dot_rows_avx2(factors, dimensions, query, rows, count, out);
#endif
    dot_rows_body(factors, dimensions, query, rows, count, out);
}

void kernels_dot_rows_twice(kernels_path path, const float *factors, size_t dimensions, const float *first,
                            const float *second, const int32_t *rows, size_t count, float *firstOut, float *secondOut) {
    const float *const queries[2] = {first, second};
    float *const out[2] = {firstOut, secondOut};
#if defined(__x86_64__)
    if (path == KERNELS_VNNI) return dot_rows_twice_avx512(factors, dimensions, queries, rows, count, out);
    if (path == KERNELS_AVX2) return dot_rows_twice_avx2(factors, dimensions, queries, rows, count, out);
#endif
    dot_rows_twice_body(factors, dimensions, queries, rows, count, out);
}
