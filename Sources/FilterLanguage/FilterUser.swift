/// What the IF of a filter knows about the current user: the values of the user's row in Users.
public struct FilterUser: Sendable {
    private let values: [String: ColumnValue]

    /// - Parameter values: by column name, in any case; columns that are absent are null.
    public init(_ values: [String: ColumnValue]) {
        self.values = Dictionary(values.map { ($0.key.uppercased(), $0.value) }) { first, _ in first }
    }

    /// The user of one row of a table of users.
    public init(row: Int, of users: ItemColumns) {
        var values: [String: ColumnValue] = [:]
        for (index, definition) in users.definitions.enumerated() {
            values[definition.name.uppercased()] = users.value(row: row, columnIndex: index)
        }
        self.values = values
    }

    subscript(name: String) -> ColumnValue { values[name] ?? .null }
}
