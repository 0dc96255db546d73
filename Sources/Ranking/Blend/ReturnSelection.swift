/// Weights for users who come back after a pause. In the midst of a visit the newest events say most of what comes next; to who comes
/// back they say less, and the whole history and what is popular now say more.
struct ReturnSelection {
    /// The cases are of such users.
    private let search: BlendSearch
    private let usable: [Int]

    init(_ search: BlendSearch, usable: [Int]) { (self.search, self.usable) = (search, usable) }

    /// Weights of the columns, nil where they serve no better beyond chance than the usual ones: each half of the cases is served by
    /// weights learned from the other half, all the way from the usual ones or half of it.
    func weights(beside usual: [Float], _ log: inout [String]) throws(FitError) -> [Float]? {
        guard search.cases.count >= BlendSelection.minimumUsers else { return nil }
        let halves = [0, 1].map { half in search.among(search.cases.indices.filter { $0 % 2 == half }) }
        let learned = try halves.map { half throws(FitError) in try self.learned(half) }
        let before = try objectives(halves, [usual, usual])
        var best: (way: Float, after: [Double])?
        for way: Float in [1, 0.5] {
            let after = try objectives(halves, learned.reversed().map { mixed(usual, $0, way) })
            if after.reduce(0, +) > best?.after.reduce(0, +) ?? -.infinity { best = (way, after) }
        }
        guard let best else { return nil }
        // Weights judged on whom they were not learned from need not make up for having been tried.
        let isKept = BlendSearch.gains(best.after, over: before, errors: 1)
        func mean(_ values: [Double]) -> String { decimals(values.reduce(0, +) / Double(max(1, values.count)), 4) }
        log.append(
            "\(before.count) held-out users come back after a pause: quality \(mean(best.after)) by weights of their own, \(mean(before)) "
                + "by the usual ones; \(isKept ? "they have their own" : "they are not told apart").")
        guard isKept else { return nil }
        let weights = mixed(usual, try self.learned(search), best.way)
        let names = search.columns.indices.filter { weights[$0] > 0 }.map {
            "\(search.columns[$0].ingredient.title) x \(decimals(Double(weights[$0]), 2))"
        }
        log.append("For those who come back: \(names.joined(separator: " + ")).")
        return weights
    }

    private func learned(_ search: BlendSearch) throws(FitError) -> [Float] {
        let alone = try search.alone()
        let best = search.bestColumns(alone).filter { usable.contains($0) }
        return try search.weights(best, alone, smooths: false)
    }

    /// Of the halves' cases one after another, each by its own weights.
    private func objectives(_ halves: [BlendSearch], _ weights: [[Float]]) throws(FitError) -> [Double] {
        var result: [Double] = []
        for (half, weights) in zip(halves, weights) { result += try half.objectives(weights) }
        return result
    }

    /// Part of the way from one blend to the other, of the same sum as the first.
    private func mixed(_ weights: [Float], _ others: [Float], _ way: Float) -> [Float] {
        let scale = weights.reduce(0, +) / max(others.reduce(0, +), .leastNormalMagnitude)
        return zip(weights, others).map { (1 - way) * $0 + way * $1 * scale }
    }
}
