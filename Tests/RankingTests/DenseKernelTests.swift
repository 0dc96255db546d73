import Kernels
import Testing

@testable import Ranking

/// Every way to add up and pick dense scores gives what a plain loop gives, bit for bit.
@Suite struct DenseKernelTests {
    static let lengths = [1, 15, 16, 17, 1000, 4093, 70_001]

    private func numbers(_ count: Int, seed: UInt64) -> [Float] {
        var random = RandomSource(seed: seed)
        return (0..<count).map { _ in random.normal() }
    }

    @Test(arguments: kernelPaths, lengths)
    func `sums are those of their definition`(_ path: kernels_path, count: Int) {
        let values = numbers(count, seed: 1)
        var totals = numbers(count, seed: 2)
        let expected = zip(totals, values).map { $0 + 0.37 * $1 }
        kernels_add_scaled(path, values, count, 0.37, &totals)
        #expect(totals == expected)
        #expect(kernels_sum_squares(path, values, count) == kernels_sum_squares(KERNELS_PORTABLE, values, count))
        let exact = values.reduce(0.0) { $0 + Double($1) * Double($1) }
        #expect(abs(Double(kernels_sum_squares(path, values, count)) - exact) < 1e-4 * exact)
    }

    /// Ties, infinities, NaN and a negative zero among the numbers.
    private func hostile(_ count: Int) -> [Float] {
        var values = numbers(count, seed: 3)
        for index in stride(from: 0, to: count, by: 7) { values[index] = 1.5 }
        if count > 20 {
            (values[11], values[12], values[13], values[14], values[2], values[5]) = (.nan, .infinity, -.infinity, .infinity, -0.0, 0)
        }
        return values
    }

    /// (row, score) by a full sort: NaN and -inf never, equal ones by row.
    private func sorted(_ values: [Float], _ k: Int, where isAdmitted: (Int) -> Bool) -> [(Int32, Float)] {
        let rows = values.indices.filter { isAdmitted($0) && values[$0] > -.infinity }
        return rows.sorted { (values[$1], $0) < (values[$0], $1) }.prefix(k).map { (Int32($0), values[$0]) }
    }

    @Test(arguments: [0, 1, 2, 9, 200, 1000])
    func `scored rows come in order, equal ones by row`(_ count: Int) {
        let values = hostile(300).filter { !$0.isNaN }
        let entries = values.enumerated().map { ScoredRow(row: Int32($0), score: $1) }.reversed()
        let expected = values.indices.sorted { (values[$1], $0) < (values[$0], $1) }.prefix(count)
        let found = ScoredRow.best(count, of: Array(entries))
        #expect(found.map { Int($0.row) } == Array(expected))
        #expect(found.map(\.score) == expected.map { values[$0] })
    }

    @Test(arguments: kernelPaths, lengths)
    func `the best values are those of a full sort`(_ path: kernels_path, count: Int) {
        let values = hostile(count)
        let bitmap = rowBitmap((0..<count).filter { $0 % 3 != 1 }, count: count)
        var best = BestRows(path: path)
        for isFiltered in [false, true] {
            for k in [1, 10, 200, 5000, count + 1] {
                let allowed = isFiltered ? bitmap : nil
                let expected = sorted(values, k) { !isFiltered || $0 % 3 != 1 }
                let found = best.pick(k, of: values, count: count, allowed: allowed, isOrdered: true)
                #expect(Array(best.rows[..<found]) == expected.map(\.0))
                #expect(Array(best.scores[..<found]) == expected.map(\.1))
                #expect(best.pick(k, of: values, count: count, allowed: allowed, isOrdered: false) == found)
                #expect(Set(best.rows[..<found]) == Set(expected.map(\.0)))
            }
        }
    }

    @Test(arguments: lengths)
    func `the best among some rows are those of a full sort of them`(_ count: Int) {
        let values = hostile(count)
        // In no order: ties must go to the lower row all the same.
        let among = (0..<Int32(count)).filter { $0 % 5 != 2 }.reversed() as [Int32]
        let bitmap = rowBitmap((0..<count).filter { $0 % 3 != 1 }, count: count)
        var best = BestRows()
        for k in [1, 10, 200, count + 1] {
            let expected = sorted(values, k) { $0 % 5 != 2 && $0 % 3 != 1 }
            let found = best.pick(k, of: values, among: among, allowed: bitmap)
            #expect(found == expected.count)
            #expect(Dictionary(uniqueKeysWithValues: zip(best.rows[..<found], best.scores)) == Dictionary(uniqueKeysWithValues: expected))
        }
    }

    @Test(arguments: kernelPaths)
    func `zeros of either sign are alike`(_ path: kernels_path) {
        var best = BestRows(path: path)
        for values in [
            [Float](repeating: 0, count: 2000), [Float](repeating: -0.0, count: 2000), [1, 0, -0.0] + [Float](repeating: -1, count: 2000),
        ] {
            let k = values.count { $0 >= 0 } == 3 ? 3 : 201
            #expect(best.pick(k, of: values, count: values.count, isOrdered: true) == k)
            #expect(Array(best.rows[..<k]) == (0..<Int32(k)).map { $0 })
        }
    }

    @Test func `nothing but NaN and minus infinity has no best`() {
        let values: [Float] = [.nan, -.infinity, .nan]
        var best = BestRows()
        for path in kernelPaths {
            best = BestRows(path: path)
            #expect(best.pick(2, of: values, count: 3, isOrdered: true) == 0)
        }
        #expect(best.pick(2, of: values, among: [2, 1, 0]) == 0)
    }

    @Test func `rows outside the items are passed over`() {
        var totals: [Float] = [0, 0, 0]
        kernels_add_row([1, -1, 3, .max, 2, 1], [1, 9, 9, 9, 2, 4], 6, 0.5, &totals, 3)
        #expect(totals == [0, 2.5, 1])
    }

    /// 50 lists of 40 additions; some cancel out, some rows lie outside.
    @Test(arguments: [100, 20_000])
    func `sums over few rows are those over all`(_ items: Int) {
        var random = RandomSource(seed: 9)
        var sums = ScoreSums()
        for round in 0..<3 {
            var expected = [Float](repeating: 0, count: items)
            sums.start(itemCount: items, additions: 50 * 40)
            for _ in 0..<50 {
                let rows = (0..<40).map { _ in Int32(truncatingIfNeeded: Int(random.next() % UInt64(items + 3))) - 1 }
                let values = (0..<40).map { _ in Float(Int(random.next() % 5)) - 2 }
                for (row, value) in zip(rows, values) where row >= 0 && Int(row) < items { expected[Int(row)] += 0.5 * value }
                sums.add(rows, values, count: 40, weight: 0.5)
            }
            sums.settle()
            #expect(sums.totals == expected)
            #expect((sums.touched == nil) == (items == 100))
            if let touched = sums.touched {
                #expect(touched.sorted() == expected.indices.filter { expected[$0] != 0 }.map { Int32($0) })
            }
            #expect(sums.sumOfSquares == expected.reduce(0) { $0 + $1 * $1 })
            var totals = [Float](repeating: Float(round), count: items)
            sums.add(2, to: &totals)
            #expect(totals == expected.map { Float(round) + 2 * $0 })
        }
    }
}
