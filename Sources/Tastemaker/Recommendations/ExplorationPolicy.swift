import Foundation

/// Which places of a list show a new item instead of the ranking's own, at random with known probabilities.
///
/// A mixture per place (epsilon-greedy of a softmax, the logging policy of off-policy evaluation: Dudík, Langford, Li, "Doubly Robust
/// Policy Evaluation and Learning", 2011; Swaminathan and Joachims, "Counterfactual Risk Minimization", 2015). Every open place
/// independently proposes, with probability `rate`, a new item a with probability q(a). A proposal that stands higher in the list
/// already is refused, and the place keeps the ranking's item; nothing else moves. So an item is shown where it is proposed first,
/// and with m open places above the probability that the place shows it is, exactly and whatever the other places show,
///
///     P(a) = rate q(a) (1 - rate q(a))^m        P(the ranking's item) = 1 - sum over a of P(a)
struct ExplorationPolicy: Sendable {
    /// Of a new item against the others: 1 is the distance between the best and the worst in content, or between never seen and well known.
    static let temperature = 0.25

    let items: [Int32]
    /// rate x q, parallel to `items`.
    let proposals: [Double]

    struct Place: Equatable {
        /// Nil: the ranking's own item.
        let newItem: Int32?
        /// That the place shows what it shows.
        let propensity: Double
    }

    /// - Parameters:
    ///   - rate: probability that an open place proposes, 0 to 1.
    ///   - candidates: new items that are not in the list, each with its index: the higher, the likelier. Not empty.
    init(rate: Double, candidates: [(item: Int32, index: Double)]) {
        items = candidates.map(\.item)
        let highest = candidates.map(\.index).max() ?? 0
        let weights = candidates.map { exp(($0.index - highest) / ExplorationPolicy.temperature) }
        let total = weights.reduce(0, +)
        proposals = weights.map { rate * $0 / total }
    }

    /// One entry for every place from the top; a place that is not open keeps its item with certainty.
    func draw(open: [Bool], using generator: inout some RandomNumberGenerator) -> [Place] {
        var shown: Set<Int32> = []
        // Of each item: that no open place so far proposed it.
        var unproposed = [Double](repeating: 1, count: items.count)
        return open.map { isOpen in
            guard isOpen else { return Place(newItem: nil, propensity: 1) }
            var own = 1.0
            var proposed: (item: Int32, propensity: Double)?
            var left = Double.random(in: 0..<1, using: &generator)
            for index in items.indices {
                let propensity = proposals[index] * unproposed[index]
                own -= propensity
                if left >= 0, left < proposals[index] { proposed = (items[index], propensity) }
                left -= proposals[index]
                unproposed[index] *= 1 - proposals[index]
            }
            if let proposed, shown.insert(proposed.item).inserted {
                return Place(newItem: proposed.item, propensity: proposed.propensity)
            }
            return Place(newItem: nil, propensity: own)
        }
    }
}
