import JSON
import Postgres

enum RecordQueries {
    /// The name of an import that is replacing the dataset right now.
    static func runningFullImport(_ datasetID: Int32, _ connection: Connection) throws -> String? {
        try connection.query(
            """
            SELECT name FROM dataset_import_job
            WHERE dataset_id = \(datasetID) AND import_mode = 'FULL' AND status = 'CREATE IN_PROGRESS' LIMIT 1
            """
        ).first?.string(0)
    }

    static func upsertItems(_ records: [Record], revision: Int64, groupID: Int32, _ connection: Connection) throws {
        try connection.execute(
            """
            INSERT INTO item_record (dataset_group_id, item_id, is_bulk, created_at, revision, attributes)
            SELECT \(groupID), i, false, c, \(revision), a::jsonb
            FROM unnest(intern_items(\(groupID), \(records.map(\.externalID))), \(records.map(\.createdAt)),
                \(records.map { JSONValue.object($0.attributes).text })) AS r(i, c, a)
            ORDER BY i
            ON CONFLICT (dataset_group_id, item_id) DO UPDATE
            SET is_bulk = false, created_at = excluded.created_at, revision = excluded.revision, attributes = excluded.attributes
            """)
    }

    static func upsertActions(_ records: [Record], groupID: Int32, _ connection: Connection) throws {
        try connection.execute(
            """
            INSERT INTO action_record (dataset_group_id, action_id, is_bulk, created_at, attributes)
            SELECT \(groupID), i, false, c, a::jsonb
            FROM unnest(intern_actions(\(groupID), \(records.map(\.externalID))), \(records.map(\.createdAt)),
                \(records.map { JSONValue.object($0.attributes).text })) AS r(i, c, a)
            ORDER BY i
            ON CONFLICT (dataset_group_id, action_id) DO UPDATE
            SET is_bulk = false, created_at = excluded.created_at, attributes = excluded.attributes
            """)
    }

    static func upsertUsers(_ records: [Record], groupID: Int32, _ connection: Connection) throws {
        try connection.execute(
            """
            INSERT INTO user_record (dataset_group_id, user_id, is_bulk, attributes)
            SELECT \(groupID), u, false, a::jsonb
            FROM unnest(intern_users(\(groupID), \(records.map(\.externalID))), \(records.map { JSONValue.object($0.attributes).text }))
                AS r(u, a)
            ORDER BY u
            ON CONFLICT (dataset_group_id, user_id) DO UPDATE SET is_bulk = false, attributes = excluded.attributes
            """)
    }
}
