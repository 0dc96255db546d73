import Foundation

/// How a list is put in order anew.
public struct RerankingRule: Sendable, Equatable {
    /// Share of relevance in the choice of each item, 0...1; the rest is unlikeness to the items that are in the list. 1 changes nothing.
    public var lambda: Double
    /// At most so many items of one value; parallel to a candidate's `capped`.
    public var caps: [Int]
    /// −1...1: how much of the relevance is replaced by a high (or, below zero, a low) value.
    public var valueWeight: Double

    public init(lambda: Double = 1, caps: [Int] = [], valueWeight: Double = 0) {
        self.lambda = lambda
        self.caps = caps
        self.valueWeight = valueWeight
    }
}

/// One item that a list may hold.
public struct RerankingCandidate: Sendable, Equatable {
    /// Positive; nil for what nobody scored, which is taken for the least relevant.
    public var score: Double?
    /// For every cap the item's values, which may be none.
    public var capped: [[Int32]]
    /// What it is like another item by, where there are no vectors.
    public var kinds: [Int32]
    /// Price or margin; nil where unknown.
    public var value: Double?

    public init(score: Double?, capped: [[Int32]] = [], kinds: [Int32] = [], value: Double? = nil) {
        self.score = score
        self.capped = capped
        self.kinds = kinds
        self.value = value
    }
}

/// Chooses and orders a list from candidates by relevance, variety, caps and value.
///
/// Greedy maximal marginal relevance (Carbonell and Goldstein, "The Use of MMR, Diversity-Based Reranking for Reordering Documents and
/// Producing Summaries", 1998): each place takes the candidate i of the greatest
///
///     lambda u(i) - (1 - lambda) max over the items j of the list of likeness(i, j)
///
/// u, the relevance, is the logarithm of the score from 0 for the least to 1 for the best candidate: scores are shares that fall off
/// exponentially, and their logarithms are what the model adds up. Value enters u as the share of a normal distribution that lies below
/// log(value), standardised over the candidates, so that one very dear item does not flatten all others.
public struct Reranking: Sendable {
    /// Unit vectors, row-major, one row for each candidate; a row of zeros is like nothing.
    public typealias Vectors = (values: [Float], width: Int)

    /// Places beyond this one no longer add to what later items are compared with: nobody sees likeness across a hundred items.
    public static let depth = 100

    private let rule: RerankingRule
    private let candidates: [RerankingCandidate]
    private let vectors: Vectors?
    /// Parallel to the candidates, 0...1.
    private let utilities: [Double]

    /// - Parameter candidates: the most relevant first; of equals the first is taken.
    public init(_ rule: RerankingRule, _ candidates: [RerankingCandidate], vectors: Vectors? = nil) {
        self.rule = rule
        self.candidates = candidates
        self.vectors = vectors
        let relevance = Reranking.relevance(candidates)
        let weight = min(1, abs(rule.valueWeight))
        if weight > 0 {
            let shares = Reranking.valueShares(candidates)
            utilities = zip(relevance, shares).map { (1 - weight) * $0 + weight * (rule.valueWeight > 0 ? $1 : 1 - $1) }
        } else {
            utilities = relevance
        }
    }

    /// A list, as indices of candidates.
    public struct Order: Sendable, Equatable {
        public var places: [Int] = []
        /// Places that had to go beyond a cap, because nothing else was left.
        public var relaxed = 0
    }

    /// The best list of `count` items, of as many as there are.
    /// - Parameters:
    ///   - fixed: place from 0 -> candidate that stands there whatever else; counts for caps and likeness from the start.
    ///   - present: candidates that are in the list elsewhere: never placed, counted likewise.
    public func order(count: Int, fixed: [Int: Int] = [:], present: [Int] = []) -> Order {
        var state = State(candidates: candidates, caps: rule.caps)
        for index in present + fixed.sorted(by: { $0.key < $1.key }).map(\.value) { enter(index, &state, isCompared: true) }
        var order = Order()
        for place in 0..<max(0, min(count, candidates.count - present.count)) {
            if let index = fixed[place] {
                order.places.append(index)
                continue
            }
            var chosen = best(state, withinCaps: true)
            if chosen == nil {
                chosen = best(state, withinCaps: false)
                if chosen != nil { order.relaxed += 1 }
            }
            guard let chosen else { continue }
            enter(chosen, &state, isCompared: place < Reranking.depth)
            order.places.append(chosen)
        }
        return order
    }

