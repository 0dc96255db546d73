import Dispatch
import Locks

/// A bounded set of connections that threads borrow one at a time.
///
/// Broken connections are dropped when found, new ones are made on demand. While the server is away one thread at a time
/// tries, with growing pauses, and the others wait until their time is up: the full time while it may be a restart, a moment once the
/// server has been away for about two seconds, so that no request hangs and holds its thread.
public final class Pool: Sendable {
    public struct Statistics: Sendable, Hashable {
        public var limit: Int
        public var idle: Int
        public var inUse: Int
        public var waiting: Int
        /// Failed attempts to connect since the last good one.
        public var failures: Int
    }

    private let settings: ConnectionSettings
    private let limit: Int
    private let timeoutMilliseconds: Int
    private let state = Lock(State())

    /// `limit` connections at most; a borrower waits `timeoutMilliseconds` for one unless it says otherwise.
    public init(_ settings: ConnectionSettings, limit: Int, timeoutMilliseconds: Int = 5_000) {
        self.settings = settings
        self.limit = max(1, limit)
        self.timeoutMilliseconds = timeoutMilliseconds
    }

    /// Another pool on the same server with other limits, such as a short statement time-out.
    public func sibling(limit: Int, timeoutMilliseconds: Int = 5_000, _ change: (inout ConnectionSettings) -> Void) -> Pool {
        var settings = settings
        change(&settings)
        return Pool(settings, limit: limit, timeoutMilliseconds: timeoutMilliseconds)
    }

    /// A connection beside the pool that the caller keeps, such as the one that listens.
    public func connect() throws(PostgresError) -> Connection { try Connection(settings) }

    /// Lends a connection to `body`. It must not be kept or used after `body` ends.
    @discardableResult
    public func withConnection<Result, Failure: PostgresFailure>(
        timeoutMilliseconds: Int? = nil, _ body: (Connection) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let connection: Connection
        do throws(PostgresError) {
            connection = try borrow(timeoutMilliseconds ?? self.timeoutMilliseconds)
        } catch {
            throw Failure(error)
        }
        defer { giveBack(connection) }
        return try body(connection)
    }

    /// The same for a body that throws anything.
    @discardableResult
    @_disfavoredOverload
    public func withConnection<Result>(
        timeoutMilliseconds: Int? = nil, _ body: (Connection) throws -> Result
    ) throws -> Result {
        let connection = try borrow(timeoutMilliseconds ?? self.timeoutMilliseconds)
        defer { giveBack(connection) }
        return try body(connection)
    }

    public var statistics: Statistics {
        state.withLock { state in
            Statistics(
                limit: limit, idle: state.idle.count, inUse: state.open - state.idle.count, waiting: state.waiters.count,
                failures: state.failures)
        }
    }

    /// Closes what is idle and refuses new borrowers; lent connections close when they come back.
    public func close() {
        let idle = state.withLock { state in
            state.isClosed = true
            let idle = state.idle
            state.open -= idle.count
            state.idle = []
            for waiter in state.waiters { waiter.signal.signal() }
            state.waiters = []
            return idle
        }
        for lent in idle { lent.connection.close() }
    }

    /// How long a borrower waits when the server is known to be away.
    private static let awayMilliseconds = 300

    // MARK: Lending

    private enum Step {
        case use(Lent)
        case connect
        case wait(Waiter, Deadline)
        case closed
    }

    private func borrow(_ milliseconds: Int) throws(PostgresError) -> Connection {
        let isAway = state.withLock(\.isAway)
        let deadline = Deadline(milliseconds: isAway ? min(milliseconds, Pool.awayMilliseconds) : milliseconds)
        while true {
            switch state.withLock({ $0.step(limit: limit, deadline: deadline) }) {
            case .use(let lent):
                if lent.connection.isUsable, lent.connection.isStillThere { return lent.connection }
                discard(lent.connection)
            case .connect:
                if let connection = try connect(deadline) { return connection }
            case .wait(let waiter, let until):
                if let connection = try wait(waiter, until, deadline) { return connection }
            case .closed:
                throw PostgresError(.usage, "The pool of connections is closed.")
            }
        }
    }

