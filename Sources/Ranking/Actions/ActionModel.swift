import Foundation

/// Proposes next best actions: for each action the probability that the user takes it within the period.
public struct ActionModel: Sendable {
    /// Per action row.
    struct Entry: Sendable {
        var action: ActionData.Action
        /// Nil without enough responses: the score is 0 then.
        var weights: [Double]?
        /// From the logit of the weights to a probability, learned on users whom the weights did not know.
        var curve = IsotonicCurve([])
        /// Responses of any kind; those with the fewest are explored first.
        var exposures = 0
    }

    let entries: [Entry]
    let features: ActionFeatures
    /// By the contract's names, and `log_loss` with `base_log_loss`, that of every action's own frequency; empty when nobody
    /// could be tested.
    public let metrics: [String: Double]
    /// Sentences for the training log.
    public let log: [String]

    public struct Proposal: Sendable, Equatable {
        public var action: Int32
        /// 0...1; 0 for explored actions and those without enough responses.
        public var score: Double
    }

    /// Actions for one user, best first: neither expired ones nor those inside their repeat period; equal scores by value,
    /// then by id.
    ///
    /// - Parameters:
    ///   - events: the user's action interactions, in any order.
    ///   - visits: when the user interacted with items.
    ///   - moment: now, in seconds since 1970.
    ///   - explorationWeight: chance that the last place goes to an action without a score, the least shown first.
    ///   - draw: 0..<1, what chance says.
    ///   - admits: whether an action may be proposed.
    public func propose(
        for user: Int32, events: [ActionData.Event], visits: [Int64] = [], at moment: Int64, count: Int = 5,
        explorationWeight: Double = 0, draw: Double = 1, admits: (Int32) -> Bool = { _ in true }
    ) -> [Proposal] {
        let rowOfAction = Dictionary(uniqueKeysWithValues: entries.indices.map { (entries[$0].action.id, Int32($0)) })
        let known = events.compactMap { event in
            rowOfAction[event.action].map { ActionHistory.Event(row: $0, response: event.response, timestamp: event.timestamp) }
        }
        let state = features.state(of: user, known, visits, at: moment)
        var scored: [(entry: Entry, score: Double)] = []
        for (row, entry) in entries.enumerated() where admits(entry.action.id) && isOpen(entry.action, row, known, moment) {
            scored.append((entry, probability(entry, features.vector(state, action: Int32(row)))))
        }
        scored.sort { Self.precedes($0, $1) }
        var chosen = Array(scored.prefix(max(0, count)))
        if draw < explorationWeight, let last = chosen.indices.last, chosen[last].score > 0,
            let newcomer = scored.filter({ $0.score == 0 }).min(by: {
                ($0.entry.exposures, -$0.entry.action.value, $0.entry.action.id) < (
                    $1.entry.exposures, -$1.entry.action.value, $1.entry.action.id
                )
            })
        {
            chosen[last] = newcomer
        }
        return chosen.map { Proposal(action: $0.entry.action.id, score: $0.score) }
    }

    private static func precedes(_ a: (entry: Entry, score: Double), _ b: (entry: Entry, score: Double)) -> Bool {
        if a.score != b.score { return a.score > b.score }
        return (-a.entry.action.value, a.entry.action.id) < (-b.entry.action.value, b.entry.action.id)
    }

    private func isOpen(_ action: ActionData.Action, _ row: Int, _ events: [ActionHistory.Event], _ moment: Int64) -> Bool {
        if let end = action.expiresAt, moment >= end { return false }
        guard let days = action.repeatDays else { return true }
        return !events.contains {
            $0.row == Int32(row) && $0.response == .taken && $0.timestamp <= moment && moment - $0.timestamp < Int64(days) * 86_400
        }
    }

    func probability(_ entry: Entry, _ vector: [Double]) -> Double {
        guard let weights = entry.weights else { return 0 }
        return entry.curve(LogisticFit.dot(vector, weights))
    }
}
