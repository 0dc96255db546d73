import Postgres

extension Environment {
    /// Reads for a report: all statements see one state of the data.
    func readReport<T>(_ body: (Connection) throws -> T) throws(OperationError) -> T {
        try read { connection in
            try connection.transaction(.repeatableRead, readOnly: true) { connection in try body(connection) }
        }
    }
}
