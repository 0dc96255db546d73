import Feeds
import Postgres
import Ranking

enum ImportQueries {
    static func begin(_ id: Int32, at now: PGTimestamp, _ connection: Connection) throws {
        try connection.execute(
            """
            UPDATE dataset_import_job SET status = 'CREATE IN_PROGRESS', updated_at = \(now)
            WHERE id = \(id) AND status IN ('CREATE PENDING', 'CREATE IN_PROGRESS')
            """)
    }

    static func fail(_ id: Int32, reason: String, at now: PGTimestamp, _ connection: Connection) throws {
        try connection.execute(
            """
            UPDATE dataset_import_job SET status = 'CREATE FAILED', failure_reason = \(reason), updated_at = \(now)
            WHERE id = \(id) AND status IN ('CREATE PENDING', 'CREATE IN_PROGRESS')
            """)
    }

    /// False when the import is not in progress any more.
    static func activate(_ id: Int32, duplicates: Int, at now: PGTimestamp, _ connection: Connection) throws -> Bool {
        try connection.execute(
            """
            UPDATE dataset_import_job
            SET status = 'ACTIVE', rows_accepted = rows_accepted - \(Int64(duplicates)), rows_duplicate = \(Int64(duplicates)),
                updated_at = \(now)
            WHERE id = \(id) AND status = 'CREATE IN_PROGRESS'
            """) == 1
    }

    /// What was read, with the first rejected rows; replaces what an earlier attempt said.
    static func storeReport(_ id: Int32, _ report: ImportReport, at now: PGTimestamp, _ connection: Connection) throws {
        try connection.execute(
            """
            UPDATE dataset_import_job
            SET rows_accepted = \(Int64(report.accepted)), rows_rejected = \(Int64(report.rejected)), rows_duplicate = 0, updated_at = \(now)
            WHERE id = \(id)
            """)
        try connection.execute("DELETE FROM import_row_error WHERE dataset_import_job_id = \(id)")
        guard !report.errors.isEmpty else { return }
        try connection.execute(
            """
            INSERT INTO import_row_error (dataset_import_job_id, line, reason)
            SELECT \(id), l, r FROM unnest(\(report.errors.map { Int64($0.line) }), \(report.errors.map { $0.reason.withoutNUL })) AS e(l, r)
            ON CONFLICT DO NOTHING
            """)
    }

    /// The numbers of the texts, in their order; unknown ones are made.
    static func intern(_ ids: [[UInt8]], _ kind: ImportStaging.IDKind, groupID: Int32, _ connection: Connection) throws -> [Int32] {
        let rows =
            switch kind {
            case .user: try connection.query("SELECT intern_users(\(groupID), \(texts: ids))")
            case .item: try connection.query("SELECT intern_items(\(groupID), \(texts: ids))")
            case .action: try connection.query("SELECT intern_actions(\(groupID), \(texts: ids))")
            case .eventType: try connection.query("SELECT intern_event_types(\(groupID), \(texts: ids))::int[]")
            }
        return try rows.first?.int32s(0) ?? []
    }

    /// One merge of a dataset at a time, with memory to sort in.
    static func beginMerge(dataset: Int32, _ connection: Connection) throws {
        try connection.execute("SELECT pg_advisory_xact_lock(7304, \(dataset)), set_config('work_mem', '128MB', true)")
    }

