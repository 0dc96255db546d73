import Kernels
import Testing

@testable import Ranking

/// The ways to run the kernels that this processor has.
let kernelPaths: [kernels_path] = [KERNELS_PORTABLE, KERNELS_AVX2, KERNELS_VNNI].filter { kernels_path_available($0) != 0 }

/// Every way to score eight-bit blocks gives what their definition says, bit for bit.
@Suite struct EightBitKernelTests {
    struct Shape: Sendable { var items: Int, dimensions: Int }

    static let shapes = [
        Shape(items: 1, dimensions: 16), Shape(items: 15, dimensions: 16), Shape(items: 16, dimensions: 64),
        Shape(items: 17, dimensions: 48), Shape(items: 1000, dimensions: 64), Shape(items: 4093, dimensions: 256),
    ]

    private func numbers(_ count: Int, seed: UInt64) -> [Float] {
        var random = RandomSource(seed: seed)
        return (0..<count).map { _ in random.normal() }
    }

    private func quantized(_ query: [Float]) -> [Int8] {
        var bytes: [Int8] = []
        _ = query.withUnsafeBufferPointer { EightBitBlocks.quantize($0, appendingTo: &bytes) }
        return bytes
    }

    /// totals + weight x score, from the layout that `EightBitBlocks` describes.
    private func expected(_ blocks: EightBitBlocks, _ shape: Shape, _ query: [Int8], _ weight: Float, _ totals: [Float]) -> [Float] {
        (0..<shape.items).map { row in
            var sum = 0
            for dimension in 0..<shape.dimensions {
                let at = row / 16 * 16 * shape.dimensions + dimension / 4 * 64 + row % 16 * 4 + dimension % 4
                sum += (Int(blocks.bytes[at]) - 128) * Int(query[dimension])
            }
            return totals[row] + weight * (Float(sum) * blocks.scales[row])
        }
    }

