import Postgres

enum FilterQueries {
    private static let columns: SQL =
        "f.id, f.dataset_group_id, g.name, f.name, f.expression, f.status, f.failure_reason, f.created_at, f.updated_at"
    private static let source: SQL = "filter f JOIN dataset_group g ON g.id = f.dataset_group_id"

    private static func decode(_ row: Row) throws -> Filter {
        Filter(
            id: try row.int32(0), datasetGroupID: try row.int32(1), datasetGroupName: try row.string(2), name: try row.string(3),
            expression: try row.string(4), status: ResourceStatus(rawValue: try row.string(5)) ?? .createFailed,
            failureReason: try row.optionalString(6), createdAt: try row.timestamp(7), updatedAt: try row.timestamp(8))
    }

    static func insert(_ input: CreateFilterInput, datasetGroupID: Int32, at now: PGTimestamp, _ connection: Connection) throws {
        try connection.execute(
            """
            INSERT INTO filter (name, dataset_group_id, expression, status, created_at, updated_at)
            VALUES (\(input.name), \(datasetGroupID), \(input.expression), 'ACTIVE', \(now), \(now))
            """)
    }

    static func find(name: String, _ connection: Connection) throws -> Filter? {
        try connection.query("SELECT \(part: columns) FROM \(part: source) WHERE f.name = \(name)").first.map(decode)
    }

    static func all(ofGroup id: Int32, _ connection: Connection) throws -> [Filter] {
        try connection.query("SELECT \(part: columns) FROM \(part: source) WHERE f.dataset_group_id = \(id) ORDER BY f.id").map(decode)
    }

    static func list(ofGroup id: Int32?, after cursor: PageCursor?, limit: Int, _ connection: Connection) throws -> [Filter] {
        try connection.query(
            """
            SELECT \(part: columns) FROM \(part: source)
            WHERE (\(id)::int IS NULL OR f.dataset_group_id = \(id))
              AND (\(cursor?.createdAt)::timestamptz IS NULL OR (f.created_at, f.id) < (\(cursor?.createdAt), \(cursor?.id)))
            ORDER BY f.created_at DESC, f.id DESC LIMIT \(Int32(limit))
            """
        ).map(decode)
    }

    /// A placement or an experiment that would change what it shows without the filter.
    static func user(of id: Int32, _ connection: Connection) throws -> String? {
        try connection.query(
            """
            SELECT 'placement ' || name FROM placement WHERE filter_id = \(id)
            UNION ALL
            SELECT 'experiment ' || e.name FROM arm a JOIN experiment e ON e.id = a.experiment_id WHERE a.filter_id = \(id)
            LIMIT 1
            """
        ).first?.string(0)
    }

    static func delete(_ id: Int32, _ connection: Connection) throws {
        try connection.execute("DELETE FROM filter WHERE id = \(id)")
    }
}
