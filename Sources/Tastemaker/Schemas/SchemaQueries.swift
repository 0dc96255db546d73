import Postgres

enum SchemaQueries {
    static let columns: SQL = "s.id, s.name, s.domain, s.body, s.created_at, s.updated_at"

    static func decode(_ row: Row) throws -> DatasetSchema {
        DatasetSchema(
            id: try row.int32(0), name: try row.string(1), domain: try row.optionalString(2), body: try row.string(3),
            createdAt: try row.timestamp(4), updatedAt: try row.timestamp(5))
    }

    /// A schema has no group: a key bound to one group sees what it made itself and what datasets of its group use.
    private static func isVisible(to scope: Scope) -> SQL {
        """
        (\(scope.datasetGroupID)::int IS NULL OR s.access_key_id = \(scope.accessKeyID)
         OR EXISTS (SELECT FROM dataset d WHERE d.schema_id = s.id AND d.dataset_group_id = \(scope.datasetGroupID)))
        """
    }

    /// Who looks: nil group for the whole account.
    struct Scope {
        let datasetGroupID: Int32?
        let accessKeyID: String?
    }

    static func insert(_ input: CreateSchemaInput, scope: Scope, at now: PGTimestamp, _ connection: Connection) throws -> DatasetSchema {
        let rows = try connection.query(
            """
            INSERT INTO schema AS s (name, domain, body, access_key_id, created_at, updated_at)
            VALUES (\(input.name), \(input.domain), \(input.body), \(scope.accessKeyID), \(now), \(now))
            RETURNING \(part: columns)
            """)
        guard let row = rows.first else { throw OperationError.unavailable("The schema was not stored.") }
        return try decode(row)
    }

    /// Whether the name is taken, by whomever.
    static func exists(name: String, _ connection: Connection) throws -> Bool {
        try connection.query("SELECT 1 FROM schema WHERE name = \(name)").first != nil
    }

    static func find(name: String, scope: Scope, _ connection: Connection) throws -> DatasetSchema? {
        try connection.query(
            "SELECT \(part: columns) FROM schema s WHERE s.name = \(name) AND \(part: isVisible(to: scope))"
        ).first.map(decode)
    }

    static func find(id: Int32, _ connection: Connection) throws -> DatasetSchema? {
        try connection.query("SELECT \(part: columns) FROM schema s WHERE s.id = \(id)").first.map(decode)
    }

    static func list(after cursor: PageCursor?, limit: Int, scope: Scope, _ connection: Connection) throws -> [DatasetSchema] {
        try connection.query(
            """
            SELECT \(part: columns) FROM schema s
            WHERE \(part: isVisible(to: scope))
              AND (\(cursor?.createdAt)::timestamptz IS NULL OR (s.created_at, s.id) < (\(cursor?.createdAt), \(cursor?.id)))
            ORDER BY s.created_at DESC, s.id DESC LIMIT \(Int32(limit))
            """
        ).map(decode)
    }

    static func isUsed(_ id: Int32, _ connection: Connection) throws -> Bool {
        try connection.query("SELECT 1 FROM dataset WHERE schema_id = \(id) LIMIT 1").first != nil
    }

    static func delete(_ id: Int32, _ connection: Connection) throws {
        try connection.execute("DELETE FROM schema WHERE id = \(id)")
    }
}
