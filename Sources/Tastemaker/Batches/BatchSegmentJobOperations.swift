import FilterLanguage
import JSON
import Postgres
import Ranking
import Storage

extension Environment {
    /// Batch segment jobs of the installation that may wait or run at once.
    static let unfinishedSegmentJobLimit = 5

    /// Stores the job's row and puts the work into the queue.
    public func createBatchSegmentJob(_ input: CreateBatchSegmentJobInput, by caller: Caller) throws(OperationError) -> BatchSegmentJob {
        try Check.name(input.jobName, field: "jobName")
        try Check.roleARN(input.roleARN, field: "roleArn")
        if let count = input.userCount { try Check.range(count, BatchSegmentJob.userCounts, field: "numResults") }
        try Self.checkLocation(input.input, "jobInput", "s3DataSource")
        try Self.checkLocation(input.output, "jobOutput", "s3DataDestination")
        return try change { connection in
            try requireRoom()
            let version = try solutionVersion(arn: input.solutionVersionARN, by: caller, connection)
            _ = try lockedDatasetGroup(id: version.solution.datasetGroupID, connection)
            try Self.requireSegments(of: version)
            let filter = try filter(of: input, for: version, by: caller, connection)
            if try BatchSegmentJobQueries.find(name: input.jobName, connection) != nil {
                throw OperationError.alreadyExists("A batch segment job named \(input.jobName) already exists.")
            }
            if try BatchSegmentJobQueries.countUnfinished(connection) >= Self.unfinishedSegmentJobLimit {
                throw OperationError.limitExceeded(
                    "More than \(Self.unfinishedSegmentJobLimit) resources with PENDING or IN_PROGRESS status.")
            }
            try BatchSegmentJobQueries.insert(input, versionID: version.id, filter: filter, at: now(), connection)
            let job = try batchSegmentJob(name: input.jobName, connection)
            let resource = "batch-segment-job/\(job.name)"
            try setTags(input.tags, on: resource, connection)
            try audit(
                connection, caller, "CreateBatchSegmentJob", resource: resource, datasetGroupID: version.solution.datasetGroupID,
                parameters: [
                    "solutionVersion": .string(version.path), "input": .string(job.inputPath), "output": .string(job.outputPath),
                ])
            try enqueue(
                NewJob(
                    kind: .makeSegments, payload: ["batchSegmentJobID": .integer(Int64(job.id))],
                    datasetGroupID: version.solution.datasetGroupID, uniqueKey: "make-segments:\(job.id)", priority: 0), connection)
            return job
        }
    }

    public func describeBatchSegmentJob(arn: String, by caller: Caller) throws(OperationError) -> BatchSegmentJob {
        try read { try batchSegmentJob(arn: arn, by: caller, $0) }
    }

    /// All of a solution version, or of what the caller may see.
    public func listBatchSegmentJobs(
        solutionVersionARN: String?, _ request: PageRequest, by caller: Caller
    ) throws(OperationError) -> Page<BatchSegmentJob> {
        try page(request, scope: "ListBatchSegmentJobs \(solutionVersionARN ?? "")") { cursor, limit, connection in
            var versionID: Int32?
            if let solutionVersionARN { versionID = try solutionVersion(arn: solutionVersionARN, by: caller, connection).id }
            return try BatchSegmentJobQueries.list(
                versionID: versionID, groupID: caller.datasetGroupID, after: cursor, limit: limit, connection)
        }
    }

    func batchSegmentJob(arn: String, by caller: Caller, _ connection: Connection) throws -> BatchSegmentJob {
        let parsed = try ResourceARN(parsing: arn, .batchSegmentJob, field: "batchSegmentJobArn")
        guard let job = try BatchSegmentJobQueries.find(name: parsed.path, connection) else { throw ResourceARN.notFound(arn) }
        try caller.require(datasetGroup: job.version.solution.datasetGroupID, resource: arn)
        return job
    }

    private func batchSegmentJob(name: String, _ connection: Connection) throws -> BatchSegmentJob {
        guard let job = try BatchSegmentJobQueries.find(name: name, connection) else {
            throw ResourceARN.notFound("batch-segment-job/\(name)")
        }
        return job
    }

    /// A filter of users, of the same group. Item-attribute-affinity takes none on interactions, as the contract has it.
    private func filter(
        of input: CreateBatchSegmentJobInput, for version: SolutionVersion, by caller: Caller, _ connection: Connection
    ) throws -> Filter? {
        guard let arn = input.filterARN else { return nil }
        let filter = try filter(arn: arn, by: caller, connection)
        guard filter.datasetGroupID == version.solution.datasetGroupID else {
            throw OperationError.invalidInput("The filter belongs to another dataset group.", field: "filterArn")
        }
        let expression = try? FilterExpression(parsing: filter.expression)
        guard expression?.target == .user else {
            throw OperationError.invalidInput("The filter \(filter.name) selects no users: it names no UserID.", field: "filterArn")
        }
        if expression?.usesInteractions == true, version.solution.recipe.description.needs.contains(.itemAttributes) {
            throw OperationError.invalidInput(
                "Filters on Interactions are not for the recipe \(version.solution.recipe.rawValue).", field: "filterArn")
        }
        return filter
    }

    private static func requireSegments(of version: SolutionVersion) throws(OperationError) {
        let field = "solutionVersionArn"
        guard version.solution.recipe.description.makesSegments else {
            throw .invalidInput("The recipe \(version.solution.recipe.rawValue) makes no segments of users.", field: field)
        }
        guard version.status == .active else {
            throw .invalidInput("The solution version is in status \(version.status.rawValue), not ACTIVE.", field: field)
        }
    }

    /// `{"<member>": {"path": "s3://…"}}`.
    private static func checkLocation(_ value: JSONValue, _ name: String, _ member: String) throws(OperationError) {
        let field = "\(name).\(member).path"
        let path = try Check.required(value[member]?["path"]?.stringValue, field: field)
        try Check.length(path, 0...256, field: field)
        do throws(StorageError) { _ = try S3Location(parsing: path) } catch {
            throw .invalidInput("\(path): \(error.description).", field: field)
        }
    }
}
