import CPostgres

/// One connection to PostgreSQL, used by one thread at a time.
///
/// No call waits for ever: the server limits each statement, and a server that hangs is given up a little later.
/// Parameters and results travel in binary; statements are prepared at first use and kept by their text.
public final class Connection {
    public let settings: ConnectionSettings
    let wire: Wire
    private var statements: StatementCache
    /// Open transaction and savepoints, counted by `transaction`.
    var transactionDepth = 0

    public init(_ settings: ConnectionSettings) throws(PostgresError) {
        self.settings = settings
        wire = try Wire(settings)
        statements = StatementCache(limit: settings.preparedStatementLimit)
        wire.timeoutMilliseconds = settings.connectTimeoutMilliseconds
        try configure()
        limitWaiting(settings.statementTimeoutMilliseconds)
    }

    private func configure() throws(PostgresError) {
        var sql: SQL = """
            SELECT set_config('statement_timeout', \("\(settings.statementTimeoutMilliseconds)"), false),
                set_config('lock_timeout', \("\(settings.lockTimeoutMilliseconds)"), false),
                set_config('idle_in_transaction_session_timeout', \("\(settings.idleInTransactionTimeoutMilliseconds)"), false),
                set_config('TimeZone', 'UTC', false)
            """
        if !settings.searchPath.isEmpty { sql += ", set_config('search_path', \(settings.searchPath), false)" }
        _ = try run(sql, prepared: false)
        for statement in settings.onConnect { _ = try run(statement, prepared: false) }
    }

    private func limitWaiting(_ milliseconds: Int) {
        wire.timeoutMilliseconds = milliseconds == 0 ? nil : milliseconds + settings.graceMilliseconds
    }

    // MARK: Statements

    /// Runs a statement and gives its rows.
    public func query(_ sql: SQL) throws(PostgresError) -> Rows {
        Rows(try run(sql, prepared: settings.usesPreparedStatements))
    }

    /// Runs a statement and gives the number of rows it changed (or returned).
    @discardableResult
    public func execute(_ sql: SQL) throws(PostgresError) -> Int {
        try run(sql, prepared: settings.usesPreparedStatements).affectedRows
    }

    /// Runs a text of one or several statements as it stands, in one implicit transaction unless it says otherwise.
    ///
    /// For migrations, whose text comes from files of the installation: nothing that a user wrote may reach it.
    public func executeScript(_ text: String) throws(PostgresError) {
        guard !text.utf8.contains(0) else { throw PostgresError(.usage, "The SQL script holds a zero byte.") }
        _ = try guarded(wire) { wire throws(PostgresError) in try wire.perform { PQsendQuery($0, text) } }
    }

    /// Changes the time limit of the statements that follow; 0 for none.
    public func setStatementTimeout(milliseconds: Int) throws(PostgresError) {
        try execute("SELECT set_config('statement_timeout', \("\(milliseconds)"), false)")
        limitWaiting(milliseconds)
    }

    // MARK: State

    /// Open and between transactions: fit for another user.
    public var isUsable: Bool { wire.isIdle && transactionDepth == 0 }

    public var isOpen: Bool { wire.isOpen }

    /// Looks without a round trip whether the server hung up meanwhile.
    var isStillThere: Bool { wire.isStillThere() }

    /// As PostgreSQL numbers itself: 150018 is 15.18.
    public var serverVersion: Int { wire.serverVersion }

    /// Statements prepared now.
    public var preparedStatementCount: Int { statements.count }

    /// Cancels the statement that runs on this connection, from another thread. Nil when the connection is closed.
    public func makeCanceller() -> Canceller? { wire.makeCanceller() }

    public func close() { wire.close() }

    // MARK: Sending

    private func run(_ sql: SQL, prepared: Bool) throws(PostgresError) -> ResultHandle {
        let text = sql.rendered()
        return try guarded(wire) { wire throws(PostgresError) in
            guard prepared else { return try self.sendUnprepared(sql, text) }
            return try self.sendPreparedOrRenew(sql, StatementCache.Key(text: text, types: sql.slots.map(\.type)))
        }
    }

