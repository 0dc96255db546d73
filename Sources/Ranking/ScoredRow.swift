import Foundation
import Kernels

/// A model row on its way into an answer.
struct ScoredRow: Equatable {
    var row: Int32
    var score: Float

    /// Higher scores first, equal ones by ascending row.
    func precedes(_ other: ScoredRow) -> Bool { score > other.score || (score == other.score && row < other.row) }

    /// The first `count` in order.
    static func best(_ count: Int, of entries: [ScoredRow]) -> [ScoredRow] {
        var keys = entries.map { kernels_key($0.score, $0.row) }
        let found = kernels_largest_keys(&keys, keys.count, max(0, count))
        return keys[..<found].map { ScoredRow(row: kernels_key_row($0), score: kernels_key_score($0)) }
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
