import JSON
import Postgres

extension Environment {
    /// Import jobs of the installation that may wait or run at once.
    static let unfinishedImportLimit = 5

    /// Stores the job's row and puts the work into the queue.
    public func createDatasetImportJob(_ input: CreateDatasetImportJobInput, by caller: Caller) throws(OperationError) -> DatasetImportJob {
        try Check.name(input.jobName, field: "jobName")
        if let role = input.roleARN { try Check.roleARN(role, field: "roleArn") }
        let mode = try importMode(input.importMode)
        let (location, format, mapping) = try importSource(input.source)
        return try change { try storeDatasetImportJob(input, mode, location: location, format, mapping, by: caller, $0) }
    }

    func storeDatasetImportJob(
        _ input: CreateDatasetImportJobInput, by caller: Caller, _ connection: Connection
    ) throws -> DatasetImportJob {
        let (location, format, mapping) = try importSource(input.source)
        return try storeDatasetImportJob(
            input, importMode(input.importMode), location: location, format, mapping, by: caller, connection)
    }

    /// Of checked input, within a transaction of the caller's.
    private func storeDatasetImportJob(
        _ input: CreateDatasetImportJobInput, _ mode: ImportMode, location: String, _ format: ImportFormat, _ mapping: JSONValue?,
        by caller: Caller, _ connection: Connection
    ) throws -> DatasetImportJob {
        try requireRoom()
        let found = try dataset(arn: input.datasetARN, by: caller, connection)
        _ = try lockedDatasetGroup(id: found.datasetGroupID, connection)
        let dataset = try dataset(id: found.id, connection)
        try requireImportable(dataset, mode: mode, connection)
        if try DatasetImportJobQueries.exists(name: input.jobName, connection) {
            throw OperationError.alreadyExists("A dataset import job named \(input.jobName) already exists.")
        }
        if try DatasetImportJobQueries.countUnfinished(connection) >= Environment.unfinishedImportLimit {
            throw OperationError.limitExceeded(
                "More than \(Environment.unfinishedImportLimit) resources with PENDING or IN_PROGRESS status.")
        }
        let id = try DatasetImportJobQueries.insert(
            .init(
                name: input.jobName, datasetID: dataset.id, dataLocation: location, format: format, columnMapping: mapping,
                roleARN: input.roleARN, mode: mode, publishesAttributionMetrics: input.publishesAttributionMetrics),
            at: now(), connection)
        let resource = "dataset-import-job/\(input.jobName)"
        try setTags(input.tags, on: resource, connection)
        try audit(
            connection, caller, "CreateDatasetImportJob", resource: resource, datasetGroupID: dataset.datasetGroupID,
            parameters: ["dataset": .string(dataset.path), "dataLocation": .string(location), "importMode": .string(mode.rawValue)])
        var payload: JSONObject = ["importJobID": .integer(Int64(id))]
        if !input.allowsWithdrawal { payload["allowsWithdrawal"] = false }
        try enqueue(
            NewJob(
                kind: .importDataset,
                payload: .object(payload),
                datasetGroupID: dataset.datasetGroupID,
                uniqueKey: "import-dataset:\(id)", priority: 0), connection)
        return try datasetImportJob(id: id, connection)
    }

    public func describeDatasetImportJob(arn: String, by caller: Caller) throws(OperationError) -> DatasetImportJob {
        try read { try datasetImportJob(arn: arn, by: caller, $0) }
    }

    /// All of a dataset, or of what the caller may see.
    public func listDatasetImportJobs(
        datasetARN: String?, _ request: PageRequest, by caller: Caller
    ) throws(OperationError) -> Page<DatasetImportJob> {
        try page(request, scope: "ListDatasetImportJobs \(datasetARN ?? "")") { cursor, limit, connection in
            var datasetID: Int32?
            if let datasetARN { datasetID = try self.dataset(arn: datasetARN, by: caller, connection).id }
            return try DatasetImportJobQueries.list(
                datasetID: datasetID, groupID: caller.datasetGroupID, after: cursor, limit: limit, connection)
        }
    }

    func datasetImportJob(arn: String, by caller: Caller, _ connection: Connection) throws -> DatasetImportJob {
        let parsed = try ResourceARN(parsing: arn, .datasetImportJob, field: "datasetImportJobArn")
        guard let job = try DatasetImportJobQueries.find(name: parsed.path, connection) else { throw ResourceARN.notFound(arn) }
        try caller.require(datasetGroup: job.dataset.datasetGroupID, resource: arn)
        return job
    }

    func datasetImportJob(id: Int32, _ connection: Connection) throws -> DatasetImportJob {
        guard let job = try DatasetImportJobQueries.find(id: id, connection) else { throw ResourceARN.notFound("dataset-import-job/\(id)") }
        return job
    }

    private func importMode(_ text: String?) throws(OperationError) -> ImportMode {
        guard let text else { return .full }
        try Check.oneOf(text, ImportMode.allCases.map(\.rawValue), field: "importMode")
        return ImportMode(rawValue: text) ?? .full
    }

    private func importSource(
        _ source: CreateDatasetImportJobInput.Source
    ) throws(OperationError) -> (location: String, format: ImportFormat, mapping: JSONValue?) {
        switch source {
        case .upload(let fileName, let format, let mapping):
            guard !fileName.isEmpty, !fileName.utf8.contains(UInt8(ascii: "/")), !fileName.utf8.starts(with: ".".utf8) else {
                throw .invalidInput("'\(fileName)' is not the name of an upload.", field: "dataSource")
            }
            return ("upload:\(fileName)", format, mapping)
        case .location(let location):
            let field = "dataSource.dataLocation"
            try Check.length(location, 0...256, field: field)
            let scheme = ["s3://", "http://", "https://"].first {
                location.utf8.starts(with: $0.utf8) && location.utf8.count > $0.utf8.count
            }
            guard let scheme else { throw Check.pattern(location, "(s3|http|https)://.+", field: field) }
            guard scheme == "s3://" else {
                throw .invalidInput("Only s3:// locations are read; \(scheme) is never fetched.", field: field)
            }
            return (location, .csv, nil)
        }
    }

    private func requireImportable(_ dataset: Dataset, mode: ImportMode, _ connection: Connection) throws {
        guard dataset.status == .active else { throw OperationError.inUse("The dataset is in status \(dataset.status.rawValue).") }
        if mode == .incremental, try !DatasetImportJobQueries.hasFullImport(datasetID: dataset.id, connection) {
            throw OperationError.invalidInput("An INCREMENTAL import needs a FULL import of the dataset before it.", field: "importMode")
        }
    }
}
