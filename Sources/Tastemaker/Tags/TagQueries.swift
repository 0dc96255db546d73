import Postgres

enum TagQueries {
    static func list(_ resource: String, _ connection: Connection) throws -> [Tag] {
        try connection.query("SELECT key, value FROM tag WHERE resource = \(resource) ORDER BY key").map {
            Tag(key: try $0.string(0), value: try $0.string(1))
        }
    }

    static func upsert(_ tags: [Tag], on resource: String, _ connection: Connection) throws {
        try connection.execute(
            """
            INSERT INTO tag (resource, key, value)
            SELECT \(resource), k, v FROM unnest(\(tags.map(\.key)), \(tags.map(\.value))) AS t(k, v)
            ON CONFLICT (resource, key) DO UPDATE SET value = excluded.value
            """)
    }

    static func count(_ resource: String, _ connection: Connection) throws -> Int64 {
        try connection.query("SELECT count(*) FROM tag WHERE resource = \(resource)").first?.int64(0) ?? 0
    }

    static func delete(_ keys: [String], of resource: String, _ connection: Connection) throws {
        try connection.execute("DELETE FROM tag WHERE resource = \(resource) AND key = ANY(\(keys))")
    }

    static func deleteAll(of resource: String, _ connection: Connection) throws {
        try connection.execute("DELETE FROM tag WHERE resource = \(resource)")
    }
}
