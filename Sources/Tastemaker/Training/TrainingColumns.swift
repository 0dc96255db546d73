import Feeds
import JSON
import Ranking

/// The columns of a dataset that a training may learn from: what the schema calls categorical, textual or the item's name, numbers and
/// truth values; other strings are for filters and display alone. `trainingDataConfig` leaves out, or names, columns.
struct TrainingColumns {
    let columns: [SchemaColumn]

    /// Never features: keys, and when something came into being.
    private static let keys: Set<String> = [
        "USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE", "IMPRESSION", "RECOMMENDATION_ID", "EVENT_ATTRIBUTION_SOURCE",
        "CREATION_TIMESTAMP",
    ]

    /// - Parameter config: the solution's `trainingDataConfig`.
    init(_ schema: AvroSchema?, _ type: DatasetType, _ config: JSONValue?) {
        func names(_ list: String) -> Set<[UInt8]>? {
            let entry = config?[list]?.objectValue?.members.first { DatasetType(reading: $0.name) == type }
            return entry?.value.arrayValue.map { Set($0.compactMap { ($0.stringValue?.uppercased()).map { Array($0.utf8) } }) }
        }
        let (excluded, included) = (names("excludedDatasetColumns"), names("includedDatasetColumns"))
        columns = (schema?.columns ?? []).filter { column in
            let name = Array(column.name.uppercased().utf8)
            guard !Self.keys.contains(column.name.uppercased()), excluded?.contains(name) != true else { return false }
            if let included, !included.isEmpty, !included.contains(name) { return false }
            return column.isCategorical || column.isTextual || column.isItemName || column.type != .string
        }
    }
}

/// Records on their way into columns of metadata, in memory that is bounded whatever they hold.
struct MetadataCollector {
    private var ids: [Int32] = []
    private let columns: [SchemaColumn]
    private var numbers: [[Float]]
    private var categories: [CategoryLists]
    private var texts: [[String]]
    private var textBytes = 0
    private let textLimit: Int

    /// Of one text; the beginning tells most.
    private static let longText = 16_384
    /// Of one text, when all texts together have reached the limit.
    private static let shortText = 128

    init(_ columns: TrainingColumns, textLimit: Int) {
        self.columns = columns.columns
        self.textLimit = textLimit
        numbers = Array(repeating: [], count: self.columns.count)
        categories = Array(repeating: CategoryLists(), count: self.columns.count)
        texts = Array(repeating: [], count: self.columns.count)
    }

    mutating func append(id: Int32, _ attributes: JSONValue?) {
        ids.append(id)
        let members = attributes?.objectValue?.members ?? []
        for (index, column) in columns.enumerated() {
            let value = members.first { $0.name.utf8.elementsEqual(column.name.utf8) }?.value ?? .null
            switch Self.kind(column) {
            case .numbers: numbers[index].append(value.doubleValue.map { Float($0) } ?? .nan)
            case .categories: categories[index].append(ColumnShape.categories(in: value.featureText ?? ""))
            case .text: texts[index].append(cut(value.stringValue ?? ""))
            }
        }
    }

    private mutating func cut(_ text: String) -> String {
        let limit = textBytes < textLimit ? Self.longText : Self.shortText
        let kept = text.utf8.count <= limit ? text : String(decoding: text.utf8.prefix(limit), as: UTF8.self)
        textBytes += kept.utf8.count
        return kept
    }

    private static func kind(_ column: SchemaColumn) -> ColumnShape {
        if column.isCategorical || column.type == .boolean { return .categories }
        return column.type == .string ? .text : .numbers
    }

    /// Nil without records or columns.
    var table: MetadataTable? {
        guard !ids.isEmpty, !columns.isEmpty else { return nil }
        return MetadataTable(
            ids: ids,
            columns: columns.enumerated().map { index, column in
                switch Self.kind(column) {
                case .numbers: MetadataColumn(name: column.name, values: .numbers(numbers[index]))
                case .categories: MetadataColumn(name: column.name, values: .categories(categories[index]))
                case .text: MetadataColumn(name: column.name, values: .texts(texts[index]))
                }
            })
    }
}

/// Context columns of interactions, filled event by event.
struct ContextCollector {
    private(set) var columns: [ContextColumn]
    private var codes: [[[UInt8]: Int32]]

    /// Values of one column; rarer ones that come later count as none.
    private static let valueLimit = 10_000

    init(_ columns: TrainingColumns) {
        self.columns = columns.columns.filter { !$0.isTextual }.map { ContextColumn(name: $0.name) }
        codes = Array(repeating: [:], count: self.columns.count)
    }

    var isEmpty: Bool { columns.isEmpty }

    mutating func append(_ properties: JSONValue?) {
        let members = properties?.objectValue?.members ?? []
        for index in columns.indices {
            let value = members.first { $0.name.utf8.elementsEqual(columns[index].name.utf8) }?.value.featureText
            columns[index].codes.append(value.flatMap { code(of: $0, index) } ?? -1)
        }
    }

    private mutating func code(of value: String, _ index: Int) -> Int32? {
        let key = Array(value.utf8)
        if let known = codes[index][key] { return known }
        guard columns[index].values.count < Self.valueLimit else { return nil }
        let code = Int32(columns[index].values.count)
        codes[index][key] = code
        columns[index].values.append(value)
        return code
    }
}

extension JSONValue {
    /// A record's values by column, as features know them.
    var attributeTexts: [String: String] {
        var texts: [String: String] = [:]
        for member in objectValue?.members ?? [] { texts[member.name] = member.value.featureText }
        return texts
    }

    /// A value of a record as features, requests and files write it; nil for what is none.
    var featureText: String? {
        switch self {
        case .string(let text): text
        case .integer(let number): String(number)
        case .double(let number): String(number)
        case .bool(let flag): flag ? "true" : "false"
        case .null, .array, .object: nil
        }
    }
}