    private func add(
        _ path: kernels_path, _ blocks: EightBitBlocks, _ shape: Shape, _ queries: [[Int8]], _ allowed: [UInt64]?, _ weights: [Float],
        begins: Bool = false, to totals: [[Float]]
    ) -> [[Float]] {
        // Room between the rows of totals must stay as it is.
        let stride = shape.items + 3
        let room: [Float] = [7, 7, 7]
        var flat: [Float] = []
        for row in totals { flat += row + room }
        let rows = queries.indices.map { $0 * stride }
        // The kernel loads whole vectors, so the blocks have to lie on a 64-byte boundary.
        let memory = ModelBytes(blocks.bytes)
        memory.bytes.withMemoryRebound(to: UInt8.self) { bytes in
            withWords(allowed) { words in
                flat.withUnsafeMutableBufferPointer { flat in
                    kernels_add_int8(
                        path, bytes.baseAddress, blocks.scales, shape.items, shape.dimensions / 4, Array(queries.joined()), queries.count,
                        words, weights, begins ? 1 : 0, rows.map { row in flat.baseAddress.map { $0 + row } })
                }
            }
        }
        for query in queries.indices { #expect(Array(flat[query * stride + shape.items..<(query + 1) * stride]) == room) }
        return queries.indices.map { Array(flat[$0 * stride..<$0 * stride + shape.items]) }
    }

    @Test(arguments: kernelPaths, shapes)
    func `one query or many add what the definition says`(_ path: kernels_path, shape: Shape) {
        let blocks = EightBitBlocks(numbers(shape.items * shape.dimensions, seed: 4), dimensions: shape.dimensions)
        for count in [1, 2, 4, 7, 8, 13] {
            let queries = (0..<count).map { quantized(numbers(shape.dimensions, seed: UInt64($0 + 10))) }
            let totals = (0..<count).map { numbers(shape.items, seed: UInt64($0 + 50)) }
            let weights = (0..<count).map { 0.71 + Float($0) }
            let found = add(path, blocks, shape, queries, nil, weights, to: totals)
            for index in 0..<count {
                #expect(found[index] == expected(blocks, shape, queries[index], weights[index], totals[index]))
            }
        }
    }

    @Test(arguments: kernelPaths, shapes)
    func `totals that hold nothing yet are set`(_ path: kernels_path, shape: Shape) {
        let blocks = EightBitBlocks(numbers(shape.items * shape.dimensions, seed: 4), dimensions: shape.dimensions)
        let queries = (0..<9).map { quantized(numbers(shape.dimensions, seed: UInt64($0 + 10))) }
        let weights = (0..<9).map { 0.71 + Float($0) }
        let nothing = [[Float]](repeating: [Float](repeating: .nan, count: shape.items), count: 9)
        let zero = [[Float]](repeating: [Float](repeating: 0, count: shape.items), count: 9)
        let found = add(path, blocks, shape, queries, nil, weights, begins: true, to: nothing)
        #expect(found == add(path, blocks, shape, queries, nil, weights, to: zero))
    }

    @Test(arguments: kernelPaths, shapes)
    func `admitted rows get their scores, and blocks without any are left alone`(_ path: kernels_path, shape: Shape) {
        let blocks = EightBitBlocks(numbers(shape.items * shape.dimensions, seed: 4), dimensions: shape.dimensions)
        let query = quantized(numbers(shape.dimensions, seed: 5))
        let totals = numbers(shape.items, seed: 6)
        let all = expected(blocks, shape, query, 0.3, totals)
        let allowed = rowBitmap((0..<shape.items).filter { $0 % 37 == 3 }, count: shape.items)
        let found = add(path, blocks, shape, [query], allowed, [0.3], to: [totals])[0]
        for row in 0..<shape.items {
            let block = row / 16 * 16..<min(shape.items, row / 16 * 16 + 16)
            #expect(found[row] == (block.contains { $0 % 37 == 3 } ? all[row] : totals[row]))
        }
        #expect(add(path, blocks, shape, [query], allowed.map { _ in 0 }, [0.3], to: [totals])[0] == totals)
    }

    @Test(arguments: kernelPaths)
    func `after exact scoring of the best 200 the top 10 is that of brute force`(_ path: kernels_path) {
        let shape = Shape(items: 5000, dimensions: 64)
        let factors = numbers(shape.items * 64, seed: 21)
        let blocks = EightBitBlocks(factors, dimensions: 64)
        var best = BestRows(path: path)
        for seed: UInt64 in 0..<20 {
            let query = numbers(64, seed: 100 + seed)
            let rough = add(path, blocks, shape, [quantized(query)], nil, [1], to: [[Float](repeating: 0, count: shape.items)])[0]
            #expect(best.pick(200, of: rough, count: shape.items, isOrdered: false) == 200)
            let exact = (0..<shape.items).map { row in (0..<64).reduce(0.0) { $0 + Double(query[$1]) * Double(factors[row * 64 + $1]) } }
            let brute = (0..<shape.items).sorted { exact[$0] > exact[$1] }.prefix(10)
            var scores = [Float](repeating: 0, count: 200)
            kernels_dot_rows(path, factors, 64, query, best.rows, 200, &scores)
            let found = zip(best.rows, scores).sorted { ($1.1, $0.0) < ($0.1, $1.0) }.prefix(10).map { Int($0.0) }
            #expect(found == Array(brute))
        }
    }

    /// Rows and scores of the best of each query, sorted.
    private func best(
        _ path: kernels_path, _ blocks: EightBitBlocks, _ shape: Shape, _ queries: [[Int8]], _ allowed: [UInt64]?, _ counts: [Int]
    ) -> [[ScoredRow]] {
        let room = (counts.max() ?? 0) + 1
        let spaceRoom = kernels_best_space(room)
        var rows = [Int32](repeating: -7, count: room * queries.count)
        var scores = [Float](repeating: -7, count: room * queries.count)
        var space = [UInt64](repeating: .max, count: spaceRoom * queries.count)
        var bests: [kernels_best] = []
        let memory = ModelBytes(blocks.bytes)
        memory.bytes.withMemoryRebound(to: UInt8.self) { bytes in
            rows.withUnsafeMutableBufferPointer { rows in
                scores.withUnsafeMutableBufferPointer { scores in
                    space.withUnsafeMutableBufferPointer { space in
                        bests = counts.enumerated().map { place, count in
                            kernels_best(
                                weight: 0.5 + Float(place), k: count, space: space.baseAddress.map { $0 + place * spaceRoom },
                                scores: scores.baseAddress.map { $0 + place * room }, rows: rows.baseAddress.map { $0 + place * room },
                                found: 0)
                        }
                        withWords(allowed) { words in
                            kernels_best_int8(
                                path, bytes.baseAddress, blocks.scales, shape.items, shape.dimensions / 4, Array(queries.joined()),
                                queries.count, words, &bests)
                        }
                    }
                }
            }
        }
        return bests.enumerated().map { place, best in
            // What is not asked for stays as it is.
            #expect(rows[place * room + counts[place]] == -7 && scores[place * room + counts[place]] == -7)
            return ScoredRow.best(
                best.found, of: (0..<best.found).map { ScoredRow(row: rows[place * room + $0], score: scores[place * room + $0]) })
        }
    }

    private func bestOfTotals(
        _ path: kernels_path, _ blocks: EightBitBlocks, _ shape: Shape, _ queries: [[Int8]], _ allowed: [UInt64]?, _ counts: [Int]
    ) -> [[ScoredRow]] {
        let zeros = [[Float]](repeating: [Float](repeating: 0, count: shape.items), count: queries.count)
        let totals = add(path, blocks, shape, queries, nil, queries.indices.map { 0.5 + Float($0) }, to: zeros)
        return totals.enumerated().map { place, totals in
            let rows = totals.indices.filter { row in allowed.map { $0[row / 64] >> UInt64(row % 64) & 1 == 1 } ?? true }
            return ScoredRow.best(counts[place], of: rows.map { ScoredRow(row: Int32($0), score: totals[$0]) })
        }
    }

    @Test(arguments: kernelPaths, shapes + [Shape(items: 20_011, dimensions: 16), Shape(items: 80_000, dimensions: 16)])
    func `the best of a pass are those of all totals`(_ path: kernels_path, shape: Shape) {
        let blocks = EightBitBlocks(numbers(shape.items * shape.dimensions, seed: 4), dimensions: shape.dimensions)
        let filters = [nil, rowBitmap((0..<shape.items).filter { $0 % 37 == 3 || $0 % 1000 < 150 }, count: shape.items)]
        for count in shape.items > 10_000 ? [1, 9] : [1, 3, 8, 13] {
            let queries = (0..<count).map { quantized(numbers(shape.dimensions, seed: UInt64($0 + 10))) }
            let counts = (0..<count).map { [1, 10, 228, 2000, 7][$0 % 5] }
            for filter in filters {
                let found = best(path, blocks, shape, queries, filter, counts)
                #expect(found == bestOfTotals(path, blocks, shape, queries, filter, counts))
            }
        }
    }

    /// The thresholds to begin with are guessed from every sixteenth block, which may be the best or the only good ones.
    @Test(arguments: kernelPaths)
    func `a wrong guess costs time, not rows`(_ path: kernels_path) {
        let shape = Shape(items: 40_000, dimensions: 16)
        let query = quantized((0..<16).map { $0 == 0 ? 1 : 0 })
        for level: (Int) -> Float in [
            { $0 / 16 % 16 == 0 ? 2 : 1 }, { $0 / 16 % 16 == 0 && $0 % 3 == 0 ? 1 : -1 }, { _ in 0 }, { $0 == 39_999 ? 1 : -1 },
            { Float($0) }, { -Float($0) },
        ] {
            let blocks = EightBitBlocks((0..<40_000 * 16).map { $0 % 16 == 0 ? level($0 / 16) : 0 }, dimensions: 16)
            for count in [1, 100, 3000] {
                let found = best(path, blocks, shape, [query], nil, [count])
                #expect(found == bestOfTotals(path, blocks, shape, [query], nil, [count]))
                #expect(found[0].count == count)
            }
        }
    }

    @Test(arguments: kernelPaths)
    func `the largest values do not overflow`(_ path: kernels_path) {
        let shape = Shape(items: 40, dimensions: 256)
        let blocks = EightBitBlocks((0..<40 * 256).map { ($0 / 256) % 2 == 0 ? 127 : -127 }, dimensions: 256)
        let query = [Int8](repeating: 127, count: 256)
        let found = add(path, blocks, shape, [query], nil, [1], to: [[Float](repeating: 0, count: 40)])[0]
        let largest: Float = 127 * 127 * 256
        #expect(found == (0..<40).map { (row: Int) -> Float in row % 2 == 0 ? largest : -largest })
    }

    @Test(arguments: kernelPaths, [16, 48, 256])
    func `exact products are those of double precision, and the same on every path`(_ path: kernels_path, dimensions: Int) {
        let factors = numbers(50 * dimensions, seed: 1)
        let query = numbers(dimensions, seed: 2)
        let rows: [Int32] = [49, 0, 7, 7, 31]
        func products(_ path: kernels_path) -> [Float] {
            var out = [Float](repeating: .nan, count: rows.count)
            kernels_dot_rows(path, factors, dimensions, query, rows, rows.count, &out)
            return out
        }
        #expect(products(path) == products(KERNELS_PORTABLE))
        // Two queries get what each gets alone.
        let other = numbers(dimensions, seed: 3)
        var both = [[Float]](repeating: [Float](repeating: .nan, count: rows.count), count: 2)
        var second = both[1]
        kernels_dot_rows_twice(path, factors, dimensions, other, query, rows, rows.count, &both[0], &second)
        #expect(second == products(path))
        kernels_dot_rows_twice(path, factors, dimensions, query, other, rows, rows.count, &second, &both[1])
        #expect(second == products(path) && both[0] == both[1])
        let exact = rows.map { row in
            Float((0..<dimensions).reduce(0.0) { $0 + Double(query[$1]) * Double(factors[Int(row) * dimensions + $1]) })
        }
        #expect(largestOf(zip(products(path), exact).map { $0 - $1 }) < 1e-4)
    }

    @Test func `the best path is one that this processor has`() {
        #expect(kernels_path_available(kernels_best_path()) != 0)
    }
}
