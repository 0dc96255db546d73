import Logging
import Postgres

/// Why an operation was refused. The cases mirror the contract's errors; the edges turn each into a wire error or a sentence beside a field.
public enum OperationError: Error, Equatable, Sendable {
    /// A malformed or out-of-range value. `field` is the contract's member name where one is to blame.
    case invalidInput(String, field: String? = nil)
    case notFound(String)
    case alreadyExists(String)
    /// A dependency or a state forbids the call.
    case inUse(String)
    case limitExceeded(String)
    case invalidNextToken
    case tooManyTags(String)
    case tooManyTagKeys(String)
    /// The caller may not do this.
    case accessDenied(String)
    /// The database or a file cannot be reached, or the outcome is unknown: try again. Never a refusal of what was asked.
    case unavailable(String)
    /// The disk is almost full: nothing more is stored until somebody makes room. Sending it again later is right.
    case insufficientStorage(String)

    /// Nothing was wrong with what was asked.
    public var isOutage: Bool {
        switch self {
        case .unavailable, .insufficientStorage: true
        default: false
        }
    }

    public var message: String {
        switch self {
        case .invalidInput(let text, _), .notFound(let text), .alreadyExists(let text), .inUse(let text), .limitExceeded(let text),
            .tooManyTags(let text), .tooManyTagKeys(let text), .accessDenied(let text), .unavailable(let text),
            .insufficientStorage(let text):
            text
        case .invalidNextToken: "The nextToken was not issued by this operation with these arguments."
        }
    }
}

extension OperationError {
    /// The one place where an error of a lower layer becomes an operation's.
    public init(_ error: any Error) {
        switch error {
        case let error as OperationError: self = error
        case let error as PostgresError: self = OperationError(postgres: error)
        default:
            Logger(label: "tastemaker").error("internal error", metadata: ["error": "\(error)"])
            self = .unavailable("An internal error occurred; the log has it.")
        }
    }

    init(postgres error: PostgresError) {
        if let known = OperationError.byConstraint(error) {
            self = known
        } else if error.isDiskFull {
            self = .insufficientStorage("The disk of the database is full. Nothing was stored.")
        } else {
            self = .unavailable("The database cannot answer: \(error.message)")
        }
    }

    /// Constraints that a caller can run into between our check and the write, by name.
    private static func byConstraint(_ error: PostgresError) -> OperationError? {
        let constraint = error.constraint
        if error.isUniqueViolation {
            switch constraint {
            case "dataset_type_unique": return .alreadyExists("The dataset group already has a dataset of this type.")
            case "event_tracker_group_unique": return .alreadyExists("The dataset group already has an event tracker.")
            case "job_unique_key": return .inUse("The same work is already waiting or running.")
            default: return .alreadyExists("Another resource with this name already exists.")
            }
        }
        if error.isForeignKeyViolation {
            return .inUse("The resource is in use by, or refers to, another resource (\(constraint)).")
        }
        if error.isCheckViolation {
            return .invalidInput("A value is not allowed here (\(constraint)).")
        }
        return nil
    }
}