    private func sendPreparedOrRenew(_ sql: SQL, _ key: StatementCache.Key) throws(PostgresError) -> ResultHandle {
        do throws(PostgresError) {
            return try sendPrepared(sql, key)
        } catch {
            // The plan's result type changed, or a pooler dropped the statement: prepare anew, once.
            guard error.code == "0A000" || error.code == "26000" else { throw error }
            statements.forget(key)
            guard wire.isIdle else { throw error }
            return try sendPrepared(sql, key)
        }
    }

    /// A connection that breaks outside a transaction leaves open whether the statement was done.
    private func guarded(
        _ wire: Wire, _ body: (Wire) throws(PostgresError) -> ResultHandle
    ) throws(PostgresError) -> ResultHandle {
        let wasInTransaction = wire.isInTransaction
        do throws(PostgresError) {
            return try body(wire)
        } catch {
            guard !wasInTransaction, !wire.isOpen, error.kind != .usage, error != .closed else { throw error }
            var marked = error
            marked.outcomeUnknown = true
            throw marked
        }
    }

    // This one and sendUnprepared are never inlined: the optimizer of Swift 6.3.1 ends with "Found ownership error" when it
    // specializes their closures in `run`.
    @inline(never)
    private func sendPrepared(_ sql: SQL, _ key: StatementCache.Key) throws(PostgresError) -> ResultHandle {
        let name: String
        if let known = statements.name(for: key) {
            name = known
        } else {
            name = try prepare(key)
        }
        try checkCount(sql)
        return try wire.perform { handle in
            withParameters(sql) { parameters in
                PQsendQueryPrepared(
                    handle, name, parameters.count, parameters.values, parameters.lengths, parameters.formats, 1)
            }
        }
    }

    private func prepare(_ key: StatementCache.Key) throws(PostgresError) -> String {
        if let old = statements.evict() { _ = try wire.perform { PQsendQuery($0, "DEALLOCATE \(old)") } }
        let name = statements.newName()
        _ = try wire.perform { handle in
            key.text.withUnsafeBufferPointer { text in
                text.withMemoryRebound(to: CChar.self) {
                    PQsendPrepare(handle, name, $0.baseAddress, Int32(key.types.count), key.types)
                }
            }
        }
        statements.insert(name, for: key)
        return name
    }

    @inline(never)
    private func sendUnprepared(_ sql: SQL, _ text: [UInt8]) throws(PostgresError) -> ResultHandle {
        let types = sql.slots.map(\.type)
        try checkCount(sql)
        return try wire.perform { handle in
            withParameters(sql) { parameters in
                text.withUnsafeBufferPointer { text in
                    text.withMemoryRebound(to: CChar.self) {
                        PQsendQueryParams(
                            handle, $0.baseAddress, parameters.count, types, parameters.values, parameters.lengths,
                            parameters.formats, 1)
                    }
                }
            }
        }
    }

    private func checkCount(_ sql: SQL) throws(PostgresError) {
        guard sql.slots.count <= 65_535 else {
            throw PostgresError(.usage, "A statement can bind at most 65,535 values; bind arrays instead.")
        }
    }

    /// Parameter arrays as libpq wants them, valid during the call.
    private struct Parameters {
        var count: Int32
        var values: [UnsafePointer<CChar>?]
        var lengths: [Int32]
        var formats: [Int32]
    }

    private func withParameters(_ sql: SQL, _ body: (Parameters) -> Int32) -> Int32 {
        // One byte more, so that a value of length 0 at the end has an address too.
        let bytes = sql.values + [0]
        return bytes.withUnsafeBytes { buffer in
            let base = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
            return body(
                Parameters(
                    count: Int32(sql.slots.count),
                    values: sql.slots.map { slot in slot.length < 0 ? nil : base?.advanced(by: slot.offset) },
                    lengths: sql.slots.map { Int32(max(0, $0.length)) },
                    formats: sql.slots.map { $0.isText ? 0 : 1 }))
        }
    }
}
