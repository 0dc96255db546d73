public import JSON
public import Postgres

/// How a bulk import treats what is there.
public enum ImportMode: String, Sendable, CaseIterable {
    /// Replaces all bulk records of the dataset, never the individually imported ones.
    case full = "FULL"
    case incremental = "INCREMENTAL"
}

/// The file formats that an import reads.
public enum ImportFormat: String, Sendable, CaseIterable {
    case csv
    case merchantFeed = "merchant-feed"
}

/// One bulk import, as its row says.
public struct DatasetImportJob: Sendable, Equatable {
    public let id: Int32
    public let name: String
    public let dataset: Dataset
    /// `s3://…`, or `upload:<file name>` for a file that was given to us.
    public let dataLocation: String
    public let format: ImportFormat
    /// Source column -> schema column and conversions, for guessed uploads.
    public let columnMapping: JSONValue?
    public let roleARN: String?
    public let importMode: ImportMode
    public let publishesAttributionMetrics: Bool?
    public let status: ResourceStatus
    public let failureReason: String?
    public let rowsAccepted: Int64
    public let rowsRejected: Int64
    public let rowsDuplicate: Int64
    public let createdAt: PGTimestamp
    public let updatedAt: PGTimestamp
}

public struct CreateDatasetImportJobInput: Sendable {
    public enum Source: Sendable {
        /// An `s3://` file or folder of CSV files.
        case location(String)
        /// A file in the upload folder, with the mapping that a person confirmed.
        case upload(fileName: String, format: ImportFormat, columnMapping: JSONValue?)
    }

    public var jobName: String
    public var datasetARN: String
    public var source: Source
    public var roleARN: String?
    /// In the contract's spelling; nil: FULL.
    public var importMode: String?
    public var publishesAttributionMetrics: Bool?
    public var tags: [Tag]
    /// Whether more than a fifth of a catalogue may go when it is replaced. The contract asks nobody; a person who loads a file is asked.
    public var allowsWithdrawal = true

    public init(
        jobName: String, datasetARN: String, source: Source, roleARN: String? = nil, importMode: String? = nil,
        publishesAttributionMetrics: Bool? = nil, tags: [Tag] = []
    ) {
        self.jobName = jobName
        self.datasetARN = datasetARN
        self.source = source
        self.roleARN = roleARN
        self.importMode = importMode
        self.publishesAttributionMetrics = publishesAttributionMetrics
        self.tags = tags
    }
}
