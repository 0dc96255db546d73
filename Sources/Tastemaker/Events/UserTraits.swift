import Feeds
import JSON
import Postgres

extension TrackerEventReader {
    /// An identification, with what the site says of the user. Without the site's signature anybody could write into anybody's record,
    /// so unsigned traits are left out.
    func identified(_ base: NewEvent, _ members: InputMembers) throws(OperationError) -> NewEvent {
        var event = base
        event.kind = .record
        guard let schema = door.userSchema, let user = try members.string("userId"),
            door.isSigned(user, signature: try members.string("userSignature"))
        else { return event }
        var given = try members.members("traits")
        if given == nil { given = try members.members("properties") }
        guard let given else { return event }
        for column in schema.columns where column.name != "USER_ID" {
            guard let trait = given.object.members.last(where: { EventDoor.folded($0.name) == EventDoor.folded(column.name) }),
                trait.value != .null
            else { continue }
            do {
                event.traits[column.name] = try column.value(of: trait.value).json
            } catch {
                throw .invalidInput("The trait '\(trait.name)' does not fit the Users schema. \(error.description).", field: "traits")
            }
        }
        return event
    }
}

extension EventQueries {
    /// Adds to the users' records; columns that an identification does not name stay as they are. In key order, after the histories, as
    /// all writers lock.
    static func mergeTraits(_ described: [StoredEvent], groupID: Int32, _ connection: Connection) throws {
        var traits: [Int32: JSONObject] = [:]
        for stored in described {
            for member in stored.event.traits.members { traits[stored.userID, default: JSONObject()][member.name] = member.value }
        }
        let users = traits.keys.sorted()
        let texts = users.map { JSONValue.object(traits[$0] ?? JSONObject()).text }
        try connection.execute(
            """
            INSERT INTO user_record AS r (dataset_group_id, user_id, is_bulk, attributes)
            SELECT \(groupID), u, false, a::jsonb FROM unnest(\(users), \(texts)) AS t(u, a) ORDER BY u
            ON CONFLICT (dataset_group_id, user_id) DO UPDATE SET is_bulk = false, attributes = r.attributes || excluded.attributes
            """)
    }
}
