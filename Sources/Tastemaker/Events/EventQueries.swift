import Foundation
import JSON
import Postgres

/// An event with its ids resolved, ready to be a row.
struct StoredEvent {
    var event: NewEvent
    var key: UUID
    var userID: Int32
    var visitorID: Int32
    var itemID: Int32?
    var eventType: Int16
    /// Key of the shown list, from a recommendation id that verified.
    var recommendation: Int64?
}

enum EventQueries {
    static func interactionsDataset(_ groupID: Int32, _ connection: Connection) throws -> Int32? {
        try connection.query("SELECT id FROM dataset WHERE dataset_group_id = \(groupID) AND type = 'INTERACTIONS'").first?.int32(0)
    }

    static func addPart(dataset: Int32, part: Int32, _ connection: Connection) throws {
        try connection.execute("SELECT add_interaction_part(\(dataset), \(part))")
    }

    /// Ids in the order of the given texts; unknown ones are made.
    static func intern(
        users: [String], items: [String], eventTypes: [String], groupID: Int32, _ connection: Connection
    ) throws -> (users: [Int32], items: [Int32], eventTypes: [Int16]) {
        let rows = try connection.query(
            """
            SELECT intern_users(\(groupID), \(users)), intern_items(\(groupID), \(items)), intern_event_types(\(groupID), \(eventTypes))
            """)
        guard let row = rows.first else { throw OperationError.unavailable("Ids could not be stored.") }
        return (try row.int32s(0), try row.int32s(1), try row.int16s(2))
    }

    /// The keys that were not there before.
    static func insertKeys(_ keys: [UUID], groupID: Int32, at now: PGTimestamp, _ connection: Connection) throws -> Set<UUID> {
        let rows = try connection.query(
            """
            INSERT INTO event_key (dataset_group_id, hash, received_on)
            SELECT \(groupID), k, (\(now)::timestamptz AT TIME ZONE 'UTC')::date FROM unnest(\(keys)) AS k ORDER BY k
            ON CONFLICT DO NOTHING
            RETURNING hash
            """)
        return Set(try rows.map { try $0.uuid(0) })
    }

    static func insertInteractions(_ events: [StoredEvent], dataset: Int32, part: Int32, _ connection: Connection) throws {
        let properties = events.map { $0.event.properties.isEmpty ? nil : JSONValue.object($0.event.properties).text }
        try connection.execute(
            """
            INSERT INTO interaction (dataset_id, part, user_id, item_id, event_type, value, occurred_at, ordinal, visitor_id, recommendation,
                order_id, amount, currency, properties)
            SELECT \(dataset), \(part), u, i, t, v, o, nextval('interaction_ordinal'), w, r, d, a::numeric, c, p::jsonb
            FROM unnest(\(events.map(\.userID)), \(events.map(\.itemID)), \(events.map(\.eventType)), \(events.map(\.event.value)),
                \(events.map(\.event.occurredAt)), \(events.map(\.visitorID)), \(events.map(\.recommendation)), \(events.map(\.event.orderID)),
                \(events.map(\.event.amount)), \(events.map(\.event.currency)), \(properties)) AS e(u, i, t, v, o, w, r, d, a, c, p)
            """)
    }

    /// Locks the users' rows in key order, making the missing ones, so that two writers neither lose an event nor deadlock.
    static func lockHistories(_ users: [Int32], groupID: Int32, _ connection: Connection) throws -> [Int32: [RecentEvent]] {
        try connection.execute(
            """
            INSERT INTO history (dataset_group_id, user_id, entries)
            SELECT \(groupID), u, ''::bytea FROM unnest(\(users)) AS u
            WHERE NOT EXISTS (SELECT FROM history h WHERE h.dataset_group_id = \(groupID) AND h.user_id = u)
            ORDER BY u
            ON CONFLICT DO NOTHING
            """)
        let rows = try connection.query(
            """
            SELECT user_id, entries FROM history WHERE dataset_group_id = \(groupID) AND user_id = ANY(\(users)) ORDER BY user_id FOR UPDATE
            """)
        var histories: [Int32: [RecentEvent]] = [:]
        for row in rows { histories[try row.int32(0)] = PackedHistory.unpack(try row.bytes(1)) }
        return histories
    }

    static func writeHistories(_ histories: [(user: Int32, entries: [UInt8])], groupID: Int32, _ connection: Connection) throws {
        try connection.execute(
            """
            UPDATE history h SET entries = n.entries
            FROM unnest(\(histories.map(\.user)), \(histories.map(\.entries))) AS n(user_id, entries)
            WHERE h.dataset_group_id = \(groupID) AND h.user_id = n.user_id
            """)
    }

    static func insertRaw(_ events: [StoredEvent], groupID: Int32, at now: PGTimestamp, _ connection: Connection) throws {
        try connection.execute(
            """
            INSERT INTO raw_event (dataset_group_id, received_at, source, origin, visitor_id, user_id, event, body)
            SELECT \(groupID), \(now), s, o, w, u, e, b::jsonb
            FROM unnest(\(events.map(\.event.source.rawValue)), \(events.map(\.event.origin)), \(events.map(\.visitorID)),
                \(events.map(\.userID)), \(events.map(\.event.eventType)), \(events.map(rawBody))) AS r(s, o, w, u, e, b)
            """)
    }

    private static func rawBody(_ stored: StoredEvent) -> String {
        var body = stored.event.properties
        if let item = stored.event.itemID { body["itemId"] = .string(item) }
        if let amount = stored.event.amount { body["amount"] = .string(amount) }
        return JSONValue.object(body).text
    }
}
