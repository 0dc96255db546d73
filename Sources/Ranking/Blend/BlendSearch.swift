import Foundation

/// Learns the weights of a blend on held-out users: greedy forward selection, then coordinate search.
struct BlendSearch {
    typealias Quality = (objective: Double, ndcg: Double)

    let columns: [(ingredient: Ingredient, rule: SourceRule)]
    let cases: [ValidationCase]

    /// A part must make the blend better by this share to be kept: every part costs time at each request.
    static let leastGain = 0.005
    private static let steps: [Float] = [0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.75, 1, 1.5, 2.5]

    func quality(_ weights: [Float], coldWeights: [Float] = []) -> Quality {
        var sum = (objective: 0.0, ndcg: 0.0)
        for single in cases {
            let (objective, ndcg) = single.quality(weights, coldWeights: coldWeights)
            sum.objective += objective
            sum.ndcg += ndcg
        }
        return (sum.objective / Double(cases.count), sum.ndcg / Double(cases.count))
    }

    /// Is a change of weights better beyond chance? The mean gain per user must be `leastGain` of the whole and two standard errors,
    /// since several weights are tried.
    func gains(_ weights: [Float], over others: [Float], coldWeights: [Float] = [], coldOthers: [Float] = []) -> Bool {
        let gains = cases.map {
            $0.quality(weights, coldWeights: coldWeights).objective - $0.quality(others, coldWeights: coldOthers).objective
        }
        let mean = gains.reduce(0, +) / Double(max(1, gains.count))
        let variance = gains.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, gains.count - 1))
        let least = Self.leastGain * quality(others, coldWeights: coldOthers).objective
        return mean > max(least, 2 * (variance / Double(max(1, gains.count))).squareRoot())
    }

    /// Every column on its own.
    func alone() -> [Quality] {
        columns.indices.map { index in
            var weights = [Float](repeating: 0, count: columns.count)
            weights[index] = 1
            return quality(weights)
        }
    }

    /// Of the ways to read a history, each ingredient keeps its best; ascending columns.
    func bestColumns(_ alone: [Quality]) -> [Int] {
        var best: [Ingredient: Int] = [:]
        for (index, column) in columns.enumerated()
        where best[column.ingredient].map({ alone[index].objective > alone[$0].objective }) ?? true {
            best[column.ingredient] = index
        }
        return best.values.sorted()
    }

    /// Weights over all columns, zero outside `usable`, which must not be empty.
    func weights(_ usable: [Int], _ alone: [Quality], smooths: Bool) -> [Float] {
        var weights = [Float](repeating: 0, count: columns.count)
        let first = usable.max { (alone[$0].objective, $1) < (alone[$1].objective, $0) } ?? 0
        weights[first] = 1
        var reached = alone[first].objective
        while let better = extended(weights, usable, reached) { (weights, reached) = better }
        for _ in 0..<2 { refine(&weights, usable, &reached) }
        if smooths { smooth(&weights, usable, alone, reached) }
        return weights
    }

    /// The best way to give one more column a weight; nil when none is worth it.
    private func extended(_ weights: [Float], _ usable: [Int], _ reached: Double) -> (weights: [Float], objective: Double)? {
        var best: (weights: [Float], objective: Double)?
        var least = reached * (1 + Self.leastGain)
        for column in usable where weights[column] == 0 {
            for step in Self.steps {
                var tried = weights
                tried[column] = step
                let objective = quality(tried).objective
                if objective > least {
                    best = (tried, objective)
                    least = objective
                }
            }
        }
        return best
    }

    private func refine(_ weights: inout [Float], _ usable: [Int], _ reached: inout Double) {
        for column in usable where weights[column] > 0 {
            for factor: Float in [0.6, 0.8, 1.25, 1.6] {
                var tried = weights
                tried[column] *= factor
                let objective = quality(tried).objective
                if objective > reached { (weights, reached) = (tried, objective) }
            }
        }
    }

    /// Without a clock the held-out events are drawn from among the others, which flatters parts that remember single
    /// pairs over parts that generalize; what comes next differs more. So the learned weights go towards equal weights of
    /// all good parts, half way at most, and no further than costs 3 % here.
    private func smooth(_ weights: inout [Float], _ usable: [Int], _ alone: [Quality], _ reached: Double) {
        let best = usable.map { alone[$0].objective }.max() ?? 0
        let good = usable.filter { alone[$0].objective >= 0.6 * best }
        let correcting = usable.filter { columns[$0].ingredient == .sharpening }
        let total = weights.reduce(0, +) - correcting.reduce(0) { $0 + weights[$1] }
        guard total > 0, good.count > 1 else { return }
        for way: Float in [0.5, 0.45, 0.4, 0.35, 0.3, 0.25, 0.2, 0.15, 0.1] {
            var smoothed = weights.map { $0 / total * (1 - way) }
            for column in good { smoothed[column] += way / Float(good.count) }
            // What corrects the others keeps its proportion to them.
            for column in correcting { smoothed[column] = weights[column] / total }
            if quality(smoothed).objective >= reached * 0.97 {
                weights = smoothed
                return
            }
        }
    }
}
