import Kernels
import Testing

@testable import Ranking

/// Every way to score eight-bit blocks that this processor has gives the same answer.
@Suite struct KernelTests {
    static let paths: [kernels_path] = [KERNELS_PORTABLE, KERNELS_AVX2, KERNELS_VNNI].filter { kernels_path_available($0) != 0 }

    struct Shape: Sendable { var items: Int, dimensions: Int, k: Int }

    static let shapes = [
        Shape(items: 1, dimensions: 16, k: 5), Shape(items: 15, dimensions: 16, k: 15), Shape(items: 16, dimensions: 64, k: 3),
        Shape(items: 17, dimensions: 48, k: 17), Shape(items: 1000, dimensions: 64, k: 200),
        Shape(items: 4093, dimensions: 256, k: 100),
    ]

    private func factors(_ shape: Shape, seed: UInt64) -> [Float] {
        var random = RandomSource(seed: seed)
        return (0..<shape.items * shape.dimensions).map { _ in random.normal() }
    }

    private func scan(
        _ path: kernels_path, _ blocks: EightBitBlocks, _ shape: Shape, _ query: [Int8], _ allowed: [UInt64]?
    ) -> (rows: [Int32], scores: [Float]) {
        var scores = [Float](repeating: 0, count: shape.k)
        var rows = [Int32](repeating: 0, count: shape.k)
        // The kernel loads whole vectors, so the blocks have to lie on a 64-byte boundary.
        let memory = ModelBytes(blocks.bytes)
        let count = memory.bytes.withMemoryRebound(to: UInt8.self) { bytes in
            kernels_top_int8(
                path, bytes.baseAddress, blocks.scales, shape.items, shape.dimensions / 4, query, allowed, shape.k,
                &scores, &rows)
        }
        return (Array(rows.prefix(count)), Array(scores.prefix(count)))
    }

    private func quantized(_ query: [Float]) -> [Int8] {
        var bytes: [Int8] = []
        _ = query.withUnsafeBufferPointer { EightBitBlocks.quantize($0, into: &bytes) }
        return bytes
    }

    /// The integer scores by their definition, best first, ties by row.
    private func reference(
        _ blocks: EightBitBlocks, _ shape: Shape, _ query: [Int8], _ allowed: [UInt64]?
    ) -> [(row: Int32, score: Float)] {
        let admitted = (0..<shape.items).filter { row in allowed.map { $0[row / 64] >> UInt64(row % 64) & 1 == 1 } ?? true }
        let scored = admitted.map { row -> (row: Int32, score: Float) in
            var sum = 0
            for dimension in 0..<shape.dimensions {
                let at = row / 16 * 16 * shape.dimensions + dimension / 4 * 64 + row % 16 * 4 + dimension % 4
                sum += (Int(blocks.bytes[at]) - 128) * Int(query[dimension])
            }
            return (Int32(row), Float(sum) * blocks.scales[row])
        }
        return Array(scored.sorted { ($1.score, $0.row) < ($0.score, $1.row) }.prefix(shape.k))
    }

    @Test(arguments: paths, shapes)
    func `a path gives the top k of its definition, with and without a bitmap`(_ path: kernels_path, shape: Shape) {
        let blocks = EightBitBlocks(factors(shape, seed: 7), dimensions: shape.dimensions)
        var random = RandomSource(seed: 8)
        let query = quantized((0..<shape.dimensions).map { _ in random.normal() })
        let sparse = (0..<(shape.items + 63) / 64).map { _ in random.next() & random.next() }
        for allowed in [nil, sparse, sparse.map { _ in 0 }] {
            let found = scan(path, blocks, shape, query, allowed)
            let expected = reference(blocks, shape, query, allowed)
            #expect(found.rows == expected.map(\.row))
            #expect(found.scores == expected.map(\.score))
        }
    }

    @Test(arguments: paths)
    func `equal scores stand in the order of rows`(_ path: kernels_path) {
        let shape = Shape(items: 500, dimensions: 16, k: 40)
        let blocks = EightBitBlocks((0..<500 * 16).map { ($0 / 16) % 5 == 0 ? 2 : 1 }, dimensions: 16)
        let found = scan(path, blocks, shape, quantized([Float](repeating: 1, count: 16)), nil)
        #expect(found.rows == (0..<40).map { Int32($0 * 5) })
    }

    @Test(arguments: paths)
    func `after exact scoring of the best 200 the top 10 is that of brute force`(_ path: kernels_path) {
        let shape = Shape(items: 5000, dimensions: 64, k: 200)
        let values = factors(shape, seed: 21)
        let blocks = EightBitBlocks(values, dimensions: 64)
        var random = RandomSource(seed: 22)
        for _ in 0..<20 {
            let query = (0..<64).map { _ in random.normal() }
            let all = (0..<Int32(shape.items)).map { $0 }
            #expect(
                exactTop(10, of: scan(path, blocks, shape, quantized(query), nil).rows, values, query)
                    == exactTop(10, of: all, values, query))
        }
    }

    private func exactTop(_ k: Int, of rows: [Int32], _ factors: [Float], _ query: [Float]) -> [Int32] {
        var scores = [Float](repeating: 0, count: rows.count)
        kernels_dot_rows(kernels_best_path(), factors, 64, query, rows, rows.count, &scores)
        return zip(rows, scores).sorted { ($1.1, $0.0) < ($0.1, $1.0) }.prefix(k).map(\.0)
    }

    @Test(arguments: paths)
    func `the largest values do not overflow`(_ path: kernels_path) {
        let shape = Shape(items: 40, dimensions: 256, k: 40)
        let blocks = EightBitBlocks((0..<40 * 256).map { ($0 / 256) % 2 == 0 ? 127 : -127 }, dimensions: 256)
        let found = scan(path, blocks, shape, [Int8](repeating: 127, count: 256), nil)
        #expect(found.scores.prefix(20).allSatisfy { $0 == 127 * 127 * 256 })
        #expect(found.scores.suffix(20).allSatisfy { $0 == -127 * 127 * 256 })
    }

    @Test func `the best path is one that this processor has`() {
        #expect(kernels_path_available(kernels_best_path()) != 0)
    }
}
