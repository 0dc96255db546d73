/// The five dataset types; the raw value is the record name that a schema of the type carries.
public enum DatasetKind: String, Sendable, CaseIterable {
    case interactions = "Interactions"
    case items = "Items"
    case users = "Users"
    case actions = "Actions"
    case actionInteractions = "ActionInteractions"

    /// Reads a record name or a `datasetType`: the latter is written with an underscore and in any case.
    public init?(name: String) {
        let folded = name.lowercased().filter { $0 != "_" }
        guard let kind = Self.allCases.first(where: { $0.rawValue.lowercased() == folded }) else { return nil }
        self = kind
    }
}

/// The domain of a dataset group; it adds required and reserved columns.
public enum Domain: String, Sendable, CaseIterable {
    case ecommerce = "ECOMMERCE"
    case videoOnDemand = "VIDEO_ON_DEMAND"
}

/// Avro's primitive types that a dataset may use.
public enum ColumnType: String, Sendable, CaseIterable {
    case string, int, long, float, double, boolean
}

/// One field of a schema.
public struct SchemaColumn: Sendable, Equatable {
    public var name: String
    public var type: ColumnType
    public var isNullable: Bool
    public var isCategorical: Bool
    public var isTextual: Bool
    public var isItemName: Bool
    /// The contract fixes the meaning of this name in this kind of dataset.
    public internal(set) var isReserved: Bool

    public init(
        name: String, type: ColumnType, isNullable: Bool = false, isCategorical: Bool = false, isTextual: Bool = false,
        isItemName: Bool = false
    ) {
        self.name = name
        self.type = type
        self.isNullable = isNullable
        self.isCategorical = isCategorical
        self.isTextual = isTextual
        self.isItemName = isItemName
        isReserved = false
    }
}

/// Which field of a schema broke which rule.
public struct SchemaError: Error, Equatable, Sendable, CustomStringConvertible {
    /// nil when the document as a whole is wrong.
    public let field: String?
    public let reason: String

    public var description: String {
        if let field { "Field \(field): \(reason)." } else { "Schema: \(reason)." }
    }
}
