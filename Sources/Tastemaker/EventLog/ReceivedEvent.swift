public import JSON
public import Postgres

/// An event as it came in, kept for some days.
public struct ReceivedEvent: Sendable {
    public let id: Int64
    public let receivedAt: PGTimestamp
    /// tracker or put-events.
    public let source: String
    public let origin: String?
    public let event: String?
    /// Why it was refused; nil when it was stored.
    public let rejectedReason: String?
    public let body: JSONValue
}
