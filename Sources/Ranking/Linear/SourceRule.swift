import Foundation

/// How much each item of a history counts as a source of scores.
struct SourceRule: Sendable, Equatable {
    enum Kind: String, Sendable {
        /// By event type, value and repeats.
        case flat
        /// The same, newer items more, as the model's weighting says.
        case recent
        /// By event type and value, times exp(-age / span), age in distinct items.
        case decayed
    }

    var kind = Kind.flat
    /// Newest distinct items that count; 0 for all.
    var window = 0
    var span: Float = 0
    /// Of neighbors: places around a history's items that count; 0 for all.
    var reach: Float = 0

    /// Calls `body` with the index of each item that counts and its weight, oldest first.
    func forEach(_ history: WeightedHistory, _ body: (Int, Float) -> Void) {
        let start = window > 0 ? max(0, history.count - window) : 0
        for index in start..<history.count {
            switch kind {
            case .flat: body(index, history.flatWeights[index])
            case .recent: body(index, history.weights[index])
            case .decayed: body(index, history.bases[index] * decay(age: history.count - 1 - index))
            }
        }
    }

    func decay(age: Int) -> Float { expf(-Float(age) / max(span, 1e-3)) }

    /// For the model file.
    var text: String { "\(kind.rawValue) \(window) \(span)" + (reach > 0 ? " \(reach)" : "") }

    init(kind: Kind = .flat, window: Int = 0, span: Float = 0, reach: Float = 0) {
        self.kind = kind
        self.window = window
        self.span = span
        self.reach = reach
    }

    init?(_ text: String) {
        let words = text.split(separator: " ")
        guard (3...4).contains(words.count), let kind = Kind(rawValue: String(words[0])), let window = Int(words[1]), window >= 0,
            let span = Float(words[2]), span.isFinite, span >= 0, let reach = words.count == 4 ? Float(words[3]) : 0, reach.isFinite,
            reach >= 0
        else { return nil }
        self.init(kind: kind, window: window, span: span, reach: reach)
    }
}
