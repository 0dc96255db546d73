import Dispatch
import Foundation
import Logging
import Postgres
import Synchronization

/// Claims jobs and does them on threads of its own, as one of any number of workers on any number of hosts.
///
/// A job runs on one worker at a time: its lease is renewed every second, a worker that falls silent loses it, and what a late twin
/// would still write is refused by the number of its attempt.
public final class JobWorker: Sendable {
    let environment: Environment
    let table: JobTable
    let name: String
    let log = Logger(label: "tastemaker.jobs")
    private let state = Mutex(State())
    private let wakeUps: [DispatchSemaphore]
    private let pause = DispatchSemaphore(value: 0)
    private let ended = DispatchGroup()

    private struct State {
        var isStopping = false
        var running: [Int64: JobContext] = [:]
    }

    public init(_ environment: Environment, table: JobTable = .standard) {
        self.environment = environment
        self.table = table
        name = "\(ProcessInfo.processInfo.hostName):\(ProcessInfo.processInfo.processIdentifier)"
        wakeUps = [DispatchSemaphore(value: 0), DispatchSemaphore(value: 0)]
    }

    /// Does jobs until `stop` says so, then drains.
    public static func run(_ environment: Environment, stop: () -> Bool) {
        let worker = JobWorker(environment)
        worker.start()
        while !stop() {}
        worker.stop()
    }

    /// Starts the threads: one for trainings, one for all other work, one that listens, one that looks after the queue.
    public func start() {
        spawn("jobs-light") { $0.work(on: 0, table: { !$0.isHeavy }) }
        spawn("jobs-heavy") { $0.work(on: 1, table: { $0.isHeavy }) }
        spawn("jobs-listen") { $0.listen() }
        spawn("jobs-keeper") { $0.keep() }
    }

    /// Interrupts what runs and gives it back to the queue, so that another worker takes over at once. A handler that does not look
    /// up within `seconds` loses its job all the same: its lease is released and its attempt cannot publish any more.
    public func stop(within seconds: Double = 10) {
        let contexts = state.withLock { state in
            state.isStopping = true
            return Array(state.running.values)
        }
        for context in contexts { context.interrupt(.stopping) }
        for wakeUp in wakeUps { wakeUp.signal() }
        pause.signal()
        if ended.wait(timeout: .now() + seconds) == .success { return }
        let left = state.withLock { Array($0.running.values) }
        for context in left { release(context) }
    }

    /// Does what is due now, on the calling thread. For programs that bring their own queue to its end.
    @discardableResult
    public func runAvailable(limit: Int = 1000) -> Int {
        var count = 0
        while count < limit, let job = claim(table.kinds) {
            perform(job)
            count += 1
        }
        return count
    }

    var isStopping: Bool { state.withLock { $0.isStopping } }

    private func spawn(_ name: String, _ body: @escaping @Sendable (JobWorker) -> Void) {
        ended.enter()
        let thread = Thread { [self] in
            body(self)
            ended.leave()
        }
        thread.name = name
        thread.stackSize = 8 << 20
        thread.start()
    }

    private func work(on slot: Int, table isMine: (JobKind) -> Bool) {
        let kinds = table.kinds.filter(isMine)
        while !isStopping {
            if let job = claim(kinds) { perform(job) } else { _ = wakeUps[slot].wait(timeout: .now() + 2) }
        }
    }

    func claim(_ kinds: Set<JobKind>) -> Job? {
        let kinds = environment.roomProblem == nil ? kinds : kinds.filter { !$0.needsRoom }
        guard !kinds.isEmpty else { return nil }
        do {
            return try environment.database.withConnection { (connection) throws in
                try JobQueries.claim(kinds.map(\.rawValue).sorted(), worker: name, at: environment.now(), connection)
            }
        } catch {
            log.warning("the queue cannot be read", metadata: ["error": "\(error)"])
            return nil
        }
    }

    /// Wakes the slots at a notification; the slots poll beside, for one that was lost.
    private func listen() {
        while !isStopping {
            do {
                try environment.database.withConnection { (connection) throws in
                    try connection.listen(Environment.jobChannel)
                    while !isStopping {
                        if try connection.waitForNotification(timeoutMilliseconds: 1_000) != nil {
                            for wakeUp in wakeUps { wakeUp.signal() }
                        }
                    }
                    connection.close()
                }
            } catch {
                _ = pause.wait(timeout: .now() + 1)
            }
        }
    }

    /// Rescues jobs of dead workers, and starts what is due by the calendar.
    private func keep() {
        var round = 0
        while !isStopping {
            do {
                try rescue()
                if round % 15 == 0 { try environment.scheduleDueWork() }
            } catch {
                log.warning("the queue cannot be kept", metadata: ["error": "\(error)"])
            }
            round += 1
            _ = pause.wait(timeout: .now() + 2)
        }
    }

    // MARK: One job

