public import JSON
public import Postgres

/// An event on its way in, from whichever door, already checked against the contract's limits.
public struct NewEvent: Sendable {
    public enum Source: String, Sendable {
        case putEvents = "put-events"
        case tracker
    }

    public var datasetGroupID: Int32
    public var source: Source
    /// The client's own id; nil: one is made from source, user, item, type and time.
    public var clientID: String?
    /// The known user, else the anonymous or session id.
    public var userID: String
    /// The unit of experiments: the anonymous or session id, else the user.
    public var visitorID: String
    public var itemID: String?
    public var eventType: String
    public var value: Float?
    public var occurredAt: PGTimestamp
    /// As sent; used only if it verifies.
    public var recommendationID: String?
    public var orderID: String?
    /// Price × quantity as a decimal text, refunds negative, in `currency` (nil: the group's).
    public var amount: String?
    public var currency: String?
    /// Items shown when the event happened.
    public var impression: [String] = []
    public var properties: JSONObject = JSONObject()
    /// The page's origin, from browsers.
    public var origin: String?

    public init(datasetGroupID: Int32, source: Source, userID: String, visitorID: String, eventType: String, occurredAt: PGTimestamp) {
        self.datasetGroupID = datasetGroupID
        self.source = source
        self.userID = userID
        self.visitorID = visitorID
        self.eventType = eventType
        self.occurredAt = occurredAt
    }
}

/// What became of one event. All outcomes are known after the commit.
public enum EventOutcome: Sendable, Equatable {
    case accepted
    case duplicate
    case rejected(reason: String)
}