    /// Nil when the server cannot be reached and there is time left to try again.
    private func connect(_ deadline: Deadline) throws(PostgresError) -> Connection? {
        do throws(PostgresError) {
            let connection = try Connection(settings)
            state.withLock { $0.connected() }
            return connection
        } catch {
            state.withLock { $0.failed(error) }
            if deadline.hasPassed || !error.isWorthRetrying { throw error }
            return nil
        }
    }

    private func wait(_ waiter: Waiter, _ until: Deadline, _ deadline: Deadline) throws(PostgresError) -> Connection? {
        let milliseconds = Int(until.remainingMilliseconds)
        _ = waiter.signal.wait(timeout: .now() + .milliseconds(milliseconds))
        let (granted, lastError) = state.withLock { state in
            state.waiters.removeAll { $0 === waiter }
            return (waiter.take(), state.lastError)
        }
        if let granted { return granted.connection }
        guard deadline.hasPassed else { return nil }
        throw lastError
            ?? PostgresError(.poolTimeout, "No connection to PostgreSQL became free in time; all \(limit) are in use.")
    }

    private func giveBack(_ connection: Connection) {
        guard connection.isUsable else { return discard(connection) }
        let isKept = state.withLock { $0.accept(Lent(connection: connection)) }
        if !isKept { discard(connection) }
    }

    private func discard(_ connection: Connection) {
        connection.close()
        state.withLock { $0.removed() }
    }
}

/// A connection on its way between threads.
///
/// Sendable because the pool hands it to one thread at a time, under its lock.
private struct Lent: @unchecked Sendable {
    let connection: Connection
}

/// A thread that waits for a connection; `granted` is touched only under the pool's lock.
private final class Waiter: @unchecked Sendable {
    let signal = DispatchSemaphore(value: 0)
    private var granted: Lent?

    func grant(_ lent: Lent?) {
        granted = lent
        signal.signal()
    }

    func take() -> Lent? {
        defer { granted = nil }
        return granted
    }
}

extension Pool {
    /// Who has what; every change happens under the lock.
    private struct State {
        var idle: [Lent] = []
        /// Connections that exist or are being made.
        var open = 0
        var waiters: [Waiter] = []
        var isClosed = false
        var failures = 0
        var lastError: PostgresError?
        /// After six failed attempts, which take about two seconds, and with no connection left that could come back.
        var isAway: Bool { failures >= 6 && open <= (isProbing ? 1 : 0) }
        private var isProbing = false
        private var retryAt = Deadline(milliseconds: 0)

        mutating func step(limit: Int, deadline: Deadline) -> Step {
            guard !isClosed else { return .closed }
            if let lent = idle.popLast() { return .use(lent) }
            if open < limit, failures == 0 || (!isProbing && retryAt.hasPassed) {
                open += 1
                isProbing = failures > 0
                return .connect
            }
            let waiter = Waiter()
            waiters.append(waiter)
            let isBackingOff = failures > 0 && !isProbing && open < limit
            return .wait(waiter, isBackingOff ? .earlier(retryAt, deadline) : deadline)
        }

        mutating func connected() {
            let wasAway = failures > 0
            failures = 0
            lastError = nil
            isProbing = false
            if wasAway { wakeAll() }
        }

        mutating func failed(_ error: PostgresError) {
            open -= 1
            failures += 1
            lastError = error
            isProbing = false
            // 50 ms doubling to 1 s, with up to half more by chance so that processes do not come in step.
            let pause = min(1_000, 50 << min(failures - 1, 5))
            retryAt = Deadline(milliseconds: pause + Int.random(in: 0...(pause / 2)))
            wakeAll()
        }

        /// Hands a connection to the first waiter or keeps it; false when the pool is closed.
        mutating func accept(_ lent: Lent) -> Bool {
            guard !isClosed else { return false }
            if waiters.isEmpty {
                idle.append(lent)
            } else {
                waiters.removeFirst().grant(lent)
            }
            return true
        }

        mutating func removed() {
            open -= 1
            if !waiters.isEmpty { waiters.removeFirst().grant(nil) }
        }

        private mutating func wakeAll() {
            for waiter in waiters { waiter.grant(nil) }
            waiters = []
        }
    }
}

extension PostgresError {
    /// A wrong password or database name does not mend itself.
    fileprivate var isWorthRetrying: Bool {
        !["28P01", "28000", "3D000"].contains(code)
    }
}
