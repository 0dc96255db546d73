import Foundation

/// One held-out user's rows under consideration, with every part's normalized score of each.
struct ValidationCase: Sendable {
    /// Rows that any part would show.
    var rowCount: Int
    /// Indices of the rows that were held back, among `rowCount`.
    var relevant: [Int]
    /// All held-back items, under consideration or not.
    var truthCount: Int
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
        var totals = [Float](repeating: 0, count: rowCount)
        for (part, weight) in weights.enumerated() where weight > 0 {
            let start = part * rowCount
            for row in 0..<rowCount { totals[row] += weight * scores[start + row] }
        }
        for row in cold { totals[row] = 0 }
        for (part, weight) in coldWeights.enumerated() where weight > 0 {
            for row in cold { totals[row] += weight * scores[part * rowCount + row] }
        }
        var short = 0.0
        var long = 0.0
        for place in relevant {
            let score = totals[place]
            var rank = 1
            for row in 0..<rowCount where totals[row] > score || (totals[row] == score && row < place) { rank += 1 }
            let gain = 1 / log2(Double(rank) + 1)
            if rank <= 10 { short += gain }
            if rank <= 50 { long += gain }
        }
        let ndcg = short / Self.ideal(min(10, truthCount))
        return ((ndcg + long / Self.ideal(min(50, truthCount))) / 2, ndcg)
    }

    private static func ideal(_ count: Int) -> Double { (1...max(1, count)).reduce(0) { $0 + 1 / log2(Double($1) + 1) } }
}
