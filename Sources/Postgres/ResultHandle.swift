import CPostgres

/// Owner of a libpq result.
///
/// Sendable because a finished result never changes and libpq reads it without hidden state.
final class ResultHandle: @unchecked Sendable {
    let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) {
        self.pointer = pointer
    }

    deinit {
        PQclear(pointer)
    }

    var status: ExecStatusType { PQresultStatus(pointer) }
    var rowCount: Int { Int(PQntuples(pointer)) }
    var columnCount: Int { Int(PQnfields(pointer)) }
    /// Rows that the statement changed or returned; 0 for statements without a count.
    var affectedRows: Int { Int(String(cString: PQcmdTuples(pointer))) ?? 0 }
    var commandTag: String { String(cString: PQcmdStatus(pointer)) }

    func columnName(_ column: Int) -> String {
        guard let name = PQfname(pointer, Int32(column)) else { return "\(column)" }
        return String(cString: name)
    }
}
