import Foundation
import JSON
import Postgres
import Support
import Testing

@testable import Tastemaker

struct EventStoreTests {
    let fixture: EventFixture

    init() throws { fixture = try EventFixture() }

    @Test func `an event is an interaction and the newest of its user's history`() throws {
        #expect(try fixture.store([fixture.event("u", "a", ago: 10), fixture.event("u", "b")]) == [.accepted, .accepted])
        #expect(try fixture.history("u") == ["a", "b"])
        #expect(try fixture.shop.count("SELECT count(*) FROM interaction") == 2)
    }

    @Test func `events of one second keep the order of arrival, and late ones find their place`() throws {
        try fixture.store([fixture.event("u", "b"), fixture.event("u", "c")])
        try fixture.store([fixture.event("u", "d"), fixture.event("u", "a", ago: 60)])
        #expect(try fixture.history("u") == ["a", "b", "c", "d"])
        let stored = try fixture.texts(
            "SELECT k.external_id FROM interaction i JOIN item_key k ON k.id = i.item_id ORDER BY occurred_at, ordinal")
        #expect(stored == ["a", "b", "c", "d"])
    }

    @Test func `an event id counts once, in one batch, in the next, and across the border of a month`() throws {
        let event = fixture.event("u", "a", id: "e-1")
        #expect(try fixture.store([event, event]) == [.accepted, .duplicate])
        fixture.clock.advance(seconds: 33 * 86_400)
        try fixture.environment.prepareInteractionPart(datasetGroupID: fixture.group)
        #expect(try fixture.store([event]) == [.duplicate])
        #expect(try fixture.store([fixture.event("u", "b")]) == [.accepted])
        #expect(try fixture.history("u") == ["a", "b"])
        #expect(try fixture.shop.count("SELECT count(DISTINCT tableoid) FROM interaction") == 2)
    }

    @Test func `without an id two events are one if they say the same`() throws {
        let event = fixture.event("u", "a", id: nil)
        var other = event
        other.properties = ["DEVICE": "phone"]
        #expect(try fixture.store([event, event, other]) == [.accepted, .duplicate, .accepted])
    }

    @Test func `ids that differ only in Unicode normalisation are two`() throws {
        try fixture.store([fixture.event("caf\u{E9}", "a"), fixture.event("cafe\u{301}", "b")])
        #expect(try fixture.history("caf\u{E9}") == ["a"])
        #expect(try fixture.history("cafe\u{301}") == ["b"])
    }

    @Test func `a history keeps a hundred of a type, two hundred in all, and rare types longest`() throws {
        try fixture.store([fixture.event("u", "bought", "Purchase", ago: 9_000)])
        for type in ["View", "Click", "AddToCart"] {
            try fixture.store((0..<150).map { fixture.event("u", "\(type)-\($0)", type, ago: 1_000 - Double($0)) })
        }
        let history = try fixture.history("u")
        #expect(history.count == PackedHistory.limit)
        #expect(history.first == "bought")
        #expect(Set(["View", "Click", "AddToCart"].map { type in history.count { $0.hasPrefix(type + "-") } }).isSubset(of: [66, 67]))
        #expect(history.contains("View-149") && !history.contains("View-49"))
    }

    @Test func `an event without an item is stored and no part of the history`() throws {
        #expect(try fixture.store([fixture.event("u", nil, "Search")]) == [.accepted])
        #expect(try fixture.history("u") == [])
        #expect(try fixture.shop.count("SELECT count(*) FROM interaction WHERE item_id IS NULL") == 1)
    }

    @Test func `a group without an Interactions dataset takes no event`() throws {
        let other = try fixture.shop.makeGroup("other")
        var event = fixture.event("u", "a")
        event.datasetGroupID = other.id
        #expect(try fixture.store([event, fixture.event("u", "a")]) == [.rejected(reason: EventDoor.closedReason), .accepted])
    }

    @Test func `only a recommendation id of this installation is believed`() throws {
        let key = fixture.environment.sealer.derivedKey("recommendation-id")
        let id = RecommendationID(at: fixture.clock.now, placementID: 3, random: 77)
        var genuine = fixture.event("u", "a")
        genuine.recommendationID = id.text(key: key)
        var forged = fixture.event("u", "b")
        forged.recommendationID = id.text(key: Array(repeating: 1, count: 32))
        try fixture.store([genuine, forged])
        #expect(try fixture.shop.count("SELECT recommendation FROM interaction WHERE recommendation IS NOT NULL") == id.key)
        #expect(try fixture.shop.count("SELECT count(*) FROM interaction WHERE recommendation IS NULL") == 1)
    }

    @Test func `items named in an impression are kept as seen, in order`() throws {
        var event = fixture.event("u", "a")
        event.impression = ["x", "y"]
        try fixture.store([event])
        let seen = try fixture.texts("SELECT k.external_id FROM impression i JOIN item_key k ON k.id = i.item_id ORDER BY i.position")
        #expect(seen == ["x", "y"])
        #expect(try fixture.history("u") == ["a"])
    }

    @Test func `a server's session id gets no history of its own when the user is named`() throws {
        var event = fixture.event("42", "a")
        event.visitorID = "1"
        try fixture.store([event])
        #expect(try fixture.history("42") == ["a"])
        #expect(try fixture.history("1") == [])
    }

    @Test func `a server's session that is a browser's anonymous id is that browser`() throws {
        _ = try fixture.track(#"[{"event":"View","anonymousId":"v","properties":{"sku":"a"}}]"#)
        try fixture.store([fixture.event("v", "b")])
        #expect(try fixture.history("anonymous:v") == ["a", "b"])
        #expect(try fixture.history("v") == [])
        var purchase = fixture.event("ada", "c", "Purchase")
        purchase.visitorID = "v"
        try fixture.store([purchase])
        #expect(try fixture.history("anonymous:v") == ["a", "b", "c"])
        #expect(
            try fixture.texts("SELECT DISTINCT k.external_id FROM interaction i JOIN user_key k ON k.id = i.visitor_id") == ["anonymous:v"])
    }

    @Test func `writers of the same users neither deadlock nor lose an event`() throws {
        let environment = try Environment.test(fixture.shop.database, clock: fixture.clock, connections: 8)
        let failures = Failures()
        DispatchQueue.concurrentPerform(iterations: 8) { writer in
            for round in 0..<10 {
                // Each writer meets the users in another order, and most of them new.
                let events = (0..<10).map { fixture.event("u\((($0 * (writer + 1)) + round) % 10)", "i\(writer)-\(round)-\($0)") }
                do { _ = try environment.change { try environment.storeEvents(events, $0) } } catch { failures.note("\(error)") }
            }
        }
        #expect(failures.all == [])
        #expect(try fixture.shop.count("SELECT count(*) FROM interaction") == 800)
        for user in 0..<10 {
            let name = "u\(user)"
            let stored = try fixture.shop.count(
                "SELECT count(*) FROM interaction i JOIN user_key k ON k.id = i.user_id WHERE k.external_id = \(name)")
            #expect(try fixture.history(name).count == min(Int(stored), PackedHistory.eventTypeLimit))
        }
    }
}
