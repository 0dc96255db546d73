import Foundation
import Kernels

/// One held-out user's rows under consideration, with every part's normalized score of each.
struct ValidationCase: Sendable {
    /// Rows that any part would show.
    var rowCount: Int
    /// Indices of the rows that were held back, among `rowCount`.
    var relevant: [Int]
    /// All held-back items, under consideration or not.
    var truthCount: Int
    /// By index among `rowCount`, of those of `relevant` whose gain is not 1.
    var gains: [Int: Double] = [:]
    /// Of all held-back items, largest first; all 1 when empty.
    var idealGains: [Double] = []
    /// scores[part * rowCount + row]
    var scores: [Float]
    /// Indices of the rows without events, where these are told apart.
    var cold: [Int] = []
    /// Of `relevant`, those that came in the user's context.
    var relevantInContext: [Int] = []

    static let depth = 100

    /// Mean of NDCG@10 and NDCG@50: the first is what people see, the second has less noise. And NDCG@10 alone.
    /// - Parameter coldWeights: in place of the others, for rows without events.
    func quality(_ weights: [Float], coldWeights: [Float] = []) -> (objective: Double, ndcg: Double) {
        guard !relevant.isEmpty else { return (0, 0) }
        let totals = totals(weights, coldWeights)
        var short = 0.0
        var long = 0.0
        for place in relevant {
            guard let rank = totals.withUnsafeBufferPointer({ Self.rank(of: place, in: $0, atMost: 50) }) else { continue }
            let gain = (gains[place] ?? 1) / log2(Double(rank) + 1)
            if rank <= 10 { short += gain }
            long += gain
        }
        let ndcg = short / ideal(min(10, truthCount))
        return ((ndcg + long / ideal(min(50, truthCount))) / 2, ndcg)
    }

    private func totals(_ weights: [Float], _ coldWeights: [Float]) -> [Float] {
        let path = kernels_best_path()
        var totals = [Float](repeating: 0, count: rowCount)
        scores.withUnsafeBufferPointer { scores in
            guard let base = scores.baseAddress else { return }
            for (part, weight) in weights.enumerated() where weight > 0 {
                kernels_add_scaled(path, base + part * rowCount, rowCount, weight, &totals)
            }
        }
        for row in cold { totals[row] = 0 }
        for (part, weight) in coldWeights.enumerated() where weight > 0 {
            for row in cold { totals[row] += weight * scores[part * rowCount + row] }
        }
        return totals
    }

    /// From 1, nil beyond a limit; rows of the same score by their index.
    private static func rank(of place: Int, in totals: UnsafeBufferPointer<Float>, atMost limit: Int32) -> Int? {
        let score = totals[place]
        var above: Int32 = 1
        // Most are beyond, and a look at some of the rows shows it.
        for start in stride(from: 0, to: totals.count, by: 256) {
            let end = min(totals.count, start + 256)
            for row in start..<max(start, min(place, end)) { above &+= totals[row] >= score ? 1 : 0 }
            for row in min(end, max(place, start))..<end { above &+= totals[row] > score ? 1 : 0 }
            if above > limit { return nil }
        }
        return Int(above)
    }

    private func ideal(_ count: Int) -> Double {
        (0..<max(1, count)).reduce(0) { $0 + ($1 < idealGains.count ? idealGains[$1] : 1) / log2(Double($1) + 2) }
    }
}
