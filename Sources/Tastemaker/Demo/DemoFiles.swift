import Feeds
import JSON
import Postgres

/// The demo shop's schemas and import files, as a shop of its own would upload them.
struct DemoFiles: Sendable {
    let catalogue: DemoCatalogue
    /// When the simulated time ends.
    let end: PGTimestamp

    static let itemsSchema = schema(
        "Items",
        [
            ("ITEM_ID", ["string"], nil), ("TITLE", ["string"], nil), ("LINK", ["string"], nil), ("IMAGE", ["string"], nil),
            ("PRICE", ["float"], nil), ("CATEGORY", ["string"], "categorical"), ("DEPARTMENT", ["string"], "categorical"),
            ("BRAND", ["string"], "categorical"), ("KIND", ["string", "null"], "categorical"), ("DESCRIPTION", ["string"], "textual"),
            ("CREATION_TIMESTAMP", ["long"], nil),
        ])
    static let usersSchema = schema("Users", [("USER_ID", ["string"], nil), ("MEMBERSHIP", ["string"], "categorical")])
    static let interactionsSchema = schema(
        "Interactions",
        [
            ("USER_ID", ["string"], nil), ("ITEM_ID", ["string"], nil), ("TIMESTAMP", ["long"], nil), ("EVENT_TYPE", ["string"], nil),
            ("EVENT_VALUE", ["float", "null"], nil),
        ])

    private static func schema(_ name: String, _ fields: [(name: String, types: [String], mark: String?)]) -> String {
        let list = fields.map { field -> JSONValue in
            let type: JSONValue = field.types.count == 1 ? .string(field.types[0]) : .array(field.types.map { .string($0) })
            var object: JSONObject = ["name": .string(field.name), "type": type]
            if let mark = field.mark { object[mark] = true }
            return .object(object)
        }
        let schema: JSONValue = [
            "type": "record", "name": .string(name), "namespace": "com.amazonaws.personalize.schema", "fields": .array(list),
            "version": "1.0",
        ]
        return schema.text
    }

    func items() -> [UInt8] {
        var csv = CSVText([
            "ITEM_ID", "TITLE", "LINK", "IMAGE", "PRICE", "CATEGORY", "DEPARTMENT", "BRAND", "KIND", "DESCRIPTION", "CREATION_TIMESTAMP",
        ])
        for product in catalogue.products {
            csv.row([
                product.id, product.title, "/demo/products/\(product.id)", "/demo/images/\(product.id).svg", product.price,
                product.categoryName, DemoCategory.all[product.category].department, product.brand, product.kind ?? "", product.description,
                String(second(product.age, 0)),
            ])
        }
        return csv.bytes
    }

    func users(_ visitors: [DemoVisitor]) -> [UInt8] {
        var csv = CSVText(["USER_ID", "MEMBERSHIP"])
        for visitor in visitors { csv.row([visitor.id, visitor.membership]) }
        return csv.bytes
    }

    /// What happened before the time from which the shop is simulated through its own doors.
    func interactions(_ population: DemoPopulation, before daysLeft: Double) -> [UInt8] {
        var csv = CSVText(["USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE"])
        for visit in population.visits where visit.daysLeft > daysLeft {
            for action in population.actions(visit) {
                let product = catalogue.products[action.product]
                csv.row([
                    population.visitors[visit.visitor].id, product.id, String(second(visit.daysLeft, action.seconds)), action.kind.rawValue,
                    action.kind == .view ? "" : product.price,
                ])
            }
        }
        return csv.bytes
    }

    private func second(_ daysLeft: Double, _ seconds: Int) -> Int64 {
        end.microseconds / 1_000_000 - Int64(daysLeft * 86_400) + Int64(seconds)
    }
}

/// Writes RFC 4180 text.
struct CSVText {
    private(set) var bytes: [UInt8] = []

    init(_ columns: [String]) {
        row(columns)
    }

    mutating func row(_ fields: [String]) {
        for (index, field) in fields.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            guard field.utf8.contains(where: { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D }) else {
                bytes += field.utf8
                continue
            }
            bytes.append(0x22)
            for byte in field.utf8 { bytes += byte == 0x22 ? [0x22, 0x22] : [byte] }
            bytes.append(0x22)
        }
        bytes.append(0x0A)
    }
}
