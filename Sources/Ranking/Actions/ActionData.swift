/// What users did with actions that were proposed to them, and what is known of the actions.
public struct ActionData: Sendable {
    public enum Response: UInt8, Sendable, CaseIterable { case taken, notTaken, viewed }

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

        public init(id: Int32, value: Int = 1, expiresAt: Int64? = nil, repeatDays: Int? = nil) {
            (self.id, self.value, self.expiresAt, self.repeatDays) = (id, value, expiresAt, repeatDays)
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

/// How next best actions are learned.
public struct ActionConfiguration: Sendable {
    /// Days within which an action is to be taken: the contract's `action_optimization_period`, 7...28.
    public var periodDays: Int
    public var seed: UInt64
    public var threads: Int

    public init(periodDays: Int = 14, seed: UInt64 = 1, threads: Int = 2) {
        (self.periodDays, self.seed, self.threads) = (periodDays, seed, threads)
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
