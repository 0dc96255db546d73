import Foundation
import Postgres
import Support
import Testing

@testable import Tastemaker

struct PromotionTests {
    func sentences(_ shop: MarketingFixture, _ definition: PromotionDefinition, _ severity: PromotionConflict.Severity) throws -> [String] {
        try shop.environment.checkPromotion(definition, id: nil, datasetGroupID: shop.group.id, by: shop.caller)
            .filter { $0.severity == severity }.map(\.sentence)
    }

    @Test func `a draft acts nowhere, publishing puts it into force, unpublishing takes it out`() throws {
        let shop = try MarketingFixture()
        let draft = try shop.promotion(PromotionDefinition(kind: .pin, selection: .items(["i1"])))
        #expect(draft.published == nil && draft.state(at: shop.clock.now, timeZone: shop.group.zone) == .draft)
        let (live, warnings) = try shop.environment.publishPromotion(draft.id, by: shop.caller)
        #expect(live.state(at: shop.clock.now, timeZone: shop.group.zone) == .live && warnings.isEmpty)
        let out = try shop.environment.unpublishPromotion(draft.id, by: shop.caller)
        #expect(out.published == nil)
    }

    @Test func `an edit waits until it is published`() throws {
        let shop = try MarketingFixture()
        let made = try shop.promotion(PromotionDefinition(kind: .boost, selection: .items(["i1"]), factor: 2))
        try shop.environment.publishPromotion(made.id, by: shop.caller)
        let edited = try shop.environment.editPromotion(
            made.id, name: "Sale", PromotionDefinition(kind: .boost, selection: .items(["i1"]), factor: 3), basedOn: 1, by: shop.caller)
        #expect(edited.published?.definition.factor == 2 && edited.latest.definition.factor == 3 && edited.hasUnpublishedEdit)
        let (published, _) = try shop.environment.publishPromotion(made.id, by: shop.caller)
        #expect(published.published?.definition.factor == 3 && !published.hasUnpublishedEdit)
    }

    @Test func `an edit of a version that is no longer the newest is refused`() throws {
        let shop = try MarketingFixture()
        let made = try shop.promotion(PromotionDefinition(kind: .hide, selection: .items(["i1"])))
        func edit(_ item: String) throws {
            _ = try shop.environment.editPromotion(
                made.id, name: "Sale", PromotionDefinition(kind: .hide, selection: .items([item])), basedOn: 1, by: shop.caller)
        }
        try edit("i2")
        #expect(Refusal { try edit("i3") } == .inUse)
    }

    @Test func `reverting makes a new version that says the same and publishes it`() throws {
        let shop = try MarketingFixture()
        let made = try shop.promotion(PromotionDefinition(kind: .hide, selection: .items(["i1"])))
        try shop.environment.publishPromotion(made.id, by: shop.caller)
        _ = try shop.environment.editPromotion(
            made.id, name: "Sale", PromotionDefinition(kind: .hide, selection: .items(["i2"])), by: shop.caller)
        try shop.environment.publishPromotion(made.id, by: shop.caller)
        let back = try shop.environment.undoPublishing(of: made.id, by: shop.caller)
        #expect(back.published?.version == 3 && back.published?.definition.selection == .items(["i1"]))
        let history = try shop.environment.promotionHistory(made.id, by: shop.caller)
        #expect(history.map(\.version) == [3, 2, 1] && history[0].note == "Back to version 1")
    }

    @Test func `the first publishing is taken back to nothing`() throws {
        let shop = try MarketingFixture()
        let made = try shop.promotion(PromotionDefinition(kind: .hide, selection: .items(["i1"])))
        try shop.environment.publishPromotion(made.id, by: shop.caller)
        #expect(try shop.environment.undoPublishing(of: made.id, by: shop.caller).published == nil)
    }

    @Test func `an archived promotion is out of force and cannot be published`() throws {
        let shop = try MarketingFixture()
        let made = try shop.promotion(PromotionDefinition(kind: .hide, selection: .items(["i1"])))
        try shop.environment.publishPromotion(made.id, by: shop.caller)
        let archived = try shop.environment.archivePromotion(made.id, by: shop.caller)
        #expect(archived.published == nil && archived.state(at: shop.clock.now, timeZone: shop.group.zone) == .archived)
        #expect(Refusal { try shop.environment.publishPromotion(made.id, by: shop.caller) } == .inUse)
    }

    @Test func `a promotion of unknown items or of a past end is not published`() throws {
        let shop = try MarketingFixture()
        let unknown = try shop.promotion(PromotionDefinition(kind: .pin, selection: .items(["nothing"])))
        #expect(Refusal { try shop.environment.publishPromotion(unknown.id, by: shop.caller) } == .inUse)
        let past = try shop.promotion(PromotionDefinition(kind: .pin, selection: .items(["i1"]), endsAt: "2026-01-01T00:00"))
        #expect(Refusal { try shop.environment.publishPromotion(past.id, by: shop.caller) } == .inUse)
        let far = try shop.promotion(PromotionDefinition(kind: .pin, selection: .items(["i1"]), position: 50))
        #expect(Refusal { try shop.environment.publishPromotion(far.id, by: shop.caller) } == .inUse)
    }

