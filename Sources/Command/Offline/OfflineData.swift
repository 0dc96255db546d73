import Feeds
import Foundation
import Ranking

/// A folder in Personalize's layout, read into memory: interactions.csv, and items.csv and users.csv where they exist, each
/// packed with gzip or not.
struct OfflineData {
    var users = IDTable()
    var items = IDTable()
    var interactions = TrainingData()
    /// Items of items.csv.
    var catalog: [Int32] = []
    private(set) var seconds = 0.0

    init(folder: String) throws {
        let start = ContinuousClock.now
        guard let path = Self.file("interactions", in: folder) else {
            throw Failure("\(folder) has no interactions.csv and no interactions.csv.gz.")
        }
        var reader = InteractionReader(path: path)
        try reader.read()
        (users, items, interactions) = (reader.rows.users, reader.rows.items, reader.rows.named())
        guard interactions.count > 0 else { throw Failure("\(path) holds no interactions.") }
        if let path = Self.file("items", in: folder) {
            var metadata = MetadataReader(path: path, idColumn: "ITEM_ID")
            interactions.itemMetadata = try metadata.read(&items)
            catalog = metadata.ids
        }
        if let path = Self.file("users", in: folder) {
            var metadata = MetadataReader(path: path, idColumn: "USER_ID")
            interactions.userMetadata = try metadata.read(&users)
        }
        seconds = start.duration(to: .now).seconds
    }

    /// Events by type, the most frequent one's index.
    var commonType: Int16 {
        var counts = [Int](repeating: 0, count: max(1, interactions.eventTypeNames.count))
        for type in interactions.eventTypes { counts[Int(type)] += 1 }
        return Int16(counts.indices.max { counts[$0] < counts[$1] || (counts[$0] == counts[$1] && $0 > $1) } ?? 0)
    }

    static func file(_ name: String, in folder: String) -> String? {
        ["\(folder)/\(name).csv", "\(folder)/\(name).csv.gz"].first { FileManager.default.fileExists(atPath: absolutePath($0)) }
    }
}

/// The columns of a CSV file by name, with errors that say where.
struct ColumnReader {
    struct Column {
        var name: String
        var isRequired: Bool

        init(_ name: String, required: Bool = true) {
            self.name = name
            isRequired = required
        }
    }

    let path: String
    let columns: [Column]

    /// Added to the lines in errors, where the bytes are not those of the whole file.
    var lineOffset = 0

    init(path: String, columns: [Column]) { (self.path, self.columns) = (path, columns) }

    /// `row` gets the field's place for each of `columns`, nil for an optional one that the file does not have.
    /// `names` gets the header's names before the first row.
    func read(names known: @escaping ([String]) -> Void = { _ in }, row: (borrowing CSVRow, [Int?]) throws -> Void) throws {
        try read(from: .file(FileBytes(path: path)), names: known, row: row)
    }

    /// As above, of the pieces that `source` hands over.
    func read(
        from source: ByteSource, names known: @escaping ([String]) -> Void, row: (borrowing CSVRow, [Int?]) throws -> Void
    ) throws {
        var reader = CSVReader()
        var places: [Int?] = []
        let header: ([String]) throws -> Void = { names in
            known(names)
            places = try columns.map { column in
                let place = names.firstIndex { $0.uppercased().utf8.elementsEqual(column.name.utf8) }
                guard place != nil || !column.isRequired else { throw Failure("\(path): the column \(column.name) is missing.") }
                return place
            }
        }
        let rejected: (RowError) throws -> Void = { error in
            throw Failure("\(path) line \(error.line + lineOffset): \(error.reason).")
        }
        do {
            try source.read { try reader.read($0, header: header, row: { try row($0, places) }, rejected: rejected) }
            try reader.finish(header: header, row: { try row($0, places) }, rejected: rejected)
        } catch let error as RowError {
            throw Failure("\(path) line \(error.line + lineOffset): \(error.reason).")
        }
        if reader.header == nil { throw Failure("\(path) is empty: its first line names the columns.") }
    }
}
