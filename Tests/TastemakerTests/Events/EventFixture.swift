import Foundation
import JSON
import Postgres
import Support

@testable import Tastemaker

/// A group `shop` with an Interactions dataset and a tracker, and short ways to put events in and look at what is stored.
struct EventFixture {
    let shop: ControlFixture
    let group: Int32
    let tracker: EventTracker

    var environment: Environment { shop.environment }
    var clock: TestClock { shop.clock }

    init() throws {
        shop = try ControlFixture()
        group = try shop.makeGroup().id
        try shop.makeSchema(
            "interactions",
            ControlFixture.interactions.replacing(
                "],\"version\"", with: ",{\"name\":\"NUM_RATINGS\",\"type\":[\"int\",\"null\"]}],\"version\""))
        try shop.makeSchema("items", ControlFixture.items)
        try shop.makeDataset()
        try shop.makeDataset("Items", schema: "items")
        tracker = try shop.environment.createEventTracker(
            CreateEventTrackerInput(name: "web", datasetGroupARN: shop.arn("dataset-group/shop")), by: shop.caller)
        try shop.environment.prepareInteractionPart(datasetGroupID: group)
    }

    func event(_ user: String, _ item: String?, _ type: String = "View", id: String? = UUID().uuidString, ago: Double = 0) -> NewEvent {
        var event = NewEvent(
            datasetGroupID: group, source: .putEvents, userID: user, visitorID: user, eventType: type,
            occurredAt: PGTimestamp(seconds: clock.now.seconds - ago))
        event.itemID = item
        event.clientID = id
        return event
    }

    @discardableResult
    func store(_ events: [NewEvent]) throws -> [EventOutcome] {
        try environment.change { try environment.storeEvents(events, $0) }
    }

    func door() throws -> EventDoor {
        guard let door = try environment.openEventDoor(trackingID: tracker.trackingID) else { throw OperationError.notFound("door") }
        return door
    }

    func secret() throws -> [UInt8] { try door().secret }

    /// Reads and stores a batch of the tracker: what it answers.
    func track(_ batch: String, sentAt: String? = nil, request: String = UUID().uuidString, refusing: Bool = false) throws
        -> TrackerBatch.Summary
    {
        let body = try JSONValue(parsing: "{\"batch\":\(batch)\(sentAt.map { ",\"sentAt\":\"\($0)\"" } ?? "")}").objectValue ?? JSONObject()
        let delivery = TrackerBatch.Delivery(requestID: request, receivedAt: clock.now, refusesTracking: refusing)
        let batch = try TrackerBatch(body: body, door: door(), delivery: delivery)
        return batch.summary(try store(batch.events))
    }

    /// Items of the packed history, oldest first.
    func history(_ user: String) throws -> [String] {
        try environment.read { connection in
            let rows = try connection.query(
                """
                SELECT h.entries FROM history h JOIN user_key k ON k.dataset_group_id = h.dataset_group_id AND k.id = h.user_id
                WHERE h.dataset_group_id = \(group) AND k.external_id = \(user)
                """)
            guard let row = rows.first else { return [] }
            return try PackedHistory.unpack(row.bytes(0)).map { event in
                try connection.query(
                    "SELECT external_id FROM item_key WHERE dataset_group_id = \(group) AND id = \(event.item)"
                ).first?.string(0) ?? "?"
            }
        }
    }

    func texts(_ sql: SQL) throws -> [String?] {
        try environment.read { try $0.query(sql).map { try $0.optionalString(0) } }
    }
}
