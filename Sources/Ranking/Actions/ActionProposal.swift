/// What is known of a user to whom actions are proposed.
public struct ActionUser: Sendable {
    /// In order of time.
    public var responses: [(action: Int32, response: ActionData.Response, timestamp: Int64)]
    /// When the user interacted with items, in order of time.
    public var visits: [Int64]
    /// By column; several values are separated by `|`.
    public var attributes: [String: String]

    public init(
        responses: [(action: Int32, response: ActionData.Response, timestamp: Int64)] = [], visits: [Int64] = [],
        attributes: [String: String] = [:]
    ) {
        (self.responses, self.visits, self.attributes) = (responses, visits, attributes)
    }
}

/// The actions that may be proposed, beside what a model knows of them. Made once for both.
public struct ActionShelf: Sendable {
    let actions: [ActionData.Action]
    /// The model's row of each, -1 for one that it does not know.
    let rows: [Int32]

    public init(_ actions: [ActionData.Action], _ model: ActionModel) {
        self.actions = actions
        rows = actions.map { model.row(of: $0.id) ?? -1 }
    }
}

extension ActionModel {
    public struct Proposal: Sendable, Equatable {
        public var action: Int32
        /// 0...1; 0 for explored actions and those without enough responses.
        public var score: Double
    }

    /// Actions for one user, best first: neither expired ones nor those inside their repeat period; equal scores by value, then by id.
    ///
    /// - Parameters:
    ///   - moment: now, in seconds since 1970.
    ///   - explorationWeight: chance that the last place goes to an action without a score, the less often one was shown the rather.
    ///   - draw: 0..<1, what chance says.
    ///   - admits: whether the action of an id may be proposed.
    public func propose(
        for user: ActionUser, from shelf: ActionShelf, at moment: Int64, count: Int = 5, explorationWeight: Double = 0, draw: Double = 1,
        admits: (Int32) -> Bool = { _ in true }
    ) -> [Proposal] {
        guard count > 0 else { return [] }
        let known = user.responses.compactMap { event in
            row(of: event.action).map { ActionHistory.Event(row: $0, response: event.response, timestamp: event.timestamp) }
        }
        let scores = probabilities(features.state(known, user.visits, attributes: features.places(of: user.attributes), at: moment))
        let open = OpenActions(user, at: moment)
        var best: [Candidate] = []
        var newcomers: [Candidate] = []
        for (place, action) in shelf.actions.enumerated() where open.contains(action) && admits(action.id) {
            let row = Int(shelf.rows[place])
            let candidate = Candidate(
                action: action.id, value: action.value, score: row >= 0 ? scores[row] : 0, exposures: row >= 0 ? entries[row].exposures : 0)
            candidate.insert(into: &best, most: count)
            if explorationWeight > draw, candidate.score == 0 { newcomers.append(candidate) }
        }
        if explorationWeight > draw { explore(&best, newcomers, draw: draw / explorationWeight) }
        return best.map { Proposal(action: $0.action, score: $0.score) }
    }

    /// Puts one of the actions without a score on the last place, with odds 1 / (1 + responses).
    private func explore(_ best: inout [Candidate], _ newcomers: [Candidate], draw: Double) {
        let others = newcomers.filter { newcomer in !best.dropLast().contains { $0.action == newcomer.action } }
        let odds = others.map { 1 / (1 + Double($0.exposures)) }
        var rest = draw * odds.reduce(0, +)
        for (newcomer, share) in zip(others, odds) {
            rest -= share
            guard rest < 0 else { continue }
            best[best.count - 1] = newcomer
            return
        }
    }

    private struct Candidate {
        let action: Int32
        let value: Int
        let score: Double
        let exposures: Int32

        private func precedes(_ other: Candidate) -> Bool {
            if score != other.score { return score > other.score }
            return (-value, action) < (-other.value, other.action)
        }

        /// Keeps the list in order and at most so long.
        func insert(into list: inout [Candidate], most: Int) {
            if list.count == most, let last = list.last {
                guard precedes(last) else { return }
                list.removeLast()
            }
            var place = list.count
            while place > 0, precedes(list[place - 1]) { place -= 1 }
            list.insert(self, at: place)
        }
    }

    /// Which actions are neither expired nor were taken too lately.
    private struct OpenActions {
        private var lastTaken: [Int32: Int64] = [:]
        private let moment: Int64

        init(_ user: ActionUser, at moment: Int64) {
            self.moment = moment
            for event in user.responses where event.response == .taken && event.timestamp <= moment {
                lastTaken[event.action] = max(lastTaken[event.action] ?? .min, event.timestamp)
            }
        }

        func contains(_ action: ActionData.Action) -> Bool {
            if let end = action.expiresAt, moment >= end { return false }
            guard let days = action.repeatDays, let taken = lastTaken[action.id] else { return true }
            return moment - taken >= Int64(days) * 86_400
        }
    }
}
