import JSON
import Postgres

enum DatasetGroupQueries {
    static let columns: SQL =
        """
        g.id, g.name, g.domain, g.role_arn, g.kms_key_arn, g.status, g.failure_reason, g.time_zone, g.currency, g.display_columns,
        g.simulated, g.created_at, g.updated_at
        """

    static func decode(_ row: Row) throws -> DatasetGroup {
        DatasetGroup(
            id: try row.int32(0), name: try row.string(1), domain: try row.optionalString(2), roleARN: try row.optionalString(3),
            kmsKeyARN: try row.optionalString(4), status: ResourceStatus(rawValue: try row.string(5)) ?? .createFailed,
            failureReason: try row.optionalString(6), timeZone: try row.string(7), currency: try row.string(8),
            displayColumns: DisplayColumns(json: (try? JSONValue(parsing: row.json(9))) ?? .null), isSimulated: try row.bool(10),
            createdAt: try row.timestamp(11), updatedAt: try row.timestamp(12))
    }

    static func insert(_ input: CreateDatasetGroupInput, at now: PGTimestamp, _ connection: Connection) throws -> DatasetGroup {
        let rows = try connection.query(
            """
            INSERT INTO dataset_group AS g (name, domain, role_arn, kms_key_arn, status, simulated, created_at, updated_at)
            VALUES (\(input.name), \(input.domain), \(input.roleARN), \(input.kmsKeyARN), 'ACTIVE', \(input.isSimulated), \(now), \(now))
            RETURNING \(part: columns)
            """)
        guard let row = rows.first else { throw OperationError.unavailable("The dataset group was not stored.") }
        let group = try decode(row)
        try connection.execute("INSERT INTO group_revision (dataset_group_id) VALUES (\(group.id))")
        return group
    }

    static func find(name: String, _ connection: Connection) throws -> DatasetGroup? {
        try connection.query("SELECT \(part: columns) FROM dataset_group g WHERE g.name = \(name)").first.map(decode)
    }

    static func find(id: Int32, _ connection: Connection) throws -> DatasetGroup? {
        try connection.query("SELECT \(part: columns) FROM dataset_group g WHERE g.id = \(id)").first.map(decode)
    }

    /// Held against other changes until the transaction ends; rows that refer to the group may still be added.
    static func findAndLock(id: Int32, _ connection: Connection) throws -> DatasetGroup? {
        try connection.query("SELECT \(part: columns) FROM dataset_group g WHERE g.id = \(id) FOR NO KEY UPDATE").first.map(decode)
    }

    /// Newest first; `boundTo` limits to the group of a bound key.
    static func list(after cursor: PageCursor?, limit: Int, boundTo id: Int32?, _ connection: Connection) throws -> [DatasetGroup] {
        try connection.query(
            """
            SELECT \(part: columns) FROM dataset_group g
            WHERE (\(id)::int IS NULL OR g.id = \(id))
              AND (\(cursor?.createdAt)::timestamptz IS NULL OR (g.created_at, g.id) < (\(cursor?.createdAt), \(cursor?.id)))
            ORDER BY g.created_at DESC, g.id DESC LIMIT \(Int32(limit))
            """
        ).map(decode)
    }

    /// What still hangs on the group, as the contract names it.
    static func dependants(_ id: Int32, _ connection: Connection) throws -> [String] {
        let rows = try connection.query(
            """
            SELECT kind FROM (
                SELECT 'event trackers' AS kind, EXISTS (SELECT FROM event_tracker WHERE dataset_group_id = \(id)) AS remains
                UNION ALL SELECT 'solutions', EXISTS (SELECT FROM solution WHERE dataset_group_id = \(id) AND recommender_id IS NULL)
                UNION ALL SELECT 'recommenders', EXISTS (SELECT FROM recommender WHERE dataset_group_id = \(id))
                UNION ALL SELECT 'datasets', EXISTS (SELECT FROM dataset WHERE dataset_group_id = \(id))
                UNION ALL SELECT 'filters', EXISTS (SELECT FROM filter WHERE dataset_group_id = \(id))
            ) AS dependants WHERE remains
            """)
        return try rows.map { try $0.string(0) }
    }

    static func updateDisplay(
        _ id: Int32, columns: DisplayColumns, timeZone: String, currency: String, at now: PGTimestamp, _ connection: Connection
    ) throws {
        try connection.execute(
            """
            UPDATE dataset_group
            SET display_columns = \(json: columns.json.serialized()), time_zone = \(timeZone), currency = \(currency), updated_at = \(now)
            WHERE id = \(id)
            """)
        // Which amounts are foreign follows the currency.
        try ActivityMarks.addAll(id, connection)
    }

    /// Deletes the group and everything of ours that hangs on it; AWS resources were refused before.
    static func delete(_ id: Int32, _ connection: Connection) throws {
        for table in ownTables { try connection.execute(table(id)) }
        try connection.execute("DELETE FROM dataset_group WHERE id = \(id)")
    }

    private static let ownTables: [@Sendable (Int32) -> SQL] = [
        { "DELETE FROM exposure WHERE experiment_id IN (SELECT id FROM experiment WHERE dataset_group_id = \($0))" },
        { "DELETE FROM experiment WHERE dataset_group_id = \($0)" },
        { "DELETE FROM promotion WHERE dataset_group_id = \($0)" },
        { "DELETE FROM placement WHERE dataset_group_id = \($0)" },
        { "DELETE FROM shown WHERE dataset_group_id = \($0)" },
        { "DELETE FROM impression WHERE dataset_group_id = \($0)" },
        { "DELETE FROM raw_event WHERE dataset_group_id = \($0)" },
        { "DELETE FROM history WHERE dataset_group_id = \($0)" },
        { "DELETE FROM user_alias WHERE dataset_group_id = \($0)" },
        { "DELETE FROM event_key WHERE dataset_group_id = \($0)" },
        // With the records their titles go.
        { "DELETE FROM item_record WHERE dataset_group_id = \($0)" },
        { "DELETE FROM user_record WHERE dataset_group_id = \($0)" },
        { "DELETE FROM action_history WHERE dataset_group_id = \($0)" },
        { "DELETE FROM action_record WHERE dataset_group_id = \($0)" },
        { "DELETE FROM action_key WHERE dataset_group_id = \($0)" },
        { "DELETE FROM item_key WHERE dataset_group_id = \($0)" },
        { "DELETE FROM user_key WHERE dataset_group_id = \($0)" },
        { "DELETE FROM event_type WHERE dataset_group_id = \($0)" },
        { "DELETE FROM request_metric WHERE dataset_group_id = \($0)" },
        { "DELETE FROM metric_bucket WHERE dataset_group_id = \($0)" },
        { "DELETE FROM kept_outcome WHERE dataset_group_id = \($0)" },
        { "DELETE FROM activity_mark WHERE dataset_group_id = \($0)" },
    ]
}
