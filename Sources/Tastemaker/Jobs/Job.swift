public import JSON
public import Postgres

/// Kinds of work that the job worker knows. The raw value is stored.
public enum JobKind: String, Sendable, CaseIterable {
    case importDataset = "import-dataset"
    case trainSolutionVersion = "train-solution-version"
    /// Users for the queries of a batch segment job.
    case makeSegments = "make-segments"
    /// Brings a group's automatic placements up the ladder: first models, then daily retraining.
    case advanceGroup = "advance-group"
    /// Starts the trainings of solutions whose schedule is due.
    case automaticTraining = "automatic-training"
    /// Counts again what the reports of a group show.
    case countReports = "count-reports"
    /// Removes what has outlived its keeping time.
    case clean

    /// Fills the disk, so it waits in the queue while there is no room.
    var needsRoom: Bool { self == .importDataset || self == .trainSolutionVersion || self == .makeSegments }
}

/// Work to be put into the queue, in the transaction of what it belongs to.
public struct NewJob: Sendable {
    public var kind: JobKind
    public var payload: JSONValue
    public var datasetGroupID: Int32?
    /// At most one waiting or running job has this key; another is not added.
    public var uniqueKey: String?
    /// Nil: at once.
    public var runAt: PGTimestamp?
    /// Lower runs first: 0 for people who wait, 1 for scheduled work.
    public var priority: Int16

    public init(
        kind: JobKind, payload: JSONValue = .object(JSONObject()), datasetGroupID: Int32? = nil, uniqueKey: String? = nil,
        runAt: PGTimestamp? = nil, priority: Int16 = 1
    ) {
        self.kind = kind
        self.payload = payload
        self.datasetGroupID = datasetGroupID
        self.uniqueKey = uniqueKey
        self.runAt = runAt
        self.priority = priority
    }
}

public enum JobState: String, Sendable {
    case available, running, completed, cancelled, discarded
}

/// One row of the queue, as people see it.
public struct Job: Sendable {
    public let id: Int64
    public let kind: String
    public let payload: JSONValue
    public let datasetGroupID: Int32?
    public let state: JobState
    public let attempt: Int
    public let maxAttempts: Int
    public let isCancelRequested: Bool
    /// 0 to 1.
    public let progress: Double
    public let message: String?
    public let error: String?
    public let runAt: PGTimestamp
    public let createdAt: PGTimestamp
    public let startedAt: PGTimestamp?
    public let finishedAt: PGTimestamp?
}
