public import JSON
public import Postgres

/// A batch of the tracker, read and mapped: what became of each of its events, ready to be stored.
public struct TrackerBatch: Sendable {
    public static let eventByteLimit = 32_768
    public static let byteLimit = 512_000
    public static let eventLimit = 500

    /// One event of the batch with the rows that it makes; a refused one makes a row for the console only.
    struct Entry: Sendable {
        let messageID: String?
        var events: [NewEvent]
        var refusal: String?
    }

    /// What the edge knows of the request.
    public struct Delivery: Sendable {
        /// Names the request, the same when a proxy sends it once more: events without an id are known by it.
        public var requestID: String
        public var receivedAt: PGTimestamp
        /// The page's origin; nil outside browsers.
        public var origin: String?
        /// The browser says that its user refuses to be tracked (Global Privacy Control).
        public var refusesTracking: Bool

        public init(requestID: String, receivedAt: PGTimestamp, origin: String? = nil, refusesTracking: Bool = false) {
            self.requestID = requestID
            self.receivedAt = receivedAt
            self.origin = origin
            self.refusesTracking = refusesTracking
        }
    }

    var entries: [Entry] = []

    /// Rows to be stored, in order.
    public var events: [NewEvent] { entries.flatMap(\.events) }

    /// Reads the `batch` of a body; an event that breaks a rule is refused alone.
    /// - Throws: `invalidInput` when there is no list of events or it is too long.
    public init(body: JSONObject, door: EventDoor, delivery: Delivery) throws(OperationError) {
        guard let list = body["batch"]?.arrayValue else { throw .invalidInput("'batch' must be a list of events.", field: "batch") }
        guard !list.isEmpty, list.count <= TrackerBatch.eventLimit else {
            throw .invalidInput("'batch' must have 1 to \(TrackerBatch.eventLimit) events.", field: "batch")
        }
        let sentAt = body["sentAt"].flatMap { EventTime.parse($0) }
        for (index, value) in list.enumerated() {
            let reader = TrackerEventReader(door: door, delivery: delivery, sentAt: sentAt, index: index)
            entries.append(reader.entry(value))
        }
    }

    /// What the console keeps of a request that was refused as a whole.
    public static func refusal(_ reason: String, door: EventDoor, delivery: Delivery) -> NewEvent {
        TrackerEventReader(door: door, delivery: delivery, sentAt: nil, index: 0).refusal(of: JSONObject(), reason)
    }

    /// The answer, from the outcomes of `events` in their order.
    public func summary(_ outcomes: [EventOutcome]) -> Summary {
        var summary = Summary()
        var rest = outcomes[...]
        for entry in entries {
            let own = rest.prefix(entry.events.count)
            rest = rest.dropFirst(entry.events.count)
            if let reason = entry.refusal ?? TrackerBatch.commonRefusal(own) {
                summary.rejected.append((entry.messageID, reason))
            } else if !own.isEmpty, own.allSatisfy({ $0 == .duplicate }) {
                summary.duplicate += 1
            } else {
                summary.accepted += 1
            }
        }
        return summary
    }

    public struct Summary: Sendable {
        public var accepted = 0
        public var duplicate = 0
        public var rejected: [(messageID: String?, reason: String)] = []
    }

    /// The reason when nothing of an event was taken.
    private static func commonRefusal(_ outcomes: ArraySlice<EventOutcome>) -> String? {
        var reason: String?
        for outcome in outcomes {
            guard case .rejected(let text) = outcome else { return nil }
            reason = text
        }
        return reason
    }
}
