import JSON
import Postgres

enum SolutionVersionQueries {
    private static let columns: SQL =
        """
        \(part: SolutionQueries.columns), v.id, v.suffix, v.name, v.training_mode, v.training_type, v.config, v.status, v.failure_reason,
        v.training_hours, v.metrics, v.report, v.interaction_count, v.model_key, v.model_bytes, v.created_at, v.updated_at,
        v.tuned_parameters, v.tuned_at, v.model_sha256
        """
    private static let source: SQL =
        "solution_version v JOIN solution s ON s.id = v.solution_id JOIN dataset_group g ON g.id = s.dataset_group_id"

    private static func decode(_ row: Row) throws -> SolutionVersion {
        let first = SolutionQueries.columnCount
        let metrics = try row.optionalJSON(first + 9).flatMap { try? JSONValue(parsing: $0) }?.objectValue?.members ?? []
        return SolutionVersion(
            id: try row.int32(first), solution: try SolutionQueries.decode(row), suffix: try row.string(first + 1),
            name: try row.string(first + 2), trainingMode: try row.string(first + 3),
            trainingType: TrainingType(rawValue: try row.string(first + 4)) ?? .manual,
            config: try row.optionalJSON(first + 5).flatMap { try? JSONValue(parsing: $0) },
            status: ResourceStatus(rawValue: try row.string(first + 6)) ?? .createFailed,
            failureReason: try row.optionalString(first + 7), trainingHours: try row.optionalDouble(first + 8),
            metrics: metrics.compactMap { member in member.value.doubleValue.map { (member.name, $0) } },
            report: try row.optionalJSON(first + 10).flatMap { try? JSONValue(parsing: $0) },
            interactionCount: try row.optionalInt64(first + 11), modelKey: try row.optionalString(first + 12),
            modelBytes: try row.optionalInt64(first + 13), createdAt: try row.timestamp(first + 14),
            updatedAt: try row.timestamp(first + 15), tunedParameters: try tuned(row, first + 16),
            tunedAt: try row.optionalTimestamp(first + 17), modelSHA256: try row.isNull(first + 18) ? [] : row.bytes(first + 18))
    }

    private static func tuned(_ row: Row, _ column: Int) throws -> [String: String] {
        let members = try row.optionalJSON(column).flatMap { try? JSONValue(parsing: $0) }?.objectValue?.members ?? []
        return Dictionary(members.compactMap { member in member.value.stringValue.map { (member.name, $0) } }) { first, _ in first }
    }

    struct NewVersion {
        let solutionID: Int32
        let suffix: String
        let name: String
        let mode: String
        let type: TrainingType
        let config: JSONValue?
    }

    static func insert(_ new: NewVersion, at now: PGTimestamp, _ connection: Connection) throws -> Int32 {
        let rows = try connection.query(
            """
            INSERT INTO solution_version (solution_id, suffix, name, training_mode, training_type, config, status, created_at, updated_at)
            VALUES (\(new.solutionID), \(new.suffix), \(new.name), \(new.mode), \(new.type.rawValue), \(json: new.config?.serialized()),
                    'CREATE PENDING', \(now), \(now))
            RETURNING id
            """)
        guard let row = rows.first else { throw OperationError.unavailable("The solution version was not stored.") }
        return try row.int32(0)
    }

    static func exists(name: String, solutionID: Int32, _ connection: Connection) throws -> Bool {
        try connection.query("SELECT 1 FROM solution_version WHERE solution_id = \(solutionID) AND name = \(name)").first != nil
    }

    /// Versions of the whole installation that have not ended; the lock makes two Creates at once count each other.
    static func countUnfinished(_ connection: Connection) throws -> Int64 {
        try connection.execute("SELECT pg_advisory_xact_lock(7303, 2)")
        return try connection.query(
            "SELECT count(*) FROM solution_version WHERE status IN ('CREATE PENDING', 'CREATE IN_PROGRESS')"
        ).first?.int64(0) ?? 0
    }

