/// What a filter selects among.
public enum FilterTarget: String, Sendable, CaseIterable {
    case item = "ItemID"
    case user = "UserID"
    case action = "ActionID"
}

/// The dataset that a condition looks at.
public enum FilterDataset: String, Sendable, CaseIterable {
    case interactions = "Interactions"
    case items = "Items"
    case users = "Users"
    case actions = "Actions"
    case actionInteractions = "Action_Interactions"

    /// Whether conditions ask what a user did, rather than what a row says.
    public var isInteractions: Bool { self == .interactions || self == .actionInteractions }
}

/// A column that a filter reads. `CurrentItem.X` is the column X of Items, `CurrentUser.X` that of Users.
public struct FilterField: Hashable, Sendable {
    public let dataset: FilterDataset
    /// Upper case, since column names are matched without regard to case.
    public let name: String

    public init(dataset: FilterDataset, name: String) {
        self.dataset = dataset
        self.name = name.uppercased()
    }

    var shown: String { "\(dataset.rawValue).\(name)" }
}

/// A `$name` in a filter.
public struct FilterPlaceholder: Hashable, Sendable {
    /// Without the sign; case matters.
    public let name: String
    /// An INCLUDE needs its values in every request; an EXCLUDE without them is skipped.
    public let isRequired: Bool
}

/// A parsed filter: right in its grammar, not yet compared with the columns of a dataset group (`checked(against:)`).
///
/// Rules that need no schema are enforced here already: one target, one dataset for each expression, what may stand where.
public struct FilterExpression: Sendable {
    /// As it was written.
    public let text: String
    public let target: FilterTarget
    /// Each parameter once, in order of appearance.
    public let placeholders: [FilterPlaceholder]
    /// Each column once, in order of appearance; at most `maximumFields`.
    public let fields: [FilterField]
    public let usesCurrentItem: Bool
    public let usesCurrentUser: Bool
    public let usesInteractions: Bool

    let clauses: [FilterClause]

    /// Unicode scalars.
    public static let maximumLength = 2500
    public static let maximumFields = 10

    /// Parses the language of the Amazon Personalize filters, with the spellings that real programs send: names and keywords in any case,
    /// either quote, `Action.` for `Actions.`, `CurrentItem` with or without parentheses. AND binds tighter than OR.
    public init(parsing text: String) throws(FilterError) {
        let scalars = Array(text.unicodeScalars.prefix(Self.maximumLength + 1))
        guard scalars.count <= Self.maximumLength else {
            throw FilterError(offset: Self.maximumLength, message: "A filter has at most 2500 characters.")
        }
        guard scalars.contains(where: { !$0.properties.isWhitespace }) else {
            throw FilterError(offset: 0, message: "The filter is empty. It starts with INCLUDE or EXCLUDE.")
        }
        var parser = FilterParser(tokens: try FilterLexer.tokens(of: scalars))
        let clauses = try parser.parse()
        self.text = text
        self.clauses = clauses
        self.target = clauses[0].target
        self.placeholders = Self.placeholders(of: clauses)
        self.fields = try Self.fields(of: clauses)
        usesCurrentItem = clauses.contains { $0.operands.contains(where: \.isCurrentItem) }
        usesCurrentUser = clauses.contains { !$0.userTests.isEmpty }
        usesInteractions = clauses.contains { $0.dataset.isInteractions }
    }

    private static func placeholders(of clauses: [FilterClause]) -> [FilterPlaceholder] {
        var required: [String: Bool] = [:]
        var names: [String] = []
        for clause in clauses {
            for case .placeholder(let name, _) in clause.operands {
                if required[name] == nil { names.append(name) }
                required[name] = required[name] == true || clause.effect == .include
            }
        }
        return names.map { FilterPlaceholder(name: $0, isRequired: required[$0] == true) }
    }

    private static func fields(of clauses: [FilterClause]) throws(FilterError) -> [FilterField] {
        var seen: Set<FilterField> = []
        var fields: [FilterField] = []
        for clause in clauses {
            for (field, offset) in clause.fieldUses where seen.insert(field).inserted {
                fields.append(field)
                guard fields.count <= maximumFields else {
                    throw FilterError(offset: offset, message: "A filter uses at most 10 different fields; this is one more.")
                }
            }
        }
        return fields
    }
}

/// One `INCLUDE … WHERE …` or `EXCLUDE … WHERE …`.
struct FilterClause: Sendable {
    enum Effect: Sendable {
        case include
        case exclude
    }

    var effect: Effect
    var target: FilterTarget
    var dataset: FilterDataset
    /// Any of these groups suffices, and in a group every condition is needed: OR of ANDs. Never empty, no group empty.
    var groups: [[FilterCondition]]
    /// The IF; empty without one. Their fields are columns of Users.
    var userTests: [FilterCondition]

    private var conditions: [FilterCondition] { groups.flatMap { $0 } + userTests }

    var operands: [FilterOperand] { conditions.flatMap(\.operands) }

    var fieldUses: [(FilterField, offset: Int)] {
        conditions.flatMap { condition in
            [(condition.field, condition.offset)]
                + condition.operands.compactMap { operand in
                    guard case .currentItem(let field, let offset) = operand else { return nil }
                    return (field, offset)
                }
        }
    }
}

/// A field and what it is held against.
struct FilterCondition: Sendable {
    enum Relation: String, Sendable {
        case isIn = "IN"
        case notIn = "NOT IN"
        case equal = "="
        case notEqual = "!="
        case less = "<"
        case lessOrEqual = "<="
        case greater = ">"
        case greaterOrEqual = ">="

        /// Whether it asks for equality with a value, or for none; the rest compares sizes.
        var isEquality: Bool {
            switch self {
            case .isIn, .notIn, .equal, .notEqual: true
            case .less, .lessOrEqual, .greater, .greaterOrEqual: false
            }
        }

        var isNegated: Bool { self == .notIn || self == .notEqual }
    }

    var field: FilterField
    var relation: Relation
    /// One operand for comparisons, one or more for IN and NOT IN.
    var operands: [FilterOperand]
    var offset: Int
}

enum FilterOperand: Sendable {
    case text(String, offset: Int)
    case number(Double, written: String, offset: Int)
    case placeholder(String, offset: Int)
    case currentItem(FilterField, offset: Int)
    /// `*` or `"*"`: any event type.
    case any(offset: Int)

    var isCurrentItem: Bool {
        if case .currentItem = self { true } else { false }
    }

    /// Whether its value is written in the filter itself.
    var isLiteral: Bool {
        switch self {
        case .text, .number, .any: true
        case .placeholder, .currentItem: false
        }
    }

    var offset: Int {
        switch self {
        case .text(_, let offset), .number(_, _, let offset), .placeholder(_, let offset), .currentItem(_, let offset), .any(let offset):
            offset
        }
    }
}
