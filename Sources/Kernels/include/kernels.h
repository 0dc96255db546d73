#pragma once
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/// Which implementation runs. All give the same bits, hence the same answer.
typedef enum { KERNELS_PORTABLE = 0, KERNELS_AVX2 = 1, KERNELS_VNNI = 2 } kernels_path;

/// Non-zero when this processor can run the path.
int kernels_path_available(kernels_path path);

/// The fastest path that this processor can run.
kernels_path kernels_best_path(void);

// Throughout, `allowed` is a bitmap over rows: bit r % 64 of word r / 64 admits row r, and NULL admits all.
// No function allocates memory or fails. Infinities and NaN in the inputs go through sums as IEEE 754 says.

/// Items of one block of eight-bit factors; the last block of a matrix is padded to it.
enum { KERNELS_BLOCK = 16 };

/// totals[q][r] += weights[q] * (item r . query q) * scales[r], for the rows of blocks with an admitted row.
/// The sums inside are exact integers. Several queries share one pass over the items, and each gets what it gets alone.
///
/// begins:  non-zero where totals hold nothing yet: they are set, as if they had been zero, and need not be.
/// blocks:  one block of 16 items after another; in a block, group g of four dimensions takes 64 bytes, item after
///          item, each value stored as unsigned value + 128. 64-byte aligned. `groups` is dimensions / 4, a multiple of 4.
/// scales:  one per item.
/// queries: `queryCount` rows of `groups` * 4 values.
void kernels_add_int8(kernels_path path, const uint8_t *blocks, const float *scales, size_t count, size_t groups,
                      const int8_t *queries, size_t queryCount, const uint64_t *allowed, const float *weights, int begins,
                      float *const *totals);

/// Lets memory that will be read soon come nearer: as many cache lines as hold `bytes` from the address on.
static inline void kernels_prefetch(const void *address, size_t bytes) {
    for (size_t line = 0; line < bytes; line += 64) __builtin_prefetch((const char *)address + line);
}

/// out[i] = factors[rows[i]] . query, in a fixed order of additions on every processor.
/// factors is row-major with `dimensions` values a row, a multiple of 16; rows must be in range.
void kernels_dot_rows(kernels_path path, const float *factors, size_t dimensions, const float *query, const int32_t *rows,
                      size_t count, float *out);

/// As kernels_dot_rows for two queries, each with the same bits as alone: a row is read from memory once.
void kernels_dot_rows_twice(kernels_path path, const float *factors, size_t dimensions, const float *first,
                            const float *second, const int32_t *rows, size_t count, float *firstOut, float *secondOut);

/// totals[rows[i]] += weight * values[i]; rows outside 0..<items are passed over, for they come from a file.
void kernels_add_row(const int32_t *rows, const float *values, size_t count, float weight, float *totals, size_t items);

/// As kernels_add_row, and appends each row whose total was zero to `touched`, which has `found` entries and room for
/// `count` + 1 more; returns how many it has then. A row may stand there more than once; kernels_settle mends that.
size_t kernels_add_row_touching(const int32_t *rows, const float *values, size_t count, float weight, float *totals,
                                size_t items, int32_t *touched, size_t found);

/// Moves the totals of the touched rows to `values`, each row once, zeros dropped, and puts them back; returns how many rows
/// are left at the start of `touched`.
size_t kernels_settle(int32_t *touched, size_t found, float *totals, float *values);

/// totals[i] += weight * values[i]
void kernels_add_scaled(kernels_path path, const float *values, size_t count, float weight, float *totals);

/// Sum of values[i]^2, in a fixed order of additions on every processor.
float kernels_sum_squares(kernels_path path, const float *values, size_t count);

/// Keys of work space that the top functions need for the best k.
static inline size_t kernels_top_space(size_t k) { return 2 * k + 1024; }

/// The exact best k of `values`, equal ones by ascending row; returns how many, fewer than k when fewer can be had.
/// Rows of NaN or -inf are never among them; +inf is the best there is. -0 counts as 0.
///
/// scores, rows: room for k each. Best first if `ordered`, else by ascending row.
/// space:        kernels_top_space(k) values.
size_t kernels_top_float(kernels_path path, const float *values, size_t count, const uint64_t *allowed, size_t k,
                         int ordered, uint64_t *space, float *scores, int32_t *rows);

