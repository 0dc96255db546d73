import Foundation
import JSON
import Postgres
import Ranking

/// An event with its ids resolved, ready to be a row.
struct StoredEvent {
    var event: NewEvent
    var key: UUID
    var userID: Int32
    var visitorID: Int32
    var itemID: Int32?
    /// Of `NewEvent.impression`.
    var impression: [Int32]
    var eventType: Int16
    /// Key of the shown list, from a recommendation id that verified.
    var recommendation: Int64?
}

enum EventQueries {
    static func interactionsDataset(_ groupID: Int32, of kind: InteractionKind = .items, _ connection: Connection) throws -> Int32? {
        try connection.query(
            "SELECT id FROM dataset WHERE dataset_group_id = \(groupID) AND type = \(kind.datasetType.rawValue)"
        ).first?.int32(0)
    }

    static func addPart(dataset: Int32, part: Int32, _ connection: Connection) throws {
        try connection.execute("SELECT add_interaction_part(\(dataset), \(part))")
    }

    /// Ids in the order of the given texts; unknown ones are made.
    static func intern(
        users: [String], items: [String], eventTypes: [String], _ kind: InteractionKind = .items, groupID: Int32, _ connection: Connection
    ) throws -> (users: [Int32], items: [Int32], eventTypes: [Int16]) {
        if kind == .actions { return try internActions(users: users, actions: items, eventTypes: eventTypes, groupID: groupID, connection) }
        let rows = try connection.query(
            """
            SELECT intern_users(\(groupID), \(users)), intern_items(\(groupID), \(items)), intern_event_types(\(groupID), \(eventTypes))
            """)
        guard let row = rows.first else { throw OperationError.unavailable("Ids could not be stored.") }
        return (try row.int32s(0), try row.int32s(1), try row.int16s(2))
    }

    /// Types of event that are no responses, which no door lets pass, count as views.
    private static func internActions(
        users: [String], actions: [String], eventTypes: [String], groupID: Int32, _ connection: Connection
    ) throws -> (users: [Int32], items: [Int32], eventTypes: [Int16]) {
        let rows = try connection.query("SELECT intern_users(\(groupID), \(users)), intern_actions(\(groupID), \(actions))")
        guard let row = rows.first else { throw OperationError.unavailable("Ids could not be stored.") }
        let responses = eventTypes.map { Int16((ActionData.Response(reading: $0) ?? .viewed).rawValue) }
        return (try row.int32s(0), try row.int32s(1), responses)
    }

    /// The group's dataset of interactions, and the keys that were not there before. Without a dataset no key is stored either: the events
    /// are refused, and may come again.
    static func insertKeys(
        _ keys: [UUID], _ kind: InteractionKind, groupID: Int32, at now: PGTimestamp, _ connection: Connection
    ) throws -> (dataset: Int32?, unseen: Set<UUID>) {
        let rows = try connection.query(
            """
            WITH target AS (SELECT id FROM dataset WHERE dataset_group_id = \(groupID) AND type = \(kind.datasetType.rawValue)),
            unseen AS (
                INSERT INTO event_key (dataset_group_id, hash, received_on)
                SELECT \(groupID), k, (\(now)::timestamptz AT TIME ZONE 'UTC')::date FROM target, unnest(\(keys)) AS k ORDER BY k
                ON CONFLICT DO NOTHING
                RETURNING hash
            )
            SELECT (SELECT id FROM target), ARRAY(SELECT hash FROM unseen)
            """)
        guard let row = rows.first else { return (nil, []) }
        return (try row.optionalInt32(0), Set(try row.uuids(1)))
    }

    /// Of some session ids those that are the anonymous ids of browsers, which the site's server repeats; by bytes.
    static func anonymousSessions(_ sessions: [String], groupID: Int32, _ connection: Connection) throws -> Set<[UInt8]> {
        Set(
            try connection.query(
                """
                SELECT s FROM unnest(\(sessions)) AS s
                WHERE (SELECT k.id FROM user_key k
                       WHERE k.dataset_group_id = \(groupID) AND k.external_id = (\(AnonymousID.prefix)::text || s) COLLATE "C") IS NOT NULL
                """
            ).map { Array(try $0.string(0).utf8) })
    }

    /// The tie-breaker within a second is the order of arrival: microseconds of the machine's own clock, for that of the environment may
    /// stand still. A sequence is cached per connection and could number a later event lower.
    static func insertInteractions(_ events: [StoredEvent], dataset: Int32, part: Int32, _ connection: Connection) throws {
        let arrival = PGTimestamp.now.microseconds
        let ordinals = events.indices.map { arrival + Int64($0) }
        let properties = events.map(\.event.storedProperties)
        guard let groupID = events.first?.event.datasetGroupID else { return }
        try connection.execute(
            """
            WITH added AS (
            INSERT INTO interaction (dataset_id, part, user_id, item_id, event_type, value, occurred_at, ordinal, visitor_id, recommendation,
                order_id, amount, currency, properties)
            SELECT \(dataset), \(part), u, i, t, v, o, n, w, r, d, a::numeric, c, p::jsonb
            FROM unnest(\(events.map(\.userID)), \(events.map(\.itemID)), \(events.map(\.eventType)), \(events.map(\.event.value)),
                \(events.map(\.event.occurredAt)), \(events.map(\.visitorID)), \(events.map(\.recommendation)), \(events.map(\.event.orderID)),
                \(events.map(\.event.amount)), \(events.map(\.event.currency)), \(properties), \(ordinals))
                AS e(u, i, t, v, o, w, r, d, a, c, p, n)
            RETURNING occurred_at)
            INSERT INTO activity_mark (dataset_group_id, since) SELECT \(groupID), min(occurred_at) FROM added
            """)
    }

