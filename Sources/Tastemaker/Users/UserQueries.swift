import Postgres

enum UserQueries {
    /// A browser that sent events of a user.
    struct Browser {
        let id: Int32
        /// No other user's events came from it.
        let isOnlyThisUser: Bool
    }

    static func find(_ externalID: String, groupID: Int32, _ connection: Connection) throws -> Int32? {
        try connection.query(
            "SELECT id FROM user_key WHERE dataset_group_id = \(groupID) AND external_id = \(externalID)"
        ).first?.int32(0)
    }

    /// Interactions have no index by user, which would cost every event: an erasure reads them all.
    static func allowTime(_ connection: Connection) throws {
        try connection.execute("SET LOCAL statement_timeout = '10min'")
    }

    static func browsers(of id: Int32, groupID: Int32, dataset: Int32?, _ connection: Connection) throws -> [Browser] {
        try connection.query(
            """
            WITH seen AS (
                SELECT visitor_id AS id FROM interaction WHERE dataset_id = \(dataset) AND user_id = \(id)
                UNION SELECT visitor_id FROM raw_event WHERE dataset_group_id = \(groupID) AND user_id = \(id)
                UNION SELECT user_id FROM user_alias WHERE dataset_group_id = \(groupID) AND canonical_id = \(id)
            )
            SELECT k.id, NOT EXISTS (
                SELECT FROM interaction o WHERE o.dataset_id = \(dataset) AND o.visitor_id = k.id AND o.user_id NOT IN (k.id, \(id))
            ) FROM seen JOIN user_key k ON k.dataset_group_id = \(groupID) AND k.id = seen.id
            WHERE k.id <> \(id) AND starts_with(k.external_id, \(AnonymousID.prefix))
            """
        ).map { Browser(id: try $0.int32(0), isOnlyThisUser: try $0.bool(1)) }
    }

    /// Those of either kind.
    static func deleteHistories(_ ids: [Int32], groupID: Int32, _ connection: Connection) throws -> Int {
        try InteractionKind.allCases.reduce(0) { try $0 + deleteHistories(ids, $1, groupID: groupID, connection) }
    }

    private static func deleteHistories(_ ids: [Int32], _ kind: InteractionKind, groupID: Int32, _ connection: Connection) throws -> Int {
        try connection.execute(
            """
            DELETE FROM \(part: kind.history) WHERE dataset_group_id = \(groupID) AND user_id IN (
                SELECT user_id FROM \(part: kind.history) WHERE dataset_group_id = \(groupID) AND user_id = ANY(\(ids)) ORDER BY user_id FOR UPDATE)
            """)
    }

    /// Those with items and those with actions.
    static func deleteInteractions(_ ids: [Int32], groupID: Int32, _ connection: Connection) throws -> Int {
        try InteractionKind.allCases.reduce(0) { count, kind in
            guard let dataset = try EventQueries.interactionsDataset(groupID, of: kind, connection) else { return count }
            return try count + deleteInteractions(ids, dataset: dataset, connection)
        }
    }

    static func deleteInteractions(_ ids: [Int32], dataset: Int32, _ connection: Connection) throws -> Int {
        try connection.execute(
            "DELETE FROM interaction WHERE dataset_id = \(dataset) AND (user_id = ANY(\(ids)) OR visitor_id = ANY(\(ids)))")
    }

    static func deleteRawEvents(_ ids: [Int32], groupID: Int32, _ connection: Connection) throws -> Int {
        try connection.execute(
            "DELETE FROM raw_event WHERE dataset_group_id = \(groupID) AND (user_id = ANY(\(ids)) OR visitor_id = ANY(\(ids)))")
    }

    static func deleteImpressions(_ ids: [Int32], groupID: Int32, _ connection: Connection) throws -> Int {
        try connection.execute("DELETE FROM impression WHERE dataset_group_id = \(groupID) AND visitor_id = ANY(\(ids))")
    }

    static func deleteExposures(_ ids: [Int32], groupID: Int32, _ connection: Connection) throws -> Int {
        try connection.execute(
            """
            DELETE FROM exposure WHERE unit_id = ANY(\(ids))
              AND experiment_id IN (SELECT id FROM experiment WHERE dataset_group_id = \(groupID))
            """)
    }

    static func deleteShown(_ ids: [Int32], groupID: Int32, _ connection: Connection) throws -> Int {
        try connection.execute("DELETE FROM shown WHERE dataset_group_id = \(groupID) AND visitor_id = ANY(\(ids))")
    }

    static func deleteRecords(_ ids: [Int32], groupID: Int32, _ connection: Connection) throws -> Int {
        try connection.execute("DELETE FROM user_record WHERE dataset_group_id = \(groupID) AND user_id = ANY(\(ids))")
    }

    static func deleteAliases(_ ids: [Int32], groupID: Int32, _ connection: Connection) throws {
        try connection.execute(
            "DELETE FROM user_alias WHERE dataset_group_id = \(groupID) AND (user_id = ANY(\(ids)) OR canonical_id = ANY(\(ids)))")
    }

    static func deleteIDs(_ ids: [Int32], groupID: Int32, _ connection: Connection) throws -> Int {
        try connection.execute("DELETE FROM user_key WHERE dataset_group_id = \(groupID) AND id = ANY(\(ids))")
    }

    static func summary(_ id: Int32, groupID: Int32, _ connection: Connection) throws -> UserSummary {
        let rows = try connection.query(
            """
            SELECT EXISTS (SELECT FROM user_record WHERE dataset_group_id = \(groupID) AND user_id = \(id)),
                (SELECT count(*) FROM user_alias WHERE dataset_group_id = \(groupID) AND canonical_id = \(id)),
                coalesce((SELECT entries FROM history WHERE dataset_group_id = \(groupID) AND user_id = \(id)), ''::bytea)
            """)
        guard let row = rows.first else { throw OperationError.unavailable("The user could not be read.") }
        let events = PackedHistory.unpack(try row.bytes(2))
        let names = try connection.query(
            """
            SELECT i.external_id, t.name FROM unnest(\(events.map(\.item)), \(events.map { Int16($0.eventType) })) WITH ORDINALITY AS e(i, t, o)
            JOIN item_key i ON i.dataset_group_id = \(groupID) AND i.id = e.i
            JOIN event_type t ON t.dataset_group_id = \(groupID) AND t.id = e.t
            ORDER BY e.o
            """
        ).map { (item: try $0.string(0), type: try $0.string(1)) }
        let listed = zip(events, names).map { event, name in
            UserSummary.Event(eventType: name.type, itemID: name.item, at: PGTimestamp(seconds: Int(event.seconds)))
        }
        return UserSummary(hasRecord: try row.bool(0), browsers: Int(try row.int64(1)), events: listed.reversed())
    }
}