    /// The newest ACTIVE version whose weights were learned, by hand or on the schedule.
    static func latestFull(of solutionID: Int32, _ connection: Connection) throws -> SolutionVersion? {
        try connection.query(
            """
            SELECT \(part: columns) FROM \(part: source)
            WHERE v.solution_id = \(solutionID) AND v.training_mode <> 'UPDATE' AND v.status = 'ACTIVE'
            ORDER BY v.created_at DESC, v.id DESC LIMIT 1
            """
        ).first.map(decode)
    }

    /// When the newest training of weights began.
    static func latestTrainingStart(of solutionID: Int32, _ connection: Connection) throws -> PGTimestamp? {
        try connection.query(
            "SELECT max(created_at) FROM solution_version WHERE solution_id = \(solutionID) AND training_mode <> 'UPDATE'"
        ).first?.optionalTimestamp(0)
    }

    /// The newest ACTIVE version whose hyperparameters were searched since a time.
    static func latestTuned(of solutionID: Int32, since: PGTimestamp, _ connection: Connection) throws -> SolutionVersion? {
        try connection.query(
            """
            SELECT \(part: columns) FROM \(part: source)
            WHERE v.solution_id = \(solutionID) AND v.tuned_at >= \(since) AND v.status = 'ACTIVE'
            ORDER BY v.tuned_at DESC, v.id DESC LIMIT 1
            """
        ).first.map(decode)
    }

    static func find(id: Int32, _ connection: Connection) throws -> SolutionVersion? {
        try connection.query("SELECT \(part: columns) FROM \(part: source) WHERE v.id = \(id)").first.map(decode)
    }

    static func find(solution: String, suffix: String, _ connection: Connection) throws -> SolutionVersion? {
        try connection.query(
            "SELECT \(part: columns) FROM \(part: source) WHERE s.name = \(solution) AND v.suffix = \(suffix)"
        ).first.map(decode)
    }

    static func latest(of solutionID: Int32, onlyActive: Bool, _ connection: Connection) throws -> SolutionVersion? {
        try connection.query(
            """
            SELECT \(part: columns) FROM \(part: source)
            WHERE v.solution_id = \(solutionID) AND (NOT \(onlyActive) OR v.status = 'ACTIVE')
            ORDER BY v.created_at DESC, v.id DESC LIMIT 1
            """
        ).first.map(decode)
    }

    static func list(
        solutionID: Int32?, groupID: Int32?, after cursor: PageCursor?, limit: Int, _ connection: Connection
    ) throws -> [SolutionVersion] {
        try connection.query(
            """
            SELECT \(part: columns) FROM \(part: source)
            WHERE s.recommender_id IS NULL AND (\(solutionID)::int IS NULL OR v.solution_id = \(solutionID))
              AND (\(groupID)::int IS NULL OR s.dataset_group_id = \(groupID))
              AND (\(cursor?.createdAt)::timestamptz IS NULL OR (v.created_at, v.id) < (\(cursor?.createdAt), \(cursor?.id)))
            ORDER BY v.created_at DESC, v.id DESC LIMIT \(Int32(limit))
            """
        ).map(decode)
    }

    /// Versions of a solution that wait or train.
    static func unfinished(solutionID: Int32, _ connection: Connection) throws -> [Int32] {
        try connection.query(
            "SELECT id FROM solution_version WHERE solution_id = \(solutionID) AND status IN ('CREATE PENDING', 'CREATE IN_PROGRESS')"
        ).map { try $0.int32(0) }
    }

    /// False when the version is in neither state any more.
    static func stop(_ id: Int32, at now: PGTimestamp, _ connection: Connection) throws -> Bool {
        try connection.execute(
            """
            UPDATE solution_version
            SET status = CASE status WHEN 'CREATE PENDING' THEN 'CREATE STOPPED' ELSE 'CREATE STOPPING' END, updated_at = \(now)
            WHERE id = \(id) AND status IN ('CREATE PENDING', 'CREATE IN_PROGRESS')
            """) == 1
    }
}
