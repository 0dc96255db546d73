import Foundation

/// Weights for ranking within a list that the caller gives, where what matters is which of these items, not which of all.
extension BlendSelection {
    /// Items of one list: what a user met next, and others.
    private static let listLength = 100

    /// Learns weights of the chosen parts by a logit on what held-out users chose among other items as popular, and keeps them where
    /// they rank such lists better than the blend's weights do, each user judged by weights learned from others.
    func learnListWeights(
        _ choice: inout BlendChoice, _ columns: [BlendColumn], _ split: ValidationSplit, _ span: ProgressSpan, _ log: inout [String]
    ) throws(FitError) {
        guard [.personalizedRanking, .personalizedRankingV2].contains(configuration.recipe) else { return }
        let members = choice.members(columns)
        let cases = try listCases(split, members.map(\.part), span)
        let blend = members.map { Double($0.weight) }
        guard members.count > 1, cases.count >= Self.minimumUsers else { return }
        let halves = [0, 1].map { half in cases.indices.filter { $0 % 2 == half }.map { cases[$0] } }
        let learned = halves.map { ListLogit(cases: $0, partCount: members.count).fitted(from: blend) }
        func qualities(_ weights: (Int) -> [Double]) -> [Double] {
            cases.indices.map { cases[$0].quality(weights($0).map { Float($0) }).objective }
        }
        let before = qualities { _ in blend }
        let after = qualities { learned[1 - $0 % 2] }
        let weights = ListLogit(cases: cases, partCount: members.count).fitted(from: blend)
        let isKept = BlendSearch.gains(after, over: before) && weights.contains { $0 > 0 }
        func mean(_ values: [Double]) -> String { decimals(values.reduce(0, +) / Double(max(1, values.count)), 4) }
        log.append(
            "Lists of \(Self.listLength) items as popular as what users met: NDCG \(mean(after)) with weights for lists, \(mean(before)) "
                + "with the blend's; \(isKept ? "lists that are given are ranked by their own weights" : "the blend's weights stay").")
        guard isKept else { return }
        for (member, weight) in zip(members, weights) {
            // A softmax of this sharpness over the scores then gives the logit's probabilities.
            choice.entries[member.place].listWeight = Float(weight) / BlendRecipe.sharpness
        }
    }

    private func listCases(
        _ split: ValidationSplit, _ parts: [any BlendPart], _ span: ProgressSpan
    ) throws(FitError) -> [ValidationCase] {
        let (users, training) = (split.users, split.training)
        guard training.eventCount > 0 else { return [] }
        let results = Slots<ValidationCase>(count: users.count)
        let weighting = HistoryWeights(training, configuration)
        let seed = configuration.seed
        try ParallelRows(threads: configuration.threads).run(count: users.count, chunk: 8, span: span) {
            var asking = ValidationAsking(itemCount: training.itemCount, partCount: parts.count)
            return { range in
                for index in range {
                    training.collectHistory(users[index].row, weighting, into: &asking.history)
                    let rows = Self.list(users[index], training, asking.history, seed: seed)
                    results.set(index, asking.ask(parts, among: rows, truth: users[index].truth))
                }
            }
        }
        return results.values.filter { !$0.relevant.isEmpty && $0.relevant.count < $0.rowCount }
    }

    /// What the user met, and items drawn as often as they are met, none of them of the user's; ascending, so that equal scores tell
    /// nothing.
    private static func list(
        _ user: ValidationSplit.User, _ training: InteractionMatrix, _ history: WeightedHistory, seed: UInt64
    ) -> [Int32] {
        var rows = user.truth
        var state = RandomSource.mix(seed ^ UInt64(UInt32(bitPattern: training.userIDs[user.row])))
        for _ in 0..<4 * listLength where rows.count < listLength {
            state = RandomSource.mix(state)
            let row = training.items[Int(state % UInt64(training.eventCount))]
            if history.place(of: row) == nil { rows.insert(row) }
        }
        return rows.sorted()
    }
}

/// A conditional logit (McFadden 1974) with weights that are not negative: who was shown a list chose r with the probability
/// exp(w.x_r) / (exp(w.x_r) + sum over what was not chosen of exp(w.x)).
struct ListLogit {
    let cases: [ValidationCase]
    let partCount: Int

    private static let sweeps = 25
    /// No step changes a score by more, so that Newton's cannot run away.
    private static let longestStep = 2.0

    /// Maximizes the likelihood, every list weighing the same, part by part by Newton's steps.
    func fitted(from start: [Double]) -> [Double] {
        var weights = start
        var totals = cases.map { total($0, weights) }
        for _ in 0..<Self.sweeps {
            var moved = 0.0
            for part in 0..<partCount {
                let (slope, curvature, largest) = slope(part, totals)
                guard curvature > 1e-12, largest > 0 else { continue }
                let limit = Self.longestStep / largest
                let next = max(0, weights[part] + max(-limit, min(limit, slope / curvature)))
                let step = next - weights[part]
                guard step != 0 else { continue }
                weights[part] = next
                moved = max(moved, abs(step) * largest)
                for index in cases.indices {
                    let start = part * cases[index].rowCount
                    for row in 0..<cases[index].rowCount { totals[index][row] += step * Double(cases[index].scores[start + row]) }
                }
            }
            if moved < 1e-4 { break }
        }
        return weights
    }

    private func total(_ single: ValidationCase, _ weights: [Double]) -> [Double] {
        var totals = [Double](repeating: 0, count: single.rowCount)
        for (part, weight) in weights.enumerated() {
            for row in 0..<single.rowCount { totals[row] += weight * Double(single.scores[part * single.rowCount + row]) }
        }
        return totals
    }

    /// First and negative second derivative of the log likelihood by one weight, and the part's largest score.
    private func slope(_ part: Int, _ totals: [[Double]]) -> (slope: Double, curvature: Double, largest: Double) {
        var result = (slope: 0.0, curvature: 1e-6, largest: 0.0)
        for (index, single) in cases.enumerated() {
            let column = single.scores[part * single.rowCount..<(part + 1) * single.rowCount].map { Double($0) }
            let highest = totals[index].max() ?? 0
            let isRelevant = Set(single.relevant)
            var (mass, first, second) = (0.0, 0.0, 0.0)
            for row in 0..<single.rowCount {
                result.largest = max(result.largest, abs(column[row]))
                guard !isRelevant.contains(row) else { continue }
                let chance = exp(totals[index][row] - highest)
                mass += chance
                first += chance * column[row]
                second += chance * column[row] * column[row]
            }
            let share = 1 / Double(single.relevant.count)
            for row in single.relevant {
                let chance = exp(totals[index][row] - highest)
                let mean = (first + chance * column[row]) / (mass + chance)
                let square = (second + chance * column[row] * column[row]) / (mass + chance)
                result.slope += share * (column[row] - mean)
                result.curvature += share * max(0, square - mean * mean)
            }
        }
        return result
    }
}
