/// A filter that fits the columns of a dataset group and can be evaluated.
public struct CheckedFilter: Sendable {
    public let expression: FilterExpression
    let clauses: [CheckedClause]
}

struct CheckedClause: Sendable {
    let isInclude: Bool
    let groups: [[CheckedCondition]]
    let userTests: [CheckedCondition]

    var placeholders: [(name: String, offset: Int)] {
        (groups.flatMap { $0 } + userTests).flatMap(\.operands).compactMap { operand in
            guard case .placeholder(let name, let offset) = operand else { return nil }
            return (name, offset)
        }
    }
}

struct CheckedCondition: Sendable {
    enum Kind: Sendable {
        case text(isMultiValued: Bool)
        case number
        case events(FilterDataset)
    }

    /// Upper case.
    let column: String
    let kind: Kind
    let relation: FilterCondition.Relation
    /// Of the kind of the column: no `.text` in a number condition.
    let operands: [FilterOperand]

    /// Whether its rows depend on the table alone, not on the request.
    var isStatic: Bool {
        if case .events = kind { return false }
        return operands.allSatisfy(\.isLiteral)
    }
}

extension FilterExpression {
    /// Compares the fields and values with the columns: fields exist and may be filtered, sizes are compared only on numbers, values suit.
    public func checked(against schema: FilterSchema) throws(FilterError) -> CheckedFilter {
        var checked: [CheckedClause] = []
        for clause in clauses {
            var groups: [[CheckedCondition]] = []
            for group in clause.groups { groups.append(try Self.check(group, schema)) }
            checked.append(
                CheckedClause(
                    isInclude: clause.effect == .include, groups: groups, userTests: try Self.check(clause.userTests, schema)))
        }
        return CheckedFilter(expression: self, clauses: checked)
    }

    private static func check(_ conditions: [FilterCondition], _ schema: FilterSchema) throws(FilterError) -> [CheckedCondition] {
        var checked: [CheckedCondition] = []
        for condition in conditions { checked.append(try check(condition, schema)) }
        return checked
    }

    private static func check(_ condition: FilterCondition, _ schema: FilterSchema) throws(FilterError) -> CheckedCondition {
        let field = condition.field
        let column = try schema.column(of: field, at: condition.offset)
        var kind = CheckedCondition.Kind.text(isMultiValued: column.isCategorical)
        if field.dataset.isInteractions {
            kind = .events(field.dataset)
        } else if column.type == .number {
            kind = .number
        } else if !condition.relation.isEquality {
            throw FilterError(
                offset: condition.offset,
                message: "\(field.shown) holds text; \(condition.relation.rawValue) works on number fields only. Use IN or NOT IN.")
        }
        var operands: [FilterOperand] = []
        for operand in condition.operands { operands.append(try convert(operand, for: column, of: field, schema)) }
        return CheckedCondition(column: field.name, kind: kind, relation: condition.relation, operands: operands)
    }

    /// The operand as a value of the column's type.
    private static func convert(
        _ operand: FilterOperand, for column: FilterSchema.Column, of field: FilterField, _ schema: FilterSchema
    ) throws(FilterError) -> FilterOperand {
        switch operand {
        case .text(let text, let offset) where column.type == .number:
            guard let number = FilterNumber.parse(text) else {
                throw FilterError(offset: offset, message: "\(field.shown) holds numbers, and \"\(text)\" is not a number.")
            }
            return .number(number, written: text, offset: offset)
        case .number(_, let written, let offset) where column.type == .string:
            return .text(written, offset: offset)
        case .currentItem(let other, let offset):
            let otherColumn = try schema.column(of: other, at: offset)
            guard otherColumn.type == column.type else {
                throw FilterError(
                    offset: offset,
                    message: "CurrentItem.\(other.name) and \(field.shown) cannot be compared: one holds text, the other numbers.")
            }
            return operand
        default:
            return operand
        }
    }
}

/// Numbers in quotes and in request values.
enum FilterNumber {
    /// A finite decimal number with an optional exponent, spaces around it allowed; nil for anything else.
    static func parse(_ text: String) -> Double? {
        let trimmed = text.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()
        let digits = String(String.UnicodeScalarView(trimmed.flatMap(\.unicodeScalars)))
        guard digits.utf8.allSatisfy({ "0123456789.+-eE".utf8.contains($0) }), let number = Double(digits), number.isFinite else {
            return nil
        }
        return number
    }
}
