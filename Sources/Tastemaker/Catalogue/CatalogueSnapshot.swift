import FilterLanguage
import Postgres
import Ranking
import Locks

/// All items of a dataset group at one revision, immutable and shared between threads. Row == item id.
///
/// A changed item costs a delta, not a load: the columns keep a base and a small overlay.
final class CatalogueSnapshot: Sendable {
    /// The revision of its newest change; nothing changed since up to the one that its holder notes.
    let revision: Int64
    let schema: CatalogueSchema
    let keys: ItemKeys
    let columns: ItemColumns
    /// Seconds since 1970; nil where nobody said.
    let createdAt: [Int64?]
    /// Rows with an Items record.
    let recorded: RowBitmap
    /// Rows that exist and are not out of stock.
    let inStock: RowBitmap
    private let filters = Lock<[Int32: PreparedFilter]>([:])
    private let selections = Lock<[SelectionKey: RowBitmap]>([:])
    private let newest = Lock<[Int32]?>(nil)
    /// By solution version.
    private let unmodelled = Lock<[Int32: [Int32]]>([:])

    /// What a promotion selects by a column's values.
    struct SelectionKey: Hashable {
        let column: String
        let values: [String]
    }

    var rowCount: Int { columns.rowCount }
    var hasRecords: Bool { recordCount > 0 }
    let recordCount: Int

    private init(
        revision: Int64, schema: CatalogueSchema, keys: ItemKeys, columns: ItemColumns, createdAt: [Int64?],
        recorded: RowBitmap
    ) {
        self.revision = revision
        self.schema = schema
        self.keys = keys
        self.columns = columns
        self.createdAt = createdAt
        self.recorded = recorded
        recordCount = recorded.popCount
        var inStock = RowBitmap(count: columns.rowCount, rows: (0..<Int32(columns.rowCount)).lazy.filter { keys.contains($0) })
        if let filter = CatalogueSnapshot.stockFilter(schema), let sold = try? filter.evaluate(items: columns, interacted: { _ in [] }) {
            inStock.and(sold)
        }
        self.inStock = inStock
    }

    /// A feed's availability `out_of_stock` takes an item out of every list.
    private static func stockFilter(_ schema: CatalogueSchema) -> CheckedFilter? {
        guard schema.column("AVAILABILITY") != nil,
            let expression = try? FilterExpression(parsing: "EXCLUDE ItemID WHERE Items.AVAILABILITY IN (\"out_of_stock\")")
        else { return nil }
        return try? expression.checked(against: FilterSchema([.items: [.init("AVAILABILITY", .string)]]))
    }

    /// Loads everything. Call inside a repeatable-read transaction, so that rows and revision belong together.
    static func load(_ groupID: Int32, schema: CatalogueSchema, revision: Int64, _ connection: Connection) throws -> CatalogueSnapshot {
        var keys = ItemKeys()
        var builder = ItemColumnsBuilder(schema.definitions)
        var createdAt: [Int64?] = []
        var recorded: [Int32] = []
        try CatalogueQueries.all(groupID, connection) { row in
            while createdAt.count < Int(row.id) {
                builder.append([])
                createdAt.append(nil)
            }
            keys.append(id: row.id, row.externalID)
            builder.append(row.attributes.map { schema.values($0, createdAt: row.createdAt) } ?? [])
            createdAt.append(row.createdAt)
            if row.attributes != nil { recorded.append(row.id) }
        }
        return CatalogueSnapshot(
            revision: revision, schema: schema, keys: keys, columns: builder.build(), createdAt: createdAt,
            recorded: RowBitmap(count: createdAt.count, rows: recorded))
    }

    /// This snapshot with what changed after `since`, and with new items; itself when nothing did.
    func updated(_ groupID: Int32, since: Int64, revision: Int64, _ connection: Connection) throws -> CatalogueSnapshot {
        var keys = keys
        var createdAt = createdAt
        var changes: [(row: Int, values: [ColumnValue])] = []
        var added: [[ColumnValue]] = []
        var newlyRecorded: [Int32] = []
        try CatalogueQueries.changed(groupID, since: since, from: Int32(rowCount), connection) { row in
            let values = row.attributes.map { schema.values($0, createdAt: row.createdAt) } ?? []
            if row.attributes != nil { newlyRecorded.append(row.id) }
            if Int(row.id) < rowCount {
                changes.append((Int(row.id), values))
                createdAt[Int(row.id)] = row.createdAt
            } else {
                while createdAt.count < Int(row.id) {
                    added.append([])
                    createdAt.append(nil)
                }
                keys.append(id: row.id, row.externalID)
                added.append(values)
                createdAt.append(row.createdAt)
            }
        }
        // Users changed, not items: everything that was worked out for this snapshot goes on.
        if changes.isEmpty, createdAt.count == rowCount { return self }
        var recorded = RowBitmap(count: createdAt.count, rows: newlyRecorded)
        self.recorded.forEach { recorded[$0] = true }
        return CatalogueSnapshot(
            revision: revision, schema: schema, keys: keys, columns: columns.updating(changes, appending: added),
            createdAt: createdAt, recorded: recorded)
    }

    /// The filter with what depends on the catalogue alone evaluated once for this snapshot.
    func prepared(_ filter: CheckedFilter, id: Int32) -> PreparedFilter {
        if let known = filters.withLock({ $0[id] }) { return known }
        let prepared = filter.prepared(for: columns)
        filters.withLock { $0[id] = prepared }
        return prepared
    }

    /// Rows that have one of the values in a column.
    func rows(column: String, values: [String]) -> RowBitmap {
        let key = SelectionKey(column: column, values: values)
        if let known = selections.withLock({ $0[key] }) { return known }
        var rows = RowBitmap(count: rowCount)
        if let name = schema.column(column)?.name,
            let filter = CatalogueSnapshot.selectionFilter(name)
        {
            for value in values {
                let quoted = value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
                guard let request = try? FilterValues(parsing: ["V": "\"\(quoted)\""]),
                    let found = try? filter.evaluate(items: columns, values: request, interacted: { _ in [] })
                else { continue }
                rows.or(found)
            }
        }
        selections.withLock { selections in
            if selections.count >= 1000 { selections.removeAll() }
            selections[key] = rows
        }
        return rows
    }

    private static func selectionFilter(_ column: String) -> CheckedFilter? {
        guard let expression = try? FilterExpression(parsing: "INCLUDE ItemID WHERE Items.\(column) IN ($V)") else { return nil }
        return try? expression.checked(against: FilterSchema([.items: [.init(column, .string)]]))
    }

    /// The newest of the items that a model has no row for.
    func newItems(unknownTo model: ServedModel) -> [Int32] {
        if let known = unmodelled.withLock({ $0[model.versionID] }) { return known }
        let items = Array(newestRows.lazy.filter { !model.model.hasEvents(item: $0) }.prefix(500))
        unmodelled.withLock { $0[model.versionID] = items }
        return items
    }

    static let newestLimit = 5000

    /// Recorded items, newest first; where no time is known, later ids first.
    var newestRows: [Int32] {
        if let known = newest.withLock({ $0 }) { return known }
        var rows: [Int32] = []
        recorded.forEach { rows.append(Int32($0)) }
        if rows.isEmpty { rows = (0..<Int32(rowCount)).filter { keys.contains($0) } }
        rows.sort { (createdAt[Int($0)] ?? .min, $0) > (createdAt[Int($1)] ?? .min, $1) }
        let kept = Array(rows.prefix(CatalogueSnapshot.newestLimit))
        newest.withLock { $0 = kept }
        return kept
    }
}
