/// Why a model could not be fitted.
public enum FitError: Error, Sendable, Equatable {
    /// A parameter of the configuration is out of its range or unknown.
    case invalidParameter(name: String, reason: String)
    /// The interactions are malformed or leave nothing to learn from.
    case unusableData(String)
    /// The fit would need more memory than its budget.
    case memoryBudget(neededBytes: Int, budgetBytes: Int)
    case cancelled

    /// One sentence for people.
    public var message: String {
        switch self {
        case .invalidParameter(let name, let reason): "Parameter \(name) \(reason)."
        case .unusableData(let sentence): sentence
        case .memoryBudget(let needed, let budget):
            "Training needs about \(needed >> 20) MB of memory, but its budget is \(budget >> 20) MB."
        case .cancelled: "Training was cancelled."
        }
    }
}

/// Why bytes were refused as a model.
public enum ModelError: Error, Sendable, Equatable {
    /// Not a model file at all.
    case foreign
    case unsupportedVersion(Int)
    case truncated(expectedBytes: Int, actualBytes: Int)
    /// Sections, shapes or checksum do not hold together; the text says which.
    case damaged(String)

    /// One sentence for people.
    public var message: String {
        switch self {
        case .foreign: "The file is not a Tastemaker model."
        case .unsupportedVersion(let version): "The model has format version \(version), which this program does not read."
        case .truncated(let expected, let actual): "The model should have \(expected) bytes but has \(actual)."
        case .damaged(let what): "The model is damaged: \(what)."
        }
    }
}
