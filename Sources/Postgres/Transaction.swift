import CPostgres

public enum Isolation: Sendable {
    case readCommitted, repeatableRead, serializable
}

extension Connection {
    /// Runs `body` in a transaction: committed when it returns, rolled back when it throws.
    ///
    /// Inside another transaction it is a savepoint, and `isolation` is that of the outer one.
    /// A closure with several statements spells its error: `{ (connection) throws(PostgresError) in … }`;
    /// the error may be any type that can carry a `PostgresError`.
    @discardableResult
    public func transaction<Result, Failure: PostgresFailure>(
        _ isolation: Isolation = .readCommitted, readOnly: Bool = false,
        _ body: (Connection) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        do throws(PostgresError) { try begin(isolation, readOnly) } catch { throw Failure(error) }
        let result: Result
        do throws(Failure) {
            result = try body(self)
        } catch {
            rollback()
            throw error
        }
        do throws(PostgresError) { try commit() } catch { throw Failure(error) }
        return result
    }

    /// The same for a body that throws anything.
    @discardableResult
    @_disfavoredOverload
    public func transaction<Result>(
        _ isolation: Isolation = .readCommitted, readOnly: Bool = false,
        _ body: (Connection) throws -> Result
    ) throws -> Result {
        try begin(isolation, readOnly)
        let result: Result
        do {
            result = try body(self)
        } catch {
            rollback()
            throw error
        }
        try commit()
        return result
    }

    private func begin(_ isolation: Isolation, _ readOnly: Bool) throws(PostgresError) {
        if transactionDepth > 0 {
            try command("SAVEPOINT s\(transactionDepth)")
        } else {
            let level =
                switch isolation {
                case .readCommitted: "READ COMMITTED"
                case .repeatableRead: "REPEATABLE READ"
                case .serializable: "SERIALIZABLE"
                }
            try command("BEGIN ISOLATION LEVEL \(level)\(readOnly ? " READ ONLY" : "")")
        }
        transactionDepth += 1
    }

    private func rollback() {
        transactionDepth -= 1
        do throws(PostgresError) {
            if transactionDepth > 0 {
                try command("ROLLBACK TO SAVEPOINT s\(transactionDepth); RELEASE SAVEPOINT s\(transactionDepth)")
            } else {
                try command("ROLLBACK")
            }
        } catch {
            // The server ends the transaction of a connection that goes away.
            close()
        }
    }

    private func commit() throws(PostgresError) {
        guard transactionDepth > 1 else { return try commitOutermost() }
        do throws(PostgresError) {
            try command("RELEASE SAVEPOINT s\(transactionDepth - 1)")
            transactionDepth -= 1
        } catch {
            rollback()
            throw error
        }
    }

    private func commitOutermost() throws(PostgresError) {
        transactionDepth = 0
        let tag: String
        do throws(PostgresError) {
            tag = try command("COMMIT")
        } catch {
            guard error.leavesCommitOpen, error != .closed else { throw error }
            var marked = error
            marked.outcomeUnknown = true
            throw marked
        }
        // The server answers COMMIT of a failed transaction by rolling back.
        guard tag == "COMMIT" else {
            throw PostgresError(.usage, "The transaction was rolled back, as a statement in it had failed and the failure was ignored.")
        }
    }

    @discardableResult
    private func command(_ text: String) throws(PostgresError) -> String {
        try wire.perform { PQsendQuery($0, text) }.commandTag
    }
}

extension PostgresError {
    /// An ordinary error refuses the commit; anything worse (broken connection, input/output error, panic) may come after it was written.
    fileprivate var leavesCommitOpen: Bool {
        kind != .server || severity != "ERROR" || code.hasPrefix("58") || code.hasPrefix("XX")
    }
}
