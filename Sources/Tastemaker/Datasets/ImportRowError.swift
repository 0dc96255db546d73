/// A row that an import refused. The first 1,000 are kept; all are counted in the job.
public struct ImportRowError: Sendable, Equatable {
    /// Counted from 1, the header included.
    public let line: Int64
    public let reason: String
}

extension Environment {
    /// The refused rows of an import in the order of the file, after a line.
    public func listImportRowErrors(
        of job: DatasetImportJob, after line: Int64 = 0, limit: Int = 100, by caller: Caller
    ) throws(OperationError) -> [ImportRowError] {
        try caller.require(datasetGroup: job.dataset.datasetGroupID, resource: "dataset-import-job/\(job.name)")
        return try read { try DatasetImportJobQueries.rowErrors(of: job.id, after: line, limit: min(limit, 1000), $0) }
    }
}
