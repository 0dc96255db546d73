import Foundation

/// A model row on its way into an answer.
struct ScoredRow {
    var row: Int32
    var score: Float

    /// Higher scores first, equal ones by ascending row.
    func precedes(_ other: ScoredRow) -> Bool { score > other.score || (score == other.score && row < other.row) }

    /// The first `count` in order. Short answers insert survivors of a threshold instead of sorting everything.
    static func best(_ count: Int, of entries: [ScoredRow]) -> [ScoredRow] {
        guard count > 0 else { return [] }
        if count > 100 || entries.count <= 2 * count { return Array(entries.sorted { $0.precedes($1) }.prefix(count)) }
        var best: [ScoredRow] = []
        best.reserveCapacity(count + 1)
        for entry in entries {
            if best.count == count, let last = best.last, !entry.precedes(last) { continue }
            var low = 0
            var high = best.count
            while low < high {
                let middle = (low + high) / 2
                if best[middle].precedes(entry) { low = middle + 1 } else { high = middle }
            }
            best.insert(entry, at: low)
            if best.count > count { best.removeLast() }
        }
        return best
    }
}

/// Raw scores to shares that add up to 1 over all considered rows.
struct Normalizer {
    private let normalization: ScoreNormalization
    private let highest: Float
    private let sum: Float

    init(_ entries: [ScoredRow], _ normalization: ScoreNormalization) {
        self.normalization = normalization
        var highest = -Float.infinity
        for entry in entries { highest = max(highest, entry.score) }
        self.highest = highest
        var sum: Float = 0
        for entry in entries { sum += Self.weight(entry.score, highest, normalization) }
        self.sum = sum
    }

    func callAsFunction(_ score: Float) -> Float { sum > 0 ? Self.weight(score, highest, normalization) / sum : 0 }

    private static func weight(_ score: Float, _ highest: Float, _ normalization: ScoreNormalization) -> Float {
        switch normalization {
        case .softmax(let sharpness): expf(sharpness * (score - highest))
        case .share: max(score, 0)
        }
    }
}