    func perform(_ job: Job) {
        let context = JobContext(job)
        state.withLock { state in
            state.running[job.id] = context
            if state.isStopping { context.interrupt(.stopping) }
        }
        defer { state.withLock { $0.running[job.id] = nil } }
        guard let kind = JobKind(rawValue: job.kind), let rule = table.rules[kind] else { return }
        log.info("job started", metadata: metadata(job))
        let heartbeat = Heartbeat(context, environment: environment, timeout: rule.timeout)
        heartbeat.start()
        var failure: (any Error)?
        do { try rule.handler(environment, context) } catch { failure = error }
        heartbeat.stop()
        settle(job, context, rule, failure)
    }

    private func settle(_ job: Job, _ context: JobContext, _ rule: JobRule, _ failure: (any Error)?) {
        for attempt in 0..<3 {
            do {
                try environment.transact { connection in try settle(job, context, rule, failure, connection) }
                return
            } catch {
                log.warning("the end of a job cannot be stored", metadata: ["job": "\(job.id)", "error": "\(error)"])
                if attempt < 2 { Thread.sleep(forTimeInterval: 1) }
            }
        }
    }

    private func settle(_ job: Job, _ context: JobContext, _ rule: JobRule, _ failure: (any Error)?, _ connection: Connection) throws {
        guard let failure else {
            _ = try JobQueries.complete(job.id, attempt: job.attempt, at: environment.now(), connection)
            log.info("job completed", metadata: metadata(job))
            return
        }
        // What a handler threw while it was being interrupted is most likely the interruption seen from below.
        let reason = context.interruption ?? (failure as? JobInterruption)
        switch reason {
        case .lost: log.warning("job lost to another worker", metadata: metadata(job))
        case .stopping: try JobQueries.release(job.id, attempt: job.attempt, at: environment.now(), connection)
        case .cancelled:
            if try JobQueries.end(job.id, attempt: job.attempt, as: .cancelled, error: nil, at: environment.now(), connection) {
                try rule.abandon(environment, job.payload, .cancelled, connection)
            }
        case .timedOut: try fail(job, rule, "The attempt took longer than \(Int(rule.timeout)) seconds.", isFinal: false, connection)
        case nil:
            let final = failure as? JobFailure
            try fail(job, rule, final?.reason ?? Self.sentence(failure), isFinal: final != nil, connection)
        }
    }

    private func fail(_ job: Job, _ rule: JobRule, _ reason: String, isFinal: Bool, _ connection: Connection) throws {
        log.error("job failed", metadata: metadata(job).merging(["reason": "\(reason)"]) { $1 })
        if !isFinal, job.attempt < job.maxAttempts {
            let pause = Int64(JobBackoff.seconds(afterAttempt: job.attempt) * 1_000_000)
            let time = PGTimestamp(microseconds: environment.now().microseconds + pause)
            return try JobQueries.retry(job.id, attempt: job.attempt, at: time, error: reason, connection)
        }
        if try JobQueries.end(job.id, attempt: job.attempt, as: .discarded, error: reason, at: environment.now(), connection) {
            try rule.abandon(environment, job.payload, .failed(reason: reason), connection)
        }
    }

    /// Gives jobs whose worker died to the next one; those that have used up their attempts end as failed.
    func rescue() throws {
        try environment.transact { connection in
            for job in try JobQueries.silent(connection) {
                guard let rule = JobKind(rawValue: job.kind).flatMap({ table.rules[$0] }) else { continue }
                log.warning("job of a silent worker", metadata: metadata(job))
                if job.isCancelRequested {
                    _ = try JobQueries.end(job.id, attempt: job.attempt, as: .cancelled, error: nil, at: environment.now(), connection)
                    try rule.abandon(environment, job.payload, .cancelled, connection)
                } else if job.attempt < job.maxAttempts {
                    try JobQueries.retry(
                        job.id, attempt: job.attempt, at: environment.now(), error: "The worker died.", connection)
                    for wakeUp in wakeUps { wakeUp.signal() }
                } else {
                    try fail(job, rule, "The worker died in every one of \(job.attempt) attempts.", isFinal: true, connection)
                }
            }
        }
    }

    private func release(_ context: JobContext) {
        context.interrupt(.lost)
        do {
            try environment.transact { connection in
                try JobQueries.release(context.id, attempt: context.attempt, at: environment.now(), connection)
            }
        } catch {
            log.warning("a job cannot be released", metadata: ["job": "\(context.id)", "error": "\(error)"])
        }
    }

    private func metadata(_ job: Job) -> Logger.Metadata {
        ["job": "\(job.id)", "kind": "\(job.kind)", "attempt": "\(job.attempt)"]
    }

    private static func sentence(_ error: any Error) -> String {
        if let error = error as? OperationError { return error.message }
        return "\(error)"
    }
}

extension Environment {
    /// A transaction whose body's own errors pass through unchanged.
    func transact<T>(_ body: (Connection) throws -> T) throws -> T {
        try database.withConnection { (connection) throws -> T in
            try connection.transaction { (connection) throws -> T in try body(connection) }
        }
    }
}
