public import JSON
public import Postgres
public import Ranking

/// One training of a solution and the model that it made.
public struct SolutionVersion: Sendable, Equatable {
    public let id: Int32
    public let solution: Solution
    /// Eight hexadecimal digits, the last part of the ARN.
    public let suffix: String
    public let name: String
    /// FULL, UPDATE, or AUTOTRAIN for trainings on the schedule.
    public let trainingMode: String
    public let trainingType: TrainingType
    /// The solution's configuration when the version was made.
    public let config: JSONValue?
    public let status: ResourceStatus
    public let failureReason: String?
    /// Known once trained.
    public let trainingHours: Double?
    /// Offline metrics by the contract's names, once trained.
    public let metrics: [(name: String, value: Double)]
    /// Those of them that the contract knows.
    public var contractMetrics: [(name: String, value: Double)] { metrics.filter { !ActionModel.ownMetrics.contains($0.name) } }
    /// Log lines, counts, seed, memory: whatever the training told.
    public let report: JSONValue?
    /// How far chance may have moved those metrics, and figures of the report, that are means over held-out users; empty where a training
    /// stored none.
    public var samplingErrors: [String: SamplingError] {
        let members = report?["samplingErrors"]?.objectValue?.members ?? []
        return Dictionary(members.compactMap { member in SamplingError(json: member.value).map { (member.name, $0) } }) { first, _ in first
        }
    }
    public let interactionCount: Int64?
    public let modelKey: String?
    public let modelBytes: Int64?
    public let createdAt: PGTimestamp
    public let updatedAt: PGTimestamp
    /// Hyperparameters that a search found, by bare name; empty without one.
    public let tunedParameters: [String: String]
    /// When they were searched; an automatic training takes recent ones over.
    public let tunedAt: PGTimestamp?
    let modelSHA256: [UInt8]

    /// What follows `solution/` in its ARN.
    public var path: String { "\(solution.name)/\(suffix)" }

    public static func == (left: SolutionVersion, right: SolutionVersion) -> Bool {
        left.id == right.id && left.status == right.status && left.updatedAt == right.updatedAt
    }
}

public enum TrainingType: String, Sendable {
    case manual = "MANUAL"
    case automatic = "AUTOMATIC"
}

public struct CreateSolutionVersionInput: Sendable {
    public var solutionARN: String
    public var name: String?
    /// FULL or UPDATE; nil: FULL.
    public var trainingMode: String?
    public var tags: [Tag]

    public init(solutionARN: String, name: String? = nil, trainingMode: String? = nil, tags: [Tag] = []) {
        self.solutionARN = solutionARN
        self.name = name
        self.trainingMode = trainingMode
        self.tags = tags
    }
}