/// What one query of kernels_best_int8 wants, and what it gets.
typedef struct {
    float weight;
    /// 1 or more.
    size_t k;
    /// kernels_best_space(k) values.
    uint64_t *space;
    /// Room for k each; by ascending row.
    float *scores;
    int32_t *rows;
    /// Fewer than k when fewer can be had.
    size_t found;
} kernels_best;

size_t kernels_best_space(size_t k);

/// For each query the exact best k of what kernels_add_int8 would set its totals to, as kernels_top_float finds them, without
/// writing all totals to memory.
void kernels_best_int8(kernels_path path, const uint8_t *blocks, const float *scales, size_t count, size_t groups,
                       const int8_t *queries, size_t queryCount, const uint64_t *allowed, kernels_best *bests);

/// As kernels_top_float over the `count` rows of `among` only, which are distinct and in range of `values`; in no order to rely on
/// unless `ordered`.
size_t kernels_top_among(const float *values, const int32_t *among, size_t count, const uint64_t *allowed, size_t k,
                         int ordered, uint64_t *space, float *scores, int32_t *rows);

/// A score and its row as one number, which is the larger the better the row stands: by score, equal ones by ascending row.
/// -0 counts as 0.
static inline uint64_t kernels_key(float score, int32_t row) {
    uint32_t bits;
    score += 0.0f;
    memcpy(&bits, &score, 4);
    bits ^= bits >> 31 ? 0xffffffffu : 0x80000000u;
    return (uint64_t)bits << 32 | (0xffffffffu - (uint32_t)row);
}

static inline float kernels_key_score(uint64_t key) {
    uint32_t bits = (uint32_t)(key >> 32);
    bits ^= bits >> 31 ? 0x80000000u : 0xffffffffu;
    float score;
    memcpy(&score, &bits, 4);
    return score;
}

static inline int32_t kernels_key_row(uint64_t key) { return (int32_t)(0xffffffffu - (uint32_t)key); }

/// Moves the largest k of distinct keys to the front, largest first; returns how many these are.
size_t kernels_largest_keys(uint64_t *keys, size_t count, size_t k);

/// One row of a least squares problem whose unobserved part is diagonal: `count` entries with a weight above 0, each the row of
/// `factors` (row-major, `dimensions` values, a multiple of 16) that `rows` names. `diagonal` has `dimensions` values above 0.
typedef struct {
    size_t dimensions;
    const float *diagonal, *factors;
    const int32_t *rows;
    const float *weights;
    size_t count;
} kernels_row;

/// How many rows are solved together at most.
enum { KERNELS_TOGETHER = 16 };

/// solutions[s] = x of (D + sum of w t t') x = sum of w t over the entries t of rows[s], by Cholesky of that system or, where the
/// entries are fewer than the dimensions, of the one that is as large as the entries (Woodbury 1950). `count` rows of the same
/// dimensions, 1 to KERNELS_TOGETHER; each gets the same bits whatever the others are, at the price of the largest. Bit s of what is
/// returned is set unless the numbers of rows[s] do not allow it; its solution is zero then.
///
/// space: kernels_solve_space floats; rows have `longest` entries at most.
uint32_t kernels_solve_rows(kernels_path path, const kernels_row *rows, size_t count, float *space, float *const *solutions);
size_t kernels_solve_space(size_t dimensions, size_t longest, size_t count);

/// As kernels_solve_rows for a row alone that has few entries, in a fraction of the time that one row takes there; not the same bits.
/// Zero, with zeros written, when the numbers do not allow it.
///
/// space: kernels_short_space floats.
int kernels_solve_short(kernels_path path, const kernels_row *row, float *space, float *solution);
size_t kernels_short_space(size_t dimensions, size_t count);

/// Brings `solution` nearer to that of kernels_solve_rows by some steps of conjugate gradients, preconditioned by the diagonal of
/// the system. Zero, with nothing written, when they give no finite numbers.
///
/// space: kernels_improve_space floats; the entries are gathered there, so that each step reads them in their order.
int kernels_improve_row(kernels_path path, const kernels_row *row, int steps, float *space, float *solution);
size_t kernels_improve_space(size_t dimensions, size_t count);
