extension GuessDraft {
    /// A column of the schema for the column of the file.
    mutating func propose(_ index: Int) {
        let profile = sample.profiles[index]
        let header = columns[index].header
        let column: SchemaColumn?
        switch columns[index].role {
        case .user: column = SchemaColumn(name: "USER_ID", type: .string)
        case .item: column = SchemaColumn(name: "ITEM_ID", type: .string)
        case .action: column = SchemaColumn(name: "ACTION_ID", type: .string)
        case .timestamp: column = SchemaColumn(name: "TIMESTAMP", type: .long)
        case .creation: column = SchemaColumn(name: "CREATION_TIMESTAMP", type: .long, isNullable: true)
        case .eventType: column = SchemaColumn(name: "EVENT_TYPE", type: .string, isNullable: kind == .interactions && profile.empty > 0)
        case .eventValue: column = eventValue(index)
        case .title: column = SchemaColumn(name: "TITLE", type: .string, isNullable: true, isItemName: kind == .items)
        case .description:
            column = SchemaColumn(name: "DESCRIPTION", type: .string, isNullable: true, isTextual: kind == .items)
        case .link: column = SchemaColumn(name: "LINK", type: .string, isNullable: true)
        case .image: column = SchemaColumn(name: "IMAGE_LINK", type: .string, isNullable: true)
        case .price: column = price(index)
        case .category:
            let name = ColumnRole.schemaName(header)
            column = SchemaColumn(name: name, type: .string, isNullable: true, isCategorical: true)
            if profile.lists > 0 { columns[index].reason += " Values are lists separated by |." }
        case .other: column = other(index)
        case .ignored: column = nil
        }
        guard let column else { return }
        let bare = column.name.filter { $0 != "_" }
        guard !bare.isEmpty, !columns.contains(where: { $0.column?.name.filter { $0 != "_" } == bare }) else {
            return ignore(index, "Its name is taken by another column.")
        }
        columns[index].column = column
    }

    mutating func ignore(_ index: Int, _ reason: String) {
        columns[index].role = .ignored
        columns[index].column = nil
        columns[index].dateFormat = nil
        columns[index].reason = reason
    }

    private mutating func eventValue(_ index: Int) -> SchemaColumn? {
        let profile = sample.profiles[index]
        guard profile.filled == 0 || profile.numbers == profile.filled else { return other(index) }
        return SchemaColumn(name: "EVENT_VALUE", type: .float, isNullable: true)
    }

    /// A price with its currency is text, until a feed reader takes it apart.
    private mutating func price(_ index: Int) -> SchemaColumn? {
        let profile = sample.profiles[index]
        guard profile.filled == 0 || profile.numbers == profile.filled else {
            columns[index].reason += " Values are not plain numbers."
            return SchemaColumn(name: "PRICE_TEXT", type: .string, isNullable: true)
        }
        return SchemaColumn(name: "PRICE", type: .float, isNullable: true)
    }

    private mutating func other(_ index: Int) -> SchemaColumn? {
        let profile = sample.profiles[index]
        let name = ColumnRole.schemaName(columns[index].header)
        let folded = ColumnRole.folded(columns[index].header)
        columns[index].role = .other
        columns[index].dateFormat = nil
        if takesReservedName(name, index) { return nil }
        let isEvent = kind == .interactions || kind == .actionInteractions
        if isEvent, ["transactionid", "orderid", "sessionid", "eventid", "requestid", "invoiceno", "sessid"].contains(folded) {
            ignore(index, "An id of a single visit or order tells nothing about taste.")
            return nil
        }
        if profile.filled == 0 {
            ignore(index, "The sample holds no value of it.")
            return nil
        }
        return typed(name, folded, index)
    }

    /// A name that the contract reserves keeps its fixed type, also where the sample holds no value of it, or is left out. False for all
    /// other names.
    private mutating func takesReservedName(_ name: String, _ index: Int) -> Bool {
        guard let rule = SchemaRules(kind: kind, domain: nil).reserved.first(where: { $0.name == name }) else { return false }
        let profile = sample.profiles[index]
        if rule.mayBeNull, rule.type == .string || profile.filled == 0 || profile.type == rule.type {
            columns[index].reason = "The name \(name) is reserved for it."
            columns[index].column = SchemaColumn(name: name, type: rule.type, isNullable: true)
        } else {
            ignore(index, "The name \(name) is reserved and its values do not fit.")
        }
        return true
    }

    private mutating func typed(_ name: String, _ folded: String, _ index: Int) -> SchemaColumn {
        let profile = sample.profiles[index]
        var column = SchemaColumn(name: name, type: profile.type, isNullable: true)
        let values = "\(profile.distinct.count) different values in \(profile.filled)"
        if column.type == .long, folded.hasSuffix("id") || folded.hasSuffix("code") {
            column.type = .string
            column.isCategorical = true
            columns[index].reason = "Numbers that name something: a category, not a quantity."
        } else if column.type != .string {
            columns[index].reason = "All sampled values are of type \(column.type.rawValue)."
        } else if profile.links * 2 > profile.filled {
            columns[index].reason = "Values are addresses of pages."
        } else if profile.looksCategorical {
            column.isCategorical = true
            columns[index].reason =
                profile.lists > 0 ? "Values are lists separated by |." : "Values come again (\(values)), so it is a category."
        } else if kind == .items, profile.meanLength > 120,
            !columns.contains(where: { $0.column?.isTextual == true || $0.role == .description })
        {
            column.isTextual = true
            columns[index].reason = "Values are long texts."
        } else {
            columns[index].reason = "Values seldom repeat (\(values)), so it is kept for filters and display only."
        }
        return column
    }

    /// Own columns beyond what the contract allows are left out, the last first.
    mutating func keepWithinLimits() {
        let rules = SchemaRules(kind: kind, domain: nil)
        let reserved = Set(rules.reserved.map(\.name))
        var room = rules.metadataLimit
        for index in columns.indices {
            guard let column = columns[index].column else { continue }
            let isKey = rules.reserved.contains { $0.name == column.name && $0.isRequired }
            if isKey || (!rules.countsReserved && reserved.contains(column.name)) { continue }
            room -= 1
            if room < 0 { ignore(index, "A schema of \(kind.rawValue) has room for \(rules.metadataLimit) such columns only.") }
        }
    }
}