    @Test func `pinned and hidden, and two pins for one place, are told`() throws {
        let shop = try MarketingFixture()
        let hide = try shop.promotion(PromotionDefinition(kind: .hide, selection: .values(column: "category", ["Shoes"])), name: "No shoes")
        try shop.environment.publishPromotion(hide.id, by: shop.caller)
        let pin = try shop.promotion(PromotionDefinition(kind: .pin, selection: .items(["i1"]), position: 2), name: "Hat")
        try shop.environment.publishPromotion(pin.id, by: shop.caller)
        let found = try sentences(shop, PromotionDefinition(kind: .pin, selection: .items(["i2"]), position: 2), .warning)
        #expect(found.count == 2)
        #expect(found.contains { $0.contains("hidden by 'No shoes'") })
        #expect(found.contains { $0.contains("'Hat' pins to position 2") })
    }

    @Test func `promotions that never meet do not conflict`() throws {
        let shop = try MarketingFixture()
        let hide = try shop.promotion(PromotionDefinition(kind: .hide, selection: .items(["i2"]), placements: ["cart"]))
        try shop.environment.publishPromotion(hide.id, by: shop.caller)
        #expect(
            try sentences(shop, PromotionDefinition(kind: .pin, selection: .items(["i2"]), placements: ["home-popular"]), .warning).isEmpty)
        let later = PromotionDefinition(
            kind: .pin, selection: .items(["i2"]), placements: ["cart"], startsAt: "2027-01-01T00:00", endsAt: "2027-01-02T00:00")
        #expect(try sentences(shop, later, .warning).count == 1)
        _ = try shop.environment.editPromotion(
            hide.id, name: "Sale",
            PromotionDefinition(kind: .hide, selection: .items(["i2"]), placements: ["cart"], endsAt: "2026-12-31T23:59"), by: shop.caller)
        try shop.environment.publishPromotion(hide.id, by: shop.caller)
        #expect(try sentences(shop, later, .warning).isEmpty)
    }

    @Test(arguments: [
        PromotionDefinition(kind: .boost, selection: .items(["i1"]), factor: 1),
        PromotionDefinition(kind: .bury, selection: .items(["i1"]), factor: 2),
        PromotionDefinition(kind: .pin, selection: .items([])),
        PromotionDefinition(kind: .pin, selection: .items(["i1"]), position: 0),
        PromotionDefinition(kind: .hide, selection: .items(["i1"]), holdOut: 0.6),
        PromotionDefinition(kind: .hide, selection: .values(column: "colour", ["red"])),
        PromotionDefinition(kind: .hide, selection: .items(["i1"]), placements: ["nowhere"]),
        PromotionDefinition(kind: .hide, selection: .items(["i1"]), startsAt: "soon"),
    ])
    func `a definition outside the rules is refused`(definition: PromotionDefinition) throws {
        let shop = try MarketingFixture()
        #expect(Refusal { try shop.promotion(definition) } == .invalidInput)
    }

    @Test func `the difference of two versions is told field by field`() {
        let old = PromotionDefinition(kind: .boost, selection: .items(["i1"]), factor: 2)
        var new = old
        new.factor = 2.5
        new.endsAt = "2026-12-24T18:00"
        let changes = old.changes(to: new)
        #expect(changes.map(\.field) == ["What", "Until"])
        #expect(changes.last?.before == "without end" && changes.last?.after == "2026-12-24 18:00")
        #expect(old.changes(to: old).isEmpty)
    }

    @Test func `a form is offered the categories with their counts`() throws {
        let shop = try MarketingFixture()
        let choices = try shop.environment.promotionChoices(datasetGroupID: shop.group.id, by: shop.caller)
        #expect(choices.categories.map(\.text).sorted() == ["Hats", "Shoes"])
        #expect(choices.categories.allSatisfy { $0.items == 10 })
    }

    @Test func `the report tells both sides of the hold-out, and that it is early`() throws {
        let shop = try MarketingFixture()
        let made = try shop.promotion(PromotionDefinition(kind: .boost, selection: .items(["i1"])))
        try shop.environment.publishPromotion(made.id, by: shop.caller)
        let at = shop.clock.now
        let ids = try shop.show([
            .init(visitor: "served", at: at, live: [made.id]), .init(visitor: "served", at: shop.time(days: 1), live: [made.id]),
            .init(visitor: "held", at: at, live: [made.id], held: [made.id]), .init(visitor: "other", at: at),
            .init(visitor: "both", at: at, live: [made.id]), .init(visitor: "both", at: at, live: [made.id], held: [made.id]),
        ])
        try shop.store([
            shop.event("served", "Click", at: shop.time(days: 0.1), recommendation: ids[0]),
            shop.event("served", "Purchase", at: shop.time(days: 0.2), order: "o1", amount: "12.50"),
            shop.event("held", "Purchase", at: shop.time(days: 0.2), order: "o2", amount: "7.00"),
            shop.event("other", "Purchase", at: shop.time(days: 0.2), order: "o3", amount: "100.00"),
            shop.event("both", "Purchase", at: shop.time(days: 0.2), order: "o4", amount: "100.00"),
        ])
        shop.clock.advance(seconds: 2 * 86_400)
        let report = try shop.environment.promotionReport(made.id, by: shop.caller)
        #expect(report.served.units == 1 && report.served.lists == 2 && report.served.clicks == 1)
        #expect(report.served.orders == 1 && report.served.revenue == 12.5)
        #expect(report.heldOut.units == 1 && report.heldOut.clicks == 0 && report.heldOut.revenue == 7)
        #expect(report.mixedVisitors == 1 && report.isEarly)
    }
}
