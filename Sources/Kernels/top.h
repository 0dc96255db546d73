#pragma once
#include "paths.h"

// The best rows so far and some that may yet be among them, in ascending order of rows, their values as integers of the same
// order; when the space is full, the best k stay.
typedef struct {
    int32_t *orders, *rows;
    size_t count, k, capacity;
    // A value that is not above it cannot be among the best k.
    float threshold;
} top_buffer;

// `space` has kernels_top_space(k) values.
void top_begin(top_buffer *top, uint64_t *space, size_t k, float threshold);

// A threshold that at least k values are above, and few more; -inf where there are not so many.
float top_threshold(kernels_path path, const float *values, size_t count, const uint64_t *allowed, size_t k);

// Takes in the rows `first` and so on, whose values these are. Rows have to come in ascending order.
void top_collect(kernels_path path, const float *values, size_t first, size_t count, const uint64_t *allowed, top_buffer *top);

// Writes out the best k, by ascending row; returns how many.
size_t top_take(kernels_path path, top_buffer *top, float *scores, int32_t *rows);