    /// Stores what was staged as the import's own part, in order of time; equal rows once. Answers how many were stored.
    static func mergeInteractions(
        _ staging: ImportStaging, _ kind: InteractionKind, importID: Int32, dataset: Int32, groupID: Int32, isIncremental: Bool,
        _ connection: Connection
    ) throws -> Int {
        try withoutNestedLoops(connection) {
            try connection.execute(
                """
                INSERT INTO interaction (dataset_id, part, user_id, item_id, event_type, value, occurred_at, ordinal, properties)
                SELECT DISTINCT ON (s.occurred_at, u.id, i.id, t.id, s.value, s.attributes)
                    \(dataset), \(importID), u.id, i.id, t.id, s.value, s.occurred_at, s.line, s.attributes
                FROM \(part: staging.source) s
                JOIN user_key u ON u.dataset_group_id = \(groupID) AND u.external_id = s.user_id
                JOIN \(part: kind.keys) i ON i.dataset_group_id = \(groupID) AND i.external_id = s.item_id
                JOIN \(part: eventTypes(kind, groupID)) t ON lower(t.name) = lower(s.event_type)
                \(part: isIncremental ? unlessStored(importID: importID, dataset: dataset) : "")
                ORDER BY s.occurred_at, u.id, i.id, t.id, s.value, s.attributes, s.line
                """)
        }
    }

    private static func eventTypes(_ kind: InteractionKind, _ groupID: Int32) -> SQL {
        switch kind {
        case .items: "(SELECT id, name FROM event_type WHERE dataset_group_id = \(groupID))"
        case .actions:
            """
            (SELECT id, name FROM unnest(\(ActionData.Response.allCases.map { Int16($0.rawValue) }),
                \(ActionData.Response.allCases.map(\.name))) AS r(id, name))
            """
        }
    }

    /// Nothing is known yet about tables that were just filled, and a plan for few rows would compare every row with every other.
    private static func withoutNestedLoops(_ connection: Connection, _ body: () throws -> Int) throws -> Int {
        try connection.execute("SET LOCAL enable_nestloop = off")
        let count = try body()
        try connection.execute("SET LOCAL enable_nestloop = on")
        return count
    }

    /// The rows of an import without what earlier ones hold; answers how many went.
    static func deleteStored(importID: Int32, dataset: Int32, _ connection: Connection) throws -> Int {
        try withoutNestedLoops(connection) {
            try connection.execute(
                """
                DELETE FROM interaction s
                WHERE s.dataset_id = \(dataset) AND s.part = \(importID) AND EXISTS (
                    SELECT FROM interaction x
                    WHERE x.dataset_id = \(dataset) AND x.part > 0 AND x.part <> \(importID) AND x.user_id = s.user_id
                      AND x.item_id = s.item_id AND x.event_type = s.event_type AND x.occurred_at = s.occurred_at
                      AND x.value IS NOT DISTINCT FROM s.value AND x.properties IS NOT DISTINCT FROM s.properties)
                """)
        }
    }

    /// Of some users those that are not known any more.
    static func erased(among users: [Int32], groupID: Int32, _ connection: Connection) throws -> [Int32] {
        try connection.query(
            """
            SELECT u FROM unnest(\(users)) AS u
            WHERE NOT EXISTS (SELECT FROM user_key k WHERE k.dataset_group_id = \(groupID) AND k.id = u)
            """
        ).map { try $0.int32(0) }
    }

    /// Where the rows of an import are copied to: the table of the part itself, past the choice of a partition.
    static func copyTarget(dataset: Int32, part: Int32) -> SQL {
        """
        \(identifier: "interaction_\(dataset)_i\(part)")
            (dataset_id, part, user_id, item_id, event_type, value, occurred_at, ordinal, properties)
        """
    }

    /// An import that adds does not store again what an earlier one holds.
    private static func unlessStored(importID: Int32, dataset: Int32) -> SQL {
        """
        WHERE NOT EXISTS (
            SELECT FROM interaction x
            WHERE x.dataset_id = \(dataset) AND x.part > 0 AND x.part <> \(importID) AND x.user_id = u.id AND x.item_id = i.id
              AND x.event_type = t.id AND x.occurred_at = s.occurred_at AND x.value IS NOT DISTINCT FROM s.value
              AND x.properties IS NOT DISTINCT FROM s.attributes)
        """
    }

    /// Deletes what earlier bulk imports stored. Their empty partitions are dropped later, since that locks out writers.
    static func deleteOtherParts(dataset: Int32, keeping importID: Int32, _ connection: Connection) throws {
        try connection.execute("DELETE FROM interaction WHERE dataset_id = \(dataset) AND part > 0 AND part <> \(importID)")
    }

