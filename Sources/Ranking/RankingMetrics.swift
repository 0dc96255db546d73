import Foundation

/// How good one ranked list is, given which of its places hold relevant items.
public struct RankingMetrics: Sendable {
    /// Position 0 is rank 1.
    public var hits: [Bool]
    /// How many relevant items there are, listed or not.
    public var relevantCount: Int

    public init(hits: [Bool], relevantCount: Int) {
        self.hits = hits
        self.relevantCount = relevantCount
    }

    /// 1 / rank of the first hit within the first k; 0 without one.
    public func reciprocalRank(at k: Int) -> Double {
        hits.prefix(k).firstIndex(of: true).map { 1 / Double($0 + 1) } ?? 0
    }

    /// Hits among the first k, divided by k.
    public func precision(at k: Int) -> Double { k > 0 ? Double(hits.prefix(k).count { $0 }) / Double(k) : 0 }

    /// Gain 1 / log2(1 + rank) summed over hits, divided by the best that `relevantCount` allows.
    public func ndcg(at k: Int) -> Double {
        let gain = { (rank: Int) in 1 / log2(Double(rank) + 1) }
        let reached = hits.prefix(k).enumerated().reduce(0.0) { $0 + ($1.element ? gain($1.offset + 1) : 0) }
        let ideal = (0..<min(k, relevantCount)).reduce(0.0) { $0 + gain($1 + 1) }
        return ideal > 0 ? reached / ideal : 0
    }
}

/// What an offline evaluation found.
public struct Evaluation: Sendable {
    /// By the contract's names; empty when nobody could be tested.
    public var metrics: [String: Double]
    public var testUserCount: Int
    /// Sentences for the training log.
    public var log: [String]
    /// The blend that was chosen on the training part; nil for other recipes.
    var blend: BlendChoice?
    /// What was learned about users on the training part; nil for recipes that make no segments.
    var audience: AudienceWeights?
    /// What the lists for the test users are like.
    public var figures: ListFigures?
    /// Of the metrics that are means over the test users.
    public var samplingErrors: [String: SamplingError] = [:]
}
