public import JSON
public import Postgres

/// An event on its way in, from whichever door, already checked against the contract's limits.
public struct NewEvent: Sendable {
    public enum Source: String, Sendable {
        case putEvents = "put-events"
        case tracker
        /// With an action in place of the item.
        case putActionInteractions = "put-action-interactions"

        var interactionKind: InteractionKind { self == .putActionInteractions ? .actions : .items }
    }

    /// What is stored of it.
    public enum Kind: Sendable, Equatable {
        /// Something a person did: an interaction, and a line of the history if it names an item.
        case interaction
        /// A card seen, at this place of its list: no interaction.
        case impression(position: Int16?)
        /// Kept raw only: a page without an item, an identification.
        case record
        /// Kept for the console, with the reason; nobody's ids are.
        case refused(reason: String)
    }

    public var datasetGroupID: Int32
    public var source: Source
    public var kind = Kind.interaction
    /// The client's own id; nil: one is made of all that the event says.
    public var clientID: String?
    /// The line of `orderID`: the order's lines are known by it, whatever event brings them. Nil: no order, or no product named.
    public var orderLine: String?
    /// The known user, else the anonymous or session id.
    public var userID: String
    /// The unit of experiments: the anonymous or session id, else the user.
    public var visitorID: String
    /// Of the action, in an interaction with one.
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
    /// What the console's list of newest events shows and a corrected mapping can be applied to; without ids. Nil: nothing is kept raw.
    public var raw: JSONObject?
    /// The site vouches that `visitorID` is an earlier name of `userID`.
    public var joinsVisitor = false
    /// Of a dataset with a door of its own: made anew, it takes events again that the one before it had.
    public var datasetID: Int32?
    /// Columns of the Users dataset that the site, by its signature, says of `userID`. Empty: nothing is said.
    public var traits: JSONObject = JSONObject()

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
