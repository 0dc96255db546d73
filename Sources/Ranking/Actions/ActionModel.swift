/// Tells, for each action that it learned, how probable it is that a user takes it within the period.
public struct ActionModel: Sendable {
    /// What was learned of one action; 0 weights without enough responses.
    struct Entry: Sendable, Equatable {
        var isReady = false
        /// As many as features.
        var weights: [Float]
        /// From the logit of the weights to a probability, learned on users whom the weights did not know.
        var curve = IsotonicCurve([])
        /// Responses of any kind; those with the fewest are explored most.
        var exposures: Int32 = 0
    }

    /// Interned ids, by row.
    public let actionIDs: [Int32]
    let entries: [Entry]
    let features: ActionFeatures
    /// Everything recorded: period, counts, seed.
    public let properties: [String: String]
    /// By the contract's names, and `ownMetrics`; empty when nobody could be tested.
    public let metrics: [String: Double]
    /// Means over the actions, of what was said with what probability: the loss, the loss of every action's own frequency, and the squared
    /// error.
    public static let ownMetrics: Set = ["log_loss", "base_log_loss", "brier"]
    /// Sentences for the training log; a file keeps none.
    public let log: [String]
    /// Rows x features.
    private let weights: [Float]
    /// What its own features add for users who never responded to the action.
    private let untouched: [Float]
    private let rowOfAction: [Int32: Int32]

    init(
        actionIDs: [Int32], entries: [Entry], features: ActionFeatures, properties: [String: String], metrics: [String: Double],
        log: [String]
    ) {
        (self.actionIDs, self.entries, self.features) = (actionIDs, entries, features)
        (self.properties, self.metrics, self.log) = (properties, metrics, log)
        weights = entries.flatMap(\.weights)
        untouched = entries.enumerated().map { row, entry in Self.own(features.untouched(row), entry.weights[...]) }
        rowOfAction = Dictionary(actionIDs.enumerated().map { ($1, Int32($0)) }) { first, _ in first }
    }

    /// The row of an action; nil for one that it does not know.
    func row(of action: Int32) -> Int32? { rowOfAction[action] }

    /// Do the user's attributes change the answer?
    public var usesAttributes: Bool { !features.attributes.isEmpty }

    /// Actions that have scores.
    public var readyCount: Int { entries.count { $0.isReady } }

    /// 0...1 by row, 0 for actions without enough responses. What all actions share of the user is weighed once for each; only those that
    /// the user responded to have features of their own.
    func probabilities(_ state: ActionState) -> [Double] {
        let width = features.count
        var logits = untouched
        weights.withUnsafeBufferPointer { weights in
            state.shared.withUnsafeBufferPointer { shared in
                for row in entries.indices where entries[row].isReady {
                    var sum: Float = 0
                    let start = row * width
                    for axis in 0..<width { sum += weights[start + axis] * shared[axis] }
                    logits[row] += sum
                }
            }
        }
        for (row, own) in zip(state.rows, state.own) {
            logits[Int(row)] += Self.own(own, weights[Int(row) * width..<(Int(row) + 1) * width]) - untouched[Int(row)]
        }
        for (place, row) in features.others.enumerated() {
            let axis = ActionFeatures.otherStart + place
            logits[Int(row)] -= weights[Int(row) * width + axis] * state.shared[axis]
        }
        return entries.indices.map { row in entries[row].isReady ? entries[row].curve(Double(logits[row])) : 0 }
    }

    private static func own(_ features: SIMD4<Float>, _ weights: ArraySlice<Float>) -> Float {
        let start = weights.startIndex + ActionFeatures.ownRange.lowerBound
        return (features * SIMD4(weights[start], weights[start + 1], weights[start + 2], weights[start + 3])).sum()
    }
}