    /// Locks the users' rows in key order, making the missing ones, so that two writers neither lose an event nor deadlock.
    static func lockHistories(
        _ users: [Int32], _ kind: InteractionKind, groupID: Int32, _ connection: Connection
    ) throws -> [Int32: [RecentEvent]] {
        try connection.execute(
            """
            INSERT INTO \(part: kind.history) (dataset_group_id, user_id, entries)
            SELECT \(groupID), u, ''::bytea FROM unnest(\(users)) AS u
            WHERE NOT EXISTS (SELECT FROM \(part: kind.history) h WHERE h.dataset_group_id = \(groupID) AND h.user_id = u)
            ORDER BY u
            ON CONFLICT DO NOTHING
            """)
        let rows = try connection.query(
            """
            SELECT user_id, entries FROM \(part: kind.history) WHERE dataset_group_id = \(groupID) AND user_id = ANY(\(users))
            ORDER BY user_id FOR UPDATE
            """)
        var histories: [Int32: [RecentEvent]] = [:]
        for row in rows { histories[try row.int32(0)] = PackedHistory.unpack(try row.bytes(1)) }
        return histories
    }

    static func writeHistories(
        _ histories: [(user: Int32, entries: [UInt8])], _ kind: InteractionKind, groupID: Int32, _ connection: Connection
    ) throws {
        try connection.execute(
            """
            UPDATE \(part: kind.history) h SET entries = n.entries
            FROM unnest(\(histories.map(\.user)), \(histories.map(\.entries))) AS n(user_id, entries)
            WHERE h.dataset_group_id = \(groupID) AND h.user_id = n.user_id
            """)
    }

    static func insertImpressions(_ seen: [SeenItem], groupID: Int32, at now: PGTimestamp, _ connection: Connection) throws {
        try connection.execute(
            """
            INSERT INTO impression (dataset_group_id, received_at, visitor_id, item_id, recommendation, position)
            SELECT \(groupID), \(now), w, i, r, p
            FROM unnest(\(seen.map(\.visitorID)), \(seen.map(\.itemID)), \(seen.map(\.recommendation)), \(seen.map(\.position)))
                AS s(w, i, r, p)
            """)
    }

    /// Visitors whom the site knows as users. The first name stays, and what is itself the name of others is joined to nobody: two known
    /// users never become one.
    static func insertAliases(_ joined: [StoredEvent], groupID: Int32, at now: PGTimestamp, _ connection: Connection) throws {
        try connection.execute(
            """
            INSERT INTO user_alias (dataset_group_id, user_id, canonical_id, created_at)
            SELECT DISTINCT ON (v) \(groupID), v, u, \(now)::timestamptz
            FROM unnest(\(joined.map(\.visitorID)), \(joined.map(\.userID))) WITH ORDINALITY AS j(v, u, o)
            WHERE v <> u AND NOT EXISTS (SELECT FROM user_alias a WHERE a.dataset_group_id = \(groupID) AND a.canonical_id = v)
            ORDER BY v, o
            ON CONFLICT DO NOTHING
            """)
    }

    static func insertRaw(_ rows: [RawEvent], groupID: Int32, at now: PGTimestamp, _ connection: Connection) throws {
        try connection.execute(
            """
            INSERT INTO raw_event (dataset_group_id, received_at, source, origin, visitor_id, user_id, event, rejected_reason, body)
            SELECT \(groupID), \(now), s, o, w, u, e, x, b::jsonb
            FROM unnest(\(rows.map(\.event.source.rawValue)), \(rows.map(\.event.origin)), \(rows.map(\.visitorID)),
                \(rows.map(\.userID)), \(rows.map(\.event.eventType)), \(rows.map(\.rejectedReason)),
                \(rows.map { JSONValue.object($0.event.raw ?? JSONObject()).text })) AS r(s, o, w, u, e, x, b)
            """)
    }
}

/// A card that a visitor saw, ready to be a row.
struct SeenItem {
    let visitorID: Int32
    let itemID: Int32
    let recommendation: Int64?
    let position: Int16?
}

/// An event as the console lists it. A refused one names nobody.
struct RawEvent {
    let event: NewEvent
    var visitorID: Int32?
    var userID: Int32?
    var rejectedReason: String?
}

extension NewEvent {
    /// As JSON, with what was shown beside the event as an import has it; nil for none.
    fileprivate var storedProperties: String? {
        var stored = properties
        if !impression.isEmpty { stored["IMPRESSION"] = .string(impression.joined(separator: "|")) }
        return stored.isEmpty ? nil : JSONValue.object(stored).text
    }
}
