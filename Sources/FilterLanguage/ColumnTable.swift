/// Columns of equal length. Immutable, a class so that tables share it.
final class ColumnTable: Sendable {
    let definitions: [ColumnDefinition]
    let rowCount: Int
    let columns: [TableColumn]
    private let indexOfName: [String: Int]

    init(definitions: [ColumnDefinition], rowCount: Int, columns: [TableColumn]) {
        self.definitions = definitions
        self.rowCount = rowCount
        self.columns = columns
        let names = definitions.enumerated().map { ($1.name.uppercased(), $0) }
        indexOfName = Dictionary(names) { first, _ in first }
    }

    func index(of name: String) -> Int? { indexOfName[name] ?? indexOfName[name.uppercased()] }

    func values(row: Int) -> [ColumnValue] { columns.map { $0.value(row: row) } }
}

/// A test of one column with all values known.
enum ColumnTest {
    /// The row has one of the texts; negated: has none.
    case textIn([ByteString], isNegated: Bool)
    case numberIn([Double], isNegated: Bool)
    /// The row's number stands in the relation to the given one.
    case number(FilterCondition.Relation, Double)
    /// No row: a comparison with null.
    case never

    var holdsForNull: Bool {
        switch self {
        case .textIn(_, let isNegated), .numberIn(_, let isNegated): isNegated
        case .number, .never: false
        }
    }
}

enum TableColumn: Sendable {
    case text(TextColumn)
    /// NaN is null.
    case number([Double])

    init(empty kind: ColumnDefinition.Kind) {
        switch kind {
        case .text(let isMultiValued): self = .text(TextColumnBuilder(isMultiValued: isMultiValued).column())
        case .number: self = .number([])
        }
    }

    func value(row: Int) -> ColumnValue {
        switch self {
        case .text(let column): column.value(row: row)
        case .number(let numbers): numbers[row].isNaN ? .null : .number(numbers[row])
        }
    }

    func rows(where test: ColumnTest, rowCount: Int) -> RowBitmap {
        var rows: RowBitmap
        switch (self, test) {
        case (.text(let column), .textIn(let texts, _)): rows = column.rows(withAnyOf: texts, rowCount: rowCount)
        case (.number(let numbers), .numberIn(let wanted, _)): rows = numbers.rows(equalToAnyOf: wanted)
        case (.number(let numbers), .number(let relation, let bound)): rows = numbers.rows(relation, bound)
        // A column whose type is not the one that the filter was checked against holds nothing that could match.
        default: rows = RowBitmap(count: rowCount)
        }
        if test.holdsForNull { rows.invert() }
        return rows
    }
}

extension [Double] {
    fileprivate func rows(equalToAnyOf wanted: [Double]) -> RowBitmap {
        if wanted.count == 1 {
            let value = wanted[0]
            return rows { $0 == value }
        }
        let set = Set(wanted)
        return rows { set.contains($0) }
    }

    fileprivate func rows(_ relation: FilterCondition.Relation, _ bound: Double) -> RowBitmap {
        switch relation {
        case .less: rows { $0 < bound }
        case .lessOrEqual: rows { $0 <= bound }
        case .greater: rows { $0 > bound }
        case .greaterOrEqual: rows { $0 >= bound }
        case .equal, .isIn, .notEqual, .notIn: RowBitmap(count: count)
        }
    }

    @inline(__always)
    private func rows(where holds: (Double) -> Bool) -> RowBitmap {
        var rows = RowBitmap(count: count)
        withUnsafeBufferPointer { numbers in
            rows.words.withUnsafeMutableBufferPointer { words in
                for word in 0..<(numbers.count >> 6) {
                    var bits: UInt64 = 0
                    for bit in 0..<64 { bits |= (holds(numbers[word << 6 + bit]) ? 1 : 0) << UInt64(bit) }
                    words[word] = bits
                }
                for row in (numbers.count & ~63)..<numbers.count where holds(numbers[row]) {
                    words[row >> 6] |= 1 << UInt64(row & 63)
                }
            }
        }
        return rows
    }
}
