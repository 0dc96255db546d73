import FilterLanguage

/// A small catalogue whose answers can be read off by eye.
enum Catalogue {
    static let schema = FilterSchema([
        .interactions: [
            .init("USER_ID", .string), .init("ITEM_ID", .string), .init("EVENT_TYPE", .string),
            .init("DEVICE", .string, isCategorical: true),
        ],
        .items: [
            .init("GENRE", .string, isCategorical: true), .init("CATEGORY", .string, isCategorical: true),
            .init("STYLE", .string, isCategorical: true), .init("PRICE", .number), .init("CREATION_TIMESTAMP", .number),
            .init("YEAR", .number), .init("OWNER", .string), .init("TIER", .string, isCategorical: true),
            .init("CATEGORY_L1", .string, isCategorical: true), .init("DESCRIPTION", .string, isTextual: true), .init("ADULT", .boolean),
        ],
        .users: [.init("AGE", .number), .init("MEMBERSHIP", .string, isCategorical: true), .init("COUNTRY", .string)],
        .actions: [
            .init("VALUE", .number), .init("ACTION_TYPE", .string), .init("EXPIRATION_TIMESTAMP", .number),
            .init("REPEAT_FREQUENCY", .number),
        ],
        .actionInteractions: [.init("EVENT_TYPE", .string)],
    ])

    static let items: ItemColumns = {
        let text = ColumnDefinition.Kind.text(isMultiValued: true)
        var builder = ItemColumnsBuilder([
            .init("GENRE", text), .init("CATEGORY", text), .init("STYLE", text), .init("PRICE", .number),
            .init("CREATION_TIMESTAMP", .number), .init("YEAR", .number), .init("OWNER", .text(isMultiValued: false)), .init("TIER", text),
            .init("category_l1", text),
        ])
        let rows: [[ColumnValue]] = [
            [
                .text("comedy|drama"), .text("shoe"), .text("boot"), .number(10), .number(1000), .number(1969), .text("in-house"),
                .text("luxury"), .text("snack"),
            ],
            [
                .text("drama"), .text("shoe"), .text("sneaker"), .number(20), .number(2000), .number(1970), .text("acme"), .text("basic"),
                .text("drink"),
            ],
            [
                .text("comedy"), .text("watch"), .null, .number(30), .number(3000), .number(1975), .text("in-house"), .text("luxury"),
                .text("snack|drink"),
            ],
            [
                .text("horror"), .text("watch"), .text("dress"), .null, .number(4000), .number(1979), .null, .text("basic"), .text("tea"),
            ],
            [.null, .text("shoe"), .null, .number(50), .null, .number(1980), .text("acme"), .null, .null],
            [
                .text("action|comedy"), .text("bag"), .text("tote"), .number(5), .number(1500), .null, .text("in-house"), .text("luxury"),
                .text("drink"),
            ],
        ]
        for row in rows { builder.append(row) }
        return builder.build()
    }()

    static let users: ItemColumns = {
        var builder = ItemColumnsBuilder([
            .init("AGE", .number), .init("MEMBERSHIP", .text(isMultiValued: true)), .init("COUNTRY", .text(isMultiValued: false)),
        ])
        builder.append([.number(30), .text("gold"), .text("FR")])
        builder.append([.number(18), .text("silver"), .text("DE")])
        builder.append([.null, .null, .null])
        builder.append([.number(19), .text("silver|gold"), .text("FR")])
        return builder.build()
    }()

    static let actions: ItemColumns = {
        var builder = ItemColumnsBuilder([.init("VALUE", .number)])
        for value in [ColumnValue.number(5), .number(2), .null] { builder.append([value]) }
        return builder.build()
    }()

    /// Rows of one user's events, by type.
    static let itemEvents: [(String, [Int32])] = [("Click", [0, 1]), ("stream", [2]), ("favorite", [4, 1]), ("purchase", [5])]
    /// Rows of users, by what they did.
    static let userEvents: [(String, [Int32])] = [("click", [1, 2]), ("stream", [3])]
    static let actionEvents: [(String, [Int32])] = [("Not Taken", [1]), ("Taken", [2])]

    static func rows(_ text: String, _ values: [String: String] = [:], user: FilterUser? = nil, currentItem: Int? = nil) throws -> [Int] {
        let filter = try FilterExpression(parsing: text).checked(against: schema)
        let (table, events) =
            switch filter.expression.target {
            case .item: (items, itemEvents)
            case .user: (users, userEvents)
            case .action: (actions, actionEvents)
            }
        let bitmap = try filter.evaluate(
            items: table, values: try FilterValues(parsing: values), user: user, currentItemRow: currentItem
        ) { selection in events.filter { selection.contains($0.0) }.flatMap(\.1) }
        return bitmap.rows
    }
}

extension RowBitmap {
    var rows: [Int] {
        var rows: [Int] = []
        forEach { rows.append($0) }
        return rows
    }
}
