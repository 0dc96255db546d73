import JSON
import Postgres

enum JobQueries {
    static let columns: SQL =
        """
        id, kind, payload, dataset_group_id, state, attempt, max_attempts, cancel_requested, progress, message, error, run_at, created_at,
        started_at, finished_at
        """

    static func decode(_ row: Row) throws -> Job {
        Job(
            id: try row.int64(0), kind: try row.string(1), payload: (try? JSONValue(parsing: row.json(2))) ?? .null,
            datasetGroupID: try row.optionalInt32(3), state: JobState(rawValue: try row.string(4)) ?? .discarded,
            attempt: Int(try row.int16(5)),
            maxAttempts: Int(try row.int16(6)), isCancelRequested: try row.bool(7), progress: Double(try row.float(8)),
            message: try row.optionalString(9), error: try row.optionalString(10), runAt: try row.timestamp(11),
            createdAt: try row.timestamp(12), startedAt: try row.optionalTimestamp(13), finishedAt: try row.optionalTimestamp(14))
    }

    /// Inserts, or finds the live job of the same unique key.
    static func insert(_ job: NewJob, at now: PGTimestamp, _ connection: Connection) throws -> Int64 {
        let inserted = try connection.query(
            """
            INSERT INTO job (kind, payload, dataset_group_id, unique_key, priority, run_at, created_at)
            VALUES (\(job.kind.rawValue), \(json: job.payload.serialized()), \(job.datasetGroupID), \(job.uniqueKey), \(job.priority),
                    \(job.runAt ?? now), \(now))
            ON CONFLICT (unique_key) WHERE state IN ('available', 'running') DO NOTHING
            RETURNING id
            """)
        if let row = inserted.first { return try row.int64(0) }
        let existing = try connection.query("SELECT id FROM job WHERE unique_key = \(job.uniqueKey) AND state IN ('available', 'running')")
        guard let row = existing.first else { throw OperationError.unavailable("The job ended while it was being added. Try again.") }
        return try row.int64(0)
    }

    static func cancel(uniqueKey: String, at now: PGTimestamp, _ connection: Connection) throws {
        try connection.execute(
            """
            UPDATE job
            SET cancel_requested = true, state = CASE state WHEN 'available' THEN 'cancelled' ELSE state END,
                finished_at = CASE state WHEN 'available' THEN \(now) END
            WHERE unique_key = \(uniqueKey) AND state IN ('available', 'running')
            """)
    }
}
