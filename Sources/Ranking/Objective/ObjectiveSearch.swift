import Foundation

/// Finds how much an objective may weigh in a blend.
///
/// The objective is one more part whose scores are the standardized attribute. The weight is the largest on a rising scale whose
/// validation quality, the one that chose the blend, stays within the sensitivity's budget; so the trade is stated and measured
/// on the data at hand, instead of a constant that would mean something else for every catalog.
struct ObjectiveSearch {
    /// With the objective's scores as the last column.
    let cases: [ValidationCase]
    let objective: FitConfiguration.Objective
    var threads = 1
    var span: ProgressSpan?

    /// From next to nothing to five times all other parts; a score differs by some 1 to 3 between items in both.
    private static let steps = (0..<40).map { 0.005 * pow(1.2, Double($0)) }

    /// - Parameter weights: of the blend, without the objective.
    func entry(beside weights: [Float], log: inout [String]) throws(FitError) -> BlendChoice.Entry? {
        let total = weights.reduce(0, +)
        let plain = try quality(weights + [0])
        var chosen: Float = 0
        for step in Self.steps {
            let tried = Float(step) * total
            guard try quality(weights + [tried]).objective >= plain.objective * (1 - objective.sensitivity.budget) else { break }
            chosen = tried
        }
        let percent = decimals(objective.sensitivity.budget * 100, 0)
        let name = "\(objective.itemAttribute) at \(objective.sensitivity.rawValue)"
        guard chosen > 0 else {
            log.append("Objective \(name): every weight would cost more than \(percent) % of the validation NDCG; none is given.")
            return nil
        }
        let reached = try quality(weights + [chosen])
        log.append(
            "Objective \(name): weight \(decimals(Double(chosen), 3)), validation NDCG@10 \(decimals(plain.ndcg, 4)) -> "
                + "\(decimals(reached.ndcg, 4)) (at most \(percent) % of NDCG@10 and @50 may be lost), attribute of the first ten "
                + "\(decimals(meanLevel(weights + [0]), 2)) -> \(decimals(meanLevel(weights + [chosen]), 2)) deviations from the mean.")
        return BlendChoice.Entry(ingredient: .objective, rule: SourceRule(), weight: chosen)
    }

    private func quality(_ weights: [Float]) throws(FitError) -> BlendSearch.Quality {
        try BlendSearch(columns: [], cases: cases, threads: threads, span: span).quality(weights)
    }

    /// Of the objective's column over the ten best rows, averaged over cases.
    private func meanLevel(_ weights: [Float]) -> Double {
        let sums = cases.map { $0.meanOfBest(10, of: weights.count - 1, weights) }
        return sums.reduce(0, +) / Double(max(1, sums.count))
    }
}

extension ValidationCase {
    /// The mean score of one part over the rows that a blend ranks best.
    fileprivate func meanOfBest(_ count: Int, of part: Int, _ weights: [Float]) -> Double {
        var totals = [Float](repeating: 0, count: rowCount)
        for (index, weight) in weights.enumerated() where weight > 0 {
            for row in 0..<rowCount { totals[row] += weight * scores[index * rowCount + row] }
        }
        let best = totals.indices.sorted { (totals[$0], $1) > (totals[$1], $0) }.prefix(count)
        guard !best.isEmpty else { return 0 }
        return best.reduce(0.0) { $0 + Double(scores[part * rowCount + $1]) } / Double(best.count)
    }
}
