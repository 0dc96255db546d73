import Feeds
import JSON

extension EventDoor {
    /// The schema's column that a property key means: `numRatings` is NUM_RATINGS. Underscores and case do not count.
    func column(forKey key: String) -> SchemaColumn? {
        let folded = EventDoor.folded(key)
        return schema?.columns.first { EventDoor.folded($0.name) == folded }
    }

    /// The properties that are columns of the schema, converted; others, and values of a wrong type, stay in the raw event only.
    func columns(of properties: JSONObject) -> JSONObject {
        var columns = JSONObject()
        for member in properties.members {
            guard let column = column(forKey: member.name), !EventDoor.ownColumns.contains(column.name),
                let value = try? column.value(of: member.value), value != .null
            else { continue }
            columns[column.name] = value.json
        }
        return columns
    }

    /// Columns that an interaction has as fields of its own.
    static let ownColumns: Set<String> = [
        "USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE", "IMPRESSION", "RECOMMENDATION_ID",
    ]

    static func folded(_ name: String) -> [UInt8] {
        name.utf8.filter { $0 != UInt8(ascii: "_") }.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
    }
}
