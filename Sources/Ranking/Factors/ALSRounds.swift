import Foundation

/// Rounds of implicit ALS alone, to be timed beside other programs on the same pairs; every pair weighs 1.
package struct ALSRounds: Sendable {
    private let rows: SparseRows
    private let itemCount: Int

    /// Distinct pairs, both from 0 on.
    package init(users: [Int32], items: [Int32]) {
        itemCount = Int(items.max() ?? -1) + 1
        var byItem = SparseRows()
        byItem.offsets = prefixSums(items.lazy.map { Int($0) }, bins: itemCount)
        var next = byItem.offsets
        byItem.columns = [Int32](repeating: 0, count: items.count)
        byItem.values = [Float](repeating: 1, count: items.count)
        for (user, item) in zip(users, items) {
            byItem.columns[next[Int(item)]] = user
            next[Int(item)] += 1
        }
        rows = byItem.transposed(columnCount: Int(users.max() ?? -1) + 1)
    }

    /// CPU seconds of the process that some rounds take from random factors on, and the objective that they reach.
    package func run(_ rounds: Int, dimensions: Int, isExact: Bool, threads: Int) throws(FitError) -> (seconds: Double, objective: Double) {
        let als = ImplicitALS(
            solver: isExact ? .exact : .byShape, dimensions: dimensions, iterations: rounds, unobservedWeight: 0.05, regularization: 0.003,
            regularizationExponent: 1, seed: 1, threads: threads)
        let start = Self.seconds
        let span = ProgressSpan(reporter: ProgressReporter { _, _ in true }, start: 0, end: 1)
        let both = try als.factorize(rows, itemCount: itemCount, span)
        let took = Self.seconds - start
        let byItem = rows.transposed(columnCount: itemCount)
        return (took, als.loss(users: both.users, items: both.items, byUser: rows, byItem: byItem, observed: rows.rowCount))
    }

    private static var seconds: Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
