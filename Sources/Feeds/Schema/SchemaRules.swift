/// What the contract fixes about one name.
struct ReservedColumn {
    enum Mark { case plain, categorical, textual }
    let name: String
    let type: ColumnType
    var isRequired = false
    /// Required names must hold a value in every row, other names may be declared with null.
    var mayBeNull = true
    var mark = Mark.plain

    static func key(_ name: String, _ type: ColumnType) -> Self {
        Self(name: name, type: type, isRequired: true, mayBeNull: false)
    }
    static func required(_ name: String, _ type: ColumnType, _ mark: Mark = .plain) -> Self {
        Self(name: name, type: type, isRequired: true, mark: mark)
    }
    static func optional(_ name: String, _ type: ColumnType, _ mark: Mark = .plain) -> Self {
        Self(name: name, type: type, mark: mark)
    }
}

/// The contract's table of one kind of dataset in one domain.
struct SchemaRules {
    var reserved: [ReservedColumn]
    /// Own columns, or for items and users all columns but the key.
    var metadataLimit: Int
    var countsReserved = true
    var needsMetadata = false

    init(kind: DatasetKind, domain: Domain?) {
        switch kind {
        case .interactions: self = Self.interactions(domain: domain)
        case .items: self = Self.items(domain: domain)
        case .users: self = Self.users(domain: domain)
        case .actions: self = Self.actions
        case .actionInteractions: self = Self.actionInteractions
        }
    }

    private init(_ reserved: [ReservedColumn], limit: Int, countsReserved: Bool = true, needsMetadata: Bool = false) {
        self.reserved = reserved
        metadataLimit = limit
        self.countsReserved = countsReserved
        self.needsMetadata = needsMetadata
    }

    private static func interactions(domain: Domain?) -> Self {
        Self(
            [
                .key("USER_ID", .string), .key("ITEM_ID", .string), .key("TIMESTAMP", .long),
                domain == nil ? .optional("EVENT_TYPE", .string) : .key("EVENT_TYPE", .string),
                .optional("EVENT_VALUE", .float), .optional("IMPRESSION", .string), .optional("RECOMMENDATION_ID", .string),
                .optional("EVENT_ATTRIBUTION_SOURCE", .string),
            ], limit: 5, countsReserved: false)
    }

    private static func items(domain: Domain?) -> Self {
        let own: [ReservedColumn] =
            switch domain {
            case .ecommerce:
                [
                    .required("PRICE", .float), .required("CATEGORY_L1", .string, .categorical),
                    .optional("CATEGORY_L2", .string, .categorical), .optional("CATEGORY_L3", .string, .categorical),
                    .optional("AGE_GROUP", .string, .categorical), .optional("ADULT", .string, .categorical),
                    .optional("GENDER", .string, .categorical), .optional("PRODUCT_DESCRIPTION", .string, .textual),
                    .optional("CREATION_TIMESTAMP", .long),
                ]
            case .videoOnDemand:
                [
                    .key("CREATION_TIMESTAMP", .long), .required("GENRES", .string, .categorical),
                    .optional("PRICE", .float), .optional("DURATION", .float), .optional("AVERAGE_RATING", .float),
                    .optional("GENRE_L2", .string, .categorical), .optional("GENRE_L3", .string, .categorical),
                    .optional("CONTENT_OWNER", .string, .categorical),
                    .optional("CONTENT_CLASSIFICATION", .string, .categorical),
                    .optional("PRODUCT_DESCRIPTION", .string, .textual),
                ]
            case nil: [.optional("CREATION_TIMESTAMP", .long)]
            }
        return Self([.key("ITEM_ID", .string)] + own, limit: 100, needsMetadata: true)
    }

    private static func users(domain: Domain?) -> Self {
        var reserved: [ReservedColumn] = [.key("USER_ID", .string)]
        if domain == .videoOnDemand { reserved.append(.optional("SUBSCRIPTION_MODEL", .string, .categorical)) }
        return Self(reserved, limit: 25, needsMetadata: true)
    }

