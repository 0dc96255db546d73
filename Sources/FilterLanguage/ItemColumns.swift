/// A value of one column in one row.
public enum ColumnValue: Sendable {
    case null
    /// In a column that holds several values: all of them, separated by `|`.
    case text(String)
    /// NaN counts as null.
    case number(Double)
}

/// How a column is stored.
public struct ColumnDefinition: Sendable {
    public enum Kind: Sendable, Equatable {
        /// - Parameter isMultiValued: split at `|`, as categorical columns are; empty parts are dropped.
        case text(isMultiValued: Bool)
        case number
    }

    /// Matched without regard to case.
    public let name: String
    public let kind: Kind

    public init(_ name: String, _ kind: Kind) {
        self.name = name
        self.kind = kind
    }
}

/// The rows that a filter selects among (items, users or actions) by columns, immutable and shared between threads.
///
/// A base table with an index of each text value, and over it a small table of the rows that changed since. An evaluation reads the
/// base's index and then corrects the changed rows one by one, so that `updating` costs in proportion to the changed rows, not to the table.
public struct ItemColumns: Sendable {
    public let definitions: [ColumnDefinition]
    public let rowCount: Int

    let base: ColumnTable
    let overlay: ColumnTable
    /// The row that each row of the overlay stands for: ascending.
    let overlayRows: [Int32]

    private static let smallestOverlayBound = 512

    init(base: ColumnTable) {
        definitions = base.definitions
        rowCount = base.rowCount
        self.base = base
        overlay = ColumnTable(definitions: base.definitions, rowCount: 0, columns: base.definitions.map { TableColumn(empty: $0.kind) })
        overlayRows = []
    }

    private init(base: ColumnTable, overlay: ColumnTable, overlayRows: [Int32], rowCount: Int) {
        definitions = base.definitions
        self.rowCount = rowCount
        self.base = base
        self.overlay = overlay
        self.overlayRows = overlayRows
    }

    /// The value in a row, nil for an unknown column.
    public func value(row: Int, column name: String) -> ColumnValue? {
        guard let column = base.index(of: name) else { return nil }
        return value(row: row, columnIndex: column)
    }

    /// This table with some rows replaced and others added behind the last; values are in the order of `definitions`, missing ones null.
    ///
    /// Costs the values of all rows changed since the base was built. When those pass a sixteenth of the base (at least 512 rows), a new
    /// base is built, which costs as much as the first one. Of several changes of one row the last counts.
    public func updating(_ changes: [(row: Int, values: [ColumnValue])], appending: [[ColumnValue]] = []) -> ItemColumns {
        var changed: [Int32: [ColumnValue]] = [:]
        for (position, row) in overlayRows.enumerated() { changed[row] = overlay.values(row: position) }
        for (row, values) in changes {
            precondition(row >= 0 && row < rowCount, "a changed row must exist")
            changed[Int32(row)] = values
        }
        for (position, values) in appending.enumerated() { changed[Int32(rowCount + position)] = values }
        let newCount = rowCount + appending.count
        if changed.count > max(Self.smallestOverlayBound, base.rowCount / 16) {
            return rebuilt(with: changed, rowCount: newCount)
        }
        let rows = changed.keys.sorted()
        var builder = ItemColumnsBuilder(definitions)
        for row in rows { builder.append(changed[row] ?? []) }
        return ItemColumns(base: base, overlay: builder.table(), overlayRows: rows, rowCount: newCount)
    }

    private func rebuilt(with changed: [Int32: [ColumnValue]], rowCount: Int) -> ItemColumns {
        var builder = ItemColumnsBuilder(definitions)
        builder.reserveCapacity(rowCount)
        for row in 0..<rowCount { builder.append(changed[Int32(row)] ?? base.values(row: row)) }
        return builder.build()
    }

    func value(row: Int, columnIndex: Int) -> ColumnValue {
        let (table, position) = place(of: row)
        return table.columns[columnIndex].value(row: position)
    }

    /// The texts in a row of a text column; empty for null.
    func texts(row: Int, column name: String) -> [ByteString] {
        guard let index = base.index(of: name) else { return [] }
        let (table, position) = place(of: row)
        guard case .text(let column) = table.columns[index] else { return [] }
        return column.values(row: position)
    }

    /// The number in a row of a number column; nil for null.
    func number(row: Int, column name: String) -> Double? {
        guard let index = base.index(of: name) else { return nil }
        guard case .number(let number) = value(row: row, columnIndex: index) else { return nil }
        return number
    }

    /// The rows for which a test of one column holds. A column that the table lacks is null in every row.
    func rows(where name: String, _ test: ColumnTest) -> RowBitmap {
        guard let index = base.index(of: name) else { return RowBitmap(count: rowCount, filled: test.holdsForNull) }
        let baseRows = base.columns[index].rows(where: test, rowCount: base.rowCount)
        guard !overlayRows.isEmpty else { return baseRows }
        var rows = rowCount == base.rowCount ? baseRows : baseRows.extended(to: rowCount)
        let corrections = overlay.columns[index].rows(where: test, rowCount: overlay.rowCount)
        for (position, row) in overlayRows.enumerated() { rows[Int(row)] = corrections[position] }
        return rows
    }

    private func place(of row: Int) -> (ColumnTable, Int) {
        var low = 0
        var high = overlayRows.count
        while low < high {
            let middle = (low + high) / 2
            if overlayRows[middle] < row { low = middle + 1 } else { high = middle }
        }
        return low < overlayRows.count && overlayRows[low] == row ? (overlay, low) : (base, row)
    }
}
