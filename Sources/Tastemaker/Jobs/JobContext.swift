public import JSON
public import Postgres
import Synchronization

/// Why an attempt ends without an outcome of its own.
public enum JobInterruption: Error, Equatable, Sendable {
    /// A person asked for it.
    case cancelled
    /// Another worker has the job: nothing may be published any more.
    case lost
    /// This worker ends; another one takes over at once.
    case stopping
    case timedOut
}

/// A reason that no further attempt would change, as a sentence for people.
public struct JobFailure: Error, Equatable, Sendable {
    public let reason: String

    public init(_ reason: String) {
        self.reason = reason
    }
}

/// One attempt at a job, as its handler sees it.
public final class JobContext: Sendable {
    public let id: Int64
    /// The fencing number: whatever this attempt publishes carries or checks it.
    public let attempt: Int
    public let payload: JSONValue
    public let datasetGroupID: Int32?
    private let state = Mutex(State())

    private struct State {
        var progress = 0.0
        var message: String?
        var interruption: JobInterruption?
    }

    init(_ job: Job) {
        id = job.id
        attempt = job.attempt
        payload = job.payload
        datasetGroupID = job.datasetGroupID
    }

    /// Tells how far the work is, 0 to 1. Kept in memory; the heartbeat stores it about once a second.
    public func progress(_ share: Double, message: String) {
        state.withLock {
            $0.progress = min(1, max(0, share.isNaN ? 0 : share))
            $0.message = message
        }
    }

    /// The attempt is to end soon, for whatever reason.
    public var isCancelled: Bool { state.withLock { $0.interruption != nil } }

    /// Why the attempt is to end.
    public var interruption: JobInterruption? { state.withLock { $0.interruption } }

    public func checkInterruption() throws(JobInterruption) {
        if let interruption { throw interruption }
    }

    /// Ends the job in the transaction that publishes its result, so that both are stored or neither; and refuses an attempt that
    /// another one has replaced. Late in the transaction: it holds the job's row until the commit.
    public func finish(_ connection: Connection, at now: PGTimestamp) throws {
        guard try JobQueries.complete(id, attempt: attempt, at: now, connection) else { throw JobInterruption.lost }
    }

    /// Refuses an attempt that another one has replaced, and keeps it from being replaced until the transaction ends.
    public func requireCurrent(_ connection: Connection) throws {
        guard try JobQueries.isCurrent(id, attempt: attempt, connection) else { throw JobInterruption.lost }
    }

    /// The first reason stands, but a lost job overrules: it must not be written to.
    func interrupt(_ reason: JobInterruption) {
        state.withLock { if $0.interruption == nil || reason == .lost { $0.interruption = reason } }
    }

    var report: (progress: Double, message: String?) { state.withLock { ($0.progress, $0.message) } }
}
