extension Connection {
    /// A message of NOTIFY.
    public struct Notification: Sendable, Hashable {
        public var channel: String
        public var payload: String
        /// Server process of the sender.
        public var senderProcess: Int
    }

    /// Hears notifications of a channel from now on. Those sent while disconnected are lost: poll slowly beside.
    public func listen(_ channel: String) throws(PostgresError) {
        try execute("LISTEN \(identifier: channel)")
    }

    /// Waits for the next notification; nil when none came in time. Throws when the connection broke.
    public func waitForNotification(timeoutMilliseconds: Int) throws(PostgresError) -> Notification? {
        try wire.nextNotification(Deadline(milliseconds: timeoutMilliseconds))
    }

    /// Tells all listeners of a channel. Not inside a transaction that stores events: it serialises commits.
    public func notify(_ channel: String, _ payload: String = "") throws(PostgresError) {
        try execute("SELECT pg_notify(\(channel), \(payload))")
    }
}
