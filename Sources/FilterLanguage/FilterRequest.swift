/// Everything that one request brings to a filter; turns conditions into tests of one column with all values known.
struct FilterRequest {
    let items: ItemColumns
    let values: FilterValues
    let user: FilterUser?
    let currentItemRow: Int?

    /// Whether all parameters are there. An EXCLUDE without them is skipped, an INCLUDE without them refused.
    func applies(_ clause: CheckedClause) throws(FilterError) -> Bool {
        for (name, offset) in clause.placeholders where values[name] == nil {
            guard clause.isInclude else { return false }
            throw FilterError(offset: offset, message: "The filter needs a value for the parameter \(name) in filterValues.")
        }
        return true
    }

    /// Whether the IF holds for the current user. A user or a value that is missing fails every test, != and NOT IN too.
    func holds(_ tests: [CheckedCondition]) throws(FilterError) -> Bool {
        for test in tests {
            let columnTest = try self.test(test)
            guard let user, Self.holds(columnTest, test.kind, for: user[test.column]) else { return false }
        }
        return true
    }

    private static func holds(_ test: ColumnTest, _ kind: CheckedCondition.Kind, for value: ColumnValue) -> Bool {
        switch test {
        case .textIn(let wanted, let isNegated):
            guard case .text(let isMultiValued) = kind else { return false }
            let texts = value.texts(isMultiValued: isMultiValued)
            return !texts.isEmpty && texts.contains(where: wanted.contains) != isNegated
        case .numberIn(let wanted, let isNegated):
            guard let number = value.number else { return false }
            return wanted.contains(number) != isNegated
        case .number(let relation, let bound):
            guard let number = value.number else { return false }
            return switch relation {
            case .less: number < bound
            case .lessOrEqual: number <= bound
            case .greater: number > bound
            case .greaterOrEqual: number >= bound
            case .isIn, .notIn, .equal, .notEqual: false
            }
        case .never:
            return false
        }
    }

    /// The test of a condition on a column (not on events).
    func test(_ condition: CheckedCondition) throws(FilterError) -> ColumnTest {
        if case .text = condition.kind {
            var texts: [ByteString] = []
            for operand in condition.operands { texts += self.texts(operand) }
            return .textIn(texts, isNegated: condition.relation.isNegated)
        }
        var numbers: [Double] = []
        for operand in condition.operands { numbers += try self.numbers(operand, condition) }
        if condition.relation.isEquality { return .numberIn(numbers, isNegated: condition.relation.isNegated) }
        guard let bound = numbers.first else { return .never }
        guard numbers.count == 1 else {
            throw FilterError(
                offset: condition.operands[0].offset,
                message: "The comparison \(condition.column) \(condition.relation.rawValue) takes one value, not \(numbers.count).")
        }
        return .number(condition.relation, bound)
    }

    /// The event types that a condition on events asks for.
    func selection(_ condition: CheckedCondition, _ dataset: FilterDataset) throws(FilterError) -> EventTypeSelection {
        var names: [String] = []
        for operand in condition.operands {
            switch operand {
            case .any: return EventTypeSelection(dataset: dataset, names: nil)
            case .text(let text, _): names.append(text)
            case .number(_, let written, _): names.append(written)
            case .placeholder(let name, _): names += values[name] ?? []
            case .currentItem: break
            }
        }
        return EventTypeSelection(dataset: dataset, names: names.contains("*") ? nil : names)
    }

    private func texts(_ operand: FilterOperand) -> [ByteString] {
        switch operand {
        case .text(let text, _): [ByteString(text)]
        case .number(_, let written, _): [ByteString(written)]
        case .placeholder(let name, _): (values[name] ?? []).map { ByteString($0) }
        case .currentItem(let field, _): currentItemRow.map { items.texts(row: $0, column: field.name) } ?? []
        case .any: []
        }
    }

    private func numbers(_ operand: FilterOperand, _ condition: CheckedCondition) throws(FilterError) -> [Double] {
        switch operand {
        case .number(let number, _, _):
            return [number]
        case .placeholder(let name, let offset):
            var numbers: [Double] = []
            for text in values[name] ?? [] {
                guard let number = FilterNumber.parse(text) else {
                    throw FilterError(
                        offset: offset, message: "The parameter \(name) is compared with numbers, and \"\(text)\" is not a number.")
                }
                numbers.append(number)
            }
            return numbers
        case .currentItem(let field, _):
            return currentItemRow.flatMap { items.number(row: $0, column: field.name) }.map { [$0] } ?? []
        case .text, .any:
            return []
        }
    }
}
