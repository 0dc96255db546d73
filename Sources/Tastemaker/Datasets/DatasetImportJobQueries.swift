import JSON
import Postgres

enum DatasetImportJobQueries {
    private static let columns: SQL =
        """
        \(part: DatasetQueries.columns), j.id, j.name, j.data_location, j.format, j.column_mapping, j.role_arn, j.import_mode,
        j.publish_attribution_metrics, j.status, j.failure_reason, j.rows_accepted, j.rows_rejected, j.rows_duplicate, j.created_at,
        j.updated_at
        """
    private static let source: SQL =
        """
        dataset_import_job j JOIN dataset d ON d.id = j.dataset_id JOIN dataset_group g ON g.id = d.dataset_group_id
        JOIN schema s ON s.id = d.schema_id
        """

    private static func decode(_ row: Row) throws -> DatasetImportJob {
        DatasetImportJob(
            id: try row.int32(13), name: try row.string(14), dataset: try DatasetQueries.decode(row), dataLocation: try row.string(15),
            format: ImportFormat(rawValue: try row.string(16)) ?? .csv,
            columnMapping: try row.optionalJSON(17).flatMap { try? JSONValue(parsing: $0) }, roleARN: try row.optionalString(18),
            importMode: ImportMode(rawValue: try row.string(19)) ?? .full, publishesAttributionMetrics: try row.optionalBool(20),
            status: ResourceStatus(rawValue: try row.string(21)) ?? .createFailed, failureReason: try row.optionalString(22),
            rowsAccepted: try row.int64(23), rowsRejected: try row.int64(24), rowsDuplicate: try row.int64(25),
            createdAt: try row.timestamp(26), updatedAt: try row.timestamp(27))
    }

    struct NewJobRow {
        let name: String
        let datasetID: Int32
        let dataLocation: String
        let format: ImportFormat
        let columnMapping: JSONValue?
        let roleARN: String?
        let mode: ImportMode
        let publishesAttributionMetrics: Bool?
    }

    static func insert(_ new: NewJobRow, at now: PGTimestamp, _ connection: Connection) throws -> Int32 {
        let rows = try connection.query(
            """
            INSERT INTO dataset_import_job (
                name, dataset_id, data_location, format, column_mapping, role_arn, import_mode, publish_attribution_metrics, status,
                created_at, updated_at)
            VALUES (\(new.name), \(new.datasetID), \(new.dataLocation), \(new.format.rawValue), \(json: new.columnMapping?.serialized()),
                    \(new.roleARN), \(new.mode.rawValue), \(new.publishesAttributionMetrics), 'CREATE PENDING', \(now), \(now))
            RETURNING id
            """)
        guard let row = rows.first else { throw OperationError.unavailable("The import job was not stored.") }
        return try row.int32(0)
    }

    static func exists(name: String, _ connection: Connection) throws -> Bool {
        try connection.query("SELECT 1 FROM dataset_import_job WHERE name = \(name)").first != nil
    }

    /// Jobs of the whole installation that have not ended; the lock makes two Creates at once count each other.
    static func countUnfinished(_ connection: Connection) throws -> Int64 {
        try connection.execute("SELECT pg_advisory_xact_lock(7303, 1)")
        return try connection.query(
            "SELECT count(*) FROM dataset_import_job WHERE status IN ('CREATE PENDING', 'CREATE IN_PROGRESS')"
        ).first?.int64(0) ?? 0
    }

    static func hasFullImport(datasetID: Int32, _ connection: Connection) throws -> Bool {
        try connection.query(
            "SELECT 1 FROM dataset_import_job WHERE dataset_id = \(datasetID) AND import_mode = 'FULL' AND status = 'ACTIVE' LIMIT 1"
        ).first != nil
    }

    static func find(name: String, _ connection: Connection) throws -> DatasetImportJob? {
        try connection.query("SELECT \(part: columns) FROM \(part: source) WHERE j.name = \(name)").first.map(decode)
    }

    static func find(id: Int32, _ connection: Connection) throws -> DatasetImportJob? {
        try connection.query("SELECT \(part: columns) FROM \(part: source) WHERE j.id = \(id)").first.map(decode)
    }

    static func list(
        datasetID: Int32?, groupID: Int32?, after cursor: PageCursor?, limit: Int, _ connection: Connection
    ) throws -> [DatasetImportJob] {
        try connection.query(
            """
            SELECT \(part: columns) FROM \(part: source)
            WHERE (\(datasetID)::int IS NULL OR j.dataset_id = \(datasetID))
              AND (\(groupID)::int IS NULL OR d.dataset_group_id = \(groupID))
              AND (\(cursor?.createdAt)::timestamptz IS NULL OR (j.created_at, j.id) < (\(cursor?.createdAt), \(cursor?.id)))
            ORDER BY j.created_at DESC, j.id DESC LIMIT \(Int32(limit))
            """
        ).map(decode)
    }

    static func rowErrors(of id: Int32, after line: Int64, limit: Int, _ connection: Connection) throws -> [ImportRowError] {
        try connection.query(
            """
            SELECT line, reason FROM import_row_error WHERE dataset_import_job_id = \(id) AND line > \(line)
            ORDER BY line LIMIT \(Int32(limit))
            """
        ).map { ImportRowError(line: try $0.int64(0), reason: try $0.string(1)) }
    }
}
