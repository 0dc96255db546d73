#pragma once
#include <stddef.h>
#include <stdint.h>

/// A bounded heap of the best (score, row) pairs with the worst at the root. Rows are offered in ascending order, so a
/// later row of equal score never displaces an earlier one.
typedef struct {
    float *scores;
    int32_t *rows;
    size_t count, capacity;
    float threshold;
} top_heap;

static inline int top_heap_worse(const top_heap *heap, size_t a, size_t b) {
    return heap->scores[a] < heap->scores[b] || (heap->scores[a] == heap->scores[b] && heap->rows[a] > heap->rows[b]);
}

static inline void top_heap_swap(top_heap *heap, size_t a, size_t b) {
    float score = heap->scores[a];
    int32_t row = heap->rows[a];
    heap->scores[a] = heap->scores[b];
    heap->rows[a] = heap->rows[b];
    heap->scores[b] = score;
    heap->rows[b] = row;
}

static inline void top_heap_sink(top_heap *heap, size_t at, size_t count) {
    for (;;) {
        size_t worst = at, left = 2 * at + 1, right = left + 1;
        if (left < count && top_heap_worse(heap, left, worst)) worst = left;
        if (right < count && top_heap_worse(heap, right, worst)) worst = right;
        if (worst == at) return;
        top_heap_swap(heap, at, worst);
        at = worst;
    }
}

/// Call only with a score above the threshold.
static inline void top_heap_offer(top_heap *heap, float score, int32_t row) {
    if (heap->count == heap->capacity) {
        heap->scores[0] = score;
        heap->rows[0] = row;
        top_heap_sink(heap, 0, heap->count);
    } else {
        size_t at = heap->count++;
        heap->scores[at] = score;
        heap->rows[at] = row;
        while (at > 0 && top_heap_worse(heap, at, (at - 1) / 2)) {
            top_heap_swap(heap, at, (at - 1) / 2);
            at = (at - 1) / 2;
        }
    }
    if (heap->count == heap->capacity) heap->threshold = heap->scores[0];
}

/// Best first; returns the count. Taking the worst off the root again and again leaves the array in that order.
static inline size_t top_heap_sort(top_heap *heap) {
    for (size_t end = heap->count; end > 1; end--) {
        top_heap_swap(heap, 0, end - 1);
        top_heap_sink(heap, 0, end - 1);
    }
    return heap->count;
}
