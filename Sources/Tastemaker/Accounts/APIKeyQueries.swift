import Postgres

enum APIKeyQueries {
    private static let columns: SQL = "id, name, scopes, dataset_group_id, created_by, created_at, last_used_at, disabled_at"

    private static func decode(_ row: Row) throws -> APIKey {
        APIKey(
            id: try row.int32(0), name: try row.string(1), scopes: try row.strings(2), datasetGroupID: try row.optionalInt32(3),
            createdBy: try row.string(4), createdAt: try row.timestamp(5), lastUsedAt: try row.optionalTimestamp(6),
            disabledAt: try row.optionalTimestamp(7))
    }

    struct NewKey {
        let name: String
        let hash: [UInt8]
        let scopes: [String]
        let datasetGroupID: Int32?
        let createdBy: String
    }

    static func insert(_ new: NewKey, at now: PGTimestamp, _ connection: Connection) throws -> APIKey {
        let rows = try connection.query(
            """
            INSERT INTO api_key (name, key_hash, scopes, dataset_group_id, created_by, created_at)
            VALUES (\(new.name), \(new.hash), \(new.scopes), \(new.datasetGroupID), \(new.createdBy), \(now))
            RETURNING \(part: columns)
            """)
        guard let row = rows.first else { throw OperationError.unavailable("The key was not stored.") }
        return try decode(row)
    }

    static func list(_ connection: Connection) throws -> [APIKey] {
        try connection.query("SELECT \(part: columns) FROM api_key ORDER BY created_at DESC, id DESC LIMIT 1000").map(decode)
    }

    static func find(id: Int32, _ connection: Connection) throws -> APIKey? {
        try connection.query("SELECT \(part: columns) FROM api_key WHERE id = \(id)").first.map(decode)
    }

    static func findActive(hash: [UInt8], _ connection: Connection) throws -> APIKey? {
        try connection.query("SELECT \(part: columns) FROM api_key WHERE key_hash = \(hash) AND disabled_at IS NULL").first.map(decode)
    }

    static func disable(_ id: Int32, at now: PGTimestamp, _ connection: Connection) throws {
        try connection.execute("UPDATE api_key SET disabled_at = \(now) WHERE id = \(id) AND disabled_at IS NULL")
    }

    /// At most once a minute for a key.
    static func touch(_ id: Int32, at now: PGTimestamp, _ connection: Connection) throws {
        try connection.execute(
            """
            UPDATE api_key SET last_used_at = \(now)
            WHERE id = \(id) AND (last_used_at IS NULL OR last_used_at < \(now)::timestamptz - interval '1 minute')
            """)
    }
}
