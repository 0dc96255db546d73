/// Builds `ItemColumns` row by row.
public struct ItemColumnsBuilder {
    private let definitions: [ColumnDefinition]
    private var texts: [TextColumnBuilder] = []
    private var numbers: [[Double]] = []
    /// By column: where it is in `texts` or `numbers`.
    private let places: [Int]
    private var rowCount = 0

    /// - Parameter definitions: of two with the same name the first is found.
    public init(_ definitions: [ColumnDefinition]) {
        self.definitions = definitions
        var places: [Int] = []
        for definition in definitions {
            switch definition.kind {
            case .text(let isMultiValued):
                places.append(texts.count)
                texts.append(TextColumnBuilder(isMultiValued: isMultiValued))
            case .number:
                places.append(numbers.count)
                numbers.append([])
            }
        }
        self.places = places
    }

    public mutating func reserveCapacity(_ rows: Int) {
        for index in numbers.indices { numbers[index].reserveCapacity(rows) }
    }

    /// Adds a row; values are in the order of the definitions, missing ones null. Text in a number column is null unless it is a number;
    /// a number in a text column is its decimal form.
    public mutating func append(_ values: [ColumnValue]) {
        for (index, place) in places.enumerated() {
            let value = index < values.count ? values[index] : .null
            switch definitions[index].kind {
            case .text: texts[place].append(value)
            case .number: numbers[place].append(value.number ?? .nan)
            }
        }
        rowCount += 1
    }

    public func build() -> ItemColumns { ItemColumns(base: table()) }

    func table() -> ColumnTable {
        let columns = zip(definitions, places).map { definition, place in
            switch definition.kind {
            case .text: TableColumn.text(texts[place].column())
            case .number: TableColumn.number(numbers[place])
            }
        }
        return ColumnTable(definitions: definitions, rowCount: rowCount, columns: columns)
    }
}

extension ColumnValue {
    /// As a text column sees it.
    var text: String? {
        switch self {
        case .null: nil
        case .text(let text): text
        case .number(let number): number.isNaN ? nil : Self.decimal(number)
        }
    }

    /// The separate values as a text column sees them; empty for null.
    func texts(isMultiValued: Bool) -> [ByteString] {
        guard let text else { return [] }
        let bytes = ByteString(text)
        return isMultiValued ? bytes.parts : [bytes]
    }

    /// As a number column sees it; nil for null.
    var number: Double? {
        switch self {
        case .null: nil
        case .text(let text): FilterNumber.parse(text)
        case .number(let number): number.isNaN ? nil : number
        }
    }

    /// Whole numbers without a fraction, as they are written in filters.
    private static func decimal(_ number: Double) -> String {
        if let whole = Int64(exactly: number) { String(whole) } else { String(number) }
    }
}

/// Collects a text column: each distinct value gets a code, each row a run of codes.
struct TextColumnBuilder {
    let isMultiValued: Bool
    private var codeOfValue: [ByteString: Int32] = [:]
    private var values: [ByteString] = []
    private var offsets: [Int32] = [0]
    private var codes: [Int32] = []

    init(isMultiValued: Bool) {
        self.isMultiValued = isMultiValued
    }

    mutating func append(_ value: ColumnValue) {
        for text in value.texts(isMultiValued: isMultiValued) { codes.append(code(of: text)) }
        offsets.append(Int32(codes.count))
    }

    private mutating func code(of text: ByteString) -> Int32 {
        if let code = codeOfValue[text] { return code }
        let code = Int32(values.count)
        codeOfValue[text] = code
        values.append(text)
        return code
    }

    func column() -> TextColumn {
        TextColumn(codeOfValue: codeOfValue, values: values, offsets: offsets, codes: codes)
    }
}
