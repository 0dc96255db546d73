import JSON
import Postgres

enum PromotionQueries {
    private static let versionColumns: SQL = "v.version, v.definition, v.note, v.created_by, v.created_at, v.published_at"

    private static func decodeVersion(_ row: Row, from first: Int) throws -> PromotionVersion {
        let json = try JSONValue(parsing: row.json(first + 1))
        guard let definition = PromotionDefinition(json: json) else {
            throw OperationError.unavailable("A promotion was stored by a newer version of the program.")
        }
        return PromotionVersion(
            version: try row.int32(first), definition: definition, note: try row.string(first + 2), createdBy: try row.string(first + 3),
            createdAt: try row.timestamp(first + 4), publishedAt: try row.optionalTimestamp(first + 5))
    }

    private static func decode(_ row: Row) throws -> Promotion {
        Promotion(
            id: try row.int32(0), datasetGroupID: try row.int32(1), name: try row.string(2),
            published: try row.isNull(13) ? nil : decodeVersion(row, from: 13), latest: try decodeVersion(row, from: 7),
            archivedAt: try row.optionalTimestamp(3), holdOutSeed: try row.string(4), createdAt: try row.timestamp(5),
            updatedAt: try row.timestamp(6))
    }

    private static func select(_ condition: SQL) -> SQL {
        """
        SELECT p.id, p.dataset_group_id, p.name, p.archived_at, p.hold_out_seed, p.created_at, p.updated_at, \(part: versionColumns),
               q.version, q.definition, q.note, q.created_by, q.created_at, q.published_at
        FROM promotion p
        JOIN LATERAL (
            SELECT \(part: versionColumns) FROM promotion_version v WHERE v.promotion_id = p.id ORDER BY v.version DESC LIMIT 1) AS v ON true
        LEFT JOIN promotion_version q ON q.promotion_id = p.id AND q.version = p.published_version
        WHERE \(part: condition)
        """
    }

    static func find(_ id: Int32, _ connection: Connection) throws -> Promotion? {
        try connection.query(select("p.id = \(id)")).first.map(decode)
    }

    /// Newest first.
    static func list(datasetGroupID: Int32, _ connection: Connection) throws -> [Promotion] {
        try connection.query(select("p.dataset_group_id = \(datasetGroupID)") + " ORDER BY p.updated_at DESC, p.id DESC").map(decode)
    }

    static func versions(of id: Int32, _ connection: Connection) throws -> [PromotionVersion] {
        try connection.query(
            "SELECT \(part: versionColumns) FROM promotion_version v WHERE v.promotion_id = \(id) ORDER BY v.version DESC"
        ).map { try decodeVersion($0, from: 0) }
    }

    static func insert(name: String, datasetGroupID: Int32, seed: String, at now: PGTimestamp, _ connection: Connection) throws -> Int32 {
        let rows = try connection.query(
            """
            INSERT INTO promotion (dataset_group_id, name, hold_out_seed, created_at, updated_at)
            VALUES (\(datasetGroupID), \(name), \(seed), \(now), \(now)) RETURNING id
            """)
        guard let row = rows.first else { throw OperationError.unavailable("The promotion was not stored.") }
        return try row.int32(0)
    }

    struct NewVersion {
        let number: Int32
        let definition: PromotionDefinition
        let note: String
        let author: String
    }

    static func insertVersion(of id: Int32, _ version: NewVersion, at now: PGTimestamp, _ connection: Connection) throws {
        try connection.execute(
            """
            INSERT INTO promotion_version (promotion_id, version, definition, note, created_by, created_at)
            VALUES (\(id), \(version.number), \(json: version.definition.json.serialized()), \(version.note), \(version.author), \(now))
            """)
    }

    static func rename(_ id: Int32, to name: String, at now: PGTimestamp, _ connection: Connection) throws {
        try connection.execute("UPDATE promotion SET name = \(name), updated_at = \(now) WHERE id = \(id)")
    }

