#pragma once
#include "paths.h"

// A pass over blocks for queries that lie one after another.
typedef struct {
    const uint8_t *blocks;
    const float *scales;
    // Every `step`-th block of these rows is taken; their totals lie together.
    size_t count, step, groups;
    const int8_t *queries;
    const uint64_t *allowed;
    const float *weights;
    int begins;
    float *const *totals;
} int8_pass;

// Some queries share a pass, the rest take passes of their own.
void int8_run(kernels_path path, int8_pass pass, size_t queries);
