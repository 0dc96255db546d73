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

    public func describeJob(id: Int64, by caller: Caller) throws(OperationError) -> Job {
        try read { connection in
            guard let job = try JobQueries.find(id, connection) else { throw ResourceARN.notFound("job/\(id)") }
            if let group = job.datasetGroupID { try caller.require(datasetGroup: group, resource: "job/\(id)") }
            return job
        }
    }

    /// Newest first; `before` is the id where the last page ended. No states: all.
    public func listJobs(
        datasetGroupID: Int32? = nil, states: [JobState] = [], before: Int64? = nil, limit: Int = 100, by caller: Caller
    ) throws(OperationError) -> [Job] {
        try read { connection in
            try JobQueries.list(
                datasetGroupID: caller.datasetGroupID ?? datasetGroupID, states: states.map(\.rawValue), before: before,
                limit: min(limit, 1000), connection)
        }
    }

    /// Ends a job that waits at once, with the resource it was for; one that runs is asked to end.
    public func cancelJob(id: Int64, by caller: Caller) throws(OperationError) -> Job {
        try change { connection in
            guard let found = try JobQueries.find(id, connection) else { throw ResourceARN.notFound("job/\(id)") }
            if let group = found.datasetGroupID { try caller.require(datasetGroup: group, resource: "job/\(id)") }
            guard let job = try JobQueries.requestCancel(id, at: now(), connection) else {
                throw OperationError.inUse("The job has ended already: it is \(found.state.rawValue).")
            }
            if job.state == .cancelled, let rule = JobKind(rawValue: job.kind).flatMap({ JobTable.standard.rules[$0] }) {
                try rule.abandon(self, job.payload, .cancelled, connection)
            }
            try audit(connection, caller, "CancelJob", resource: "job/\(id)", datasetGroupID: job.datasetGroupID)
            return job
        }
    }
}
