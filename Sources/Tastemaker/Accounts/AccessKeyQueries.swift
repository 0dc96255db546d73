import Postgres

enum AccessKeyQueries {
    private static let columns: SQL = "id, name, dataset_group_id, created_by, created_at, last_used_at, disabled_at"

    private static func decode(_ row: Row) throws -> AccessKey {
        AccessKey(
            id: try row.string(0), name: try row.string(1), datasetGroupID: try row.optionalInt32(2), createdBy: try row.string(3),
            createdAt: try row.timestamp(4), lastUsedAt: try row.optionalTimestamp(5), disabledAt: try row.optionalTimestamp(6))
    }

    static func insert(_ key: AccessKey, secretSealed: [UInt8], _ connection: Connection) throws {
        try connection.execute(
            """
            INSERT INTO access_key (id, name, secret_sealed, dataset_group_id, created_by, created_at)
            VALUES (\(key.id), \(key.name), \(secretSealed), \(key.datasetGroupID), \(key.createdBy), \(key.createdAt))
            """)
    }

    static func list(_ connection: Connection) throws -> [AccessKey] {
        try connection.query("SELECT \(part: columns) FROM access_key ORDER BY created_at DESC, id LIMIT 1000").map(decode)
    }

    static func find(id: String, _ connection: Connection) throws -> (key: AccessKey, secretSealed: [UInt8])? {
        try connection.query("SELECT \(part: columns), secret_sealed FROM access_key WHERE id = \(id)").first.map { row in
            (try decode(row), try row.bytes(7))
        }
    }

    static func count(_ connection: Connection) throws -> Int64 {
        try connection.query("SELECT count(*) FROM access_key").first?.int64(0) ?? 0
    }

    static func disable(_ id: String, at now: PGTimestamp, _ connection: Connection) throws -> Bool {
        try connection.execute("UPDATE access_key SET disabled_at = \(now) WHERE id = \(id) AND disabled_at IS NULL") == 1
    }

    static func touch(_ id: String, at now: PGTimestamp, _ connection: Connection) throws {
        try connection.execute(
            "UPDATE access_key SET last_used_at = \(now) WHERE id = \(id) AND (last_used_at IS NULL OR last_used_at < \(now))")
    }
}
