#pragma once
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/// A bounded heap of the best (score, row) pairs with the worst at the root. Each pair is one integer, score before row, so that one
/// comparison decides and ties go to the lower row.
typedef struct {
    uint64_t *keys;
    size_t count, capacity;
    float threshold;
    uint64_t few[1024];
} top_heap;

/// False without memory. What is not above the threshold is not to be offered.
static inline int top_heap_open(top_heap *heap, size_t capacity, float threshold) {
    heap->keys = capacity <= 1024 ? heap->few : malloc(capacity * sizeof *heap->keys);
    heap->count = 0;
    heap->capacity = capacity;
    heap->threshold = threshold;
    return heap->keys != NULL;
}

static inline uint64_t top_heap_key(float score, int32_t row) {
    uint32_t bits;
    score += 0.0f;  // no negative zero
    memcpy(&bits, &score, 4);
    bits ^= bits >> 31 ? 0xffffffffu : 0x80000000u;
    return (uint64_t)bits << 32 | (0xffffffffu - (uint32_t)row);
}

static inline int32_t top_heap_row(uint64_t key) { return (int32_t)(0xffffffffu - (uint32_t)key); }

static inline float top_heap_score(uint64_t key) {
    uint32_t bits = (uint32_t)(key >> 32);
    bits ^= bits >> 31 ? 0x80000000u : 0xffffffffu;
    float score;
    memcpy(&score, &bits, 4);
    return score;
}

/// Puts `key` into the hole at `at` or below.
static inline void top_heap_sink(uint64_t *keys, size_t at, size_t count, uint64_t key) {
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= count) break;
        child += child + 1 < count && keys[child + 1] < keys[child];
        if (key <= keys[child]) break;
        keys[at] = keys[child];
        at = child;
    }
    keys[at] = key;
}

/// Call only with a score above the threshold.
static inline void top_heap_offer(top_heap *heap, float score, int32_t row) {
    uint64_t key = top_heap_key(score, row);
    if (heap->count == heap->capacity) {
        if (key > heap->keys[0]) top_heap_sink(heap->keys, 0, heap->count, key);
    } else {
        heap->keys[heap->count++] = key;
        if (heap->count < heap->capacity) return;
        for (size_t at = heap->count / 2; at-- > 0;) top_heap_sink(heap->keys, at, heap->count, heap->keys[at]);
    }
    heap->threshold = top_heap_score(heap->keys[0]);
}

/// Writes the pairs, best first, and closes the heap; returns the count.
static inline size_t top_heap_take(top_heap *heap, float *scores, int32_t *rows) {
    if (heap->count < heap->capacity)
        for (size_t at = heap->count / 2; at-- > 0;) top_heap_sink(heap->keys, at, heap->count, heap->keys[at]);
    for (size_t end = heap->count; end-- > 0;) {
        scores[end] = top_heap_score(heap->keys[0]);
        rows[end] = top_heap_row(heap->keys[0]);
        uint64_t last = heap->keys[end];
        top_heap_sink(heap->keys, 0, end, last);
    }
    if (heap->keys != heap->few) free(heap->keys);
    return heap->count;
}
