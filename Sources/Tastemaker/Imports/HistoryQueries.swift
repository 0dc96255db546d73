import Postgres

/// Makes the packed histories anew from the interactions.
///
/// Writers of events take the counters only for new ids, then make the missing histories in key order, then lock all of theirs in key
/// order. Whoever does the same in this order neither loses an event nor deadlocks: events that were stored before a history was locked
/// are seen by the statements that follow, later ones wait.
enum HistoryQueries {
    /// From the table alone, in memory of the histories that are read at a time.
    static func rebuild(_ kind: InteractionKind, dataset: Int32, groupID: Int32, _ connection: Connection) throws {
        try lockCounters(groupID, connection)
        try connection.execute(
            """
            INSERT INTO \(part: kind.history) (dataset_group_id, user_id, entries)
            SELECT \(groupID), u.user_id, ''::bytea FROM (SELECT DISTINCT user_id FROM interaction WHERE dataset_id = \(dataset)) u
            WHERE NOT EXISTS (SELECT FROM \(part: kind.history) h WHERE h.dataset_group_id = \(groupID) AND h.user_id = u.user_id)
            ORDER BY u.user_id
            ON CONFLICT DO NOTHING
            """)
        let users =
            try connection.query(
                """
                SELECT coalesce(array_agg(l.user_id), '{}') FROM (
                    SELECT user_id FROM \(part: kind.history) WHERE dataset_group_id = \(groupID) ORDER BY user_id FOR UPDATE) l
                """
            ).first?.int32s(0) ?? []
        var update = HistoryUpdate(kind, users: users, groupID: groupID)
        try forEachUser(kind, dataset: dataset, groupID: groupID, connection) { user, events in try update.set(user, events, connection) }
        try update.finish(connection)
    }

    static func lockCounters(_ groupID: Int32, _ connection: Connection) throws {
        try connection.execute("SELECT 1 FROM group_revision WHERE dataset_group_id = \(groupID) FOR UPDATE")
    }

    /// Stores histories of users in rising order, but for those who have one; then the batch is empty.
    static func insertMissing(_ batch: inout HistoryBatch, groupID: Int32, _ connection: Connection) throws {
        guard !batch.users.isEmpty else { return }
        try connection.execute(
            """
            INSERT INTO \(part: batch.kind.history) (dataset_group_id, user_id, entries)
            SELECT \(groupID), n.user_id, n.entries FROM unnest(\(batch.users), \(batch.entries)) AS n(user_id, entries)
            WHERE NOT EXISTS (SELECT FROM \(part: batch.kind.history) h WHERE h.dataset_group_id = \(groupID) AND h.user_id = n.user_id)
            ON CONFLICT DO NOTHING
            """)
        batch.removeAll()
    }

    /// Locks the histories that this transaction did not make, and answers their users in rising order.
    static func lockOthers(_ kind: InteractionKind, _ groupID: Int32, _ connection: Connection) throws -> [Int32] {
        try connection.query(
            """
            SELECT coalesce(array_agg(l.user_id), '{}') FROM (
                SELECT user_id FROM \(part: kind.history) WHERE dataset_group_id = \(groupID) AND xmin <> pg_current_xact_id()::xid
                ORDER BY user_id FOR UPDATE) l
            """
        ).first?.int32s(0) ?? []
    }

    static func update(_ batch: inout HistoryBatch, groupID: Int32, _ connection: Connection) throws {
        guard !batch.users.isEmpty else { return }
        try connection.execute(
            """
            UPDATE \(part: batch.kind.history) h SET entries = n.entries FROM unnest(\(batch.users), \(batch.entries)) AS n(user_id, entries)
            WHERE h.dataset_group_id = \(groupID) AND h.user_id = n.user_id AND h.entries <> n.entries
            """)
        batch.removeAll()
    }

