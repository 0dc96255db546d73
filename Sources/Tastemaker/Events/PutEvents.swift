import Feeds
import JSON
import Postgres

extension Environment {
    /// Reads a PutEvents request whole, every limit of the contract checked; one bad event refuses the call, as on AWS.
    public func eventsOfPutEvents(_ members: InputMembers, door: EventDoor) throws(OperationError) -> [NewEvent] {
        guard door.isOpen else { throw .invalidInput(EventDoor.closedReason, field: "trackingId") }
        let session = try Check.required(try members.string("sessionId", length: 1...256), field: "sessionId")
        let user = try members.string("userId", length: 1...256)
        let list = try Check.required(try members.list("eventList", count: 1...10), field: "eventList")
        var events: [NewEvent] = []
        for event in list {
            let reader = PutEventReader(members: event, door: door, now: now())
            events.append(try reader.event(user: user ?? session, session: session))
        }
        return events
    }
}

/// Reads one event of PutEvents.
struct PutEventReader {
    let members: InputMembers
    let door: EventDoor
    let now: PGTimestamp

    static let byteLimit = 10_240
    private static let forbiddenKeys: [[UInt8]] = [
        "userId", "sessionId", "eventType", "timestamp", "recommendationId", "impression",
    ].map(EventDoor.folded)

    func event(user: String, session: String) throws(OperationError) -> NewEvent {
        let type = try Check.required(try members.string("eventType", length: 1...256), field: members.fullName("eventType"))
        var event = NewEvent(
            datasetGroupID: door.datasetGroupID, source: .putEvents, userID: user, visitorID: session, eventType: type,
            occurredAt: try EventTime.read(members, "sentAt", now: now))
        event.clientID = try members.string("eventId", length: 1...256)
        event.recommendationID = try members.string("recommendationId", length: 1...40)
        event.impression = try impression()
        try checkAttribution()
        try read(properties: try properties(), into: &event)
        // The top level wins.
        if let item = try members.string("itemId", length: 1...256) { event.itemID = item }
        if let value = try members.double("eventValue") { event.value = try float(value, field: members.fullName("eventValue")) }
        if JSONValue.object(members.object).serialized().count > PutEventReader.byteLimit {
            throw .invalidInput("The event has more than 10 KB.", field: members.fullName("eventType"))
        }
        return event
    }

    private func impression() throws(OperationError) -> [String] {
        let items = try members.strings("impression", count: 1...25) ?? []
        for item in items { try Check.externalID(item, field: members.fullName("impression")) }
        return items
    }

    private func checkAttribution() throws(OperationError) {
        guard let attribution = try members.members("metricAttribution") else { return }
        let field = attribution.fullName("eventAttributionSource")
        let source = try Check.required(try attribution.string("eventAttributionSource", length: 1...1024), field: field)
        guard source.utf8.allSatisfy({ (0x20...0x7E).contains($0) }), source.utf8.contains(where: { $0 != 0x20 }) else {
            throw Check.violation(
                source, field: field, "Member must satisfy regular expression pattern: ^[\\x20-\\x7E]*[\\x21-\\x7E]+[\\x20-\\x7E]*$")
        }
    }

    /// JSON in a string as the contract has it, or an object as other SDKs send it.
    private func properties() throws(OperationError) -> JSONObject {
        let field = members.fullName("properties")
        return try RecordProperties.read(members, limit: 1024, field: field)
    }

    private func read(properties: JSONObject, into event: inout NewEvent) throws(OperationError) {
        for member in properties.members where !member.value.isNull {
            let key = EventDoor.folded(member.name)
            let field = "\(members.fullName("properties")).\(member.name)"
            if PutEventReader.forbiddenKeys.contains(key) {
                throw .invalidInput("'\(member.name)' must not be among the properties.", field: field)
            }
            if key == EventDoor.folded("itemId") {
                event.itemID = try itemID(member.value, field: field)
            } else if key == EventDoor.folded("eventValue") {
                event.value = try float(value(member.value, field: field), field: field)
            } else if let column = door.column(forKey: member.name) {
                do {
                    event.properties[column.name] = try column.value(of: member.value).json
                } catch {
                    throw .invalidInput("The property '\(member.name)' does not fit the schema. \(error.description).", field: field)
                }
            } else {
                event.properties[member.name] = member.value
            }
        }
    }

    private func itemID(_ value: JSONValue, field: String) throws(OperationError) -> String {
        let text = value.stringValue ?? value.intValue.map { String($0) }
        guard let text else { throw .invalidInput("'\(field)' must be a string.", field: field) }
        try Check.externalID(text, field: field)
        return text
    }

    private func value(_ value: JSONValue, field: String) throws(OperationError) -> Double {
        guard let number = value.doubleValue ?? value.stringValue.flatMap({ Double($0) }) else {
            throw .invalidInput("'\(field)' must be a number.", field: field)
        }
        return number
    }

    private func float(_ value: Double, field: String) throws(OperationError) -> Float {
        let float = Float(value)
        guard float.isFinite else { throw .invalidInput("'\(field)' does not fit a float.", field: field) }
        return float
    }
}
