import JSON
import Postgres

enum EventLogQueries {
    /// Looks at the newest 2,000 events only, so that a page stays fast when none was refused.
    static func list(_ group: Int32, refused: Bool, limit: Int, _ connection: Connection) throws -> [ReceivedEvent] {
        try connection.query(
            """
            SELECT e.id, e.received_at, e.source, e.origin, e.event, e.rejected_reason, e.body
            FROM (
                SELECT id, received_at, source, origin, event, rejected_reason, body FROM raw_event
                WHERE dataset_group_id = \(group) ORDER BY id DESC LIMIT 2000
            ) AS e
            WHERE (e.rejected_reason IS NOT NULL) = \(refused)
            ORDER BY e.id DESC LIMIT \(Int32(limit))
            """
        ).map { row in
            ReceivedEvent(
                id: try row.int64(0), receivedAt: try row.timestamp(1), source: try row.string(2), origin: try row.optionalString(3),
                event: try row.optionalString(4), rejectedReason: try row.optionalString(5),
                body: (try? JSONValue(parsing: row.json(6))) ?? .null)
        }
    }
}
