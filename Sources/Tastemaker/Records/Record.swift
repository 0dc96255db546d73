import Feeds
import JSON

/// A checked record of the catalogue on its way in.
struct Record: Sendable {
    let externalID: String
    /// CREATION_TIMESTAMP of items and actions, epoch seconds.
    let createdAt: Int64?
    /// The schema's columns by name, without nulls.
    let attributes: JSONObject

    init(externalID: String, createdAt: Int64?, attributes: JSONObject) {
        self.externalID = externalID
        self.createdAt = createdAt
        self.attributes = attributes
    }

    init(item members: InputMembers, schema: AvroSchema) throws(OperationError) {
        try self.init(members, idName: "itemId", idColumn: "ITEM_ID", limit: 32_000, schema: schema)
    }

    init(user members: InputMembers, schema: AvroSchema) throws(OperationError) {
        try self.init(members, idName: "userId", idColumn: "USER_ID", limit: 24_000, schema: schema)
    }

    init(action members: InputMembers, schema: AvroSchema) throws(OperationError) {
        try self.init(members, idName: "actionId", idColumn: "ACTION_ID", limit: 32_000, schema: schema)
    }

    private init(_ members: InputMembers, idName: String, idColumn: String, limit: Int, schema: AvroSchema) throws(OperationError) {
        externalID = try Check.required(try members.string(idName, length: 1...256), field: members.fullName(idName))
        let field = members.fullName("properties")
        let properties = try RecordProperties.read(members, limit: limit, field: field)
        var attributes = JSONObject()
        for column in schema.columns where column.name != idColumn {
            let given = properties.members.last { EventDoor.folded($0.name) == EventDoor.folded(column.name) }
            do {
                let value = try column.value(of: given?.value ?? .null)
                if value != .null { attributes[column.name] = value.json }
            } catch {
                throw .invalidInput("'\(field)' does not fit the schema. \(error.description).", field: "\(field).\(column.name)")
            }
        }
        createdAt = attributes["CREATION_TIMESTAMP"]?.intValue
        self.attributes = attributes
    }

    /// Of records of one id in a call only the last counts.
    static func lastOfEach(_ records: [Record]) -> [Record] {
        var seen: Set<[UInt8]> = []
        return records.reversed().filter { seen.insert(Array($0.externalID.utf8)).inserted }.reversed()
    }
}
