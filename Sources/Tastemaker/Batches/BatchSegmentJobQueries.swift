import JSON
import Postgres

enum BatchSegmentJobQueries {
    private static let columns: SQL =
        """
        b.id, b.name, b.solution_version_id, b.user_count, b.job_input, b.job_output, b.role_arn, b.status, b.failure_reason, b.created_at,
        b.updated_at, b.filter_name, b.filter_expression
        """

    private static func decode(_ row: Row, _ connection: Connection) throws -> BatchSegmentJob {
        guard let version = try SolutionVersionQueries.find(id: try row.int32(2), connection) else {
            throw OperationError.unavailable("The solution version of the batch segment job is gone.")
        }
        return BatchSegmentJob(
            id: try row.int32(0), name: try row.string(1), version: version, userCount: Int(try row.int32(3)),
            input: try JSONValue(parsing: row.optionalJSON(4) ?? []), output: try JSONValue(parsing: row.optionalJSON(5) ?? []),
            roleARN: try row.string(6), status: ResourceStatus(rawValue: try row.string(7)) ?? .createFailed,
            failureReason: try row.optionalString(8), createdAt: try row.timestamp(9), updatedAt: try row.timestamp(10),
            filterName: try row.optionalString(11), filterExpression: try row.optionalString(12))
    }

    static func insert(
        _ new: CreateBatchSegmentJobInput, versionID: Int32, filter: Filter?, at now: PGTimestamp, _ connection: Connection
    ) throws {
        try connection.execute(
            """
            INSERT INTO batch_segment_job (
                name, solution_version_id, user_count, job_input, job_output, role_arn, status, created_at, updated_at,
                filter_name, filter_expression)
            VALUES (\(new.jobName), \(versionID), \(Int32(new.userCount ?? BatchSegmentJob.defaultUserCount)),
                    \(json: new.input.serialized()), \(json: new.output.serialized()), \(new.roleARN), 'CREATE PENDING', \(now), \(now),
                    \(filter?.name), \(filter?.expression))
            """)
    }

    /// Jobs of the whole installation that have not ended; the lock makes two Creates at once count each other.
    static func countUnfinished(_ connection: Connection) throws -> Int64 {
        try connection.execute("SELECT pg_advisory_xact_lock(7303, 3)")
        return try connection.query(
            "SELECT count(*) FROM batch_segment_job WHERE status IN ('CREATE PENDING', 'CREATE IN_PROGRESS')"
        ).first?.int64(0) ?? 0
    }

    static func find(name: String, _ connection: Connection) throws -> BatchSegmentJob? {
        try connection.query("SELECT \(part: columns) FROM batch_segment_job b WHERE b.name = \(name)").first.map {
            try decode($0, connection)
        }
    }

    static func find(id: Int32, _ connection: Connection) throws -> BatchSegmentJob? {
        try connection.query("SELECT \(part: columns) FROM batch_segment_job b WHERE b.id = \(id)").first.map { try decode($0, connection) }
    }

    static func list(
        versionID: Int32?, groupID: Int32?, after cursor: PageCursor?, limit: Int, _ connection: Connection
    ) throws -> [BatchSegmentJob] {
        try connection.query(
            """
            SELECT \(part: columns) FROM batch_segment_job b
            JOIN solution_version v ON v.id = b.solution_version_id JOIN solution s ON s.id = v.solution_id
            WHERE (\(versionID)::int IS NULL OR b.solution_version_id = \(versionID))
              AND (\(groupID)::int IS NULL OR s.dataset_group_id = \(groupID))
              AND (\(cursor?.createdAt)::timestamptz IS NULL OR (b.created_at, b.id) < (\(cursor?.createdAt), \(cursor?.id)))
            ORDER BY b.created_at DESC, b.id DESC LIMIT \(Int32(limit))
            """
        ).map { try decode($0, connection) }
    }

    static func begin(_ id: Int32, at now: PGTimestamp, _ connection: Connection) throws {
        try connection.execute(
            """
            UPDATE batch_segment_job SET status = 'CREATE IN_PROGRESS', updated_at = \(now)
            WHERE id = \(id) AND status IN ('CREATE PENDING', 'CREATE IN_PROGRESS')
            """)
    }

    static func activate(_ id: Int32, at now: PGTimestamp, _ connection: Connection) throws {
        try connection.execute(
            "UPDATE batch_segment_job SET status = 'ACTIVE', updated_at = \(now) WHERE id = \(id) AND status = 'CREATE IN_PROGRESS'")
    }

    static func fail(_ id: Int32, reason: String, at now: PGTimestamp, _ connection: Connection) throws {
        try connection.execute(
            """
            UPDATE batch_segment_job SET status = 'CREATE FAILED', failure_reason = \(reason), updated_at = \(now)
            WHERE id = \(id) AND status IN ('CREATE PENDING', 'CREATE IN_PROGRESS')
            """)
    }

    /// The version's model file.
    static func model(of versionID: Int32, _ connection: Connection) throws -> (key: String, sha256: [UInt8])? {
        guard
            let row = try connection.query(
                "SELECT model_key, model_sha256 FROM solution_version WHERE id = \(versionID) AND model_key IS NOT NULL"
            ).first
        else { return nil }
        return (try row.string(0), try row.bytes(1))
    }

    static func itemIDs(_ texts: [String], groupID: Int32, _ connection: Connection) throws -> [[UInt8]: Int32] {
        var ids: [[UInt8]: Int32] = [:]
        for row in try connection.query(
            "SELECT external_id, id FROM item_key WHERE dataset_group_id = \(groupID) AND external_id = ANY (\(texts))")
        { ids[Array(try row.string(0).utf8)] = try row.int32(1) }
        return ids
    }

    /// Each event type with each user who ever had such an event, under the users' canonical ids.
    static func usersByEventType(dataset: Int32, groupID: Int32) -> SQL {
        """
        SELECT DISTINCT i.event_type, coalesce(a.canonical_id, i.user_id)
        FROM interaction i
        LEFT JOIN user_alias a ON a.dataset_group_id = \(groupID) AND a.user_id = i.user_id
        WHERE i.dataset_id = \(dataset)
        """
    }

    /// id, text of every user whom somebody named; browsers that nobody signed in with are no users.
    static func users(ofGroup groupID: Int32) -> SQL {
        """
        SELECT id, external_id FROM user_key
        WHERE dataset_group_id = \(groupID) AND NOT starts_with(external_id, \(AnonymousID.prefix)) ORDER BY id
        """
    }
}
