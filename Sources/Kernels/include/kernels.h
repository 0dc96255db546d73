#pragma once
#include <stddef.h>
#include <stdint.h>

/// Which implementation scores the blocks. All give the same integers, hence the same answer.
typedef enum { KERNELS_PORTABLE = 0, KERNELS_AVX2 = 1, KERNELS_VNNI = 2 } kernels_path;

/// Non-zero when this processor can run the path.
int kernels_path_available(kernels_path path);

/// The fastest path that this processor can run.
kernels_path kernels_best_path(void);

/// Items of one block; the last block of a matrix is padded to it.
enum { KERNELS_BLOCK = 16 };

/// Exact top k of (item . query) * scale[item] over 8-bit items.
///
/// blocks:  one block of 16 items after another; in a block, group g of four dimensions takes 64 bytes, item after
///          item, each value stored as unsigned value + 128. 64-byte aligned. `groups` is dimensions / 4, a multiple of 4.
/// scales:  one per item. allowed: bit r of word r / 64 admits row r; NULL admits all.
/// scores, rows: room for k each; filled best first, equal scores by ascending row. Returns how many were filled.
/// Rows whose score is not a number are left out.
size_t kernels_top_int8(kernels_path path, const uint8_t *blocks, const float *scales, size_t count, size_t groups,
                        const int8_t *query, const uint64_t *allowed, size_t k, float *scores, int32_t *rows);

/// out[i] = factors[rows[i]] . query, in a fixed order of additions on every processor.
/// factors is row-major with `dimensions` values a row, a multiple of 16; rows must be in range.
void kernels_dot_rows(kernels_path path, const float *factors, size_t dimensions, const float *query, const int32_t *rows,
                      size_t count, float *out);

/// totals[rows[i]] += weight * values[i]; rows outside 0..<items are passed over, for they come from a file.
void kernels_add_row(const int32_t *rows, const float *values, size_t count, float weight, float *totals, size_t items);

/// totals[i] += weight * values[i]
void kernels_add_scaled(kernels_path path, const float *values, size_t count, float weight, float *totals);

/// Sum of values[i]^2, in a fixed order of additions on every processor.
float kernels_sum_squares(kernels_path path, const float *values, size_t count);

/// totals[r] += weight * (item r . query) * scale[r] for the rows of blocks with an admitted row; arguments as above.
void kernels_add_int8(kernels_path path, const uint8_t *blocks, const float *scales, size_t count, size_t groups,
                      const int8_t *query, const uint64_t *allowed, float weight, float *totals);

/// Exact top k of values, best first, equal ones by ascending row; returns how many. Values that are not numbers are left out.
size_t kernels_top_float(kernels_path path, const float *values, size_t count, const uint64_t *allowed, size_t k,
                         float *scores, int32_t *rows);
