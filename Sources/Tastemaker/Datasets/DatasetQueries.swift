import Foundation
import JSON
import Postgres

enum DatasetQueries {
    static let columns: SQL =
        """
        d.id, d.dataset_group_id, g.name, d.type, d.name, d.schema_id, s.name, d.tracking_id, d.status, d.failure_reason, d.latest_update,
        d.created_at, d.updated_at
        """
    private static let source: SQL =
        "dataset d JOIN dataset_group g ON g.id = d.dataset_group_id JOIN schema s ON s.id = d.schema_id"

    static func decode(_ row: Row) throws -> Dataset {
        guard let type = DatasetType(rawValue: try row.string(3)) else {
            throw OperationError.unavailable("A dataset has an unknown type.")
        }
        return Dataset(
            id: try row.int32(0), datasetGroupID: try row.int32(1), datasetGroupName: try row.string(2), type: type,
            name: try row.string(4), schemaID: try row.int32(5), schemaName: try row.string(6),
            trackingID: try row.optionalUUID(7)?.uuidString.lowercased(),
            status: ResourceStatus(rawValue: try row.string(8)) ?? .createFailed, failureReason: try row.optionalString(9),
            latestUpdate: DatasetUpdate(json: try row.optionalJSON(10).flatMap { try? JSONValue(parsing: $0) }),
            createdAt: try row.timestamp(11), updatedAt: try row.timestamp(12))
    }

    struct NewDataset {
        let datasetGroupID: Int32
        let type: DatasetType
        let name: String
        let schemaID: Int32
    }

    static func insert(_ new: NewDataset, at now: PGTimestamp, _ connection: Connection) throws -> Int32 {
        let rows = try connection.query(
            """
            INSERT INTO dataset (dataset_group_id, type, name, schema_id, tracking_id, status, created_at, updated_at)
            VALUES (\(new.datasetGroupID), \(new.type.rawValue), \(new.name), \(new.schemaID),
                    CASE WHEN \(new.type == .actionInteractions) THEN gen_random_uuid() END, 'ACTIVE', \(now), \(now))
            RETURNING id
            """)
        guard let row = rows.first else { throw OperationError.unavailable("The dataset was not stored.") }
        let id = try row.int32(0)
        if new.type.interactionKind != nil { try connection.execute("SELECT add_interaction_dataset(\(id))") }
        return id
    }

    static func find(group: String, type: DatasetType, _ connection: Connection) throws -> Dataset? {
        try connection.query(
            "SELECT \(part: columns) FROM \(part: source) WHERE g.name = \(group) AND d.type = \(type.rawValue)"
        ).first.map(decode)
    }

    static func find(id: Int32, _ connection: Connection) throws -> Dataset? {
        try connection.query("SELECT \(part: columns) FROM \(part: source) WHERE d.id = \(id)").first.map(decode)
    }

    static func all(ofGroup id: Int32, _ connection: Connection) throws -> [Dataset] {
        try connection.query("SELECT \(part: columns) FROM \(part: source) WHERE d.dataset_group_id = \(id) ORDER BY d.id").map(decode)
    }

    static func list(ofGroup id: Int32?, after cursor: PageCursor?, limit: Int, _ connection: Connection) throws -> [Dataset] {
        try connection.query(
            """
            SELECT \(part: columns) FROM \(part: source)
            WHERE (\(id)::int IS NULL OR d.dataset_group_id = \(id))
              AND (\(cursor?.createdAt)::timestamptz IS NULL OR (d.created_at, d.id) < (\(cursor?.createdAt), \(cursor?.id)))
            ORDER BY d.created_at DESC, d.id DESC LIMIT \(Int32(limit))
            """
        ).map(decode)
    }

    static func updateSchema(_ id: Int32, schemaID: Int32, update: DatasetUpdate, at now: PGTimestamp, _ connection: Connection) throws {
        try connection.execute(
            """
            UPDATE dataset SET schema_id = \(schemaID), latest_update = \(json: update.json.serialized()), updated_at = \(now)
            WHERE id = \(id)
            """)
    }

    /// What is at work on the dataset right now, as the refusal names it.
    static func pendingWork(_ dataset: Dataset, _ connection: Connection) throws -> String? {
        try connection.query(
            """
            SELECT 'dataset import job ' || name FROM dataset_import_job
            WHERE dataset_id = \(dataset.id) AND status IN ('CREATE PENDING', 'CREATE IN_PROGRESS')
            UNION ALL
            SELECT 'solution version ' || v.name FROM solution_version v JOIN solution s ON s.id = v.solution_id
            WHERE s.dataset_group_id = \(dataset.datasetGroupID)
              AND v.status IN ('CREATE PENDING', 'CREATE IN_PROGRESS', 'CREATE STOPPING')
            LIMIT 1
            """
        ).first?.string(0)
    }

    /// Deletes the dataset with its rows, import jobs and their tags.
    static func delete(_ dataset: Dataset, _ connection: Connection) throws {
        try connection.execute(
            """
            DELETE FROM tag WHERE resource IN (
                SELECT 'dataset-import-job/' || name FROM dataset_import_job WHERE dataset_id = \(dataset.id))
            """)
        switch dataset.type {
        case .interactions:
            try connection.execute("SELECT drop_interaction_dataset(\(dataset.id))")
            try ActivityMarks.addAll(dataset.datasetGroupID, connection)
            try connection.execute("DELETE FROM history WHERE dataset_group_id = \(dataset.datasetGroupID)")
            try connection.execute("DELETE FROM event_key WHERE dataset_group_id = \(dataset.datasetGroupID)")
        case .items: try connection.execute("DELETE FROM item_record WHERE dataset_group_id = \(dataset.datasetGroupID)")
        case .users: try connection.execute("DELETE FROM user_record WHERE dataset_group_id = \(dataset.datasetGroupID)")
        case .actions: try connection.execute("DELETE FROM action_record WHERE dataset_group_id = \(dataset.datasetGroupID)")
        case .actionInteractions:
            try connection.execute("SELECT drop_interaction_dataset(\(dataset.id))")
            try connection.execute("DELETE FROM action_history WHERE dataset_group_id = \(dataset.datasetGroupID)")
        }
        try connection.execute("DELETE FROM dataset WHERE id = \(dataset.id)")
    }
}
