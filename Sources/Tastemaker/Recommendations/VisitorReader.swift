import Dispatch
import Postgres
import Locks

/// The point read within its time box, on connections of its own, so that a slow database delays an answer by a box for its turn and a box
/// for its statement.
///
/// Reads that come while others are under way wait for the next statement and share it (as group commit does for writes): a lone read
/// waits for nobody, and under load the cost of a round trip is divided. Whoever's turn it is runs the statement for all; there is no
/// thread of its own to wake.
final class VisitorReader: Sendable {
    /// Statements under way at once; one waits in the server while the answer of the other is taken apart.
    private static let statementLimit = 2
    private static let batchLimit = 32

    fileprivate struct State {
        var waiting: [Ticket] = []
        var statements = 0
        var failures = 0
        var closedUntil: ContinuousClock.Instant?
    }

    private let pool: Pool
    private let milliseconds: Int
    private let state = Lock(State())

    /// - Parameter milliseconds: the time box.
    init(_ environment: Environment, milliseconds: Int) {
        self.milliseconds = milliseconds
        pool = environment.database.sibling(limit: VisitorReader.statementLimit, timeoutMilliseconds: milliseconds) { settings in
            settings.statementTimeoutMilliseconds = milliseconds
            settings.graceMilliseconds = milliseconds / 2
            settings.connectTimeoutMilliseconds = max(1000, milliseconds)
            // A handful of keys against large tables: nothing but index look-ups is ever right, whatever the statistics say just now.
            settings.onConnect.append(
                """
                SELECT set_config('enable_seqscan', 'off', false), set_config('enable_hashjoin', 'off', false),
                    set_config('enable_mergejoin', 'off', false), set_config('plan_cache_mode', 'force_generic_plan', false)
                """)
        }
    }

    /// Nil for a group that is gone. `withActions`: of a user alone, also what the user did with actions.
    /// - Throws: when the database did not answer within the box. After three failures in a row one request tries every half second, the
    ///   others are told at once.
    func read(groupID: Int32, userID: String?, anonymousID: String?, withActions: Bool = false) throws -> VisitorReading? {
        guard let userID, let anonymousID, !userID.utf8.elementsEqual(anonymousID.utf8) else {
            let key = VisitorKey(
                groupID: groupID, externalID: userID ?? anonymousID ?? "", withAliases: userID != nil, withActions: withActions)
            guard var reading = try read([key])[0] else { return nil }
            if anonymousID != nil { reading.anonymousID = reading.userID }
            if userID == nil { reading.userID = nil }
            return reading
        }
        let both = try read([
            VisitorKey(groupID: groupID, externalID: userID, withAliases: true),
            VisitorKey(groupID: groupID, externalID: anonymousID, withAliases: false),
        ])
        guard var reading = both[0] else { return nil }
        reading.anonymousID = both[1]?.userID
        reading.history = VisitorReading.merge(reading.history, both[1]?.history ?? [])
        return reading
    }

    /// As many readings as keys.
    private func read(_ keys: [VisitorKey]) throws -> [VisitorReading?] {
        let ticket = Ticket(keys)
        let isFirst = try state.withLock { state throws(PostgresError) in
            try state.letIn()
            if state.statements < VisitorReader.statementLimit {
                state.statements += 1
                return true
            }
            state.waiting.append(ticket)
            return false
        }
        if isFirst {
            run([ticket])
        } else {
            if let batch = wait(ticket) { run(batch) }
        }
        return try ticket.result()
    }

    /// Waits for the ticket's result or its turn to lead, which comes with a batch.
    private func wait(_ ticket: Ticket) -> [Ticket]? {
        if let call = ticket.call(within: milliseconds) { return call }
        let hasLeft = state.withLock { state in
            let count = state.waiting.count
            state.waiting.removeAll { $0 === ticket }
            return state.waiting.count < count
        }
        // Whom somebody has taken out of the queue will be called, and a turn to lead must not get lost.
        return hasLeft ? nil : ticket.call(within: 60_000) ?? nil
    }

    /// Runs one statement for the batch, then hands the turn on to those who came meanwhile.
    private func run(_ batch: [Ticket]) {
        let result = Result { try pool.withConnection { try VisitorQueries.read(batch.flatMap(\.keys), $0) } }
        let next = state.withLock { state in
            state.note(isFailure: (try? result.get()) == nil)
            let next = Array(state.waiting.prefix(VisitorReader.batchLimit))
            state.waiting.removeFirst(next.count)
            if next.isEmpty { state.statements -= 1 }
            return next
        }
        next.first?.lead(next)
        var position = 0
        for ticket in batch {
            ticket.finish(result.map { Array($0[position..<position + ticket.keys.count]) })
            position += ticket.keys.count
        }
    }
}

extension VisitorReader.State {
    /// - Throws: while the database is taken to be away.
    mutating func letIn() throws(PostgresError) {
        guard let until = closedUntil else { return }
        guard ContinuousClock.now >= until else { throw PostgresError(.poolTimeout, "The database did not answer in time lately.") }
        closedUntil = .now + .milliseconds(500)
    }

    mutating func note(isFailure: Bool) {
        failures = isFailure ? failures + 1 : 0
        closedUntil = failures >= 3 ? .now + .milliseconds(500) : nil
    }
}

/// One request that waits for its reading, or for its turn to read for others.
private final class Ticket: Sendable {
    private struct State {
        var batch: [Ticket]?
        var result: Result<[VisitorReading?], any Error>?
    }

    let keys: [VisitorKey]
    private let state = Lock(State())
    private let signal = DispatchSemaphore(value: 0)

    init(_ keys: [VisitorKey]) {
        self.keys = keys
    }

    func lead(_ batch: [Ticket]) {
        state.withLock { $0.batch = batch }
        signal.signal()
    }

    func finish(_ result: Result<[VisitorReading?], any Error>) {
        state.withLock { $0.result = result }
        signal.signal()
    }

    /// Nil: not called in time; else the batch to lead, if any.
    func call(within milliseconds: Int) -> [Ticket]?? {
        guard signal.wait(timeout: .now() + .milliseconds(milliseconds)) == .success else { return .none }
        return .some(state.withLock { $0.batch })
    }

    func result() throws -> [VisitorReading?] {
        try state.withLock { state in
            guard let result = state.result else { throw PostgresError(.poolTimeout, "The database did not answer in time.") }
            return try result.get()
        }
    }
}
