import Feeds
import JSON
import Storage

/// What a file that was given to us most likely holds, and the schema and rows that it would make. For a person to confirm.
public struct UploadPreview: Sendable {
    /// One column of the file, or of the feed.
    public struct Column: Sendable, Equatable {
        public let header: String
        /// Of the proposed schema; nil when the column is left out.
        public let name: String?
        /// Such as `string, categorical`; nil when the column is left out.
        public let type: String?
        public let reason: String
        public let example: String
    }

    public let fileName: String
    public let format: ImportFormat
    public let type: DatasetType
    /// Why this type.
    public let reason: String
    /// Why the file cannot be imported; nil when it can.
    public private(set) var problem: String?
    public private(set) var columns: [Column]
    /// The proposed schema as Avro's JSON; nil when there is none.
    public private(set) var schemaText: String?
    /// Names of `rows`' values.
    public private(set) var rowHeader: [String]
    /// The first ten rows as they would be stored.
    public private(set) var rows: [[String]]
    /// Rows among the first that would be refused, as sentences.
    public let rejected: [String]
    /// Guessed from the columns' roles.
    public let displayColumns: DisplayColumns
    /// The feed's currency, where it names one.
    public let currency: String?
    let schema: AvroSchema?
    let mapping: ColumnMapping?
}

extension UploadPreview {
    init(fileName: String, guess: ColumnGuess) {
        self.fileName = fileName
        format = .csv
        type = DatasetType.allCases.first { $0.kind == guess.kind } ?? .items
        reason = guess.reason
        problem =
            guess.problem
            ?? (guess.preview.isEmpty && guess.rejected.isEmpty
                ? "No row can be read: there is none beside the header, or a quotation mark is left open." : nil)
        columns = guess.columns.map { column in
            Column(
                header: column.header, name: column.column?.name, type: column.column?.phrase, reason: column.reason,
                example: column.example)
        }
        schema = guess.schema
        schemaText = guess.schema?.text
        mapping = ColumnMapping(delimiter: guess.delimiter, sources: guess.sources)
        let others = guess.schema.map(ImportSource.otherColumns) ?? []
        rowHeader = guess.schema?.columns.map(\.name) ?? []
        let names = rowHeader
        rows = guess.preview.map { row in names.map { row.text(of: $0, others: others) } }
        rejected = guess.rejected.map(\.description)
        func column(_ role: ColumnRole) -> String? { guess.columns.first { $0.role == role }?.column?.name }
        displayColumns = DisplayColumns(
            title: column(.title), link: column(.link), image: column(.image), price: guess.schema?.column(named: "PRICE")?.name,
            category: column(.category), brand: guess.schema?.column(named: "BRAND")?.name)
        currency = nil
    }

    /// Of a product feed, from its first items.
    init(fileName: String, items: [FeedItem], rejected: [RowError], problem: String?) {
        self.fileName = fileName
        format = .merchantFeed
        type = .items
        reason = "The file is a merchant product feed."
        let schema = try? AvroSchema(kind: .items, columns: [SchemaColumn(name: "ITEM_ID", type: .string)] + FeedItem.columns)
        self.schema = schema
        schemaText = schema?.text
        self.problem = problem ?? (items.isEmpty ? "The feed has no item that can be read." : nil)
        mapping = nil
        columns = (schema?.columns ?? []).map { column in
            let example =
                column.name == "ITEM_ID"
                ? items.first.map { String(decoding: $0.id, as: UTF8.self) } : items.first?.values[column.name]?.text
            return Column(header: column.name, name: column.name, type: column.phrase, reason: "", example: example ?? "")
        }
        let used = FeedItem.columns.map(\.name).filter { name in items.contains { $0.values[name] != nil } }
        rowHeader = ["ITEM_ID"] + used
        rows = items.prefix(10).map { item in [String(decoding: item.id, as: UTF8.self)] + used.map { item.values[$0]?.text ?? "" } }
        self.rejected = rejected.map(\.description)
        displayColumns = DisplayColumns(
            title: "TITLE", link: "LINK", image: "IMAGE_LINK", price: "PRICE", category: "CATEGORY", brand: "BRAND")
        currency = items.lazy.compactMap { $0.values["CURRENCY"]?.text }.first
    }
}

