import Feeds
import FilterLanguage
import JSON

/// The columns of a group's items or actions as filters, displays and metadata see them.
struct CatalogueSchema: Sendable, Equatable {
    let columns: [SchemaColumn]
    let definitions: [ColumnDefinition]

    static let empty = CatalogueSchema(nil)

    /// - Parameter schema: of the Items or Actions dataset; nil where the group has none.
    init(_ schema: AvroSchema?) {
        let key = schema?.kind == .actions ? "ACTION_ID" : "ITEM_ID"
        columns = (schema?.columns ?? []).filter { $0.name.uppercased() != key }
        definitions = columns.map { column in
            switch column.type {
            case .string: ColumnDefinition(column.name, .text(isMultiValued: column.isCategorical))
            case .boolean: ColumnDefinition(column.name, .text(isMultiValued: false))
            case .int, .long, .float, .double: ColumnDefinition(column.name, .number)
            }
        }
    }

    static func == (left: CatalogueSchema, right: CatalogueSchema) -> Bool { left.columns == right.columns }

    /// The schema's spelling of a column named in any case, and whether its numbers are whole.
    func column(_ name: String) -> (name: String, isWhole: Bool)? {
        columns.first { $0.name.uppercased() == name.uppercased() }.map { ($0.name, $0.type == .int || $0.type == .long) }
    }

    /// The values of a record in the order of the columns. `CREATION_TIMESTAMP` may be kept beside the attributes.
    func values(_ attributes: JSONValue, createdAt: Int64?) -> [FilterLanguage.ColumnValue] {
        guard let members = attributes.objectValue?.members else { return [] }
        return columns.map { column in
            let found =
                members.first { $0.name.utf8.elementsEqual(column.name.utf8) }?.value
                ?? members.first { $0.name.uppercased() == column.name.uppercased() }?.value
            if let found, let value = FilterLanguage.ColumnValue(found) { return value }
            if column.name.uppercased() == "CREATION_TIMESTAMP", let createdAt { return .number(Double(createdAt)) }
            return .null
        }
    }
}

extension FilterLanguage.ColumnValue {
    /// Nil for null and for what no column holds.
    init?(_ json: JSONValue) {
        switch json {
        case .string(let text): self = .text(text)
        case .integer(let number): self = .number(Double(number))
        case .double(let number): self = .number(number)
        case .bool(let flag): self = .text(flag ? "true" : "false")
        case .null, .array, .object: return nil
        }
    }
}
