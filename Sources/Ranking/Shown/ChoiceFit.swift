import Foundation

/// How readily an item is chosen by those who see it, whatever stands beside it: Luce's choice model (1959), by which item i of a
/// list is chosen with the probability w_i / sum of w over the list.
///
/// What was often shown and seldom chosen gets w below 1, however many events its many showings brought it; what is chosen whenever
/// it is seen gets w above 1 though few have seen it. Lists in which nothing was chosen say nothing: nobody may have looked at them.
/// The place in a list is not told apart, since in a ranked list it cannot be told from the ranking itself.
struct ChoiceFit {
    let matrix: InteractionMatrix

    /// With fewer there is nothing to learn from.
    private static let leastLists = 100
    private static let rounds = 20

    /// Logarithms of w per item row, of mean square 1; nil when lists tell no item from another.
    func levels() -> [Float]? {
        let shown = matrix.shown
        guard shown.count >= Self.leastLists else { return nil }
        let evidence = evidence(shown)
        guard let strength = Self.priorStrength(evidence) else { return nil }
        let weights = weights(shown, chosen: evidence.chosen, strength: strength)
        let levels = weights.map { Float(log($0)) }
        let scale = (levels.reduce(0) { $0 + $1 * $1 } / Float(max(1, levels.count))).squareRoot()
        guard scale > 1e-6 else { return nil }
        return levels.map { $0 / scale }
    }

    private struct Evidence {
        /// Choices per item, those expected if all items were alike, and the variance of that number.
        var chosen: [Double]
        var expected: [Double]
        var variance: [Double]
    }

    /// Calls `body` with the rows of one list's items, the chosen one first and only there; -1 stands for items without a row.
    private func forEachList(_ shown: ShownLists, _ body: (_ chosen: Int32, _ others: [Int32]) -> Void) {
        var others: [Int32] = []
        for list in 0..<shown.count {
            let chosen = matrix.items[Int(shown.events[list])]
            others.removeAll(keepingCapacity: true)
            for item in shown[list] where item != chosen { others.append(item) }
            if !others.isEmpty { body(chosen, others) }
        }
    }

    private func evidence(_ shown: ShownLists) -> Evidence {
        let zeros = [Double](repeating: 0, count: matrix.itemCount)
        var evidence = Evidence(chosen: zeros, expected: zeros, variance: zeros)
        forEachList(shown) { chosen, others in
            let share = 1 / Double(others.count + 1)
            evidence.chosen[Int(chosen)] += 1
            for item in others + [chosen] where item >= 0 {
                evidence.expected[Int(item)] += share
                evidence.variance[Int(item)] += share * (1 - share)
            }
        }
        return evidence
    }

    /// Events that a gamma prior around 1 weighs, by the method of moments: the less items differ beyond chance, the more. Nil when
    /// they do not differ.
    private static func priorStrength(_ evidence: Evidence) -> Double? {
        var excess = 0.0
        var squares = 0.0
        for item in evidence.expected.indices where evidence.expected[item] > 0 {
            let difference = evidence.chosen[item] - evidence.expected[item]
            excess += difference * difference - evidence.variance[item]
            squares += evidence.expected[item] * evidence.expected[item]
        }
        guard excess > 0, squares > 0 else { return nil }
        return max(1, squares / excess)
    }

    /// Minorization and maximization (Hunter 2004, "MM algorithms for generalized Bradley-Terry models"), with the prior of Caron and
    /// Doucet 2012. An item without a row is one of weight 1.
    private func weights(_ shown: ShownLists, chosen: [Double], strength: Double) -> [Double] {
        var weights = [Double](repeating: 1, count: matrix.itemCount)
        for _ in 0..<Self.rounds {
            var rates = [Double](repeating: 0, count: matrix.itemCount)
            forEachList(shown) { chosen, others in
                let total = others.reduce(weights[Int(chosen)]) { $0 + ($1 < 0 ? 1 : weights[Int($1)]) }
                rates[Int(chosen)] += 1 / total
                for item in others where item >= 0 { rates[Int(item)] += 1 / total }
            }
            for item in weights.indices { weights[item] = (chosen[item] + strength) / (rates[item] + strength) }
        }
        return weights
    }
}
