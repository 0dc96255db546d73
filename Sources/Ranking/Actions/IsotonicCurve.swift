/// A rising curve from scores to probabilities, learned from what happened: pooled adjacent violators (Ayer et al. 1955), with
/// straight lines between the means of the pools, so that better scores stay better.
struct IsotonicCurve: Sendable, Equatable {
    /// Ascending.
    private(set) var scores: [Float] = []
    private(set) var probabilities: [Float] = []

    private struct Pool {
        var score = 0.0
        var positives = 0.0
        var count = 0.0

        mutating func take(_ other: Pool) {
            score += other.score
            positives += other.positives
            count += other.count
        }
    }

    /// Every pool has the weight of one more example that happened as often as all do, so that no probability is 0 or 1.
    init(_ examples: [(score: Double, isPositive: Bool)]) {
        let base = Double(examples.count { $0.isPositive }) / Double(max(1, examples.count))
        var pools: [Pool] = []
        for example in examples.sorted(by: { $0.score < $1.score }) {
            var pool = Pool(score: example.score, positives: example.isPositive ? 1 : 0, count: 1)
            // Equal scores cannot be told apart, so they share a pool whatever happened.
            while let last = pools.last,
                last.positives * pool.count >= pool.positives * last.count || last.score * pool.count == pool.score * last.count
            {
                pool.take(last)
                pools.removeLast()
            }
            pools.append(pool)
        }
        for pool in pools {
            scores.append(Float(pool.score / pool.count))
            probabilities.append(max(probabilities.last ?? 0, Float((pool.positives + base) / (pool.count + 1))))
        }
    }

    /// Nil for what is no rising curve of probabilities.
    init?(scores: [Float], probabilities: [Float]) {
        guard scores.count == probabilities.count, scores.allSatisfy(\.isFinite), zip(scores, scores.dropFirst()).allSatisfy({ $0 <= $1 }),
            probabilities.allSatisfy({ (0...1).contains($0) }), zip(probabilities, probabilities.dropFirst()).allSatisfy({ $0 <= $1 })
        else { return nil }
        (self.scores, self.probabilities) = (scores, probabilities)
    }

    func callAsFunction(_ score: Double) -> Double {
        guard let first = scores.first, let last = scores.last else { return 0 }
        guard score > Double(first) else { return Double(probabilities[0]) }
        if score >= Double(last) { return Double(probabilities[probabilities.count - 1]) }
        var low = 0
        var high = scores.count - 1
        while high - low > 1 {
            let middle = (low + high) / 2
            if Double(scores[middle]) <= score { low = middle } else { high = middle }
        }
        let share = (score - Double(scores[low])) / Double(scores[high] - scores[low])
        return Double(probabilities[low] + Float(share) * (probabilities[high] - probabilities[low]))
    }
}
