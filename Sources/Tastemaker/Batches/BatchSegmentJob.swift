public import JSON
public import Postgres

/// One batch of segments, as its row says.
public struct BatchSegmentJob: Sendable {
    public let id: Int32
    public let name: String
    public let version: SolutionVersion
    /// Users per segment at most.
    public let userCount: Int
    /// `jobInput` and `jobOutput` as they were given.
    public let input: JSONValue
    public let output: JSONValue
    public let roleARN: String
    public let status: ResourceStatus
    public let failureReason: String?
    public let createdAt: PGTimestamp
    public let updatedAt: PGTimestamp
    /// Of the filter as it was when the job was made; nil without one.
    public let filterName: String?
    let filterExpression: String?

    /// A file or a folder of files with one query a line.
    var inputPath: String { input["s3DataSource"]?["path"]?.stringValue ?? "" }
    /// The folder of the answers.
    var outputPath: String { output["s3DataDestination"]?["path"]?.stringValue ?? "" }

    static let defaultUserCount = 25
    static let userCounts = 1...5_000_000
}

public struct CreateBatchSegmentJobInput: Sendable {
    public var jobName: String
    public var solutionVersionARN: String
    public var filterARN: String?
    /// Nil: 25.
    public var userCount: Int?
    public var input: JSONValue
    public var output: JSONValue
    public var roleARN: String
    public var tags: [Tag]

    public init(
        jobName: String, solutionVersionARN: String, filterARN: String? = nil, userCount: Int? = nil, input: JSONValue, output: JSONValue,
        roleARN: String, tags: [Tag] = []
    ) {
        self.jobName = jobName
        self.solutionVersionARN = solutionVersionARN
        self.filterARN = filterARN
        self.userCount = userCount
        self.input = input
        self.output = output
        self.roleARN = roleARN
        self.tags = tags
    }
}
