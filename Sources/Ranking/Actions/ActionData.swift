/// What users did with actions that were proposed to them, and what is known of the actions.
public struct ActionData: Sendable {
    /// What a user did with an action; the raw value is stored.
    public enum Response: UInt8, Sendable, CaseIterable {
        case taken = 0
        case notTaken = 1
        case viewed = 2

        /// Taken, Not Taken or Viewed, in any case, with a blank, an underscore or nothing between the words.
        public init?(reading text: String) {
            switch text.uppercased().filter({ $0 != "_" && $0 != " " }) {
            case "TAKEN": self = .taken
            case "NOTTAKEN": self = .notTaken
            case "VIEWED": self = .viewed
            default: return nil
            }
        }
    }

    /// One action interaction.
    public struct Event: Sendable, Equatable {
        /// Interned ids.
        public var user: Int32
        public var action: Int32
        public var response: Response
        /// Seconds since 1970.
        public var timestamp: Int64

        public init(user: Int32, action: Int32, response: Response, timestamp: Int64) {
            (self.user, self.action, self.response, self.timestamp) = (user, action, response, timestamp)
        }
    }

    /// One record of the Actions dataset.
    public struct Action: Sendable, Equatable {
        public var id: Int32
        /// 1...10; decides between equal scores.
        public var value: Int
        /// Seconds since 1970; never proposed from then on.
        public var expiresAt: Int64?
        /// Days after it was taken in which it is not proposed again.
        public var repeatDays: Int?
        /// Seconds since 1970.
        public var createdAt: Int64?

        public init(id: Int32, value: Int = 1, expiresAt: Int64? = nil, repeatDays: Int? = nil, createdAt: Int64? = nil) {
            (self.id, self.value, self.expiresAt, self.repeatDays, self.createdAt) = (id, value, expiresAt, repeatDays, createdAt)
        }
    }

    public var events: [Event]
    public var actions: [Action]
    /// Users' interactions with items: user and seconds since 1970.
    public var visits: [(user: Int32, timestamp: Int64)]
    /// Categories take part, numbers and texts do not.
    public var userMetadata: MetadataTable?

    public init(
        events: [Event], actions: [Action], visits: [(user: Int32, timestamp: Int64)] = [], userMetadata: MetadataTable? = nil
    ) {
        (self.events, self.actions, self.visits, self.userMetadata) = (events, actions, visits, userMetadata)
    }
}

extension ActionData {
    /// Only so many actions: those with the newest responses, or the newest themselves.
    func limited(to most: Int) -> ActionData {
        var newest: [Int32: Int64] = [:]
        for action in actions { newest[action.id] = action.createdAt ?? 0 }
        for event in events { newest[event.action] = max(newest[event.action] ?? 0, event.timestamp) }
        guard newest.count > most else { return self }
        let kept = Set(newest.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(most).map(\.key))
        var data = self
        data.actions.removeAll { !kept.contains($0.id) }
        data.events.removeAll { !kept.contains($0.action) }
        return data
    }
}

/// How next best actions are learned.
public struct ActionConfiguration: Sendable {
    /// Days within which an action is to be taken: the contract's `action_optimization_period`, 7...28.
    public var periodDays: Int
    public var seed: UInt64
    public var threads: Int
    /// Stored in the model; seconds since 1970.
    public var createdAt: Int64

    public init(periodDays: Int = 14, seed: UInt64 = 1, threads: Int = 2, createdAt: Int64 = 0) {
        (self.periodDays, self.seed, self.threads, self.createdAt) = (periodDays, seed, threads, createdAt)
    }

    func validate() throws(FitError) {
        guard (7...28).contains(periodDays) else {
            throw .invalidParameter(name: "action_optimization_period", reason: "must be from 7 to 28 days, not \(periodDays)")
        }
        guard (1...64).contains(threads) else {
            throw .invalidParameter(name: "threads", reason: "must be from 1 to 64, not \(threads)")
        }
    }

    var period: Int64 { Int64(periodDays) * 86_400 }
}
