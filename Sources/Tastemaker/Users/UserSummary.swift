public import Postgres

/// What a group keeps of a user, for the site's own service desk.
public struct UserSummary: Sendable, Equatable {
    public struct Event: Sendable, Equatable {
        public let eventType: String
        public let itemID: String
        public let at: PGTimestamp
    }

    public let hasRecord: Bool
    /// Browsers that are this user's by a signed identification.
    public let browsers: Int
    /// The recent history, newest first, at most 200.
    public let events: [Event]
}
