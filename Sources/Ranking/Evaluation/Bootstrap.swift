import Foundation

/// The percentile bootstrap of means (Efron 1979) over groups of rows, drawn with replacement by a seed.
///
/// All columns see the same draws, so a difference of two columns is a paired one.
public struct Bootstrap: Sendable {
    /// An estimate with its interval.
    public struct Estimate: Sendable, Equatable {
        public var value: Double
        public var lower: Double
        public var upper: Double

        public init(value: Double, lower: Double, upper: Double) {
            self.value = value
            self.lower = lower
            self.upper = upper
        }
    }

    public let columns: Int
    /// Means over all rows.
    public let means: [Double]
    /// Draw by draw, the means of all columns.
    private let drawn: [Double]
    private let draws: Int

    /// - Parameters:
    ///   - values: rows × columns.
    ///   - groups: of each row, ascending; rows of one group are drawn together.
    public init(values: [Float], columns: Int, groups: [Int32], draws: Int = 1000, seed: UInt64, threads: Int = 1) {
        self.columns = columns
        self.draws = draws
        let (sums, counts) = Self.groupSums(values, columns, groups)
        let width = columns + 1
        var total = [Double](repeating: 0, count: width)
        for group in counts.indices { Self.add(group, 1, sums, counts, columns, &total) }
        means = (0..<columns).map { total[$0] / max(1, total[columns]) }
        var drawn = [Double](repeating: 0, count: draws * columns)
        drawn.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            let target = SharedBuffer(pointer: base)
            let rows = ParallelRows(threads: threads)
            let span = ProgressSpan(reporter: ProgressReporter { _, _ in true }, start: 0, end: 1)
            // The reporter never cancels, so nothing is thrown.
            try? rows.run(count: draws, chunk: 8, span: span) {
                return { range in
                    for draw in range {
                        let sum = Self.resample(sums, counts, columns, seed: seed, draw: draw)
                        for column in 0..<columns { target.pointer[draw * columns + column] = sum[column] / max(1, sum[columns]) }
                    }
                }
            }
        }
        self.drawn = drawn
    }

    /// The interval that holds the middle `level` of the draws' means.
    public func estimate(_ column: Int, level: Double = 0.95) -> Estimate {
        interval(means[column], (0..<draws).map { drawn[$0 * columns + column] }, level)
    }

    /// The mean of `column` less that of `other`, row by row.
    public func difference(_ column: Int, minus other: Int, level: Double = 0.95) -> Estimate {
        interval(
            means[column] - means[other], (0..<draws).map { drawn[$0 * columns + column] - drawn[$0 * columns + other] }, level)
    }

    private func interval(_ value: Double, _ sample: [Double], _ level: Double) -> Estimate {
        let sorted = sample.sorted()
        func quantile(_ share: Double) -> Double {
            guard let last = sorted.last else { return value }
            let place = share * Double(sorted.count - 1)
            let low = Int(place)
            return low + 1 < sorted.count ? sorted[low] + (sorted[low + 1] - sorted[low]) * (place - Double(low)) : last
        }
        return Estimate(value: value, lower: quantile((1 - level) / 2), upper: quantile((1 + level) / 2))
    }

    /// Sums per group, groups × columns, and rows per group.
    private static func groupSums(_ values: [Float], _ columns: Int, _ groups: [Int32]) -> ([Double], [Double]) {
        var sums: [Double] = []
        var counts: [Double] = []
        sums.reserveCapacity(values.count)
        for (row, group) in groups.enumerated() {
            if row == 0 || groups[row - 1] != group {
                sums.append(contentsOf: repeatElement(0, count: columns))
                counts.append(0)
            }
            let start = sums.count - columns
            for column in 0..<columns { sums[start + column] += Double(values[row * columns + column]) }
            counts[counts.count - 1] += 1
        }
        return (sums, counts)
    }

    /// How often each group is in a draw.
    static func weights(groups: Int, seed: UInt64, draw: Int) -> [Int32] {
        var source = RandomSource(seed: RandomSource.mix(seed &+ 0x9E37_79B9_7F4A_7C15 &* UInt64(draw + 1)))
        var weights = [Int32](repeating: 0, count: groups)
        for _ in 0..<groups { weights[Int(source.next().multipliedFullWidth(by: UInt64(groups)).high)] += 1 }
        return weights
    }

    private static func resample(_ sums: [Double], _ counts: [Double], _ columns: Int, seed: UInt64, draw: Int) -> [Double] {
        var total = [Double](repeating: 0, count: columns + 1)
        for (group, weight) in weights(groups: counts.count, seed: seed, draw: draw).enumerated() where weight > 0 {
            add(group, Double(weight), sums, counts, columns, &total)
        }
        return total
    }

    /// Adds a group's sums and its count (behind the last column), so many times.
    private static func add(
        _ group: Int, _ weight: Double, _ sums: [Double], _ counts: [Double], _ columns: Int, _ total: inout [Double]
    ) {
        sums.withUnsafeBufferPointer { sums in
            total.withUnsafeMutableBufferPointer { total in
                for column in 0..<columns { total[column] += weight * sums[group * columns + column] }
                total[columns] += weight * counts[group]
            }
        }
    }
}
