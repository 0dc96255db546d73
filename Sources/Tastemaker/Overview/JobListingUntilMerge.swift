import Postgres

extension Environment {
    public func listJobs(
        datasetGroupID: Int32? = nil, states: [JobState] = [], before: Int64? = nil, limit: Int = 100, by caller: Caller
    ) throws(OperationError) -> [Job] {
        try read { connection in
            try connection.query(
                """
                SELECT \(part: JobQueries.columns) FROM job
                WHERE dataset_group_id = \(caller.datasetGroupID ?? datasetGroupID) AND (\(before)::bigint IS NULL OR id < \(before))
                  AND (\(states.isEmpty) OR state = ANY (\(states.map(\.rawValue)))) ORDER BY id DESC LIMIT \(Int32(limit))
                """
            ).map(JobQueries.decode)
        }
    }

    public func cancelJob(id: Int64, by caller: Caller) throws(OperationError) -> Job {
        throw .inUse("Not yet.")
    }
}