    static func hasOtherParts(dataset: Int32, than importID: Int32, _ connection: Connection) throws -> Bool {
        try connection.query(
            "SELECT EXISTS (SELECT FROM interaction WHERE dataset_id = \(dataset) AND part <> \(importID))"
        ).first?.bool(0) ?? true
    }

    enum RecordKind {
        case items, users, actions
    }

    /// Stores the last record of each id. FULL replaces bulk records and leaves those put one by one; INCREMENTAL replaces either.
    /// Answers how many distinct ids there were.
    static func mergeRecords(
        _ staging: ImportStaging, _ kind: RecordKind, groupID: Int32, isFull: Bool, revision: Int64, _ connection: Connection
    ) throws -> Int {
        switch kind {
        case .items:
            if isFull { try deleteWithdrawnItems(staging, groupID: groupID, connection) }
            try connection.execute(
                """
                INSERT INTO item_record (dataset_group_id, item_id, is_bulk, created_at, revision, attributes)
                SELECT DISTINCT ON (k.id) \(groupID), k.id, true, s.created_at, \(revision), s.attributes
                FROM \(part: staging.source) s
                JOIN item_key k ON k.dataset_group_id = \(groupID) AND k.external_id = s.item_id
                ORDER BY k.id, s.line DESC
                ON CONFLICT (dataset_group_id, item_id) DO \(part: replacingItem)
                WHERE \(part: isFull ? changedBulkItem : "true")
                """)
            return try Int(connection.query("SELECT count(DISTINCT item_id) FROM \(part: staging.source)").first?.int64(0) ?? 0)
        case .users:
            if isFull { try connection.execute("DELETE FROM user_record WHERE dataset_group_id = \(groupID) AND is_bulk") }
            try connection.execute(
                """
                INSERT INTO user_record (dataset_group_id, user_id, is_bulk, attributes)
                SELECT DISTINCT ON (k.id) \(groupID), k.id, true, s.attributes
                FROM \(part: staging.source) s
                JOIN user_key k ON k.dataset_group_id = \(groupID) AND k.external_id = s.user_id
                ORDER BY k.id, s.line DESC
                ON CONFLICT (dataset_group_id, user_id) DO \(part: isFull ? "NOTHING" : replacingUser)
                """)
            return try Int(connection.query("SELECT count(DISTINCT user_id) FROM \(part: staging.source)").first?.int64(0) ?? 0)
        case .actions:
            try mergeActions(staging, groupID: groupID, isFull: isFull, connection)
            return try Int(connection.query("SELECT count(DISTINCT item_id) FROM \(part: staging.source)").first?.int64(0) ?? 0)
        }
    }

    private static func mergeActions(_ staging: ImportStaging, groupID: Int32, isFull: Bool, _ connection: Connection) throws {
        if isFull { try connection.execute("DELETE FROM action_record WHERE dataset_group_id = \(groupID) AND is_bulk") }
        try connection.execute(
            """
            INSERT INTO action_record (dataset_group_id, action_id, is_bulk, created_at, attributes)
            SELECT DISTINCT ON (k.id) \(groupID), k.id, true, s.created_at, s.attributes
            FROM \(part: staging.source) s
            JOIN action_key k ON k.dataset_group_id = \(groupID) AND k.external_id = s.item_id
            ORDER BY k.id, s.line DESC
            ON CONFLICT (dataset_group_id, action_id) DO \(part: isFull ? "NOTHING" : replacingAction)
            """)
    }

    private static func withdrawn(_ staging: ImportStaging, groupID: Int32) -> SQL {
        """
        item_record AS r WHERE r.dataset_group_id = \(groupID) AND r.is_bulk AND NOT EXISTS (
            SELECT FROM \(part: staging.source) s JOIN item_key k ON k.dataset_group_id = \(groupID) AND k.external_id = s.item_id
            WHERE k.id = r.item_id)
        """
    }