    static func publish(_ id: Int32, version: Int32?, at now: PGTimestamp, _ connection: Connection) throws {
        try connection.execute("UPDATE promotion SET published_version = \(version), updated_at = \(now) WHERE id = \(id)")
        try connection.execute(
            "UPDATE promotion_version SET published_at = \(now) WHERE promotion_id = \(id) AND version = \(version)")
    }

    static func archive(_ id: Int32, at time: PGTimestamp?, now: PGTimestamp, _ connection: Connection) throws {
        try connection.execute(
            """
            UPDATE promotion
            SET archived_at = \(time), published_version = CASE WHEN \(time)::timestamptz IS NULL THEN published_version END, updated_at = \(now)
            WHERE id = \(id)
            """)
    }

    /// The version published last that is still there to go back to.
    static func publishedBefore(_ id: Int32, version: Int32, _ connection: Connection) throws -> Int32? {
        try connection.query(
            """
            SELECT version FROM promotion_version
            WHERE promotion_id = \(id) AND version < \(version) AND published_at IS NOT NULL ORDER BY version DESC LIMIT 1
            """
        ).first?.int32(0)
    }

    /// First moment at which any version was published.
    static func firstPublished(_ id: Int32, _ connection: Connection) throws -> PGTimestamp? {
        try connection.query("SELECT min(published_at) FROM promotion_version WHERE promotion_id = \(id)").first?.optionalTimestamp(0)
    }

    /// Promotions that are published now, each with the first moment at which it was.
    static func published(datasetGroupID: Int32, _ connection: Connection) throws -> [(id: Int32, since: PGTimestamp)] {
        try connection.query(
            """
            SELECT p.id, min(v.published_at) FROM promotion p JOIN promotion_version v ON v.promotion_id = p.id
            WHERE p.dataset_group_id = \(datasetGroupID) AND p.published_version IS NOT NULL AND v.published_at IS NOT NULL
            GROUP BY p.id ORDER BY p.id
            """
        ).map { (try $0.int32(0), try $0.timestamp(1)) }
    }

    // MARK: Items

    /// Of the given ids those that the group knows.
    static func knownItems(_ ids: [String], datasetGroupID: Int32, _ connection: Connection) throws -> [String] {
        try connection.query(
            "SELECT external_id FROM item_key WHERE dataset_group_id = \(datasetGroupID) AND external_id = ANY (\(ids))"
        ).map { try $0.string(0) }
    }

    /// Ids of items that have one of the values in a column; a column of several values joins them by `|`.
    static func items(column: String, values: [String], datasetGroupID: Int32, limit: Int32, _ connection: Connection) throws -> [String] {
        try connection.query(
            """
            SELECT k.external_id FROM item_record r JOIN item_key k ON k.dataset_group_id = r.dataset_group_id AND k.id = r.item_id
            WHERE r.dataset_group_id = \(datasetGroupID)
              AND string_to_array(r.attributes ->> \(column), '|') && \(values)
            LIMIT \(limit)
            """
        ).map { try $0.string(0) }
    }

    /// The commonest values of a column, with how many items have each.
    static func values(column: String, datasetGroupID: Int32, limit: Int32, _ connection: Connection) throws -> [(
        value: String, items: Int64
    )] {
        try connection.query(
            """
            SELECT v, count(*) FROM item_record r CROSS JOIN LATERAL unnest(string_to_array(r.attributes ->> \(column), '|')) AS v
            WHERE r.dataset_group_id = \(datasetGroupID) AND v <> ''
            GROUP BY v ORDER BY count(*) DESC, v LIMIT \(limit)
            """
        ).map { (try $0.string(0), try $0.int64(1)) }
    }

    static func userColumnValues(datasetGroupID: Int32, _ connection: Connection) throws -> [(column: String, value: String)] {
        try connection.query(
            """
            SELECT DISTINCT a.key, a.value FROM (
                SELECT attributes FROM user_record WHERE dataset_group_id = \(datasetGroupID) LIMIT 2000) AS u
            CROSS JOIN LATERAL jsonb_each_text(u.attributes) AS a WHERE a.value <> '' ORDER BY 1, 2 LIMIT 1000
            """
        ).map { (try $0.string(0), try $0.string(1)) }
    }
}
