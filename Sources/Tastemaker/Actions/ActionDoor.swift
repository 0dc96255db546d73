import Feeds
import Foundation
import JSON
import Postgres
import Ranking

/// What the door of an Action interactions dataset needs to know to take an event.
public struct ActionDoor: Sendable {
    public let datasetGroupID: Int32
    let datasetID: Int32
    let schema: AvroSchema

    static let closedReason = "The Action interactions dataset of the trackingId is gone."

    /// The schema's column that a property key means. Underscores and case do not count.
    func column(forKey key: String) -> SchemaColumn? {
        let folded = EventDoor.folded(key)
        return schema.columns.first { EventDoor.folded($0.name) == folded }
    }
}

extension Environment {
    /// The door that the tracking id of an Action interactions dataset opens; nil for an id that none has.
    func openActionDoor(trackingID: String, waitMilliseconds: Int? = nil) throws(OperationError) -> ActionDoor? {
        guard let id = UUID(uuidString: trackingID) else { return nil }
        return try read(waitMilliseconds: waitMilliseconds) { connection in
            guard let row = try ActionDoorQueries.find(trackingID: id, connection) else { return nil }
            return ActionDoor(
                datasetGroupID: row.datasetGroupID, datasetID: row.datasetID,
                schema: try DatasetSchema.parse(row.schema, domain: nil, field: "trackingId"))
        }
    }

    /// Reads a PutActionInteractions request whole; one bad event refuses the call.
    public func eventsOfPutActionInteractions(_ members: InputMembers, door: ActionDoor) throws(OperationError) -> [NewEvent] {
        let list = try Check.required(try members.list("actionInteractions", count: 1...10), field: "actionInteractions")
        var events: [NewEvent] = []
        for event in list { events.append(try ActionEventReader(members: event, door: door, now: now()).event()) }
        return events
    }
}

/// Reads one event of PutActionInteractions.
private struct ActionEventReader {
    let members: InputMembers
    let door: ActionDoor
    let now: PGTimestamp

    private static let ownKeys = Set(
        ["userId", "sessionId", "actionId", "eventType", "timestamp", "recommendationId", "impression"].map(EventDoor.folded))

    func event() throws(OperationError) -> NewEvent {
        let session = try required("sessionId")
        let type = try required("eventType")
        guard let response = ActionData.Response(reading: type) else {
            let field = members.fullName("eventType")
            throw .invalidInput("'\(type)' at '\(field)' is not one of Taken, Not Taken, Viewed.", field: field)
        }
        var event = NewEvent(
            datasetGroupID: door.datasetGroupID, source: .putActionInteractions,
            userID: try members.string("userId", length: 1...256) ?? session, visitorID: session, eventType: response.name,
            occurredAt: try EventTime.read(members, "timestamp", now: now))
        event.datasetID = door.datasetID
        event.itemID = try required("actionId")
        event.clientID = try members.string("eventId", length: 1...256)
        event.recommendationID = try members.string("recommendationId", length: 1...40)
        // Checked and, as the contract says, not used.
        for action in try members.strings("impression", count: 1...25) ?? [] {
            try Check.externalID(action, field: members.fullName("impression"))
        }
        try read(properties: try RecordProperties.read(members, limit: 1024, field: members.fullName("properties")), into: &event)
        return event
    }

    private func required(_ name: String) throws(OperationError) -> String {
        try Check.required(try members.string(name, length: 1...256), field: members.fullName(name))
    }

    private func read(properties: JSONObject, into event: inout NewEvent) throws(OperationError) {
        for member in properties.members where !member.value.isNull {
            let field = "\(members.fullName("properties")).\(member.name)"
            if Self.ownKeys.contains(EventDoor.folded(member.name)) {
                throw .invalidInput("'\(member.name)' must not be among the properties.", field: field)
            }
            guard let column = door.column(forKey: member.name) else {
                event.properties[member.name] = member.value
                continue
            }
            do {
                event.properties[column.name] = try column.value(of: member.value).json
            } catch {
                throw .invalidInput("The property '\(member.name)' does not fit the schema. \(error.description).", field: field)
            }
        }
    }
}

enum ActionDoorQueries {
    static func find(trackingID: UUID, _ connection: Connection) throws -> (datasetGroupID: Int32, datasetID: Int32, schema: String)? {
        try connection.query(
            """
            SELECT d.dataset_group_id, d.id, s.body FROM dataset d JOIN schema s ON s.id = d.schema_id
            WHERE d.tracking_id = \(trackingID) AND d.type = 'ACTION_INTERACTIONS' AND d.status = 'ACTIVE'
            """
        ).first.map { (try $0.int32(0), try $0.int32(1), try $0.string(2)) }
    }
}
