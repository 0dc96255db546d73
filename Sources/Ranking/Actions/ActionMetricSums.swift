import Foundation

/// Sums of the metrics over actions.
struct ActionMetricSums {
    private var sums: [String: (total: Double, count: Double)] = [:]

    private mutating func add(_ name: String, _ value: Double) {
        let old = sums[name] ?? (0, 0)
        sums[name] = (old.total + value, old.count + 1)
    }

    /// Of one action, over the same users. Precision needs somebody to whom it was recommended, recall somebody who took it.
    mutating func add(scores: [Double], isTaken: [Bool], isRecommended: [Bool]) {
        let hits = Double(zip(isTaken, isRecommended).count { $0 && $1 })
        let recommended = Double(isRecommended.count { $0 })
        let taken = Double(isTaken.count { $0 })
        if recommended > 0 { add("precision", hits / recommended) }
        if taken > 0 { add("recall", hits / taken) }
        if let area = Self.area(scores: scores, isTaken: isTaken) { add("auc", area) }
        add("log_loss", Self.logLoss(zip(scores, isTaken)))
        add(
            "brier",
            zip(scores, isTaken).reduce(0) { $0 + ($1.0 - ($1.1 ? 1 : 0)) * ($1.0 - ($1.1 ? 1 : 0)) } / Double(max(1, scores.count)))
        let share = taken / Double(max(1, isTaken.count))
        add("base_log_loss", Self.logLoss(isTaken.map { (share, $0) }))
    }

    var means: [String: Double] { sums.mapValues { $0.total / $0.count } }

    /// Mean of -ln of the probability given to what happened.
    static func logLoss(_ pairs: some Sequence<(Double, Bool)>) -> Double {
        var sum = 0.0
        var count = 0.0
        for (probability, isTaken) in pairs {
            sum -= log(max(1e-15, isTaken ? probability : 1 - probability))
            count += 1
        }
        return sum / max(1, count)
    }

    /// Chance that who took it is scored above who did not, ties counting half (Mann and Whitney); nil without both kinds.
    static func area(scores: [Double], isTaken: [Bool]) -> Double? {
        let order = scores.indices.sorted { scores[$0] < scores[$1] }
        var rankSum = 0.0
        var position = 0
        while position < order.count {
            var end = position
            while end < order.count, scores[order[end]] == scores[order[position]] { end += 1 }
            let rank = Double(position + 1 + end) / 2
            for place in position..<end where isTaken[order[place]] { rankSum += rank }
            position = end
        }
        let taken = Double(isTaken.count { $0 })
        let others = Double(isTaken.count) - taken
        guard taken > 0, others > 0 else { return nil }
        return (rankSum - taken * (taken + 1) / 2) / (taken * others)
    }
}
