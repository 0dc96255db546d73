import Feeds
import Ranking

/// Reads items.csv or users.csv: the id, and every other column as its values' shape tells. Of records of the same id the last holds.
struct MetadataReader {
    let path: String
    let idColumn: String
    private(set) var ids: [Int32] = []

    /// Tells when an item or user came into being, not what it is like.
    private static let leftOut = "CREATION_TIMESTAMP"

    init(path: String, idColumn: String) {
        (self.path, self.idColumn) = (path, idColumn)
    }

    mutating func read(_ table: inout IDTable) throws -> MetadataTable {
        var names: [String] = []
        var columns: [[String]] = []
        var recordOfID: [Int32: Int] = [:]
        try ColumnReader(path: path, columns: [.init(idColumn)]).read(
            names: { header in
                names = header
                columns = Array(repeating: [], count: header.count)
            },
            row: { row, places in
                guard let place = places[0] else { return }
                guard let id = InteractionRows.number(row, place, &table) else {
                    throw Failure("\(path) line \(row.line): \(idColumn) has 1 to 256 bytes.")
                }
                let record = recordOfID[id] ?? ids.count
                if record == ids.count {
                    recordOfID[id] = record
                    ids.append(id)
                    for index in columns.indices { columns[index].append("") }
                }
                for index in columns.indices where index != place && index < row.count { columns[index][record] = row.text(index) }
            })
        let wanted = names.indices.filter { ![idColumn, Self.leftOut].contains(names[$0].uppercased()) }
        return MetadataTable(ids: ids, columns: wanted.map { ColumnShape(of: columns[$0]).column(names[$0], columns[$0]) })
    }
}
