import JSON
import Postgres

enum JobQueries {
    static let columns: SQL =
        """
        id, kind, payload, dataset_group_id, state, attempt, max_attempts, cancel_requested, progress, message, error, run_at, created_at,
        started_at, finished_at
        """
    /// Seconds that a worker's silence is borne. The heartbeat comes every second.
    static let leaseSeconds: Int32 = 20

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
            INSERT INTO job (kind, payload, dataset_group_id, unique_key, priority, max_attempts, run_at, created_at)
            VALUES (\(job.kind.rawValue), \(json: job.payload.serialized()), \(job.datasetGroupID), \(job.uniqueKey), \(job.priority),
                    \(job.kind.maxAttempts), \(job.runAt ?? now), \(now))
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

    /// The state after the request; nil when the job had ended before.
    static func requestCancel(_ id: Int64, at now: PGTimestamp, _ connection: Connection) throws -> Job? {
        try connection.query(
            """
            UPDATE job
            SET cancel_requested = true, state = CASE state WHEN 'available' THEN 'cancelled' ELSE state END,
                finished_at = CASE state WHEN 'available' THEN \(now) END
            WHERE id = \(id) AND state IN ('available', 'running')
            RETURNING \(part: columns)
            """
        ).first.map(decode)
    }

    static func find(_ id: Int64, _ connection: Connection) throws -> Job? {
        try connection.query("SELECT \(part: columns) FROM job WHERE id = \(id)").first.map(decode)
    }

    /// Newest first; `before` is the id where the last page ended.
    static func list(
        datasetGroupID: Int32?, states: [String], before: Int64?, limit: Int, _ connection: Connection
    ) throws -> [Job] {
        try connection.query(
            """
            SELECT \(part: columns) FROM job
            WHERE (\(datasetGroupID)::int IS NULL OR dataset_group_id = \(datasetGroupID))
              AND (cardinality(\(states)::text[]) = 0 OR state = ANY(\(states)))
              AND (\(before)::bigint IS NULL OR id < \(before))
            ORDER BY id DESC LIMIT \(Int32(limit))
            """
        ).map(decode)
    }
}

// What workers do to the queue. Every write of an attempt names its number, so that a replaced attempt writes nothing.
extension JobQueries {
    static func claim(_ kinds: [String], worker: String, at now: PGTimestamp, _ connection: Connection) throws -> Job? {
        try connection.query(
            """
            UPDATE job
            SET state = 'running', attempt = attempt + 1, worker = \(worker), started_at = \(now), progress = 0, message = NULL,
                lease_until = clock_timestamp() + make_interval(secs => \(leaseSeconds))
            WHERE id = (
                SELECT id FROM job WHERE state = 'available' AND run_at <= \(now) AND kind = ANY(\(kinds))
                ORDER BY priority, run_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING \(part: columns)
            """
        ).first.map(decode)
    }

    /// Renews the lease and stores the progress. Nil when the attempt was replaced, else whether it is to be cancelled.
    static func heartbeat(
        _ id: Int64, attempt: Int, progress: Double, message: String?, _ connection: Connection
    ) throws -> Bool? {
        try connection.query(
            """
            UPDATE job
            SET lease_until = clock_timestamp() + make_interval(secs => \(leaseSeconds)), progress = \(Float(progress)),
                message = coalesce(\(message), message)
            WHERE id = \(id) AND attempt = \(Int16(attempt)) AND state = 'running'
            RETURNING cancel_requested
            """
        ).first?.bool(0)
    }

    static func isCurrent(_ id: Int64, attempt: Int, _ connection: Connection) throws -> Bool {
        try connection.query(
            "SELECT 1 FROM job WHERE id = \(id) AND attempt = \(Int16(attempt)) AND state = 'running' FOR UPDATE"
        ).first != nil
    }

    static func complete(_ id: Int64, attempt: Int, at now: PGTimestamp, _ connection: Connection) throws -> Bool {
        try connection.execute(
            """
            UPDATE job SET state = 'completed', lease_until = NULL, progress = 1, error = NULL, finished_at = \(now)
            WHERE id = \(id) AND attempt = \(Int16(attempt)) AND state = 'running'
            """) == 1
    }

    static func end(
        _ id: Int64, attempt: Int, as state: JobState, error: String?, at now: PGTimestamp, _ connection: Connection
    ) throws -> Bool {
        try connection.execute(
            """
            UPDATE job SET state = \(state.rawValue), lease_until = NULL, error = \(error), finished_at = \(now)
            WHERE id = \(id) AND attempt = \(Int16(attempt)) AND state = 'running'
            """) == 1
    }

    static func retry(_ id: Int64, attempt: Int, at time: PGTimestamp, error: String, _ connection: Connection) throws {
        try connection.execute(
            """
            UPDATE job SET state = 'available', lease_until = NULL, run_at = \(time), error = \(error)
            WHERE id = \(id) AND attempt = \(Int16(attempt)) AND state = 'running'
            """)
    }

    /// Gives a job back that was not its worker's fault to leave: the attempt does not count.
    static func release(_ id: Int64, attempt: Int, at now: PGTimestamp, _ connection: Connection) throws {
        try connection.execute(
            """
            UPDATE job SET state = 'available', lease_until = NULL, run_at = \(now), max_attempts = max_attempts + 1
            WHERE id = \(id) AND attempt = \(Int16(attempt)) AND state = 'running'
            """)
        try connection.execute("SELECT pg_notify(\(Environment.jobChannel), '')")
    }

    /// Jobs whose worker has been silent for longer than the lease; locked until the transaction ends.
    static func silent(_ connection: Connection) throws -> [Job] {
        try connection.query(
            """
            SELECT \(part: columns) FROM job WHERE state = 'running' AND lease_until < clock_timestamp()
            ORDER BY id LIMIT 100 FOR UPDATE SKIP LOCKED
            """
        ).map(decode)
    }
}