    private static let actions = Self(
        [
            .key("ACTION_ID", .string), .optional("CREATION_TIMESTAMP", .long), .optional("VALUE", .long),
            .optional("TYPE", .string), .optional("EXPIRATION_TIMESTAMP", .long),
            .optional("ACTION_EXPIRATION_TIMESTAMP", .long), .optional("REPEAT_FREQUENCY", .long),
        ], limit: 9, needsMetadata: true)

    private static let actionInteractions = Self(
        [
            .key("USER_ID", .string), .key("ACTION_ID", .string), .key("EVENT_TYPE", .string), .key("TIMESTAMP", .long),
            .optional("IMPRESSION", .string), .optional("RECOMMENDATION_ID", .string),
        ], limit: 5, countsReserved: false)

    /// Checks a whole schema and gives its columns marked as reserved or not.
    func check(_ columns: [SchemaColumn], kind: DatasetKind) throws(SchemaError) -> [SchemaColumn] {
        try checkNames(columns)
        var result: [SchemaColumn] = []
        for column in columns { result.append(try check(column, kind: kind)) }
        for rule in reserved where rule.isRequired && !columns.contains(where: { $0.name.utf8.elementsEqual(rule.name.utf8) }) {
            throw SchemaError(field: rule.name, reason: "is required in a schema of \(kind.rawValue)")
        }
        let textual = columns.filter(\.isTextual)
        if textual.count > 1 { throw SchemaError(field: textual[1].name, reason: "only one field of a schema may be textual") }
        let keys = reserved.filter { $0.isRequired && !$0.mayBeNull && $0.name.hasSuffix("_ID") }.count
        let metadata = countsReserved ? columns.count - keys : result.filter { !$0.isReserved }.count
        if needsMetadata, metadata < 1 { throw SchemaError(field: nil, reason: "needs at least one metadata field beside the id") }
        if metadata > metadataLimit {
            throw SchemaError(
                field: nil, reason: "has \(metadata) metadata fields, at most \(metadataLimit) are allowed in \(kind.rawValue)")
        }
        return result
    }

    private func checkNames(_ columns: [SchemaColumn]) throws(SchemaError) {
        var seen: [String: String] = [:]
        for column in columns {
            let name = column.name
            guard (1...256).contains(name.utf8.count), name.utf8.allSatisfy(Self.isNameByte) else {
                throw SchemaError(field: name, reason: "a name has 1 to 256 letters, digits and underscores")
            }
            let bare = name.filter { $0 != "_" }
            guard !bare.isEmpty else { throw SchemaError(field: name, reason: "a name needs a letter or a digit") }
            if let other = seen[bare] {
                throw SchemaError(
                    field: name,
                    reason: other == name ? "occurs twice" : "is the same as \(other) after removing underscores")
            }
            seen[bare] = name
        }
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private func check(_ column: SchemaColumn, kind: DatasetKind) throws(SchemaError) -> SchemaColumn {
        func refuse(_ reason: String) -> SchemaError { SchemaError(field: column.name, reason: reason) }
        if column.isCategorical, column.type != .string { throw refuse("only a string may be categorical") }
        if column.isTextual, column.type != .string { throw refuse("only a string may be textual") }
        if column.isItemName, column.type != .string { throw refuse("only a string may be the item name") }
        if column.isTextual, column.isCategorical { throw refuse("a field is categorical or textual, not both") }
        if column.isTextual, kind != .items { throw refuse("only a schema of Items may have a textual field") }
        if column.isItemName, kind != .items { throw refuse("only a schema of Items may have an item name") }
        guard let rule = reserved.first(where: { $0.name == column.name }) else { return column }
        if column.type != rule.type { throw refuse("is reserved and must be of type \(rule.type.rawValue)") }
        if column.isNullable, !rule.mayBeNull { throw refuse("is required and may not be null") }
        switch rule.mark {
        case .plain:
            if column.isCategorical { throw refuse("is reserved and may not be categorical") }
            if column.isTextual { throw refuse("is reserved and may not be textual") }
        case .categorical: if !column.isCategorical { throw refuse("is reserved and must be categorical") }
        case .textual: if !column.isTextual { throw refuse("is reserved and must be textual") }
        }
        var marked = column
        marked.isReserved = true
        return marked
    }
}
