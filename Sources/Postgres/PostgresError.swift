import CPostgres

/// What went wrong between this program and PostgreSQL.
///
/// The caller branches on the `is…` properties or on `constraint`; `message` is for people.
public struct PostgresError: Error, Sendable, Hashable, CustomStringConvertible {
    public enum Kind: Sendable, Hashable {
        /// The server answered with an error; `code` is its SQLSTATE.
        case server
        /// No connection could be made.
        case connectionFailed
        /// An open connection broke; it cannot be used again.
        case connectionLost
        /// No answer within the deadline of the statement.
        case timeout
        /// No connection of the pool became free in time.
        case poolTimeout
        /// A column has another type than the program asked for, is NULL, or does not exist.
        case decoding
        /// Migrations refuse to run; the message is a sentence for the operator.
        case migration
        /// The program used the connection wrongly.
        case usage
    }

    public var kind: Kind
    /// SQLSTATE, five characters; empty unless the server sent one.
    public var code = ""
    /// ERROR, FATAL or PANIC as the server wrote it, never translated; empty unless the server sent one.
    public var severity = ""
    public var message: String
    public var detail = ""
    public var hint = ""
    public var schema = ""
    public var table = ""
    public var column = ""
    public var constraint = ""
    /// The statement may or may not have been committed: the connection broke while a commit or a write was under way.
    public var outcomeUnknown = false

    public init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    public var isConnectionLost: Bool {
        switch kind {
        case .connectionLost, .connectionFailed: return true
        default: return ["08000", "08001", "08003", "08004", "08006", "57P01", "57P02", "57P03"].contains(code)
        }
    }

    public var isTimeout: Bool { kind == .timeout || code == "57014" }
    public var isPoolTimeout: Bool { kind == .poolTimeout }
    public var isLockTimeout: Bool { code == "55P03" }
    public var isUniqueViolation: Bool { code == "23505" }
    public var isForeignKeyViolation: Bool { code == "23503" }
    public var isCheckViolation: Bool { code == "23514" }
    public var isNotNullViolation: Bool { code == "23502" }
    public var isSerializationFailure: Bool { code == "40001" || code == "40P01" }
    public var isDiskFull: Bool { code == "53100" }
    public var isReadOnly: Bool { code == "25006" }
    public var isTooManyConnections: Bool { code == "53300" }
    public var isUndefinedTable: Bool { code == "42P01" }
    public var isPermissionDenied: Bool { code == "42501" }
    public var isInvalidText: Bool { code == "22021" || code == "22P05" }
    /// Waiting and trying again may help: the database is away, busy or full, and the request itself is sound.
    public var isUnavailable: Bool {
        isConnectionLost || isTimeout || isPoolTimeout || isDiskFull || isReadOnly || code.hasPrefix("53")
    }

    public var description: String {
        var text = code.isEmpty ? message : "\(message) (SQLSTATE \(code))"
        if !detail.isEmpty { text += " " + detail }
        if !hint.isEmpty { text += " " + hint }
        if outcomeUnknown { text += " It is unknown whether the change was stored." }
        return text
    }

    static let closed = PostgresError(.connectionLost, "The connection to PostgreSQL is closed.")

    static func decoding(_ column: String, _ expected: String, _ found: String) -> PostgresError {
        var error = PostgresError(.decoding, "Column \(column) should be \(expected) but is \(found).")
        error.column = column
        return error
    }

    /// The error that a result carries.
    init(result: OpaquePointer) {
        func field(_ code: Int32) -> String {
            guard let text = PQresultErrorField(result, code) else { return "" }
            return String(cString: text)
        }
        self.init(.server, field(Field.message))
        code = field(Field.state)
        severity = field(Field.severity)
        detail = field(Field.detail)
        hint = field(Field.hint)
        schema = field(Field.schema)
        table = field(Field.table)
        column = field(Field.column)
        constraint = field(Field.constraint)
        if message.isEmpty { message = String(cString: PQresultErrorMessage(result)).trimmedLine }
    }

    /// PG_DIAG_* of postgres_ext.h, which are character macros and do not import.
    private enum Field {
        static let severity = Int32(UInt8(ascii: "V"))
        static let state = Int32(UInt8(ascii: "C"))
        static let message = Int32(UInt8(ascii: "M"))
        static let detail = Int32(UInt8(ascii: "D"))
        static let hint = Int32(UInt8(ascii: "H"))
        static let schema = Int32(UInt8(ascii: "s"))
        static let table = Int32(UInt8(ascii: "t"))
        static let column = Int32(UInt8(ascii: "c"))
        static let constraint = Int32(UInt8(ascii: "n"))
    }
}

/// An error that can carry a failure of the database: what a transaction with typed throws needs to report its own failures.
public protocol PostgresFailure: Error {
    init(_ error: PostgresError)
}

extension PostgresError: PostgresFailure {
    public init(_ error: PostgresError) { self = error }
}

extension String {
    /// Without the line ends that libpq puts after its messages.
    var trimmedLine: String {
        var view = self[...]
        while let last = view.last, last.isWhitespace { view.removeLast() }
        return view.split(separator: "\n").joined(separator: " ")
    }
}
