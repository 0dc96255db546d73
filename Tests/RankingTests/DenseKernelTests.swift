import Kernels
import Testing

@testable import Ranking

/// Every way to add up and pick dense scores that this processor has gives the same bits.
@Suite struct DenseKernelTests {
    static let lengths = [1, 15, 16, 17, 1000, 4093, 70_001]

    private func numbers(_ count: Int, seed: UInt64) -> [Float] {
        var random = RandomSource(seed: seed)
        return (0..<count).map { _ in random.normal() }
    }

    @Test(arguments: KernelTests.paths, lengths)
    func `sums are the same on every path`(_ path: kernels_path, count: Int) {
        let values = numbers(count, seed: 1)
        var totals = numbers(count, seed: 2)
        var reference = totals
        kernels_add_scaled(path, values, count, 0.37, &totals)
        for index in 0..<count { reference[index] += 0.37 * values[index] }
        #expect(totals == reference)
        #expect(kernels_sum_squares(path, values, count) == kernels_sum_squares(KERNELS_PORTABLE, values, count))
        let exact = values.reduce(0.0) { $0 + Double($1) * Double($1) }
        #expect(abs(Double(kernels_sum_squares(path, values, count)) - exact) < 1e-4 * exact)
    }

    @Test(arguments: KernelTests.paths, lengths)
    func `the best values are those of a full sort`(_ path: kernels_path, count: Int) {
        var values = numbers(count, seed: 3)
        for index in stride(from: 0, to: count, by: 7) { values[index] = 1.5 }
        if count > 20 { values[11] = .nan }
        let allowed = rowBitmap((0..<count).filter { $0 % 3 != 1 }, count: count)
        for mask in [nil, allowed] {
            for k in [1, 10, min(count, 200), min(count, 5000)] {
                var scores = [Float](repeating: 0, count: k)
                var rows = [Int32](repeating: 0, count: k)
                let found = kernels_top_float(path, values, count, mask, k, &scores, &rows)
                let admitted = (0..<count).filter { (mask == nil || $0 % 3 != 1) && !values[$0].isNaN }
                let expected = admitted.sorted { (values[$1], $0) < (values[$0], $1) }.prefix(k)
                #expect(rows.prefix(found).map { Int($0) } == Array(expected))
            }
        }
    }

    @Test(arguments: KernelTests.paths, [1, 17, 500])
    func `eight-bit scores are added the same on every path`(_ path: kernels_path, items: Int) {
        let dimensions = 48
        let blocks = EightBitBlocks(numbers(items * dimensions, seed: 4), dimensions: dimensions)
        var query: [Int8] = []
        let step = numbers(dimensions, seed: 5).withUnsafeBufferPointer { EightBitBlocks.quantize($0, into: &query) }
        #expect(step > 0)
        let memory = ModelBytes(blocks.bytes)
        func totals(_ path: kernels_path) -> [Float] {
            var totals = numbers(items, seed: 6)
            memory.bytes.withMemoryRebound(to: UInt8.self) { bytes in
                kernels_add_int8(path, bytes.baseAddress, blocks.scales, items, dimensions / 4, query, nil, 0.71, &totals)
            }
            return totals
        }
        #expect(totals(path) == totals(KERNELS_PORTABLE))
        #expect(totals(path) != numbers(items, seed: 6))
    }

    @Test func `rows outside the items are passed over`() {
        var totals: [Float] = [0, 0, 0]
        kernels_add_row([1, -1, 3, .max, 2, 1], [1, 9, 9, 9, 2, 4], 6, 0.5, &totals, 3)
        #expect(totals == [0, 2.5, 1])
    }
}
