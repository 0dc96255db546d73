/// One item of a product feed, its attributes mapped to columns.
public struct FeedItem: Sendable, Equatable {
    public let line: Int
    /// UTF-8, 1 to 256 scalars.
    public let id: [UInt8]
    /// By name of a column of `FeedItem.columns`; attributes that are missing or empty have no entry.
    public let values: [String: ColumnValue]

    public var isOutOfStock: Bool { values["AVAILABILITY"] == .string("out_of_stock") }

    /// What a feed may fill, as columns of a schema of Items without ITEM_ID. CATEGORY_PATH holds all levels separated by `|`, so that
    /// a filter meets each of them.
    public static let columns: [SchemaColumn] =
        [
            SchemaColumn(name: "ITEM_GROUP", type: .string, isNullable: true, isCategorical: true),
            SchemaColumn(name: "TITLE", type: .string, isNullable: true, isItemName: true),
            SchemaColumn(name: "DESCRIPTION", type: .string, isNullable: true, isTextual: true),
            SchemaColumn(name: "PRICE", type: .float, isNullable: true), SchemaColumn(name: "SALE_PRICE", type: .float, isNullable: true),
            SchemaColumn(name: "LINK", type: .string, isNullable: true), SchemaColumn(name: "IMAGE_LINK", type: .string, isNullable: true),
        ]
        + (["CURRENCY", "AVAILABILITY", "CATEGORY", "CATEGORY_PATH"] + plain.values.sorted()).map {
            SchemaColumn(name: $0, type: .string, isNullable: true, isCategorical: true)
        }

    /// Attributes that are taken over as they are.
    static let plain: [String: String] = [
        "brand": "BRAND", "color": "COLOR", "size": "SIZE", "material": "MATERIAL", "pattern": "PATTERN", "condition": "CONDITION",
        "gender": "GENDER", "age_group": "AGE_GROUP", "custom_label_0": "CUSTOM_LABEL_0", "custom_label_1": "CUSTOM_LABEL_1",
        "custom_label_2": "CUSTOM_LABEL_2", "custom_label_3": "CUSTOM_LABEL_3", "custom_label_4": "CUSTOM_LABEL_4",
    ]

    /// All attributes that are read; others are passed over.
    static let attributes: Set<String> = Set(plain.keys).union([
        "id", "guid", "item_group_id", "title", "description", "summary", "content", "product_type", "google_product_category", "price",
        "sale_price", "availability", "link", "image_link",
    ])

    /// An attribute's name with underscores: a TSV header may have blanks.
    static func attribute(_ name: String) -> String {
        let folded = trimmed(name).lowercased().replacing(" ", with: "_")
        return folded.hasPrefix("g:") ? String(folded.dropFirst(2)) : folded
    }
}

extension FeedItem {
    /// Maps the attributes of one item. Throws when it has no usable id or a price that is none.
    init(attributes: [String: [UInt8]], line: Int) throws(RowError) {
        func text(_ name: String) -> [UInt8]? {
            guard let bytes = attributes[name] else { return nil }
            let plain = bytes.withUnsafeBufferPointer { HTMLText.plain(from: $0) }
            return plain.isEmpty ? nil : plain
        }
        guard let id = text("id") ?? text("guid") else { throw RowError(line: line, reason: "the item has no id") }
        guard id.withUnsafeBufferPointer(scalarCount) <= ValueLimits.identifier else {
            throw RowError(line: line, reason: "the item's id has more than \(ValueLimits.identifier) characters")
        }
        var values: [String: ColumnValue] = [:]
        func put(_ column: String, _ bytes: [UInt8]?, limit: Int = ValueLimits.string) {
            guard let bytes else { return }
            values[column] = .string(String(decoding: HTMLText.cut(bytes, scalars: limit), as: UTF8.self))
        }
        put("ITEM_GROUP", text("item_group_id"))
        put("TITLE", text("title"))
        put("DESCRIPTION", text("description") ?? text("summary") ?? text("content"), limit: ValueLimits.text)
        for (attribute, column) in Self.plain { put(column, text(attribute)) }
        if let path = text("product_type") ?? text("google_product_category") {
            let levels = Self.levels(path)
            put("CATEGORY", levels.last)
            put("CATEGORY_PATH", levels.isEmpty ? nil : Array(levels.joined(separator: [UInt8(ascii: "|")])))
        }
        if let availability = text("availability") {
            put("AVAILABILITY", Array(Self.attribute(String(decoding: availability, as: UTF8.self)).utf8))
        }
        for (attribute, column) in [("link", "LINK"), ("image_link", "IMAGE_LINK")] {
            if let link = attributes[attribute].map({ trimmed(String(decoding: $0, as: UTF8.self)) }), Self.isLink(link) {
                put(column, Array(link.utf8))
            }
        }
        for (attribute, column) in [("price", "PRICE"), ("sale_price", "SALE_PRICE")] {
            guard let written = text(attribute) else { continue }
            guard let price = FeedPrice(parsing: written) else {
                throw RowError(line: line, reason: "\(attribute) \"\(String(decoding: written.prefix(40), as: UTF8.self))\" is not a price")
            }
            values[column] = .double(price.amount)
            if let currency = price.currency, values["CURRENCY"] == nil { values["CURRENCY"] = .string(currency) }
        }
        self.line = line
        self.id = id
        self.values = values
    }

    /// `Home > Kitchen` as its levels; a `|` would read as a list, so it becomes a slash.
    private static func levels(_ path: [UInt8]) -> [[UInt8]] {
        path.split(separator: UInt8(ascii: ">")).compactMap { level in
            let name = Array(trimmed(String(decoding: level, as: UTF8.self)).utf8.map { $0 == UInt8(ascii: "|") ? UInt8(ascii: "/") : $0 })
            return name.isEmpty ? nil : name
        }
    }

    /// Only what a browser may be sent to: no `javascript:` from a feed reaches a page.
    private static func isLink(_ text: String) -> Bool {
        let start = text.prefix(8).lowercased()
        return start.hasPrefix("http://") || start.hasPrefix("https://")
    }
}

/// `19.50 EUR`, `EUR 19.50`, `1.234,50 EUR`, `19.50`.
struct FeedPrice: Equatable {
    let amount: Double
    let currency: String?

    init?(parsing text: [UInt8]) {
        var number: [UInt8] = []
        var letters: [UInt8] = []
        for byte in text {
            switch byte {
            case 0x30...0x39, UInt8(ascii: "."), UInt8(ascii: ","): number.append(byte)
            case 0x41...0x5A, 0x61...0x7A: letters.append(byte & 0xDF)
            case 0x20: continue
            default: return nil
            }
        }
        guard letters.isEmpty || letters.count == 3, let amount = Double(decimal: Self.decimal(number)) else { return nil }
        self.amount = amount
        currency = letters.isEmpty ? nil : String(decoding: letters, as: UTF8.self)
    }

    /// The last separator is the decimal one, unless it is a comma before three digits or occurs more than once.
    private static func decimal(_ number: [UInt8]) -> [UInt8] {
        let isSeparator: (UInt8) -> Bool = { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ",") }
        guard let last = number.lastIndex(where: isSeparator) else { return number }
        let separator = number[last]
        let isRepeated = number.count { $0 == separator } > 1
        let isThousands = separator == UInt8(ascii: ",") && number.count - last == 4 && !number.contains(UInt8(ascii: "."))
        if isRepeated || isThousands { return number.filter { !isSeparator($0) } }
        return number[..<last].filter { !isSeparator($0) } + [UInt8(ascii: ".")] + number[(last + 1)...]
    }
}
