/// The columns of a dataset group, as far as filters care.
public struct FilterSchema: Sendable {
    public enum ColumnType: Sendable {
        case string
        /// Float, double, int and long.
        case number
        case boolean
    }

    public struct Column: Sendable {
        public let name: String
        public let type: ColumnType
        public let isTextual: Bool
        /// A categorical value may hold several, separated by `|`.
        public let isCategorical: Bool

        public init(_ name: String, _ type: ColumnType, isTextual: Bool = false, isCategorical: Bool = false) {
            self.name = name
            self.type = type
            self.isTextual = isTextual
            self.isCategorical = isCategorical
        }
    }

    private let columns: [FilterField: Column]
    private let datasets: Set<FilterDataset>

    /// - Parameter columns: a dataset that the group lacks is absent.
    public init(_ columns: [FilterDataset: [Column]]) {
        datasets = Set(columns.keys)
        let pairs = columns.flatMap { dataset, columns in columns.map { (FilterField(dataset: dataset, name: $0.name), $0) } }
        self.columns = Dictionary(pairs) { first, _ in first }
    }

    /// The column of a field, when filters may use it.
    func column(of field: FilterField, at offset: Int) throws(FilterError) -> Column {
        func refused(_ message: String) -> FilterError { FilterError(offset: offset, message: message) }
        guard datasets.contains(field.dataset) else {
            throw refused("This dataset group has no \(field.dataset.rawValue) dataset with a schema, so \(field.shown) cannot be used.")
        }
        guard let column = columns[field] else {
            throw refused("The schema of the \(field.dataset.rawValue) dataset has no field \(field.name).")
        }
        if column.isTextual { throw refused("\(field.shown) is a textual field; textual fields cannot be filtered.") }
        if column.type == .boolean { throw refused("\(field.shown) is a boolean field; boolean fields cannot be filtered.") }
        if field.dataset == .actions, Self.unfilterableActionColumns.contains(field.name) {
            throw refused("\(field.shown) cannot be filtered: expired and repeated actions are left out without a filter.")
        }
        return column
    }

    private static let unfilterableActionColumns: Set = ["EXPIRATION_TIMESTAMP", "ACTION_EXPIRATION_TIMESTAMP", "REPEAT_FREQUENCY"]
}
