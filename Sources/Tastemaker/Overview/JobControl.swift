import Postgres

extension Environment {
    /// Runs a waiting job at once, and gives one that failed for good its attempts again. Imports and trainings that failed are not tried
    /// again: their resource has failed with them, and a new one is made instead.
    public func retryJob(id: Int64, by caller: Caller) throws(OperationError) {
        try change { connection in
            let job = try describeForRetry(id, by: caller, connection)
            let isUpkeep = [.advanceGroup, .automaticTraining, .countReports, .clean].contains(JobKind(rawValue: job.kind))
            guard job.state == .available || (job.state == .discarded && isUpkeep) else {
                throw OperationError.inUse("This job cannot be tried again. Start the import or training anew.")
            }
            guard try OverviewQueries.runNow(id, at: now(), connection) else {
                throw OperationError.inUse("The job is running already, or has ended.")
            }
            try connection.execute("SELECT pg_notify(\(Environment.jobChannel), '')")
            try audit(connection, caller, "RetryJob", resource: "job/\(id)", datasetGroupID: job.datasetGroupID)
        }
    }

    private func describeForRetry(_ id: Int64, by caller: Caller, _ connection: Connection) throws -> Job {
        guard let job = try OverviewQueries.job(id, connection) else { throw OperationError.notFound("There is no job \(id).") }
        if let group = job.datasetGroupID { try caller.require(datasetGroup: group, resource: "job/\(id)") }
        return job
    }
}
