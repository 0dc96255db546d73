#pragma once
#include "kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// One body for every width of registers: the compiler makes a version per processor, and contraction is off, so all give
// the same bits.
#define EVERY_PATH(name, parameters, arguments)                                                                       \
    __attribute__((target("avx512f"))) static void name##_avx512 parameters { name##_body arguments; }                \
    __attribute__((target("avx2"))) static void name##_avx2 parameters { name##_body arguments; }

// The bits of `allowed` that belong to sixteen rows; rows past the end are not admitted.
static inline uint32_t sixteen(const uint64_t *allowed, size_t first, size_t count) {
    uint32_t mask = allowed ? (uint32_t)(allowed[first / 64] >> (first % 64)) & 0xffffu : 0xffffu;
    size_t left = count - first;
    return left >= 16 ? mask : mask & ((1u << left) - 1u);
}
