import Postgres

extension Environment {
    /// Adds tags to a resource, or overwrites their values. Used by every Create and by TagResource.
    func setTags(_ tags: [Tag], on resource: String, _ connection: Connection) throws {
        guard !tags.isEmpty else { return }
        try Tag.check(tags)
        try connection.execute(
            """
            INSERT INTO tag (resource, key, value)
            SELECT \(resource), k, v FROM unnest(\(tags.map(\.key)), \(tags.map(\.value))) AS t(k, v)
            ON CONFLICT (resource, key) DO UPDATE SET value = excluded.value
            """)
        let count = try connection.query("SELECT count(*) FROM tag WHERE resource = \(resource)").first?.int64(0) ?? 0
        if count > Tag.limit { throw OperationError.tooManyTags("A resource has at most \(Tag.limit) tags.") }
    }

    func deleteTags(of resource: String, _ connection: Connection) throws {
        try connection.execute("DELETE FROM tag WHERE resource = \(resource)")
    }
}