extension UploadPreview {
    /// As it would be stored in a dataset that is there already, which keeps its schema.
    func within(_ existing: AvroSchema) -> UploadPreview {
        var preview = self
        func isKept(_ name: String) -> Bool { existing.columns.contains { $0.name.utf8.elementsEqual(name.utf8) } }
        preview.columns = columns.map { column in
            guard let name = column.name, !isKept(name) else { return column }
            return Column(
                header: column.header, name: nil, type: nil,
                reason: "The dataset has a schema already, and \(name) is not in it.", example: column.example)
        }
        let places = rowHeader.indices.filter { isKept(rowHeader[$0]) }
        preview.rowHeader = places.map { rowHeader[$0] }
        preview.rows = rows.map { row in places.map { row[$0] } }
        preview.schemaText = nil
        let missing = missing(of: existing)
        if !missing.isEmpty {
            preview.problem = preview.problem ?? "The file has no column for \(missing.joined(separator: ", ")) of the dataset's schema."
        }
        return preview
    }

    /// Columns of a dataset's schema that the file does not fill; a feed fills what it has.
    func missing(of existing: AvroSchema) -> [String] {
        if format == .merchantFeed { return [] }
        let offered = mapping?.sources.map(\.column) ?? []
        return existing.columns.map(\.name).filter { name in !offered.contains { $0.utf8.elementsEqual(name.utf8) } }
    }
}

/// The first part of an upload, unpacked.
enum UploadSample {
    static let byteLimit = 1 << 20
    static let itemLimit = 200

    static func preview(fileName: String, in folder: String) throws -> UploadPreview {
        let store = try FolderStore(path: folder)
        let bytes = try read(store, fileName)
        let isXML = bytes.first { ![0x20, 0x09, 0x0A, 0x0D, 0xEF, 0xBB, 0xBF].contains($0) } == UInt8(ascii: "<")
        if !isXML {
            let guess = try ColumnGuess(fileName: fileName, sample: bytes)
            guard guess.layout == .merchantFeed else { return UploadPreview(fileName: fileName, guess: guess) }
        }
        return feed(bytes, fileName, isWhole: bytes.count < byteLimit)
    }

    private static func read(_ store: FolderStore, _ name: String) throws -> [UInt8] {
        let chunks = FileChunks(reader: try store.open(name, chunkSize: 1 << 18), limit: byteLimit * 1100) { _ in }
        var bytes: [UInt8] = []
        while bytes.count < byteLimit, let chunk = try chunks.next() { bytes += chunk }
        return Array(bytes.prefix(byteLimit))
    }

    private struct Enough: Error {}

    private static func feed(_ bytes: [UInt8], _ fileName: String, isWhole: Bool) -> UploadPreview {
        var items: [FeedItem] = []
        var rejected: [RowError] = []
        var rest: [UInt8]? = bytes
        var problem: String?
        do {
            try MerchantFeedReader().read(from: {
                defer { rest = nil }
                return rest ?? []
            }) { item in
                items.append(item)
                if items.count >= itemLimit { throw Enough() }
            } rejected: { error in
                rejected.append(error)
                if rejected.count >= itemLimit { throw Enough() }
            }
        } catch is Enough {
        } catch {
            // A sample ends in the middle of an item; a whole file must not.
            if isWhole || items.isEmpty { problem = "\(error)" }
        }
        return UploadPreview(fileName: fileName, items: items, rejected: rejected, problem: problem)
    }
}

extension SchemaColumn {
    /// The type as people read it.
    fileprivate var phrase: String {
        type.rawValue + (isCategorical ? ", categorical" : "") + (isTextual ? ", textual" : "") + (isNullable ? ", may be empty" : "")
    }
}

extension ColumnValue {
    fileprivate var text: String {
        switch self {
        case .null: ""
        case .string(let text): text
        case .long(let number): String(number)
        case .double(let number): "\(number)"
        case .boolean(let flag): String(flag)
        }
    }
}

extension DecodedRow {
    fileprivate func text(of name: String, others columns: [SchemaColumn]) -> String {
        if let index = columns.firstIndex(where: { $0.name == name }), index < others.count { return others[index].text }
        switch name {
        case "USER_ID": return String(decoding: userID, as: UTF8.self)
        case "ITEM_ID", "ACTION_ID": return String(decoding: itemID, as: UTF8.self)
        case "TIMESTAMP": return timestamp.map { String($0) } ?? ""
        case "EVENT_TYPE": return eventType ?? ""
        case "EVENT_VALUE": return eventValue.map { "\($0)" } ?? ""
        case "IMPRESSION": return impression ?? ""
        case "RECOMMENDATION_ID": return recommendationID ?? ""
        default: return ""
        }
    }
}