    private static func deleteWithdrawnItems(_ staging: ImportStaging, groupID: Int32, _ connection: Connection) throws {
        try connection.execute("DELETE FROM \(part: withdrawn(staging, groupID: groupID))")
    }

    /// Bulk items that there are, and those of them that what was staged leaves out.
    static func countWithdrawn(
        _ staging: ImportStaging, groupID: Int32, _ connection: Connection
    ) throws -> (items: Int64, withdrawn: Int64) {
        let rows = try connection.query(
            """
            SELECT (SELECT count(*) FROM item_record WHERE dataset_group_id = \(groupID) AND is_bulk),
                (SELECT count(*) FROM \(part: withdrawn(staging, groupID: groupID)))
            """)
        guard let row = rows.first else { return (0, 0) }
        return (try row.int64(0), try row.int64(1))
    }

    /// An item whose content is the same keeps its revision, so that nobody reads it again; one that was put singly stays as it is.
    private static let changedBulkItem: SQL =
        """
        item_record.is_bulk AND (item_record.attributes, item_record.created_at) IS DISTINCT FROM (excluded.attributes, excluded.created_at)
        """
    private static let replacingItem: SQL =
        """
        UPDATE SET is_bulk = true, created_at = excluded.created_at, revision = excluded.revision, attributes = excluded.attributes
        """
    private static let replacingAction: SQL =
        "UPDATE SET is_bulk = true, created_at = excluded.created_at, attributes = excluded.attributes"
    private static let replacingUser: SQL = "UPDATE SET is_bulk = true, attributes = excluded.attributes"
}

// What attempts and replaced imports leave behind.
extension ImportQueries {
    /// Drops the partitions of replaced imports. One that somebody reads is left for the next cleaning.
    static func dropEmptyParts(dataset: Int32, _ connection: Connection) throws {
        let parts = try connection.query(
            """
            SELECT p.part FROM (
                SELECT substring(c.relname FROM '_i([0-9]+)$')::int AS part
                FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid
                WHERE h.inhparent = to_regclass('interaction_' || \(dataset)::text) AND c.relname ~ '_i[0-9]+$') p
            WHERE NOT EXISTS (
                SELECT FROM dataset_import_job j WHERE j.id = p.part AND j.status IN ('CREATE PENDING', 'CREATE IN_PROGRESS'))
            """
        ).map { try $0.int32(0) }
        for part in parts {
            let isUsed = try connection.query(
                "SELECT EXISTS (SELECT FROM interaction WHERE dataset_id = \(dataset) AND part = \(part))"
            ).first?.bool(0)
            guard isUsed == false else { continue }
            try? connection.transaction { (connection) throws in
                try connection.execute("SELECT set_config('lock_timeout', '2000', true)")
                try connection.execute("SELECT drop_interaction_part(\(dataset), \(part))")
            }
        }
    }

    /// Staging tables and partitions of attempts that died.
    static func dropLeftovers(_ connection: Connection) throws {
        let tables = try connection.query(
            """
            SELECT t.number FROM (
                SELECT substring(relname FROM '^staging_([0-9]+)$')::int AS number FROM pg_class
                WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace AND relname ~ '^staging_[0-9]+$') t
            WHERE NOT EXISTS (
                SELECT FROM dataset_import_job j
                WHERE j.id = t.number / 16 AND j.status IN ('CREATE PENDING', 'CREATE IN_PROGRESS'))
            """
        ).map { try $0.int32(0) }
        for table in tables { try connection.execute("SELECT drop_staging(\(table))") }
        let datasets = try connection.query("SELECT id FROM dataset WHERE type IN ('INTERACTIONS', 'ACTION_INTERACTIONS')").map {
            try $0.int32(0)
        }
        for dataset in datasets { try dropEmptyParts(dataset: dataset, connection) }
    }
}

extension String {
    /// A text that the database can hold.
    fileprivate var withoutNUL: String {
        utf8.contains(0) ? String(decoding: utf8.map { $0 == 0 ? UInt8(ascii: "?") : $0 }, as: UTF8.self) : self
    }
}
