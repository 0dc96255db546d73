public import JSON
public import Postgres

/// How a job ended without success.
public enum JobEnd: Equatable, Sendable {
    case cancelled
    /// For people.
    case failed(reason: String)
}

/// How jobs of one kind are done.
public struct JobRule: Sendable {
    public typealias Handler = @Sendable (Environment, JobContext) throws -> Void
    public typealias Abandon = @Sendable (Environment, JSONValue, JobEnd, Connection) throws -> Void

    let handler: Handler
    /// Settles the rows that the job was for, in the transaction that ends it without success.
    let abandon: Abandon
    /// Seconds of one attempt.
    let timeout: Double

    public init(
        timeout: Double = 3600, handler: @escaping Handler, abandon: @escaping Abandon = { _, _, _, _ in }
    ) {
        self.handler = handler
        self.abandon = abandon
        self.timeout = timeout
    }
}

/// Which work each kind of job is.
public struct JobTable: Sendable {
    let rules: [JobKind: JobRule]

    public init(_ rules: [JobKind: JobRule]) {
        self.rules = rules
    }

    var kinds: Set<JobKind> { Set(rules.keys) }
}

extension JobKind {
    /// Kinds that may keep a processor busy for long. One thread of a worker does nothing else, so that they hold nobody up.
    var isHeavy: Bool { self == .trainSolutionVersion || self == .makeSegments }

    /// Attempts before the job counts as failed.
    var maxAttempts: Int16 { 3 }
}

/// Pauses between the attempts of a job.
enum JobBackoff {
    /// Five seconds, doubled with every attempt, ten minutes at most.
    static func seconds(afterAttempt attempt: Int) -> Double {
        min(600, 5 * Double(1 << min(20, max(0, attempt - 1))))
    }
}

extension JobTable {
    /// All work of the product.
    public static let standard = JobTable([
        .importDataset: ImportDataset.rule,
        .trainSolutionVersion: TrainSolutionVersion.rule,
        .makeSegments: MakeSegments.rule,
        .advanceGroup: AdvanceGroup.rule,
        .automaticTraining: AutomaticTraining.rule,
        .countReports: CountReports.rule,
        .clean: Cleaning.rule,
    ])
}