    private struct State {
        var isTaken: [Bool]
        /// The greatest likeness to an item of the list.
        var likeness: [Double]
        /// For every cap: value -> items of the list that have it.
        var counts: [[Int32: Int]]

        init(candidates: [RerankingCandidate], caps: [Int]) {
            isTaken = [Bool](repeating: false, count: candidates.count)
            likeness = [Double](repeating: 0, count: candidates.count)
            counts = caps.map { _ in [:] }
        }
    }

    private func enter(_ index: Int, _ state: inout State, isCompared: Bool) {
        state.isTaken[index] = true
        for (cap, values) in candidates[index].capped.enumerated() where cap < state.counts.count {
            for value in values { state.counts[cap][value, default: 0] += 1 }
        }
        guard isCompared, rule.lambda < 1 else { return }
        for other in candidates.indices where !state.isTaken[other] {
            state.likeness[other] = max(state.likeness[other], likeness(other, index))
        }
    }

    private func best(_ state: State, withinCaps: Bool) -> Int? {
        var best: (index: Int, worth: Double)?
        for index in candidates.indices where !state.isTaken[index] {
            let worth = rule.lambda * utilities[index] - (1 - rule.lambda) * state.likeness[index]
            if let best, worth <= best.worth { continue }
            if withinCaps, !hasRoom(candidates[index], state) { continue }
            best = (index, worth)
        }
        return best?.index
    }

    private func hasRoom(_ candidate: RerankingCandidate, _ state: State) -> Bool {
        zip(rule.caps, zip(state.counts, candidate.capped)).allSatisfy { most, values in
            values.1.allSatisfy { values.0[$0, default: 0] < most }
        }
    }

    /// 0...1: the cosine of the vectors, or the shared part of all kinds (Jaccard).
    private func likeness(_ left: Int, _ right: Int) -> Double {
        if let vectors {
            var product: Float = 0
            for dimension in 0..<vectors.width {
                product += vectors.values[left * vectors.width + dimension] * vectors.values[right * vectors.width + dimension]
            }
            return Double(min(max(product, 0), 1))
        }
        let (first, second) = (candidates[left].kinds, candidates[right].kinds)
        guard !first.isEmpty, !second.isEmpty else { return 0 }
        let shared = first.count { second.contains($0) }
        return Double(shared) / Double(first.count + second.count - shared)
    }

    private static func relevance(_ candidates: [RerankingCandidate]) -> [Double] {
        let logs = candidates.map { candidate in candidate.score.flatMap { $0 > 0 && $0.isFinite ? log($0) : nil } }
        guard let highest = logs.compactMap(\.self).max(), let lowest = logs.compactMap(\.self).min() else {
            return candidates.map { _ in 0 }
        }
        return logs.map { $0.map { highest > lowest ? ($0 - lowest) / (highest - lowest) : 1 } ?? 0 }
    }

    /// Of each candidate's value, 0...1; 1/2 for an unknown one, 0 for one that is not positive.
    private static func valueShares(_ candidates: [RerankingCandidate]) -> [Double] {
        let logs = candidates.compactMap { candidate in candidate.value.flatMap { $0 > 0 && $0.isFinite ? log($0) : nil } }
        let mean = logs.reduce(0, +) / Double(max(1, logs.count))
        let deviation = (logs.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(max(1, logs.count))).squareRoot()
        return candidates.map { candidate in
            guard let value = candidate.value, value.isFinite else { return 0.5 }
            guard value > 0 else { return 0 }
            // All alike, but for the rounding of their mean.
            return deviation > 1e-9 ? 0.5 * erfc((mean - log(value)) / deviation / 2.0.squareRoot()) : 0.5
        }
    }
}
