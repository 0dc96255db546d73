import CBLAS
import Foundation

/// A linear next-item model (Choi et al. 2021, "Session-aware Linear Item-Item Models"): one ridge regression from the
/// recency-weighted last items of a history to the items that come next, W = (X'X + ridge I)^-1 X'Y, over the core items.
struct NextItemFit: Sendable {
    /// What a history says, in training and in serving.
    var rule = SourceRule(kind: .decayed, window: 20, span: 5)
    /// Events ahead that count, and the fall of their weight: exp(-(steps - 1) / span).
    var targets = 3
    var targetSpan: Float = 1.5
    var ridge: Float = 300
    /// Weights towards an item are divided by (users / mean users)^this.
    var popularityExponent: Float = 0.2
    var limit: Int
    var threads: Int

    /// Events with both a past and a future that take part; each user's newest first, to bound memory.
    static let maximumPositions = 2_000_000

    func fit(
        _ matrix: InteractionMatrix, _ weighting: HistoryWeights, _ core: ItemCore, users: [Float], _ span: ProgressSpan
    ) throws(FitError) -> NeighborLists? {
        let n = core.count
        let (sources, nexts) = pairs(matrix, weighting, core)
        try span.reporter.poll(span.share(0.05))
        let gram = try SparseProduct(sources, leftWidth: n, sources, rightWidth: n)
            .dense(rows: n, threads: threads, span.part(0.05, 0.15))
        for index in 0..<n { gram.base[index * n + index] += ridge }
        guard try SymmetricInverse(matrix: gram, size: n, threads: threads).invert(span.part(0.15, 0.45)) else { return nil }
        let cross = try SparseProduct(sources, leftWidth: n, nexts, rightWidth: n)
            .dense(rows: n, threads: threads, span.part(0.45, 0.5))
        let scales = targetScales(core, users)
        return try WeightRows.build(
            width: n, chunk: 64, limit: limit, itemCount: core.places.count, items: core.items, threads: threads,
            span.part(0.5, 1), makeSpace: {}
        ) { range, _, out in
            cblas_sgemm(
                CblasRowMajor, CblasNoTrans, CblasNoTrans, Int32(range.count), Int32(n), Int32(n), 1,
                gram.base + range.lowerBound * n, Int32(n), cross.base, Int32(n), 0, out, Int32(n))
            for source in 0..<range.count {
                for column in 0..<n { out[source * n + column] *= scales[column] }
            }
        }
    }

    /// The same target by target on at most `neighbors` sources each. Nil when the products take more than `budgetBytes`.
    func fitSparsely(
        _ matrix: InteractionMatrix, _ weighting: HistoryWeights, _ core: ItemCore, users: [Float], neighbors: Int,
        budgetBytes: Int, _ span: ProgressSpan
    ) throws(FitError) -> NeighborLists? {
        let (sources, nexts) = pairs(matrix, weighting, core)
        var gram = HalfGram(sources, width: core.count)
        guard try gram.multiply(threads: threads, budgetBytes: budgetBytes, span.part(0.05, 0.25)) else { return nil }
        return try SparseRidge(ridge: ridge, neighbors: neighbors, threads: threads).fit(
            gram, targets: nexts, excludesSelf: false, scales: targetScales(core, users), items: core.items,
            itemCount: core.places.count, span.part(0.25, 1))
    }

    private func targetScales(_ core: ItemCore, _ users: [Float]) -> [Float] {
        let counts = core.items.map { max(1, users[Int($0)]) }
        let mean = counts.reduce(0, +) / Float(max(1, counts.count))
        return counts.map { powf($0 / mean, -popularityExponent) }
    }

    /// For every event that has a past: what the past says, and what comes next; both in places of the core.
    func pairs(
        _ matrix: InteractionMatrix, _ weighting: HistoryWeights, _ core: ItemCore
    ) -> (sources: SparseRows, nexts: SparseRows) {
        var sources = SparseRows()
        var nexts = SparseRows()
        let decays = (0..<max(1, rule.window)).map { rule.decay(age: $0) }
        let falls = (0..<targets).map { expf(-Float($0) / targetSpan) }
        let perUser = max(20, Self.maximumPositions / max(1, matrix.userCount))
        let isCapped = matrix.eventCount > Self.maximumPositions
        var window: [(row: Int32, base: Float)] = []
        for user in 0..<matrix.userCount {
            window.removeAll(keepingCapacity: true)
            var range = matrix.offsets[user]..<matrix.offsets[user + 1]
            if isCapped, range.count > perUser { range = range.upperBound - perUser..<range.upperBound }
            for position in range {
                let row = matrix.items[position]
                if let newest = window.last, newest.row != row {
                    appendSources(window, decays, core, &sources)
                    for (step, fall) in falls.enumerated() where position + step < range.upperBound {
                        let place = core.places[Int(matrix.items[position + step])]
                        if place >= 0 {
                            nexts.columns.append(place)
                            nexts.values.append(fall)
                        }
                    }
                    nexts.offsets.append(nexts.columns.count)
                }
                let base =
                    weighting.weight(ofType: Int(matrix.types[position])) * weighting.confidence(ofValue: matrix.values[position])
                guard base > 0 else { continue }
                var strongest = base
                if let place = window.firstIndex(where: { $0.row == row }) { strongest = max(base, window.remove(at: place).base) }
                window.append((row, strongest))
                if window.count > rule.window { window.removeFirst() }
            }
        }
        return (sources, nexts)
    }

    private func appendSources(
        _ window: [(row: Int32, base: Float)], _ decays: [Float], _ core: ItemCore, _ sources: inout SparseRows
    ) {
        for (index, entry) in window.enumerated() {
            let place = core.places[Int(entry.row)]
            if place >= 0 {
                sources.columns.append(place)
                sources.values.append(entry.base * decays[window.count - 1 - index])
            }
        }
        sources.offsets.append(sources.columns.count)
    }
}