    /// Every user's events in order, users in rising order. A cursor, so that other statements may run between.
    static func forEachUser(
        _ kind: InteractionKind, dataset: Int32, groupID: Int32, _ connection: Connection, _ body: (Int32, [RecentEvent]) throws -> Void
    ) throws {
        try connection.execute("DECLARE history_events NO SCROLL CURSOR FOR \(part: events(dataset, groupID))")
        var current: Int32?
        var own: [RecentEvent] = []
        while true {
            let rows = try connection.query("FETCH 20000 FROM history_events")
            // What later events push out, no event after them brings back.
            if own.count > 20_000 { own = PackedHistory.merging([], with: own, limit: kind.historyLimit) }
            for row in rows {
                let user = try row.int32(0)
                if user != current {
                    if let current { try body(current, own) }
                    current = user
                    own.removeAll(keepingCapacity: true)
                }
                own.append(
                    RecentEvent(
                        item: try row.int32(1), seconds: UInt32(clamping: try row.int64(2)),
                        eventType: UInt8(truncatingIfNeeded: try row.int16(3))))
            }
            if rows.isEmpty { break }
        }
        if let current { try body(current, own) }
        try connection.execute("CLOSE history_events")
    }

    /// A user's own events, and what a browser did under its user's name, as the event store keeps them: a session that a server made up
    /// has no history. Within a second bulk rows stand before streamed ones.
    private static func events(_ dataset: Int32, _ groupID: Int32) -> SQL {
        """
        SELECT user_id, item_id, \(part: seconds) AS seconds, event_type, CASE WHEN part > 0 THEN part ELSE 2147483647 END AS age, ordinal
        FROM interaction WHERE dataset_id = \(dataset) AND item_id IS NOT NULL
        UNION ALL
        SELECT visitor_id, item_id, \(part: seconds), event_type, 2147483647, ordinal
        FROM interaction
        JOIN user_key k ON k.dataset_group_id = \(groupID) AND k.id = visitor_id AND starts_with(k.external_id, \(AnonymousID.prefix))
        WHERE dataset_id = \(dataset) AND part < 0 AND item_id IS NOT NULL AND visitor_id <> user_id
        ORDER BY user_id, seconds, age, ordinal
        """
    }

    /// 0 to 2^32 − 1, as bigint.
    private static let seconds: SQL = "least(greatest(floor(date_part('epoch', occurred_at)), 0), 4294967295)::bigint"
}

/// Packed histories on their way to the database.
struct HistoryBatch {
    let kind: InteractionKind
    private(set) var users: [Int32] = []
    private(set) var entries: [[UInt8]] = []

    var isFull: Bool { users.count >= 5_000 }

    init(_ kind: InteractionKind) {
        self.kind = kind
    }

    /// `events` are in order; the newest are kept.
    mutating func append(_ user: Int32, _ events: [RecentEvent]) {
        users.append(user)
        let fits = events.count <= PackedHistory.eventTypeLimit
        entries.append(PackedHistory.pack(fits ? events : PackedHistory.merging([], with: events, limit: kind.historyLimit)))
    }

    mutating func removeAll() {
        users.removeAll(keepingCapacity: true)
        entries.removeAll(keepingCapacity: true)
    }
}

/// New histories for users who have one and whose rows are locked; those of whom nothing is said get an empty one.
struct HistoryUpdate {
    private let users: [Int32]
    private let groupID: Int32
    private var next = 0
    private var batch: HistoryBatch

    /// `users` in rising order.
    init(_ kind: InteractionKind, users: [Int32], groupID: Int32) {
        self.users = users
        self.groupID = groupID
        batch = HistoryBatch(kind)
    }

    /// Users come in rising order; others than those of the beginning are passed over.
    mutating func set(_ user: Int32, _ events: [RecentEvent], _ connection: Connection) throws {
        try clear(before: Int(user), connection)
        guard next < users.count, users[next] == user else { return }
        next += 1
        try add(user, events, connection)
    }

    mutating func finish(_ connection: Connection) throws {
        try clear(before: .max, connection)
        try HistoryQueries.update(&batch, groupID: groupID, connection)
    }

    private mutating func clear(before user: Int, _ connection: Connection) throws {
        while next < users.count, Int(users[next]) < user {
            next += 1
            try add(users[next - 1], [], connection)
        }
    }

    private mutating func add(_ user: Int32, _ events: [RecentEvent], _ connection: Connection) throws {
        batch.append(user, events)
        if batch.isFull { try HistoryQueries.update(&batch, groupID: groupID, connection) }
    }
}
