#include "int8.h"
#include "top.h"

// The best rows for some queries without their totals being written to memory: a stretch of rows at a time, whose totals stay in
// the nearest cache until they are looked at.

enum { TOGETHER = 8, STRETCH = 512, SAMPLED = 4096, LEAST_STEP = 16 };

_Static_assert(SAMPLED >= STRETCH && (STRETCH % 64) == 0, "stretches take the room of samples, and begin with a word of the bitmap");

size_t kernels_best_space(size_t k) { return kernels_top_space(k) + SAMPLED * sizeof(float) / sizeof(uint64_t); }

static inline float *totals_of(const kernels_best *best) { return (float *)(best->space + kernels_top_space(best->k)); }

typedef struct {
    kernels_path path;
    int8_pass pass;
    size_t queries;
    top_buffer tops[TOGETHER];
} search;

// Thresholds that most likely k totals of all rows are above, from every step-th block: so many of them as k rows have there, and
// two and a half standard deviations more.
static void guess_thresholds(search *search, const kernels_best *bests, float *guesses) {
    int8_pass pass = search->pass;
    pass.count -= pass.count % KERNELS_BLOCK;
    size_t blocks = pass.count / KERNELS_BLOCK, most = SAMPLED / KERNELS_BLOCK;
    pass.step = blocks > LEAST_STEP * most ? (blocks + most - 1) / most : LEAST_STEP;
    uint64_t admitted[SAMPLED / 64] = {0};
    size_t sampled = 0;
    for (size_t first = 0; first < pass.count; first += KERNELS_BLOCK * pass.step, sampled += KERNELS_BLOCK)
        admitted[sampled / 64] |= (uint64_t)sixteen(pass.allowed, first, pass.count) << sampled % 64;
    int8_run(search->path, pass, search->queries);
    for (size_t q = 0; q < search->queries; q++) {
        double share = (double)bests[q].k / (double)pass.step;
        size_t above = (size_t)(share + 2.5 * __builtin_sqrt(share) + 2);
        guesses[q] = top_threshold(search->path, pass.totals[q], sampled, pass.allowed ? admitted : NULL, above);
    }
}

static void collect(search *search) {
    int8_pass pass = search->pass;
    size_t width = pass.groups * 4, left = pass.count;
    for (size_t first = 0; left > 0; first += pass.count, left -= pass.count) {
        pass.count = left < STRETCH ? left : STRETCH;
        pass.blocks = search->pass.blocks + first * width;
        pass.scales = search->pass.scales + first;
        if (search->pass.allowed) pass.allowed = search->pass.allowed + first / 64;
        int8_run(search->path, pass, search->queries);
        for (size_t q = 0; q < search->queries; q++)
            top_collect(search->path, pass.totals[q], first, pass.count, pass.allowed, search->tops + q);
    }
}

// Once more for one query alone, without a threshold to begin with.
static void collect_again(const search *all, size_t q, top_buffer *top) {
    search one = *all;
    one.pass.queries += q * all->pass.groups * 4;
    one.pass.weights += q;
    one.pass.totals += q;
    one.queries = 1;
    top_begin(one.tops, (uint64_t *)top->orders, top->k, -__builtin_inff());
    collect(&one);
    *top = one.tops[0];
}

static void find(search *search, kernels_best *bests) {
    float guesses[TOGETHER];
    guess_thresholds(search, bests, guesses);
    for (size_t q = 0; q < search->queries; q++) top_begin(search->tops + q, bests[q].space, bests[q].k, guesses[q]);
    collect(search);
    for (size_t q = 0; q < search->queries; q++) {
        top_buffer *top = search->tops + q;
        if (top->count < top->k && guesses[q] > -__builtin_inff()) collect_again(search, q, top);
        bests[q].found = top_take(search->path, top, bests[q].scores, bests[q].rows);
    }
}

void kernels_best_int8(kernels_path path, const uint8_t *blocks, const float *scales, size_t count, size_t groups,
                       const int8_t *queries, size_t queryCount, const uint64_t *allowed, kernels_best *bests) {
    for (size_t done = 0; done < queryCount; done += TOGETHER) {
        size_t left = queryCount - done, together = left < TOGETHER ? left : TOGETHER;
        float *totals[TOGETHER], weights[TOGETHER];
        for (size_t q = 0; q < together; q++) {
            totals[q] = totals_of(bests + done + q);
            weights[q] = bests[done + q].weight;
        }
        int8_pass pass = {blocks, scales, count, 1, groups, queries + done * groups * 4, allowed, weights, 1, totals};
        search search = {.path = path, .pass = pass, .queries = together};
        find(&search, bests + done);
    }
}
