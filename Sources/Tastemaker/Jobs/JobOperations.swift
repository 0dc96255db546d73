public import Postgres

extension Environment {
    /// The channel on which job workers hear of new work.
    public static let jobChannel = "tastemaker_job"

    /// Adds a job to the queue in the caller's transaction and wakes the workers at its commit. Answers the id, or that of the live job
    /// which already has the unique key.
    @discardableResult
    public func enqueue(_ job: NewJob, _ connection: Connection) throws -> Int64 {
        let id = try JobQueries.insert(job, at: now(), connection)
        try connection.execute("SELECT pg_notify(\(Environment.jobChannel), '')")
        return id
    }

    /// Ends the live job of the key: at once while it waits; one that runs is asked to end.
    public func cancelJob(uniqueKey: String, _ connection: Connection) throws {
        try JobQueries.cancel(uniqueKey: uniqueKey, at: now(), connection)
    }
}
